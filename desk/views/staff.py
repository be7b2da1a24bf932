"""The redirect of staff to their first page after sign-in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from clinic.models import Role
from clinic.security.access import staff_required, staff_user


@staff_required(*Role.values)
def staff_home(request: HttpRequest) -> HttpResponse:
    if staff_user(request).role == Role.CLINICIAN:
        return redirect("clinician_day")
    return redirect("admin:index")
