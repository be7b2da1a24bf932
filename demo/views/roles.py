"""The demo's login: one button for each role."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from clinic.models import Role, User
from clinic.security import accounts

# The sample accounts of the demo, by role.
SAMPLE_ACCOUNTS: dict[str, str] = {
    Role.FRONT_DESK: "frontdesk@demo.example",
    Role.CLINICIAN: "clinician@demo.example",
    Role.MANAGER: "manager@demo.example",
}


@never_cache
@require_http_methods(["GET", "POST"])
def demo(request: HttpRequest) -> HttpResponse:
    if not settings.DEMO:
        raise Http404
    if request.method == "POST":
        address = SAMPLE_ACCOUNTS.get(request.POST.get("role", ""))
        user = User.objects.filter(email=address, is_active=True).first()
        if user is None:
            raise Http404
        accounts.sign_in_without_proof(request, user)
        return redirect("staff_home")
    roles = [(role, Role(role).label, address) for role, address in SAMPLE_ACCOUNTS.items()]
    return render(request, "demo/demo.html", {"roles": roles})
