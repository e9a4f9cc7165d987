"""What an order and its payments are called, from the counts and the amounts alone."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest

from finalmarket.orders.states import captured, order_state, payment_state, refundable, still_due, surplus


@dataclass
class Line:
    """So many units of a line, of which some were cancelled and some have left."""

    quantity: int
    cancelled_quantity: int = 0
    fulfilled_quantity: int = 0
    kind: str = "goods"


@dataclass
class Tender:
    """Money by one tender."""

    state: str
    amount: Decimal
    refunded: Decimal = Decimal(0)


@dataclass
class Cost:
    """What an order costs, and what was given back of what came in for it."""

    total: Decimal
    refunded: Decimal
    surplus_refunded: Decimal


def costs(total: int, refunded: int = 0, surplus_refunded: int = 0) -> Cost:
    """An order of so much."""
    return Cost(Decimal(total), Decimal(refunded), Decimal(surplus_refunded))


def paid(amount: int, refunded: int = 0) -> Tender:
    """Money that came in."""
    return Tender("captured", Decimal(amount), Decimal(refunded))


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ([Line(2)], "open"),
        ([Line(2, fulfilled_quantity=1)], "partly_fulfilled"),
        ([Line(2, fulfilled_quantity=2)], "fulfilled"),
        ([Line(2, cancelled_quantity=1, fulfilled_quantity=1)], "fulfilled"),
        ([Line(2, cancelled_quantity=1)], "open"),
        ([Line(2, cancelled_quantity=2)], "cancelled"),
        ([Line(2, cancelled_quantity=2), Line(1)], "open"),
        ([Line(2, cancelled_quantity=2), Line(1, fulfilled_quantity=1)], "fulfilled"),
        ([Line(1, fulfilled_quantity=1), Line(1)], "partly_fulfilled"),
        ([Line(1, kind="shipping")], "fulfilled"),
        ([Line(1, cancelled_quantity=1), Line(1, kind="shipping")], "cancelled"),
        ([Line(1), Line(1, kind="fee", fulfilled_quantity=1)], "open"),
        ([], "fulfilled"),
    ],
)
def test_an_order_is_what_its_units_are(lines: list[Line], state: str) -> None:
    assert order_state(lines) == state


@pytest.mark.parametrize(
    ("total", "tenders", "state"),
    [
        (10, [], "unpaid"),
        (0, [], "paid"),
        (10, [Tender("failed", Decimal(10))], "unpaid"),
        (10, [Tender("authorised", Decimal(10))], "authorised"),
        (10, [Tender("pending", Decimal(10))], "unpaid"),
        (10, [paid(4)], "partly_paid"),
        (10, [paid(1), Tender("authorised", Decimal(9))], "partly_paid"),
        (10, [paid(10)], "paid"),
        (10, [paid(4), paid(7)], "paid"),
        (10, [paid(10, 1)], "partly_refunded"),
        (10, [paid(10, 9)], "partly_refunded"),
        (10, [paid(10, 10)], "refunded"),
        (10, [paid(4, 4), paid(6)], "partly_refunded"),
    ],
)
def test_payments_are_called_by_what_came_in_and_went_back(total: int, tenders: list[Tender], state: str) -> None:
    assert payment_state(Decimal(total), tenders) == state


def test_only_what_was_captured_came_in() -> None:
    tenders = [paid(4, 1), paid(6), Tender("authorised", Decimal(50)), Tender("voided", Decimal(70))]
    assert captured(tenders) == 10
    assert refundable(tenders) == 9
    assert [str(money([]) + Decimal("0.10")) for money in (captured, refundable)] == ["0.10", "0.10"]
    assert all(isinstance(money([]), Decimal) for money in (captured, refundable))


def test_what_no_tender_stands_for_is_due() -> None:
    tenders = [
        paid(4, 1),
        Tender("authorised", Decimal(2)),
        Tender("pending", Decimal(1)),
        Tender("failed", Decimal(90)),
    ]
    assert still_due(costs(20, refunded=1), tenders) == 20 - 1 - 3 - 2 - 1
    assert still_due(costs(20), [Tender("voided", Decimal(90))]) == 20
    assert still_due(costs(5), [paid(9)]) == 0
    assert still_due(costs(5), []) == 5


def test_what_was_given_back_as_surplus_is_no_less_to_be_paid_when_the_order_grows() -> None:
    assert still_due(costs(9, refunded=4, surplus_refunded=4), [paid(10, 4)]) == 3
    assert still_due(costs(9, refunded=5, surplus_refunded=4), [paid(10, 5)]) == 3


def test_surplus_is_what_came_in_beyond_the_total_and_goes_back_once() -> None:
    assert surplus(costs(6), [paid(10), Tender("authorised", Decimal(5))]) == 4
    assert surplus(costs(6, refunded=4, surplus_refunded=4), [paid(10, 4)]) == 0
    assert surplus(costs(6, refunded=2), [paid(10, 2)]) == 4  # that was for goods which are in the total still
    assert surplus(costs(11), [paid(10)]) == 0
