"""The values that answers, options, limits and conditions have, and how FHIR R4 writes them.

A value is read from the ``value[x]`` of an answer, the ``answer[x]`` of a condition or the
``value[x]`` of an option, and written back the same. Dates and times are whole: "2026-10" is a date
in FHIR but gives no age.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class Code(str):
    """A coding's code. A text with the same characters is not the same answer."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit; two can be compared when their units are the same."""

    value: float
    unit: str = ""
    system: str = ""
    code: str = ""

    @property
    def measure(self) -> str:
        return self.code or self.unit

    def __str__(self) -> str:
        return f"{self.value} {self.unit or self.code}".strip()


type Value = str | int | float | bool | dt.date | dt.time | Quantity

TYPES: Mapping[str, str] = {
    "boolean": "Boolean",
    "integer": "Integer",
    "decimal": "Decimal",
    "date": "Date",
    "dateTime": "DateTime",
    "time": "Time",
    "string": "String",
    "text": "String",
    "url": "Uri",
    "choice": "Coding",
    "open-choice": "Coding",
    "quantity": "Quantity",
}
"""By item type, what ``value[x]`` its answers have; an option may be of another one."""

_CLASSES: Mapping[str, tuple[type, ...]] = {
    "Boolean": (bool,),
    "Integer": (int,),
    "Decimal": (int, float),
    "Date": (dt.date,),
    "DateTime": (dt.datetime,),
    "Time": (dt.time,),
    "String": (str,),
    "Uri": (str,),
    "Coding": (Code,),
    "Quantity": (Quantity,),
}

# FHIR's integer has 32 bits.
MAX_INTEGER = 2**31 - 1

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d\d:\d\d:\d\d(\.\d{1,6})?", re.ASCII)
_DATE_TIME = re.compile(rf"{_DATE.pattern}T{_TIME.pattern}(Z|[+-]\d\d:\d\d)", re.ASCII)
_URL = re.compile(r"[a-z][a-z0-9+.-]*:[^\s<>\"{}|\\^`]+", re.ASCII | re.IGNORECASE)


def read(kind: str, raw: Any) -> Value | None:
    """The value of a FHIR type (``Boolean``, ``Coding``, …), or None when it is not one."""
    match kind, raw:
        case "Boolean", bool():
            return raw
        case ("Integer" | "Decimal", bool()):
            return None
        case "Integer", int() if abs(raw) <= MAX_INTEGER:
            return raw
        case "Decimal", int() | float() if math.isfinite(raw):
            return raw
        case "Date", str() if _DATE.fullmatch(raw):
            return _or_none(dt.date.fromisoformat, raw)
        case "DateTime", str() if _DATE_TIME.fullmatch(raw):
            return _or_none(dt.datetime.fromisoformat, raw)
        case "Time", str() if _TIME.fullmatch(raw):
            return _or_none(dt.time.fromisoformat, raw)
        case "String", str():
            return raw
        case "Uri", str() if is_url(raw):
            return raw
        case "Coding", {"code": str(code)} if code.strip():
            return Code(code)
        case "Quantity", {"value": value} if (
            isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        ):
            names = [raw.get(name, "") for name in ("unit", "system", "code")]
            is_exact = "comparator" not in raw and all(isinstance(name, str) for name in names)
            return Quantity(value, *names) if is_exact else None
    return None


def is_a(kind: str, value: Value) -> bool:
    """Whether the value is of that FHIR type."""
    return type(value) in _CLASSES[kind]


def read_any(element: Mapping[str, Any], prefix: str = "value") -> tuple[str, Value] | None:
    """Return the FHIR type and value of the only ``prefix[x]``; None without exactly one."""
    found = [name for name in element if name.startswith(prefix) and name != prefix]
    if len(found) != 1:
        return None
    kind = found[0].removeprefix(prefix)
    value = read(kind, element[found[0]])
    return None if value is None else (kind, value)


def written(kind: str, value: Value, *, system: str = "", display: str = "") -> dict[str, Any]:
    """The value as the ``value[x]`` of a FHIR element."""
    name = f"value{kind}"
    if kind == "Coding":
        coding = {"system": system, "code": str(value), "display": display}
        return {name: {key: part for key, part in coding.items() if part}}
    if isinstance(value, Quantity):
        parts = {"value": value.value, "unit": value.unit}
        parts |= {"system": value.system, "code": value.code} if value.code else {}
        return {name: {key: part for key, part in parts.items() if part != ""}}
    if isinstance(value, dt.date | dt.time):
        return {name: value.isoformat()}
    return {name: value}


def is_url(text: str) -> bool:
    """Whether it is an absolute address of any scheme; it is shown as text, never followed."""
    return len(text) <= 2000 and _URL.fullmatch(text) is not None


def _or_none(parse: Any, text: str) -> Any:
    try:
        return parse(text)
    except ValueError:
        return None
