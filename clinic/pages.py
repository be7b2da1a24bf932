"""Pages of the ground floor: practice, guide, links, health."""

from django.urls import path

from clinic.views import health, links

urlpatterns = [
    path("l/<str:token>/", links.open_link, name="open_link"),
    path("unsubscribe/<str:token>/", links.unsubscribe, name="unsubscribe"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
