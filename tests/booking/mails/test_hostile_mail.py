"""Names that try to become headers, markup or another direction of writing, in every mail."""

from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from django.core import mail

from booking.appointments import mail_schedule
from clinic.mail import outbox
from clinic.models import Patient
from tests.factories import NOW, make_appointment, make_location, make_patient, make_practice

pytestmark = pytest.mark.django_db

HOSTILE = {
    "a header of its own": "Ana\r\nBcc: victim@example.org",
    "a folded header": "Ana\n Bcc: victim@example.org",
    "an address": '"<victim@example.org>" victim@example.org, x',
    "another line end": "Ana\u2028Bcc: victim@example.org\x85Cc: victim@example.org",
    "right to left": "محمد علي بن أحمد",
    "an override": "Ana\u202egpj.exe\u2066\u2067",
    "emoji with joiners": "👩🏽‍🚀 👨‍👩‍👧‍👦 Astro",
    "a flood of accents": "Z" + "\u0301" * 60 + "algo",
    "beyond the first plane": "𝓐𝓷𝓪 𐍈𐍂",
    "a dotless i": "ışık İpek",
    "markup": '<img src=x onerror=alert(1)> & "quotes"',
    "a template": "{{7*7}} {% now 'Y' %} %s %(x)s {0.__class__} {when}",
    "an encoded word": "=?utf-8?q?Bcc=3A_victim=40example.org?=",
    "long": "Wort " * 23,
}


@pytest.fixture(params=HOSTILE.values(), ids=HOSTILE)
def name(request):
    return request.param


def everything_sent(visit):
    mail_schedule.plan_booked(visit, NOW)
    outbox.tick(NOW)
    outbox.tick(visit.start - timedelta(days=1))
    visit.cancel(now=visit.start - timedelta(hours=12))
    outbox.tick(visit.start - timedelta(hours=11))
    assert len(mail.outbox) == 4  # booked, safety check, reminder, cancelled
    return [
        message_from_bytes(sent.message().as_bytes(), policy=policy.default) for sent in mail.outbox
    ]


def test_no_name_adds_a_recipient_or_a_header(name):
    make_practice(name=name[:120])
    visit = make_appointment(
        start=NOW + timedelta(days=3),
        patient=make_patient(name=name[:120], email="ana@example.org"),
        location=make_location(name=name[:80], directions=name),
    )
    for sent in everything_sent(visit):
        assert [str(address.addr_spec) for address in sent["To"].addresses] == ["ana@example.org"]
        assert sent["Cc"] is None
        assert sent["Bcc"] is None
        (sender,) = sent["From"].addresses
        assert "victim" not in sender.addr_spec
        assert "\n" not in str(sent["Subject"])
        assert not set("\u202e\u2066\u2067\x85\u2028") & set(str(sent["Subject"]))
        for part in sent.walk():
            assert not part.defects
        html = sent.get_body(("html",)).get_content()
        assert "<img" not in html
        assert "49" not in sent["Subject"]
        for part in sent.walk():
            if part.get_content_type() == "text/calendar":
                assert part.get_content().count("BEGIN:VEVENT") == 1
                assert "\nBcc" not in part.get_content()


def test_a_name_stands_in_both_parts_as_it_was_written():
    place = "<b>Café</b> & {{7*7}} {when} محمد"
    make_practice()
    visit = make_appointment(start=NOW + timedelta(days=3), location=make_location(name=place))
    for sent in everything_sent(visit):
        assert place in sent.get_body(("plain",)).get_content()
        html = sent.get_body(("html",)).get_content()
        assert "<bdi>&lt;b&gt;Café&lt;/b&gt; &amp; {{7*7}} {when} محمد, " in html


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Ana Ruiz", "AR"),
        ("María del Carmen Ruiz", "MDC"),
        ("  \u202eAna\r\n (Luz)", "AL"),
        ("👩🏽‍🚀 Astro Naut", "AN"),
        ("ışık ipek", "II"),
        ("محمد علي", "مع"),
        ("@@@", ""),
    ],
)
def test_initials_are_letters_whatever_a_name_begins_with(name, initials):
    assert Patient(name=name).initials == initials
