"""Questions on a page: what their templates need, and how they are rendered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from crispy_forms.utils import TEMPLATE_PACK, render_field
from django import forms
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from intake.fhir_form.items import Item
from intake.html_form import body_chart

# Names that the page itself posts; names of question fields never begin with an underscore.
RESERVED = {"next", "later", "csrfmiddlewaretoken"}


def field_name(link_id: str) -> str:
    """The name of the question's field: its linkId, unless the page uses that name."""
    return f":{link_id}" if link_id in RESERVED or link_id.startswith("_") else link_id


@dataclass
class Question:
    """What a field template needs beside the bound field.

    `names` are the fields that hold its answers: one, or one for each answer where the question
    repeats and has no options to tick.
    """

    item: Item
    name: str
    names: tuple[str, ...]
    scope: Scope
    form: forms.Form = field(repr=False)
    depends_on: str = ""
    picked_from: str = ""
    alone: str = ""
    lower_end: str = ""
    upper_end: str = ""
    unit: str = ""
    unit_from: str = ""
    units: str = ""
    note: str = ""
    can_add: bool = False
    is_shown: bool = True
    warnings: list[Any] = field(default_factory=list)

    @property
    def parts(self) -> list[str]:
        """The bound fields of its answers that are on the page."""
        known = [f"{name}{part}" for name in self.names for part in ("", ":unit", ":other")]
        return [name for name in known if name in self.form.fields]

    @property
    def entries(self) -> list[tuple[forms.BoundField, forms.BoundField | None]]:
        """Each answer's field, with that of its unit where there is a choice of units."""
        return [
            (self.form[name], self.form[unit] if (unit := f"{name}:unit") in self.parts else None)
            for name in self.names
        ]

    @property
    def unit_field(self) -> forms.BoundField | None:
        return self.entries[0][1]

    @property
    def other(self) -> forms.BoundField | None:
        """The field for an answer beside the options."""
        name = f"{self.name}:other"
        return self.form[name] if name in self.form.fields else None

    @property
    def errors(self) -> list[str]:
        """Its errors, each once."""
        found = [str(error) for name in self.parts for error in self.form.errors.get(name, [])]
        return [*dict.fromkeys(found)]

    @property
    def chart(self) -> dict[str, Any]:
        """The shapes of the body figure, each with the id of the checkbox that it labels."""
        box_ids = {
            option.value: f"id_{self.name}_{index}"
            for index, option in enumerate(self.item.options)
        }
        sides = ((_("Back"), body_chart.BACK), (_("Front"), body_chart.FRONT))
        return {
            "width": body_chart.WIDTH,
            "height": body_chart.HEIGHT,
            "head": body_chart.HEAD,
            "outline": body_chart.OUTLINE,
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
        if item.is_list:
            return "intake/field_list.html"
        if "body-chart" in item.controls:
            return "intake/field_body_chart.html"
        if item.is_scale:
            return "intake/field_scale.html"
        if item.must_be_true:
            return "intake/field_consent.html"
        if item.type in ("choice", "open-choice", "boolean") and not item.is_select:
            return "intake/field_choice.html"
        return "intake/field_input.html"


@dataclass(eq=False)
class Scope:
    """The whole form, or one occurrence of a repeating group: the parent of its answers.

    `elements` are the stored items at this level and `expected` the form's. A spare occurrence may
    stay empty.
    """

    expected: tuple[Item, ...]
    elements: list[dict[str, Any]]
    prefix: str = ""
    parent: Scope | None = None
    group: Item | None = None
    is_spare: bool = False
    questions: dict[str, Question] = field(default_factory=dict)
    occurrences: dict[str, list[Scope]] = field(default_factory=dict)

    def lineage(self) -> Iterator[Scope]:
        """The scope and those around it, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def walk(self) -> Iterator[Scope]:
        """The scope and those within it."""
        yield self
        for scopes in self.occurrences.values():
            for scope in scopes:
                yield from scope.walk()


class Block:
    """A crispy layout object that renders fields with a template of ours.

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
