"""Pages of the top floor: home, booking, visits, clinician, demo."""

from django.urls import path

from booking.views import clinician, demo_mail, intake, pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("services/", pages.services, name="services"),
    # One visit
    path("visits/<uuid:visit_id>/intake/", intake.intake, name="intake"),
    path("visits/<uuid:visit_id>/intake/review/", intake.intake_review, name="intake_review"),
    path("visits/<uuid:visit_id>/intake/<int:number>/", intake.intake_page, name="intake_page"),
    # The clinician
    path("clinician/", clinician.clinician_day, name="clinician_day"),
    path(
        "clinician/patients/<uuid:patient_id>/",
        clinician.clinician_summary,
        name="clinician_summary",
    ),
    path(
        "clinician/alerts/<uuid:alert_id>/acknowledge/",
        clinician.acknowledge_alert,
        name="acknowledge_alert",
    ),
    # The demo's mail
    path("demo/mail/", demo_mail.demo_mail, name="demo_mail"),
    path("demo/mail/<uuid:message_id>/", demo_mail.demo_mail_message, name="demo_mail_message"),
    path("demo/mail/<uuid:message_id>/body/", demo_mail.demo_mail_body, name="demo_mail_body"),
]
