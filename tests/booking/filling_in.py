"""Somebody who fills in the intake form of a visit, as a test client."""

from datetime import timedelta

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinic.models import Practice
from clinic.security.access import set_grant_cookie
from intake.html_form.forms import QuestionForm
from intake.models import Questionnaire
from intake.workflow import page_saving
from tests.factories import NOW, make_appointment, make_patient, make_practice
from tests.intake.fhir_form.test_questionnaire import FORM
from tests.intake.filled import page_data

PAGES = range(1, 15)


def a_visit_with_a_form(**patient):
    make_practice()
    Questionnaire.objects.publish_shipped(now=NOW)
    return make_appointment(
        patient=make_patient(**{"birth_date": None} | patient),
        start=NOW + timedelta(days=3),
        status="booked",
    )


def grant(client, link):
    response = HttpResponse()
    set_grant_cookie(response, link)
    client.cookies["grant"] = response.cookies["grant"].value


def page_url(visit, number):
    return reverse("intake_page", args=[visit.pk, number])


def post_page(
    client, visit, number, *, button="next", value="", later=False, revision=None, **changes
):
    """Open a page as a browser does and send it back with its hidden fields."""
    url = page_url(visit, number)
    opened = client.get(url)
    data = page_data(FORM, number, **changes) | {
        "_revision": opened.context["response"].revision if revision is None else revision,
        "_asked": opened.context["form"].asked,
    }
    return client.post(url, data | {"later" if later else button: value})


def fill_in(client, visit, pages=PAGES, **changes):
    for number in pages:
        here = {item.link_id for item in FORM.pages()[number - 1].walk()}
        mine = {k: v for k, v in changes.items() if k.replace("__", "-").split("_")[0] in here}
        response = post_page(client, visit, number, **mine)
        assert response.status_code == 302, (number, response.context["form"].errors.as_json())


def answer_all(client, visit):
    """Fill in the form for a test that is not about its pages: only the first one is opened.

    That one leaves the browser the proof that whoever holds it may see the answers.
    """
    fill_in(client, visit, pages=[1])
    response, practice, now = stored(visit), Practice.current(), timezone.now()
    for page in FORM.pages()[1:]:
        form = QuestionForm(
            page_data(FORM, page.number),
            questionnaire=response.form,
            items=page.items,
            stored=response.items,
            language="en",
            today=now.astimezone(practice.zone).date(),
            zone=practice.zone,
            placeholders={"emergency_number": practice.emergency_number},
        )
        assert form.is_valid(), (page.number, form.errors.as_json())
        page_saving.save_page(
            response,
            page=page,
            items=form.items,
            is_complete=True,
            revision=response.revision,
            language="en",
            practice=practice,
            now=now,
        )


def stored(visit):
    visit.refresh_from_db()
    return visit.intake_response


def send(client, visit):
    return client.post(reverse("intake_review", args=[visit.pk]), follow=True)
