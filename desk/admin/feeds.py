"""Calendar feeds: managers see who has one and can end it."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from clinic.admin import EVERYWHERE, ReadOnlyAdmin
from clinic.models import AuditEvent
from desk.models import CalendarFeed


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ReadOnlyAdmin):
    list_display = ["practitioner", "created_at", "created_by", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["practitioner", "created_by"]
    search_fields = ["practitioner__name"]
    exclude = ["token_hash"]
    actions = ["revoke"]

    @admin.action(description=_("Revoke"), location=EVERYWHERE, permissions=["operate"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[CalendarFeed]) -> None:
        now = timezone.now()
        ended = [feed for feed in queryset if feed.revoke(now=now)]
        for feed in ended:
            self.record(AuditEvent.Action.CHANGE, request, feed, ["revoked_at"])
        self.message_user(
            request,
            ngettext(
                "%(count)d feed shows nothing any more.",
                "%(count)d feeds show nothing any more.",
                len(ended),
            )
            % {"count": len(ended)},
            messages.SUCCESS,
        )
