"""Bookings over real HTTP, compared with the same server when it only writes the same rows."""

import os
import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bench.budgets import Report
from booking.models import Appointment
from clinic.models import Location, Practitioner
from intake.models import QuestionnaireResponse
from schedule.models import Service
from schedule.search import FreeStart
from schedule.slots import floor_minute
from tests.guest import HEALTHY, Guest, Server, details

CLIENTS = 8
# Booked before the measurement, so that each process has its templates and statements ready.
WARM = 40
CROWD = 50
SERVICE = "pt-eval"
# Keys, hashes and calendar UIDs. psycopg writes a UUID without its hyphens.
KEY_OR_SECRET = r"\b[0-9a-f]{32,64}\b"
WRITES = ("INSERT", "UPDATE", "DELETE")


def measure(report: Report, *, bookings: int) -> None:
    service = Service.objects.get(slug=SERVICE)
    service.practitioners.set(Practitioner.objects.filter(name__startswith="Practitioner"))
    starts = apart(service, count=2 * bookings + 2 * WARM + 2)
    log = Path(settings.STATE_DIR) / "server.log"
    env = os.environ | {"TRUSTED_PROXY": "1"}
    with Server(env, log=log) as server:
        crowd(report, server, service, starts.pop())
        ours = rate(server, service, [starts.pop() for _ in range(bookings + WARM)])
    report.fact(f"bookings, {CLIENTS} clients over HTTP", f"{ours:.0f} /s")
    if connection.vendor == "postgresql":
        scripts = same_writes(service, starts)
        with Server(env, application="bench.wsgi", log=log) as server:
            most = served_rate(server, scripts)
        report.fact("two POSTs, one of which only writes the same rows", f"{most:.0f} /s")
        report.at_least("bookings to such POSTs", ours / most, 0.18)


def apart(service: Service, *, count: int) -> list[FreeStart]:
    """Return free starts that do not exclude each other: all of them can be booked."""
    now = timezone.now()
    room = timedelta(
        minutes=service.default_duration + service.buffer_before + service.buffer_after
    )
    chosen: list[FreeStart] = []
    busy_until: dict[int, datetime] = {}
    for free in Appointment.objects.search(
        service, since=now, until=now + timedelta(days=service.horizon_days), now=now
    ).starts():
        if free.start >= busy_until.get(free.practitioner_id, free.start):
            busy_until[free.practitioner_id] = free.start + room
            chosen.append(free)
    assert len(chosen) >= count, f"only {len(chosen)} starts for {count} bookings"
    return chosen[-count:]


def choices(
    guests: Sequence[Guest], service: Service, starts: Sequence[FreeStart]
) -> list[dict[str, object]]:
    places = dict(Location.objects.values_list("pk", "slug"))
    people = dict(Practitioner.objects.values_list("pk", "public_id"))
    return [
        guest.choice(
            start=floor_minute(free.start),
            place=places[free.location_id],
            who=people[free.practitioner_id],
            minutes=service.default_duration,
        )
        for guest, free in zip(guests, starts, strict=True)
    ]


def arrive(server: Server, service: Service, *, count: int, first: int) -> list[Guest]:
    """Return guests that have answered the safety check."""
    guests = [Guest(server, number=first + number, host="127.0.0.1") for number in range(count)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda guest: guest.answer_gate(service.slug), guests))
    return guests


def crowd(report: Report, server: Server, service: Service, start: FreeStart) -> None:
    """Measure the longest wait when fifty guests reserve one start; exactly one succeeds."""
    guests = arrive(server, service, count=CROWD, first=1)
    wanted = choices(guests, service, [start] * CROWD)
    together = threading.Barrier(CROWD)

    def hold(guest: Guest, choice: dict[str, object]) -> tuple[int, float]:
        together.wait()
        began = time.perf_counter()
        status = guest.hold(service.slug, choice)
        return status, time.perf_counter() - began

    with ThreadPoolExecutor(CROWD) as pool:
        outcomes = list(pool.map(hold, guests, wanted))
    statuses = Counter(status for status, _ in outcomes)
    assert statuses == {302: 1, 409: CROWD - 1}, statuses
    slowest = max(waited for _, waited in outcomes)
    patience = 2 if connection.vendor == "postgresql" else 5
    report.at_most(f"{CROWD} guests, one start: the longest wait", slowest, patience, unit="s")
    for guest in guests:
        guest.close()


