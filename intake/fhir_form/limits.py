"""Limits of an answer (bounds, lengths, counts, units, a pattern), and the check against them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from intake import values
from intake.answers import Answers
from intake.fhir_form.extensions import HL7, OURS, SDC, extensions_of, first, years
from intake.fhir_form.items import Item, Text, Unit, UnitChoice
from intake.fhir_form.patterns import Pattern, UnsafePattern
from intake.fhir_form.texts import Refuse, read_text
from intake.values import Quantity, Value

TEXT_TYPES = {"string", "text", "url", "open-choice"}
NUMBERS = {"integer", "decimal", "quantity"}
MAX_ANSWER_LENGTH = 4000
MAX_OCCURS = 20
MAX_UNITS = 30
MAX_HINT = 100
BOUNDED = {"integer", "decimal", "quantity", "date", "dateTime", "time"}
# R4 lets these have a length; it means nothing for a number that is not typed as text.
HAVE_LENGTH = {*TEXT_TYPES, "boolean", "integer", "decimal"}


def read_limits(
    element: Mapping[str, Any], type_: str, path: str, refuse: Refuse
) -> dict[str, Any]:
    """The limits of an item as keyword arguments of Item."""
    extensions = extensions_of(element)
    low, high = (_bound(extensions, name, type_, path, refuse) for name in ("min", "max"))
    limits: dict[str, Any] = {
        "min_value": low,
        "max_value": high,
        "from_today": (
            years(extensions, f"{OURS}/min-from-today"),
            years(extensions, f"{OURS}/max-from-today"),
        ),
        "max_decimal_places": _count(extensions, f"{HL7}/maxDecimalPlaces", path, 6, refuse),
        "min_length": _count(extensions, f"{HL7}/minLength", path, MAX_ANSWER_LENGTH, refuse),
        "pattern": _pattern(extensions, type_, path, refuse),
        "entry_format": _plain_string(first(extensions, f"{HL7}/entryFormat")),
        "unit": _unit_text(first(extensions, f"{HL7}/questionnaire-unit"), path, refuse),
        "units": _units(element, extensions, path, refuse) if type_ in NUMBERS else (),
        "unit_choice": _unit_choice(first(extensions, f"{OURS}/unit-choice"), path, refuse),
        "scale_ends": _scale_ends(first(extensions, f"{OURS}/scale-ends"), path, refuse),
        **_occurs(element, extensions, path, refuse),
    }
    if type_ == "quantity":
        # Its unit is part of the answer.
        limits["unit"] = None
    step = first(extensions, f"{OURS}/step") or first(
        extensions, f"{HL7}/questionnaire-sliderStepValue"
    )
    limits["step"] = step if is_number(step) and step > 0 else None
    if "maxLength" in element:
        length = element["maxLength"]
        if type_ not in HAVE_LENGTH:
            refuse(f"{path}.maxLength", "que-10", "Only texts have a length.")
        elif not isinstance(length, int) or isinstance(length, bool) or length < 1:
            refuse(f"{path}.maxLength", "limit-length", "At least 1.")
    if type_ in TEXT_TYPES:
        length = element.get("maxLength", MAX_ANSWER_LENGTH)
        limits["max_length"] = min(length, MAX_ANSWER_LENGTH) if isinstance(length, int) else 0
    if low is not None and high is not None and _number(low) > _number(high):
        refuse(path, "limit-range", "The smallest value is above the largest.")
    return limits


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Value) -> Any:
    return value.value if isinstance(value, Quantity) else value


def _bound(
    extensions: Mapping[str, list[Any]], end: str, type_: str, path: str, refuse: Refuse
) -> Value | None:
    raw = first(extensions, f"{HL7}/{end}Value")
    quantity = first(extensions, f"{SDC}/sdc-questionnaire-{end}Quantity")
    if type_ == "quantity" and quantity is not None:
        value = values.read("Quantity", quantity)
    elif raw is None:
        return None
    else:
        value = values.read("Decimal" if type_ in NUMBERS else values.TYPES.get(type_, ""), raw)
    if value is None or type_ not in BOUNDED:
        refuse(path, "limit-range", f"{end}Value does not fit the type.")
        return None
    return value


def _count(
    extensions: Mapping[str, list[Any]], url: str, path: str, highest: int, refuse: Refuse
) -> int | None:
    value = first(extensions, url)
    if value is None or (is_number(value) and isinstance(value, int) and 0 <= value <= highest):
        return value
    refuse(path, "limit-range", f"{url.rsplit('/', 1)[1]} is 0 to {highest}.")
    return None


def _occurs(
    element: Mapping[str, Any], extensions: Mapping[str, list[Any]], path: str, refuse: Refuse
) -> dict[str, Any]:
    low = _count(extensions, f"{HL7}/questionnaire-minOccurs", path, MAX_OCCURS, refuse) or 0
    high = _count(extensions, f"{HL7}/questionnaire-maxOccurs", path, 1000, refuse)
    if high is not None and high < max(low, 1):
        refuse(path, "limit-range", "Nothing could be answered: maxOccurs is too low.")
    if element.get("repeats") is not True and low > 1:
        refuse(path, "limit-range", "Only what repeats occurs more than once.")
    return {"min_occurs": low, "max_occurs": high}


def _pattern(
    extensions: Mapping[str, list[Any]], type_: str, path: str, refuse: Refuse
) -> Pattern | None:
    source = first(extensions, f"{HL7}/regex")
    if source is None:
        return None
    if type_ not in TEXT_TYPES | NUMBERS or not isinstance(source, str):
        refuse(path, "unsupported-regex", "A pattern is for what is typed.")
        return None
    try:
        return Pattern.read(source)
    except UnsafePattern as error:
        refuse(path, "unsupported-regex", str(error))
        return None


def _plain_string(value: Any) -> str:
    return value[:MAX_HINT] if isinstance(value, str) else ""


def _unit_text(coding: Any, path: str, refuse: Refuse) -> Text | None:
    if not isinstance(coding, dict):
        return None
    text = read_text(coding, "display", path, refuse)
    return text if text.default else Text(str(coding.get("code", "")))


def _units(
    element: Mapping[str, Any], extensions: Mapping[str, list[Any]], path: str, refuse: Refuse
) -> tuple[Unit, ...]:
    """The units to pick from; a single one is simply shown."""
    if f"{HL7}/questionnaire-unitValueSet" in extensions:
        refuse(path, "unsupported-value-set", "Units are listed by questionnaire-unitOption.")
    codings = extensions.get(f"{HL7}/questionnaire-unitOption") or extensions.get(
        f"{HL7}/questionnaire-unit", []
    )
    if len(codings) > MAX_UNITS:
        refuse(path, "limit-options", f"Up to {MAX_UNITS} units.")
        return ()
    units = []
    for coding in codings:
        match coding:
            case {"system": str(system), "code": str(code)}:
                units.append(Unit(_unit_text(coding, path, refuse) or Text(code), system, code))
            case {"code": str(code)} if "system" not in coding:
                units.append(Unit(_unit_text(coding, path, refuse) or Text(code), code=code))
            case {"display": str()} if "code" not in coding:
                units.append(Unit(_unit_text(coding, path, refuse) or Text("")))
            case _:
                refuse(path, "structure", "A unit is a coding.")
    if not units:
        initial = element.get("initial")
        raw = initial[0] if isinstance(initial, list) and initial else None
        found = values.read_any(raw) if isinstance(raw, dict) else None
        if found and isinstance(found[1], Quantity) and found[1].measure:
            quantity = found[1]
            units.append(Unit(Text(quantity.unit or quantity.code), quantity.system, quantity.code))
    if len({unit.key for unit in units}) < len(units):
        refuse(path, "option-unique", "A unit occurs twice.")
    return tuple(units)


def _unit_choice(parts: Any, path: str, refuse: Refuse) -> UnitChoice | None:
    if not isinstance(parts, dict):
        return None
    question = first(parts, "question")
    units = {}
    for option in parts.get("option", ()):
        match option:
            case {"answer": [str(answer)], "unit": [dict(coding)], "maxValue": [highest]} if (
                is_number(highest)
            ):
                units[answer] = (_unit_text(coding, path, refuse) or Text(answer), highest)
    if not isinstance(question, str) or not units:
        refuse(path, "structure", "A unit choice names a question and its units.")
        return None
    return UnitChoice(question, units)


def _scale_ends(parts: Any, path: str, refuse: Refuse) -> tuple[Text, Text] | None:
    if not isinstance(parts, dict):
        return None
    lower, upper = (_unit_text(first(parts, end), path, refuse) for end in ("lower", "upper"))
    if lower is None or upper is None:
        refuse(path, "structure", "A scale has words at both ends.")
        return None
    return lower, upper


def broken_limits(
    item: Item, given: tuple[Value, ...], *, answers: Answers, today: dt.date | None
) -> Iterator[str]:
    """The rules that these values of one item break, by name.

    `answers` are needed for units that another question decides. Limits relative to today are
    left out when `today` is None.
    """
    if len(given) > 1 and any(
        option.is_exclusive and option.value in given for option in item.options
    ):
        yield "exclusive"
    if item.options and len(set(given)) < len(given):
        yield "duplicate"
    highest = 1 if not item.repeats else item.max_occurs
    if highest is not None and len(given) > highest:
        yield "cardinality"
    if item.repeats and len(given) < item.min_occurs:
        yield "too-few"
    for value in given:
        yield from _broken_by(item, value, answers=answers, today=today)


def _broken_by(
    item: Item, value: Value, *, answers: Answers, today: dt.date | None
) -> Iterator[str]:
    if item.option(value) is not None:
        return
    if isinstance(value, bool):
        if item.must_be_true and not value:
            yield "must-be-true"
    elif isinstance(value, str):
        if item.max_length is not None and len(value) > item.max_length:
            yield "max-length"
        elif item.pattern and not item.pattern.fits(value):
            yield "pattern"
        if len(value.strip()) < (item.min_length or 1):
            yield "min-length"
    else:
        low, high = bounds(item, answers=answers, today=today)
        if low is not None and _is_below(value, low):
            yield "min-value"
        if high is not None and _is_below(high, value):
            yield "max-value"
        number = value.value if isinstance(value, Quantity) else value
        if isinstance(number, int | float):
            yield from _broken_by_number(item, number)


def _is_below(value: Any, other: Any) -> bool:
    """Whether `one` is less than `other`; quantities of different units are not compared."""
    if isinstance(value, Quantity) and isinstance(other, Quantity):
        return value.measure == other.measure and value.value < other.value
    one, two = (v.value if isinstance(v, Quantity) else v for v in (value, other))
    return one < two


def _broken_by_number(item: Item, value: float) -> Iterator[str]:
    exact = Decimal(str(value))
    places = -int(exact.normalize().as_tuple().exponent)
    if item.max_decimal_places is not None and places > item.max_decimal_places:
        yield "max-decimal-places"
    if item.pattern and not item.pattern.fits(str(value)):
        yield "pattern"
    if item.step and exact % Decimal(str(item.step)):
        yield "step"


def bounds(
    item: Item, *, answers: Answers, today: dt.date | None
) -> tuple[Value | None, Value | None]:
    """The smallest and largest value allowed now, in the unit the person chose."""
    low, high = item.min_value, item.max_value
    if item.unit_choice:
        chosen = answers.text(item.unit_choice.question)
        if chosen in item.unit_choice.units:
            high = item.unit_choice.units[chosen][1]
    if today is not None:
        first, last = (None if y is None else _years_from(today, y) for y in item.from_today)
        low, high = low if first is None else first, high if last is None else last
    return low, high


def _years_from(day: dt.date, years: int) -> dt.date:
    # 29 February meets 1 March in a common year, as birthdays do.
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return dt.date(day.year + years, 3, 1)
