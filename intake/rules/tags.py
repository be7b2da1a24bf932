"""Properties of a service that rules can use. No rule names a service by its code."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Tag(models.TextChoices):
    """A tag of a service. The label tells the manager who ticks it what the tag does."""

    # They close a service for some patients.
    HANDS_ON = "hands_on", _("Hands-on treatment: closed until an evaluation if the answers say so")
    THRUST = "thrust", _("Thrust: closed when a thrust may do harm")
    TREADMILL = "treadmill", _("Running test: closed while running hurts too much")
    REGENERATIVE = "regenerative", _("Regenerative medicine: closed when it may do harm")
    ADULTS_ONLY = "adults_only", _("Closed for minors")
    NOT_IN_PREGNANCY = "not_in_pregnancy", _("Closed in and around a pregnancy")
    AFTER_EVALUATION = "after_evaluation", _("Closed until a visit for an evaluation")
    NEEDS_INTAKE = "needs_intake", _("Closed until the whole intake form is sent")
    PAUSED_BY_ALERT = "paused_by_alert", _("Booked visits pause when a safety alert is raised")

    # They keep a service open for patients who should be seen soon.
    EVALUATION = "evaluation", _("An evaluation: open to patients who should be seen within days")
    SAME_DAY = "same_day", _("Open to patients who should be seen today")
    BY_PHONE = "by_phone", _("A call: offered first to patients who should be seen today")

    # They say for what a service is suggested.
    USUAL_FIRST_VISIT = "usual_first_visit", _("Suggested as the usual first visit")
    DOCTOR = "doctor", _("Suggested as a first visit to a doctor")
    PELVIC_HEALTH = "pelvic_health", _("Suggested for the pelvis and around a pregnancy")
    TAILBONE = "tailbone", _("Suggested for tailbone pain, within days if needed")
    PROGRESS = "progress", _("Suggested to check the progress of known patients")
    FOLLOW_UP = "follow_up", _("Suggested as a physical therapy follow-up")
    MANUAL_THERAPY = "manual_therapy", _("Suggested as manual therapy")
    MASSAGE = "massage", _("Suggested as massage")
    EXERCISE = "exercise", _("Suggested for corrective exercise")
    SELF_CARE = "self_care", _("Suggested for heat, cold and self-care")
    GROUP = "group", _("Suggested for stress, sleep and calm")
    LOAD = "load", _("Suggested for a plan of running load")
    GAIT = "gait", _("Suggested to film the running form")
    RUNNING_FORM = "running_form", _("Suggested to practice the running form")
    SHOES = "shoes", _("Suggested for running shoes")
    NUTRITION = "nutrition", _("Suggested for food and energy")
    REGENERATIVE_ADVICE = "regenerative_advice", _("Suggested when asked for regenerative medicine")


# A new service has them, so that no restriction is missing before a manager decides.
CLOSING_TAGS = (
    Tag.HANDS_ON,
    Tag.THRUST,
    Tag.TREADMILL,
    Tag.REGENERATIVE,
    Tag.ADULTS_ONLY,
    Tag.NOT_IN_PREGNANCY,
    Tag.AFTER_EVALUATION,
    Tag.NEEDS_INTAKE,
    Tag.PAUSED_BY_ALERT,
)
