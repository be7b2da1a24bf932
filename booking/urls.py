"""Pages of the top floor: home, booking, visits, clinician, demo."""

from django.urls import URLPattern, path

from booking.views import intake

urlpatterns: list[URLPattern] = [
    path("visits/<uuid:visit_id>/intake/", intake.intake, name="intake"),
    path("visits/<uuid:visit_id>/intake/review/", intake.intake_review, name="intake_review"),
    path("visits/<uuid:visit_id>/intake/<int:number>/", intake.intake_page, name="intake_page"),
]
