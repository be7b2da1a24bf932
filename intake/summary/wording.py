"""A patient's answers in short clinical wording.

The questionnaire's own option texts are used wherever they are short; long ones have a shorter
form here. Everything is returned in the active language.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from clinic.languages import active_language
from intake.answers import Answers
from intake.fhir_form.items import Item
from intake.fhir_form.questionnaire import Form
from intake.rules import variables as v
from intake.summary.evidence import Evidence
from intake.values import Value

REGIONS = {
    "low-back-left": _("left low back"),
    "low-back-center": _("middle of the low back"),
    "low-back-right": _("right low back"),
    "mid-back": _("middle back"),
    "upper-back": _("upper back"),
    "sacrum": _("sacrum"),
    "tailbone": _("tailbone"),
    "pelvis-left": _("left back of the pelvis"),
    "pelvis-right": _("right back of the pelvis"),
    "buttock-left": _("left buttock"),
    "buttock-right": _("right buttock"),
    "hip-left": _("left hip"),
    "hip-right": _("right hip"),
    "groin-left": _("left groin"),
    "groin-right": _("right groin"),
    "abdomen": _("belly"),
    "thigh-back-left": _("back of the left thigh"),
    "thigh-back-right": _("back of the right thigh"),
    "thigh-front-left": _("front of the left thigh"),
    "thigh-front-right": _("front of the right thigh"),
    "calf-left": _("left lower leg"),
    "calf-right": _("right lower leg"),
    "foot-left": _("left foot"),
    "foot-right": _("right foot"),
    "saddle": _("saddle area"),
}

SHORT: dict[str, dict[str, Promise]] = {
    "safety-nerve": {
        "saddle-numb": _("saddle numbness"),
        "bladder-hard": _("hard to start peeing"),
        "bladder-leak": _("bladder leaks"),
        "bowel-loss": _("bowel control lost"),
        "both-legs": _("both legs affected"),
        "sexual-change": _("sexual change"),
        "unsure": _("unsure about saddle or bladder signs"),
    },
    "safety-body": {
        "chest-pain": _("chest pain or short of breath"),
        "faint": _("faint"),
        "tearing": _("sudden tearing pain"),
        "belly-pulse": _("pulsing belly"),
        "cant-walk": _("cannot stand or walk"),
    },
    "safety-injury": {
        "minor": _("small injury in the last 4 weeks"),
        "major": _("hard injury in the last 4 weeks"),
    },
    "safety-leg-power": {
        "no": _("safety page: no weakness"),
        "same": _("leg a little weak, stable"),
        "worse": _("leg getting weaker"),
        "foot-drop": _("foot drags"),
        "unsure": _("unsure about leg strength"),
    },
    "safety-illness": {
        "fever": _("fever or night sweats"),
        "recent-infection": _("infection, shot or surgery within 3 months"),
        "weak-immunity": _("weak immunity or injected drugs"),
        "urine": _("urinary signs or flank pain"),
        "dark-urine": _("cola-colored urine"),
    },
    "safety-cancer": {
        "cancer-history": _("cancer history"),
        "weight-loss": _("unplanned weight loss"),
        "night-constant": _("constant night pain"),
        "lump": _("new lump or changed shape"),
        "tired-unwell": _("very tired or ill"),
    },
    "safety-bone": {
        "osteoporosis": _("weak bones"),
        "steroids": _("long-term steroids"),
        "past-stress-fracture": _("stress fracture before"),
        "hop-pain": _("hop or landing pain"),
        "blood-thinner": _("blood thinner"),
        "aneurysm": _("aneurysm"),
    },
    "safety-pregnancy": {
        "pregnant": _("pregnant"),
        "maybe": _("may be pregnant"),
        "postpartum": _("birth in the last 12 months"),
        "prefer-not": _("pregnancy not said"),
    },
    "safety-pregnancy-signs": {
        "bleeding": _("bleeding"),
        "fluid": _("fluid leaking"),
        "waves": _("pain in waves"),
        "less-movement": _("baby moves less"),
        "headache-vision": _("headache or blurry sight"),
    },
    "onset-duration": {
        "lt-3d": _("under 3 days"),
        "d3-7": _("3 to 7 days"),
        "w1-2": _("1 to 2 weeks"),
        "w2-6": _("2 to 6 weeks"),
        "w6-12": _("6 weeks to 3 months"),
        "m3-12": _("3 to 12 months"),
        "gt-1y": _("over 1 year"),
    },
    "onset-how": {
        "sudden-run": _("sudden, in a run"),
        "sudden-other": _("sudden, not in a run"),
        "gradual": _("gradual"),
        "unsure": _("start unclear"),
    },
    "onset-trend": {
        "better": _("getting better"),
        "same": _("unchanged"),
        "worse": _("getting worse"),
    },
    "leg-any": {"true": _("leg symptoms"), "false": _("no leg symptoms")},
    "leg-walk": {
        "worse-sit-helps": _("legs worse walking, sitting helps"),
        "worse-stop-helps": _("legs worse walking, stopping helps"),
    },
    "leg-side": {"both": _("both legs")},
    "pain-pattern": {"constant-same": _("constant, nothing changes it")},
    "pain-night": {"second-half": _("wakes late at night")},
    "pain-stiff-morning": {"lt-30": _("under 30 minutes"), "ge-30": _("30 minutes or more")},
    "onset-settle": {"ge-24h": _("24 hours or more")},
    "onset-when": {
        "run-start": _("at the start of a run"),
        "run-builds": _("more and more in a run"),
        "rest": _("also at rest"),
    },
    "onset-worse": {
        "sit-to-stand": _("rising from a chair"),
        "impact": _("each landing"),
        "downhill": _("downhill"),
        "one-leg": _("one leg"),
        "cough": _("cough or strain"),
    },
    "onset-before": {"few": _("a few times"), "many": _("many times")},
    "run-status": {
        "full": _("running as usual"),
        "full-pain": _("running as usual, with pain"),
        "reduced": _("running less"),
        "stopped": _("stopped running"),
    },
    "run-experience": {"lt-6m": _("running under 6 months")},
    "run-break": {"yes": _("back after 4 weeks or more off")},
    "load-felt": {"more": _("more or harder than normal")},
    "load-changes": {
        "distance": _("distance"),
        "speed": _("speed"),
        "hills": _("hills"),
        "days": _("days a week"),
        "surface": _("surface"),
        "shoes": _("shoes"),
    },
    "load-recovered": {"sometimes": _("sometimes rested"), "rarely": _("rarely rested")},
    "onset-push": {"sometimes": _("sometimes"), "often": _("often")},
    "shoe-distance": {
        "lt-300": _("under 480 km"),
        "300-500": _("480 to 800 km"),
        "gt-500": _("over 800 km"),
        "unsure": _("distance unknown"),
    },
    "shoe-feel": {
        "worn": _("worn soles"),
        "tight-loose": _("too tight or loose"),
    },
    "shoe-fitted": {"no": _("not fitted")},
    "form-notes": {
        "lean": _("leans forward"),
        "slouch": _("rounds the back"),
        "arch": _("low back arches"),
        "long-steps": _("long steps"),
        "heavy": _("lands hard"),
        "uneven": _("runs uneven"),
        "arms": _("tight shoulders or crossing arms"),
    },
    "form-checked": {"never": _("never checked"), "old": _("checked over a year ago")},
    "strength-core": {"d0": _("none in a week")},
    "strength-hips": {"d0": _("none in a week")},
    "strength-plank": {"no": _("under 30 s")},
    "cooldown": {"none": _("nothing")},
    "hydration": {"no": _("dark urine"), "sometimes": _("light urine only sometimes")},
    "cramps": {"true": _("cramps")},
    "food-enough": {"skip": _("skips meals"), "lose": _("eats less to lose weight")},
    "periods": {"missed-3": _("no period for 3 months"), "not-started": _("not started")},
    "med-imaging": {"none": _("none")},
    "med-told": {
        "disc": _("herniated disc"),
        "stenosis": _("spinal stenosis"),
        "spondy": _("spondylolisthesis or -lysis"),
        "ddd": _("worn discs"),
        "arthritis": _("arthritis"),
        "hyperlordosis": _("swayback"),
        "asymmetry": _("leg length or curve"),
        "axspa": _("inflammatory spine disease"),
        "psoriasis-ibd": _("psoriasis, bowel or eye inflammation"),
        "joint-heel": _("swollen joints or heel tendon"),
    },
    "med-nsaid-caution": {
        "ulcer": _("stomach ulcer"),
        "kidney": _("kidney disease"),
        "heart": _("heart disease or high pressure"),
        "asthma": _("aspirin asthma"),
        "allergy": _("NSAID allergy"),
    },
    "med-smoke": {"yes": _("smokes or vapes"), "former": _("used to smoke")},
    "med-family": {"true": _("close relative with spine, skin or bowel inflammation")},
    "med-surgery": {"true": _("surgery before")},
    "tx-tried": {
        "rest": _("rest from running"),
        "medicine": _("store pain medicine"),
        "shoes": _("shoes or insoles"),
        "form": _("changed form"),
        "manual": _("other hands-on care"),
        "injection": _("shot or nerve block"),
        "prp-cell": _("PRP or stem cells"),
    },
    "tx-helped": {"none": _("nothing helped")},
    "tx-medicine-effect": {"big": _("nearly gone within 2 days")},
    "tx-avoid": {
        "thrust": _("no quick thrust"),
        "needles": _("no needles"),
        "deep": _("no deep pressure"),
        "internal": _("no internal exam"),
        "chaperone": _("wants a chaperone"),
    },
    "goal-main": {
        "run": _("run without pain"),
        "event": _("a race"),
        "daily": _("an easier day"),
        "prevent": _("no return of the pain"),
        "know": _("know the cause"),
    },
}

IMPACTS = {
    "impact-sit": _("sitting"),
    "impact-bend": _("bending"),
    "impact-walk": _("walking"),
    "impact-sleep": _("sleep"),
    "impact-work": _("work"),
    "impact-run": _("running"),
}

# The text around values that are not clear by themselves.
LABELS = {
    "body-main": pgettext_lazy("evidence", "main: %(value)s"),
    "body-numb": pgettext_lazy("evidence", "numb: %(value)s"),
    "onset-worse": pgettext_lazy("evidence", "worse: %(value)s"),
    "onset-better": pgettext_lazy("evidence", "eases: %(value)s"),
    "onset-when": pgettext_lazy("evidence", "hurts: %(value)s"),
    "onset-first-age": pgettext_lazy("evidence", "first at age %(value)s"),
    "onset-trigger": pgettext_lazy("evidence", "trigger: %(value)s"),
    "onset-settle": pgettext_lazy("evidence", "settles after %(value)s"),
    "onset-before": pgettext_lazy("evidence", "before: %(value)s"),
    "pain-now": pgettext_lazy("evidence", "now %(value)s"),
    "pain-worst": pgettext_lazy("evidence", "worst %(value)s"),
    "pain-run": pgettext_lazy("evidence", "in a run %(value)s"),
    "pain-stiff-morning": pgettext_lazy("evidence", "morning stiffness %(value)s"),
    "leg-pain": pgettext_lazy("evidence", "leg pain %(value)s"),
    "mob-tight": pgettext_lazy("evidence", "tight: %(value)s"),
    "med-told": pgettext_lazy("evidence", "told: %(value)s"),
    "med-imaging": pgettext_lazy("evidence", "imaging: %(value)s"),
    "med-medicines": pgettext_lazy("evidence", "takes: %(value)s"),
    "foot-type": pgettext_lazy("evidence", "feet: %(value)s"),
    "load-onset-run": pgettext_lazy("evidence", "onset run %(value)s"),
    "load-long-30": pgettext_lazy("evidence", "longest before %(value)s"),
    "load-week-before": pgettext_lazy("evidence", "week before %(value)s"),
    "load-usual": pgettext_lazy("evidence", "usual week %(value)s"),
    "load-now": pgettext_lazy("evidence", "%(value)s this week"),
    "load-changes": pgettext_lazy("evidence", "changed: %(value)s"),
    "load-rest-days": pgettext_lazy("evidence", "%(value)s rest days a week"),
    "run-missed": pgettext_lazy("evidence", "%(value)s runs missed"),
    "form-cadence": pgettext_lazy("evidence", "%(value)s steps a minute"),
    "strength-hips": pgettext_lazy("evidence", "hip work: %(value)s"),
    "strength-plank": pgettext_lazy("evidence", "plank %(value)s"),
    "cooldown": pgettext_lazy("evidence", "after a run: %(value)s"),
    "sleep-hours": pgettext_lazy("evidence", "%(value)s h of sleep"),
    "sitting-hours": pgettext_lazy("evidence", "%(value)s h a day"),
    "food-days": pgettext_lazy("evidence", "eats: %(value)s"),
    "periods": pgettext_lazy("evidence", "periods: %(value)s"),
    "mind-harm": pgettext_lazy("evidence", "fear of harm %(value)s"),
    "mind-mood": pgettext_lazy("evidence", "low mood %(value)s"),
    "mind-hope": pgettext_lazy("evidence", "hope %(value)s"),
    "work-days": pgettext_lazy("evidence", "%(value)s work days missed"),
    "tx-tried": pgettext_lazy("evidence", "tried: %(value)s"),
    "tx-helped": pgettext_lazy("evidence", "helped: %(value)s"),
    "tx-rest-length": pgettext_lazy("evidence", "rested %(value)s"),
    "tx-medicine-days": pgettext_lazy("evidence", "%(value)s days of 14"),
    "tx-medicine-effect": pgettext_lazy("evidence", "medicine: %(value)s"),
    "tx-want": pgettext_lazy("evidence", "wants: %(value)s"),
    "safety-pregnancy-weeks": pgettext_lazy("evidence", "week %(value)s"),
}

DISTANCES = ("load-onset-run", "load-long-30", "load-week-before", "load-usual", "load-now")


def answer(form: Form, link_id: str, value: Value) -> str:
    """One answer in a few words: a short form, a region's name, or the option's own text."""
    code = str(value).lower() if isinstance(value, bool) else value
    if isinstance(code, str):
        known = SHORT.get(link_id, {}).get(code)
        if known is None and link_id.startswith("body-"):
            known = REGIONS.get(code)
        if known is None and link_id == "tx-helped":
            known = SHORT["tx-tried"].get(code)
        if known is not None:
            return str(known)
    item = form.item(link_id) if link_id in form else None
    if item is not None and isinstance(value, str):
        option = item.option(value)
        if option is not None:
            return _lowered(option.text.in_language(active_language()))
    return _plain(item, value)


def answers_to(form: Form, answers: Answers, link_id: str) -> list[str]:
    return [answer(form, link_id, value) for value in answers.values(link_id)]


def distance(answers: Answers, value: float) -> str:
    """A distance in the patient's own unit."""
    unit = "mi" if answers.has("run-unit", "mi") else "km"
    return f"{number(value)} {unit}"


