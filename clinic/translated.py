"""The clinic's own short texts in every registered language, in one column each."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models.fields.json import KeyTextTransform
from django.db.models.query_utils import DeferredAttribute
from django.utils import translation

from clinic.languages import in_language


class TranslatedText(Mapping[str, str]):
    """Texts by language code; ``str()`` gives the one for the active language.

    Not a ``dict``, which the admin would show as JSON.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = {code: text for code, text in texts.items() if text}

    def __getitem__(self, code: str) -> str:
        return self._texts[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __str__(self) -> str:
        return in_language(self._texts, translation.get_language()) or ""

    def __repr__(self) -> str:
        return f"TranslatedText({self._texts!r})"


def in_default_language(field: str) -> KeyTextTransform:
    """Return the text of a ``TranslatedField`` in the default language, to order by.

    Django finds out what ``order_by("name__en")`` means through an exception that refers to itself.
    All frames of that query, with their open cursors, then live until the next garbage collection.
    """
    return KeyTextTransform(settings.LANGUAGE_CODE, field)


class TranslatedAttribute(DeferredAttribute):
    """Converts any assigned value to a ``TranslatedText``."""

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = self.field.to_python(value)


class TranslatedField(models.JSONField):
    """A text in each language: one line with ``max_length``, else several.

    A plain string is text in the default language. Filter and search by one language,
    ``name__en``; order by ``in_default_language``.
    """

    descriptor_class = TranslatedAttribute

    def to_python(self, value: Any) -> Any:
        if value is None or isinstance(value, str):
            return TranslatedText({settings.LANGUAGE_CODE: value or ""})
        return TranslatedText(value) if isinstance(value, Mapping) else value

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        value = super().from_db_value(value, expression, connection)
        # The text of one language, selected by ``name__en``, stays a string.
        return TranslatedText(value) if isinstance(value, dict) else value

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return dict(value) if isinstance(value, TranslatedText) else value

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        # ``update()`` calls this without the attribute.
        return super().get_db_prep_save(self.to_python(value), connection)

    def value_to_string(self, obj: models.Model) -> Any:
        return dict(self.value_from_object(obj))

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(dict(value), model_instance)
        if not self.blank and settings.LANGUAGE_CODE not in value:
            raise ValidationError(self.error_messages["blank"], code="blank")
        if self.max_length is not None:
            for text in value.values():
                MaxLengthValidator(self.max_length)(text)

    def formfield(self, **kwargs: Any) -> Any:
        # Not JSONField's own form field, which expects JSON.
        return models.Field.formfield(
            self, **{"form_class": TranslatedFormField, "max_length": self.max_length, **kwargs}
        )


class TranslatedInputs(forms.MultiWidget):
    """One input per language. The default language's is first and has the field's own name."""

    template_name = "clinic/translated_inputs.html"
    use_fieldset = False

    def __init__(self, inputs: Mapping[str, forms.Widget]) -> None:
        self.codes = list(inputs)
        default = settings.LANGUAGE_CODE
        super().__init__({"" if code == default else code: w for code, w in inputs.items()})

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        names = dict(settings.LANGUAGES)
        for code, part in zip(self.codes, context["widget"]["subwidgets"], strict=True):
            part["language"] = names[code]
            part["attrs"] |= {"lang": code, "id": attrs["id"] + part["name"].removeprefix(name)}
        return context

    def id_for_label(self, id_: str) -> str:
        return id_

    def decompress(self, value: Mapping[str, str] | None) -> list[str]:
        return [(value or {}).get(code, "") for code in self.codes]


class TranslatedFormField(forms.MultiValueField):
    """A text in each language; only the default language may be required."""

    def __init__(self, *, max_length: int | None, required: bool, **kwargs: Any) -> None:
        default = settings.LANGUAGE_CODE
        self.codes = [default, *(code for code, _name in settings.LANGUAGES if code != default)]
        fields = [
            forms.CharField(
                max_length=max_length,
                required=required and code == default,
                widget=forms.TextInput if max_length else forms.Textarea,
            )
            for code in self.codes
        ]
        kwargs["widget"] = TranslatedInputs(
            {code: field.widget for code, field in zip(self.codes, fields, strict=True)}
        )
        super().__init__(fields, require_all_fields=False, required=required, **kwargs)

    def compress(self, data_list: list[str]) -> TranslatedText:
        return TranslatedText(dict(zip(self.codes, data_list, strict=False)))
