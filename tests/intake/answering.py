"""Somebody who answers any questionnaire, as a browser would send it: page by page, by its form."""

import datetime as dt
from html.parser import HTMLParser

from crispy_forms.utils import render_crispy_form
from django.http import QueryDict

from intake.fhir_form.responses import initial_items
from intake.html_form.forms import QuestionForm

TODAY = dt.date(2026, 6, 1)
WORDS = ("a", "Run 5 km", "¿Cuánto?", "a < b & c", "{0.__class__} {{ x }}", "x" * 30, "مرحبا")
# What fits the patterns that the tests use.
FITTING = {"[0-9]{3}-[0-9]{2}-[0-9]{4}": "123-45-6789", "[A-Z]{2}": "AB"}


def posted(fields):
    data = QueryDict(mutable=True)
    for name, value in fields.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    return data


def page_form(form, page, stored, fields=None):
    return QuestionForm(
        None if fields is None else posted(fields),
        questionnaire=form,
        items=page.items,
        stored=stored,
        language="en",
        today=TODAY,
    )


def fill_in(form, random):
    """The items of a whole response; `random` decides what is answered."""
    stored = initial_items(form, today=TODAY)
    for page in form.pages():
        stored = fill_page(form, page, stored, random).items
    return stored


def fill_page(form, page, stored, random):
    """The valid form of one page, after as many looks as its answers bring up new questions."""
    fields = {}
    for _look in range(30):
        asked = page_form(form, page, stored, fields)
        asked.is_valid()
        news = [
            question
            for question in asked.questions.values()
            if question.is_shown and not set(question.parts) & fields.keys()
        ]
        left_out = [
            asked.questions[name]
            for name in asked.questions
            if any(error.code == "required" for error in errors_of(asked, name))
        ]
        if not news and not left_out:
            break
        for question in news or left_out:
            fields |= typed(question, random, is_needed=not news)
    assert asked.is_valid(), (fields, asked.errors.as_json())
    return asked


def errors_of(asked, name):
    found = asked.errors.as_data()
    return [error for part in asked.questions[name].parts for error in found.get(part, [])]


def typed(question, random, *, is_needed):
    """Fields and what is typed into them."""
    item = question.item
    if not is_needed and not item.required and random.random() < 0.2:
        return dict.fromkeys(question.names, [] if item.options and item.repeats else "")
    if item.options:
        return ticked(question, random)
    fields = {}
    least = max(item.min_occurs, 1)
    for index, name in enumerate(question.names):
        is_spare = index >= least and random.random() < 0.3
        fields[name] = "" if is_spare else written(item, random)
        if len(item.units) > 1:
            fields[f"{name}:unit"] = random.choice(item.units).key
    return fields


def ticked(question, random):
    item = question.item
    if item.type == "open-choice" and random.random() < 0.4:
        word = random.choice(WORDS)
        return {question.name: [] if item.repeats else ":other", f"{question.name}:other": word}
    blank = {f"{question.name}:other": ""} if item.type == "open-choice" else {}
    if not item.repeats:
        return blank | {question.name: random.choice(item.options).key}
    exclusive = [option for option in item.options if option.is_exclusive]
    if exclusive and random.random() < 0.3:
        return {question.name: [random.choice(exclusive).key]}
    open_ = [option for option in item.options if not option.is_exclusive]
    most = min(len(open_), item.max_occurs or len(open_))
    picked = random.sample(open_, random.randint(max(1, item.min_occurs), most))
    return {question.name: [option.key for option in item.options if option in picked]}


def written(item, random):
    low, high = (getattr(end, "value", end) for end in (item.min_value, item.max_value))
    match item.type:
        case "boolean":
            return "true" if item.must_be_true else random.choice(["true", "false"])
        case "integer":
            low = -5 if low is None else int(low)
            return str(random.randint(low, max(low, 100 if high is None else int(high))))
        case "decimal" | "quantity":
            low = 0 if low is None else low
            places = 2 if item.max_decimal_places is None else item.max_decimal_places
            step = 10**places
            top = (low + 50 if high is None else high) * step
            return f"{random.randint(round(low * step), round(top)) / step:.{places}f}"
        case "date":
            low = low or dt.date(1950, 1, 1)
            days = ((high or max(low, TODAY)) - low).days
            return str(low + dt.timedelta(days=random.randint(0, max(days, 0))))
        case "dateTime":
            return f"2026-{random.randint(1, 12):02}-15T{random.randint(0, 23):02}:30"
        case "time":
            first = low.hour + 1 if low else 0
            return f"{random.randint(first, 23):02}:45"
        case "url":
            return random.choice(["https://run.example/log?a=1", "urn:oid:1.2.3", "run.example"])
    if item.pattern:
        return FITTING[item.pattern.source]
    fitting = [
        word for word in WORDS if (item.min_length or 1) <= len(word) <= (item.max_length or 4000)
    ]
    return random.choice(fitting or ["x" * (item.min_length or 1)])


class _Controls(HTMLParser):
    """What a browser would send of a form nobody touched."""

    def __init__(self):
        super().__init__()
        self.fields, self.select, self.textarea = {}, None, None

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        match tag:
            case "input":
                is_box = given.get("type") in ("radio", "checkbox")
                if not is_box or "checked" in given:
                    self.fields.setdefault(given["name"], []).append(given.get("value", ""))
            case "select":
                self.select = given["name"]
            case "option" if "selected" in given:
                self.fields[self.select] = [given["value"]]
            case "textarea":
                self.textarea = given["name"]
                self.fields[self.textarea] = [""]

    def handle_data(self, text):
        if self.textarea:
            self.fields[self.textarea][0] += text

    def handle_endtag(self, tag):
        if tag == "textarea":
            # A browser drops the first line end, which Django writes for it.
            self.fields[self.textarea][0] = self.fields[self.textarea][0].removeprefix("\n")
            self.textarea = None


def untouched(asked):
    """The fields of a page as it is shown, sent back as they are."""
    controls = _Controls()
    controls.feed(render_crispy_form(asked))
    return controls.fields


def sent_again(form, stored):
    """The items after every page was opened and sent back unchanged."""
    for page in form.pages():
        again = page_form(form, page, stored, untouched(page_form(form, page, stored)))
        assert again.is_valid(), again.errors.as_json()
        stored = again.items
    return stored
