from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finalmarket.kernel import money
from finalmarket.kernel.errors import UserError


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("2.345", "EUR", "2.35"),
        ("2.344999", "EUR", "2.34"),
        ("-2.345", "EUR", "-2.35"),
        ("1234.5", "JPY", "1235"),
        ("0.0005", "KWD", "0.001"),
    ],
)
def test_half_a_cent_is_rounded_away_from_zero_to_what_the_currency_has(
    amount: str, currency: str, rounded: str
) -> None:
    assert str(money.quantize(Decimal(amount), currency)) == rounded


@pytest.mark.parametrize("currency", ["", "eur", "XYZ", "EURO", "💶"])
def test_a_currency_nobody_issues_is_refused(currency: str) -> None:
    with pytest.raises(UserError, match="unknown currency"):
        money.quantize(Decimal(1), currency)


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_what_is_not_a_number_is_no_money(amount: str) -> None:
    with pytest.raises(UserError, match="not an amount"):
        money.quantize(Decimal(amount), "EUR")


@pytest.mark.parametrize(
    ("text", "amount"),
    [("12.50", "12.50"), (" -3 ", "-3"), (".5", "0.5"), ("1e-3", "0.001"), ("0e99", "0"), ("-0", "0")],
)
def test_amounts_are_read_as_written(text: str, amount: str) -> None:
    assert money.parse(text) == Decimal(amount)
    assert not money.parse(text).is_signed() or Decimal(amount) < 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NaN",
        "inf",
        "Infinity",
        "1,50",
        "1.234,56",
        "1_000",
        "12 €",
        "٣",
        "1e999",
        "1e16",
        "1e-13",
        "9" * 16,
        "9" * 50,
    ],
)
def test_anything_else_is_refused_in_one_short_sentence(text: str) -> None:
    with pytest.raises(UserError) as refusal:
        money.parse(text)
    assert len(str(refusal.value)) < 160


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**14), max_value=10**14, places=4))
def test_an_amount_written_out_is_read_back(amount: Decimal) -> None:
    assert money.parse(format(amount, "f")) == amount


@pytest.mark.parametrize(
    ("text", "shown"),
    [("x" * 40, "x" * 40), ("x" * 41, "x" * 37 + "..."), ("  " + "x" * 99, "x" * 37 + "..."), ("1,5", "1,5")],
)
def test_a_refusal_quotes_at_most_forty_characters(text: str, shown: str) -> None:
    with pytest.raises(UserError) as caught:
        money.parse(text)
    assert str(caught.value) == f'"{shown}" is not an amount; write digits with a point, such as 12.50'


def test_a_refusal_of_a_currency_quotes_its_first_twenty_characters() -> None:
    with pytest.raises(UserError) as caught:
        money.check_currency("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    said = 'unknown currency "ABCDEFGHIJKLMNOPQRST"; use a three-letter code of ISO 4217 such as EUR'
    assert str(caught.value) == said
    assert money.check_currency("EUR") == "EUR"


@pytest.mark.parametrize(
    ("text", "is_money"),
    [
        ("9" * 15, True), ("9" * 16, False), ("-" + "9" * 15 + ".5", True), ("1e14", True), ("1e15", False),
        ("0." + "0" * 11 + "1", True), ("0." + "0" * 12 + "1", False), ("1e-12", True), ("1e-13", False),
        ("0." + "0" * 20, True), ("0" * 30 + "5", True), ("5" + "0" * 30, False), ("0" * 40, True), ("0" * 41, False),
    ],
)  # fmt: skip
def test_an_amount_has_at_most_fifteen_digits_before_the_point_and_twelve_after_it(text: str, is_money: bool) -> None:
    if is_money:
        assert money.parse(text) == Decimal(text)
        return
    with pytest.raises(UserError):
        money.parse(text)


def test_what_is_beyond_any_amount_is_said_with_the_limits() -> None:
    with pytest.raises(UserError) as caught:
        money.parse("1e15")
    assert str(caught.value) == '"1e15" is beyond any amount: at most 15 digits before the point and 12 after it'


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [("89.3000", "EUR", "89.30 EUR"), ("1234.5", "JPY", "1235 JPY"), ("0", "KWD", "0.000 KWD")],
)
def test_an_amount_is_told_in_whole_smallest_units_with_its_currency(amount: str, currency: str, words: str) -> None:
    assert money.money_words(Decimal(amount), currency) == words
