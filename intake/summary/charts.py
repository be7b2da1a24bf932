"""The summary's plots, computed on the server: numbers and texts that SVG templates draw.

Every chart has a line of text with the same content, and rows for a table. Marks differ by
shape and pattern, not only by colour, so that a black-and-white print stays readable.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from django.utils import formats
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from intake.answers import Answers
from intake.html_form import body_chart
from intake.rules import variables as v
from intake.summary import wording

PLOT_WIDTH = 260
LABELS_WIDTH = 80


@dataclass(frozen=True)
class Place:
    """A place on the body that hurts, is numb, or both."""

    name: str
    shape: body_chart.Shape
    hurts: bool
    is_main: bool
    is_numb: bool
    is_new: bool = False


@dataclass(frozen=True)
class View:
    """One side of the figure, `x` units from the left edge of the drawing."""

    name: str
    x: int
    places: tuple[Place, ...]


@dataclass(frozen=True)
class BodyMap:
    views: tuple[View, ...]
    text: str
    width: int = 2 * body_chart.WIDTH
    height: int = body_chart.HEIGHT
    head: tuple[int, int, int] = body_chart.HEAD
    outline: str = body_chart.OUTLINE

    @property
    def places(self) -> tuple[Place, ...]:
        """Each marked place once, although some show on both sides."""
        by_name = {place.name: place for view in self.views for place in view.places}
        return tuple(by_name.values())


@dataclass(frozen=True)
class Bar:
    label: str
    value: str
    width: float


@dataclass(frozen=True)
class Mark:
    """A vertical line at `x`; its label is on one side of it where lines are close."""

    label: str
    x: float
    anchor: str = "middle"


@dataclass(frozen=True)
class OnsetRun:
    """The run of the onset against the longest of the 30 days before."""

    longest: Bar
    onset: Bar
    marks: tuple[Mark, ...]
    text: str
    left: int = LABELS_WIDTH
    width: int = PLOT_WIDTH


@dataclass(frozen=True)
class Dot:
    """A score now, and the earlier score if it was asked before."""

    label: str
    score: int
    x: float
    y: float
    before: int | None = None
    x_before: float = 0


@dataclass(frozen=True)
class ImpactPlot:
    """The six daily-impact answers as dots on one scale from 0 to 10."""

    dots: tuple[Dot, ...]
    ticks: tuple[Mark, ...]
    text: str
    height: int
    left: int = LABELS_WIDTH
    width: int = PLOT_WIDTH


@dataclass(frozen=True)
class Slope:
    """An activity of the patient's own, then and now; its name stands at `y_label`."""

    name: str
    before: str
    after: str
    y_before: float
    y_after: float
    y_label: float = 0


@dataclass(frozen=True)
class Slopes:
    """The activities that were named both times, as lines from then to now; up is better."""

    lines: tuple[Slope, ...]
    text: str
    height: int
    left: int = 26
    right: int = 96
    width: int = PLOT_WIDTH


class Dated(NamedTuple):
    """One intake's answers, with the day they were given."""

    day: dt.date
    answers: Answers


@dataclass(frozen=True)
class TrendPoint:
    """One intake on the time axis; its bar is as high as the week's distance."""

    day: str
    average: str
    worst: str
    distance: str
    x: float
    y_average: float
    y_worst: float
    bar_top: float
    bar_height: float


@dataclass(frozen=True)
class Trend:
    """Pain above, distance a week below, on one time axis; never two scales in one panel.

    The band is two points around the first average: inside it nothing clear has changed.
    """

    points: tuple[TrendPoint, ...]
    line: str
    band_top: float
    band_height: float
    ticks: tuple[tuple[str, float], ...]
    events: tuple[Mark, ...]
    text: str
    floor: float
    left: int = 24
    width: int = PLOT_WIDTH
    height: int = 96


