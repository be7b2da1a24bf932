"""Read FHIR extensions, and recognise JSON that is not safe to read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from clinic.security.request_limits import UNSTORABLE
from intake.fhir_form.items import OWN, Constraint

HL7 = "http://hl7.org/fhir/StructureDefinition"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition"
OURS = f"{OWN}/StructureDefinition"

# Real forms nest far less deep; this bounds the recursion of everything that reads one.
MAX_JSON_DEPTH = 60
MAX_NUMBER = 10**18


def is_unreadable(value: Any) -> bool:
    """Whether it holds text or numbers that no database column stores, or nests too deep."""
    level = [value]
    for _ in range(MAX_JSON_DEPTH):
        if not level:
            return False
        if any(_is_unstorable(v) for v in level):
            return True
        level = [child for v in level for child in _children(v)]
    return True


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return (*value.keys(), *value.values())
    return value if isinstance(value, list) else ()


def _is_unstorable(value: Any) -> bool:
    if isinstance(value, str):
        return UNSTORABLE.search(value) is not None
    if isinstance(value, float):
        return not math.isfinite(value)
    return isinstance(value, int) and abs(value) > MAX_NUMBER


def extensions_of(element: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Values of the element's extensions by url; a complex extension gives such a dict again."""
    found: dict[str, list[Any]] = {}
    extensions = element.get("extension")
    for extension in extensions if isinstance(extensions, list) else ():
        if isinstance(extension, dict) and isinstance(extension.get("url"), str):
            values = [value for key, value in extension.items() if key.startswith("value")]
            found.setdefault(extension["url"], []).append(
                values[0] if values else extensions_of(extension)
            )
    return found


def first(extensions: Mapping[str, list[Any]], url: str) -> Any:
    return next(iter(extensions.get(url, ())), None)


def truth(extensions: Mapping[str, list[Any]], url: str) -> bool:
    return first(extensions, url) is True


def controls(extensions: Mapping[str, list[Any]]) -> Iterator[str]:
    for concept in extensions.get(f"{HL7}/questionnaire-itemControl", ()):
        codings = concept.get("coding") if isinstance(concept, dict) else None
        for coding in codings if isinstance(codings, list) else ():
            if isinstance(coding, dict) and isinstance(coding.get("code"), str):
                yield coding["code"]


def constraints(extensions: Mapping[str, list[Any]]) -> Iterator[Constraint]:
    for parts in extensions.get(f"{HL7}/questionnaire-constraint", ()):
        if isinstance(parts, dict) and isinstance(key := first(parts, "key"), str):
            yield Constraint(key, first(parts, "severity") == "error")


def observation(
    element: Mapping[str, Any], extensions: Mapping[str, list[Any]]
) -> Mapping[str, Any] | None:
    codes = element.get("code")
    if not truth(extensions, f"{SDC}/sdc-questionnaire-observationExtract"):
        return None
    return codes[0] if isinstance(codes, list) and codes and isinstance(codes[0], dict) else None


def years(extensions: Mapping[str, list[Any]], url: str) -> int | None:
    match first(extensions, url):
        case {"value": int(years), "code": "a"} if abs(years) <= 200:
            return years
    return None
