"""The demo's inbox: every mail that the system has sent to anyone."""

from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from icalendar import Calendar

from clinic.mail.sandboxed_page import mail_page
from clinic.models import Message

PAGE_SIZE = 50
HEADERS = "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "List-Unsubscribe"
FACTS = "UID", "SEQUENCE", "STATUS", "SUMMARY", "LOCATION", "CLASS"


def demo_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    @never_cache
    @require_safe
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.DEMO:
            raise Http404
        return view(request, *args, **kwargs)

    return wrapper


@demo_only
def demo_mail(request: HttpRequest) -> HttpResponse:
    messages = _kept().order_by("-sent_at")
    page = Paginator(messages, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [(message, _parse(message)) for message in page]
    return render(request, "demo/demo_mail.html", {"page": page, "rows": rows})


@demo_only
def demo_mail_message(request: HttpRequest, message_id: UUID) -> HttpResponse:
    message = get_object_or_404(_kept(), pk=message_id)
    mail = _parse(message)
    text = mail.get_body(("plain",))
    return render(
        request,
        "demo/demo_mail_message.html",
        {
            "message": message,
            "headers": [(name, mail[name]) for name in HEADERS if mail[name]],
            "text": text.get_content() if text else "",
            "calendar": _calendar_facts(mail),
        },
    )


@demo_only
def demo_mail_body(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Return the HTML part as it was sent."""
    mail = _parse(get_object_or_404(_kept(), pk=message_id))
    html = mail.get_body(("html",))
    if html is None:
        raise Http404
    return mail_page(html.get_content())


def _kept() -> Any:
    return Message.objects.filter(raw__isnull=False)


def _parse(message: Message) -> EmailMessage:
    return message_from_bytes(bytes(message.raw or b""), EmailMessage, policy=policy.default)


def _calendar_facts(mail: EmailMessage) -> list[tuple[str, str]]:
    part = next((part for part in mail.walk() if part.get_content_type() == "text/calendar"), None)
    if part is None:
        return []
    calendar = Calendar.from_ical(part.get_content())
    facts = [("METHOD", f"{calendar['method']} ({part.get_param('method')})")]
    for event in calendar.events:
        facts += [
            *((name, str(event[name])) for name in FACTS if name in event),
            ("DTSTART", event.start.isoformat()),
            ("DTEND", event.end.isoformat()),
        ]
    return facts
