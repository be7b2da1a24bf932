"""Pages of the top floor: home, booking, visits, clinician, demo."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
