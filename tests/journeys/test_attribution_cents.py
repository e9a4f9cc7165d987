"""Sharing money without losing a cent: who gets the cents that are left, whatever the currency's smallest coin."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from finalmarket.journeys.attribution_cents import split


def told(total: str, weights: dict[str, int | Fraction | float], digits: int) -> dict[str, str]:
    """The parts as they are written."""
    return {key: str(part) for key, part in split(Decimal(total), weights, digits).items()}


@pytest.mark.parametrize(
    ("total", "weights", "digits", "parts"),
    [
        ("1.00", {"a": 1, "b": 1, "c": 1}, 2, {"a": "0.34", "b": "0.33", "c": "0.33"}),
        ("0.05", {"a": 1, "b": 1, "c": 1}, 2, {"a": "0.02", "b": "0.02", "c": "0.01"}),
        ("1.00", {"a": 1, "b": 2, "c": 3}, 2, {"a": "0.17", "b": "0.33", "c": "0.50"}),  # .1667, .3333
        ("10", {"a": 1, "b": 1, "c": 4}, 0, {"a": "2", "b": "2", "c": "6"}),  # 1.67, 1.67, 6.67: the first two
        ("1", {"a": Fraction(1, 3), "b": Fraction(2, 3)}, 3, {"a": "0.333", "b": "0.667"}),
        ("3", {"a": 0.5, "b": 0.25}, 1, {"a": "2.0", "b": "1.0"}),
        ("-1.00", {"a": 1, "b": 1, "c": 1}, 2, {"a": "-0.33", "b": "-0.33", "c": "-0.34"}),
        ("5", {"a": 0, "b": 1}, 0, {"a": "0", "b": "5"}),
    ],
)
def test_the_largest_remainders_get_the_last_cents(
    total: str, weights: dict[str, int | Fraction | float], digits: int, parts: dict[str, str]
) -> None:
    assert told(total, weights, digits) == parts


@pytest.mark.parametrize(("total", "shared"), [("0.125", "0.13"), ("0.1249", "0.12"), ("-0.125", "-0.13")])
def test_what_is_shared_is_rounded_half_up_first(total: str, shared: str) -> None:
    assert told(total, {"all": 7}, 2) == {"all": shared}


def test_nothing_to_share_is_nothing_for_everybody() -> None:
    assert told("0.004", {"a": 0, "b": 0}, 2) == {"a": "0.00", "b": "0.00"}
    assert told("0", {}, 2) == {}


def test_money_that_nobody_has_a_part_in_is_a_mistake() -> None:
    with pytest.raises(ValueError, match=r"^0\.01 is to be shared, and nobody has a part in it$"):
        split(Decimal("0.01"), {"a": 0}, 2)
