from datetime import date

import pytest

from clinic.public_holidays import closed_days, countries, country_names, holidays_of


def test_a_country_has_its_holidays_and_a_part_of_it_has_more():
    national = {day.name: day.date for day in holidays_of("US", "", 2026)}
    assert national["Thanksgiving Day"] == date(2026, 11, 26)
    assert national["Independence Day (observed)"] == date(2026, 7, 3)
    in_texas = {day.name for day in holidays_of("US", "TX", 2026)}
    assert in_texas - set(national)


def test_without_a_country_nothing_is_closed():
    assert closed_days("", "", [], [2026]) == []


def test_a_name_that_is_kept_open_is_open_in_every_year():
    days = closed_days("US", "", ["Columbus Day"], [2026, 2027])
    assert {"Columbus Day", "Labor Day"} & {day.name for day in days} == {"Labor Day"}
    assert {day.date.year for day in days} == {2026, 2027}


def test_two_holidays_on_one_day_are_decided_one_by_one():
    """Now and then a movable feast falls on a fixed one."""
    both = [
        day
        for year in range(2020, 2080)
        for day in holidays_of("GR", "", year)
        if len([other for other in holidays_of("GR", "", year) if other.date == day.date]) > 1
    ]
    assert both
    first = both[0]
    still_closed = closed_days("GR", "", [first.name], [first.date.year])
    assert first.date in {day.date for day in still_closed}


def test_every_country_that_can_be_chosen_has_a_name_and_a_calendar():
    assert dict(country_names())["US"] == "United States"
    assert len(country_names()) == len(countries()) > 200
    with pytest.raises(NotImplementedError):
        holidays_of("XX", "", 2026)
