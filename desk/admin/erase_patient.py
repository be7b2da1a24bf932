"""Erase a patient from the admin: for managers, who confirm with their password."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.admin import AuditedAdmin
from clinic.models import Patient, Role
from clinic.plain_text import OneLineField
from clinic.posted import posted
from clinic.security.access import staff_user
from desk.records import erasure
from desk.records.erasure import CannotErase, Erasure


class ErasePatientForm(forms.Form):
    initials = OneLineField(
        label=_("Initials of the patient"),
        max_length=3,
        error_messages={"required": _("Type the initials.")},
        help_text=_("Typed as a check that it is the right person."),
    )
    cancels = forms.BooleanField(label=_("Cancel visits that are still to come"), required=False)

    def __init__(self, data: Any = None, *, patient: Patient) -> None:
        super().__init__(data)
        self.patient = patient

    def clean_initials(self) -> str:
        initials: str = self.cleaned_data["initials"]
        if initials.casefold() != self.patient.initials.casefold():
            raise forms.ValidationError(_("These are not the initials of this patient."))
        return initials


@reauthentication_required()
def erase(request: HttpRequest, patient_id: Any, *, model_admin: AuditedAdmin) -> HttpResponse:
    """List what would be erased, and erase it after the initials were typed."""
    user, now = staff_user(request), timezone.now()
    if user.role != Role.MANAGER:
        raise PermissionDenied
    patient = get_object_or_404(Patient.objects.visible_to(user), pk=patient_id)
    form = ErasePatientForm(posted(request), patient=patient)
    planned: Erasure | None = None
    try:
        if request.method == "POST" and form.is_valid():
            erasure.erase(patient, now=now, by=user, cancels=form.cleaned_data["cancels"])
            messages.success(request, _("The patient is erased."))
            return redirect("admin:clinic_patient_changelist")
    except CannotErase as refusal:
        messages.error(request, str(refusal))
    try:
        planned = erasure.erase(patient, now=now, by=user, cancels=True, is_rehearsal=True)
    except CannotErase as refusal:
        if not form.is_bound:
            messages.error(request, str(refusal))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Erase the patient"),
        "opts": model_admin.opts,
        "patient": patient,
        "form": form,
        "planned": planned,
        "deleted": sum(planned.deleted.values()) if planned else 0,
        "emptied": sum(planned.emptied.values()) if planned else 0,
    }
    return render(request, "admin/booking/patient/erase.html", context)
