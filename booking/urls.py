"""Pages of the top floor: home, booking, visits, clinician, demo."""

from django.urls import path

from booking.views import intake, pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("services/", pages.services, name="services"),
    # One visit
    path("visits/<uuid:visit_id>/intake/", intake.intake, name="intake"),
    path("visits/<uuid:visit_id>/intake/review/", intake.intake_review, name="intake_review"),
    path("visits/<uuid:visit_id>/intake/<int:number>/", intake.intake_page, name="intake_page"),
]
