"""What the lines of an order come to without tax, to the cent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from finalmarket.connectors.books import OrderContent, OrderContentLine
from finalmarket.connectors.order_amounts import booked_units, includes_tax, net_amount, net_of_kinds, wanted_units

AT = datetime(2026, 6, 1, tzinfo=UTC)
TEA = OrderContentLine(line_id="tea", quantity=3, unit_price=Decimal("11.90"), tax=Decimal("5.70"))
FREIGHT = OrderContentLine(line_id="freight", kind="shipping", unit_price=Decimal("4.76"), tax=Decimal("0.76"))


def order(*lines: OrderContentLine, total: str, tax: str = "0", currency: str = "EUR") -> OrderContent:
    return OrderContent(
        key="key", number="1", placed_at=AT, updated_at=AT, currency=currency, total=Decimal(total), tax=Decimal(tax),
        lines=lines,
    )  # fmt: skip


def test_the_total_tells_whether_prices_include_the_tax() -> None:
    assert includes_tax(order(TEA, FREIGHT, total="40.46", tax="6.46"))
    assert not includes_tax(order(TEA, FREIGHT, total="46.92", tax="6.46"))
    assert includes_tax(order(replace(TEA, tax=Decimal(0)), total="35.70"))
    assert not includes_tax(order(TEA, total="41.40"))  # the tax that only the lines know
    assert not includes_tax(order(replace(TEA, discount=Decimal("5.70")), total="35.70", tax="5.70"))


def test_tax_is_taken_out_of_prices_that_include_it_and_not_of_others() -> None:
    assert net_amount(TEA, order(TEA, total="35.70", tax="5.70")) == Decimal("30.00")
    assert net_amount(TEA, order(TEA, total="41.40", tax="5.70")) == Decimal("35.70")


def test_only_units_that_are_wanted_are_booked_and_of_a_closed_line_all() -> None:
    some = replace(TEA, cancelled_quantity=1)
    whole = order(some, total="35.70", tax="5.70")
    assert (wanted_units(some, whole), booked_units(some, whole)) == (2, 2)
    assert net_amount(some, whole) == Decimal("20.00")
    gone = replace(TEA, cancelled_quantity=3)
    assert (wanted_units(gone, whole), booked_units(gone, whole)) == (0, 3)
    assert net_amount(replace(TEA, quantity=0, tax=Decimal(0)), order(total="0")) == 0
    cancelled = replace(whole, state="cancelled")
    assert (wanted_units(some, cancelled), booked_units(some, cancelled)) == (0, 3)


def test_amounts_have_the_digits_of_their_currency() -> None:
    odd = OrderContentLine(line_id="odd", quantity=3, cancelled_quantity=1, unit_price=Decimal("10"))
    assert net_amount(odd, order(odd, total="30", currency="JPY")) == Decimal("20")
    third = replace(odd, discount=Decimal("0.01"))
    assert net_amount(third, order(third, total="29.99")) == Decimal("19.99")


def test_costs_of_a_kind_are_added_up() -> None:
    whole = order(TEA, FREIGHT, replace(FREIGHT, line_id="more"), total="45.22", tax="7.22")
    assert net_of_kinds(whole, "shipping") == Decimal("8.00")
    assert net_of_kinds(whole, "fee", "discount") == 0
    assert isinstance(net_of_kinds(whole, "fee"), Decimal)


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(0, 10_000), st.integers(0, 2_000)), min_size=1, max_size=6))
def test_what_is_booked_is_the_total_less_the_tax(bought: list[tuple[int, int, int]]) -> None:
    lines = tuple(
        OrderContentLine(
            line_id=str(number), quantity=units, unit_price=Decimal(cents) / 100, tax=Decimal(min(tax, cents)) / 100
        )
        for number, (units, cents, tax) in enumerate(bought)
    )
    gross = sum((line.unit_price * line.quantity for line in lines), Decimal(0))
    tax = sum((line.tax for line in lines), Decimal(0))
    whole = order(*lines, total=str(gross), tax=str(tax))
    assert sum(net_amount(line, whole) for line in lines) == gross - tax
