"""Form fields for questionnaire items: what is typed becomes values of the item's type.

Fields only convert. Whether a value is allowed is asked of :mod:`intake.responses`, so that a
page, an import and an export are judged by the same rules.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.plain_text import OneLineField
from intake.answers import Value
from intake.items import Item

# A birth weight or a world record fits; a typed phone number does not.
LONGEST_NUMBER = 20
PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{0,9}\.?[0-9]{0,9}")

IMPERIAL = {
    # linkId: our unit, then the other units a person may use and what one is worth in ours.
    "about-height": ("cm", (("ft", Decimal("30.48")), ("in", Decimal("2.54")))),
    "about-weight": ("kg", (("lb", Decimal("0.45359237")),)),
}


def number_attrs(mode: str) -> dict[str, Any]:
    """Of a text box that brings up a phone's number pad; `mode` is decimal or numeric."""
    return {"class": "form-control", "inputmode": mode, "maxlength": LONGEST_NUMBER}


class NumberField(forms.DecimalField):
    """A decimal, with a point or a comma."""

    default_error_messages = {"invalid": _("Enter a number, such as 12 or 12.5.")}
    widget = forms.TextInput

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip().replace(",", ".")
        # No exponents: "1e999999999" is short to type and takes all memory to write out.
        if text and not PLAIN_NUMBER.fullmatch(text):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(text)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return number_attrs("decimal")


class WholeNumberField(forms.IntegerField):
    default_error_messages = {"invalid": _("Enter a whole number, such as 3.")}
    widget = forms.TextInput

    def to_python(self, value: Any) -> Any:
        if len(str(value or "")) > LONGEST_NUMBER:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return number_attrs("numeric")


class MeasureWidget(forms.MultiWidget):
    """One box for our unit and one for each other unit; a stored value fills only the first."""

    template_name = "intake/measure.html"

    def __init__(self, units: list[str]) -> None:
        self.units = units
        boxes = [forms.TextInput(attrs=number_attrs("decimal")) for _unit in units]
        super().__init__(boxes)

    def decompress(self, value: Any) -> list[Any]:
        return [value, *[None] * (len(self.units) - 1)]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        for box, unit in zip(context["widget"]["subwidgets"], self.units, strict=True):
            box["unit"] = unit
        return context


class MeasureField(forms.MultiValueField):
    """A height or weight in metric or in customary units; the value is metric, one decimal."""

    default_error_messages = {
        "both": _("Use one way only: %(metric)s, or %(other)s."),
    }

    def __init__(self, metric: str, others: tuple[tuple[str, Decimal], ...], **kwargs: Any) -> None:
        self.metric = metric
        self.others = others
        units = [metric, *(unit for unit, _worth in others)]
        super().__init__(
            fields=[NumberField(required=False) for _unit in units],
            widget=MeasureWidget(units),
            require_all_fields=False,
            **kwargs,
        )

    def compress(self, data_list: list[Decimal | None]) -> Decimal | None:
        if not data_list:
            return None
        metric, *parts = data_list
        typed = [
            part * worth
            for part, (_unit, worth) in zip(parts, self.others, strict=True)
            if part is not None
        ]
        if not typed:
            return metric
        value = round(sum(typed, Decimal(0)), 1)
        if metric is not None and metric != value:
            others = " + ".join(unit for unit, _worth in self.others)
            raise forms.ValidationError(
                self.error_messages["both"],
                code="both",
                params={"metric": self.metric, "other": others},
            )
        return value


class ParagraphField(forms.CharField):
    widget = forms.Textarea

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {"class": "form-control", "rows": 4, "dir": "auto"}


def field_for(item: Item, *, language: str, label: str, help_text: str) -> forms.Field:
    """A field that asks this item; never required by itself, since that depends on answers."""
    words: dict[str, Any] = {"label": label, "help_text": help_text, "required": False}
    not_an_option = {"invalid_choice": _("Pick from the answers shown.")}
    match item.type:
        case "choice":
            by_text = {str(option.value): option.value for option in item.options}
            choices = [
                (str(option.value), option.text.in_language(language)) for option in item.options
            ]
            if item.repeats:
                return forms.TypedMultipleChoiceField(
                    choices=choices,
                    coerce=by_text.__getitem__,
                    empty_value=[],
                    widget=forms.CheckboxSelectMultiple,
                    error_messages=not_an_option,
                    **words,
                )
            return forms.TypedChoiceField(
                choices=choices,
                coerce=by_text.__getitem__,
                empty_value=None,
                widget=forms.RadioSelect,
                error_messages=not_an_option,
                **words,
            )
        case "boolean" if item.must_be_true:
            return forms.BooleanField(**words)
        case "boolean":
            return forms.TypedChoiceField(
                choices=[("true", _("Yes")), ("false", _("No"))],
                coerce="true".__eq__,
                empty_value=None,
                widget=forms.RadioSelect,
                error_messages=not_an_option,
                **words,
            )
        case "integer" if item.is_scale:
            marks = range(int(item.min_value or 0), int(item.max_value or 10) + 1)  # type: ignore[arg-type]
            return forms.TypedChoiceField(
                choices=[(str(mark), str(mark)) for mark in marks],
                coerce=int,
                empty_value=None,
                widget=forms.RadioSelect,
                error_messages=not_an_option,
                **words,
            )
        case "integer":
            return WholeNumberField(**words)
        case "decimal" if item.link_id in IMPERIAL:
            return MeasureField(*IMPERIAL[item.link_id], **words)
        case "decimal":
            return NumberField(**words)
        case "date":
            date = forms.DateInput(
                attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d"
            )
            return forms.DateField(
                widget=date,
                input_formats=["%Y-%m-%d"],
                error_messages={"invalid": _("Enter a date as year-month-day: 1990-05-24.")},
                **words,
            )
        case "string":
            return OneLineField(widget=forms.TextInput(attrs={"class": "form-control"}), **words)
    return ParagraphField(**words)


def values_from(item: Item, cleaned: Any) -> tuple[Value, ...]:
    """The cleaned form value as the item's values; empty when nothing was answered."""
    if item.must_be_true and cleaned is False:
        return ()
    if cleaned is None or cleaned == "":
        return ()
    if isinstance(cleaned, list):
        return tuple(cleaned)
    if isinstance(cleaned, Decimal):
        return (int(cleaned) if cleaned == cleaned.to_integral_value() else float(cleaned),)
    return (cleaned,)


def initial_for(item: Item, values: tuple[Value, ...]) -> Any:
    """Stored values as the field's initial value."""
    if item.type == "choice":
        texts = [str(value) for value in values]
        return texts if item.repeats else next(iter(texts), None)
    value = next(iter(values), None)
    if item.type == "boolean" and not item.must_be_true and value is not None:
        return "true" if value else "false"
    return value
