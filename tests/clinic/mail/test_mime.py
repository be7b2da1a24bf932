"""The bytes of a mail, read back by the standard library's own parser."""

from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.mail.mail import Mail
from clinic.mail.mime import build
from clinic.models import Message
from tests.factories import NOW

ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def written(**parts):
    mail = Mail(**{"to": "a@example.org", "subject": "s", "text": "t", "html": "h"} | parts)
    outgoing = build(Message(), mail, NOW)
    return outgoing, message_from_bytes(outgoing.content, policy=policy.default)


def texts(parsed):
    return [part.get_content() for part in parsed.iter_parts()]


def unix(text):
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(text=ANYTHING, html=ANYTHING)
def test_any_text_arrives_as_it_was_written(text, html):
    outgoing, parsed = written(text=text, html=html)

    assert [unix(found) for found in texts(parsed)] == [unix(text), unix(html)]
    assert max(len(line) for line in outgoing.content.split(b"\r\n")) <= 998
    assert outgoing.content.isascii()
    assert b"\n" not in outgoing.content.replace(b"\r\n", b"")
    assert not parsed.defects


@given(subject=ANYTHING, name=ANYTHING)
def test_whatever_stands_in_a_subject_or_name_stays_in_its_header(subject, name):
    _outgoing, parsed = written(subject=subject, sender_name=name)
    _outgoing, plain = written()

    assert set(parsed.keys()) == set(plain.keys())
    assert len(parsed["To"].addresses) == len(parsed["From"].addresses) == 1
    assert parsed["From"].addresses[0].addr_spec == "clinic@localhost"


@pytest.mark.parametrize(
    "subject", ["Plain", "Mañana, 9:00 – 10:00", "=?utf-8?q?not_encoded?=", "ñ" * 200, "x" * 950]
)
def test_a_subject_reads_the_same_on_the_other_side(subject):
    outgoing, parsed = written(subject=subject)

    assert parsed["Subject"] == subject
    head = outgoing.content.split(b"\r\n\r\n")[0]
    assert max(len(line) for line in head.split(b"\r\n")) <= 998


def test_a_domain_outside_ascii_is_written_in_punycode():
    outgoing, parsed = written(to="ana@clínica.example", reply_to="hola@clínica.example")

    assert outgoing.recipient == parsed["To"] == "ana@xn--clnica-4va.example"
    assert parsed["Reply-To"] == "hola@xn--clnica-4va.example"


@pytest.mark.parametrize(
    "to", ["a\r\nBcc: x@example.org", "no at sign", "é@example.org", "a b@example.org", ""]
)
def test_an_address_that_smtp_cannot_carry_is_refused(to):
    with pytest.raises(ValueError, match="address"):
        written(to=to)


def test_a_header_cannot_start_another_one():
    with pytest.raises(ValueError, match="header of its own"):
        written(headers={"List-Unsubscribe": "<https://clinic.example/>\r\nBcc: x@example.org"})


def test_the_same_row_is_written_with_the_same_bytes():
    message, mail = Message(), Mail(to="a@example.org", subject="s", text="t", html="h")

    assert build(message, mail, NOW).content == build(message, mail, NOW).content
