"""The database dies under load, again and again: who was told "booked" has a visit and a mail."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

import psycopg
import pytest

from tests.conftest import SOAK, _unavailable
from tests.faults.conftest import QUICK, ROOT, wait_until
from tests.guest import Guest, Server
from tests.throwaway import NotInstalled, Postgres

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("collected_static_files")]

SERVICE = "pt-eval"
CLINIC = """
import django, json
django.setup()
from datetime import timedelta
from django.utils import timezone
from booking.models import Appointment
from schedule.slots import floor_minute
from intake.models import Questionnaire
from tests.booking.small_clinic import SmallClinic
from tests.factories import make_practice
now = timezone.now()
make_practice(time_zone="America/Chicago")
questionnaire = Questionnaire.objects.publish_shipped(now=now - timedelta(days=1))
clinic = SmallClinic(slug="pt-eval", practitioners=8, questionnaire=questionnaire)
starts = {
    (free.start, free.practitioner_id): {
        "start": floor_minute(free.start), "place": clinic.location.slug,
        "minutes": clinic.service.default_duration,
        "who": str({one.pk: one.public_id for one in clinic.practitioners}[free.practitioner_id]),
    }
    for free in Appointment.objects.search(
        clinic.service, since=now, until=now + timedelta(days=9), now=now
    ).starts()
    if free.start.minute == 0
}
print(json.dumps(list(starts.values())))
"""


def test_who_was_told_that_it_is_booked_has_a_visit_and_a_mail(smtp_sink, start, tmp_path):
    people, restarts = (300, 20) if SOAK else (40, 3)
    try:
        postgres = Postgres(keeps_commits=True)
    except NotInstalled as error:
        _unavailable(error)
    with postgres:
        env = {
            **os.environ,
            **QUICK,
            "DJANGO_SETTINGS_MODULE": "clinic.settings",
            "DATABASE_URL": postgres.url,
            "EMAIL_URL": smtp_sink.url,
            "TRUSTED_PROXY": "1",
        }
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True
        )
        made = subprocess.run(
            [sys.executable, "-c", CLINIC], cwd=ROOT, env=env, check=True, capture_output=True
        )
        starts = json.loads(made.stdout)
        assert len(starts) >= people
        for command in ("worker", "beat"):
            start(command, env=env | {"STATE_DIR": str(tmp_path)})
        booked = {}

        def insist(number):
            """Try until a page says that it is booked, each time for another start."""
            for attempt in range(10):
                book(number, starts[(number + attempt * people) % len(starts)])
                if number in booked:
                    return
                time.sleep(0.5)

        def book(number, wanted):
            guest = Guest(server, number=number)
            try:
                guest.answer_gate(SERVICE)
                choice = guest.choice(**wanted)
                guest.hold(SERVICE, choice)
                status, target = guest.book(SERVICE, choice)
                if status == 302 and target.startswith("/visits/"):
                    booked[number] = target.split("/")[2]
            except (OSError, HTTPException, AssertionError):
                pass  # told that it failed, or told nothing
            finally:
                guest.close()

        with Server(env, log=tmp_path / "server.log") as server, ThreadPoolExecutor(6) as pool:
            tries = [pool.submit(insist, number) for number in range(people)]
            for restart in range(restarts):
                enough = people * (restart + 1) // (restarts + 2)
                wait_until(lambda enough=enough: len(booked) >= enough, seconds=120)
                postgres.stop()
                postgres.start()
            for one in tries:
                one.result()
            # Somebody who comes now meets a clinic that works.
            insist(people)

        with psycopg.connect(postgres.url) as rows:
            visits = {
                str(pk): email
                for pk, email in rows.execute(
                    "SELECT visit.id, patient.email FROM booking_appointment visit"
                    " JOIN clinic_patient patient ON patient.id = visit.patient_id"
                    " WHERE visit.status = 'booked'"
                )
            }
            owed = {
                str(pk)
                for (pk,) in rows.execute(
                    "SELECT subject_id FROM clinic_message WHERE kind = 'confirmation'"
                )
            }
        assert people in booked
        assert len(booked) > people * 0.9
        assert set(booked.values()) <= visits.keys()
        assert owed == visits.keys()
        wait_until(lambda: all(smtp_sink.to(visits[visit]) for visit in booked.values()))
        assert smtp_sink.copies.total() - len(smtp_sink.copies) <= restarts
