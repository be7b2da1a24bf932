"""The registered languages, and the choice of one for a reader.

A language is registered in ``settings.LANGUAGES``. No other code names a language.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning  # noqa: A004 - the name of the check message
from django.utils import translation


def choices() -> list[tuple[str, str]]:
    """Return code and name of every registered language; migrations contain this call, no list."""
    return list(settings.LANGUAGES)


def is_registered(code: str) -> bool:
    return code in dict(settings.LANGUAGES)


def fallbacks(language: str | None) -> list[str]:
    """Return the codes to look for, the best first: es-mx, es, then the default language."""
    code = language or settings.LANGUAGE_CODE
    return list(dict.fromkeys([code, code.split("-")[0], settings.LANGUAGE_CODE]))


def active_language() -> str:
    """Return the registered language that fits the active one best."""
    return next(filter(is_registered, fallbacks(translation.get_language())))


def in_language[T](texts: Mapping[str, T], language: str | None) -> T | None:
    """Return the text for a language, else the default language's, else any other."""
    return next((texts[code] for code in [*fallbacks(language), *texts] if code in texts), None)


def templates(name: str, language: str) -> list[str]:
    """Return the templates with a text in a language, the best first, for Django to select."""
    return [f"{name}.{code}.html" for code in fallbacks(language)]


def content(module: str, name: str) -> dict[str, Any]:
    """Return the content of ``<name>.<language>.json`` in a module's folder, by language."""
    files = sorted(Path(module).parent.glob(f"{name}.*.json"))
    return {path.name.split(".")[1]: json.loads(path.read_text()) for path in files}


def each_language(lookup: str) -> list[str]:
    """Return the lookup of a translated field in every language, for the admin's search."""
    return [f"{lookup}__{code}" for code, _name in settings.LANGUAGES]


def gaps(missing: Callable[[str], Iterable[str]], *, check_id: str) -> list[CheckMessage]:
    """Warn of texts that a registered language lacks; ``missing`` lists them for one code."""
    return [
        Warning(
            f"{name} ({code}) is registered and lacks {', '.join(found)}.",
            hint="Its readers get the default language there. See CONTRIBUTING.md.",
            id=check_id,
        )
        for code, name in settings.LANGUAGES
        if (found := sorted(missing(code)))
    ]
