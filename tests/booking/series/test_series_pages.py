"""A patient plans visits of their own after one, and moves the rest of a series."""

from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.http import HttpResponse

from booking.models import Appointment, Series
from booking.series.views import OPEN_VISITS_WITH_SERIES
from clinic.models import Message
from clinic.security.access import set_grant_cookie
from intake.models import QuestionnaireResponse
from tests import factories as make
from tests.booking.appointments.test_contention import at_once
from tests.booking.visitor import EMERGENCY, HEALTHY, URGENT, Visitor, open_clinic
from tests.factories import NOW

pytestmark = pytest.mark.django_db

AUSTIN = ZoneInfo("America/Chicago")
TUESDAY = date(2026, 6, 9)
A_WEEK = timedelta(weeks=1)
Status = Appointment.Status


def at(day, hour=9, minute=0):
    return datetime.combine(day, time(hour, minute), AUSTIN).astimezone(UTC)


class Known:
    """Somebody seen for a first visit, who follows a mailed link; follow-ups last an hour."""

    def __init__(self, client, *, is_mailed=True, **service):
        self.clinic = open_clinic()
        self.followup = make.make_service(
            slug="pt-followup",
            practitioners=self.clinic.practitioners,
            is_first_visit=False,
            **{"horizon_days": 60} | service,
        )
        self.client = client
        self.patient = make.make_patient()
        self.seen = make.make_appointment(
            patient=self.patient,
            service=self.clinic.service,
            practitioner=self.clinic.practitioners[0],
            location=self.clinic.location,
            start=NOW - timedelta(days=7),
            status=Status.FULFILLED,
        )
        self.message = make.make_message(patient=self.patient) if is_mailed else None
        self.follow_link()
        self.answer_gate()

    def follow_link(self):
        """Open the mailed link; without a message, what a booking's own browser is given."""
        jar = HttpResponse()
        set_grant_cookie(jar, make.make_link(patient=self.patient, message=self.message))
        self.client.cookies.update(jar.cookies)

    def answer_gate(self, **answers):
        return Visitor(self.clinic, client=self.client).answer_gate(**answers)

    @property
    def page(self):
        return f"/visits/{self.seen.pk}/series/"

    def wish(self, **changes):
        return {
            "service": self.followup.slug,
            "who": self.clinic.practitioners[0].public_id,
            "place": self.clinic.location.slug,
            "day": TUESDAY.isoformat(),
            "at": "09:00",
            "count": 3,
            "weeks": 1,
            "race_on": "",
        } | changes

    def dates(self, **changes):
        return f"{self.page}?{urlencode(self.wish(**changes))}"

    def book(self, page=None, **changes):
        page = page or self.dates()
        return self.client.post(page, choices(self.client.get(page), **changes))


def choices(response, **changes):
    """What the page posts when nothing but ``changes`` is touched."""
    form = response.context["form"]
    posted = {field.html_name: field.value() or "" for _visit, field in form.visits}
    return posted | {"form_key": form["form_key"].value()} | changes


@pytest.fixture(autouse=True)
def now(time_machine):
    time_machine.move_to(NOW, tick=False)
    return NOW


@pytest.fixture
def known(client):
    return Known(client)


def starts_of(series):
    return [visit.start for visit in series.not_cancelled()]


def test_the_way_leads_from_a_visit_over_the_dates_to_the_first_of_them(known):
    assert known.page in known.client.get(f"/visits/{known.seen.pk}/").content.decode()
    shown = known.client.get(known.page)
    form = shown.context["form"]
    assert form["service"].value() == "pt-followup"
    assert form.initial["at"] == known.seen.local_start.time()
    answer = known.book()
    series = Series.objects.get()
    assert starts_of(series) == [at(TUESDAY), at(TUESDAY + A_WEEK), at(TUESDAY + 2 * A_WEEK)]
    assert answer["Location"] == f"/visits/{series.not_cancelled()[0].pk}/"
    assert {visit.created_by for visit in series.not_cancelled()} == {None}
    assert series.created_by is None
    page = known.client.get(answer["Location"]).content.decode()
    assert "Visit 1 of 3" in page


def test_one_mail_tells_of_them_all(known):
    known.book()
    news = Message.objects.about(Series.objects.get())
    assert [message.kind for message in news] == ["series"]
    visits = [visit.pk for visit in Series.objects.get().not_cancelled()]
    assert not Message.objects.filter(subject_id__in=visits, kind="confirmation").exists()


def test_nothing_is_written_by_looking(known):
    before = Appointment.objects.count(), Series.objects.count(), Message.objects.count()
    assert known.client.get(known.dates()).status_code == 200
    assert (Appointment.objects.count(), Series.objects.count(), Message.objects.count()) == before


