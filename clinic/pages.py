"""Pages of the ground floor: practice, guide, links, health."""

from django.urls import path

from clinic.views import public

urlpatterns = [
    path("guide/", public.guide, name="guide"),
    path("guide/<slug:slug>/", public.guide_page, name="guide_page"),
    path("locations/", public.locations, name="locations"),
    path("privacy/", public.privacy, name="privacy"),
    path("lang/", public.lang, name="lang"),
]
