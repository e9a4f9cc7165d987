"""The arithmetic of an order: what its parts sum to, and what single units of it are worth. Pure, Decimal only.

Totals are rounded, lines are not: prices may be finer than the smallest coin. The goods take what rounding leaves, so
that the parts sum to the total exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from finalmarket.kernel.money import minor_digits, quantize

NOTHING = Decimal(0)
FINER_THAN_ANY_COIN = Decimal("1e-12")
STORED = Decimal("0.0001")
PARTS = ("goods", "discount", "shipping", "fees", "tip", "tax", "total")


class Priced(Protocol):
    """What the arithmetic needs of a line; `OrderLine` has it, and so have drafts."""

    @property
    def kind(self) -> str: ...
    @property
    def quantity(self) -> int: ...
    @property
    def unit_price(self) -> Decimal: ...
    @property
    def discount(self) -> Decimal: ...
    @property
    def tax(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of an order, rounded to the currency's smallest unit; `total` is their sum."""

    goods: Decimal
    discount: Decimal
    shipping: Decimal
    fees: Decimal
    tip: Decimal
    tax: Decimal
    total: Decimal


def line_total(line: Priced) -> Decimal:
    """Return quantity x unit price - discount, to four places: what the line adds to the order (taxes apart)."""
    return (line.quantity * line.unit_price - line.discount).quantize(STORED)


def tax_of(gross_or_net: Decimal, rate: Decimal, *, included: bool) -> Decimal:
    """Return the tax in an amount (included) or on top of it (added), to four places. `rate` 0.19 is 19 per cent."""
    tax = gross_or_net * rate / (1 + rate) if included else gross_or_net * rate
    return tax.quantize(STORED)


def parts_of(lines: Sequence[Priced], *, tip: Decimal, tax: Decimal | None, tax_included: bool, currency: str) -> Parts:
    """Sum the lines of an order. `tax` None: the sum of the lines' taxes.

    Goods are counted before discount. A discount line takes its own `discount` off; adjustments count as fees.
    """
    of_kind: dict[str, Decimal] = {}
    for line in lines:
        part = line.kind if line.kind != "adjustment" else "fee"
        amount = line.quantity * line.unit_price - (line.discount if part in ("shipping", "fee") else NOTHING)
        of_kind[part] = of_kind.get(part, NOTHING) + amount
    discount = sum((line.discount for line in lines if line.kind in ("goods", "discount")), NOTHING)
    whole_tax = tax if tax is not None else sum((line.tax for line in lines), NOTHING)
    exact = {
        "discount": discount - of_kind.get("discount", NOTHING),
        "shipping": of_kind.get("shipping", NOTHING),
        "fees": of_kind.get("fee", NOTHING),
        "tip": tip,
        "tax": whole_tax,
    }
    added = NOTHING if tax_included else whole_tax
    total = of_kind.get("goods", NOTHING) - exact["discount"] + exact["shipping"] + exact["fees"] + tip + added
    return _rounded(exact, quantize(total, currency), tax_included, currency)


def _rounded(exact: Mapping[str, Decimal], total: Decimal, tax_included: bool, currency: str) -> Parts:
    part = {name: quantize(amount, currency) for name, amount in exact.items()}
    added = NOTHING if tax_included else part["tax"]
    goods = total + part["discount"] - part["shipping"] - part["fees"] - part["tip"] - added
    return Parts(goods=goods, total=total, **part)


def with_total(parts: Parts, given: Decimal, lines: int, currency: str) -> tuple[Parts, Decimal]:
    """Make the parts sum to the total that a platform gave; return them and what rounding cannot explain.

    Rounding line by line explains one smallest unit per line (and one for tax); the goods take it. A larger difference
    goes to the fees, and the caller says so.
    """
    difference = given - parts.total
    explained = abs(difference) <= (lines + 1) * Decimal(1).scaleb(-minor_digits(currency))
    values = {name: getattr(parts, name) for name in ("discount", "shipping", "tip", "tax")}
    if explained:
        return Parts(goods=parts.goods + difference, fees=parts.fees, total=given, **values), NOTHING
    return Parts(goods=parts.goods, fees=parts.fees + difference, total=given, **values), difference