def test_a_clash_is_shown_with_other_times_and_keeps_all_from_being_booked(known):
    practitioner = known.clinic.practitioners[0]
    make.make_appointment(practitioner=practitioner, start=at(TUESDAY, 9, 30))
    shown = known.client.get(known.dates())
    first, second, _third = (visit for visit, _field in shown.context["form"].visits)
    assert (first.is_free, second.is_free) == (False, True)
    assert at(TUESDAY, 8, 30) in first.alternatives
    assert "not free" in shown.content.decode()
    refused = known.book()
    assert refused.status_code == 409
    assert "choose another one" in refused.content.decode()
    assert not Series.objects.exists()
    known.book(start_1=at(TUESDAY, 8, 30).isoformat())
    assert starts_of(Series.objects.get())[0] == at(TUESDAY, 8, 30)


def test_a_time_taken_meanwhile_is_said_with_the_other_choices_kept(known):
    page = known.dates()
    posted = choices(known.client.get(page), start_3="out")
    make.make_appointment(practitioner=known.clinic.practitioners[0], start=at(TUESDAY))
    answer = known.client.post(page, posted)
    assert answer.status_code == 409
    form = answer.context["form"]
    assert list(form.errors) == ["start_1"]
    assert form["start_3"].value() == "out"
    assert not Series.objects.exists()


def test_a_form_sent_twice_books_once(known):
    page = known.dates()
    posted = choices(known.client.get(page))
    answers = {known.client.post(page, posted)["Location"] for _ in range(2)}
    assert len(answers) == Series.objects.count() == 1


def test_the_form_of_another_patients_series_leads_nobody_to_it(known):
    other = make.make_patient()
    key = "k" * 32
    make_series = known.clinic.book(start=at(TUESDAY, 14), patient=other)
    series = Series.objects.create(
        patient=other, service=known.followup, created_at=NOW, form_key=key
    )
    Appointment.objects.filter(pk=make_series.pk).update(series=series)
    page = known.dates()
    posted = choices(known.client.get(page)) | {"form_key": key}
    assert known.client.post(page, posted).status_code == 409
    assert list(Series.objects.all()) == [series]


def test_a_patient_is_held_to_notice_and_horizon(client):
    known = Known(client, horizon_days=20, min_notice_minutes=60 * 24 * 10)
    shown = known.client.get(known.dates(count=4))
    planned = [visit for visit, _field in shown.context["form"].visits]
    # 9 and 16 June; the latter lies beyond notice, the others beyond the horizon, 21 June.
    assert [visit.is_free for visit in planned] == [False, True]
    assert shown.context["too_far"] == 2
    assert "as far as you can book online" in shown.content.decode()


def test_dates_that_all_lie_too_far_say_so(known):
    shown = known.client.get(known.dates(day="2027-06-08"))
    assert shown.context["form"] is None
    assert "None of these dates can be booked online" in shown.content.decode()
    assert known.client.post(known.dates(day="2027-06-08"), {"form_key": "k"}).status_code == 200


def test_it_is_planned_back_from_a_race(known):
    page = known.dates(race_on="2026-06-28", count=6, day="2026-06-01")
    shown = known.client.get(page)
    days = [visit.wall.date() for visit, _field in shown.context["form"].visits]
    assert days == [date(2026, 6, day) for day in (2, 9, 16, 23)]
    assert shown.context["too_near"] == 2
    known.book(page)
    assert Series.objects.get().race_on == date(2026, 6, 28)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"day": "2026-05-01"}, "day"),
        ({"day": "soon"}, "day"),
        ({"count": 7}, "count"),
        ({"count": 1}, "count"),
        ({"weeks": 0}, "weeks"),
        ({"service": "pt-eval"}, "service"),
        ({"who": "nobody"}, "who"),
        ({"place": "nowhere"}, "place"),
        ({"at": "25:00"}, "at"),
    ],
)
def test_a_wish_that_cannot_be_is_said_beside_its_field(known, changes, field):
    shown = known.client.get(known.dates(**changes))
    assert shown.status_code == 200
    assert field in shown.context["form"].errors
    assert shown.context["form"]["weeks"].value() == str(changes.get("weeks", 1))


def test_somebody_else_who_does_not_offer_it_or_works_elsewhere_is_refused(known):
    other = make.make_practitioner(locations=[make.make_location()])
    make.make_service(slug="load-plan", practitioners=[other], is_first_visit=False)
    errors = known.client.get(known.dates(who=other.public_id)).context["form"].errors
    assert set(errors) == {"who", "place"}