def trend(intakes: Sequence[Dated], *, events: Sequence[tuple[dt.date, str]] = ()) -> Trend | None:
    """None with fewer than two intakes that say how bad the pain is. Oldest first."""
    told = [one for one in intakes if one.answers.number("pain-average") is not None]
    if len(told) < 2:
        return None
    top, pain_height, floor, bars = 6, 46, 82, 24
    left, right = 34, PLOT_WIDTH - 12
    days = max(1, (told[-1].day - told[0].day).days)

    def x(day: dt.date) -> float:
        return round(left + (right - left) * (day - told[0].day).days / days, 1)

    def y(score: float) -> float:
        return round(top + pain_height * (1 - score / 10), 1)

    # One unit for all bars, whatever each intake was counted in.
    km = [_km(one.answers) for one in told]
    longest = max([distance for distance in km if distance], default=1)
    points = []
    for one, distance in zip(told, km, strict=True):
        average = one.answers.number("pain-average") or 0
        worst = one.answers.number("pain-worst")
        height = round(bars * (distance or 0) / longest, 1)
        load = one.answers.number("load-now")
        points.append(
            TrendPoint(
                day=formats.date_format(one.day, "SHORT_DATE_FORMAT"),
                average=wording.number(average),
                worst=wording.number(worst) if worst is not None else "",
                distance=wording.distance(one.answers, load) if load is not None else "",
                x=x(one.day),
                y_average=y(average),
                y_worst=y(worst if worst is not None else average),
                bar_top=round(floor - height, 1),
                bar_height=height,
            )
        )
    first, last = (one.answers.number("pain-average") or 0 for one in (told[0], told[-1]))
    return Trend(
        points=tuple(points),
        line=" ".join(f"{point.x},{point.y_average}" for point in points),
        band_top=y(min(10, first + 2)),
        band_height=round(y(max(0, first - 2)) - y(min(10, first + 2)), 1),
        ticks=tuple((str(score), y(score)) for score in (0, 5, 10)),
        events=tuple(
            Mark(label, x(day)) for day, label in events if told[0].day < day < told[-1].day
        ),
        text=gettext("Average pain %(first)s at first, %(last)s now, told %(count)s times.")
        % {
            "first": wording.number(first),
            "last": wording.number(last),
            "count": len(points),
        },
        floor=floor,
    )


def _km(answers: Answers) -> float | None:
    load = answers.number("load-now")
    return load * v.KM_PER_MILE if load and answers.has("run-unit", "mi") else load


def body_map(answers: Answers, *, first: Answers | None = None) -> BodyMap:
    """Where it hurts, is numb, and bothers most, seen from behind and from the front.

    With the `first` answers, places that did not hurt then are marked as new.
    """
    views = tuple(
        View(
            name=str(name), x=index * body_chart.WIDTH, places=_places(answers, shapes, first=first)
        )
        for index, (name, shapes) in enumerate(
            [(_("Back"), body_chart.BACK), (_("Front"), body_chart.FRONT)]
        )
    )
    return BodyMap(views=views, text=_body_text(answers))


def _places(
    answers: Answers, shapes: tuple[body_chart.Shape, ...], *, first: Answers | None
) -> tuple[Place, ...]:
    marked = _marked(answers)
    known = marked if first is None else _marked(first)
    numb = set(answers.values("body-numb"))
    return tuple(
        Place(
            name=str(wording.REGIONS[shape.region]),
            shape=shape,
            hurts=shape.region in marked,
            is_main=answers.has("body-main", shape.region),
            is_numb=shape.region in numb,
            is_new=shape.region in marked - known,
        )
        for shape in shapes
        if shape.region in marked | numb
    )


def _marked(answers: Answers) -> set[object]:
    return {*answers.values("body-regions"), *answers.values("body-main")}


def _body_text(answers: Answers) -> str:
    def names(link_id: str) -> str:
        return ", ".join(
            str(wording.REGIONS[region])
            for region in answers.values(link_id)
            if isinstance(region, str) and region in wording.REGIONS
        )

    sentences = []
    if answers.answered("body-regions"):
        sentences.append(gettext("Pain: %(places)s.") % {"places": names("body-regions")})
    if answers.answered("body-main"):
        sentences.append(gettext("Most: %(place)s.") % {"place": names("body-main")})
    if numb := names("body-numb"):
        sentences.append(gettext("Numb or tingling: %(places)s.") % {"places": numb})
    return " ".join(sentences) or gettext("No place marked.")


