"""The layout of a page: which questions are asked, with which template and values.

A question that depends on another one of the same page is rendered from the start, but hidden. The
script shows it at once; without the script the server shows it after the page is posted.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Field, Layout
from django import forms
from django.utils.translation import gettext_lazy as _

from intake.answers import Answers
from intake.fhir_form.items import Condition, Item
from intake.fhir_form.limits import MAX_OCCURS
from intake.fhir_form.questionnaire import Form as Questionnaire
from intake.fhir_form.responses import broken_constraints, inside
from intake.html_form.fields import field_for, in_words, initial_for, other_field, unit_field
from intake.html_form.questions import Block, Question, Scope, field_name
from intake.rules.calculations import PICKED_FROM
from intake.values import Code, Quantity, Value

# Up to this many occurrences are on the page, spare ones folded; others are added one by one.
MAX_SHOWN_OCCURRENCES = 3

# Nobody monitors answers live, so anyone who answers these is told where to get help now.
CRISIS_ITEMS = {"mind-mood", "goal-notes"}
CRISIS_NOTE = _(
    "If you think of hurting yourself, call %(number)s or a crisis line now. Somebody answers "
    "day and night."
)


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


class QuestionLayout(forms.Form):
    """Lays out `items` of a questionnaire with the `stored` answers. It reads no posted data."""

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
        zone: dt.tzinfo = dt.UTC,
        placeholders: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(data)
        self.questionnaire = questionnaire
        self.stored = stored
        self.language = language
        self.today = today
        self.zone = zone
        self.placeholders = placeholders or {}
        self.items = stored
        self.questions: dict[str, Question] = {}
        self.notes: list[Question] = []
        self._page_group = items[0] if len(items) == 1 and items[0].repeats else None
        self.adding = str(self.data.get("_add", ""))
        self._here = {item.link_id for top in items for item in top.walk()}
        self._root = Scope(questionnaire.items, stored)
        self._known = {self._root: Answers.from_response({"item": stored})}
        self._enabled = {self._root: questionnaire.enabled(self._known[self._root])}
        # The page may be the content of a group that needs an answer to any of its questions.
        self._required_groups: list[tuple[Item, Scope]] = [
            (group, self._root)
            for item in items[:1]
            for group in questionnaire.lineage(item.link_id)
            if group is not item and group.required
        ]
        self._can_add = False
        blocks = [*self._blocks(items, self._root)]
        if self._can_add:
            # Enter in a text box presses the first button of the form, which must not be "Add".
            blocks.insert(0, Block("intake/first_button.html"))
        self._describe()
        self._mark_shown()
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        self.helper.form_show_errors = False
        self.helper.layout = Layout(*blocks)

    @property
    def asked(self) -> str:
        """Names of the visible questions, posted back so that a newly enabled one is no error."""
        return " ".join(name for name, question in self.questions.items() if question.is_shown)

    def _blocks(self, items: Sequence[Item], scope: Scope) -> Iterator[Any]:
        details: list[Any] = []
        for item in items:
            if item.is_hidden or not self._may_be_asked(item, scope):
                continue
            if item.type == "display":
                name = scope.prefix + field_name(item.link_id)
                note = Question(item, name, (), scope, self)
                self.notes.append(note)
                yield Block("intake/display.html", text=self._text(item), question=note)
            elif item.type == "group":
                yield self._group(item, scope)
            elif item.read_only:
                yield from self._read_only_block(item, scope)
            elif item.is_optional_detail:
                details += [self._question(item, scope), *self._blocks(item.items, scope)]
            else:
                yield self._question(item, scope)
                yield from self._blocks(item.items, scope)
        if details:
            yield Block("intake/tell_us_more.html", *details)

    def _read_only_block(self, item: Item, scope: Scope) -> Iterator[Block]:
        """Answers that are already known, shown read-only."""
        if given := self._known[scope].values(item.link_id):
            unit = item.unit_for(self._known[scope])
            words = [in_words(item, value, self.language) for value in given]
            if unit is not None:
                words = [f"{word} {unit.in_language(self.language)}" for word in words]
            yield Block("intake/read_only.html", text=self._text(item), answers=words)

    def _group(self, group: Item, scope: Scope) -> Block:
        help_text = group.help.in_language(self.language) if group.help else ""
        words = {
            "text": self._text(group),
            "help_text": help_text,
            "is_page": group is self._page_group,
        }
        if not group.repeats:
            if group.required:
                self._required_groups.append((group, scope))
            return Block("intake/group.html", *self._blocks(group.items, scope), **words)
        name = scope.prefix + field_name(group.link_id)
        stored = [
            element.get("item", []) for element in _occurrences(scope.elements, group.link_id)
        ]
        needed = max(group.min_occurs, int(group.required))
        highest = max(group.max_occurs or MAX_OCCURS, len(stored))
        count = min(max(needed, len(stored), self._posted(name), 1), highest)
        is_added = self.adding == name and count < highest
        count += is_added
        if highest <= MAX_SHOWN_OCCURRENCES:
            count = highest
        open_ = max(
            needed,
            len(stored),
            self._posted(name) + is_added if highest > MAX_SHOWN_OCCURRENCES else 0,
        )
        scope.occurrences[group.link_id] = []
        parts = []
        for index in range(count):
            inner = Scope(
                group.items,
                stored[index] if index < len(stored) else [],
                prefix=f"{name}:{index}:",
                parent=scope,
                group=group,
                is_spare=index >= needed,
            )
            scope.occurrences[group.link_id].append(inner)
            if not inner.is_spare:
                self._required_groups.append((group, inner))
            known = self._known[scope].within(inside(group), {"item": inner.elements})
            self._known[inner] = known
            self._enabled[inner] = self.questionnaire.enabled(known)
            fields = [*self._blocks(group.items, inner)]
            if is_added and index == count - 1:
                self._focus(inner)
            parts.append(
                Block("intake/occurrence.html", *fields, number=index + 1, is_open=index < open_)
            )
        can_add = MAX_SHOWN_OCCURRENCES < highest > count
        self._can_add |= can_add
        return Block("intake/group.html", *parts, **words, name=name, count=count, can_add=can_add)

    def _posted(self, name: str) -> int:
        """How many occurrences the posted page had, as far as the posted data can be trusted."""
        count = str(self.data.get(f"{name}:count", ""))
        indexes = (
            key.removeprefix(f"{name}:").partition(":")[0]
            for key in self.data
            if key.startswith(f"{name}:")
        )
        named = [int(i) + 1 for i in (*indexes,) if i.isascii() and i.isdecimal() and len(i) < 4]
        claimed = int(count) if count.isascii() and count.isdecimal() and len(count) < 4 else 0
        return max([claimed, *named])

    def _focus(self, scope: Scope) -> None:
        """Move the focus to the occurrence that was just added."""
        names = (name for question in scope.questions.values() for name in question.names)
        if name := next(names, ""):
            self.fields[name].widget.attrs["autofocus"] = True

    def _question(self, item: Item, scope: Scope) -> Field:
        name = scope.prefix + field_name(item.link_id)
        known = self._known[scope].values(item.link_id)
        is_new = scope.parent is not None and not scope.elements
        if not known and (is_new or item.link_id not in self._enabled[scope]):
            known = item.initial
        names: tuple[str, ...] = (name,)
        can_add = False
        if item.is_list:
            highest = max(item.max_occurs or MAX_OCCURS, len(known))
            count = min(max(item.min_occurs, len(known), self._posted(name), 1), highest)
            is_added = self.adding == name and count < highest
            count += is_added
            names = tuple(f"{name}:{index}" for index in range(count))
            can_add = count < highest
            self._can_add |= can_add
        question = Question(
            item,
            name,
            names,
            scope,
            self,
            picked_from=PICKED_FROM.get(item.link_id, ""),
            alone=" ".join(option.key for option in item.options if option.is_exclusive)
            if item.repeats
            else "",
            can_add=can_add,
        )
        self.questions[name] = scope.questions[item.link_id] = question
        self._fields(question, known)
        if item.is_list and is_added:
            self.fields[names[-1]].widget.attrs["autofocus"] = True
        self._words(question)
        return Field(names[0], template=question.template)

    def _fields(self, question: Question, known: tuple[Value, ...]) -> None:
        item, label = question.item, self._text(question.item)
        help_text = item.help.filled(self.language, self.placeholders) if item.help else ""
        for index, name in enumerate(question.names):
            built = field_for(
                item, language=self.language, zone=self.zone, label=label, help_text=help_text
            )
            own = known[index : index + 1] if item.is_list else known
            built.initial = initial_for(item, own)
            if item.is_list and item.type != "quantity":
                built.widget.attrs["aria-label"] = f"{label} {index + 1}"
            built.question = question  # type: ignore[attr-defined]
            self.fields[name] = built
            if len(item.units) > 1:
                unit = unit_field(item, language=self.language)
                unit.initial = own[0].measure if own and isinstance(own[0], Quantity) else None
                self.fields[f"{name}:unit"] = unit
        if item.type == "open-choice" and item.options:
            other = other_field(item)
            free = [str(value) for value in known if item.option(value) is None]
            other.initial = "\n".join(free)
            self.fields[f"{question.name}:other"] = other

    def _words(self, question: Question) -> None:
        item = question.item
        if item.scale_ends:
            lower, upper = item.scale_ends
            question.lower_end = lower.in_language(self.language)
            question.upper_end = upper.in_language(self.language)
        if item.link_id in CRISIS_ITEMS and "emergency_number" in self.placeholders:
            question.note = CRISIS_NOTE % {"number": self.placeholders["emergency_number"]}
        elif item.entry_format:
            question.note = item.entry_format
        if item.unit:
            question.unit = item.unit.in_language(self.language)
        if len(item.units) == 1:
            question.unit = item.units[0].text.in_language(self.language)
        if item.unit_choice:
            units = {
                answer: unit.in_language(self.language)
                for answer, (unit, _highest) in item.unit_choice.units.items()
            }
            chosen = self._known[question.scope].text(item.unit_choice.question)
            question.unit = units.get(chosen, " / ".join(units.values()))
            question.unit_from = item.unit_choice.question
            question.units = json.dumps(units)

    def _text(self, item: Item) -> str:
        return self.questionnaire.text(item, self.language, self.placeholders)

    def _may_be_asked(self, item: Item, scope: Scope) -> bool:
        """Whether it is asked now, or could be once this page is answered."""
        return item.link_id in self._enabled[scope] or any(
            condition.question in self._here
            for ancestor in self.questionnaire.lineage(item.link_id)
            for condition in self.questionnaire.conditions(ancestor)
        )

    def _describe(self) -> None:
        """Tell the script what each question depends on, once all are on the page."""
        for question in [*self.questions.values(), *self.notes]:
            question.depends_on = self._depends_on(question)

    def _depends_on(self, question: Question) -> str:
        """Conditions on questions of this page, for the script; others are already decided.

        A list that must all hold of ``{"all": …, "of": […]}``, each member either a condition or
        whether one elsewhere holds.
        """
        clauses = []
        for ancestor in self.questionnaire.lineage(question.item.link_id):
            own, above = ancestor.conditions, self.questionnaire.conditions(ancestor)
            implied = above[len(own) :]
            for conditions, is_all in ((own, ancestor.enable_all), (implied, True)):
                if any(condition.question in self._here for condition in conditions):
                    of = [self._for_script(condition, question.scope) for condition in conditions]
                    clauses.append({"all": is_all, "of": of})
        return json.dumps(clauses) if clauses else ""

    def _for_script(self, condition: Condition, scope: Scope) -> Any:
        names = self._names(condition.question, scope)
        if not names:
            return condition.holds(self._known[scope].values(condition.question))
        spelled: dict[str, Any] = {"questions": names, "operator": condition.operator}
        match condition.value:
            case Quantity(value=number, unit=unit, code=code):
                spelled |= {"value": number, "unit": code or unit}
            case dt.datetime() as moment:
                spelled["value"] = f"{moment.astimezone(self.zone):%Y-%m-%dT%H:%M}"
            case dt.date() as day:
                spelled["value"] = day.isoformat()
            case dt.time() as time:
                spelled["value"] = f"{time:%H:%M}" if time.second == 0 else time.isoformat()
            case other:
                spelled["value"] = other
        question = self.questionnaire.item(condition.question)
        if question.type == "open-choice":
            if isinstance(condition.value, Code):
                spelled["is_code"] = True
            elif any(
                isinstance(o.value, Code) and o.key == condition.value for o in question.options
            ):
                spelled["is_code"] = False
        return spelled

    def _names(self, link_id: str, scope: Scope) -> list[str]:
        """The questions on the page that a condition refers to, its own occurrence first."""
        for around in scope.lineage():
            if link_id in around.questions:
                return [around.questions[link_id].name]
        return [
            inner.questions[link_id].name
            for inner in self._root.walk()
            if link_id in inner.questions
        ]

    def _mark_shown(self) -> None:
        for question in [*self.questions.values(), *self.notes]:
            question.is_shown = question.item.link_id in self._enabled[question.scope]
            question.warnings = []
        answers = self._known[self._root]
        for item, key in broken_constraints(self.questionnaire, answers, today=self.today):
            if item.link_id in self._root.questions:
                self._root.questions[item.link_id].warnings.append(CONSTRAINT_MESSAGES[key])


def _occurrences(items: list[dict[str, Any]], link_id: str) -> Iterator[dict[str, Any]]:
    for element in items:
        if element["linkId"] == link_id:
            yield element
        else:
            for answer in element.get("answer", []):
                yield from _occurrences(answer.get("item", []), link_id)
            yield from _occurrences(element.get("item", []), link_id)
