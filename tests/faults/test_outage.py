"""Everything stands still for hours, or the clock jumps: what goes out then, by a naive model."""

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from booking.appointments import mail_schedule
from booking.models import Appointment
from clinic.environment import mailer_from_url
from clinic.mail import outbox
from clinic.mail.mime import message_id_header
from clinic.models import Message
from tests.conftest import SOAK
from tests.factories import NOW, make_appointment, make_location, make_practice

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

State = Message.State
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def sink(smtp_sink, settings):
    settings.MAILERS = {"default": mailer_from_url(smtp_sink.url, timeout=5)}
    make_practice()
    return smtp_sink


def naive_model(owed_by_visit, ticks):
    """Return what becomes of each (visit, step): the tick that sends it, or None.

    At each tick, of what is due for a visit and not yet decided only the newest is sent, if it is
    still of use; the rest is never sent.
    """
    fate = {}
    for visit, steps in owed_by_visit.items():
        open_steps = list(steps)
        for now in ticks:
            due = sorted(step for step in open_steps if step[0] <= now)
            for due_at, expires_at, name in due:
                is_newest = due_at == due[-1][0]
                fate[visit, name] = now if is_newest and now < expires_at else None
            open_steps = [step for step in open_steps if step not in due]
    return fate


def test_after_six_hours_of_standstill_each_visit_gets_what_is_still_of_use(sink):
    visits, every = (100, 5 * MINUTE) if SOAK else (40, 20 * MINUTE)
    location, random = make_location(), Random(6)
    stops, lasts, spread = NOW + 3 * HOUR, 6 * HOUR, 48 * HOUR
    booked = NOW - 3 * DAY
    for _ in range(visits):
        start = stops + timedelta(minutes=random.randrange(int(spread / MINUTE)))
        mail_schedule.plan_ahead(make_appointment(location=location, start=start), booked)
    reminders = Message.objects.filter(kind=mail_schedule.REMINDER)
    owed_by_visit = defaultdict(list)
    for message in reminders:
        owed_by_visit[message.subject_id].append((message.due_at, message.expires_at, message.step))
    earlier = [booked + number * every for number in range(int((stops - booked) / every))]
    later = [stops + lasts + number * every for number in range(int(spread / every) + 1)]
    ticks = [*earlier, *later]
    # Days on which nothing happens need no tick.
    for now in ticks:
        if Message.objects.due(now).exists() or now == later[0]:
            outbox.tick(now)

    expected = naive_model(owed_by_visit, ticks)
    found, reminders = {}, reminders.all()
    for message in reminders:
        is_sent = message.state == State.SENT
        found[message.subject_id, message.step] = message.handed_at if is_sent else None
        assert is_sent or (message.state, message.reason) == (State.SKIPPED, Message.LATE)
    assert found.keys() == expected.keys()
    for key, tick in expected.items():
        assert (found[key] is None) == (tick is None), key
        assert tick is None or tick <= found[key] < tick + MINUTE
    assert sum(tick is None for tick in expected.values()) > 0, "the outage cost something"

    by_id = {message_id_header(message): message for message in reminders}
    starts = dict(Appointment.objects.values_list("pk", "start"))
    for mail in sink.mails:
        message = by_id.get(str(mail["Message-ID"]))
        if message is None:
            continue
        text = mail.get_body(("plain",)).get_content()
        assert "tomorrow" not in text.lower()
        left = starts[message.subject_id] - message.handed_at
        assert abs(said_to_be_left(text) - left) <= max(30 * MINUTE, left * 0.03)
    assert set(sink.copies.values()) == {1}
    assert len(sink.to("alerts@clinic.example")) == 1, "staff are told once"


def said_to_be_left(text):
    count, unit = re.search(r"Your visit is in (\d+) (minute|hour|day)s?", text).groups()
    return int(count) * {"minute": MINUTE, "hour": HOUR, "day": DAY}[unit]


@pytest.mark.parametrize(
    ("zone", "around"),
    [
        ("America/New_York", datetime(2026, 11, 1, 14, tzinfo=UTC)),
        ("America/New_York", datetime(2027, 3, 14, 14, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2027, 3, 28, 9, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2027, 4, 4, 1, tzinfo=UTC)),
    ],
)
def test_a_clock_that_is_set_forward_and_back_repeats_and_loses_nothing(sink, zone, around):
    """Over a night on which the clocks change, and with a server whose own clock jumps."""
    location, random = make_location(time_zone=zone), Random(zone)
    visits = [
        make_appointment(location=location, start=around + number * HOUR) for number in range(5)
    ]
    booked = around - 2 * DAY
    for visit in visits:
        mail_schedule.plan_booked(visit, booked)
    now = booked
    while now < around + 6 * HOUR:
        outbox.tick(now + random.choice([-HOUR, -MINUTE, 0 * MINUTE, 0 * MINUTE, MINUTE]))
        now += 10 * MINUTE

    assert set(sink.copies.values()) == {1}
    for visit in visits:
        sent = Message.objects.about(visit).filter(state=State.SENT)
        assert sorted(sent.values_list("kind", "step")) == [
            ("confirmation", ""), ("reminder", "24h"), ("reminder", "2h"), ("rescreen", ""),
        ]  # fmt: skip
        wall = visit.start.astimezone(visit.zone)
        said = f"{wall:%A}, {wall:%B} {wall.day}, {wall.hour % 12 or 12}:{wall:%M} {wall:%p}"
        mails = sink.to(visit.patient.email)
        assert len(mails) == 4
        assert all(said in mail.get_body(("plain",)).get_content() for mail in mails)
