"""Which words of the privacy notice somebody agreed to."""

NOTICE_VERSION = "2026-11"
"""Of templates/clinic/privacy.*.html; raise it with any change of meaning there."""