def onset_run(answers: Answers) -> OnsetRun | None:
    """Two bars with lines at 10, 30 and 100 percent more (Ref16); None without both distances."""
    longest, onset = answers.number("load-long-30"), answers.number("load-onset-run")
    percent = v.spike(answers)
    if not longest or onset is None or percent is None:
        return None
    scale = (PLOT_WIDTH - LABELS_WIDTH - 40) / max(onset, longest * 2)
    words = {
        "onset": wording.distance(answers, onset),
        "longest": wording.distance(answers, longest),
        "percent": wording.number(abs(round(percent))),
    }
    if percent > 0:
        text = gettext("Onset run %(onset)s, %(percent)s %% over the longest before (%(longest)s).")
    else:
        text = gettext("Onset run %(onset)s, not over the longest before (%(longest)s).")
    return OnsetRun(
        longest=Bar(gettext("longest before"), words["longest"], round(longest * scale, 1)),
        onset=Bar(gettext("onset run"), words["onset"], round(onset * scale, 1)),
        marks=tuple(
            Mark(f"+{more}", round(LABELS_WIDTH + longest * scale * (1 + more / 100), 1), anchor)
            for more, anchor in [(10, "end"), (30, "start"), (100, "middle")]
        ),
        text=text % words,
    )


def impact_plot(answers: Answers, *, first: Answers | None = None) -> ImpactPlot | None:
    """None when none of the six was answered. With the `first` answers each row shows both."""
    step = 12
    span = PLOT_WIDTH - LABELS_WIDTH - 30
    dots: list[Dot] = []
    for link_id in v.IMPACT_ITEMS:
        score = answers.number(link_id)
        before = first.number(link_id) if first else None
        if score is not None:
            dots.append(
                Dot(
                    label=str(wording.IMPACTS[link_id]),
                    score=int(score),
                    x=round(LABELS_WIDTH + span * score / 10, 1),
                    y=10 + step * len(dots),
                    before=None if before is None else int(before),
                    x_before=round(LABELS_WIDTH + span * (before or 0) / 10, 1),
                )
            )
    if not dots:
        return None
    worst = max(dots, key=lambda dot: dot.score)
    return ImpactPlot(
        dots=tuple(dots),
        ticks=tuple(Mark(str(at), LABELS_WIDTH + span * at / 10) for at in (0, 5, 10)),
        text=gettext("Daily impact is highest for %(what)s, %(score)s of 10.")
        % {"what": worst.label, "score": worst.score},
        height=step * len(dots) + 16,
    )


def slopes(first: Answers, answers: Answers) -> Slopes | None:
    """None without an activity that was named both times, however it was capitalized."""
    top, span, gap = 10, 44, 11
    before = scores(first)

    def y(score: float) -> float:
        return round(top + span * (1 - score / 10), 1)

    lines = [
        Slope(
            name, wording.number(before[key][1]), wording.number(score), y(before[key][1]), y(score)
        )
        for key, (name, score) in scores(answers).items()
        if key in before
    ]
    if not lines:
        return None
    # Names are kept apart where lines end close together.
    placed: list[Slope] = []
    for line in sorted(lines, key=lambda line: line.y_after):
        lowest = placed[-1].y_label + gap if placed else 0
        placed.append(replace(line, y_label=max(line.y_after, lowest)))
    return Slopes(
        lines=tuple(placed),
        text=" ".join(
            gettext("%(name)s: %(before)s, now %(after)s of 10.")
            % {"name": line.name, "before": line.before, "after": line.after}
            for line in placed
        ),
        height=round(max(top + span, placed[-1].y_label) + 6),
    )


def scores(answers: Answers) -> dict[str, tuple[str, float]]:
    """The patient's own activities by their text, however it was capitalized and spaced."""
    names = (str(name) for name in answers.values("activity-name"))
    return {
        " ".join(name.casefold().split()): (name, score)
        for name, score in zip(names, answers.numbers("activity-score"), strict=False)
    }
