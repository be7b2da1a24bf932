from django.apps import AppConfig


class BookingConfig(AppConfig):
    name = "booking"
    verbose_name = "Booking"

    def ready(self) -> None:
        from clinic.access import ALL, KEEP, VIEW, allow
        from clinic.models import Role

        allow(
            Role.FRONT_DESK,
            "booking",
            appointment=KEEP,
            statuschange=VIEW,
            service=VIEW,
            room=VIEW,
            openinghours=VIEW,
            closure=KEEP,
            timeoff=KEEP,
        )
        allow(
            Role.MANAGER,
            "booking",
            appointment=VIEW,
            statuschange=VIEW,
            service=ALL,
            room=ALL,
            openinghours=ALL,
            closure=ALL,
            timeoff=ALL,
        )

        from booking import emails
        from clinic import outbox

        for kind, compose in emails.COMPOSERS.items():
            outbox.register(kind, compose)
