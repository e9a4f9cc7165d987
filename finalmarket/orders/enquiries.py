"""What customers ask in few words, on the phone to a machine or in a chat, and the facts that answer it: is it there,
where is my order, the usual please. How it is said is the door's matter.

A constant number of queries for each. `customer_id` is the profile that whoever asks has proved to be. They are told of
its own orders, not of its person's: who is one person is told from evidence, and anybody may forge that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import transaction
from django.db.models import Count, F, Max, Q, QuerySet
from django.db.models.functions import Greatest

from finalmarket.catalog.models import BundleComponent, Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders.at_store import counters
from finalmarket.orders.drafts import Address, LineDraft, OrderDraft
from finalmarket.orders.intake import Taken, take
from finalmarket.orders.models import Fulfilment, Order, OrderLine, TaxRate
from finalmarket.orders.one_cart import listings_of, not_sold, sold_lines
from finalmarket.orders.shopping import delivery_charge, delivery_fee
from finalmarket.stock.atp import level
from finalmarket.stock.models import ChannelSource, StockItem, StockLocation

LIKE_ENOUGH = 0.5
MOST_FOUND = 3
MOST_WORDS_CHARACTERS = 200
USUAL_WITHIN = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a channel says of a variant now. `price` is one unit's in the channel's currency; `left` what it can sell;
    `reason` why it cannot be bought, "" if it can."""

    variant: Variant
    price: Decimal | None
    left: int
    reason: str

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.variant.label

    @property
    def can_be_bought(self) -> bool:
        """Whether the channel sells it now."""
        return self.left > 0 and self.price is not None and not self.reason


@dataclass(frozen=True, slots=True)
class Usual:
    """What a customer buys again and again: how many units they took last, in how many orders it was, and where the
    last one went."""

    variant: Variant
    units: int
    orders: int
    address: Address


@dataclass(frozen=True, slots=True)
class OrderNews:
    """How an order of a customer stands: of how many units how many have left, and its last parcel."""

    order: Order
    units: int
    shipped: int
    parcel: Fulfilment | None

    @property
    def titles(self) -> list[str]:
        """What was bought, in the order of its lines."""
        return [line.title or line.sku for line in self.order.lines.all() if line.kind == OrderLine.Kind.GOODS]

    @property
    def delivered_at(self) -> datetime | None:
        """When its last parcel arrived."""
        return self.parcel.delivered_at if self.parcel else None


def find_goods(channel: SalesChannel, words: str, most: int = MOST_FOUND) -> list[Variant]:
    """Return variants that the channel lists and that these words name, the likeliest first: a SKU or barcode names one
    exactly, else titles are compared."""
    said = " ".join(words.replace("\x00", "").split())[:MOST_WORDS_CHARACTERS]
    if not said:
        return []
    listed = Variant.objects.filter(
        Variant.on_sale(), listings__sales_channel=channel, listings__is_available=True
    )  # fmt: skip
    exact = list(listed.filter(Q(sku__iexact=said) | Q(barcode=said)).select_related("product")[:1])
    if exact:
        return exact
    likeness = Greatest(
        TrigramWordSimilarity(said, "product__title"), TrigramWordSimilarity(said, "listings__title"),
        TrigramWordSimilarity(said, "sku"),
    )  # fmt: skip
    rows = listed.annotate(likeness=likeness).filter(likeness__gte=LIKE_ENOUGH).select_related("product")
    return _those_that_fit_best(list(rows.order_by("-likeness", "pk")[: most * 10]), said)[:most]


def _those_that_fit_best(found: Sequence[Variant], said: str) -> list[Variant]:
    """Of variants of one product those go first whose size or colour was said, too."""
    words = {word.casefold() for word in said.split()}

    def said_of(variant: Variant) -> int:
        return len(words & {word.strip(",;").casefold() for word in variant.title.split()})

    return sorted(found, key=lambda one: (-said_of(one), -getattr(one, "likeness", 0), one.pk))


def stores_of(channel: SalesChannel) -> QuerySet[StockLocation]:
    """The places with a counter from which the channel sells: those that customers are told of."""
    places = counters()
    has_sources = ChannelSource.objects.filter(sales_channel=channel).exists()
    return places.filter(sourced_by__sales_channel=channel) if has_sources else places


def find_place(channel: SalesChannel, words: str) -> StockLocation | None:
    """Return the store of the channel that these words name best, by code, name or city; None for none."""
    said = " ".join(words.replace("\x00", "").split())[:MOST_WORDS_CHARACTERS]
    if not said:
        return None
    likeness = Greatest(TrigramWordSimilarity(said, "name"), TrigramWordSimilarity(said, "city"))
    rows = stores_of(channel).annotate(likeness=likeness)
    named = rows.filter(Q(code__iexact=said) | Q(name__iexact=said) | Q(likeness__gte=LIKE_ENOUGH))
    return named.order_by("-likeness", "priority", "pk").first()


def answer(channel: SalesChannel, variant: Variant) -> Answer:
    """Say what the channel can sell of a variant now, and for how much."""
    listing = listings_of(channel, [variant.pk]).get(variant.pk)
    known = level(variant.pk, channel.pk)
    price = listing.price() if listing else None
    reason = not_sold(listing) or known.reason or ("" if price is not None else "has no price")
    return Answer(variant, price, known.offered, reason)


