"""One page of a questionnaire as a Django form.

The form shows what is asked with the answers known so far. A question that depends on another
one of the same page is there from the start but hidden: a script shows it at once, and without
one the server shows it when the page is posted.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Field, Layout
from crispy_forms.utils import TEMPLATE_PACK, render_field
from django import forms
from django.template.loader import render_to_string
from django.utils.formats import localize
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from intake import body
from intake.answers import Answers, Value
from intake.calculations import PICKED_FROM
from intake.fields import field_for, initial_for, values_from
from intake.items import Condition, Item
from intake.questionnaire import Form as Questionnaire
from intake.responses import (
    answer_for,
    bounds,
    broken_constraints,
    broken_limits,
    replace_answers,
    settle,
)

# Occurrences of a repeating group that names no highest number.
OCCURRENCES = 5

REQUIRED = _("Please answer this question.")
NEWLY_ASKED = _("One of your answers brings up this question.")

# Nobody reads along: whoever is low enough to need a person now is told where one is.
CRISIS_ITEMS = {"mind-mood", "goal-notes"}
CRISIS_NOTE = _(
    "If you think of hurting yourself, call %(number)s or a crisis line now. Somebody answers "
    "day and night."
)

LIMIT_MESSAGES = {
    "exclusive": _("“%(alone)s” cannot go with other answers. Untick one of them."),
    "cardinality": _("Pick fewer answers."),
    "duplicate": _("An answer occurs twice."),
    "max-length": ngettext_lazy(
        "Use at most %(length)s character.", "Use at most %(length)s characters.", "length"
    ),
    "min-length": _("This is too short."),
    "min-value": _("This should be %(low)s or more."),
    "max-value": _("This should be %(high)s or less."),
    "max-decimal-places": _("Use fewer digits after the point."),
    "step": _("Use whole or half numbers, such as 7 or 7.5."),
    "must-be-true": REQUIRED,
}
DATE_MESSAGES = {
    "min-value": _("Please check this date: it is too early."),
    "max-value": _("Please check this date: it is too late."),
}
CONSTRAINT_MESSAGES = {
    "worst-below-average": _(
        "Your worst pain is lower than your pain on most days. Is that right?"
    ),
    "first-age-above-age": _("This age is higher than your age now. Please check it."),
    "run-above-week": _("This run is longer than that whole week. Is that right?"),
    "race-date-past": _("This date has passed. Is that right?"),
    "main-not-picked": _("Pick one of the places you marked above."),
    "helped-not-tried": _("Pick only things you said you tried."),
}


@dataclass
class Question:
    """What a field template needs to know beside the bound field."""

    item: Item
    name: str
    depends_on: str = ""
    picked_from: str = ""
    alone: str = ""
    lower_end: str = ""
    upper_end: str = ""
    unit: str = ""
    unit_from: str = ""
    units: str = ""
    note: str = ""
    is_shown: bool = True
    warnings: list[Any] = field(default_factory=list)

    @property
    def chart(self) -> dict[str, Any]:
        """The body figure, each shape with the id of the checkbox it is a label for."""
        box_ids = {
            option.value: f"id_{self.name}_{index}"
            for index, option in enumerate(self.item.options)
        }
        sides = ((_("Back"), body.BACK), (_("Front"), body.FRONT))
        return {
            "width": body.WIDTH,
            "height": body.HEIGHT,
            "head": body.HEAD,
            "outline": body.OUTLINE,
            "sides": [
                (
                    title,
                    [(box_ids[shape.region], shape) for shape in shapes if shape.region in box_ids],
                )
                for title, shapes in sides
            ],
        }

    @property
    def template(self) -> str:
        item = self.item
        if "body-chart" in item.controls:
            return "intake/field_body_chart.html"
        if item.is_scale:
            return "intake/field_scale.html"
        if item.must_be_true:
            return "intake/field_consent.html"
        if item.type in ("choice", "boolean"):
            return "intake/field_choice.html"
        return "intake/field_input.html"


class Block:
    """A crispy layout object that puts fields into a template of ours.

    Crispy's own Fieldset and HTML compile their texts as Django templates, which must never
    happen to the words of an imported questionnaire.
    """

    def __init__(self, template: str, *fields: Any, **words: Any) -> None:
        self.template = template
        self.fields = fields
        self.words = words

    def render(
        self, form: Any, context: Any, template_pack: Any = TEMPLATE_PACK, **kwargs: Any
    ) -> str:
        content = [
            render_field(part, form, context, template_pack=template_pack, **kwargs)
            for part in self.fields
        ]
        return render_to_string(self.template, self.words | {"fields": content})


class QuestionForm(forms.Form):
    """Asks `items` of a questionnaire and knows what is `stored` already.

    After validation :attr:`items` holds the whole response's items with every usable answer of
    this page in place, also when the page has errors: what was typed right is worth keeping, and
    a danger sign counts although another question was left out.
    """

    use_required_attribute = False

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        questionnaire: Questionnaire,
        items: Sequence[Item],
        stored: list[dict[str, Any]],
        language: str,
        today: dt.date,
        placeholders: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(data)
        self.questionnaire = questionnaire
        self.stored = stored
        self.language = language
        self.today = today
        self.placeholders = placeholders or {}
        self.items = stored
        self.questions: dict[str, Question] = {}
        self._here = {item.link_id for top in items for item in top.walk()}
        self._known = Answers.from_response({"item": stored})
        self._enabled = questionnaire.enabled(self._known)
        self._occurrences: dict[str, list[dict[str, Question]]] = {}
        layout = Layout(*self._blocks(items))
        self._mark_shown(self._enabled, self._known)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        self.helper.form_show_errors = False
        self.helper.layout = layout

    @property
    def asked(self) -> str:
        """Names of the questions in sight, to be posted back: a later one is news, not an error."""
        return " ".join(name for name, question in self.questions.items() if question.is_shown)

    @property
    def has_only_news(self) -> bool:
        """Is the page fine except for questions that its own answers brought up?"""
        codes = {error.code for errors in self.errors.as_data().values() for error in errors}
        return codes == {"news"}

    @property
    def is_unfinished_only(self) -> bool:
        """Is nothing wrong with what was answered, so that the rest can wait?"""
        codes = {error.code for errors in self.errors.as_data().values() for error in errors}
        return codes <= {"news", "required"}

    @property
    def news(self) -> list[forms.BoundField]:
        """The fields that this page's answers brought up and that still need an answer."""
        return [
            self[name]
            for name, errors in self.errors.as_data().items()
            if any(error.code == "news" for error in errors)
        ]

    # Building

    def _blocks(self, items: Sequence[Item]) -> Iterator[Any]:
        details: list[Any] = []
        for item in items:
            if item.is_hidden or item.read_only or not self._may_be_asked(item):
                continue
            if item.type == "display":
                yield Block("intake/display.html", text=self._text(item))
            elif item.type == "group":
                yield self._group(item)
            elif item.is_optional_detail:
                details.append(self._question(item, item.link_id, self._known.values(item.link_id)))
            else:
                yield self._question(item, item.link_id, self._known.values(item.link_id))
        if details:
            yield Block("intake/tell_us_more.html", *details)

    def _group(self, group: Item) -> Block:
        if not group.repeats:
            return Block("intake/group.html", *self._blocks(group.items), text=self._text(group))
        stored = [*_occurrences(self.stored, group.link_id)]
        shown = max(group.max_occurs or OCCURRENCES, len(stored))
        open_ = max(group.min_occurs, int(group.required), len(stored))
        parts = []
        self._occurrences[group.link_id] = []
        for index in range(shown):
            known = Answers.from_response(stored[index] if index < len(stored) else {})
            names = {
                child.link_id: f"{group.link_id}:{index}:{child.link_id}" for child in group.items
            }
            fields = [
                self._question(child, names[child.link_id], known.values(child.link_id))
                for child in group.items
                if child.is_question and not child.is_hidden and not child.read_only
            ]
            self._occurrences[group.link_id].append(
                {
                    link_id: self.questions[name]
                    for link_id, name in names.items()
                    if name in self.questions
                }
            )
            parts.append(
                Block("intake/occurrence.html", *fields, number=index + 1, is_open=index < open_)
            )
        help_text = group.help.in_language(self.language) if group.help else ""
        return Block("intake/group.html", *parts, text=self._text(group), help_text=help_text)

    def _question(self, item: Item, name: str, values: tuple[Value, ...]) -> Field:
        help_text = item.help.filled(self.language, self.placeholders) if item.help else ""
        built = field_for(item, language=self.language, label=self._text(item), help_text=help_text)
        built.initial = initial_for(item, values)
        question = Question(
            item,
            name,
            depends_on=self._depends_on(item),
            picked_from=PICKED_FROM.get(item.link_id, ""),
            alone=" ".join(str(o.value) for o in item.options if o.is_exclusive and item.repeats),
        )
        if item.scale_ends:
            lower, upper = item.scale_ends
            question.lower_end = lower.in_language(self.language)
            question.upper_end = upper.in_language(self.language)
        if item.link_id in CRISIS_ITEMS and "emergency_number" in self.placeholders:
            question.note = CRISIS_NOTE % {"number": self.placeholders["emergency_number"]}
        if item.unit:
            question.unit = item.unit.in_language(self.language)
        if item.unit_choice:
            units = {
                answer: unit.in_language(self.language)
                for answer, (unit, _highest) in item.unit_choice.units.items()
            }
            chosen = self._known.text(item.unit_choice.question)
            question.unit = units.get(chosen, " / ".join(units.values()))
            question.unit_from = item.unit_choice.question
            question.units = json.dumps(units)
        built.question = question  # type: ignore[attr-defined]
        self.fields[name] = built
        self.questions[name] = question
        return Field(name, template=question.template)

    def _text(self, item: Item) -> str:
        return self.questionnaire.text(item, self.language, self.placeholders)

    def _may_be_asked(self, item: Item) -> bool:
        """Is it asked now, or could it be once this page is answered?"""
        return item.link_id in self._enabled or any(
            condition.question in self._here
            for ancestor in self.questionnaire.lineage(item.link_id)
            for condition in ancestor.conditions
        )

    def _depends_on(self, item: Item) -> str:
        """Conditions on questions of this page, for the script; others are settled already.

        A list that must all hold of ``{"all": …, "of": […]}``, each member either a condition or
        whether one elsewhere holds.
        """
        clauses = [
            {
                "all": ancestor.enable_all,
                "of": [self._for_script(condition) for condition in ancestor.conditions],
            }
            for ancestor in self.questionnaire.lineage(item.link_id)
            if any(condition.question in self._here for condition in ancestor.conditions)
        ]
        return json.dumps(clauses) if clauses else ""

    def _for_script(self, condition: Condition) -> Any:
        if condition.question not in self._here:
            return condition.holds(self._known.values(condition.question))
        value = condition.value
        return {
            "question": condition.question,
            "operator": condition.operator,
            "value": value.isoformat() if isinstance(value, dt.date) else value,
        }

    def _mark_shown(self, enabled: frozenset[str], answers: Answers) -> None:
        for question in self.questions.values():
            question.is_shown = question.item.link_id in enabled
            question.warnings = []
        for item, key in broken_constraints(self.questionnaire, answers, today=self.today):
            if item.link_id in self.questions:
                self.questions[item.link_id].warnings.append(CONSTRAINT_MESSAGES[key])

    # Reading

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        given = {
            name: values_from(question.item, cleaned.get(name))
            for name, question in self.questions.items()
        }
        # First with everything that could be read, to know what is asked at all …
        self.items = self._merged(given)
        answers = Answers.from_response({"item": self.items})
        enabled = self.questionnaire.enabled(answers)
        for name, question in self.questions.items():
            if question.item.link_id not in enabled or self._is_spare(name, given):
                self.errors.pop(name, None)
                given[name] = ()
            elif given[name]:
                given[name] = self._within_limits(name, given[name], answers)
        # … then with what is left, which is what will be kept.
        self.items = self._merged(given)
        answers = Answers.from_response({"item": self.items})
        self._enabled = self.questionnaire.enabled(answers)
        self._require(given)
        self._mark_shown(self._enabled, answers)
        self._cross_check(answers)
        return cleaned

    def _merged(self, given: Mapping[str, tuple[Value, ...]]) -> list[dict[str, Any]]:
        changes: dict[str, list[dict[str, Any]]] = {}
        for name, question in self.questions.items():
            if name == question.item.link_id:
                changes[name] = [answer_for(question.item, value) for value in given[name]]
        for group, occurrences in self._occurrences.items():
            changes[group] = []
            for occurrence in occurrences:
                children = [
                    {
                        "linkId": link_id,
                        "answer": [answer_for(child.item, value) for value in given[child.name]],
                    }
                    for link_id, child in occurrence.items()
                    if given[child.name]
                ]
                if children:
                    changes[group].append({"linkId": group, "item": children})
        merged = replace_answers(self.questionnaire, self.stored, changes)
        return settle(self.questionnaire, merged, today=self.today)

    def _within_limits(
        self, name: str, values: tuple[Value, ...], answers: Answers
    ) -> tuple[Value, ...]:
        """Report broken limits and return what can be kept.

        Of answers that exclude each other the exclusive one goes: on a safety question that
        keeps the sign and drops the "none of these".
        """
        item = self.questions[name].item
        broken = [*broken_limits(item, values, answers=answers, today=self.today)]
        if not broken:
            return values
        low, high = bounds(item, answers=answers, today=self.today)
        exclusive = [option for option in item.options if option.is_exclusive]
        words = {
            "alone": exclusive[0].text.in_language(self.language) if exclusive else "",
            "length": item.max_length,
            "low": localize(low),
            "high": localize(high),
        }
        messages = LIMIT_MESSAGES | (DATE_MESSAGES if item.type == "date" else {})
        for rule in dict.fromkeys(broken):
            self.add_error(name, forms.ValidationError(messages[rule], code=rule, params=words))
        if broken == ["exclusive"]:
            alone = {option.value for option in exclusive}
            return tuple(value for value in values if value not in alone)
        return ()

    def _require(self, given: Mapping[str, tuple[Value, ...]]) -> None:
        asked_before = set(self.data.get("_asked", "").split())
        for name, question in self.questions.items():
            item = question.item
            if (
                not item.required
                or given[name]
                or item.link_id not in self._enabled
                or name in self.errors
                or self._is_spare(name, given)
            ):
                continue
            is_news = bool(asked_before) and name not in asked_before
            self.add_error(
                name,
                forms.ValidationError(
                    NEWLY_ASKED if is_news else REQUIRED, code="news" if is_news else "required"
                ),
            )

    def _is_spare(self, name: str, given: Mapping[str, tuple[Value, ...]]) -> bool:
        """Does it belong to an occurrence of a repeating group that was left empty on purpose?"""
        for group, occurrences in self._occurrences.items():
            item = self.questionnaire.item(group)
            for index, occurrence in enumerate(occurrences):
                if any(child.name == name for child in occurrence.values()):
                    needed = index < max(item.min_occurs, int(item.required))
                    names = [child.name for child in occurrence.values()]
                    return not needed and not any(
                        given[child] or child in self.errors for child in names
                    )
        return False

    def _cross_check(self, answers: Answers) -> None:
        checks = broken_constraints(self.questionnaire, answers, today=self.today, errors_only=True)
        for item, key in checks:
            if item.link_id in self.questions and item.link_id not in self.errors:
                self.add_error(
                    item.link_id, forms.ValidationError(CONSTRAINT_MESSAGES[key], code=key)
                )


def _occurrences(items: list[dict[str, Any]], link_id: str) -> Iterator[dict[str, Any]]:
    for element in items:
        if element["linkId"] == link_id:
            yield element
        else:
            yield from _occurrences(element.get("item", []), link_id)
