"""What a session comes to now: its goods at the channel's prices, with our own tax rates and delivery fees, reckoned as
the order will be. Nothing is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.models import AgentSession
from finalmarket.kernel import clock
from finalmarket.orders import collecting
from finalmarket.orders.amounts import Parts
from finalmarket.orders.composing import compose
from finalmarket.orders.drafts import Address, LineDraft, OrderDraft
from finalmarket.orders.models import OrderLine, TaxRate
from finalmarket.orders.one_cart import Opened, Shown, opened
from finalmarket.orders.shopping import delivery_charge, delivery_fee
from finalmarket.stock.models import StockLocation

DELIVERY, PICKUP = "delivery", "pickup:"
NOTHING = Parts(*[Decimal(0)] * 7)


@dataclass(frozen=True, slots=True)
class Way:
    """A way in which the goods may come to the buyer: sent for a fee to `country`, or collected at `place`."""

    name: str
    fee: Decimal
    place: StockLocation | None = None
    country: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why it cannot be ordered yet: a word of the protocol, where in the session, and in words."""

    code: str
    param: str
    text: str


@dataclass(frozen=True, slots=True)
class Quote:
    """What a session comes to. `lines` are those of an order that may be, in the order of `shown`."""

    shown: tuple[Shown, ...]
    lines: tuple[OrderLine, ...]
    parts: Parts
    ways: tuple[Way, ...]
    way: Way | None
    faults: tuple[Fault, ...] = field(default=())


def address_of(session: AgentSession) -> Address:
    """Where the goods go, as far as it was said."""
    given = session.details.get("address") or {}
    return Address(
        name=given.get("name", ""), street=given.get("line_one", ""), street2=given.get("line_two", ""),
        postcode=given.get("postal_code", ""), city=given.get("city", ""), region=given.get("state", ""),
        country=given.get("country", ""), phone=session.details.get("phone_number", ""),
    )  # fmt: skip


def quote(session: AgentSession) -> Quote:
    """Reckon what a session comes to. A constant number of queries."""
    channel = session.sales_channel
    shown = opened(session.cart)
    is_cart = session.kind == AgentSession.Kind.CART
    ways = () if is_cart else _ways(session, channel, shown)
    way = next((one for one in ways if one.name == session.option), ways[0] if ways else None)
    lines, parts = _reckoned(session, channel, shown.lines, way)
    faults = (*_faults(shown.lines), *(() if is_cart else _missing(session, ways)))
    return Quote(shown.lines, lines, parts, ways, way, faults)


def _ways(session: AgentSession, channel: SalesChannel, shown: Opened) -> tuple[Way, ...]:
    """Sending, once it is known where to; and the stores that have all of it."""
    goods = sum((one.price * one.wanted.quantity for one in shown.lines if one.price is not None), Decimal(0))
    to = address_of(session)
    fee, country = delivery_fee(channel, goods), to.country or channel.country
    sent = (Way(DELIVERY, fee, country=country),) if to.street else ()
    wanted = {one.wanted.variant_id: one.wanted.quantity for one in shown.lines}
    stores = [one.location for one in collecting.offers(channel, wanted) if one.has_all and wanted]
    return (*sent, *(Way(f"{PICKUP}{place.code}", Decimal(0), place) for place in stores))


def _reckoned(
    session: AgentSession, channel: SalesChannel, shown: Sequence[Shown], way: Way | None
) -> tuple[tuple[OrderLine, ...], Parts]:
    """Compose the lines as the order will have them; nothing of it is stored."""
    if not shown:
        return (), NOTHING
    country = address_of(session).country or (way.place.country if way and way.place else "") or channel.country
    rates = dict(TaxRate.objects.filter(country=country).values_list("tax_class", "rate"))
    numbers = [one.wanted.variant_id for one in shown]
    classes = dict(Variant.objects.filter(pk__in=numbers).values_list("pk", "tax_class"))
    goods = [
        LineDraft(
            variant_id=one.wanted.variant_id, sku=one.sku, quantity=one.wanted.quantity,
            unit_price=one.price or Decimal(0), tax_rate=rates.get(classes[one.wanted.variant_id]),
        )
        for one in shown
    ]  # fmt: skip
    draft = OrderDraft(
        channel_id=channel.pk, external_id="quote", currency=channel.currency, placed_at=clock.now(),
        lines=(*goods, *charges_of(way)), happened=True,
    )  # fmt: skip
    composed = compose(draft, channel)
    return tuple(composed.lines[: len(goods)]), composed.parts


def charges_of(way: Way | None) -> tuple[LineDraft, ...]:
    """What sending costs, as a line of the order."""
    return delivery_charge(way.fee, way.country) if way else ()


def _faults(shown: Sequence[Shown]) -> list[Fault]:
    """What of the goods cannot be bought, each in a word of the protocol."""
    if not shown:
        return [Fault("missing", "$.line_items", "There is nothing in it.")]
    found = []
    for index, one in enumerate(shown):
        kinds = {difference.kind: difference.text for difference in one.differences}
        param = f"$.line_items[{index}]"
        for kind, code in (("not_sold", "invalid"), ("no_price", "invalid"), ("sold_out", "out_of_stock"),
                           ("few", "quantity_exceeded")):  # fmt: skip
            if kind in kinds:
                found.append(Fault(code, param, f"{one.title} ({one.sku}) {kinds[kind]}."))
    return found


def _missing(session: AgentSession, ways: Sequence[Way]) -> list[Fault]:
    """What has yet to be said of where the goods go."""
    if not ways:
        return [Fault("missing", "$.fulfillment_details.address", "Say where the goods go.")]
    if session.option and all(one.name != session.option for one in ways):
        param = "$.selected_fulfillment_options"
        return [Fault("invalid", param, "The goods cannot come in the way that was chosen; choose another.")]
    return []
