from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class DeskConfig(AppConfig):
    default = True
    name = "desk"
    verbose_name = _("Front desk")

    def ready(self) -> None:
        from clinic.mail import outbox, samples
        from clinic.models import Role
        from clinic.security.access import CHANGE, allow
        from desk import daily_sheet

        allow(Role.MANAGER, "desk", calendarfeed=CHANGE)
        outbox.register(daily_sheet.DAILY_SHEET, daily_sheet.compose)
        samples.register(daily_sheet.WORDING, sample=daily_sheet.sample)


class FrontDeskConfig(admin_apps.AdminConfig):
    """Django's admin, with a home page of today's counts and allauth's sign-in."""

    default = False
    default_site = "desk.admin_site.FrontDeskSite"
