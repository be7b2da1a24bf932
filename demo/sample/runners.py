"""Sample runners: invented people, and stories told in the answers of the intake."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from intake.fhir_form.questionnaire import Form
from intake.fhir_form.responses import answer_for, settle

FIRST_NAMES = (
    "Alex",
    "Bea",
    "Carlos",
    "Dana",
    "Elena",
    "Frank",
    "Gloria",
    "Hugo",
    "Imani",
    "Jonas",
    "Karla",
    "Liam",
    "Marta",
    "Nate",
    "Olivia",
    "Pedro",
    "Quinn",
    "Rafael",
    "Sofía",
    "Tom",
    "Uma",
    "Víctor",
    "Wendy",
    "Xavier",
    "Yolanda",
    "Zoe",
    "Aaron",
    "Brenda",
    "Chris",
    "Diego",
    "Erin",
    "Fernanda",
    "George",
    "Helena",
    "Ivan",
    "Julia",
    "Ken",
    "Lucía",
    "Miles",
    "Nora",
)
LAST_NAMES = (
    "Moreno",
    "Thompson",
    "Rivera",
    "Whitfield",
    "Vargas",
    "Osei",
    "Benítez",
    "Lambert",
    "Brooks",
    "Keller",
    "Peña",
    "O'Connor",
    "Ruiz",
    "Collins",
    "Tran",
    "Salas",
    "Harper",
    "Núñez",
    "Cárdenas",
    "Becker",
    "Desai",
    "Lozano",
    "Chu",
    "Flores",
    "Cruz",
    "Fischer",
    "Webb",
    "Soto",
    "Nakamura",
    "Fuentes",
    "Gallagher",
    "Ríos",
    "Papas",
    "Duarte",
    "Petrov",
    "Sandoval",
    "Adeyemi",
    "Herrera",
    "Porter",
    "Jensen",
)

# Everything the form asks of everybody, answered by somebody with ordinary back pain.
EVERYBODY: dict[str, Any] = {
    "safety-nerve": ["none"],
    "safety-body": ["none"],
    "safety-injury": "no",
    "safety-leg-power": "no",
    "safety-illness": ["none"],
    "safety-cancer": ["none"],
    "safety-bone": ["none"],
    "safety-pregnancy": "no",
    "about-filler": "self",
    "pain-now": 3,
    "pain-average": 4,
    "pain-worst": 5,
    "pain-run": 5,
    "pain-type": ["ache", "stiff"],
    "pain-pattern": "comes-goes",
    "pain-stiff-morning": "lt-30",
    "pain-night": "no",
    "leg-any": False,
    "body-regions": ["low-back-left", "low-back-center"],
    "body-main": "low-back-center",
    "onset-duration": "w2-6",
    "onset-how": "gradual",
    "onset-trigger": ["nothing"],
    "onset-before": "few",
    "onset-trend": "same",
    "onset-when": ["run-builds", "after"],
    "onset-settle": "lt-24h",
    "onset-worse": ["sitting", "bend-forward"],
    "onset-better": ["moving", "heat"],
    "onset-push": "sometimes",
    "run-unit": "mi",
    "run-experience": "y2-6",
    "run-break": "no",
    "run-status": "full-pain",
    "run-days": 3,
    "load-now": 15,
    "run-missed": 1,
    "load-known": False,
    "load-felt": "same",
    "load-changes": ["none"],
    "load-rest-days": 3,
    "load-recovered": "mostly",
    "shoe-distance": "lt-300",
    "shoe-feel": ["good"],
    "foot-type": "regular",
    "surface-main": "mix",
    "form-notes": ["unsure"],
    "strength-core": "d1",
    "strength-hips": "d1",
    "mob-tight": ["hip-front"],
    "warmup": "sometimes",
    "cooldown": ["stretch"],
    "hydration": "yes",
    "cramps": False,
    "sleep-hours": 7.5,
    "sitting-hours": 7,
    "food-enough": "yes",
    "med-told": ["none"],
    "med-surgery": False,
    "med-imaging": ["none"],
    "med-nsaid-caution": ["none"],
    "med-smoke": "no",
    "tx-tried": ["stretching", "heat"],
    "tx-helped": ["heat"],
    "tx-want": ["cause", "exercise"],
    "tx-avoid": ["none"],
    "impact-sit": 4,
    "impact-bend": 3,
    "impact-walk": 1,
    "impact-sleep": 2,
    "impact-work": 2,
    "impact-run": 5,
    "work-days": 0,
    "activity": [{"activity-name": "run 5 km", "activity-score": 6}],
    "mind-harm": 3,
    "mind-mood": 3,
    "mind-hope": 8,
    "goal-main": "run",
    "goal-words": "Run with my friends on Sundays.",
    "consent-true": True,
    "consent-not-emergency": True,
    "consent-privacy": True,
    "consent-contact": ["phone", "email"],
}

WOMEN = frozenset(
    {
        "Bea", "Dana", "Elena", "Gloria", "Imani", "Karla", "Marta", "Olivia", "Quinn", "Sofía",
        "Uma", "Wendy", "Yolanda", "Zoe", "Brenda", "Erin", "Fernanda", "Helena", "Julia",
        "Lucía", "Nora",
    }
)  # fmt: skip

# Ages at which a story is believable.
AGES = {"new-mother": range(22, 43), "masters-runner": range(50, 99), "early-riser": range(30, 50)}

# What differs from everybody, by story. The birth date and name come from the patient.
STORIES: dict[str, dict[str, Any]] = {
    "desk-runner": {},
    "half-marathon": {
        "about-sex": "female",
        "pain-average": 5,
        "pain-worst": 7,
        "pain-run": 7,
        "pain-type": ["sharp", "electric"],
        "leg-any": True,
        "leg-pain": 4,
        "leg-side": "right",
        "leg-reach": "below-knee",
        "leg-feeling": ["tingling"],
        "leg-walk": "no-change",
        "body-regions": [
            "low-back-right",
            "buttock-right",
            "thigh-back-right",
            "calf-right",
        ],
        "body-main": "low-back-right",
        "body-numb": ["calf-right"],
        "onset-trend": "worse",
        "onset-trigger": ["long-run"],
        "onset-worse": ["sitting", "bend-forward", "cough"],
        "run-unit": "km",
        "run-status": "reduced",
        "load-now": 12,
        "run-missed": 5,
        "load-known": True,
        "load-week-before": 52,
        "load-usual": 40,
        "load-long-30": 12,
        "load-onset-run": 16,
        "load-changes": ["distance"],
        "shoe-distance": "gt-500",
        "shoe-feel": ["worn"],
        "strength-core": "d0",
        "strength-plank": "no",
        "sitting-hours": 9,
        "periods": "regular",
        "tx-tried": ["rest", "foam-roll", "medicine"],
        "tx-helped": ["rest"],
        "tx-rest-length": "lt-1w",
        "tx-medicine-days": 4,
        "tx-medicine-effect": "some",
        "tx-want": ["cause", "return-plan"],
        "impact-sit": 6,
        "impact-bend": 5,
        "impact-walk": 3,
        "impact-sleep": 4,
        "impact-work": 4,
        "impact-run": 7,
        "activity": [
            {"activity-name": "run 10 km", "activity-score": 3},
            {"activity-name": "sit through a meeting", "activity-score": 5},
        ],
        "mind-harm": 6,
        "goal-main": "event",
        "goal-words": "I want to start the half marathon with my sister, even if I walk parts.",
    },
    "new-mother": {
        "about-sex": "female",
        "safety-pregnancy": "postpartum",
        "body-regions": ["pelvis-left", "pelvis-right", "sacrum"],
        "body-main": "pelvis-left",
        "onset-worse": ["one-leg", "turn-bed"],
        "onset-trigger": ["childbirth"],
        "run-break": "yes",
        "run-status": "reduced",
        "load-now": 5,
        "periods": "irregular",
        "sleep-hours": 5.5,
        "goal-words": "Pick up my daughter without holding my breath.",
    },
    "bone-stress": {
        "about-sex": "female",
        "safety-bone": ["past-stress-fracture"],
        "pain-run": 8,
        "pain-worst": 7,
        "body-regions": ["sacrum", "buttock-left"],
        "body-main": "sacrum",
        "onset-worse": ["impact", "one-leg"],
        "onset-better": ["rest"],
        "onset-push": "often",
        "run-status": "stopped",
        "run-days": 0,
        "load-now": 0,
        "run-missed": 9,
        "load-changes": ["distance", "days"],
        "load-rest-days": 0,
        "load-recovered": "rarely",
        "food-enough": "skip",
        "periods": "missed-3",
        "goal-words": "Get back on the team before spring.",
    },
    "masters-runner": {
        "pain-stiff-morning": "lt-30",
        "leg-any": True,
        "leg-pain": 5,
        "leg-side": "left",
        "leg-reach": "thigh",
        "leg-feeling": ["pain"],
        "leg-walk": "worse-sit-helps",
        "body-regions": ["low-back-left", "buttock-left", "thigh-back-left"],
        "body-main": "low-back-left",
        "onset-duration": "gt-1y",
        "onset-first-age": 47,
        "onset-before": "many",
        "onset-worse": ["standing", "arch-back", "downhill"],
        "onset-better": ["sitting", "bend-forward"],
        "run-experience": "gt-6y",
        "med-told": ["ddd"],
        "med-imaging": ["mri"],
        "med-nsaid-caution": ["heart"],
        "med-medicines": "Lisinopril",
        "med-family": False,
        "goal-main": "daily",
        "goal-words": "Walk the dog for an hour and jog twice a week.",
    },
    "early-riser": {
        "onset-duration": "gt-1y",
        "onset-first-age": 28,
        "pain-night": "second-half",
        "pain-stiff-morning": "ge-30",
        "onset-better": ["moving", "heat"],
        "onset-worse": ["sitting"],
        "body-regions": ["low-back-center", "buttock-left", "buttock-right"],
        "med-family": True,
        "tx-tried": ["medicine", "stretching"],
        "tx-helped": ["medicine"],
        "tx-medicine-days": 9,
        "tx-medicine-effect": "big",
        "goal-main": "know",
        "goal-words": "Understand why my back is stiff every morning.",
    },
    "feverish": {
        "safety-illness": ["fever"],
        "pain-now": 7,
        "pain-average": 6,
        "pain-worst": 8,
        "pain-pattern": "constant-varies",
        "onset-trend": "worse",
        "onset-duration": "d3-7",
        "run-status": "stopped",
        "goal-main": "know",
        "goal-words": "",
    },
}


# How the runners of a story were at their first intake, for those who are back.
FIRST_TIME: dict[str, dict[str, Any]] = {
    "half-marathon": {
        "pain-now": 6,
        "pain-average": 7,
        "pain-worst": 9,
        "leg-pain": 6,
        "load-now": 4,
        "run-days": 1,
        "run-missed": 9,
        "body-regions": ["low-back-right", "buttock-right", "calf-right", "foot-right"],
        "body-numb": ["calf-right", "foot-right"],
        "tx-tried": ["rest"],
        "sleep-hours": 5.5,
        "impact-sit": 8,
        "impact-sleep": 7,
        "activity": [
            {"activity-name": "run 10 km", "activity-score": 1},
            {"activity-name": "sit through a meeting", "activity-score": 3},
        ],
        "mind-harm": 8,
    },
}


def suits(story: str, *, name: str, age: int) -> bool:
    """Could this person tell this story?"""
    told_by = STORIES[story].get("about-sex")
    return age in AGES.get(story, range(120)) and (told_by is None or _sex(name) == told_by)


def answers_of(
    form: Form,
    story: str,
    *,
    name: str,
    birth_date: date,
    race_on: date,
    today: date,
    is_first_time: bool = False,
) -> list[dict[str, Any]]:
    """Return the story as QuestionnaireResponse items, only what the form asks of this person.

    ``is_first_time`` tells it as it was weeks earlier.
    """
    flat = {
        **EVERYBODY,
        "about-sex": _sex(name),
        **STORIES[story],
        **(FIRST_TIME.get(story, {}) if is_first_time else {}),
        "about-birth-date": birth_date,
        "consent-signature": name,
    }
    if flat["goal-main"] == "event":
        flat["goal-event-date"] = race_on
    return settle(form, _items(form.items, flat), today=today)


def _sex(name: str) -> str:
    return "female" if name.split()[0] in WOMEN else "male"


def _items(questions: Any, flat: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for question in questions:
        if question.type == "group":
            occurrences = flat.get(question.link_id, []) if question.repeats else [flat]
            found += [
                {"linkId": question.link_id, "item": children}
                for occurrence in occurrences
                if (children := _items(question.items, occurrence))
            ]
        elif question.link_id in flat and flat[question.link_id] != "":
            given = flat[question.link_id]
            values = given if isinstance(given, list) else [given]
            found.append(
                {
                    "linkId": question.link_id,
                    "answer": [answer_for(question, value) for value in values],
                }
            )
    return found
