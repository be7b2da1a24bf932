"""Monthly counts of each rule, for the people responsible for the rules: a page and CSV."""

import csv
from datetime import date, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clinic.context import practice_of
from clinic.models import Role
from clinic.security.access import StaffRequest, staff_required
from intake.rules.findings import RULE_SET_VERSION
from intake.workflow import rule_counts as counts


@require_safe
@staff_required(Role.CLINICIAN, Role.MANAGER)
def rule_counts(request: StaffRequest) -> HttpResponse:
    month = _month_asked_for(request)
    lines, forms = counts.of_month(month, zone=practice_of(request).zone)
    return render(
        request,
        "desk/clinician/rule_counts.html",
        {
            "month": month,
            "month_before": (month - timedelta(days=1)).replace(day=1),
            "month_after": (month + timedelta(days=32)).replace(day=1),
            "lines": [line for line in lines if line.fired or line.alerted],
            "quiet": [line.id for line in lines if not line.fired and not line.alerted],
            "forms": forms,
            "version": RULE_SET_VERSION,
        },
    )


@require_safe
@staff_required(Role.CLINICIAN, Role.MANAGER)
def rule_counts_csv(request: StaffRequest) -> HttpResponse:
    month = _month_asked_for(request)
    lines, _forms = counts.of_month(month, zone=practice_of(request).zone)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rules-{month:%Y-%m}.csv"'
    writer = csv.writer(response)
    writer.writerow(
        [
            _("Month"),
            _("Rule"),
            _("What"),
            _("Importance"),
            _("Forms in which it held"),
            _("Reviewed"),
            _("Level accepted"),
            _("Level lowered"),
            _("Alerts"),
        ]
    )
    for line in lines:
        row = [
            f"{month:%Y-%m}",
            line.id,
            line.text,
            line.importance,
            line.fired,
            line.reviewed,
            line.accepted,
            line.lowered,
            line.alerted,
        ]
        writer.writerow([_cell(value) for value in row])
    return response


def _cell(value: object) -> object:
    """Return the value so that spreadsheets do not read text as a formula."""
    return f"'{value}" if str(value).startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _month_asked_for(request: HttpRequest) -> date:
    today = timezone.now().astimezone(practice_of(request).zone).date()
    try:
        month = date.fromisoformat(f"{request.GET.get('month', '')}-01")
    except ValueError:
        return today.replace(day=1)
    return month if 2000 <= month.year < 2100 else today.replace(day=1)
