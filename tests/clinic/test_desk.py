import pytest

from clinic.models import DeskTask, Role
from tests.factories import NOW, make_patient, make_user, sign_in

pytestmark = pytest.mark.django_db


def ask(patient):
    return DeskTask.objects.ask(
        kind=DeskTask.Kind.BOUNCED, subject=patient, patient=patient, now=NOW
    )


def test_asking_twice_for_the_same_makes_one_open_task():
    patient = make_patient()

    assert ask(patient) == ask(patient)


def test_a_finished_task_can_be_asked_for_again():
    patient, desk = make_patient(), make_user()
    first = ask(patient)

    assert first.finish(by=desk, now=NOW)

    assert first.done_by == desk
    assert ask(patient) != first


def test_only_the_first_to_finish_a_task_is_noted():
    task, first, second = ask(make_patient()), make_user(), make_user()
    task.finish(by=first, now=NOW)

    assert not task.finish(by=second, now=NOW)
    assert task.done_by == first


def test_the_list_says_which_number_to_call(client):
    sign_in(client, make_user(role=Role.FRONT_DESK))
    ask(make_patient(phone="512 555 0177"))
    assert "512 555 0177" in client.get("/admin/clinic/desktask/").text
