"""A backup is made, time goes on, and it is brought back: nobody is written to twice."""

import stat
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from booking.appointments import mail_schedule
from booking.models import Appointment
from clinic.environment import mailer_from_url
from clinic.mail import outbox
from clinic.mail.mime import message_id_header
from clinic.models import Message, Patient
from clinic.operations import backups
from tests.factories import make_appointment, make_location, make_patient, make_practice

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

State = Message.State
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def sink(smtp_sink, settings):
    settings.MAILERS = {"default": mailer_from_url(smtp_sink.url, timeout=5)}
    return smtp_sink


def test_a_restored_backup_repeats_no_mail_and_sends_what_comes_later(sink, tmp_path):
    make_practice()
    began, location = timezone.now(), make_location()
    visits = [
        make_appointment(location=location, start=began + hours * HOUR)
        for hours in (20, 40, 60, 200)
    ]
    for visit in visits:
        mail_schedule.plan_booked(visit, began)
    outbox.tick(began)
    assert len(sink.mails) == len(visits)

    file = tmp_path / "backup"
    backups.make(file)
    for hours in range(1, 25):
        outbox.tick(began + hours * HOUR)
    lost = make_patient()
    mail_schedule.plan_booked(
        make_appointment(patient=lost, location=location, start=began + 90 * HOUR), began
    )
    before = sink.copies
    assert len(before) > len(visits)

    restored_at = began + 25 * HOUR
    skipped = backups.restore(file, now=restored_at)
    assert not Patient.objects.filter(pk=lost.pk).exists()
    assert Appointment.objects.count() == len(visits)
    due_meanwhile = Message.objects.filter(state=State.SKIPPED, reason=Message.RESTORED)
    assert skipped == due_meanwhile.count() > 0
    for hours in range(25, 200):
        outbox.tick(began + hours * HOUR)

    assert set(sink.copies.values()) == {1}, "no mail left twice"
    sent_later = {str(mail["Message-ID"]) for mail in sink.mails} - set(before)
    reminders = Message.objects.filter(kind=mail_schedule.REMINDER, due_at__gt=restored_at)
    assert {message_id_header(reminder) for reminder in reminders} <= sent_later
    (note,) = sink.to("alerts@clinic.example")
    assert f"{skipped} mail" in note.get_body(("plain",)).get_content()


def test_a_backup_is_private_whole_and_never_written_over_another_file(tmp_path):
    make_patient()
    file = tmp_path / "backup"
    call_command("backup", file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(CommandError, match="exists already"):
        call_command("backup", file)
    with pytest.raises(CommandError, match="no folder"):
        call_command("backup", tmp_path / "nowhere" / "backup")
    assert list(tmp_path.iterdir()) == [file]


def test_without_yes_nothing_is_restored(tmp_path, capsys):
    file = tmp_path / "backup"
    call_command("backup", file)
    make_patient()
    call_command("restore", file)

    assert "1 patients" in capsys.readouterr().out
    assert Patient.objects.count() == 1
    call_command("restore", file, yes=True)
    assert Patient.objects.count() == 0


def test_what_is_no_backup_changes_nothing(tmp_path):
    make_patient()
    broken, missing = tmp_path / "broken", tmp_path / "missing"
    call_command("backup", tmp_path / "backup")
    broken.write_bytes((tmp_path / "backup").read_bytes()[:5000] + b"\0" * 500)
    for file in (broken, missing):
        with pytest.raises(CommandError):
            call_command("restore", file, yes=True)

    assert Patient.objects.count() == 1


def test_the_guard_against_double_booking_survives(tmp_path):
    call_command("backup", tmp_path / "backup")
    call_command("restore", tmp_path / "backup", yes=True)
    visit = make_appointment()

    with pytest.raises(Exception, match=r"overlap|slot"):
        make_appointment(
            practitioner=visit.practitioner, location=visit.location, start=visit.start
        )
