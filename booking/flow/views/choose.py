"""Help for people who do not know which visit they need."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from booking.flow.choosing import Situation, suggest
from booking.flow.forms import ChoosingForm
from booking.flow.views.safety import visitor_required
from booking.flow.visitor import BookingVisitor
from clinic import days
from clinic.models import Practice
from clinic.posted import posted
from schedule.models import Service


@visitor_required
@require_http_methods(["GET", "POST"])
def choose(request: HttpRequest, *, visitor: BookingVisitor, practice: Practice) -> HttpResponse:
    """Ask three plain questions and suggest a visit. No answer is stored or put in a URL."""
    form = ChoosingForm(posted(request))
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid():
        offers = visitor.offers(
            Service.objects.filter(is_active=True).prefetch_related("unlocked_by"),
            today=days.local_date(timezone.now(), practice.zone),
        )
        situation = Situation(
            **form.cleaned_data,
            restrictions=visitor.outcome.restrictions if visitor.outcome else frozenset(),
            is_around_pregnancy=visitor.is_around_pregnancy,
            is_known=bool(visitor.seen_for),
        )
        context |= {
            "is_answered": True,
            "suggestion": suggest(situation, offers),
            "is_gate_answered": visitor.outcome is not None,
        }
    return render(request, "booking/flow/choose.html", context)
