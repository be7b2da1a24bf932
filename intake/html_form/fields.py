"""Form fields for questionnaire items: what is typed becomes values of the item's type.

Fields only convert. Whether a value is allowed is asked of :mod:`intake.fhir_form.responses`,
so that a page, an import and an export are judged by the same rules.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.plain_text import OneLineField, one_line
from intake.fhir_form.items import Item
from intake.values import LARGEST_INTEGER, Quantity, Value, is_url

# The value of "other": the answer is then written as text beside the options.
OTHER = ":other"

# Wide enough for every body measure; refuses a phone number typed by mistake.
LONGEST_NUMBER = 20
PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{0,9}\.?[0-9]{0,9}")

IMPERIAL = {
    # linkId: our unit, then the other units a person may use and what one is worth in ours.
    "about-height": ("cm", (("ft", Decimal("30.48")), ("in", Decimal("2.54")))),
    "about-weight": ("kg", (("lb", Decimal("0.45359237")),)),
}


def number_attrs(mode: str) -> dict[str, Any]:
    """Attributes of a text box that opens a phone's number pad; `mode` is decimal or numeric."""
    return {"class": "form-control", "inputmode": mode, "maxlength": LONGEST_NUMBER}


class NumberField(forms.DecimalField):
    """A decimal, with a point or a comma."""

    default_error_messages = {"invalid": _("Enter a number, such as 12 or 12.5.")}
    widget = forms.TextInput

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip().replace(",", ".")
        # No exponents: "1e999999999" is short to type and would use up the memory when printed.
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
        number = super().to_python(value)
        if number is not None and abs(number) > LARGEST_INTEGER:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return number

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return number_attrs("numeric")


class MomentField(forms.DateTimeField):
    """A date and time on the clinic's clocks."""

    default_error_messages = {"invalid": _("Enter a date and a time.")}

    def __init__(self, *, zone: dt.tzinfo, **kwargs: Any) -> None:
        self.zone = zone
        box = forms.DateTimeInput(
            attrs={"type": "datetime-local", "class": "form-control"}, format="%Y-%m-%dT%H:%M"
        )
        super().__init__(
            widget=box, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], **kwargs
        )

    def to_python(self, value: Any) -> dt.datetime | None:
        with timezone.override(self.zone):
            return super().to_python(value)

    def prepare_value(self, value: Any) -> Any:
        with timezone.override(self.zone):
            return super().prepare_value(value)


class AddressField(OneLineField):
    """The address of a web page; "clinic.example" is taken for one."""

    default_error_messages = {"invalid": _("Enter a web address, such as https://example.org.")}

    def to_python(self, value: Any) -> str | None:
        text = super().to_python(value)
        if not text:
            return text
        text = text if ":" in text else f"https://{text}"
        if not is_url(text):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return text


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


