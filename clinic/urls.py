"""The root URL configuration. Each app lists its own pages."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("booking.urls")),
    path("", include("desk.urls")),
    path("", include("demo.urls")),
    path("", include("clinic.pages")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "clinic.errors.bad_request"
handler403 = "clinic.errors.forbidden"
handler404 = "clinic.errors.not_found"