def rate(server: Server, service: Service, starts: Sequence[FreeStart]) -> float:
    """Return bookings per second; each is a POST that reserves and a POST with details."""
    guests = arrive(server, service, count=len(starts), first=1000)
    wanted = choices(guests, service, starts)

    def book(number: int) -> None:
        guest, choice = guests[number], wanted[number]
        held = guest.hold(service.slug, choice)
        booked, answer = guest.book(service.slug, choice)
        assert (held, booked) == (302, 302), (held, booked, answer[:500])

    before = Appointment.objects.filter(status=Appointment.Status.BOOKED).count()
    spread(book, range(WARM))
    seconds = spread(book, range(WARM, len(starts)))
    after = Appointment.objects.filter(status=Appointment.Status.BOOKED).count()
    assert after - before == len(starts)
    for guest in guests:
        guest.close()
    return (len(starts) - WARM) / seconds


def spread(act: Callable[[int], None], numbers: range) -> float:
    """Return the seconds that `CLIENTS` threads take to do `act` for each of the numbers."""
    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(act, numbers))
    return time.perf_counter() - began


def same_writes(service: Service, starts: Sequence[FreeStart]) -> list[str]:
    """Book the first start, and return its writes as one SQL script for each other start."""
    sample, *starts = starts
    writes, answers = writes_of_one_booking(service, sample)
    visit = Appointment.objects.latest("created_at")
    copies = [
        QuestionnaireResponse(
            questionnaire_id=answers.questionnaire_id,
            items=answers.items,
            visitor_hash=secrets.token_hex(32),
        )
        for _ in starts
    ]
    QuestionnaireResponse.objects.bulk_create(copies)
    return [
        retold(writes, visit, free, answers=answers, copy=copy)
        for free, copy in zip(starts, copies, strict=True)
    ]


def served_rate(server: Server, scripts: Sequence[str]) -> float:
    """Return pairs of POSTs per second without any logic: the least cost of a booking."""
    guests = [Guest(server, number=number, host="127.0.0.1") for number in range(len(scripts))]

    def write(number: int) -> None:
        statuses = [
            guests[number].post(f"/bench/{page}/", {"sql": scripts[number]})[0]
            for page in ("empty", "write")
        ]
        assert statuses == [200, 200], statuses

    spread(write, range(WARM))
    seconds = spread(write, range(WARM, len(scripts)))
    for guest in guests:
        guest.close()
    return (len(scripts) - WARM) / seconds


def writes_of_one_booking(
    service: Service, start: FreeStart
) -> tuple[list[str], QuestionnaireResponse]:
    """Return the SQL writes with which the project books this start, and the answers."""
    guest = Client()
    with override_settings(ALLOWED_HOSTS=["testserver"], ROOT_URLCONF="clinic.urls"):
        guest.post(f"/book/safety/?service={service.slug}", HEALTHY)
        answers = QuestionnaireResponse.objects.latest("created_at")
        choice = {
            "start": floor_minute(start.start),
            "place": Location.objects.get(pk=start.location_id).slug,
            "who": Practitioner.objects.get(pk=start.practitioner_id).public_id,
            "minutes": service.default_duration,
            "booking_key": uuid4().hex,
        }
        with CaptureQueriesContext(connection) as captured:
            held = guest.post(f"/book/{service.slug}/", choice)
            booked = guest.post(f"/book/{service.slug}/details/", choice | details(0))
    assert (held.status_code, booked.status_code) == (302, 302)
    statements = [query["sql"] for query in captured]
    return [sql for sql in statements if sql.startswith(WRITES)], answers


def retold(
    writes: Sequence[str],
    visit: Appointment,
    free: FreeStart,
    *,
    answers: QuestionnaireResponse,
    copy: QuestionnaireResponse,
) -> str:
    """Return the same statements for another start, with new keys and secrets."""
    script = ";\n".join(["BEGIN", *writes, "COMMIT"])
    fresh = {
        found: secrets.token_hex(32)[: len(found)] for found in re.findall(KEY_OR_SECRET, script)
    } | {answers.pk.hex: copy.pk.hex}
    later = free.start - visit.start
    for at in (visit.start, visit.end, visit.busy_until):
        fresh[at.isoformat(" ")] = (at + later).isoformat(" ")
    script = re.sub("|".join(map(re.escape, fresh)), lambda found: fresh[found[0]], script)
    return script.replace(
        f", {visit.practitioner_id}, {visit.location_id},",
        f", {free.practitioner_id}, {free.location_id},",
    )
