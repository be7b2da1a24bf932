"""Service by level, against clinical.md: §3.4 (what a level opens), §6.5 (what a visit needs)."""

import json
from datetime import date
from pathlib import Path

import pytest
from django.utils.translation import override

import schedule
from booking.flow.eligibility import NOTHING_ANSWERED, BlockReason, offer, working_day_after
from intake.answers import Answers
from intake.rules import triage
from intake.rules.levels import Level
from intake.rules.thresholds import OURS
from schedule.models import Service

MONDAY = date(2026, 6, 1)
CATALOGUE = {
    entry["slug"]: entry
    for entry in json.loads((Path(schedule.__file__).parent / "catalogue.json").read_text())
}
SERVICES = {
    slug: Service(
        pk=number,
        slug=slug,
        booking_mode=entry["booking_mode"],
        is_first_visit=entry.get("is_first_visit", False),
        tags=entry["tags"],
    )
    for number, (slug, entry) in enumerate(CATALOGUE.items())
}
HEALTHY = {
    "safety_nerve": "none",
    "safety_body": "none",
    "safety_injury": "no",
    "safety_leg_power": "no",
    "safety_illness": "none",
    "safety_cancer": "none",
    "safety_bone": "none",
    "safety_pregnancy": "no",
    "about_birth_date": date(1990, 5, 24),
    "onset_duration": "w2-6",
    "pain_worst": 5,
    "pain_run": 4,
}
WHOLE_INTAKE = HEALTHY | {
    "body_main": "low-back-left",
    "onset_worse": "sitting",
    "onset_how": "gradual",
    "med_told": "none",
    "tx_avoid": "none",
    "consent_signature": "Ana Runner",
}
EMERGENCY = {"safety_nerve": "saddle-numb"}
URGENT = {"safety_illness": "fever"}
SOON = {"safety_cancer": "tired-unwell"}
SEEN_FOR_ALL = frozenset(CATALOGUE)


def reasons(*, seen_for=(), intake=HEALTHY, **answers):
    """Every service of the catalogue with its block reason, None where it is open."""
    restrictions = triage.evaluate(Answers.of(**intake | answers), today=MONDAY).restrictions
    return {slug: of.block_reason for slug, of in offers(restrictions, seen_for).items()}


def offers(restrictions, seen_for=()):
    return {
        slug: offer(
            service,
            unlocked_by=[SERVICES[opener] for opener in CATALOGUE[slug].get("unlocked_by", [])],
            restrictions=restrictions,
            seen_for=[SERVICES[seen] for seen in seen_for],
            today=MONDAY,
        )
        for slug, service in SERVICES.items()
    }


def open_ones(**arguments):
    return {slug for slug, reason in reasons(**arguments).items() if reason is None}


FIRST_VISITS = {
    "tele-triage",
    "pt-eval",
    "gait-analysis",
    "massage",
    "footwear",
    "sports-doc",
    "nutrition",
    "pelvic-health",
}


def test_the_catalogue_has_all_services():
    assert len(CATALOGUE) == 23


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, FIRST_VISITS),
        (SOON, {"pt-eval", "sports-doc", "pelvic-health"}),
        (URGENT, {"tele-triage", "sports-doc", "pt-eval"}),
        (EMERGENCY, set()),
    ],
)
def test_what_each_level_opens_for_a_new_patient(answers, expected):
    assert open_ones(**answers) == expected


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (SOON, {"pt-eval", "sports-doc", "chiro-consult", "pelvic-health"}),
        (URGENT, {"tele-triage", "sports-doc", "pt-eval"}),
        (EMERGENCY, set()),
    ],
)
def test_no_earlier_visit_opens_more_than_the_level_does(answers, expected):
    assert open_ones(seen_for=SEEN_FOR_ALL, intake=WHOLE_INTAKE, **answers) == expected


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_patient_reads_the_signed_limit_of_pain_while_running(language):
    with override(language):
        assert f" {OURS.gait_pain_at_most} " in str(BlockReason.RUNNING_HURTS.label)


def test_a_known_patient_with_a_whole_intake_books_all_that_patients_book():
    booked_by_patients = {s for s, entry in CATALOGUE.items() if entry["booking_mode"] == "self"}
    assert open_ones(seen_for=SEEN_FOR_ALL, intake=WHOLE_INTAKE) == booked_by_patients


@pytest.mark.parametrize(
    ("slug", "reason"),
    [
        ("mind-body", BlockReason.STAFF),
        ("heat-cold-coaching", BlockReason.STAFF),
        ("tailbone-eval", BlockReason.EXTERNAL),
        ("injection-consult", BlockReason.REFERRAL),
        ("surgical-opinion", BlockReason.REFERRAL),
        ("imaging-review", BlockReason.REFERRAL),
    ],
)
def test_what_patients_never_book_themselves_says_how_it_is_booked(slug, reason):
    assert reasons(seen_for=SEEN_FOR_ALL, intake=WHOLE_INTAKE)[slug] == reason


@pytest.mark.parametrize(
    ("slug", "opener"),
    [
        (slug, opener)
        for slug, entry in CATALOGUE.items()
        if entry["booking_mode"] == "self"
        for opener in entry.get("unlocked_by", [])
    ],
)
def test_a_service_opens_after_a_visit_for_one_that_unlocks_it(slug, opener):
    assert reasons(intake=WHOLE_INTAKE)[slug] == BlockReason.AFTER_A_VISIT
    assert reasons(seen_for=["footwear"], intake=WHOLE_INTAKE)[slug] == BlockReason.AFTER_A_VISIT
    assert reasons(seen_for=[opener], intake=WHOLE_INTAKE)[slug] is None


