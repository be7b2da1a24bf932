from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class BookingConfig(AppConfig):
    name = "booking"
    verbose_name = "Booking"


class FrontDeskConfig(AdminConfig):
    """The stock admin, with a home page of today's counts and allauth's sign-in."""

    default_site = "booking.admin.site.FrontDeskSite"
