"""A parent's or guardian's access ends on the day the patient comes of age (clinical.md §7)."""

from datetime import date, datetime

from django.db import transaction

from clinic import days
from clinic.models import DeskTask, Link, Patient, Practice
from clinic.models.people import PatientQuerySet


def has_ended(link: Link, *, now: datetime) -> bool:
    """Whether this link was given to the guardian of somebody who is now an adult.

    Needs a query only for patients with a guardian.
    """
    if link.patient.contact_relation != Patient.Contact.GUARDIAN:
        return False
    practice = Practice.current()
    age = link.patient.age_on(_today(practice, now))
    return age is not None and age >= practice.minor_age


def outgrown(*, now: datetime) -> PatientQuerySet:
    """Return the adults whose mails still go to a parent or guardian."""
    practice = Practice.current()
    born_by = _years_before(_today(practice, now), practice.minor_age)
    return Patient.objects.filter(
        contact_relation=Patient.Contact.GUARDIAN, birth_date__lte=born_by
    )


def end_guardians_access(*, now: datetime) -> int:
    """Revoke the links of adults' guardians, and have the front desk ask for the patient's address.

    Returns the number of these patients. The links stay revoked after the patient's own address is
    stored. If another mail goes to the guardian before that, the front desk is asked again.
    """
    links = Link.objects.usable(now=now).exclude(purpose=Link.Purpose.UNSUBSCRIBE)
    patients = list(outgrown(now=now).filter(pk__in=links.values("patient")))
    for patient in patients:
        with transaction.atomic():
            links.filter(patient=patient).update(revoked_at=now)
            DeskTask.objects.ask(
                kind=DeskTask.Kind.OF_AGE, subject=patient, patient=patient, now=now
            )
    return len(patients)


def _today(practice: Practice, now: datetime) -> date:
    return days.local_date(now, practice.zone)


def _years_before(day: date, years: int) -> date:
    """Return the same day ``years`` ago, or 28 February if there was no 29th."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)