def test_what_names_no_opener_opens_after_any_visit():
    service = Service(slug="other", booking_mode="self", is_first_visit=False, tags=[])
    facts = {"unlocked_by": [], "restrictions": [], "today": MONDAY}
    assert offer(service, seen_for=[], **facts).block_reason == BlockReason.AFTER_A_VISIT
    assert offer(service, seen_for=[SERVICES["footwear"]], **facts).is_open


def test_chiropractic_waits_for_the_whole_intake():
    assert reasons()["chiro-consult"] == BlockReason.INTAKE
    assert reasons(intake=WHOLE_INTAKE)["chiro-consult"] is None


@pytest.mark.parametrize(
    "answers",
    [
        {"safety_bone": "osteoporosis"},
        {"safety_leg_power": "same"},
        {"med_told": "axspa"},
        {"tx_avoid": "thrust"},
        {"safety_pregnancy": "pregnant", "safety_pregnancy_signs": "none"},
        {"about_birth_date": date(2010, 1, 1)},
    ],
)
def test_chiropractic_is_closed_where_a_thrust_may_harm(answers):
    chiropractic = reasons(seen_for=SEEN_FOR_ALL, intake=WHOLE_INTAKE, **answers)
    assert chiropractic["chiro-consult"] is not None
    assert chiropractic["chiro-adjust"] is not None


@pytest.mark.parametrize(
    ("pain_run", "reason"),
    [(0, None), (5, None), (6, BlockReason.RUNNING_HURTS), (None, BlockReason.RUNNING_HURTS)],
)
def test_gait_analysis_needs_running_to_hurt_five_or_less(pain_run, reason):
    assert reasons(pain_run=pain_run)["gait-analysis"] == reason


@pytest.mark.parametrize(
    ("pregnancy", "regenerative"),
    [
        ("no", None),
        ("pregnant", BlockReason.PREGNANCY),
        ("maybe", BlockReason.PREGNANCY),
        ("prefer-not", BlockReason.PREGNANCY),
        (None, BlockReason.PREGNANCY),
        ("postpartum", None),
    ],
)
def test_regenerative_medicine_is_closed_in_pregnancy(pregnancy, regenerative):
    found = reasons(
        seen_for=SEEN_FOR_ALL,
        intake=WHOLE_INTAKE,
        safety_pregnancy=pregnancy,
        safety_pregnancy_signs="none" if pregnancy in ("pregnant", "maybe") else None,
    )
    assert found["regen-consult"] == regenerative
    assert found["pt-eval"] is None
    assert found["pelvic-health"] is None


@pytest.mark.parametrize(
    ("born", "reason"), [(date(2008, 6, 1), None), (date(2008, 6, 2), BlockReason.MINOR)]
)
def test_a_minor_books_neither_adjustment_nor_regenerative_medicine(born, reason):
    found = reasons(seen_for=SEEN_FOR_ALL, intake=WHOLE_INTAKE, about_birth_date=born)
    assert found["regen-consult"] == reason
    assert found["chiro-adjust"] == reason
    assert found["pt-eval"] is None


def test_with_inflammatory_features_massage_is_not_the_first_visit():
    inflammatory = {
        "onset_duration": "gt-1y",
        "onset_first_age": 28,
        "onset_how": "gradual",
        "onset_better": ["moving"],
        "pain_night": "second-half",
    }
    assert reasons(intake=WHOLE_INTAKE, **inflammatory)["massage"] == BlockReason.EVALUATION_FIRST
    assert reasons(intake=WHOLE_INTAKE, seen_for=["pt-eval"], **inflammatory)["massage"] is None


def test_before_the_gate_only_what_needs_no_answer_is_judged():
    found = {slug: of.block_reason for slug, of in offers(NOTHING_ANSWERED).items()}
    assert {slug for slug, reason in found.items() if reason is None} == FIRST_VISITS
    assert found["chiro-consult"] == BlockReason.INTAKE


@pytest.mark.parametrize(
    ("answers", "slug", "last_day"),
    [
        ({}, "pt-eval", None),
        (SOON, "pt-eval", date(2026, 6, 4)),
        (URGENT, "tele-triage", date(2026, 6, 1)),
        (URGENT, "pt-eval", date(2026, 6, 2)),
        (URGENT, "sports-doc", date(2026, 6, 2)),
        (EMERGENCY, "pt-eval", None),
    ],
)
def test_how_far_ahead_each_level_may_book(answers, slug, last_day):
    restrictions = triage.evaluate(Answers.of(**HEALTHY | answers), today=MONDAY).restrictions
    assert offers(restrictions)[slug].last_day == last_day


@pytest.mark.parametrize(
    ("day", "third"),
    [
        (date(2026, 6, 1), date(2026, 6, 4)),
        (date(2026, 6, 3), date(2026, 6, 8)),
        (date(2026, 6, 5), date(2026, 6, 10)),
        (date(2026, 6, 6), date(2026, 6, 10)),
        (date(2026, 6, 7), date(2026, 6, 10)),
    ],
)
def test_working_days_leave_out_the_weekend(day, third):
    assert working_day_after(day, 3) == third


@pytest.mark.parametrize(
    ("answers", "level"),
    [({}, Level.ROUTINE), (SOON, Level.SOON), (URGENT, Level.URGENT)],
    ids=["routine", "soon", "urgent"],
)
def test_an_offer_carries_the_level_that_reserved_times_go_by(answers, level):
    restrictions = triage.evaluate(Answers.of(**HEALTHY | answers), today=MONDAY).restrictions
    assert {of.level for of in offers(restrictions).values()} == {level}
