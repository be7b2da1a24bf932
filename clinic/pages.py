"""Pages of the ground floor: practice, guide, links, health."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
