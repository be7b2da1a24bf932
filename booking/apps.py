from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class BookingConfig(AppConfig):
    default = True
    name = "booking"
    verbose_name = _("Booking")

    def ready(self) -> None:
        from booking import daily_sheet, emails, guards, waitlist_emails, waitlist_samples
        from booking.mail_samples import SAMPLES
        from booking.waitlist_wordings import WORDINGS as WAITLIST_WORDINGS
        from booking.wordings import WORDINGS
        from clinic import outbox, wordings
        from clinic.access import ALL, CHANGE, KEEP, VIEW, allow
        from clinic.models import Role

        allow(
            Role.FRONT_DESK,
            "booking",
            appointment=KEEP,
            statuschange=VIEW,
            service=VIEW,
            room=VIEW,
            equipment=VIEW,
            resourcehours=VIEW,
            openinghours=VIEW,
            extrahours=KEEP,
            reservedtime=VIEW,
            visitlimit=VIEW,
            closure=KEEP,
            timeoff=KEEP,
            waitlistentry=KEEP,
            waitlistoffer=VIEW,
            series=KEEP,
            **{"break": VIEW},
        )
        allow(
            Role.MANAGER,
            "booking",
            appointment=VIEW,
            statuschange=VIEW,
            service=ALL,
            room=ALL,
            calendarfeed=CHANGE,
            equipment=ALL,
            resourcehours=ALL,
            openinghours=ALL,
            extrahours=ALL,
            reservedtime=ALL,
            visitlimit=ALL,
            closure=ALL,
            timeoff=ALL,
            waitlistentry=VIEW,
            waitlistoffer=VIEW,
            series=VIEW,
            **{"break": ALL},
        )

        for kind, compose in (emails.COMPOSERS | waitlist_emails.COMPOSERS).items():
            outbox.register(kind, compose, read=emails.READERS.get(kind))
        outbox.register(daily_sheet.DAILY_SHEET, daily_sheet.compose)
        wordings.register(daily_sheet.WORDING, sample=daily_sheet.sample)
        samples = SAMPLES | waitlist_samples.SAMPLES
        for wording in [*WORDINGS, *WAITLIST_WORDINGS]:
            wordings.register(wording, sample=samples[wording.kind])

        post_migrate.connect(guards.restore, sender=self)


class FrontDeskConfig(admin_apps.AdminConfig):
    """The stock admin, with a home page of today's counts and allauth's sign-in."""

    default = False
    default_site = "booking.site.FrontDeskSite"
