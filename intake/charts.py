"""The summary's plots, worked out on the server: numbers and words that SVG templates draw.

Every chart has a line of text that says the same, and rows for a table twin. Marks differ by
shape and pattern, not only by colour, so that a black-and-white print keeps its meaning.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.utils import formats
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from intake import body, wording
from intake import variables as v
from intake.answers import Answers

PLOT_WIDTH = 260
LABELS_WIDTH = 80


@dataclass(frozen=True)
class Place:
    """A place on the body that hurts, is numb, or both."""

    name: str
    shape: body.Shape
    hurts: bool
    is_main: bool
    is_numb: bool


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
    width: int = 2 * body.WIDTH
    height: int = body.HEIGHT
    head: tuple[int, int, int] = body.HEAD
    outline: str = body.OUTLINE

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
    """A vertical line at `x`; its label stands to one side where lines are close."""

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
    label: str
    score: int
    x: float
    y: float


@dataclass(frozen=True)
class ImpactPlot:
    """The six daily-impact answers as dots on one scale from 0 to 10."""

    dots: tuple[Dot, ...]
    ticks: tuple[Mark, ...]
    text: str
    height: int
    left: int = LABELS_WIDTH
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
    height: int = 118


def trend(intakes: Sequence[Dated], *, events: Sequence[tuple[dt.date, str]] = ()) -> Trend | None:
    """None with fewer than two intakes that say how bad the pain is. Oldest first."""
    told = [one for one in intakes if one.answers.number("pain-average") is not None]
    if len(told) < 2:
        return None
    top, pain_height, floor, bars = 6, 60, 104, 30
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
        text=gettext("Average pain %(first)s at first, %(last)s now, over %(count)s intakes.")
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


def body_map(answers: Answers) -> BodyMap:
    """Where it hurts, is numb, and bothers most, seen from behind and from the front."""
    views = tuple(
        View(name=str(name), x=index * body.WIDTH, places=_places(answers, shapes))
        for index, (name, shapes) in enumerate([(_("Back"), body.BACK), (_("Front"), body.FRONT)])
    )
    return BodyMap(views=views, text=_body_text(answers))


def _places(answers: Answers, shapes: tuple[body.Shape, ...]) -> tuple[Place, ...]:
    marked = {*answers.values("body-regions"), *answers.values("body-main")}
    numb = set(answers.values("body-numb"))
    return tuple(
        Place(
            name=str(wording.REGIONS[shape.region]),
            shape=shape,
            hurts=shape.region in marked,
            is_main=answers.has("body-main", shape.region),
            is_numb=shape.region in numb,
        )
        for shape in shapes
        if shape.region in marked | numb
    )


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


def impact_plot(answers: Answers) -> ImpactPlot | None:
    """None when none of the six was answered."""
    step = 13
    span = PLOT_WIDTH - LABELS_WIDTH - 30
    dots: list[Dot] = []
    for link_id in v.IMPACT_ITEMS:
        score = answers.number(link_id)
        if score is not None:
            dots.append(
                Dot(
                    label=str(wording.IMPACTS[link_id]),
                    score=int(score),
                    x=round(LABELS_WIDTH + span * score / 10, 1),
                    y=10 + step * len(dots),
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
