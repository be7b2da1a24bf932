"""Pages of the top floor: home, booking, visits, clinician, demo."""

from django.urls import path

from booking.views import pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("services/", pages.services, name="services"),
]
