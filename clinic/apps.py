from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClinicConfig(AppConfig):
    name = "clinic"
    verbose_name = _("Clinic")

    def ready(self) -> None:
        # Imported for what they register: deploy checks, and a receiver of allauth's signal.
        from clinic import accounts, checks  # noqa: F401
        from clinic.access import ALL, CHANGE, KEEP, VIEW, allow
        from clinic.models import Role

        allow(
            Role.FRONT_DESK,
            "clinic",
            patient=KEEP,
            link=CHANGE,
            message=CHANGE,
            mailtext=VIEW,
            desktask=CHANGE,
            practitioner=VIEW,
            location=VIEW,
        )
        allow(
            Role.MANAGER,
            "clinic",
            patient=VIEW,
            message=VIEW,
            mailtext=ALL,
            desktask=VIEW,
            auditevent=VIEW,
            emergencyaccess=VIEW,
            practice=CHANGE,
            oncall=ALL,
            location=ALL,
            practitioner=ALL,
            user=ALL,
        )

        from clinic import backups, emails, emergency_access, outbox, providers, wordings

        providers.listen()
        outbox.register(outbox.LATE_NOTE, emails.late_note)
        outbox.register(backups.NOTE, emails.restored_note)
        outbox.register(emergency_access.ALERT, emergency_access.alert)
        outbox.register(accounts.RESET_MAIL, emails.password_reset)
        outbox.register(emails.TEST, emails.test_mail)
        wordings.register(emails.LATE_NOTE_WORDING, sample=emails.sample_late_note)
        wordings.register(emails.RESTORED_NOTE_WORDING, sample=emails.sample_restored_note)
        wordings.register(emails.PASSWORD_RESET_WORDING, sample=emails.sample_password_reset)
        wordings.register(emergency_access.ALERT_WORDING, sample=emergency_access.sample_alert)