def test_no_more_than_six_visits_lie_ahead(known):
    for number in range(4):
        make.make_appointment(patient=known.patient, start=NOW + timedelta(days=30 + number))
    assert known.client.get(known.page).context["most"] == 2
    make.make_appointment(patient=known.patient, start=NOW + timedelta(days=40))
    full = known.client.get(known.page)
    assert full.status_code == 409
    assert "many visits already" in full.content.decode()


def test_visits_booked_meanwhile_count_too(known):
    page = known.dates(count=6)
    posted = choices(known.client.get(page))
    make.make_appointment(patient=known.patient, start=NOW + timedelta(days=50))
    answer = known.client.post(page.replace("count=6", "count=5"), posted | {"start_6": "out"})
    assert answer.status_code == 302
    assert Appointment.objects.coming(now=NOW).filter(patient=known.patient).count() == 6
    again = known.client.post(page.replace("count=6", "count=2"), posted | {"form_key": "other"})
    assert again.status_code == 409
    assert Series.objects.count() == 1


def test_a_plan_that_is_too_large_by_now_is_refused_with_the_wish_kept(known):
    page = known.dates(count=4)
    posted = choices(known.client.get(page))
    for number in range(4):
        make.make_appointment(patient=known.patient, start=NOW + timedelta(days=50 + number))
    answer = known.client.post(page, posted)
    assert answer.status_code == 409
    assert list(answer.context["form"].errors) == ["count"]
    assert not Series.objects.exists()


def test_planning_it_another_way_keeps_what_was_wished_for(known):
    page = known.dates(count=4, weeks=2)
    assert "change=1" in known.client.get(page).content.decode()
    form = known.client.get(f"{page}&change=1").context["form"]
    assert (form["count"].value(), form["weeks"].value()) == ("4", "2")


def test_answers_left_halfway_become_nobodys(known, time_machine):
    QuestionnaireResponse.objects.update(patient=known.patient, visitor_hash="")
    Appointment.objects.filter(pk=known.seen.pk).update(
        intake_response=QuestionnaireResponse.objects.get()
    )
    time_machine.move_to(NOW + timedelta(days=2), tick=False)
    known.follow_link()
    known.answer_gate(safety_bone=None)
    half = QuestionnaireResponse.objects.get(patient=None)
    assert known.book().status_code == 302
    half.refresh_from_db()
    assert half.patient is None
    assert {visit.intake_response for visit in Series.objects.get().not_cancelled()} == {None}


def posted_at_once(client, pages, posts):
    def book(number):
        browser = client.__class__()
        browser.cookies = client.cookies
        return browser.post(pages[number], posts[number])

    return at_once(len(pages), book)


@pytest.mark.django_db(transaction=True)
def test_two_plans_sent_at_once_do_not_pass_the_six(client):
    known = Known(client)
    pages = [known.dates(count=4), known.dates(count=4, day="2026-06-10")]
    posts = [choices(client.get(page)) for page in pages]
    answers = posted_at_once(client, pages, posts)
    assert sorted(answer.status_code for answer in answers) == [302, 409]
    ahead = Appointment.objects.coming(now=NOW).filter(patient=known.patient).count()
    assert ahead == 4 <= OPEN_VISITS_WITH_SERIES


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [2, 5])
def test_a_double_click_books_once_and_shows_it(client, count):
    known = Known(client)
    page = known.dates(count=count)
    posted = choices(client.get(page))
    answers = posted_at_once(client, [page] * 4, [posted] * 4)
    first = Series.objects.get().not_cancelled()[0]
    assert [answer["Location"] for answer in answers] == [f"/visits/{first.pk}/"] * 4


def test_the_grant_of_a_booking_alone_opens_no_plan(client):
    known = Known(client, is_mailed=False)
    answer = known.client.get(known.dates())
    assert answer.status_code == 409
    assert "open the link in one of our mails" in answer.content.decode()
    known.client.post(known.dates(), {"form_key": "k", "start_1": at(TUESDAY).isoformat()})
    assert not Series.objects.exists()


def test_nobody_plans_after_somebody_elses_visit(known):
    other = make.make_appointment(status=Status.FULFILLED, start=NOW - timedelta(days=3))
    assert known.client.get(f"/visits/{other.pk}/series/").status_code == 404
    assert known.client.post(f"/visits/{other.pk}/series/").status_code == 404


def test_without_a_visit_that_took_place_it_is_not_open_yet(known):
    Appointment.objects.filter(pk=known.seen.pk).update(status=Status.BOOKED)
    answer = known.client.get(known.page)
    assert answer.status_code == 409
    assert "Opens after a first visit" in answer.content.decode()
    assert known.page not in known.client.get(f"/visits/{known.seen.pk}/").content.decode()


