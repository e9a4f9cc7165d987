"""What the lines of an order of ours come to, for books that keep amounts without tax and only what is still wanted."""

from __future__ import annotations

from decimal import Decimal

from finalmarket.connectors.books import OrderContent, OrderContentLine
from finalmarket.connectors.money import minor_units
from finalmarket.connectors.records import ZERO


def includes_tax(content: OrderContent) -> bool:
    """Whether the prices of the lines include the tax: of the two sums, the one nearer to the total tells."""
    lines = sum((line.unit_price * line.quantity - line.discount for line in content.lines), ZERO)
    tax = content.tax or sum((line.tax for line in content.lines), ZERO)
    return abs(content.total - lines) <= abs(content.total - lines - tax)


def wanted_units(line: OrderContentLine, content: OrderContent) -> int:
    """The units of a line that the buyer still wants."""
    return 0 if content.state == "cancelled" else max(0, line.quantity - line.cancelled_quantity)


def booked_units(line: OrderContentLine, content: OrderContent) -> int:
    """The units to book: those still wanted; of a line that was cancelled whole, all of them, since it is closed."""
    return wanted_units(line, content) or line.quantity


def net_amount(line: OrderContentLine, content: OrderContent) -> Decimal:
    """What the booked units of a line come to without tax, in the order's currency, to its smallest unit."""
    whole = line.unit_price * line.quantity - line.discount - (line.tax if includes_tax(content) else ZERO)
    part = whole * booked_units(line, content) / line.quantity if line.quantity else whole
    return round(part, minor_units(content.currency))


def net_of_kinds(content: OrderContent, *kinds: str) -> Decimal:
    """What the lines of these kinds come to together, without tax."""
    return sum((net_amount(line, content) for line in content.lines if line.kind in kinds), ZERO)
