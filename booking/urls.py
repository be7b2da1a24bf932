"""Pages of the top floor: home, booking, visits, clinician, demo."""

from django.urls import path

from booking.views import (
    alerts,
    between_visits,
    birth_date,
    booking,
    choose,
    clinician,
    clinician_answers,
    confirm,
    corrections,
    decisions,
    demo,
    demo_mail,
    details,
    emergency_access,
    feeds,
    intake,
    mails,
    my_visits,
    pages,
    rule_counts,
    safety,
    staff,
    visits,
)

urlpatterns = [
    path("", pages.home, name="home"),
    path("services/", pages.services, name="services"),
    # Booking
    path("book/", booking.book, name="book"),
    path("book/safety/", safety.safety, name="safety"),
    path("book/safety/emergency/", safety.emergency, name="emergency"),
    path("book/safety/callback/", safety.callback, name="callback"),
    path("book/safety/no-time/", safety.no_time, name="no_time"),
    path("book/safety/result/", safety.safety_result, name="safety_result"),
    path("book/choose/", choose.choose, name="choose"),
    path("book/confirm/", confirm.confirm_address, name="confirm_address"),
    path("book/confirm/<str:token>/", confirm.confirm_booking, name="confirm_booking"),
    path("book/<slug:slug>/", booking.slots, name="slots"),
    path("book/<slug:slug>/details/", details.details, name="details"),
    # One visit, by link
    path("visits/<uuid:visit_id>/", visits.visit, name="visit"),
    path("visits/<uuid:visit_id>/confirm/", visits.confirm_visit, name="confirm_visit"),
    path("visits/<uuid:visit_id>/move/", visits.move_visit, name="move_visit"),
    path("visits/<uuid:visit_id>/cancel/", visits.cancel_visit, name="cancel_visit"),
    path("visits/<uuid:visit_id>/undo/", visits.undo_change, name="undo_change"),
    path("visits/<uuid:visit_id>/calendar.ics", visits.visit_calendar, name="visit_calendar"),
    path("visits/<uuid:visit_id>/mails/", mails.visit_mails, name="visit_mails"),
    path("visits/<uuid:visit_id>/intake/", intake.intake, name="intake"),
    path(
        "visits/<uuid:visit_id>/intake/birth-date/",
        birth_date.intake_birth_date,
        name="intake_birth_date",
    ),
    path(
        "visits/<uuid:visit_id>/intake/agreement/",
        intake.intake_agreement,
        name="intake_agreement",
    ),
    path("visits/<uuid:visit_id>/intake/correct/", intake.intake_correct, name="intake_correct"),
    path("visits/<uuid:visit_id>/intake/review/", intake.intake_review, name="intake_review"),
    path("visits/<uuid:visit_id>/intake/<int:number>/", intake.intake_page, name="intake_page"),
    path("visits/<uuid:visit_id>/check/", between_visits.rescreen, name="rescreen"),
    path("visits/<uuid:visit_id>/week/", between_visits.check_in, name="check_in"),
    path("my-visits/", my_visits.my_visits, name="my_visits"),
    # The clinician
    path("clinician/", clinician.clinician_day, name="clinician_day"),
    path("clinician/emergency/", emergency_access.open_in_emergency, name="open_in_emergency"),
    path(
        "clinician/patients/<uuid:patient_id>/",
        clinician.clinician_summary,
        name="clinician_summary",
    ),
    path("clinician/patients/<uuid:patient_id>/notes/", decisions.write_note, name="write_note"),
    path(
        "clinician/answers/<uuid:response_id>/",
        clinician_answers.clinician_answers,
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
    # The demo: become each role, read every mail
    path("demo/", demo.demo, name="demo"),
    path("demo/mail/", demo_mail.demo_mail, name="demo_mail"),
    path("demo/mail/<uuid:message_id>/", demo_mail.demo_mail_message, name="demo_mail_message"),
    path("demo/mail/<uuid:message_id>/body/", demo_mail.demo_mail_body, name="demo_mail_body"),
]
