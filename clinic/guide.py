"""The guide's table of contents. The text itself is one template a page and language."""

from dataclasses import dataclass

from django.utils import translation


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of the guide; ``title`` and ``description`` map a language code to text."""

    slug: str
    minutes: int
    title: dict[str, str]
    description: dict[str, str]

    @property
    def local_title(self) -> str:
        return self.title[active_language()]

    @property
    def local_description(self) -> str:
        return self.description[active_language()]

    @property
    def template_name(self) -> str:
        return f"clinic/guide/{self.slug}.{active_language()}.html"


def active_language() -> str:
    """Return the language the guide is shown in: Spanish when asked for, else English."""
    return "es" if (translation.get_language() or "").startswith("es") else "en"


PAGES = (
    Page(
        slug="when-to-see-someone",
        minutes=4,
        title={"en": "When to see someone", "es": "Cuándo pedir ayuda"},
        description={
            "en": "The signs that need care now, today, or this week, and what can wait.",
            "es": "Las señales que necesitan atención ahora, hoy o esta semana, y lo que puede "
            "esperar.",
        },
    ),
    Page(
        slug="why-it-hurts",
        minutes=8,
        title={"en": "Why it hurts", "es": "Por qué duele"},
        description={
            "en": "Load, strength, tightness, shoes, ground and form: what each one does and how "
            "to tell.",
            "es": "Carga, fuerza, rigidez, tenis, terreno y técnica: qué hace cada cosa y cómo "
            "notarlo.",
        },
    ),
    Page(
        slug="running-with-pain",
        minutes=5,
        title={"en": "Can I keep running?", "es": "¿Puedo seguir corriendo?"},
        description={
            "en": "Often yes, with less. Four simple rules, the times to stop, and the way back.",
            "es": "Muchas veces sí, con menos. Cuatro reglas sencillas, cuándo parar y cómo "
            "volver.",
        },
    ),
    Page(
        slug="what-helps",
        minutes=7,
        title={"en": "What helps", "es": "Qué ayuda"},
        description={
            "en": "At home, in the clinic and at the doctor's, and what the evidence says about "
            "each.",
            "es": "En casa, en la clínica y con el médico, y lo que dice la evidencia sobre cada "
            "opción.",
        },
    ),
    Page(
        slug="prevention",
        minutes=6,
        title={"en": "Keep it from coming back", "es": "Para que no regrese"},
        description={
            "en": "Build up, warm up, get stronger, rest well: small habits that add up.",
            "es": "Aumentar poco a poco, calentar, fortalecerse y descansar: hábitos pequeños que "
            "suman.",
        },
    ),
    Page(
        slug="faq",
        minutes=8,
        title={"en": "Questions runners ask", "es": "Preguntas de corredores"},
        description={
            "en": "Nerves, scans, tailbones, lasting damage, PRP: short and honest answers.",
            "es": "Nervios, estudios, cóccix, daño duradero, PRP: respuestas cortas y honestas.",
        },
    ),
)

_BY_SLUG = {page.slug: page for page in PAGES}


def find(slug: str) -> Page | None:
    return _BY_SLUG.get(slug)
