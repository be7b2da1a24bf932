"""Pages of the top floor: home, booking, visits, clinician, demo."""

from django.urls import path

from booking.views import clinician

urlpatterns = [
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
]
