"""Pages on which a patient plans or moves a series, or downloads it as a calendar file."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from booking.appointments import ical
from booking.appointments.models import Appointment
from booking.appointments.status import InvalidTransition
from booking.flow.eligibility import BlockReason, Offer
from booking.flow.views.book import BY_ARRANGEMENT
from booking.flow.views.safety import visitor_required
from booking.flow.visitor import OPEN_VISITS_WITH_SERIES, BookingVisitor
from booking.series import planner
from booking.series.forms import DatesForm, PlanForm, ShiftForm, planned_dates, shifted_dates
from booking.series.models import MIN_VISITS, Series
from booking.series.planning import Reading
from booking.visit_pages.visit import can_move, offer_of, own_visit, visitor_with_latest_triage
from clinic import days
from clinic.models import Location, Patient, Practice
from clinic.posted import posted
from clinic.security.rate_limits import HOLDS_PER_IP, client_ip
from intake.workflow import gate
from schedule.models import Service

A_WEEK = timedelta(weeks=1)


@require_safe
@own_visit
def series_calendar(request: HttpRequest, *, visit: Appointment) -> HttpResponse:
    """One calendar file of all visits of the series that this visit is part of."""
    if visit.series is None:
        raise Http404
    return HttpResponse(
        ical.publish_all(visit.series.not_cancelled().select_related("location")),
        content_type="text/calendar; charset=utf-8; method=PUBLISH",
        headers={"Content-Disposition": 'attachment; filename="visits.ics"'},
    )


@visitor_required
@require_http_methods(["GET", "POST"])
@own_visit
def plan_series(
    request: HttpRequest, *, visit: Appointment, visitor: BookingVisitor, practice: Practice
) -> HttpResponse:
    """Plan visits after this one. The URL's query holds the patient's choices; a POST books."""
    now = timezone.now()
    if first := _of_this_form(request, visit):
        return redirect("visit", first.not_cancelled()[0].pk)
    if not visitor.is_proven:
        # A series takes more time than a first booking: only for people with a proven address.
        return _closed(request, visit, _("To plan visits, open the link in one of our mails."))
    as_answered = visitor_with_latest_triage(visit, visitor=visitor, practice=practice, now=now)
    if as_answered is None:
        return redirect(_gate(visit, "plan_series"))
    offers, lock = _follow_ups(as_answered, practice=practice, now=now)
    if lock:
        return _closed(request, visit, lock.label, can_book=True)
    most = OPEN_VISITS_WITH_SERIES - _coming(visitor.patient, now=now)
    if most < MIN_VISITS:
        return _closed(request, visit, _("You have planned many visits already."))
    today = days.local_date(now, visit.zone)
    wish = PlanForm(
        request.GET or None,
        offers=offers,
        most=most,
        today=today,
        initial=_like(visit, offers, today=today),
    )
    if not wish.is_valid() or "change" in request.GET:
        context = {"visit": visit, "form": wish, "most": most}
        # A POST comes from a valid form: other visits were booked in between.
        status = 409 if request.method == "POST" else 200
        return render(request, "booking/series/plan_series.html", context, status=status)
    return _dates(request, visit, wish, visitor=as_answered, now=now)


def _dates(
    request: HttpRequest,
    visit: Appointment,
    wish: PlanForm,
    *,
    visitor: BookingVisitor,
    now: datetime,
) -> HttpResponse:
    """Show each date with its free times. One button books all, or none and says what changed."""
    chosen, offer = wish.cleaned_data, wish.offer
    place, service = chosen["place"], offer.service
    wanted = wish.days(chosen["who"], place, today=days.local_date(now, place.zone))
    last_day = _last_day(offer, place, now=now)
    readings: list[Reading] = [(day, chosen["at"]) for day in wanted if day <= last_day]

    form = None
    if readings:
        if request.method == "POST":
            HOLDS_PER_IP.hit(client_ip(request), now=now)
        form, series = planner.submit(
            lambda: planned_dates(
                DatesForm,
                posted(request),
                readings,
                service=service,
                practitioner=chosen["who"],
                location=place,
                now=now,
                offer=offer,
            ),
            partial(_book, wish, visitor=visitor, now=now),
        )
        # Or a second request from the same form has just booked these times.
        if first := series or _of_this_form(request, visit):
            return redirect("visit", first.not_cancelled()[0].pk)
    context = {
        "visit": visit,
        "form": form,
        "service": service,
        "practitioner": chosen["who"],
        "location": place,
        "minutes": service.default_duration,
        "too_near": chosen["count"] - len(wanted),
        "too_far": len(wanted) - len(readings),
        "last_day": last_day,
    }
    status = 409 if form is not None and form.errors else 200
    return render(request, "booking/series/plan_dates.html", context, status=status)


def _book(
    wish: PlanForm, form: DatesForm, *, visitor: BookingVisitor, now: datetime
) -> Series | None:
    assert visitor.patient is not None
    patient, chosen = visitor.patient, wish.cleaned_data
    # Incomplete answers decided nothing here, and do not start an intake form.
    response = visitor.response if gate.is_answered(visitor.response, now=now) else None
    with transaction.atomic():
        # The lock makes two simultaneous plans count one after the other.
        Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
        if _coming(patient, now=now) + len(form.chosen) > OPEN_VISITS_WITH_SERIES:
            form.add_error(None, _("These are more visits than can be planned online."))
            return None
        if response is not None:
            gate.attach(response, patient)
        return Series.objects.book(
            patient=patient,
            service=wish.offer.service,
            location=chosen["place"],
            practitioner=chosen["who"],
            starts=list(form.chosen.values()),
            weeks=chosen["weeks"],
            race_on=chosen["race_on"],
            intake_response=response,
            form_key=form.cleaned_data["form_key"],
            level=wish.offer.level,
            now=now,
        )


@visitor_required
@require_http_methods(["GET", "POST"])
@own_visit
def move_following(
    request: HttpRequest, *, visit: Appointment, visitor: BookingVisitor, practice: Practice
) -> HttpResponse:
    """Move this visit and the following ones of its series by the same amount, all or none."""
    now, series = timezone.now(), visit.series
    if series is None:
        raise Http404
    if not can_move(visit, now=now):
        has_moves_left = visit.moves < visit.service.max_moves
        return _closed(request, visit, has_moved_enough=not has_moves_left)
    offer = offer_of(visit, visitor=visitor, practice=practice, now=now)
    if offer is None:
        return redirect(_gate(visit, "move_following"))
    if not offer.is_open:
        return render(
            request, "booking/visit_pages/too_late.html", {"visit": visit, "offer": offer}
        )
    following = list(
        series.from_here_on(visit).select_related("practitioner", "location", "service")
    )
    moving = [each for each in following if can_move(each, now=now)]
    shift = ShiftForm(
        request.GET or None,
        initial={"day": visit.local_start.date(), "at": visit.local_start.time()},
    )
    form = None
    if shift.is_valid():
        becomes = datetime.combine(shift.cleaned_data["day"], shift.cleaned_data["at"])

        def move(form: DatesForm) -> int:
            starts = {moving[number - 1].pk: start for number, start in form.chosen.items()}
            return series.move(starts, now=now, level=offer.level)

        if request.method == "POST":
            HOLDS_PER_IP.hit(client_ip(request), now=now)
        try:
            form, moved = planner.submit(
                lambda: shifted_dates(
                    posted(request),
                    moving,
                    was=visit.local_start,
                    becomes=becomes,
                    offer=offer,
                    now=now,
                ),
                move,
            )
        except InvalidTransition:
            # Moved or cancelled in between, perhaps in another tab: the page shows it.
            return redirect("visit", visit.pk)
        if moved is not None:
            return redirect("visit", visit.pk)
    context = {
        "visit": visit,
        "shift": shift,
        "form": form,
        "staying": [each for each in following if each not in moving],
    }
    status = 409 if form is not None and form.errors else 200
    return render(request, "booking/series/move_following.html", context, status=status)


def _of_this_form(request: HttpRequest, visit: Appointment) -> Series | None:
    """Return the series this form booked already, unless all of it was cancelled."""
    key = request.POST.get("form_key")
    series = Series.objects.filter(patient=visit.patient_id, form_key=key).first() if key else None
    return series if series and series.not_cancelled().exists() else None


def _follow_ups(
    visitor: BookingVisitor, *, practice: Practice, now: datetime
) -> tuple[list[Offer], BlockReason | None]:
    """Return what can be planned after a visit; if nothing can, also the reason."""
    offers = visitor.offers(
        Service.objects.filter(is_active=True, is_first_visit=False).prefetch_related(
            "unlocked_by"
        ),
        today=days.local_date(now, practice.zone),
    )
    found = [offer for offer in offers if offer.is_open]
    reasons = (offer.block_reason for offer in offers if offer.block_reason not in BY_ARRANGEMENT)
    return found, None if found else next(filter(None, reasons), BlockReason.STAFF)


def _like(visit: Appointment, offers: Sequence[Offer], *, today: date) -> dict[str, object]:
    """Return initial values: the same visit, or another with the same person, a week later."""
    rows = Service.practitioners.through.objects.filter(practitioner=visit.practitioner_id)
    theirs = set(rows.values_list("service", flat=True))

    def unlikeness(offer: Offer) -> tuple[bool, bool]:
        return offer.service.pk != visit.service_id, offer.service.pk not in theirs

    same = min(offers, key=unlikeness)
    return {
        "service": same.service,
        "who": visit.practitioner,
        "place": visit.location,
        "day": max(visit.local_start.date(), today) + A_WEEK,
        "at": visit.local_start.time(),
    }


def _last_day(offer: Offer, place: Location, *, now: datetime) -> date:
    """Return the last day, at the place, on which this offer can be booked."""
    horizon = days.local_date(offer.service.bookable_between(now)[1], place.zone)
    return min(horizon, offer.last_day or horizon)


def _coming(patient: Patient | None, *, now: datetime) -> int:
    return Appointment.objects.coming(now=now).filter(patient=patient).count()


def _gate(visit: Appointment, page: str) -> str:
    return reverse("safety", query={"visit": visit.pk, "page": page})


def _closed(
    request: HttpRequest, visit: Appointment, reason: object = "", **context: object
) -> HttpResponse:
    context |= {"visit": visit, "reason": reason}
    return render(request, "booking/visit_pages/too_late.html", context, status=409)
