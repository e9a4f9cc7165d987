"""Amounts in smallest units, as platforms write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from finalmarket.connectors.money import from_minor, minor_units, to_minor


@pytest.mark.parametrize(
    ("amount", "currency", "whole"),
    [
        (1999, "EUR", "19.99"),
        (1999, "eur", "19.99"),
        (1999, "JPY", "1999"),
        (1999, "KWD", "1.999"),
        (1999, "CLF", "0.1999"),
        (-5, "USD", "-0.05"),
        (0, "GBP", "0.00"),
        (5, "HUF", "0.05"),
        (5, "IQD", "0.005"),
        (5, "ISK", "5"),
        (123456789012345678901234567890123, "EUR", "1234567890123456789012345678901.23"),
    ],
)
def test_smallest_units_become_whole_ones_to_the_digit(amount: int, currency: str, whole: str) -> None:
    assert str(from_minor(amount, currency)) == whole


@pytest.mark.parametrize(
    ("whole", "currency", "amount"),
    [("19.99", "EUR", 1999), ("19.9900", "EUR", 1999), ("2E+1", "EUR", 2000), ("7", "JPY", 7), ("-0.5", "USD", -50)],
)
def test_whole_units_become_smallest_ones(whole: str, currency: str, amount: int) -> None:
    assert to_minor(Decimal(whole), currency) == amount


@pytest.mark.parametrize(
    ("whole", "currency"),
    [("19.999", "EUR"), ("0.5", "JPY"), ("1E-1000000", "EUR"), ("NaN", "EUR"), ("Infinity", "EUR")],
)
def test_digits_are_never_lost_in_silence(whole: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        to_minor(Decimal(whole), currency)


def test_a_refusal_quotes_what_it_refuses_in_short() -> None:
    with pytest.raises(ValueError, match=r"^'ABCDEFGHIJKLMNOPQRST' is no currency of ISO 4217 with a smallest unit$"):
        minor_units("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    with pytest.raises(TypeError, match=r"^True is no whole number of the smallest unit$"):
        from_minor(True, "EUR")


def test_an_amount_finer_than_the_smallest_coin_is_named() -> None:
    with pytest.raises(ValueError, match=r"^19\.999 is finer than the smallest unit of EUR$"):
        to_minor(Decimal("19.999"), "eur")


def test_an_amount_has_at_most_thirty_one_digits_before_the_point() -> None:
    assert to_minor(Decimal("1E+30"), "EUR") == 10**32
    with pytest.raises(ValueError, match="not an amount"):
        to_minor(Decimal("1E+31"), "EUR")


def test_an_amount_beyond_all_money_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="not an amount"):
        to_minor(Decimal("1E+1000000000"), "EUR")


@pytest.mark.parametrize("currency", ["", "XXX", "XAU", "UNKNOWN_CURRENCY", "BTC", "EURO"])
def test_a_currency_without_a_smallest_unit_is_no_guess(currency: str) -> None:
    with pytest.raises(ValueError, match="no currency"):
        minor_units(currency)


@pytest.mark.parametrize("amount", [19.99, "1999", True, None, Decimal(5)])
def test_only_whole_numbers_are_smallest_units(amount: object) -> None:
    with pytest.raises(TypeError):
        from_minor(amount, "EUR")  # type: ignore[arg-type]


@given(some.integers(), some.sampled_from(["EUR", "JPY", "KWD", "UYW"]))
def test_there_and_back_is_the_same(amount: int, currency: str) -> None:
    if len(str(abs(amount))) <= 30:
        assert to_minor(from_minor(amount, currency), currency) == amount
