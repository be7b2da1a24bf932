from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ScheduleConfig(AppConfig):
    name = "schedule"
    verbose_name = _("Schedule")

    def ready(self) -> None:
        from clinic.models import Role
        from clinic.security.access import ALL, KEEP, VIEW, allow

        # Imported to register its deploy check.
        from schedule import (
            checks,  # noqa: F401
            rules_triggers,
        )

        allow(
            Role.FRONT_DESK,
            "schedule",
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
            **{"break": VIEW},
        )
        allow(
            Role.MANAGER,
            "schedule",
            service=ALL,
            room=ALL,
            equipment=ALL,
            resourcehours=ALL,
            openinghours=ALL,
            extrahours=ALL,
            reservedtime=ALL,
            visitlimit=ALL,
            closure=ALL,
            timeoff=ALL,
            **{"break": ALL},
        )

        post_migrate.connect(rules_triggers.restore, sender=self)
