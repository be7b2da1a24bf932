"""The decision table behind "Help me choose", row by row, and its page."""

import pytest
import time_machine

from booking.flow.choosing import SUGGESTION_RULES, Goal, PainPlace, Seen, Situation, suggest
from booking.flow.eligibility import BlockReason, Offer
from schedule.models import Service
from tests.booking.visitor import SOON, URGENT, Visitor, as_patient, open_clinic
from tests.factories import NOW, SHIPPED_TAGS, make_appointment, make_patient, make_service


def offers(*, locked=()):
    return [
        Offer(Service(slug=slug, tags=tags), BlockReason.STAFF if slug in locked else None, None)
        for slug, tags in SHIPPED_TAGS.items()
    ]


def suggested(*, locked=(), restrictions=(), **situation):
    found = suggest(
        Situation(restrictions=frozenset(restrictions), **situation), offers(locked=locked)
    )
    return found and found.offer.service.slug


@pytest.mark.parametrize(
    ("goal", "place", "seen", "service"),
    [
        ("find-out", "back", "no", "pt-eval"),
        ("find-out", "back", "better", "pt-eval"),
        ("find-out", "back", "not-better", "sports-doc"),
        ("find-out", "leg", "no", "pt-eval"),
        ("find-out", "leg", "not-better", "sports-doc"),
        ("find-out", "tailbone", "no", "tailbone-eval"),
        ("hands-on", "back", "no", "pt-eval"),
        ("hands-on", "back", "better", "massage"),
        ("hands-on", "back", "not-better", "massage"),
        ("hands-on", "nowhere", "no", "massage"),
        ("hands-on", "leg", "better", "pt-eval"),
        ("form", "back", "no", "gait-analysis"),
        ("form", "leg", "no", "pt-eval"),
        ("shoes", "back", "no", "footwear"),
        ("shoes", "nowhere", "no", "footwear"),
        ("fuel", "back", "better", "nutrition"),
        ("second-view", "back", "no", "sports-doc"),
        ("second-view", "tailbone", "no", "tailbone-eval"),
    ],
)
def test_the_table(goal, place, seen, service):
    assert suggested(goal=goal, place=place, seen=seen) == service


@pytest.mark.parametrize(
    ("restrictions", "more", "service"),
    [
        ({"urgent-only"}, {"goal": "shoes"}, "tele-triage"),
        ({"urgent-only"}, {"goal": "find-out"}, "tele-triage"),
        ({"soon-only"}, {"goal": "form"}, "pt-eval"),
        ({"soon-only"}, {"goal": "second-view"}, "sports-doc"),
        (set(), {"goal": "find-out", "is_around_pregnancy": True}, "pelvic-health"),
        (set(), {"goal": "shoes", "is_around_pregnancy": True}, "footwear"),
        (set(), {"goal": "find-out", "seen": "better", "is_known": True}, "progress-check"),
        (set(), {"goal": "hands-on", "seen": "better", "is_known": True}, "manual-therapy"),
    ],
)
def test_what_is_known_already_counts_before_what_is_wished(restrictions, more, service):
    situation = {"place": "back", "seen": "no"} | more
    assert suggested(restrictions=restrictions, **situation) == service


@pytest.mark.parametrize(
    ("locked", "goal", "service"),
    [
        ({"gait-analysis"}, "form", "pt-eval"),
        ({"gait-analysis", "pt-eval"}, "form", "sports-doc"),
        ({"tele-triage"}, "find-out", "pt-eval"),
        (set(SHIPPED_TAGS), "find-out", None),
    ],
)
def test_what_is_not_open_is_not_suggested(locked, goal, service):
    assert suggested(locked=locked, goal=goal, place="back", seen="no") == service


@pytest.mark.parametrize("place", PainPlace.values)
@pytest.mark.parametrize("seen", Seen.values)
@pytest.mark.parametrize("goal", Goal.values)
def test_every_set_of_answers_has_a_suggestion_with_a_reason(goal, place, seen):
    found = suggest(Situation(goal=goal, place=place, seen=seen), offers())
    assert found is not None
    assert str(found.reason)


def test_each_rule_finds_one_service_of_the_catalogue():
    for rule in SUGGESTION_RULES:
        assert sum(rule.tag in tags for tags in SHIPPED_TAGS.values()) == 1, rule.tag


# The page

ANSWERS = {"goal": "find-out", "place": "back", "seen": "no"}


@pytest.fixture
def visitor(db):
    with time_machine.travel(NOW, tick=False):
        visitor = Visitor(open_clinic())
        make_service(slug="sports-doc", name="Doctor visit")
        yield visitor


def ask(visitor, **answers):
    return visitor.client.post("/book/choose/", ANSWERS | answers)


def test_the_page_suggests_a_visit_says_why_and_leads_to_its_times(visitor):
    page = visitor.client.get("/book/choose/")
    assert page.content.decode().count('type="radio"') == 13
    answer = ask(visitor)
    words = answer.content.decode()
    assert "Why:" in words
    assert "The usual first visit" in words
    assert 'href="/book/pt-eval/"' in words
    assert "First comes a one-minute safety check" in words
    assert "no-store" in answer["Cache-Control"]


def test_the_page_speaks_spanish(visitor):
    visitor.client.cookies["lang"] = "es"
    assert "La primera visita habitual" in ask(visitor).content.decode()


def test_the_safety_answers_count(visitor):
    visitor.answer_gate(**SOON)
    assert 'href="/book/pt-eval/"' in ask(visitor, goal="shoes").content.decode()
    visitor.answer_gate(**URGENT)
    words = ask(visitor, goal="shoes").content.decode()
    assert "should be looked at by tomorrow" in words
    assert "one-minute safety check" not in words


def test_what_a_patient_was_seen_for_counts(visitor):
    patient = make_patient()
    make_service(slug="progress-check", name="Progress", is_first_visit=False)
    make_appointment(patient=patient, service=visitor.clinic.service, status="fulfilled")
    as_patient(visitor.client, patient)
    assert 'href="/book/progress-check/"' in ask(visitor, seen="better").content.decode()


def test_an_answer_left_out_is_asked_for(visitor):
    answer = visitor.client.post("/book/choose/", {"goal": "find-out"})
    assert answer.context["form"].errors.keys() == {"place", "seen"}


def test_it_is_linked_from_home_and_from_booking(visitor):
    for path in ("/", "/book/"):
        assert 'href="/book/choose/"' in visitor.client.get(path).content.decode()
