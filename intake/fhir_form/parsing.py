"""Read FHIR R4 Questionnaire JSON into items, or say exactly why not.

Anything that we cannot ask, store and export faithfully is refused, not ignored: files and
references, value sets that live elsewhere, expressions that decide what is asked, modifier
extensions, markup. Nothing is fetched. Extensions we do not know are harmless by FHIR's rules and
are skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from intake import values
from intake.fhir_form.extensions import (
    HL7,
    OURS,
    SDC,
    constraints,
    controls,
    extensions_of,
    is_unreadable,
    observation,
    truth,
)
from intake.fhir_form.items import OPERATORS, Condition, Issue, Item, Text
from intake.fhir_form.limits import read_limits
from intake.fhir_form.options import read_initial, read_options
from intake.fhir_form.texts import read_text
from intake.rules.calculations import CALCULATIONS
from intake.values import Value

TYPES = {"group", "display", *values.TYPES}
STATUSES = {"draft", "active", "retired", "unknown"}
ITEM_PROPERTIES = {
    "id", "extension", "linkId", "definition", "code", "prefix", "text", "type", "enableWhen",
    "enableBehavior", "required", "repeats", "readOnly", "maxLength", "answerOption",
    "answerValueSet", "initial", "item",
}  # fmt: skip
# Expressions in languages that we do not run; they decide what is asked or offered.
EXPRESSIONS = ("enableWhenExpression", "answerExpression", "candidateExpression")
HELP = {"help", "flyover", "prompt"}

MAX_ITEMS = 1000
MAX_DEPTH = 10
MAX_CONDITIONS = 50
MAX_TITLE = 200
MAX_LINK_ID = 100
MAX_ISSUES = 200
# Each slow pattern has already used its full time limit.
MAX_BAD_PATTERNS = 5


class Reader:
    """Collects the items of one Questionnaire, and every issue found in it."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self.count = 0
        self.questionnaire: Mapping[str, Any] = {}

    def refuse(self, path: str, rule: str, message: str) -> None:
        # Enough to work on; the next attempt reports the rest.
        if len(self.issues) < MAX_ISSUES:
            self.issues.append(Issue(path, rule, message))

    def read(self, questionnaire: Any) -> tuple[Item, ...]:
        """Return the top-level items. They can be used only if :attr:`issues` is empty."""
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
        self.questionnaire = questionnaire
        self._header(questionnaire, path)
        items = self._items(questionnaire.get("item"), path, depth=1)
        if not items and not self.issues:
            self.refuse(f"{path}.item", "required", "A questionnaire asks something.")
        return items

    def title(self, questionnaire: Mapping[str, Any]) -> Text:
        """The questionnaire's title, or an empty text."""
        return read_text(questionnaire, "title", "Questionnaire", self.refuse)

    def _header(self, questionnaire: Mapping[str, Any], path: str) -> None:
        for name, longest in (("url", 200), ("version", 20)):
            value = questionnaire.get(name)
            if not isinstance(value, str) or not 0 < len(value.strip()) <= longest:
                self.refuse(f"{path}.{name}", "required", f"`{name}`: 1 to {longest} characters.")
            elif "|" in value or any(map(str.isspace, value)) or not value.isprintable():
                self.refuse(f"{path}.{name}", "structure", f"`{name}` without spaces or `|`.")
        status = questionnaire.get("status")
        if not isinstance(status, str) or status not in STATUSES:
            self.refuse(f"{path}.status", "required", f"One of {', '.join(sorted(STATUSES))}.")
        if len(self.title(questionnaire).default) > MAX_TITLE:
            self.refuse(f"{path}.title", "limit-text", f"Up to {MAX_TITLE} characters.")
        self._no_modifiers(questionnaire, path)
        if "implicitRules" in questionnaire:
            self.refuse(f"{path}.implicitRules", "unsupported-modifier", "Rules we do not know.")

    def _items(self, elements: Any, path: str, *, depth: int) -> tuple[Item, ...]:
        if elements is None:
            return ()
        if (
            not isinstance(elements, list)
            or not elements
            or not all(isinstance(e, dict) for e in elements)
        ):
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
            if not self._is_hopeless()
        )
        return tuple(item for item in read if item is not None)

    def _is_hopeless(self) -> bool:
        patterns = sum(issue.rule == "unsupported-regex" for issue in self.issues)
        return len(self.issues) >= MAX_ISSUES or patterns >= MAX_BAD_PATTERNS

    def _item(self, element: dict[str, Any], path: str, *, depth: int) -> Item | None:
        type_, link_id = self._identity(element, path)
        if not type_:
            return None
        extensions = extensions_of(element)
        children = self._items(element.get("item"), path, depth=depth + 1)
        self._shape(element, type_, children, path)
        notes = [child for child in children if _is_note(child, type_)]
        options, selected = read_options(
            element, type_, path, questionnaire=self.questionnaire, refuse=self.refuse
        )
        item = Item(
            link_id=link_id,
            type=type_,
            text=self._words(element, path, is_page=depth == 1 and type_ == "group"),
            items=tuple(child for child in children if child not in notes),
            help=_joined([note.text for note in notes]),
            required=self._flag(element, "required", path),
            repeats=self._flag(element, "repeats", path),
            read_only=self._flag(element, "readOnly", path),
            is_hidden=truth(extensions, f"{HL7}/questionnaire-hidden"),
            is_optional_detail=truth(extensions, f"{OURS}/tell-us-more"),
            is_follow_up=truth(extensions, f"{OURS}/follow-up"),
            must_be_true=truth(extensions, f"{OURS}/must-be-true"),
            options=options,
            initial=read_initial(
                element, type_, path, options=options, selected=selected, refuse=self.refuse
            ),
            conditions=self._conditions(element, path),
            enable_all=element.get("enableBehavior") != "any",
            controls=frozenset(controls(extensions)),
            constraints=tuple(constraints(extensions)),
            observation=observation(element, extensions),
            **read_limits(element, type_, path, self.refuse),
        )
        self._answerable(item, path)
        return item

    def _identity(self, element: Mapping[str, Any], path: str) -> tuple[str, str]:
        """Read the item's type and linkId, and report what it must not have; no type if refused."""
        type_, link_id = element.get("type"), element.get("linkId")
        if not isinstance(link_id, str) or not 0 < len(link_id) <= MAX_LINK_ID:
            self.refuse(f"{path}.linkId", "required", f"A linkId of 1 to {MAX_LINK_ID} characters.")
            return "", ""
        if any(character.isspace() or not character.isprintable() for character in link_id):
            # The linkId becomes the name and id of a form field.
            self.refuse(f"{path}.linkId", "unsupported-link-id", "A linkId without spaces.")
            return "", ""
        if not isinstance(type_, str) or type_ not in TYPES:
            what = "Files and references cannot be answered in a form. " * (
                type_ in ("attachment", "reference")
            )
            self.refuse(
                f"{path}.type",
                "unsupported-type",
                f"{what}Types we ask: {', '.join(sorted(TYPES))}.",
            )
            return "", ""
        for name in sorted(element.keys() - ITEM_PROPERTIES):
            if name != "modifierExtension" and not name.startswith("_"):
                self.refuse(f"{path}.{name}", "unsupported-property", f"`{name}` is not supported.")
        self._no_modifiers(element, path)
        for name in EXPRESSIONS:
            if f"{SDC}/sdc-questionnaire-{name}" in extensions_of(element):
                self.refuse(f"{path}.extension", "unsupported-expression", f"`{name}` is not run.")
        return type_, link_id

    def _shape(
        self, element: Mapping[str, Any], type_: str, children: tuple[Item, ...], path: str
    ) -> None:
        """Check the R4 invariants of one item, except those of options and limits."""
        if type_ == "group" and not children:
            self.refuse(path, "que-1", "A group has items.")
        elif type_ == "display" and "item" in element:
            self.refuse(path, "que-1", "A display has no items.")
        elif (
            type_ != "group"
            and element.get("repeats") is True
            and any(child.type != "display" for child in children)
        ):
            self.refuse(
                f"{path}.item",
                "unsupported-nesting",
                "Questions below each of several answers: make it a group that repeats.",
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
        if type_ == "boolean" and element.get("repeats") is True:
            self.refuse(f"{path}.repeats", "unsupported-repeats", "Yes and no is one answer.")

    def _answerable(self, item: Item, path: str) -> None:
        is_given = item.initial or item.link_id in CALCULATIONS
        if item.required and (item.read_only or item.is_hidden) and not is_given:
            self.refuse(
                path, "hidden-required", "Nobody can answer a required item that is hidden."
            )

    def _words(self, element: Mapping[str, Any], path: str, *, is_page: bool) -> Text:
        """The item's text after its number; pages have none, since the form counts them.

        A question without text is named after its code.
        """
        codes = element.get("code")
        coding = codes[0] if isinstance(codes, list) and codes else None
        if element.get("type") == "group" or element.get("text"):
            text = read_text(element, "text", path, self.refuse)
        elif isinstance(coding, dict) and coding.get("display"):
            text = read_text(coding, "display", f"{path}.code[0]", self.refuse)
        else:
            self.refuse(f"{path}.text", "required", "A question needs words.")
            return Text("")
        prefix = read_text(element, "prefix", path, self.refuse).default
        return text.after(prefix) if prefix and not is_page else text

    def _flag(self, element: Mapping[str, Any], name: str, path: str) -> bool:
        value = element.get(name, False)
        if not isinstance(value, bool):
            self.refuse(f"{path}.{name}", "structure", f"`{name}` is true or false.")
            return False
        return value

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
                found = values.read_any(element, "answer")
                if found is not None and found[0] in values.TYPES.values():
                    return self._comparison(question, operator, *found, path)
        self.refuse(path, "unsupported-condition", "A question, an operator and an answer we know.")
        return None

    def _comparison(
        self, question: str, operator: str, kind: str, value: Value, path: str
    ) -> Condition | None:
        if kind in ("Coding", "Boolean") and operator not in ("=", "!="):
            self.refuse(path, "enable-when-operator", f"A {kind} is equal or not, never less.")
            return None
        return Condition(question, operator, value)

    def _no_modifiers(self, element: Mapping[str, Any], path: str) -> None:
        if "modifierExtension" in element:
            self.refuse(
                f"{path}.modifierExtension", "unsupported-modifier", "It could change the meaning."
            )


def _is_note(child: Item, parent_type: str) -> bool:
    """Whether it is help text for the item above, not an item of its own."""
    is_beside = parent_type != "group" and not child.conditions
    return child.type == "display" and (is_beside or bool(HELP & child.controls))


def _joined(texts: list[Text]) -> Text | None:
    """Join several help texts into one, in each language that any of them has."""
    if len(texts) < 2:
        return texts[0] if texts else None
    languages = {language for text in texts for language in text.translations}
    return Text(
        " ".join(text.default for text in texts),
        {language: " ".join(t.in_language(language) for t in texts) for language in languages},
    )
