"""The shorter questionnaires, made from the intake, so that every question is written once.

`questionnaires/derived/` holds what each says of itself; its `derivedFrom` names the intake. It
asks what the intake marks for the follow-up, or of that the items that it lists by their linkId.
What it says of such an item is added to what the intake says, and null takes away.
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
    """Each file that can be derived, with its text."""
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
    """What is marked, with its help, the question for its unit and the pages around it."""
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
    """The known item of this name, with what is said here on top."""
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
