from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClinicConfig(AppConfig):
    name = "clinic"
    verbose_name = _("Clinic")

    def ready(self) -> None:
        # Imported to register deploy checks and a receiver of allauth's signal.
        from clinic.models import Role
        from clinic.operations import checks  # noqa: F401
        from clinic.security import accounts
        from clinic.security.access import ALL, CHANGE, KEEP, VIEW, allow

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

        from clinic.mail import outbox, providers, samples
        from clinic.operations import backups, staff_mails
        from clinic.security import emergency_access

        providers.listen()
        outbox.register(outbox.LATE_NOTE, staff_mails.late_note)
        outbox.register(backups.NOTE, staff_mails.restored_note)
        outbox.register(emergency_access.ALERT, emergency_access.alert)
        outbox.register(accounts.RESET_MAIL, staff_mails.password_reset)
        outbox.register(staff_mails.TEST, staff_mails.test_mail)
        samples.register(staff_mails.LATE_NOTE_WORDING, sample=staff_mails.sample_late_note)
        samples.register(staff_mails.RESTORED_NOTE_WORDING, sample=staff_mails.sample_restored_note)
        samples.register(
            staff_mails.PASSWORD_RESET_WORDING, sample=staff_mails.sample_password_reset
        )
        samples.register(emergency_access.ALERT_WORDING, sample=emergency_access.sample_alert)
