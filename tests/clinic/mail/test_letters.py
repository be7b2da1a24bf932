from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from clinic.mail import letters


@pytest.mark.parametrize(
    ("left", "words"),
    [
        ({"minutes": 31}, "30 minutes"),
        ({"minutes": 84}, "85 minutes"),
        ({"minutes": 117}, "115 minutes"),
        ({"minutes": 119, "seconds": 58}, "2 hours"),
        ({"hours": 4, "minutes": 1}, "4 hours"),
        ({"hours": 23, "minutes": 59}, "24 hours"),
        ({"hours": 47, "minutes": 20}, "47 hours"),
        ({"hours": 47, "minutes": 40}, "2 days"),
        ({"days": 6, "hours": 23, "minutes": 59}, "7 days"),
    ],
)
def test_the_time_left_is_true_and_round(left, words):
    with translation.override("en"):
        assert letters.time_left_text(timedelta(**left)) == words


@pytest.mark.parametrize(
    ("zone", "month", "name"),
    [
        ("America/Chicago", 1, "CST"),
        ("America/Chicago", 7, "CDT"),
        ("Asia/Kathmandu", 1, "UTC+05:45"),
        ("America/Sao_Paulo", 1, "UTC-03:00"),
    ],
)
def test_a_zone_is_called_what_people_call_it(zone, month, name):
    assert letters.zone_text(datetime(2026, month, 1, tzinfo=ZoneInfo(zone))) == name
