"""The guide's table of contents. The text is in one template per page and language."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clinic.languages import active_language, templates


@dataclass(frozen=True, kw_only=True)
class GuidePage:
    """One page of the guide. ``title`` and ``description`` are read in the active language."""

    slug: str
    minutes: int
    title: str | Promise
    description: str | Promise

    @property
    def templates(self) -> list[str]:
        return templates(f"clinic/guide/{self.slug}", active_language())


PAGES = (
    GuidePage(
        slug="when-to-see-someone",
        minutes=4,
        title=pgettext_lazy("guide", "When to see someone"),
        description=_("The signs that need care now, today, or this week, and what can wait."),
    ),
    GuidePage(
        slug="why-it-hurts",
        minutes=8,
        title=_("Why it hurts"),
        description=_(
            "Load, strength, tightness, shoes, ground and form: what each one does and how to tell."
        ),
    ),
    GuidePage(
        slug="running-with-pain",
        minutes=5,
        title=_("Can I keep running?"),
        description=_(
            "Often yes, with less. Four simple rules, the times to stop, and the way back."
        ),
    ),
    GuidePage(
        slug="what-helps",
        minutes=7,
        title=_("What helps"),
        description=_(
            "At home, in the clinic and at the doctor's, and what the evidence says about each."
        ),
    ),
    GuidePage(
        slug="prevention",
        minutes=6,
        title=_("Keep it from coming back"),
        description=_("Build up, warm up, get stronger, rest well: small habits that add up."),
    ),
    GuidePage(
        slug="faq",
        minutes=8,
        title=_("Questions runners ask"),
        description=_("Nerves, scans, tailbones, lasting damage, PRP: short and honest answers."),
    ),
)

_BY_SLUG = {page.slug: page for page in PAGES}


def find(slug: str) -> GuidePage | None:
    return _BY_SLUG.get(slug)
