"""Small questionnaires, to try one thing or to break."""


def make_content(*items, **fields):
    """A small Questionnaire of ours to break."""
    return {
        "resourceType": "Questionnaire",
        "url": "https://clinic.example/fhir/Questionnaire/small",
        "version": "1",
        "status": "active",
        "item": [{"linkId": "g", "type": "group", "text": "Group", "item": list(items)}],
    } | fields


def make_item(link_id="a", type_="boolean", **fields):
    return {"linkId": link_id, "type": type_, "text": "Question?"} | fields


def make_choice(link_id="c", *codes, **fields):
    options = [{"valueCoding": {"code": code, "display": code.title()}} for code in codes or "xy"]
    return make_item(link_id, "choice", answerOption=options, **fields)
