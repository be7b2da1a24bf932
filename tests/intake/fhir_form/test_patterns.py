import time

import pytest

from intake.fhir_form.patterns import Pattern, UnsafePattern


@pytest.mark.parametrize(
    "source",
    [
        r"[0-9]{3}-\d{2}",
        r"([a-z]+,)*[a-z]+",
        r"(\d{1,3},)*\d{3}",
        r"\p{L}+",
        r"[(+)]+",
        r"\(\d+\)+",
        r"[\]a]+",
        r"\{a\}",
        r"[^@]+@[^@]+\.[a-z]{2,}",
    ],
)
def test_an_honest_pattern_is_read(source):
    assert Pattern.read(source).source == source


@pytest.mark.parametrize(
    "source",
    [
        r"(a+)+$",
        r"((a+))+",
        r"(a*b?)*",
        r"(a+?)+",
        r"(x+x+)+y",
        r"([a-z]+|[0-9]+)*",
        r"(a|a)*$",
        r"(a|aa)+$",
        r"((a{1000}){1000}){1000}",
        r"(?R)a",
        r"(?:x){e}",
        "(" * 240 + "a" + ")+" * 240,
        "[",
    ],
)
def test_a_pattern_that_runs_away_is_refused_at_once(source):
    started = time.process_time()
    with pytest.raises(UnsafePattern):
        Pattern.read(source)
    assert time.process_time() - started < 1


def test_a_whole_answer_has_to_fit():
    pattern = Pattern.read("[A-Z]{2}")
    assert pattern.fits("AB")
    assert not pattern.fits("ABC")


def test_matching_stops_after_a_moment_and_the_answer_does_not_fit():
    started = time.process_time()
    assert not Pattern("(a|a)*b").fits("a" * 4000)
    assert time.process_time() - started < 1
