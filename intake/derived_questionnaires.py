"""The shorter questionnaires, derived from the intake, so that every question is written once.

`questionnaires/derived/` has a template for each; its `derivedFrom` names the intake. It asks the
items that the intake marks for the follow-up, or those of them that it lists by their linkId.
Its own properties of such an item are added to the intake's; null removes a property.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from intake.fhir_form.extensions import OURS, extensions_of, first, truth
from intake.models.questionnaires import SHIPPED

FOLLOW_UP = f"{OURS}/follow-up"

type Element = dict[str, Any]


def derived() -> Iterator[tuple[Path, str]]:
    """Yield the path and the text of each derived file."""
    for path in sorted((SHIPPED / "derived").glob("*.json")):
        template = json.loads(path.read_text())
        (source,) = template.pop("derivedFrom")
        name, version = source.rsplit("/", 1)[1].split("|")
        items = _marked(json.loads((SHIPPED / f"{name}-{version}.json").read_text())["item"])
        if "item" in template:
            known = {item["linkId"]: item for item in _walk(items)}
            items = [_taken(item, known) for item in template["item"]]
        content = template | {"item": items}
        yield SHIPPED / path.name, json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _marked(items: list[Element]) -> list[Element]:
    """Return the marked items, with their help, the question for their unit and their pages."""
    extensions = {item["linkId"]: extensions_of(item) for item in _walk(items)}
    asked = {link_id for link_id, found in extensions.items() if truth(found, FOLLOW_UP)}
    for link_id in tuple(asked):
        if unit := first(extensions[link_id], f"{OURS}/unit-choice"):
            asked.add(first(unit, "question"))

    def kept(items: Iterable[Element], *, with_help: bool = False) -> Iterator[Element]:
        for item in items:
            is_asked = item["linkId"] in asked
            is_question = is_asked and item["type"] != "group"
            below = [*kept(item.get("item", ()), with_help=is_question)]
            if is_asked or below or (with_help and item["type"] == "display"):
                yield _without_mark(item) | ({"item": below} if below else {})

    pages = [*kept(items)]
    for number, page in enumerate(pages, 1):
        page["prefix"] = str(number)
    return pages


def _without_mark(item: Element) -> Element:
    extensions = [one for one in item.get("extension", ()) if one["url"] != FOLLOW_UP]
    left = item | {"extension": extensions, "item": []}
    return {key: value for key, value in left.items() if value != []}


def _taken(item: Element, known: Mapping[str, Element]) -> Element:
    """Return the known item with this linkId, overridden by the properties given here."""
    taken = known.get(item["linkId"], {})
    merged = taken | item
    if "item" in item:
        merged["item"] = [_taken(child, known) for child in item["item"]]
    if "extension" in item:
        merged["extension"] = [*taken.get("extension", ()), *item["extension"]]
    return {key: value for key, value in merged.items() if value is not None}


def _walk(items: Iterable[Element]) -> Iterator[Element]:
    for item in items:
        yield item
        yield from _walk(item.get("item", ()))
