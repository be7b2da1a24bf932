"""The admin site of the front desk: access, sign-in, and the home page of today."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account import views as account_views
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from clinic.models import AuditEvent, Role
from clinic.operations.heartbeat import failing_parts
from clinic.security import audit
from clinic.security.access import staff_user
from desk.dashboard import coming, counts

OUR_APPS = {"clinic", "intake", "schedule", "booking", "desk"}


class FrontDeskSite(admin.AdminSite):
    """Django's admin behind allauth's sign-in, for the front desk and managers."""

    site_title = _("Front desk")
    site_header = _("Front desk")
    index_title = _("Today")
    empty_value_display = "–"
    # The lists need the width, and the home page has the same links.
    enable_nav_sidebar = False

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register our own models only.

        Packages register theirs on import: second factors, sessions and groups. The front desk
        does not need them, and no role has permissions for them.
        """
        models: Any = model_or_iterable
        if isinstance(models, type):
            models = [models]
        ours = [model for model in models if model._meta.app_label in OUR_APPS]
        super().register(ours, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return (
            user.is_authenticated
            and user.is_active
            and user.role in {Role.FRONT_DESK, Role.MANAGER}
        )

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def recorded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                return guarded(request, *args, **kwargs)
            except PermissionDenied:
                match = request.resolver_match
                audit.record(
                    action=AuditEvent.Action.DENIED,
                    user=staff_user(request),
                    subject=match.view_name if match else "admin",
                )
                raise

        return recorded

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirect anonymous visitors to allauth's sign-in; answer 404 to users without access."""
        home = reverse("admin:index", current_app=self.name)
        if self.has_permission(request):
            return redirect(home)
        if request.user.is_authenticated:
            audit.record(action=AuditEvent.Action.DENIED, user=request.user, subject="admin")
            raise Http404
        target = request.GET.get("next", "")
        is_ours = url_has_allowed_host_and_scheme(
            target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )
        return redirect_to_login(target if is_ours else home)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "failing": failing_parts(timezone.now())}

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return account_views.logout(request)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        return redirect("account_change_password")

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        now = timezone.now()
        context = {"today": counts(now=now), "coming": coming(now=now)}
        return super().index(request, {**context, **(extra_context or {})})
