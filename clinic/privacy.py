"""Which words of the privacy notice somebody agreed to."""

import hashlib
from datetime import datetime

from django.template.loader import render_to_string
from django.utils import translation

from clinic.languages import templates
from clinic.models import Practice, PrivacyNotice

NOTICE_VERSION = "2026-11"
"""Of templates/clinic/privacy.*.html; raise it with any change of meaning there.

Everybody who agreed to another version is then asked again before their next answers.
"""


def notice_text(language: str, *, practice: Practice) -> str:
    """The notice as HTML, with the practice's own words filled in."""
    with translation.override(language):
        return render_to_string(templates("clinic/privacy", language), {"practice": practice})


def current_notice(language: str, *, practice: Practice, now: datetime) -> PrivacyNotice:
    """Return the row that keeps today's words in ``language``, written when it is new."""
    text = notice_text(language, practice=practice)
    return PrivacyNotice.objects.get_or_create(
        version=NOTICE_VERSION,
        language=language,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        defaults={"text": text, "first_shown_at": now},
    )[0]
