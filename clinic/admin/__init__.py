"""The practice's own admin pages. Importing them registers them."""

from clinic.admin import mail, mail_texts, practice
from clinic.admin.base import (
    EVERYWHERE,
    AuditedAdmin,
    ConfigurationAdmin,
    DayFilter,
    ReadOnlyAdmin,
    replaced,
)

__all__ = [
    "EVERYWHERE",
    "AuditedAdmin",
    "ConfigurationAdmin",
    "DayFilter",
    "ReadOnlyAdmin",
    "mail",
    "mail_texts",
    "practice",
    "replaced",
]
