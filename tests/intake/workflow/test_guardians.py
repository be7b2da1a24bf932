from datetime import date

import pytest

from clinic.models import Patient
from intake.answers import Answers
from intake.workflow import guardians

TODAY = date(2026, 6, 1)
ALL = {
    "safety-pregnancy": ["no"],
    "safety-illness": ["weak-immunity", "fever"],
    "periods": ["regular"],
    "pain-worst": [5],
}


def withheld(*, born=None, minor_age=18, patient=None, **answers):
    given = {link_id.replace("_", "-"): value for link_id, value in answers.items()}
    if born is not None:
        given["about-birth-date"] = [born]
    return guardians.withheld(Answers(given), patient=patient, today=TODAY, minor_age=minor_age)


def test_a_young_person_s_private_answers_are_not_shown_again():
    assert withheld(born=date(2010, 5, 1), **ALL) == {
        "safety-pregnancy",
        "safety-illness",
        "periods",
    }


def test_an_adult_sees_everything():
    assert withheld(born=date(1990, 5, 1), **ALL) == frozenset()


@pytest.mark.parametrize(("born", "hides"), [(date(2008, 6, 1), False), (date(2008, 6, 2), True)])
def test_it_ends_on_the_day_the_patient_is_of_age(born, hides):
    assert bool(withheld(born=born, **ALL)) == hides


def test_the_clinic_s_own_age_counts():
    assert withheld(born=date(2009, 5, 1), minor_age=16, **ALL) == frozenset()


def test_the_birth_date_on_file_comes_before_the_one_in_the_answers():
    child = Patient(birth_date=date(2012, 1, 1))
    assert "periods" in withheld(born=date(1980, 1, 1), patient=child, **ALL)


def test_what_has_not_been_answered_is_asked():
    assert withheld(born=date(2010, 5, 1), safety_illness=["fever"]) == frozenset()


def test_a_parent_is_not_asked_about_periods():
    assert withheld(born=date(2010, 5, 1), about_filler=["guardian"]) == {"periods"}
