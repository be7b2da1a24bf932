from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class BookingConfig(AppConfig):
    name = "booking"
    verbose_name = _("Booking")

    def ready(self) -> None:
        from booking.appointments import guards
        from booking.mails import visit_mails
        from booking.mails.samples import SAMPLES
        from booking.mails.wordings import WORDINGS
        from booking.waitlist import mails as waitlist_mails
        from booking.waitlist import samples as waitlist_samples
        from booking.waitlist.wordings import WORDINGS as WAITLIST_WORDINGS
        from clinic.mail import outbox, samples
        from clinic.models import Role
        from clinic.security.access import KEEP, VIEW, allow

        allow(
            Role.FRONT_DESK,
            "booking",
            appointment=KEEP,
            statuschange=VIEW,
            waitlistentry=KEEP,
            waitlistoffer=VIEW,
            series=KEEP,
        )
        allow(
            Role.MANAGER,
            "booking",
            appointment=VIEW,
            statuschange=VIEW,
            waitlistentry=VIEW,
            waitlistoffer=VIEW,
            series=VIEW,
        )

        for kind, compose in (visit_mails.COMPOSERS | waitlist_mails.COMPOSERS).items():
            outbox.register(kind, compose)
        shipped = SAMPLES | waitlist_samples.SAMPLES
        for wording in [*WORDINGS, *WAITLIST_WORDINGS]:
            samples.register(wording, sample=shipped[wording.kind])

        post_migrate.connect(guards.restore, sender=self)
