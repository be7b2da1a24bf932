"""One page of a questionnaire as a Django form: what was posted becomes the response's items."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from intake.answers import Answers
from intake.fhir_form.limits import bounds, broken_limits
from intake.fhir_form.responses import (
    answer_for,
    broken_constraints,
    inside,
    replace_in,
    settle,
    with_initial,
)
from intake.html_form.fields import OTHER, in_words, other_values, values_from
from intake.html_form.layout import CONSTRAINT_MESSAGES, QuestionLayout
from intake.html_form.questions import Question, Scope
from intake.values import Value

REQUIRED = _("Please answer this question.")
NEWLY_ASKED = _("One of your answers brings up this question.")

LIMIT_MESSAGES = {
    "exclusive": _("“%(alone)s” cannot go with other answers. Untick one of them."),
    "cardinality": _("Pick fewer answers."),
    "too-few": ngettext_lazy(
        "Give at least %(fewest)s answer.", "Give at least %(fewest)s answers.", "fewest"
    ),
    "duplicate": _("An answer occurs twice."),
    "pattern": _("This is not written the way that was asked for. Please check it."),
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
EITHER = _("Pick an answer or write one, not both.")
UNWRITTEN = _("Write your answer, or pick another one.")


class QuestionForm(QuestionLayout):
    """Reads the answers to a page.

    After validation :attr:`items` holds the whole response's items with every usable answer of
    this page in place, also when the page has errors: what was typed right is worth keeping, and
    a danger sign counts although another question was left out.
    """

    def is_valid(self) -> bool:
        """Whether the page is complete; not while another occurrence of a group is asked for."""
        return super().is_valid() and not self.adding

    @property
    def has_only_news(self) -> bool:
        """Whether the only missing answers are to questions that this page's answers enabled."""
        codes = {error.code for errors in self.errors.as_data().values() for error in errors}
        return codes == {"news"}

    @property
    def is_unfinished_only(self) -> bool:
        """Whether every given answer is valid, so that the missing ones can wait."""
        codes = {error.code for errors in self.errors.as_data().values() for error in errors}
        return codes <= {"news", "required"}

    @property
    def news(self) -> list[forms.BoundField]:
        """The fields that this page's answers enabled and that still need an answer."""
        return [
            self[name]
            for name, errors in self.errors.as_data().items()
            if any(error.code == "news" for error in errors)
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        given = {name: self._given(question, cleaned) for name, question in self.questions.items()}
        # First with every answer that could be read, to know what is asked …
        before = self._enabled[self._root]
        self._take_in(given)
        for name, question in self.questions.items():
            if question.item.link_id not in self._enabled[question.scope] or self._is_left_out(
                question.scope, given
            ):
                for part in question.parts:
                    self.errors.pop(part, None)
                given[name] = ()
            elif given[name]:
                given[name] = self._within_limits(question, given[name])
        # … then with the answers that will be kept.
        self._take_in(given)
        if not self.adding:
            self._require(given)
        self.items = with_initial(
            self.questionnaire,
            self.items,
            before=before | self._root.questions.keys(),
            today=self.today,
        )
        self._mark_shown()
        self._cross_check(self._known[self._root])
        return cleaned

    def _given(self, question: Question, cleaned: Mapping[str, Any]) -> tuple[Value, ...]:
        item = question.item
        found: list[Value] = []
        for name in question.names:
            unit = cleaned.get(f"{name}:unit") or ""
            found += values_from(item, cleaned.get(name), unit=unit)
        if question.other is None:
            return tuple(found)
        other = f"{question.name}:other"
        written = other_values(item, cleaned.get(other) or "")
        is_asked_for, found = OTHER in found, [value for value in found if value != OTHER]
        if is_asked_for and not written and other not in self.errors:
            self.add_error(other, forms.ValidationError(UNWRITTEN, code="other"))
        elif written and found and not item.repeats:
            self.add_error(other, forms.ValidationError(EITHER, code="both"))
            return ()
        return (*found, *written)

    def _take_in(self, given: Mapping[str, tuple[Value, ...]]) -> None:
        """Merge the answers into the items, and compute what is asked with them."""
        raw = self._elements(self._root, given)
        self.items = settle(self.questionnaire, raw, today=self.today)
        self._known[self._root] = Answers.from_response({"item": self.items})
        for scope in self._root.walk():
            if scope.parent is not None and scope.group is not None:
                inner = {"item": self._elements(scope, given)}
                around = self._known[scope.parent]
                self._known[scope] = around.within(inside(scope.group), inner)
            self._enabled[scope] = self.questionnaire.enabled(self._known[scope])

    def _elements(
        self, scope: Scope, given: Mapping[str, tuple[Value, ...]]
    ) -> list[dict[str, Any]]:
        """The items of the form, or of one occurrence, with this page's answers."""
        changes = {
            link_id: [answer_for(question.item, value) for value in given[question.name]]
            for link_id, question in scope.questions.items()
        }
        for group, occurrences in scope.occurrences.items():
            changes[group] = [
                {"linkId": group, "item": self._elements(inner, given)}
                for inner in occurrences
                if _is_used(inner, given)
            ]
        if scope.group is not None and not scope.elements:
            # What nobody is asked in an occurrence that has just been filled in.
            for item in scope.group.walk():
                if item.initial and (item.is_hidden or item.read_only):
                    changes[item.link_id] = [answer_for(item, value) for value in item.initial]
        return replace_in(scope.expected, scope.elements, changes)

    def _within_limits(self, question: Question, given: tuple[Value, ...]) -> tuple[Value, ...]:
        """Report broken limits and return the answers that can be kept.

        Of answers that exclude each other the exclusive one goes: on a safety question that
        keeps the sign and drops the "none of these".
        """
        item, answers = question.item, self._known[question.scope]
        broken = [*broken_limits(item, given, answers=answers, today=self.today)]
        if not broken:
            return given
        low, high = bounds(item, answers=answers, today=self.today)
        exclusive = [option for option in item.options if option.is_exclusive]
        words = {
            "alone": exclusive[0].text.in_language(self.language) if exclusive else "",
            "length": item.max_length,
            "fewest": item.min_occurs,
            "low": "" if low is None else in_words(item, low, self.language),
            "high": "" if high is None else in_words(item, high, self.language),
        }
        messages = LIMIT_MESSAGES | (DATE_MESSAGES if isinstance(high or low, dt.date) else {})
        for rule in dict.fromkeys(broken):
            self.add_error(
                question.names[0], forms.ValidationError(messages[rule], code=rule, params=words)
            )
        if broken == ["exclusive"]:
            alone = {option.value for option in exclusive}
            return tuple(value for value in given if value not in alone)
        return given if broken == ["too-few"] else ()

    def _require(self, given: Mapping[str, tuple[Value, ...]]) -> None:
        asked_before = set(self.data.get("_asked", "").split())
        wanted = [
            question
            for name, question in self.questions.items()
            if question.item.required
            and not given[name]
            and self._is_asked(question)
            and not question.errors
            and not self._is_left_out(question.scope, given)
        ]
        for question in [*wanted, *self._empty_groups(given)]:
            is_news = bool(asked_before) and question.name not in asked_before
            self.add_error(
                question.names[0],
                forms.ValidationError(
                    NEWLY_ASKED if is_news else REQUIRED, code="news" if is_news else "required"
                ),
            )

    def _is_asked(self, question: Question) -> bool:
        return question.item.link_id in self._enabled[question.scope]

    def _empty_groups(self, given: Mapping[str, tuple[Value, ...]]) -> Iterator[Question]:
        """The first question of each group that needs an answer to any of its questions."""
        for group, scope in self._required_groups:
            own = inside(group)
            questions = [
                question
                for inner in scope.walk()
                for link_id, question in inner.questions.items()
                if link_id in own and self._is_asked(question)
            ]
            is_settled = any(
                given[question.name] or question.errors or question.item.required
                for question in questions
            )
            if questions and not is_settled and not self._is_left_out(scope, given):
                yield questions[0]

    def _is_left_out(self, scope: Scope, given: Mapping[str, tuple[Value, ...]]) -> bool:
        """Whether it is in a spare occurrence of a repeating group that was left empty."""
        return any(
            around.is_spare
            and not _is_used(around, given)
            and not any(q.errors for inner in around.walk() for q in inner.questions.values())
            for around in scope.lineage()
        )

    def _cross_check(self, answers: Answers) -> None:
        checks = broken_constraints(self.questionnaire, answers, today=self.today, errors_only=True)
        for item, key in checks:
            question = self._root.questions.get(item.link_id)
            if question is not None and not question.errors:
                self.add_error(
                    question.names[0], forms.ValidationError(CONSTRAINT_MESSAGES[key], code=key)
                )


def _is_used(scope: Scope, given: Mapping[str, tuple[Value, ...]]) -> bool:
    """Whether this occurrence has an answer. Initial values of a spare one do not count."""
    is_untouched = scope.is_spare and not scope.elements
    return any(
        given[question.name]
        and not (is_untouched and given[question.name] == question.item.initial)
        for inner in scope.walk()
        for question in inner.questions.values()
    )
