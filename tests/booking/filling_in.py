"""Somebody who fills in the intake form of a visit, as a test client."""

from datetime import timedelta

from django.http import HttpResponse
from django.urls import reverse

from clinic.access import set_grant_cookie
from intake.models import Questionnaire
from tests.factories import NOW, make_appointment, make_patient, make_practice
from tests.intake.filled import page_data
from tests.intake.test_questionnaire import FORM

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


def stored(visit):
    visit.refresh_from_db()
    return visit.intake_response


def send(client, visit):
    return client.post(reverse("intake_review", args=[visit.pk]), follow=True)