def field_for(
    item: Item, *, language: str, zone: dt.tzinfo, label: str, help_text: str
) -> forms.Field:
    """A field for one answer, or for all ticked options; never required by itself.

    Whether an answer is needed depends on other answers.
    """
    words: dict[str, Any] = {"label": label, "help_text": help_text, "required": False}
    not_an_option = {"invalid_choice": _("Pick from the answers shown.")}
    match item.type:
        case "choice" | "open-choice" if item.options:
            return _choice_field(item, language, words | {"error_messages": not_an_option})
        case "boolean" if item.must_be_true:
            # The script compares what a box stands for: "true", as the radio buttons have it.
            return forms.BooleanField(widget=forms.CheckboxInput({"value": "true"}), **words)
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
            return forms.TypedChoiceField(
                choices=[(str(mark), str(mark)) for mark in item.marks],
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
        case "decimal" | "quantity":
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
        case "dateTime":
            return MomentField(zone=zone, **words)
        case "time":
            clock = forms.TimeInput(attrs={"type": "time", "class": "form-control"}, format="%H:%M")
            return forms.TimeField(
                widget=clock,
                input_formats=["%H:%M", "%H:%M:%S"],
                error_messages={"invalid": _("Enter a time as hours and minutes: 14:30.")},
                **words,
            )
        case "url":
            box = forms.TextInput(attrs={"class": "form-control", "inputmode": "url"})
            return AddressField(widget=box, **words)
        case "text":
            return ParagraphField(**words)
    return OneLineField(widget=forms.TextInput(attrs={"class": "form-control"}), **words)


def _choice_field(item: Item, language: str, words: dict[str, Any]) -> forms.Field:
    by_key = {option.key: option.value for option in item.options}
    choices: list[tuple[str, Any]] = [
        (option.key, option.text.in_language(language)) for option in item.options
    ]
    if item.repeats:
        return forms.TypedMultipleChoiceField(
            choices=choices,
            coerce=by_key.__getitem__,
            empty_value=[],
            widget=forms.CheckboxSelectMultiple,
            **words,
        )
    if item.type == "open-choice":
        by_key[OTHER] = OTHER
        choices.append((OTHER, _("Something else")))
    if item.is_select:
        choices.insert(0, ("", _("Pick one")))
    return forms.TypedChoiceField(
        choices=choices,
        coerce=by_key.__getitem__,
        empty_value=None,
        widget=forms.Select(attrs={"class": "form-select"})
        if item.is_select
        else forms.RadioSelect,
        **words,
    )


def other_field(item: Item) -> forms.Field:
    """The text field for answers beside the options, one a line where several are allowed."""
    if item.repeats:
        attrs = {"class": "form-control", "rows": 2, "dir": "auto", "data-other": True}
        label = _("Something else? Write one answer on each line.")
        return forms.CharField(label=label, required=False, widget=forms.Textarea(attrs))
    attrs = {"class": "form-control", "dir": "auto", "data-other": True}
    label = _("If something else, write it here.")
    return OneLineField(label=label, required=False, widget=forms.TextInput(attrs))


def unit_field(item: Item, *, language: str) -> forms.Field:
    """The choice between the units of a quantity."""
    return forms.ChoiceField(
        label=_("Unit"),
        required=False,
        choices=[(unit.key, unit.text.in_language(language)) for unit in item.units],
        widget=forms.Select(
            attrs={"class": "form-select", "data-unit": True, "aria-label": _("Unit")}
        ),
        error_messages={"invalid_choice": _("Pick from the answers shown.")},
    )


def values_from(item: Item, cleaned: Any, *, unit: str = "") -> tuple[Value, ...]:
    """The cleaned form value as the item's values; empty when nothing was answered."""
    if item.must_be_true and cleaned is False:
        return ()
    if cleaned is None or cleaned == "":
        return ()
    if isinstance(cleaned, list):
        return tuple(cleaned)
    if isinstance(cleaned, Decimal):
        cleaned = int(cleaned) if cleaned == cleaned.to_integral_value() else float(cleaned)
    if item.type == "quantity":
        units = [one for one in item.units if one.key == unit] or item.units[:1]
        return (units[0].of(cleaned) if units else Quantity(cleaned),)
    return (cleaned,)


def other_values(item: Item, typed: str) -> tuple[str, ...]:
    """The answers written beside the options."""
    lines = (one_line(line) for line in typed.splitlines()) if item.repeats else [typed]
    return tuple(dict.fromkeys(line for line in lines if line))


def initial_for(item: Item, values: tuple[Value, ...]) -> Any:
    """Stored values as the field's initial value."""
    if item.options:
        keys = [option.key for value in values if (option := item.option(value))]
        if item.repeats:
            return keys
        return next(iter(keys), OTHER if values and item.type == "open-choice" else None)
    value = next(iter(values), None)
    if isinstance(value, Quantity):
        return value.value
    if item.type == "boolean" and not item.must_be_true and value is not None:
        return "true" if value else "false"
    return value


def in_words(item: Item, value: Value, language: str) -> str:
    """A value as text for the patient, in the active language."""
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    option = item.option(value)
    if option is not None:
        return option.text.in_language(language)
    if isinstance(value, Quantity):
        unit = next((one for one in item.units if one.key == value.measure), None)
        name = unit.text.in_language(language) if unit else value.unit or value.code
        return f"{formats.localize(value.value)} {name}".strip()
    if isinstance(value, dt.datetime):
        return formats.date_format(value, "DATETIME_FORMAT")
    if isinstance(value, dt.date):
        return formats.date_format(value)
    if isinstance(value, dt.time):
        return formats.time_format(value)
    return str(formats.localize(value))
