"""URLs of staff pages: the clinician's day, alerts, rules, calendar feeds."""

from django.urls import path

from desk.clinician import answers, corrections, day_and_summary, decisions, emergency_access
from desk.views import alerts, feeds, rule_counts, staff

urlpatterns = [
    # The clinician
    path("clinician/", day_and_summary.clinician_day, name="clinician_day"),
    path("clinician/emergency/", emergency_access.open_in_emergency, name="open_in_emergency"),
    path(
        "clinician/patients/<uuid:patient_id>/",
        day_and_summary.clinician_summary,
        name="clinician_summary",
    ),
    path("clinician/patients/<uuid:patient_id>/notes/", decisions.write_note, name="write_note"),
    path(
        "clinician/answers/<uuid:response_id>/",
        answers.clinician_answers,
        name="clinician_answers",
    ),
    path("clinician/answers/<uuid:response_id>/lower/", decisions.lower_level, name="lower_level"),
    path(
        "clinician/answers/<uuid:response_id>/review/",
        decisions.mark_reviewed,
        name="mark_reviewed",
    ),
    path(
        "clinician/answers/<uuid:response_id>/versions/<int:number>/",
        corrections.earlier_answers,
        name="earlier_answers",
    ),
    # Staff
    path("staff/rules/", rule_counts.rule_counts, name="rule_counts"),
    path("staff/rules.csv", rule_counts.rule_counts_csv, name="rule_counts_csv"),
    path("staff/alerts/", alerts.alerts, name="alerts"),
    path(
        "staff/alerts/<uuid:alert_id>/acknowledge/",
        alerts.acknowledge_alert,
        name="acknowledge_alert",
    ),
    path("clinician/calendar/", feeds.calendar_feed, name="calendar_feed"),
    # Calendar programs
    path("feeds/<str:token>.ics", feeds.practitioner_feed, name="practitioner_feed"),
    path("staff/", staff.staff_home, name="staff_home"),
]
