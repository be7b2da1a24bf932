"""Where staff land after signing in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from clinic.access import staff_required
from clinic.models import Role


@staff_required(*Role.values)
def staff_home(request: HttpRequest) -> HttpResponse:
    if request.user.role == Role.CLINICIAN:
        return redirect("clinician_day")
    return redirect("admin:index")