def number(value: float) -> str:
    """At most one decimal, none when it is whole; the decimal sign of the active language."""
    return number_format(value, decimal_pos=0 if value == round(value) else 1)


def evidence(
    form: Form, answers: Answers, found: Iterable[Evidence], *, today: dt.date
) -> list[str]:
    """Each item of the evidence in a few words, the label first where one is needed."""
    parts = []
    shown = list(found)
    says_more = any(one.link_id in ("leg-reach", "leg-feeling", "leg-pain") for one in shown)
    for link_id, values in shown:
        match link_id:
            case "leg-any" if says_more:
                continue
            case "about-birth-date":
                text = gettext("age %(age)s") % {"age": v.age(answers, today)}
            case "about-height":
                continue
            case "about-weight":
                bmi = v.bmi(answers, today)
                if bmi is None:
                    continue
                text = gettext("BMI %(bmi)s") % {"bmi": number(round(bmi, 1))}
            case _:
                text = ", ".join(
                    distance(answers, value)
                    if link_id in DISTANCES and isinstance(value, int | float)
                    else answer(form, link_id, value)
                    for value in values
                )
                if link_id in IMPACTS:
                    text = f"{IMPACTS[link_id]} {text}"
                elif label := LABELS.get(link_id):
                    text = str(label) % {"value": text}
        parts.append(text)
    return parts


def _plain(item: Item | None, value: Value) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, int | float):
        return f"{number(value)}/10" if item is not None and item.is_scale else number(value)
    if isinstance(value, dt.date):
        return date_format(value, "DATE_FORMAT")
    return str(value)


def _lowered(text: str) -> str:
    # Explanations in brackets are for patients; "X-ray" and "MRI" keep their capitals.
    text = text.split(" (")[0]
    return text if text[1:2].isupper() or text[1:2] == "-" else text[:1].lower() + text[1:]
