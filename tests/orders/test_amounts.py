"""The arithmetic of an order, by hand: parts that sum to the total, and what single units are worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finalmarket.orders.amounts import (
    Parts,
    Worth,
    line_total,
    lowered,
    parts_of,
    tax_of,
    tax_of_goods,
    with_total,
    worth_of,
)

D = Decimal


@dataclass
class Line:
    """A line of an order."""

    kind: str
    quantity: int
    unit_price: Decimal
    discount: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    pk: int = 0


BASKET = [
    Line("goods", 3, D("9.99"), discount=D("0.97"), tax=D("4.63")),
    Line("goods", 1, D("5.005"), tax=D("0.80")),
    Line("shipping", 1, D("4.90"), discount=D("0.90"), tax=D("0.64")),
    Line("fee", 1, D("2.00"), discount=D("0.50")),
    Line("adjustment", 1, D("-1.00")),
    Line("discount", 1, D("-2.00"), discount=D("3.00")),
]


def summed(*, tax: Decimal | None = None, included: bool = True, tip: str = "1.00", currency: str = "EUR") -> Parts:
    """The parts of the basket."""
    return parts_of(BASKET, tip=D(tip), tax=tax, tax_included=included, currency=currency)


@pytest.mark.parametrize(
    ("line", "total"),
    [
        (Line("goods", 3, D("9.99"), discount=D("0.50")), "29.4700"),
        (Line("goods", 3, D("0.33333")), "1.0000"),
        (Line("goods", 7, D("0.00004")), "0.0003"),
    ],
)
def test_a_line_is_its_units_less_its_discount_to_four_places(line: Line, total: str) -> None:
    assert str(line_total(line)) == total


@pytest.mark.parametrize(
    ("amount", "rate", "included", "tax"),
    [
        ("119", "0.19", True, "19.0000"), ("100", "0.19", False, "19.0000"), ("1", "0.07", True, "0.0654"),
        ("1", "0.07", False, "0.0700"), ("10", "0", True, "0.0000"),
    ],
)  # fmt: skip
def test_a_tax_lies_in_a_price_or_on_top_of_it(amount: str, rate: str, included: bool, tax: str) -> None:
    assert str(tax_of(D(amount), D(rate), included=included)) == tax


def test_prices_that_include_the_tax_sum_to_the_total_without_it() -> None:
    assert summed() == Parts(
        goods=D("34.98"), discount=D("5.97"), shipping=D("4.00"), fees=D("0.50"), tip=D("1.00"), tax=D("6.07"),
        total=D("34.51"),
    )  # fmt: skip


def test_a_tax_on_top_is_part_of_the_total() -> None:
    parts = summed(included=False)
    assert (parts.goods, parts.tax, parts.total) == (D("34.98"), D("6.07"), D("40.58"))


def test_the_tax_that_the_order_knows_goes_before_that_of_its_lines() -> None:
    parts = summed(tax=D("7.00"), included=False)
    assert (parts.goods, parts.tax, parts.total) == (D("34.98"), D("7.00"), D("41.51"))
    assert summed(tax=D(0), included=False).total == D("34.51")


def test_the_goods_take_what_rounding_leaves() -> None:
    parts = summed(currency="JPY", tip="0.4")
    assert parts == Parts(goods=D(35), discount=D(6), shipping=D(4), fees=D(1), tip=D(0), tax=D(6), total=D(34))
    assert parts.goods - parts.discount + parts.shipping + parts.fees + parts.tip == parts.total


def test_an_order_of_nothing_comes_to_nothing() -> None:
    assert parts_of([], tip=D(0), tax=None, tax_included=True, currency="EUR") == Parts(*[D(0)] * 7)


@pytest.mark.parametrize(("given", "goods"), [("34.53", "35.00"), ("34.49", "34.96"), ("34.51", "34.98")])
def test_a_cent_a_line_and_one_for_tax_is_rounding(given: str, goods: str) -> None:
    parts, unexplained = with_total(summed(), D(given), 1, "EUR")
    assert unexplained == 0
    assert (parts.goods, parts.fees, parts.total) == (D(goods), D("0.50"), D(given))
    assert (parts.discount, parts.shipping, parts.tip, parts.tax) == (D("5.97"), D("4.00"), D("1.00"), D("6.07"))


@pytest.mark.parametrize(("given", "beyond"), [("34.54", "0.03"), ("34.48", "-0.03"), ("30.00", "-4.51")])
def test_what_rounding_cannot_explain_goes_to_the_fees_and_is_said(given: str, beyond: str) -> None:
    parts, unexplained = with_total(summed(), D(given), 1, "EUR")
    assert unexplained == D(beyond)
    assert (parts.goods, parts.fees, parts.total) == (D("34.98"), D("0.50") + D(beyond), D(given))
    assert (parts.discount, parts.shipping, parts.tip, parts.tax) == (D("5.97"), D("4.00"), D("1.00"), D("6.07"))


def test_rounding_has_the_size_of_the_smallest_coin() -> None:
    whole = Parts(goods=D(34), discount=D(0), shipping=D(0), fees=D(0), tip=D(0), tax=D(0), total=D(34))
    assert with_total(whole, D(36), 1, "JPY")[1] == 0
    assert with_total(whole, D(37), 1, "JPY")[1] == 3


def with_goods(goods: str, discount: str, tax: str, *, included: bool) -> Parts:
    """The parts of an order with these goods, five for shipping, one for fees and two for the driver."""
    total = D(goods) - D(discount) + D(8) + (D(0) if included else D(tax))
    return Parts(D(goods), D(discount), D("5"), D("1"), D("2"), D(tax), total)


@pytest.mark.parametrize(
    ("goods", "discount", "tax", "included", "currency", "taken", "left"),
    [
        ("120", "20", "19", True, "EUR", "30", ("90", "13.30")),
        ("120", "20", "19", False, "EUR", "23.80", ("100", "15.20")),
        ("100", "0", "10", True, "JPY", "33", ("67", "7")),
        ("2", "1", "0.16", True, "EUR", "1", ("1", "0")),
        ("10", "0", "2", True, "EUR", "15", ("-5", "0")),
        ("10", "10", "1", True, "EUR", "1", ("9", "1")),
        ("10", "12", "1", True, "EUR", "1", ("9", "1")),
    ],
    ids=[
        "tax in the price",
        "tax on top",
        "no cents",
        "all of it",
        "more than there is",
        "for nothing",
        "less than it",
    ],
)
def test_what_is_taken_off_takes_its_share_of_the_tax_along_and_nothing_of_the_rest(
    goods: str, discount: str, tax: str, included: bool, currency: str, taken: str, left: tuple[str, str]
) -> None:
    before = with_goods(goods, discount, tax, included=included)
    lines = [Line("goods", 1, D(goods), tax=D(tax)), Line("shipping", 1, D(5)), Line("fee", 1, D(1))]
    after = lowered(before, lines, D(taken), tax_included=included, currency=currency)
    assert (after.goods, after.tax) == (D(left[0]), D(left[1]))
    assert after.total == before.total - D(taken)
    assert after.total == after.goods - after.discount + D(8) + (D(0) if included else after.tax)
    assert (after.discount, after.shipping, after.fees, after.tip) == (D(discount), D("5"), D("1"), D("2"))


SENT = [Line("goods", 2, D("59.50"), tax=D("19.00")), Line("shipping", 1, D("11.90"), tax=D("1.90"))]
SENT_NET = [Line("goods", 2, D(50), tax=D("19.00")), Line("shipping", 1, D(10), tax=D("1.90"))]
CHEAPER = Line("discount", 1, D(0), discount=D("23.80"), tax=D("-3.80"))


@pytest.mark.parametrize(
    ("lines", "included", "taken", "left"),
    [
        (SENT, True, "59.50", ("59.50", "11.40", "71.40")),
        (SENT, True, "119", ("0", "1.90", "11.90")),
        (SENT, True, "130", ("-11", "1.90", "0.90")),
        (SENT_NET, False, "59.50", ("50", "11.40", "71.40")),
        (SENT_NET, False, "119", ("0", "1.90", "11.90")),
        ([*SENT, CHEAPER], True, "47.60", ("71.40", "9.50", "59.50")),
        ([*SENT, CHEAPER], True, "95.20", ("23.80", "1.90", "11.90")),
    ],
    ids=["half", "all", "more than there is", "half, tax on top", "all, tax on top", "half for less", "all for less"],
)
def test_the_tax_of_what_sending_costs_stays_when_goods_are_taken_off(
    lines: list[Line], included: bool, taken: str, left: tuple[str, str, str]
) -> None:
    before = parts_of(lines, tip=D(0), tax=None, tax_included=included, currency="EUR")
    after = lowered(before, lines, D(taken), tax_included=included, currency="EUR")
    assert (after.goods, after.tax, after.total) == tuple(map(D, left))
    assert after.shipping == before.shipping


@pytest.mark.parametrize(
    ("tax", "left"), [("1.00", "1.00"), ("1.90", "1.90"), ("1.92", "1.91"), ("0", "0")],
    ids=["less than that of sending", "just that of sending", "a little more", "none"],
)  # fmt: skip
def test_a_tax_that_is_not_that_of_the_lines_never_grows_nor_falls_below_that_of_sending(tax: str, left: str) -> None:
    before = parts_of(SENT, tip=D(0), tax=D(tax), tax_included=True, currency="EUR")
    assert lowered(before, SENT, D("59.50"), tax_included=True, currency="EUR").tax == D(left)


@pytest.mark.parametrize(
    ("tax", "included", "taken", "left"),
    [
        ("12", True, "50", ("60", "7")), ("12", True, "100", ("10", "2")), ("24", False, "60", ("60", "14")),
        ("24", False, "120", ("10", "4")),
    ],
    ids=["half", "all", "half, tax on top", "all, tax on top"],
)  # fmt: skip
def test_a_tax_that_only_the_order_knows_goes_off_by_amount(
    tax: str, included: bool, taken: str, left: tuple[str, str]
) -> None:
    lines = [Line("goods", 1, D(110), discount=D(10)), Line("shipping", 1, D(15)), Line("fee", 1, D(5))]
    before = parts_of(lines, tip=D(5), tax=D(tax), tax_included=included, currency="EUR")
    after = lowered(before, lines, D(taken), tax_included=included, currency="EUR")
    assert (after.goods, after.tax) == (D(left[0]), D(left[1]))


def test_units_are_worth_their_share_of_the_line() -> None:
    worth = Worth("EUR", {1: (3, D("10.00")), 2: (1, D(5))})
    assert [worth.of({1: 1}), worth.of({1: 2}), worth.of({1: 2, 2: 1})] == [D("3.33"), D("6.67"), D("11.67")]
    assert worth.of({}) == 0


def test_units_given_back_in_steps_are_worth_what_all_of_them_are() -> None:
    worth = Worth("EUR", {1: (3, D("10.00")), 2: (1, D(5))})
    assert [worth.added({1: before}, {1: 1}) for before in range(3)] == [D("3.33"), D("3.34"), D("3.33")]
    assert worth.added({}, {2: 1}) == 5
    assert worth.added({2: 1}, {1: 1}) == D("3.33")
    assert worth.added({2: 1}, {}) == 0


SOLD = [Line("goods", 2, D(10), pk=1), Line("goods", 1, D(30), pk=2), Line("discount", 1, D(0), discount=D(5), pk=3)]


def worths(
    lines: Sequence[Line], *, goods: str = "50", discount: str = "5", tax: str = "0", included: bool = True
) -> dict[int, tuple[int, Decimal]]:
    """What the goods of an order are worth, line by line."""
    sent = sum((line_total(one) for one in lines if one.kind == "shipping"), D(0))
    parts = Parts(goods=D(goods), discount=D(discount), shipping=sent, fees=D(0), tip=D(0), tax=D(tax), total=D(0))
    found = worth_of(lines, parts, tax_included=included, currency="EUR")
    assert found.currency == "EUR"
    return dict(found.per_line)


def test_the_orders_discount_is_shared_by_line_total() -> None:
    assert worths(SOLD) == {1: (2, D(18)), 2: (1, D(27))}


def test_what_shipping_costs_is_no_part_of_what_goods_are_worth() -> None:
    assert worths([*SOLD, Line("shipping", 1, D(10), pk=4)]) == {1: (2, D(18)), 2: (1, D(27))}


def test_a_tax_on_top_is_part_of_the_worth_as_the_lines_have_it() -> None:
    taxed = [Line("goods", 2, D(10), tax=D("1.42"), pk=1), Line("goods", 1, D(30), tax=D("7.13"), pk=2), SOLD[2]]
    assert worths(taxed, tax="8.55", included=False) == {1: (2, D("19.42")), 2: (1, D("34.13"))}
    assert worths(taxed, tax="8.55", included=True) == {1: (2, D(18)), 2: (1, D(27))}


def test_the_tax_of_a_discount_goes_off_with_it() -> None:
    cheaper = Line("discount", 1, D(0), discount=D(5), tax=D("-0.95"), pk=3)
    taxed = [Line("goods", 2, D(10), tax=D("3.80"), pk=1), Line("goods", 1, D(30), tax=D("5.70"), pk=2), cheaper]
    sent = Line("shipping", 1, D(10), tax=D("1.90"), pk=4)
    assert worths([*taxed, sent], tax="10.45", included=False) == {1: (2, D("21.42")), 2: (1, D("32.13"))}
    assert worths([*taxed, sent], tax="10.45", included=True) == {1: (2, D(18)), 2: (1, D(27))}


@given(
    prices=st.lists(st.tuples(st.integers(1, 4), st.integers(100, 9999)), min_size=1, max_size=4),
    off=st.integers(0, 50), sending=st.integers(0, 2000), rate=st.sampled_from(["0", "0.07", "0.19", "0.255"]),
    included=st.booleans(), chance=st.randoms(use_true_random=False),
)  # fmt: skip
def test_taking_off_all_goods_in_whatever_steps_leaves_what_sending_costs_with_its_tax(
    prices: list[tuple[int, int]], off: int, sending: int, rate: str, included: bool, chance: Random
) -> None:
    def tax(cents: Decimal) -> Decimal:
        return tax_of(cents, D(rate), included=included).quantize(D("0.01"))

    goods = [Line("goods", units, D(cents) / 100, tax=tax(units * D(cents) / 100), pk=number)
             for number, (units, cents) in enumerate(prices)]  # fmt: skip
    less = (sum((line_total(one) for one in goods), D(0)) * off / 100).quantize(D("0.01"))
    cheaper = Line("discount", 1, D(0), discount=less, tax=-tax(less), pk=90)
    sent = Line("shipping", 1, D(sending) / 100, tax=tax(D(sending) / 100), pk=91)
    lines = [*goods, cheaper, sent]
    parts = parts_of(lines, tip=D(0), tax=None, tax_included=included, currency="EUR")
    measure = worth_of(lines, parts, tax_included=included, currency="EUR")
    units = [one.pk for one in goods for _ in range(one.quantity)]
    chance.shuffle(units)
    before: Counter[int] = Counter()
    for number in units:
        parts = lowered(parts, lines, measure.added(before, {number: 1}), tax_included=included, currency="EUR")
        before[number] += 1
        assert parts.tax >= sent.tax
    assert (parts.goods, parts.tax) == (parts.discount, sent.tax)
    assert parts.total == parts.shipping + (0 if included else parts.tax)


def test_a_tax_that_only_the_order_knows_is_shared_by_amount_with_the_services() -> None:
    lines = [*SOLD, Line("shipping", 1, D(10), pk=4)]
    assert worths(lines, tax="10.45", included=False) == {1: (2, D("21.42")), 2: (1, D("32.13"))}


def test_a_tax_that_only_the_order_knows_is_the_same_of_each_unit_though_others_were_taken_off() -> None:
    lines = [Line("goods", 3, D(10), pk=1)]
    parts = parts_of(lines, tip=D(0), tax=D("5.70"), tax_included=False, currency="EUR")
    for left in ("23.80", "11.90", "0"):
        worth = worth_of(lines, parts, tax_included=False, currency="EUR").of({1: 1})
        parts = lowered(parts, lines, worth, tax_included=False, currency="EUR")
        assert (worth, parts.total) == (D("11.90"), D(left))


@pytest.mark.parametrize(
    ("goods", "of_first"), [("50.04", "18.016"), ("49.96", "17.984"), ("50.05", "18"), ("49.95", "18"), ("30", "18")]
)
def test_the_orders_parts_count_where_they_differ_by_rounding_alone(goods: str, of_first: str) -> None:
    assert worths(SOLD, goods=goods)[1] == (2, D(of_first))


def test_goods_for_nothing_are_worth_nothing_and_nothing_is_worth_less() -> None:
    free = [Line("goods", 1, D(0), pk=1)]
    assert worths(free, goods="0", discount="0", tax="3", included=False) == {1: (1, D(0))}
    given_away = [Line("goods", 2, D(10), pk=1), Line("discount", 1, D(0), discount=D(25), pk=2)]
    assert worths(given_away, goods="20", discount="25") == {1: (2, D(0))}


def test_an_order_of_which_nothing_is_charged_has_no_tax_on_its_goods() -> None:
    nothing = Parts(goods=D(0), discount=D(0), shipping=D(0), fees=D(0), tip=D(0), tax=D(3), total=D(3))
    assert tax_of_goods(nothing, [Line("goods", 1, D(0))]) == 0


def test_half_a_coin_is_rounded_alike_in_whatever_order_units_are_summed() -> None:
    goods = [Line("goods", units, D(price), pk=number) for number, (units, price) in enumerate(
        [(1, "1.00"), (3, "1.00"), (4, "8.15"), (4, "8.15")])]  # fmt: skip
    lines = [*goods, Line("discount", 1, D(0), discount=D("30.45"), pk=90)]
    parts = parts_of(lines, tip=D(0), tax=None, tax_included=False, currency="EUR")
    measure, before, back = worth_of(lines, parts, tax_included=False, currency="EUR"), Counter[int](), D(0)
    for number in (1, 2, 3, 0, 2, 3, 2, 2, 1, 3, 3, 1):
        back += measure.added(before, {number: 1})
        before[number] += 1
    assert back == D("38.75")
