"""The public holidays of a country or of one of its states, from the ``holidays`` package."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import holidays
from holidays.registry import COUNTRIES


class Holiday(NamedTuple):
    date: date
    name: str


@lru_cache(maxsize=256)
def holidays_of(country: str, subdivision: str, year: int) -> tuple[Holiday, ...]:
    """Return every holiday of the year, in order of date; two on one day are two entries.

    Without a country there are none. Raises NotImplementedError for an unknown one.
    """
    if not country:
        return ()
    calendar = holidays.country_holidays(country, subdiv=subdivision or None, years=year)
    return tuple(
        Holiday(day, name)
        for day in sorted(calendar)
        if day.year == year
        for name in calendar.get_list(day)
    )


def closed_days(
    country: str, subdivision: str, kept_open: Iterable[str], years: Iterable[int]
) -> list[Holiday]:
    """Return the holidays of these years, without those whose names are kept open."""
    opened = set(kept_open)
    return [
        holiday
        for year in years
        for holiday in holidays_of(country, subdivision, year)
        if holiday.name not in opened
    ]


def country_names() -> list[tuple[str, str]]:
    """Return the two-letter code of each country with its English name, in order of the names."""
    known = countries()
    names = {code: module.replace("_", " ").title() for module, (_, code, *_) in COUNTRIES.items()}
    return sorted(((code, names.get(code, code)) for code in known), key=lambda pair: pair[1])


def countries() -> dict[str, list[str]]:
    """Return the two-letter code of each supported country, with the codes of its parts."""
    return holidays.list_supported_countries(include_aliases=False)
