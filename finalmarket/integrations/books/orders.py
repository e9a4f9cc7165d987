"""Orders as platforms that keep books are to know them: read for many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from finalmarket.connectors.books import OrderContent, OrderContentLine
from finalmarket.customers.consents import NEWSLETTER, words_of
from finalmarket.integrations.books import people
from finalmarket.integrations.books.people import Row, rows
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.kernel.money import quantize
from finalmarket.orders.models import Order

STATES = {"fulfilled": "fulfilled", "cancelled": "cancelled"}
PAYMENT_STATES = {
    "authorised": "authorised", "paid": "paid", "refunded": "refunded", "partly_refunded": "partly_refunded",
}  # fmt: skip
TIP = "tip"
"""Our name of the line that the tip of an order becomes: books know lines only."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """What the account is to know of an order, and whose it is (by the canonical profile). `has_agreed` says whether
    they agreed to the newsletter."""

    content: OrderContent
    person: int | None
    has_agreed: bool


def contents_of(integration: ChannelIntegration, orders: Sequence[int]) -> dict[int, Ordered]:
    """What the account is to know of these orders: five queries, however many there are. Key and names are left
    empty."""
    found = rows("orders", orders=list(orders))
    buyers = sorted({row[-2] for row in found if row[-2] is not None})
    consents, names = words_of(buyers), people.names_of(integration, buyers)
    lines, parcels = _lines(integration, orders), {row[0]: row[1:] for row in rows("parcels", orders=list(orders))}
    contents = {}
    for row in found:
        order_id, person = row[0], row[-2]
        said = consents.get(person, {}).get(NEWSLETTER)
        content = _content(row, lines[order_id], parcels.get(order_id, ("", "", "")), names.get(person, ""), said)
        contents[order_id] = Ordered(content, person, said is True)
    return contents


def _content(
    row: Row, lines: Sequence[OrderContentLine], parcel: Row, customer_id: str, accepts_email: bool | None
) -> OrderContent:
    (_, number, placed_at, updated_at, currency, total, tax, tip, refunded, state, payment_state, channel, email, phone,
     shipping, billing, time_zone, _, name) = row  # fmt: skip
    carrier, tracking_number, tracking_url = parcel
    ship_to, bill_to = people.address_of(shipping), people.address_of(billing)
    tips = (OrderContentLine(line_id=TIP, title="Tip", unit_price=_tidy(tip, currency), kind="fee"),) if tip else ()
    return OrderContent(
        key="", number=number, placed_at=placed_at, updated_at=updated_at, currency=currency,
        total=_tidy(total, currency), lines=(*lines, *tips), channel=channel, state=STATES.get(state, "open"),
        payment_state=PAYMENT_STATES.get(payment_state, "unpaid"), tax=_tidy(tax, currency),
        refunded=_tidy(refunded, currency), customer_id=customer_id, name=name or bill_to.name or ship_to.name,
        email=email, phone=phone, accepts_email=accepts_email, shipping_address=ship_to, billing_address=bill_to,
        tracking_number=tracking_number, tracking_url=tracking_url, carrier=carrier,
        time_zone=time_zone,
    )  # fmt: skip


def _lines(integration: ChannelIntegration, orders: Sequence[int]) -> Mapping[int, list[OrderContentLine]]:
    found: dict[int, list[OrderContentLine]] = defaultdict(list)
    for row in rows("lines", integration=integration.pk, orders=list(orders)):
        order_id, line_id, kind, sku, item_id, title, quantity, cancelled, unit_price, discount, tax, currency = row
        found[order_id].append(
            OrderContentLine(
                line_id=str(line_id), sku=sku, item_id=item_id, title=title, quantity=quantity,
                cancelled_quantity=cancelled, unit_price=_tidy(unit_price, currency),
                discount=_tidy(discount, currency), tax=_tidy(tax, currency), kind=kind,
            )
        )  # fmt: skip
    return found


def _tidy(amount: Decimal, currency: str) -> Decimal:
    """The amount with the digits of its currency, or with more where it is finer than that."""
    rounded = quantize(amount, currency)
    return rounded if rounded == amount else amount


def number_of(order: int) -> str:
    """The number of an order; "" for one that is not there."""
    return Order.objects.filter(pk=order).values_list("number", flat=True).first() or ""
