"""The texts of the privacy notice that patients agree to."""

import hashlib
from datetime import datetime

from django.template.loader import render_to_string
from django.utils import translation

from clinic.languages import templates
from clinic.models import Practice, PrivacyNotice

NOTICE_VERSION = "2026-11"
"""The version of templates/clinic/privacy.*.html; raise it with any change of meaning there.

People who agreed to another version are then asked again before their next answers.
"""


def notice_text(language: str, *, practice: Practice) -> str:
    """Return the notice as HTML, with the practice's own entries filled in."""
    with translation.override(language):
        return render_to_string(templates("clinic/privacy", language), {"practice": practice})


def current_notice(language: str, *, practice: Practice, now: datetime) -> PrivacyNotice:
    """Return the row with the current text in ``language``; create it if it is new."""
    text = notice_text(language, practice=practice)
    return PrivacyNotice.objects.get_or_create(
        version=NOTICE_VERSION,
        language=language,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        defaults={"text": text, "first_shown_at": now},
    )[0]
