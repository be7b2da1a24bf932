"""Encryption at rest of answers and free text."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection

from booking.models import StatusChange
from clinic import encryption, encryption_keys
from clinic.encryption import KeyMissing
from clinic.environment import fernet_keys
from clinic.models import EmergencyAccess, EncryptionKey
from intake.models import EarlierAnswers, LoweredLevel, PrivateNote, QuestionnaireResponse
from tests.factories import (
    NOW,
    make_appointment,
    make_clinician,
    make_earlier_answers,
    make_emergency_access,
    make_patient,
    make_response,
)

pytestmark = pytest.mark.django_db

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
CANARY = "Zzyzx-secret-words"
ITEMS = [{"linkId": "goal-words", "answer": [{"valueString": CANARY}]}]


def write_everything():
    """One row of every table that holds something encrypted, each with the same words."""
    patient, nurse = make_patient(), make_clinician()
    response = make_response(patient=patient, items=ITEMS, level=2)
    make_earlier_answers(response=response)
    response.lower(level=0, reason=CANARY, by=nurse, now=NOW)
    PrivateNote.objects.create(patient=patient, text=CANARY, written_by=nurse, written_at=NOW)
    make_emergency_access(user=nurse, patient=patient, reason=CANARY)
    visit = make_appointment(patient=patient)
    StatusChange.objects.create(appointment=visit, to_status="booked", at=NOW, reason=CANARY)
    StatusChange.objects.create(appointment=visit, to_status="booked", at=NOW, reason="")


def read_everything():
    return {
        QuestionnaireResponse.objects.get().items[0]["answer"][0]["valueString"],
        EarlierAnswers.objects.get().items[0]["answer"][0]["valueString"],
        LoweredLevel.objects.get().reason,
        PrivateNote.objects.get().text,
        EmergencyAccess.objects.get().reason,
        StatusChange.objects.exclude(reason="").get().reason,
    }


def as_stored():
    """Every encrypted column as the database holds it."""
    found = []
    with connection.cursor() as cursor:
        for model, field in encryption_keys.encrypted_fields():
            cursor.execute(f'SELECT CAST("{field.column}" AS text) FROM "{model._meta.db_table}"')
            found += [row[0] for row in cursor.fetchall()]
    return sorted(filter(None, found))


def rotate(*arguments):
    call_command("rotate_keys", *arguments, verbosity=0)


def test_without_keys_everything_is_stored_in_plain():
    write_everything()
    assert all(CANARY in text for text in as_stored())
    assert read_everything() == {CANARY}


def test_with_a_key_nothing_is_stored_in_plain_and_everything_reads_as_before(settings):
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    write_everything()
    assert len(as_stored()) == 6
    assert not any(CANARY in text for text in as_stored())
    assert read_everything() == {CANARY}
    QuestionnaireResponse.objects.update(items=[*ITEMS, *ITEMS])
    assert len(QuestionnaireResponse.objects.get().items) == 2
    assert not any(CANARY in text for text in as_stored())


def test_the_same_words_are_stored_differently_each_time(settings):
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    for _ in range(2):
        make_response(items=ITEMS)
    assert len(set(as_stored())) == 2


def test_an_older_key_still_reads_what_it_wrote(settings):
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    write_everything()
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    assert read_everything() == {CANARY}


@pytest.mark.parametrize("keys", [[], [NEW], ["off", NEW]])
def test_without_the_right_key_nothing_is_read(settings, keys):
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    write_everything()
    settings.FIELD_ENCRYPTION_KEYS = keys
    for model in (QuestionnaireResponse, PrivateNote, StatusChange):
        with pytest.raises(KeyMissing, match=encryption.fingerprint(OLD)):
            list(model.objects.all())


def test_an_altered_value_is_not_read(settings):
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    stored = encryption.encrypt("words")
    with pytest.raises(KeyMissing, match="altered"):
        encryption.decrypt(stored[:-4] + "AAA=")


def test_a_process_does_not_start_with_keys_that_do_not_open_what_is_stored(settings):
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    encryption_keys.require_keys()
    for keys in ([], [NEW], ["off", NEW]):
        settings.FIELD_ENCRYPTION_KEYS = keys
        with pytest.raises(KeyMissing, match="FIELD_ENCRYPTION_KEYS"):
            encryption_keys.require_keys()
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    encryption_keys.require_keys()
    assert EncryptionKey.objects.count() == 2


@pytest.mark.parametrize("text", ["short", "off", f"{NEW},off", f"{NEW},x"])
def test_a_key_that_is_none_is_refused_at_once(monkeypatch, text):
    monkeypatch.setenv("KEYS", text)
    if text == "off":
        assert fernet_keys("KEYS") == ["off"]
        return
    with pytest.raises(ImproperlyConfigured, match="no Fernet key"):
        fernet_keys("KEYS")


def test_encrypted_columns_cannot_be_searched():
    """With or without keys, so that nothing works until somebody switches them on."""
    for lookup in ("items__0__linkId", "items__contains", "items"):
        with pytest.raises(FieldError):
            list(QuestionnaireResponse.objects.filter(**{lookup: "goal-words"}))
    with pytest.raises(FieldError):
        list(PrivateNote.objects.filter(text__icontains="a"))


# Rotating


def test_rotating_brings_plain_and_older_rows_under_the_first_key(settings):
    write_everything()
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    make_response(items=ITEMS)
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    rotate()
    mark = f"enc1:{encryption.fingerprint(NEW)}:"
    assert all(text.lstrip('"').startswith(mark) for text in as_stored())
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    encryption_keys.require_keys()
    assert QuestionnaireResponse.objects.filter(pk__isnull=False).count() == 2
    assert {r.items[0]["linkId"] for r in QuestionnaireResponse.objects.all()} == {"goal-words"}


def test_rotating_leaves_times_and_revisions_alone(settings):
    write_everything()
    before = QuestionnaireResponse.objects.values("revision", "updated_at").get()
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    rotate()
    assert QuestionnaireResponse.objects.values("revision", "updated_at").get() == before


def test_off_in_front_brings_everything_back_to_plain(settings):
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    encryption_keys.require_keys()
    write_everything()
    settings.FIELD_ENCRYPTION_KEYS = ["off", OLD]
    rotate()
    assert all(CANARY in text for text in as_stored())
    settings.FIELD_ENCRYPTION_KEYS = []
    encryption_keys.require_keys()
    assert read_everything() == {CANARY}


def test_a_dry_run_counts_and_changes_nothing(settings, capsys):
    write_everything()
    before = as_stored()
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    rotate("--dry-run")
    assert as_stored() == before
    assert "intake.QuestionnaireResponse.items: 1 to rewrite" in capsys.readouterr().out


def test_a_rotation_that_was_stopped_goes_on_where_it_was(settings, monkeypatch, capsys):
    for _ in range(5):
        make_response(items=ITEMS)
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    monkeypatch.setattr("clinic.management.commands.rotate_keys.BATCH", 2)
    first = QuestionnaireResponse.objects.order_by("pk").first()
    first.save()
    rotate()
    assert "items: 4 of 4" in capsys.readouterr().out
    rotate("--dry-run")
    assert "intake.QuestionnaireResponse.items: 0 to rewrite" in capsys.readouterr().out


def test_without_keys_there_is_nothing_to_rotate():
    with pytest.raises(CommandError, match="empty"):
        rotate()


# Outside


@pytest.mark.django_db(transaction=True)
def test_the_web_server_refuses_to_start_without_the_key(process_env):
    EncryptionKey.objects.create(fingerprint=encryption.fingerprint(OLD), first_used_at=NOW)
    for keys, starts in (("", False), (NEW, False), (OLD, True)):
        done = subprocess.run(
            [sys.executable, "-c", "import clinic.wsgi"],
            cwd=settings.BASE_DIR,
            env=process_env | {"FIELD_ENCRYPTION_KEYS": keys},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode == 0) == starts, done.stderr
        assert starts or encryption.fingerprint(OLD) in done.stderr


@pytest.mark.django_db(transaction=True)
def test_a_worker_refuses_to_start_without_the_key(process_env):
    EncryptionKey.objects.create(fingerprint=encryption.fingerprint(OLD), first_used_at=NOW)
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "clinic", "worker", "--pool=solo"],
        cwd=settings.BASE_DIR,
        env=process_env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert encryption.fingerprint(OLD) in done.stdout + done.stderr


@pytest.mark.django_db(transaction=True)
def test_a_dump_of_the_database_holds_no_answer(settings, tmp_path):
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    write_everything()
    dump = tmp_path / "dump"
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(dump)])
    else:
        url = urlsplit(os.environ["DATABASE_URL"])
        url = url._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
        pg_dump = shutil.which("pg_dump") or next(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))
        subprocess.run(
            [pg_dump, "--file", dump, url.replace("postgres:", "postgresql:", 1)], check=True
        )
    content = dump.read_bytes()
    assert b"enc1:" in content
    assert CANARY.encode() not in content
