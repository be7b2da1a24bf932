"""Which of a young person's answers a parent or guardian does not see (clinical.md §7).

The link to a young person's form is mailed to an address that a parent may read, and a parent
knows the birth date. So what was answered about these things is not shown again by any link, and
a parent who fills in the form is not asked what can be asked in private at the visit.
"""

from collections.abc import Collection
from datetime import date

from clinic.models import Patient
from intake.answers import Answers
from intake.fhir_form.items import Item
from intake.rules import variables

PRIVATE = frozenset(
    {"safety-pregnancy", "safety-pregnancy-signs", "safety-pregnancy-weeks", "periods"}
)
# One option of a question that is otherwise shown: it groups drug use with weak immunity.
PRIVATE_OPTIONS = {"safety-illness": "weak-immunity"}


def withheld(
    answers: Answers, *, patient: Patient | None, today: date, minor_age: int
) -> frozenset[str]:
    """The linkIds whose questions and answers are left out; none for an adult."""
    age = patient.age_on(today) if patient is not None else None
    if age is None:
        age = variables.age(answers, today)
    if age is None or age >= minor_age:
        return frozenset()
    found = {link_id for link_id in PRIVATE if answers.answered(link_id)}
    found |= {item for item, option in PRIVATE_OPTIONS.items() if answers.has(item, option)}
    if answers.has("about-filler", "guardian"):
        found.add("periods")
    return frozenset(found)


def shown(items: Collection[Item], withheld: Collection[str]) -> tuple[Item, ...]:
    return tuple(item for item in items if item.link_id not in withheld)
