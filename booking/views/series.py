"""The visits of one series, for the patient who has them."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from booking import ical
from booking.models import Appointment
from booking.views.visits import own_visit


@require_safe
@own_visit
def series_calendar(request: HttpRequest, *, visit: Appointment) -> HttpResponse:
    """One calendar file of all visits of the series that this visit is part of."""
    if visit.series is None:
        raise Http404
    return HttpResponse(
        ical.publish_all(visit.series.standing().select_related("location")),
        content_type="text/calendar; charset=utf-8; method=PUBLISH",
        headers={"Content-Disposition": 'attachment; filename="visits.ics"'},
    )
