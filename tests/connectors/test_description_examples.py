"""The judge that knows examples only: what they do not show is a fault, what they all show has to be there."""

from __future__ import annotations

import pytest

from tests.connectors.descriptions.examples import Examples, example
from tests.connectors.descriptions.json_calls import answered, sent

PLACE = "https://api.example.org/v2"
BOX = {"object": "Box", "id": "box_1", "weight": 2.5, "note": None, "lids": [{"colour": "red"}]}
JUDGE = Examples(
    [
        example("POST", f"{PLACE}/boxes", {"box": {"weight": "2.5", "side": 3}}, BOX),
        example("GET", f"{PLACE}/boxes/box_...", None, {**BOX, "lids": []}),
        example("GET", f"{PLACE}/boxes?page_size=5", None, {"boxes": [BOX]}),
    ],
    {"error": {"code": "A", "message": "b"}},
)


@pytest.mark.parametrize("weight", ["3", 3])
def test_what_the_examples_show_is_allowed(weight: object) -> None:
    assert sent(JUDGE, "POST", "/v2/boxes", {"box": {"weight": weight}}) == ""
    assert sent(JUDGE, "GET", "/v2/boxes", page_size="7") == ""
    assert answered(JUDGE, "GET", "/v2/boxes/box_7f", {**BOX, "note": "anything", "weight": None}) == ""
    assert JUDGE.operation("GET", "/v2/boxes/box_7f") == "GET /v2/boxes/{}"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"box": {"weight": "heavy", "height": 3}}, "height is in no example"),
        ({"box": {"side": "wide"}}, "side is 'wide', in the examples number"),
        ({"box": [1]}, "in the examples object"),
        (None, "all examples show a body"),
    ],
)
def test_a_request_that_no_example_shows_is_a_fault(body: object, words: str) -> None:
    assert words in sent(JUDGE, "POST", "/v2/boxes", body)


def test_a_path_a_parameter_and_a_body_that_no_example_shows_are_faults() -> None:
    assert "no example shows such a call" in sent(JUDGE, "DELETE", "/v2/boxes/box_1")
    assert "'order' is in no example" in sent(JUDGE, "GET", "/v2/boxes", order="desc")
    assert "no example shows a body" in sent(JUDGE, "GET", "/v2/boxes", {"a": 1})


def test_an_answer_is_judged_by_what_its_objects_are_wherever_they_stand() -> None:
    assert "id is missing" in answered(JUDGE, "GET", "/v2/boxes/box_7f", {"object": "Box", "weight": 1, "note": None})
    assert "size is in no example" in answered(JUDGE, "GET", "/v2/boxes/box_7f", {**BOX, "size": 1})
    assert "colour is 1" in answered(JUDGE, "GET", "/v2/boxes", {"boxes": [{**BOX, "lids": [{"colour": 1}]}]})
    assert "code is missing" in answered(JUDGE, "GET", "/v2/boxes", {"error": {"message": "b"}}, status=422)
