"""Pages of the base app: practice, guide, links, health."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from clinic.views import bounces, health, links, public

urlpatterns: list[URLPattern | URLResolver] = [
    path("guide/", public.guide, name="guide"),
    path("guide/<slug:slug>/", public.guide_page, name="guide_page"),
    path("locations/", public.locations, name="locations"),
    path("privacy/", public.privacy, name="privacy"),
    path("lang/", public.lang, name="lang"),
    # Mailed links
    path("l/<str:token>/", links.open_link, name="open_link"),
    path("unsubscribe/<str:token>/", links.unsubscribe, name="unsubscribe"),
    # Operators
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("bounces/", bounces.report_bounce, name="report_bounce"),
]

if settings.PROVIDER_WEBHOOK_SECRET:
    urlpatterns.append(path("bounces/provider/", include("anymail.urls")))
