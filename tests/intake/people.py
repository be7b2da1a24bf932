"""People whom the clinical rules are tried on: small sets of answers, and a strategy for any."""

import datetime as dt

from hypothesis import strategies as st

from intake.rules import variables
from intake.rules.conditions import Compared, Count, Joined, Not, Pattern

TODAY = dt.date(2026, 11, 22)


def born(years, *, days=0):
    """The birth date of somebody who turned `years` that many days ago; negative is ahead."""
    return dt.date(TODAY.year - years, TODAY.month, TODAY.day) - dt.timedelta(days=days)


BONE = {
    "body_main": "sacrum",
    "onset_worse": ["impact", "one-leg"],
    "onset_how": "gradual",
    "safety_bone": ["past-stress-fracture"],
}
INFLAMMATORY = {
    "onset_first_age": 28,
    "onset_duration": "gt-1y",
    "onset_how": "gradual",
    "onset_better": ["moving"],
    "pain_night": "second-half",
}
ENERGY = {"food_enough": "skip", "load_recovered": "rarely"}
TEEN = {
    "about_birth_date": born(16),
    "onset_duration": "w2-6",
    "onset_worse": ["arch-back"],
}
NERVE_SIGNS = ["saddle-numb", "bladder-hard", "bladder-leak", "bowel-loss", "both-legs"]


def each(rule_id, link_id, codes, **others):
    """One row for every code of a rule's list, so that none can be forgotten."""
    return [(rule_id, {link_id: [code], **others}) for code in codes]


SAFETY_CLEAR = {
    "safety_nerve": ["none"],
    "safety_body": ["none"],
    "safety_injury": "no",
    "safety_leg_power": "no",
    "safety_illness": ["none"],
    "safety_cancer": ["none"],
    "safety_bone": ["none"],
    "safety_pregnancy": "no",
    "about_birth_date": born(30),
    "leg_any": False,
}

RED_FLAGS = [
    *(("safety-nerve", code) for code in [*NERVE_SIGNS, "unsure", "sexual-change"]),
    *(
        ("safety-body", code)
        for code in ("chest-pain", "faint", "tearing", "belly-pulse", "cant-walk")
    ),
    *(
        ("safety-illness", code)
        for code in ("fever", "recent-infection", "weak-immunity", "urine", "dark-urine")
    ),
    *(
        ("safety-cancer", code)
        for code in ("cancer-history", "weight-loss", "night-constant", "lump", "tired-unwell")
    ),
    *(
        ("safety-bone", code)
        for code in (
            "osteoporosis",
            "steroids",
            "past-stress-fracture",
            "hop-pain",
            "blood-thinner",
            "aneurysm",
        )
    ),
    *(("safety-pregnancy-signs", code) for code in ("bleeding", "fluid", "waves")),
    *(("onset-worse", code) for code in ("arch-back", "impact", "walking", "one-leg", "cough")),
    *(("leg-feeling", code) for code in ("tingling", "numbness", "weakness")),
    ("body-numb", "saddle"),
]

SINGLE_CHOICES = {
    "safety-injury": ["no", "minor", "major"],
    "safety-leg-power": ["no", "same", "worse", "foot-drop", "unsure"],
    "safety-pregnancy": ["no", "pregnant", "postpartum", "prefer-not"],
    "onset-duration": list(variables.DURATION_DAYS),
    "onset-how": ["sudden-run", "sudden-other", "gradual", "unsure"],
    "onset-trend": ["better", "same", "worse"],
    "leg-side": ["left", "both"],
    "leg-reach": ["thigh", "below-knee", "foot"],
    "body-main": ["sacrum", "low-back-left", "mid-back"],
    "pain-pattern": ["comes-goes", "constant-same"],
    "food-enough": ["yes", "skip"],
    "leg-any": [True, False],
    "pain-worst": list(range(11)),
    "pain-now": list(range(11)),
    "about-birth-date": [born(11), born(16), born(30), born(70)],
}


def parts_of(condition):
    """A condition and all that it is made of, however deep."""
    yield condition
    match condition:
        case Joined(parts=parts) | Compared(quantity=Count(parts=parts)):
            for part in parts:
                yield from parts_of(part)
        case Pattern(condition=inner) | Not(condition=inner):
            yield from parts_of(inner)


@st.composite
def intakes(draw):
    answers = {
        link_id: [draw(st.sampled_from(options))]
        for link_id, options in SINGLE_CHOICES.items()
        if draw(st.booleans())
    }
    for link_id, code in draw(st.lists(st.sampled_from(RED_FLAGS), unique=True, max_size=6)):
        answers.setdefault(link_id, []).append(code)
    return answers
