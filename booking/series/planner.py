"""Booking and moving a series from a page, for patients and for the front desk.

The page shows the dates with the free times. One POST books or moves all, or shows what changed.
"""

from collections.abc import Callable

from booking.appointments.status import SlotTaken
from booking.series.forms import DatesForm


def submit[Dates: DatesForm, Done](
    read_dates: Callable[[], Dates], act: Callable[[Dates], Done]
) -> tuple[Dates, Done | None]:
    """Return the form and, when it was posted and every time was still free, what ``act`` did.

    ``read_dates`` makes the form from what is free at that moment. If ``act`` raises SlotTaken the
    form is made again, so that it shows the times without those that were just taken.
    """
    form = read_dates()
    if form.is_valid():
        try:
            return form, act(form)
        except SlotTaken as taken:
            form = read_dates()
            if form.is_valid():
                form.add_error(None, taken)
    return form, None