def test_an_emergency_shuts_it(known):
    known.answer_gate(**EMERGENCY)
    assert known.client.get(known.dates())["Location"] == "/book/safety/emergency/"


def test_an_urgent_answer_shuts_it(known):
    known.answer_gate(**URGENT)
    assert "checked today" in known.client.get(known.dates()).content.decode()


def test_old_answers_are_asked_again_and_the_way_leads_back(known, time_machine):
    time_machine.move_to(NOW + timedelta(days=2), tick=False)
    known.follow_link()
    gate = known.client.get(known.page)["Location"]
    assert gate == f"/book/safety/?visit={known.seen.pk}&page=plan_series"
    assert known.client.post(gate, HEALTHY)["Location"] == known.page


def test_it_speaks_spanish(known, settings):
    known.client.cookies[settings.LANGUAGE_COOKIE_NAME] = "es"
    page = known.client.get(known.page).content.decode()
    assert "Planear citas de seguimiento" in page
    dates = known.client.get(known.dates(count=3)).content.decode()
    assert "Otra hora" in dates


@pytest.fixture
def series(known):
    known.book()
    return Series.objects.get()


def move_page(visit, **where):
    page = f"/visits/{visit.pk}/move-following/"
    return f"{page}?{urlencode(where)}" if where else page


def test_this_and_the_following_move_by_as_much_with_clashes_shown_first(known, series):
    first, second, third = series.not_cancelled()
    for visit, is_offered in ((first, True), (third, False)):
        page = known.client.get(f"/visits/{visit.pk}/").content.decode()
        assert (move_page(visit) in page) == is_offered
    make.make_appointment(
        practitioner=known.clinic.practitioners[0], start=at(TUESDAY + timedelta(days=15), 14)
    )
    assert known.client.get(move_page(second)).context["form"] is None
    page = move_page(second, day="2026-06-17", at="14:00")
    shown = known.client.get(page)
    planned = [visit for visit, _field in shown.context["form"].visits]
    assert [visit.is_free for visit in planned] == [True, False]
    assert known.client.post(page, choices(shown)).status_code == 409
    answer = known.client.post(page, choices(shown, start_2=at(date(2026, 6, 24), 15).isoformat()))
    assert answer["Location"] == f"/visits/{second.pk}/"
    assert starts_of(series) == [
        at(TUESDAY),
        at(date(2026, 6, 17), 14),
        at(date(2026, 6, 24), 15),
    ]
    assert [visit.moves for visit in series.not_cancelled()] == [0, 1, 1]


def test_a_visit_that_moved_enough_stays_and_says_so(known, series):
    second = series.not_cancelled()[1]
    Appointment.objects.filter(pk=second.pk).update(moves=second.service.max_moves)
    first = series.not_cancelled()[0]
    page = move_page(first, day="2026-06-10", at="09:00")
    shown = known.client.get(page)
    assert [visit.pk for visit in shown.context["staying"]] == [second.pk]
    assert "cannot be moved online any more" in shown.content.decode()
    known.client.post(page, choices(shown))
    assert starts_of(series) == [
        at(date(2026, 6, 10)),
        at(TUESDAY + A_WEEK),
        at(date(2026, 6, 24)),
    ]


def test_within_the_cut_off_the_desk_moves_it(known, series, time_machine):
    first = series.not_cancelled()[0]
    time_machine.move_to(first.start - timedelta(minutes=30), tick=False)
    known.follow_link()
    assert known.client.get(move_page(first)).status_code == 409


def test_when_one_cannot_move_none_does(known, series):
    first, second, third = series.not_cancelled()
    page = move_page(first, day="2026-06-10", at="09:00")
    posted = choices(known.client.get(page))
    second.cancel(now=NOW)
    before = starts_of(series)
    known.client.post(page, posted)
    assert starts_of(series) == before
    assert third.start in before


def test_a_move_keeps_to_the_wall_clock_when_the_clocks_change(client, time_machine):
    time_machine.move_to(datetime(2026, 10, 13, 13, tzinfo=UTC), tick=False)
    known = Known(client)
    known.book(known.dates(day="2026-10-20"))
    series = Series.objects.get()
    page = move_page(series.not_cancelled()[0], day="2026-10-21", at="10:00")
    known.client.post(page, choices(known.client.get(page)))
    moved = [
        (visit.local_start.date().day, visit.local_start.hour) for visit in series.not_cancelled()
    ]
    assert moved == [(21, 10), (28, 10), (4, 10)]
    assert [visit.start.hour for visit in series.not_cancelled()] == [15, 15, 16]


def test_a_visit_of_no_series_has_no_following(known):
    assert known.client.get(move_page(known.seen)).status_code == 404
