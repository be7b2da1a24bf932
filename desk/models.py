import secrets
import uuid
from datetime import datetime

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.models import Practitioner, User
from clinic.security.access import hash_token


class CalendarFeedQuerySet(models.QuerySet["CalendarFeed"]):
    def active(self) -> "CalendarFeedQuerySet":
        """Return the feeds that work: not revoked, of a practitioner who still works here."""
        return self.filter(revoked_at=None, practitioner__is_active=True).exclude(
            practitioner__user__is_active=False
        )

    def make(
        self, practitioner: Practitioner, *, by: User, now: datetime
    ) -> tuple["CalendarFeed", str]:
        """Return a new feed and its secret, which is shown once; revoke a previous feed."""
        token = secrets.token_urlsafe(32)
        with transaction.atomic():
            # After a double click the second request waits for the first, and revokes its feed.
            Practitioner.objects.select_for_update(no_key=True).get(pk=practitioner.pk)
            self.filter(practitioner=practitioner, revoked_at=None).update(revoked_at=now)
            feed = self.create(
                practitioner=practitioner, token_hash=hash_token(token), created_by=by
            )
        return feed, token

    def with_token(self, token: str) -> "CalendarFeed | None":
        return (
            self.active()
            .select_related("practitioner__user")
            .filter(token_hash=hash_token(token))
            .first()
        )


class CalendarFeed(models.Model):
    """The private address at which a practitioner's calendar program reads their visits.

    Anyone who has the address can read it, so it shows time and place, never patient or reason.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practitioner = models.ForeignKey(
        Practitioner, verbose_name=_("practitioner"), on_delete=models.CASCADE, related_name="+"
    )
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(_("made"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("made by"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = CalendarFeedQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("calendar feed")
        verbose_name_plural = _("calendar feeds")
        constraints = [
            models.UniqueConstraint(
                fields=["practitioner"], condition=Q(revoked_at=None), name="calendarfeed_one_each"
            )
        ]

    def __str__(self) -> str:
        return str(self.practitioner)

    @property
    def language(self) -> str:
        user = self.practitioner.user
        return user.language if user else settings.LANGUAGE_CODE

    def revoke(self, *, now: datetime) -> bool:
        """Revoke the feed; return False if it was revoked already."""
        ended = CalendarFeed.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=now)
        self.refresh_from_db(fields=["revoked_at"])
        return bool(ended)