def tax_of_goods(parts: Parts, lines: Sequence[Priced]) -> Decimal:
    """Return what of an order's tax lies on its goods and their discounts, and not on shipping and fees.

    A tax that only the order knows is shared with shipping and fees by amount, as revenue is (analytics/restate.sql).
    """
    if any(line.tax for line in lines):
        of_goods = parts.tax - sum(line.tax for line in lines if line.kind not in ("goods", "discount"))
    else:
        sales = parts.goods - parts.discount
        everything = sales + parts.shipping + parts.fees
        of_goods = parts.tax * sales / everything if everything else NOTHING
    return max(NOTHING, min(of_goods, parts.tax))


def lowered(parts: Parts, lines: Sequence[Priced], amount: Decimal, *, tax_included: bool, currency: str) -> Parts:
    """Take `amount` off the goods, with the share of their tax in it; the parts still sum to the total. The tax of
    shipping and fees, which are charged still, stays; `lines` say how much that is."""
    tax = tax_of_goods(parts, lines)
    charged = parts.goods - parts.discount + (NOTHING if tax_included else tax)
    share = quantize(min(tax, tax * amount / charged), currency) if charged > 0 else NOTHING
    goods = parts.goods - (amount if tax_included else amount - share)
    return replace(parts, goods=goods, tax=parts.tax - share, total=parts.total - amount)


@dataclass(frozen=True, slots=True)
class Worth:
    """What the goods of an order are worth, unit by unit: own discount, share of the order's discount and tax.

    Worth is rounded over everything credited so far, so that crediting all units, in whatever steps, gives the worth
    of all units to the cent.
    """

    currency: str
    per_line: Mapping[int, tuple[int, Decimal]]  # order line: (quantity, worth of all of it)

    def of(self, units: Mapping[int, int]) -> Decimal:
        """Return what so many units of each order line (by id) are worth together."""
        whole = NOTHING
        for line_id, count in units.items():
            quantity, worth = self.per_line[line_id]
            whole += worth * count / quantity
        return quantize(whole.quantize(FINER_THAN_ANY_COIN), self.currency)  # half a coin is one in whatever order

    def added(self, before: Mapping[int, int], more: Mapping[int, int]) -> Decimal:
        """Return what is to be credited for `more` units when `before` units are credited already."""
        after = {line_id: before.get(line_id, 0) + more.get(line_id, 0) for line_id in {*before, *more}}
        return self.of(after) - self.of(before)


class Charged(Priced, Protocol):
    """A line that is stored: it has an id."""

    @property
    def pk(self) -> int: ...


def worth_of(lines: Sequence[Charged], parts: Parts, *, tax_included: bool, currency: str) -> Worth:
    """Say what the goods lines of an order are worth. `parts` are the order's own.

    The order's discount (beyond the lines' own), the tax that goes off with it, and a tax that only the order knows
    are shared by line total. Where the order's parts differ from its lines by rounding alone the parts count; where
    units were taken off an unpaid order, its parts are lower than its lines, and the lines count, taxed as the parts.
    """
    sold = [line for line in lines if line.kind == "goods"]
    net = {line.pk: line_total(line) for line in sold}
    all_net = sum(net.values(), NOTHING)
    by_lines = all_net + sum((line_total(line) for line in lines if line.kind == "discount"), NOTHING)
    rounding = (len(lines) + 1) * Decimal(1).scaleb(-minor_digits(currency))
    sales = parts.goods - parts.discount
    charged = sales if abs(sales - by_lines) <= rounding else by_lines
    on_lines = any(line.tax for line in lines)
    tax_off = sum(line.tax for line in lines if line.kind == "discount")
    rate = tax_of_goods(parts, lines) / sales if sales and not on_lines else NOTHING
    per_line: dict[int, tuple[int, Decimal]] = {}
    for line in sold:
        share = net[line.pk] / all_net if all_net else NOTHING
        worth = charged * share
        if not tax_included:
            worth += line.tax + tax_off * share if on_lines else worth * rate
        per_line[line.pk] = (line.quantity, max(NOTHING, worth))
    return Worth(currency, per_line)
