"""Read FHIR R4 Questionnaire JSON into items, or say exactly why not.

Anything we could not ask, store and export faithfully is refused rather than ignored: item types
we do not render, value sets that live elsewhere, regular expressions, modifier extensions.
Nothing is fetched. Extensions we do not know are harmless by FHIR's rules and are skipped.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from intake.answers import Value
from intake.extensions import (
    HL7,
    OURS,
    constraints,
    controls,
    extensions_of,
    first,
    is_unreadable,
    observation,
    truth,
    years,
)
from intake.items import (
    OPERATORS,
    Condition,
    Issue,
    Item,
    Option,
    Text,
    UnitChoice,
)

QUESTION_TYPES = {
    "boolean": bool,
    "integer": int,
    "decimal": float,
    "date": dt.date,
    "string": str,
    "text": str,
    "choice": str,
}
TYPES = {"group", "display", *QUESTION_TYPES}
TEXT_TYPES = {"string", "text"}
ITEM_PROPERTIES = {
    "id", "extension", "linkId", "definition", "code", "prefix", "text", "type", "enableWhen",
    "enableBehavior", "required", "repeats", "readOnly", "maxLength", "answerOption", "item",
}  # fmt: skip

MAX_ITEMS = 1000
MAX_DEPTH = 6
MAX_OPTIONS = 200
MAX_CONDITIONS = 50
MAX_TEXT = 4000
MAX_TITLE = 200
MAX_LINK_ID = 100
MAX_ANSWER_LENGTH = 4000
MAX_OCCURS = 20


class Reader:
    """Collects the items of one Questionnaire and every issue met on the way."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self.count = 0

    def refuse(self, path: str, rule: str, message: str) -> None:
        self.issues.append(Issue(path, rule, message))

    def read(self, questionnaire: Any) -> tuple[Item, ...]:
        """The top-level items; whether they can be used, :attr:`issues` tells."""
        path = "Questionnaire"
        if not isinstance(questionnaire, dict):
            self.refuse(path, "structure", "A Questionnaire is a JSON object.")
            return ()
        if questionnaire.get("resourceType") != "Questionnaire":
            self.refuse(f"{path}.resourceType", "structure", "Not a Questionnaire.")
            return ()
        if is_unreadable(questionnaire):
            self.refuse(
                path, "structure", "Nested too deep, or with NUL, surrogates or endless numbers."
            )
            return ()
        for name, longest in (("url", 200), ("version", 20), ("status", 20)):
            value = questionnaire.get(name)
            if not isinstance(value, str) or not 0 < len(value.strip()) <= longest:
                self.refuse(f"{path}.{name}", "required", f"`{name}`: 1 to {longest} characters.")
        if len(self.title(questionnaire).default) > MAX_TITLE:
            self.refuse(f"{path}.title", "limit-text", f"Up to {MAX_TITLE} characters.")
        self._no_modifiers(questionnaire, path)
        items = self._items(questionnaire.get("item"), path, depth=1)
        if not items and not self.issues:
            self.refuse(f"{path}.item", "required", "A questionnaire asks something.")
        return items

    def title(self, questionnaire: Mapping[str, Any]) -> Text:
        """The questionnaire's title, or an empty text."""
        return self._text(questionnaire, "title", "Questionnaire")

    def _items(self, elements: Any, path: str, *, depth: int) -> tuple[Item, ...]:
        if elements is None:
            return ()
        if not isinstance(elements, list) or not all(isinstance(e, dict) for e in elements):
            self.refuse(f"{path}.item", "structure", "`item` is a list of objects.")
            return ()
        if depth > MAX_DEPTH:
            self.refuse(f"{path}.item", "limit-depth", f"More than {MAX_DEPTH} levels.")
            return ()
        self.count += len(elements)
        if self.count > MAX_ITEMS:
            self.refuse(f"{path}.item", "limit-items", f"More than {MAX_ITEMS} items.")
            return ()
        read = (
            self._item(element, f"{path}.item[{index}]", depth=depth)
            for index, element in enumerate(elements)
        )
        return tuple(item for item in read if item is not None)

    def _item(self, element: dict[str, Any], path: str, *, depth: int) -> Item | None:
        type_ = element.get("type")
        link_id = element.get("linkId")
        if not isinstance(link_id, str) or not 0 < len(link_id) <= MAX_LINK_ID:
            self.refuse(f"{path}.linkId", "required", f"A linkId of 1 to {MAX_LINK_ID} characters.")
            return None
        if any(character.isspace() or not character.isprintable() for character in link_id):
            # It becomes the name and id of a form field.
            self.refuse(f"{path}.linkId", "unsupported-link-id", "A linkId without spaces.")
            return None
        if not isinstance(type_, str) or type_ not in TYPES:
            self.refuse(
                f"{path}.type", "unsupported-type", f"Types we ask: {', '.join(sorted(TYPES))}."
            )
            return None
        for name in sorted(element.keys() - ITEM_PROPERTIES):
            if name != "modifierExtension" and not name.startswith("_"):
                self.refuse(f"{path}.{name}", "unsupported-property", f"`{name}` is not supported.")
        self._no_modifiers(element, path)

        extensions = extensions_of(element)
        children = self._items(element.get("item"), path, depth=depth + 1)
        self._shape(element, type_, children, path)
        help_texts = [child for child in children if "help" in child.controls]
        item = Item(
            link_id=link_id,
            type=type_,
            text=self._text(element, "text", path),
            items=tuple(child for child in children if "help" not in child.controls),
            help=help_texts[0].text if help_texts else None,
            required=self._flag(element, "required", path),
            repeats=self._flag(element, "repeats", path),
            read_only=self._flag(element, "readOnly", path),
            is_hidden=truth(extensions, f"{HL7}/questionnaire-hidden"),
            is_optional_detail=truth(extensions, f"{OURS}/tell-us-more"),
            is_follow_up=truth(extensions, f"{OURS}/follow-up"),
            must_be_true=truth(extensions, f"{OURS}/must-be-true"),
            options=self._options(element, type_, path),
            conditions=self._conditions(element, path),
            enable_all=element.get("enableBehavior") != "any",
            controls=frozenset(controls(extensions)),
            constraints=tuple(constraints(extensions)),
            observation=observation(element, extensions),
            **self._limits(element, type_, extensions, path),
        )
        if item.required and (item.read_only or item.is_hidden):
            self.refuse(
                path, "hidden-required", "Nobody can answer a required item that is hidden."
            )
        return item

    def _shape(
        self, element: Mapping[str, Any], type_: str, children: tuple[Item, ...], path: str
    ) -> None:
        """The invariants of R4 that concern one item (que-1 to que-10)."""
        if type_ == "group" and not children:
            self.refuse(path, "que-1", "A group has items.")
        elif type_ == "display" and "item" in element:
            self.refuse(path, "que-1", "A display has no items.")
        elif type_ not in ("group", "display") and any(c.type != "display" for c in children):
            self.refuse(
                f"{path}.item", "unsupported-nesting", "A question may hold display items only."
            )
        if type_ == "display":
            for name, rule in (
                ("code", "que-3"),
                ("required", "que-6"),
                ("repeats", "que-6"),
                ("readOnly", "que-9"),
            ):
                if name in element:
                    self.refuse(f"{path}.{name}", rule, f"A display has no `{name}`.")
        if element.get("repeats") is True and type_ not in ("choice", "group", "display"):
            self.refuse(f"{path}.repeats", "unsupported-repeats", "Only choices and groups repeat.")
        if "maxLength" in element and type_ not in TEXT_TYPES:
            self.refuse(f"{path}.maxLength", "que-10", "Only texts have a length.")
        text = element.get("text")
        if type_ != "group" and not (isinstance(text, str) and text.strip()):
            self.refuse(f"{path}.text", "required", "A question needs words.")

    def _text(self, element: Mapping[str, Any], name: str, path: str) -> Text:
        default = element.get(name, "")
        if not isinstance(default, str) or len(default) > MAX_TEXT:
            self.refuse(f"{path}.{name}", "limit-text", f"Up to {MAX_TEXT} characters.")
            return Text("")
        translations = {}
        sidecar = element.get(f"_{name}")
        if isinstance(sidecar, dict):
            for parts in extensions_of(sidecar).get(f"{HL7}/translation", ()):
                if isinstance(parts, dict):
                    lang, content = first(parts, "lang"), first(parts, "content")
                    if isinstance(lang, str) and isinstance(content, str):
                        translations[lang] = content[:MAX_TEXT]
        return Text(default, translations)

    def _flag(self, element: Mapping[str, Any], name: str, path: str) -> bool:
        value = element.get(name, False)
        if not isinstance(value, bool):
            self.refuse(f"{path}.{name}", "structure", f"`{name}` is true or false.")
            return False
        return value

    def _options(self, element: Mapping[str, Any], type_: str, path: str) -> tuple[Option, ...]:
        elements = element.get("answerOption")
        if elements is None:
            if type_ == "choice":
                self.refuse(path, "unsupported-options", "A choice lists its own answerOption.")
            return ()
        path = f"{path}.answerOption"
        if type_ != "choice":
            self.refuse(path, "que-5", "Only a choice has options.")
            return ()
        if not isinstance(elements, list) or not elements or len(elements) > MAX_OPTIONS:
            self.refuse(path, "limit-options", f"A choice has 1 to {MAX_OPTIONS} options.")
            return ()
        options: list[Option] = []
        for index, option in enumerate(elements):
            read = self._option(option, f"{path}[{index}]")
            if read is not None:
                if any(read.value == other.value for other in options):
                    self.refuse(f"{path}[{index}]", "option-unique", "An option occurs twice.")
                options.append(read)
        return tuple(options)

    def _option(self, element: Any, path: str) -> Option | None:
        match element:
            case {"initialSelected": True}:
                self.refuse(path, "unsupported-initial", "Nothing is answered beforehand.")
                return None
            case {"valueCoding": {"code": str(code)} as coding} if code.strip():
                text = self._text(coding, "display", f"{path}.valueCoding")
                kind, value = "Coding", code
                system = coding.get("system", "")
                text = text if text.default else Text(code)
            case {"valueString": str(value)} | {"valueInteger": int(value)} if not isinstance(
                value, bool
            ):
                kind, system, text = type(value).__name__, "", Text(str(value))
                kind = {"str": "string", "int": "integer"}[kind]
            case _:
                self.refuse(path, "unsupported-option", "Options are codings, texts or integers.")
                return None
        if not isinstance(system, str) or (isinstance(value, str) and len(value) > MAX_LINK_ID):
            self.refuse(path, "limit-text", f"A code has up to {MAX_LINK_ID} characters.")
            return None
        exclusive = truth(extensions_of(element), f"{HL7}/questionnaire-optionExclusive")
        return Option(value, text, kind, system, exclusive)

    def _conditions(self, element: Mapping[str, Any], path: str) -> tuple[Condition, ...]:
        elements = element.get("enableWhen", [])
        behavior = element.get("enableBehavior")
        if behavior not in (None, "all", "any"):
            self.refuse(f"{path}.enableBehavior", "structure", "`all` or `any`.")
        path = f"{path}.enableWhen"
        if not isinstance(elements, list) or len(elements) > MAX_CONDITIONS:
            self.refuse(path, "structure", f"A list of up to {MAX_CONDITIONS} conditions.")
            return ()
        if len(elements) > 1 and behavior is None:
            self.refuse(path, "que-12", "Several conditions need `enableBehavior`.")
        read = (
            self._condition(condition, f"{path}[{index}]")
            for index, condition in enumerate(elements)
        )
        return tuple(condition for condition in read if condition is not None)

    def _condition(self, element: Any, path: str) -> Condition | None:
        match element:
            case {"question": str(question), "operator": "exists", "answerBoolean": bool(value)}:
                return Condition(question, "exists", value)
            case {"operator": "exists"}:
                self.refuse(path, "que-7", "`exists` compares with `answerBoolean`.")
                return None
            case {"question": str(question), "operator": str(operator)} if operator in OPERATORS:
                expected = _condition_value(element)
                if expected is not None:
                    return Condition(question, operator, expected)
        self.refuse(path, "unsupported-condition", "A question, an operator and an answer we know.")
        return None

    def _limits(
        self,
        element: Mapping[str, Any],
        type_: str,
        extensions: Mapping[str, list[Any]],
        path: str,
    ) -> dict[str, Any]:
        if f"{HL7}/regex" in extensions:
            self.refuse(path, "unsupported-regex", "Regular expressions are not run.")
        limits: dict[str, Any] = {
            "min_value": self._bound(extensions, "minValue", type_, path),
            "max_value": self._bound(extensions, "maxValue", type_, path),
            "from_today": (
                years(extensions, f"{OURS}/min-from-today"),
                years(extensions, f"{OURS}/max-from-today"),
            ),
            "max_decimal_places": self._count(extensions, f"{HL7}/maxDecimalPlaces", path, 6),
            "min_length": self._count(extensions, f"{HL7}/minLength", path, MAX_ANSWER_LENGTH),
            "min_occurs": self._count(
                extensions, f"{HL7}/questionnaire-minOccurs", path, MAX_OCCURS
            )
            or 0,
            "max_occurs": self._count(
                extensions, f"{HL7}/questionnaire-maxOccurs", path, MAX_OPTIONS
            ),
            "unit": self._unit(first(extensions, f"{HL7}/questionnaire-unit"), path),
            "unit_choice": self._unit_choice(first(extensions, f"{OURS}/unit-choice"), path),
            "scale_ends": self._scale_ends(first(extensions, f"{OURS}/scale-ends"), path),
        }
        step = first(extensions, f"{OURS}/step")
        limits["step"] = step if _is_number(step) and step > 0 else None
        if type_ in TEXT_TYPES:
            length = element.get("maxLength", MAX_ANSWER_LENGTH)
            if not _is_integer(length) or not 0 < length <= MAX_ANSWER_LENGTH:
                self.refuse(f"{path}.maxLength", "limit-length", f"1 to {MAX_ANSWER_LENGTH}.")
            limits["max_length"] = length
        low, high = limits["min_value"], limits["max_value"]
        if low is not None and high is not None and low > high:
            self.refuse(path, "limit-range", "The smallest value is above the largest.")
        return limits

    def _bound(
        self, extensions: Mapping[str, list[Any]], name: str, type_: str, path: str
    ) -> Value | None:
        value = first(extensions, f"{HL7}/{name}")
        if value is None:
            return None
        if type_ == "date" and isinstance(value, str):
            value = _date(value)
        if (type_ in ("integer", "decimal") and _is_number(value)) or (
            type_ == "date" and isinstance(value, dt.date)
        ):
            return value
        self.refuse(path, "limit-range", f"{name} does not fit the type.")
        return None

    def _count(
        self, extensions: Mapping[str, list[Any]], url: str, path: str, highest: int
    ) -> int | None:
        value = first(extensions, url)
        if value is None or (_is_integer(value) and 0 <= value <= highest):
            return value
        self.refuse(path, "limit-range", f"{url.rsplit('/', 1)[1]} is 0 to {highest}.")
        return None

    def _unit(self, coding: Any, path: str) -> Text | None:
        if not isinstance(coding, dict):
            return None
        text = self._text(coding, "display", path)
        return text if text.default else Text(str(coding.get("code", "")))

    def _unit_choice(self, parts: Any, path: str) -> UnitChoice | None:
        if not isinstance(parts, dict):
            return None
        question = first(parts, "question")
        units = {}
        for option in parts.get("option", ()):
            match option:
                case {"answer": [str(answer)], "unit": [dict(coding)], "maxValue": [highest]} if (
                    _is_number(highest)
                ):
                    units[answer] = (self._unit(coding, path) or Text(answer), highest)
        if not isinstance(question, str) or not units:
            self.refuse(path, "structure", "A unit choice names a question and its units.")
            return None
        return UnitChoice(question, units)

    def _scale_ends(self, parts: Any, path: str) -> tuple[Text, Text] | None:
        if not isinstance(parts, dict):
            return None
        lower, upper = (self._unit(first(parts, end), path) for end in ("lower", "upper"))
        if lower is None or upper is None:
            self.refuse(path, "structure", "A scale has words at both ends.")
            return None
        return lower, upper

    def _no_modifiers(self, element: Mapping[str, Any], path: str) -> None:
        if "modifierExtension" in element:
            self.refuse(
                f"{path}.modifierExtension", "unsupported-modifier", "It could change the meaning."
            )


def _condition_value(element: Mapping[str, Any]) -> Value | None:
    match element:
        case {"answerCoding": {"code": str(value)}}:
            return value
        case {"answerString": str(value)} | {"answerBoolean": bool(value)}:
            return value
        case {"answerInteger": value} | {"answerDecimal": value} if _is_number(value):
            return value
        case {"answerDate": str(value)}:
            return _date(value)
    return None


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if len(text) == len("2026-10-01") else None
    except ValueError:
        return None


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
