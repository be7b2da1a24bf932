"""Days and times on pages as in mails: on the wall clock of the value itself.

Django's own ``date`` filter first converts an aware time to the current zone.
"""

from datetime import date, datetime

from django import template
from django.utils.formats import date_format
from django.utils.translation import pgettext

from clinic.mail.letters import day_text, time_text, zone_text

register = template.Library()

register.filter("day", day_text)
register.filter("clock", time_text)
register.filter("zone", zone_text)


@register.filter
def short_day(local: date | datetime) -> str:
    # Translators: a day where room is short, as in Django's date filter.
    return date_format(local, pgettext("short date format", "D, M j"))


@register.filter
def day_and_year(local: date | datetime) -> str:
    # Translators: a day in a list that may go back for years, as in Django's date filter.
    return date_format(local, pgettext("long date format", "l, F j, Y"))


@register.filter
def month(local: date | datetime) -> str:
    # Translators: a month above a calendar week, as in Django's date filter.
    return date_format(local, pgettext("month format", "F Y"))


@register.filter
def weekday(local: date | datetime) -> str:
    return date_format(local, "D")
