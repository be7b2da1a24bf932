import datetime as dt

from intake.answers import Answers

RESPONSE = {
    "resourceType": "QuestionnaireResponse",
    "item": [
        {
            "linkId": "safety",
            "item": [
                {
                    "linkId": "safety-nerve",
                    "answer": [
                        {"valueCoding": {"code": "saddle-numb"}},
                        {"valueCoding": {"code": "unsure"}},
                    ],
                },
                {"linkId": "safety-cancer"},
            ],
        },
        {"linkId": "about-birth-date", "answer": [{"valueDate": "1990-02-28"}]},
        {"linkId": "leg-any", "answer": [{"valueBoolean": True}]},
        {"linkId": "pain-worst", "answer": [{"valueInteger": 1}]},
        {"linkId": "load-now", "answer": [{"valueQuantity": {"value": 12.5, "unit": "km"}}]},
        {
            "linkId": "activity",
            "item": [
                {"linkId": "activity-name", "answer": [{"valueString": " Run 5 km "}]},
                {"linkId": "activity-score", "answer": [{"valueInteger": 3}]},
            ],
        },
        {
            "linkId": "activity",
            "item": [{"linkId": "activity-score", "answer": [{"valueInteger": 7}]}],
        },
        {
            "linkId": "asked-below-an-answer",
            "answer": [
                {
                    "valueBoolean": False,
                    "item": [{"linkId": "why", "answer": [{"valueString": "because"}]}],
                }
            ],
        },
    ],
}


def test_codes_are_found_inside_nested_groups():
    answers = Answers.from_response(RESPONSE)
    assert answers.values("safety-nerve") == ("saddle-numb", "unsure")
    assert answers.has("safety-nerve", "both-legs", "unsure")
    assert not answers.has("safety-nerve", "both-legs")


def test_an_exported_code_is_read_like_a_stored_one():
    exported = {
        "item": [{"linkId": "leg-side", "answer": [{"valueCoding": {"code": "leg-side.left"}}]}]
    }
    assert Answers.from_response(exported).has("leg-side", "left")


def test_an_item_without_answer_is_not_answered():
    answers = Answers.from_response(RESPONSE)
    assert not answers.answered("safety-cancer")
    assert not answers.has("safety-cancer", "none")
    assert answers.number("safety-cancer") is None
    assert answers.date("safety-cancer") is None
    assert answers.text("safety-cancer") == ""


def test_a_blank_text_is_not_an_answer():
    assert not Answers.from_response(
        {"item": [{"linkId": "goal-words", "answer": [{"valueString": "  "}]}]}
    ).answered("goal-words")


def test_repeating_groups_are_collected_in_order():
    answers = Answers.from_response(RESPONSE)
    assert answers.values("activity-score") == (3, 7)
    assert answers.numbers("activity-score") == (3, 7)
    assert answers.text("activity-name") == "Run 5 km"


def test_items_below_an_answer_are_found():
    assert Answers.from_response(RESPONSE).text("why") == "because"


def test_numbers_quantities_and_dates_keep_their_type():
    answers = Answers.from_response(RESPONSE)
    assert answers.number("load-now") == 12.5
    assert answers.date("about-birth-date") == dt.date(1990, 2, 28)


def test_a_partial_or_impossible_date_is_not_an_answer():
    for text in ("1990", "1990-02", "1990-02-30"):
        response = {"item": [{"linkId": "about-birth-date", "answer": [{"valueDate": text}]}]}
        assert not Answers.from_response(response).answered("about-birth-date")


def test_a_score_of_one_is_not_a_yes():
    answers = Answers.from_response(RESPONSE)
    assert answers.has("leg-any", True)
    assert not answers.has("pain-worst", True)
    assert answers.number("leg-any") is None


def test_only_refuses_company():
    assert Answers.of(tx_tried=["none"]).only("tx-tried", "none")
    assert not Answers.of(tx_tried=["none", "rest"]).only("tx-tried", "none")
    assert not Answers.of().only("tx-tried", "none")


def test_lacking_an_answer_needs_an_answered_item():
    assert Answers.of(onset_better=["moving"]).lacks("onset-better", "rest", "lying")
    assert not Answers.of(onset_better=["moving", "rest"]).lacks("onset-better", "rest", "lying")
    assert not Answers.of().lacks("onset-better", "rest", "lying")


def test_count_ignores_codes_named_twice():
    answers = Answers.of(tx_tried=["rest", "ice", "pt"])
    assert answers.count("tx-tried", ["rest", "ice", "rest", "heat"]) == 2


def test_keyword_answers_equal_those_read_from_a_response():
    assert Answers.of(pain_worst=3, safety_nerve=["none"], leg_side=None) == Answers.from_response(
        {
            "item": [
                {"linkId": "pain-worst", "answer": [{"valueInteger": 3}]},
                {"linkId": "safety-nerve", "answer": [{"valueCoding": {"code": "none"}}]},
            ]
        }
    )


def test_printing_answers_shows_none_of_them():
    assert "saddle" not in repr(Answers.from_response(RESPONSE))
