"""A person's answers, read from a FHIR R4 QuestionnaireResponse.

The clinical rules ask questions such as "is `worse` among the answers to `safety-leg-power`?"
and must not depend on how FHIR nests groups or names the type of a value. :class:`Answers` is a
flat, immutable view that does not use the database.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from intake.values import TYPES, Code, Quantity, Value, read_any


class Answers:
    """Answers by linkId.

    An item that was not answered is absent: every method returns false, empty or ``None`` for it.
    A blank text or an empty list counts as not answered.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Iterable[Value]] | None = None) -> None:
        kept = {}
        for link_id, answered in (values or {}).items():
            present = tuple(value for value in answered if value != "")
            if present:
                kept[link_id] = present
        self._values: Mapping[str, tuple[Value, ...]] = kept

    @classmethod
    def from_response(cls, response: Mapping[str, Any]) -> Answers:
        """Read a QuestionnaireResponse, or any mapping with its nested ``item`` list.

        Items that occur several times (a repeating group's children) are collected in document
        order. A coding gives its ``code``, without the ``<linkId>.`` prefix that exports carry.
        Values of a FHIR type that no question of ours has are left out.
        """
        collected: dict[str, list[Value]] = {}
        for link_id, value in _walk(response.get("item", ())):
            collected.setdefault(link_id, []).append(value)
        return cls(collected)

    @classmethod
    def of(cls, **by_link: Any) -> Answers:
        """Return answers from keyword arguments, with ``_`` for ``-`` in the linkId.

        ``Answers.of(safety_nerve=["none"], pain_worst=3)``. ``None`` means not answered.
        """
        return cls(
            {
                name.replace("_", "-"): [
                    Code(one) if isinstance(one, str) else one
                    for one in (value if isinstance(value, list | tuple) else [value])
                ]
                for name, value in by_link.items()
                if value is not None
            }
        )

    def within(self, link_ids: Iterable[str], occurrence: Mapping[str, Any]) -> Answers:
        """Return the same answers, seen from one occurrence of a repeating group.

        Of its own `link_ids` only those of the occurrence count, not its neighbours'.
        """
        own = set(link_ids)
        kept = {key: values for key, values in self._values.items() if key not in own}
        return Answers({**kept, **Answers.from_response(occurrence)._values})

    def values(self, link_id: str) -> tuple[Value, ...]:
        """All values of the item, in order; empty when it was not answered."""
        return self._values.get(link_id, ())

    def answered(self, link_id: str) -> bool:
        return link_id in self._values

    def has(self, link_id: str, *codes: str | bool) -> bool:
        """Whether any of `codes` was answered; booleans are codes too: ``has("leg-any", True)``."""
        return any(_same(value, code) for value in self.values(link_id) for code in codes)

    def lacks(self, link_id: str, *codes: str | bool) -> bool:
        """Whether the item was answered, and with none of `codes`.

        The decision tables' ``NOT has(…)``. It differs from ``not has(…)`` where nothing was
        answered: a missing answer makes a rule false, never true.
        """
        return self.answered(link_id) and not self.has(link_id, *codes)

    def only(self, link_id: str, code: str | bool) -> bool:
        """Whether `code` is the only answer."""
        values = self.values(link_id)
        return len(values) == 1 and _same(values[0], code)

    def count(self, link_id: str, codes: Iterable[str]) -> int:
        """How many of the distinct `codes` were picked."""
        return sum(self.has(link_id, code) for code in set(codes))

    def number(self, link_id: str) -> float | None:
        """The first numeric answer, in the unit the questionnaire asks for."""
        return next(iter(self.numbers(link_id)), None)

    def numbers(self, link_id: str) -> tuple[float, ...]:
        """Every numeric answer, for items of a repeating group."""
        plain = (v.value if isinstance(v, Quantity) else v for v in self.values(link_id))
        return tuple(v for v in plain if isinstance(v, int | float) and not isinstance(v, bool))

    def date(self, link_id: str) -> dt.date | None:
        """The first answer that is a whole calendar date."""
        for value in self.values(link_id):
            if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
                return value
        return None

    def text(self, link_id: str) -> str:
        """The first textual answer, or an empty string."""
        for value in self.values(link_id):
            if isinstance(value, str):
                return value
        return ""

    def link_ids(self) -> frozenset[str]:
        return frozenset(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Answers) and self._values == other._values

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        # Answers are health details: a traceback or a log line must not show them.
        return f"<Answers to {len(self._values)} items>"


def _same(value: Value, code: str | bool) -> bool:
    # bool is an int in Python; without the type check `True` would equal a pain score of 1.
    return isinstance(value, bool) == isinstance(code, bool) and value == code


def _walk(items: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Value]]:
    for item in items:
        link_id = item["linkId"]
        for answer in item.get("answer", ()):
            value = _value(answer, link_id)
            if value is not None:
                yield link_id, value
            yield from _walk(answer.get("item", ()))
        yield from _walk(item.get("item", ()))


def _value(answer: Mapping[str, Any], link_id: str) -> Value | None:
    found = read_any(answer)
    if found is None or found[0] not in _KINDS:
        return None
    value = found[1]
    if isinstance(value, Code):
        return Code(value.removeprefix(f"{link_id}."))
    return value.strip() if isinstance(value, str) else value


_KINDS = frozenset(TYPES.values())
