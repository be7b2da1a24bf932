"""Free starts: one practitioner, then twenty, on a clinic with 110,000 visits."""

import json
import os
from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from django.db import connection
from django.test.utils import CaptureQueriesContext

from bench import ceiling
from bench.budgets import Report, p50_ms
from bench.pages import question
from booking.models import Appointment
from schedule import rules
from tests.guest import Guest, Server

EMPTY = "/bench/empty/"
DAY, MONTH = "/bench/free-starts/1/", "/bench/free-starts/30/"
LEAST_WORK = "/bench/least-work/30/"

visitors: dict[Server, Guest] = {}


def measure(report: Report, *, rounds: int, without_past: str) -> None:
    """`without_past` is the URL of a copy of the database without past visits."""
    query_counts(report)
    with (
        server_of(os.environ) as server,
        server_of(os.environ | {"DATABASE_URL": without_past}) as newcomer,
    ):
        one_practitioner(report, server, rounds=rounds)
        ours_ms, new_ms = p50_ms(
            partial(get, server, MONTH), partial(get, newcomer, MONTH), rounds=rounds
        )
        report.at_most("30 days with 100,000 past visits, to none", ours_ms / new_ms, 1.1)
    everybody(report, rounds=rounds)


def get(server: Server, path: str) -> str:
    """Send a request over a persistent connection, as a browser does."""
    if server not in visitors:
        visitors[server] = Guest(server, number=1, host="127.0.0.1")
    status, body = visitors[server].get(path)
    assert status == 200, (path, status)
    return body


def server_of(env: Mapping[str, str]) -> Server:
    return Server(env, application="bench.wsgi", workers=1, threads=1)


def query_counts(report: Report) -> None:
    service, practitioner, now = question()
    with CaptureQueriesContext(connection) as captured:
        rules.current()
    report.fact("to read every rule, after one has changed", f"{len(captured)} queries")
    for days in (1, 7, 30, 60):
        for people in ([practitioner], None):
            with CaptureQueriesContext(connection) as captured:
                Appointment.objects.search(
                    service, since=now, until=now + timedelta(days=days), now=now
                ).starts(people)
            who = "1 practitioner" if people else "everybody"
            report.at_most(f"{who}, {days} days", len(captured), 4, unit="queries")


def one_practitioner(report: Report, server: Server, *, rounds: int) -> None:
    ours, theirs = (json.loads(get(server, path)) for path in (MONTH, LEAST_WORK))
    assert ours == theirs, "the shortest way finds other starts than we do"
    report.fact("free starts of one practitioner in 30 days", str(len(ours)))

    empty_ms, day_ms, month_ms, least_ms = p50_ms(
        *(partial(get, server, path) for path in (EMPTY, DAY, MONTH, LEAST_WORK)), rounds=rounds
    )
    report.fact("an empty view behind the same middleware, p50", f"{empty_ms:.2f} ms")
    report.fact("free starts, 1 day, p50", f"{day_ms:.2f} ms")
    report.at_most("… to the empty view", day_ms / empty_ms, 4)
    report.fact("one query and one sweep, 30 days, p50", f"{least_ms:.2f} ms")
    report.fact("free starts, 30 days, p50", f"{month_ms:.2f} ms")
    report.at_most("… to one query and one sweep", month_ms / least_ms, 3)


def everybody(report: Report, *, rounds: int) -> None:
    """Measure 'first free anywhere': at least twenty practitioners, thirty days."""
    service, _, now = question()
    until = now + timedelta(days=30)
    people = list(service.practitioners.values_list("pk", flat=True))
    raw_ms, ours_ms = p50_ms(
        partial(ceiling.taken, people, since=now, until=until),
        lambda: Appointment.objects.search(service, since=now, until=until, now=now).starts(),
        rounds=max(10, rounds // 10),
    )
    report.fact(f"the bare read, {len(people)} practitioners, 30 days, p50", f"{raw_ms:.2f} ms")
    report.fact("free starts of the same, p50", f"{ours_ms:.2f} ms")
    report.at_most("… to the bare read", ours_ms / raw_ms, 3)
