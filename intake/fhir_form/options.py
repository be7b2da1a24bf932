"""Read the options of a choice, and its initial answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from intake import values
from intake.fhir_form.extensions import HL7, extensions_of, truth
from intake.fhir_form.items import Option, Text
from intake.fhir_form.texts import Refuse, read_text
from intake.fhir_form.value_sets import UnknownValueSet, concepts
from intake.values import Value

CHOICES = ("choice", "open-choice")
KINDS = {
    "valueCoding": "Coding",
    "valueString": "String",
    "valueInteger": "Integer",
    "valueDate": "Date",
    "valueTime": "Time",
}
MAX_OPTIONS = 200
MAX_CODE = 100
MAX_INITIAL = 20


def read_options(
    element: Mapping[str, Any],
    type_: str,
    path: str,
    *,
    questionnaire: Mapping[str, Any],
    refuse: Refuse,
) -> tuple[tuple[Option, ...], tuple[Value, ...]]:
    """The options of an item, and those with ``initialSelected``."""
    listed, value_set = element.get("answerOption"), element.get("answerValueSet")
    if listed is not None and value_set is not None:
        refuse(path, "que-4", "Either answerOption or answerValueSet.")
        return (), ()
    if listed is None and value_set is None:
        if type_ in CHOICES:
            refuse(path, "unsupported-options", "A choice lists its options.")
        return (), ()
    path = f"{path}.{'answerValueSet' if listed is None else 'answerOption'}"
    if type_ not in CHOICES:
        refuse(path, "que-5", "Only a choice has options.")
        return (), ()
    if listed is None:
        try:
            listed = [{"valueCoding": coding} for coding in concepts(questionnaire, value_set)]
        except UnknownValueSet as error:
            refuse(path, "unsupported-value-set", str(error))
            return (), ()
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_OPTIONS:
        refuse(path, "limit-options", f"A choice has 1 to {MAX_OPTIONS} options.")
        return (), ()
    options: list[Option] = []
    selected: list[Value] = []
    for index, raw in enumerate(listed):
        where = f"{path}[{index}]"
        option = _option(raw, where, refuse)
        if option is None:
            continue
        if any(option.key == other.key for other in options):
            refuse(where, "option-unique", "An option occurs twice.")
        options.append(option)
        if raw.get("initialSelected") is True:
            selected.append(option.value)
    return tuple(options), tuple(selected)


def _option(element: Any, path: str, refuse: Refuse) -> Option | None:
    found = values.read_any(element) if isinstance(element, dict) else None
    if found is None or found[0] not in KINDS.values():
        refuse(path, "unsupported-option", "Options are codings, texts, integers, dates or times.")
        return None
    kind, value = found
    if "modifierExtension" in element:
        refuse(path, "unsupported-modifier", "It could change the meaning.")
    if kind == "Coding":
        coding = element["valueCoding"]
        text, system = (
            read_text(coding, "display", f"{path}.valueCoding", refuse),
            coding.get("system", ""),
        )
    else:
        sidecar = {"text": str(value), "_text": element.get(f"_value{kind}")}
        text, system = read_text(sidecar, "text", path, refuse), ""
    key = str(value)
    if not isinstance(system, str) or not 0 < len(key) <= MAX_CODE or not key.isprintable():
        refuse(path, "limit-text", f"A code has 1 to {MAX_CODE} characters.")
        return None
    exclusive = truth(extensions_of(element), f"{HL7}/questionnaire-optionExclusive")
    return Option(value, text if text.default else Text(key), kind, system, exclusive)


def read_initial(
    element: Mapping[str, Any],
    type_: str,
    path: str,
    *,
    options: tuple[Option, ...],
    selected: tuple[Value, ...],
    refuse: Refuse,
) -> tuple[Value, ...]:
    """The initial answers: ``initial``, or the options with ``initialSelected``."""
    initial = element.get("initial")
    if initial is None:
        if len(selected) > 1 and element.get("repeats") is not True:
            refuse(path, "que-13", "Only a question that repeats begins with several answers.")
        return selected
    path = f"{path}.initial"
    if type_ in ("group", "display"):
        refuse(path, "que-8", "Only a question has an initial answer.")
    elif "answerOption" in element:
        refuse(path, "que-11", "Options say themselves which one is selected.")
    elif not isinstance(initial, list) or not 0 < len(initial) <= MAX_INITIAL:
        refuse(path, "structure", f"A list of 1 to {MAX_INITIAL} values.")
    elif len(initial) > 1 and element.get("repeats") is not True:
        refuse(path, "que-13", "Only a question that repeats begins with several answers.")
    else:
        read = [_initial(raw, type_, options) for raw in initial]
        if None not in read:
            return tuple(value for value in read if value is not None)
        refuse(path, "initial-type", "It is not an answer to this question.")
    return ()


def _initial(raw: Any, type_: str, options: tuple[Option, ...]) -> Value | None:
    found = values.read_any(raw) if isinstance(raw, dict) else None
    if found is None:
        return None
    kind, value = found
    if type_ in CHOICES:
        is_option = any(type(o.value) is type(value) and o.value == value for o in options)
        is_free = type_ == "open-choice" and kind == "String"
        return value if is_option or is_free else None
    if type_ == "decimal" and kind == "Integer":
        return None
    return value if kind == values.TYPES[type_] else None
