"""What an answer holds is found, or it is said what is missing; what is not there is None; a delivery is read once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.connectors.answers import fields_in, if_there, part_in, rows_in
from finalmarket.connectors.deliveries import name_of_body, read_delivery
from finalmarket.connectors.errors import Rejected, Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.records import Delivery

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def answered(data: Any) -> Answer:
    """An answer that holds this."""
    return Answer(200, {}, b"", data)


def delivered(body: bytes) -> Delivery:
    """A delivery of this body."""
    return Delivery(url="https://hub.example/hooks/1", headers={}, body=body, received_at=NOON)


def test_fields_are_found_in_an_answer_and_in_a_part_of_one() -> None:
    told = {"order": {"id": 7, "paid": False, "lines": []}}
    assert fields_in(answered(told), "order") == told
    assert fields_in(told["order"], "id", "paid", "lines")["id"] == 7
    assert part_in(answered(told), "order")["id"] == 7


@pytest.mark.parametrize("data", [None, [], "text", {"id": None}, {"id": ""}, {"name": "A"}])
def test_a_field_that_is_missing_or_empty_is_not_taken_for_one(data: Any) -> None:
    with pytest.raises(Unintelligible):
        fields_in(answered(data), "id")


def test_rows_are_objects_in_a_list_by_name_or_the_answer_itself() -> None:
    rows = [{"id": 1}, {"id": 2}]
    assert rows_in(answered({"rows": rows}), "rows") == rows
    assert rows_in(answered(rows)) == rows
    assert rows_in({"rows": []}, "rows") == []


@pytest.mark.parametrize("data", [None, {}, {"rows": {}}, {"rows": [1]}, {"rows": "ab"}, [], "rows"])
def test_what_is_no_list_of_objects_is_unintelligible(data: Any) -> None:
    with pytest.raises(Unintelligible):
        rows_in(answered(data), "rows")


def test_a_list_that_a_platform_leaves_out_is_empty_but_an_answer_without_fields_is_none() -> None:
    assert rows_in(answered({"count": 0}), "rows", is_left_out=True) == []
    wrong: tuple[Any, ...] = (None, [], {"rows": "ab"})
    for data in wrong:
        with pytest.raises(Unintelligible):
            rows_in(answered(data), "rows", is_left_out=True)


def refusing(**words: Any) -> Callable[[], int]:
    """Something that is asked for and refused."""

    def ask() -> int:
        raise Rejected("refused", **words)

    return ask


def test_what_is_not_there_is_none_and_any_other_refusal_is_raised() -> None:
    assert if_there(lambda: 7) == 7
    assert if_there(refusing(status=404)) is None
    assert if_there(refusing(status=400, code="no_such_order"), "no_such_order", "gone") is None
    with pytest.raises(Rejected):
        if_there(refusing(status=400, code="wrong"), "no_such_order")
    with pytest.raises(Rejected):
        if_there(refusing(status=400), "")


def test_a_delivery_is_read_with_exact_numbers_and_named_by_its_body() -> None:
    delivery = delivered(b'{"amount": 19.90}')
    assert read_delivery(delivery, lambda raw: raw["amount"]) == Decimal("19.90")
    assert name_of_body(delivery) == name_of_body(delivered(b'{"amount": 19.90}'))
    assert name_of_body(delivery) != name_of_body(delivered(b'{"amount": 19.9}'))


@pytest.mark.parametrize("body", [b"", b"\xff", b"[", b"[" * 100_000, b"{}", b"[]", b'{"at": 1e400}', b'"text"'])
def test_a_delivery_that_tells_of_nothing_is_unintelligible_and_no_crash(body: bytes) -> None:
    with pytest.raises(Unintelligible):
        read_delivery(delivered(body), lambda raw: datetime.fromtimestamp(int(raw["at"]), UTC))