def units_at(variant: Variant, place: StockLocation) -> int:
    """How many units are free at a place; of a bundle, as many as its parts allow."""
    parts = dict(BundleComponent.objects.filter(bundle=variant).values_list("component_id", "quantity"))
    needed = parts or {variant.pk: 1}
    free = F("on_hand") - F("reserved") - F("allocated") - F("safety")
    items = StockItem.objects.filter(variant__in=needed, location=place).annotate(free=free)
    there: dict[int, int] = dict(items.values_list("variant_id", "free"))
    sets = [there.get(one, 0) // each for one, each in needed.items()]
    return max(0, min(sets))


def news_of(customer_id: int, *, number: str = "", most: int = 1) -> list[OrderNews]:
    """Return how the newest orders of a customer stand, or the one of that number if it is theirs."""
    rows = Order.objects.filter(customer=customer_id).defer("raw").prefetch_related("lines")
    if number:
        rows = rows.filter(_of_number(number))
    orders = list(rows.order_by("-placed_at", "-pk")[:most])
    parcels: dict[int, Fulfilment] = {}
    sent = (Fulfilment.State.SHIPPED, Fulfilment.State.DELIVERED)
    for parcel in Fulfilment.objects.filter(order__in=orders, state__in=sent).order_by("pk"):
        parcels[parcel.order_id] = parcel
    return [_news(order, parcels.get(order.pk)) for order in orders]


def _of_number(number: str) -> Q:
    """Whoever speaks says 1001 of an order W-1001."""
    said = number.strip().removeprefix("#").strip()
    by_its_end = Q(number__endswith=f"-{said}") if said.isascii() and said.isdigit() else Q()
    return Q(number__iexact=said) | by_its_end


def _news(order: Order, parcel: Fulfilment | None) -> OrderNews:
    goods = [line for line in order.lines.all() if line.kind == OrderLine.Kind.GOODS]
    return OrderNews(
        order, sum(line.quantity - line.cancelled_quantity for line in goods),
        sum(line.fulfilled_quantity for line in goods), parcel,
    )  # fmt: skip


def usual(customer_id: int, channel: SalesChannel, words: str = "") -> Usual | None:
    """Return what a customer buys most often of what the channel lists, or of that what these words name; None where
    they have bought nothing of the kind within two years."""
    bought = _bought(customer_id, channel)
    if words.strip():
        bought = bought.filter(variant__in=[one.pk for one in find_goods(channel, words, most=20)])
    counted = bought.values("variant_id").annotate(orders=Count("order_id", distinct=True), last=Max("order_id"))
    top = counted.order_by("-orders", "-last").first()
    if top is None:
        return None
    line = bought.filter(order=top["last"], variant=top["variant_id"]).select_related("variant__product").first()
    order = Order.objects.defer("raw").get(pk=top["last"])
    if line is None or line.variant is None:
        return None
    return Usual(
        line.variant, line.quantity, top["orders"],
        Address(**{name: value for name, value in order.shipping_address.items() if name in Address.__slots__}),
    )  # fmt: skip


def _bought(customer_id: int, channel: SalesChannel) -> QuerySet[OrderLine]:
    return OrderLine.objects.filter(
        Variant.on_sale("variant__"), order__customer=customer_id, order__placed_at__gte=clock.now() - USUAL_WITHIN,
        kind=OrderLine.Kind.GOODS, variant__listings__sales_channel=channel, variant__listings__is_available=True,
    ).exclude(order__state=Order.State.CANCELLED)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """What a customer says yes to: so many units of a variant, which cost `agreed` together with their delivery, in the
    channel's currency, as they were told, sent to that address. With the same `key` it is ordered once."""

    variant_id: int
    units: int
    agreed: Decimal
    address: Address
    key: str


@transaction.atomic
def order_wish(channel: SalesChannel, customer_id: int, wish: Wish, *, actor: str) -> Taken:
    """Order what a customer said yes to, and nothing else that lies in their carts; asked again, it is the same order.

    Raises UserError where the goods are not sold now, or cost another amount than was said, and OutOfStock.
    """
    known = Order.objects.filter(sales_channel=channel, source="channel", external_id=wish.key).first()
    if known is not None:
        return Taken(known, "unchanged", known.problem)
    prices, faults = sold_lines(channel, {wish.variant_id: wish.units})
    if faults:
        raise UserError(f"{channel.name} does not sell this now: {'; '.join(faults)}")
    price = prices[wish.variant_id]
    fee = delivery_fee(channel, price * wish.units)
    if price * wish.units + fee != wish.agreed:
        raise UserError("the price has changed since it was said")
    customer = OmnichannelCustomer.objects.get(pk=customer_id)
    variant = Variant.objects.get(pk=wish.variant_id)
    customer.track_interaction(  # see journeys/record.py
        channel, "add_to_cart", sku=variant.sku, quantity=wish.units, price=price, currency=channel.currency
    )
    return take(
        OrderDraft(
            channel_id=channel.pk, external_id=wish.key, currency=channel.currency, placed_at=clock.now(),
            lines=_lines_of(wish, variant, price, fee, wish.address.country or channel.country), name=customer.name,
            email=customer.email, phone=customer.phone, customer_id=customer.pk, shipping_address=wish.address,
            happened=False,
        ),
        actor=actor,
    )  # fmt: skip


def _lines_of(wish: Wish, variant: Variant, price: Decimal, fee: Decimal, country: str) -> tuple[LineDraft, ...]:
    """The goods and what sending them costs, both taxed by the rates of the country that they go to."""
    rate = TaxRate.objects.filter(country=country, tax_class=variant.tax_class).values_list("rate", flat=True).first()
    goods = LineDraft(variant_id=variant.pk, sku=variant.sku, quantity=wish.units, unit_price=price, tax_rate=rate)
    return (goods, *delivery_charge(fee, country))
