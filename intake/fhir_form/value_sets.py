"""Contained value sets of a questionnaire, read into the elements of options.

Only what is in the file is read. Nothing is fetched, and filters are not evaluated: that needs a
terminology server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# No list that a person picks from nests as deep.
MAX_DEPTH = 10


class UnknownValueSet(ValueError):
    """The concepts are not in the questionnaire; the message says why."""


def concepts(questionnaire: Mapping[str, Any], canonical: Any) -> list[dict[str, Any]]:
    """The codings of a contained value set, named ``#id`` or by its own address.

    Raises UnknownValueSet when there is none, or when it does not list what is in it.
    """
    found = _contained(questionnaire, canonical)
    expansion, compose = found.get("expansion"), found.get("compose")
    if isinstance(expansion, dict):
        codings = [*_expanded(expansion.get("contains"))]
    elif isinstance(compose, dict):
        codings = [*_listed(compose)]
    else:
        codings = []
    if not codings:
        raise UnknownValueSet("The value set lists no concepts.")
    return codings


def _contained(questionnaire: Mapping[str, Any], canonical: Any) -> Mapping[str, Any]:
    contained = questionnaire.get("contained")
    if isinstance(canonical, str) and isinstance(contained, list):
        for resource in contained:
            if isinstance(resource, dict) and resource.get("resourceType") == "ValueSet":
                names = [f"#{resource.get('id')}", resource.get("url")]
                if canonical in names or canonical.partition("|")[0] in names[1:]:
                    return resource
    raise UnknownValueSet("A value set has to be contained in the file: nothing is fetched.")


def _expanded(contains: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    for concept in contains if isinstance(contains, list) and depth < MAX_DEPTH else ():
        if not isinstance(concept, dict):
            raise UnknownValueSet("The expansion is a list of concepts.")
        if concept.get("abstract") is not True and concept.get("inactive") is not True:
            yield _coding(concept, concept.get("system"))
        yield from _expanded(concept.get("contains"), depth + 1)


def _listed(compose: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    includes = compose.get("include")
    if "exclude" in compose or not isinstance(includes, list):
        raise UnknownValueSet("A value set that excludes needs a terminology server.")
    for include in includes:
        listed = include.get("concept") if isinstance(include, dict) else None
        if not isinstance(listed, list) or "filter" in include or "valueSet" in include:
            raise UnknownValueSet("A value set has to list its concepts one by one.")
        for concept in listed:
            if not isinstance(concept, dict):
                raise UnknownValueSet("A concept is an object.")
            yield _coding(concept, include.get("system"))


def _coding(concept: Mapping[str, Any], system: Any) -> dict[str, Any]:
    coding = {"code": concept.get("code"), "display": concept.get("display", "")}
    if system is not None:
        coding["system"] = system
    if "_display" in concept:
        coding["_display"] = concept["_display"]
    elif isinstance(concept.get("designation"), list):
        coding["_display"] = {"extension": [*_translations(concept["designation"])]}
    return coding


def _translations(designations: list[Any]) -> Iterator[dict[str, Any]]:
    """A concept's other names as the extension that every other text is translated with."""
    for designation in designations:
        if isinstance(designation, dict) and isinstance(designation.get("language"), str):
            yield {
                "url": "http://hl7.org/fhir/StructureDefinition/translation",
                "extension": [
                    {"url": "lang", "valueCode": designation["language"]},
                    {"url": "content", "valueString": designation.get("value")},
                ],
            }
