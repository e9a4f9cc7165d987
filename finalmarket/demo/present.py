"""What is going on right now: orders to pick, some with a problem, parcels on their way, carts and wishes."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from finalmarket.demo.baskets import Basket, Till
from finalmarket.demo.goods import Item
from finalmarket.demo.merchant import CHANNELS, House
from finalmarket.demo.offers import Shelf
from finalmarket.demo.people import CIRCLE_OF, Crowd
from finalmarket.demo.sources import chance
from finalmarket.demo.supply import Ending
from finalmarket.kernel import clock
from finalmarket.orders import cart, fulfilment, intake
from finalmarket.orders.amounts import parts_of
from finalmarket.orders.drafts import Address, LineDraft, OrderDraft, OutOfStock, TenderDraft
from finalmarket.orders.models import Cart, Fulfilment, Order, Wishlist
from finalmarket.stock.models import StockLocation

NEWEST = {"web": 11, "app": 7, "amazon": 5, "instagram": 2, "berlin": 3, "london": 2, "phone": 2, "usa": 3}
NEWEST_DAYS = 4
CANCELLED = {"web": 13, "app": 8, "amazon": 9, "usa": 3, "phone": 1}
CARTS, HELD_CARTS, WISHES = 14, 3, 90
MOST_DRAWS = 20
STATES = {"card": "authorised", "invoice": "pending"}
NO_BUNDLE = "SET"


def build(
    house: House, shelves: Mapping[str, Shelf], crowds: Mapping[str, Crowd], end: Ending, seed: int, now: datetime
) -> None:
    """Take the newest orders as the doors do, ship some of them, and leave carts and wishes behind."""
    dice = chance(seed, "present")
    till = Till(house, shelves, crowds)
    _cancelled(house, till, dice, now)
    orders = _newest(house, till, dice, now)
    _with_problems(house, till, end, dice, now)
    _ship_some(orders, dice, now)
    _reject_one()
    _carts(house, shelves, crowds, dice, now)
    _wishes(house, shelves, crowds, dice, now)


def draft_of(house: House, basket: Basket, *, is_cancelled: bool = False, is_open: bool = True) -> OrderDraft:
    """Return a planned order as a door would hand it in; `is_open` money was not captured yet."""
    channel = house.channels[basket.key]
    lines = basket.past_lines(0)
    parts = parts_of(
        lines, tip=Decimal(0), tax=None, tax_included=basket.tax_included, currency=channel.currency
    )  # fmt: skip
    tender = basket.tenders[-1]
    state = STATES.get(tender.tender, "captured") if is_open else "captured"
    person = basket.person
    address = Address(**person.address()) if person else Address()
    in_store = channel.channel_type == "store"
    return OrderDraft(
        channel_id=channel.pk, external_id=basket.external_id, currency=channel.currency, placed_at=basket.at,
        lines=tuple(
            LineDraft(
                sku=line.sku, quantity=line.quantity, unit_price=line.unit_price, discount=line.discount, tax=line.tax,
                tax_rate=line.tax_rate, kind=line.kind, title=line.title,
            )
            for line in lines
        ),
        tenders=(TenderDraft(tender.tender, parts.total, tender.external_id, "captured" if in_store else state),),
        name=person.name if person else "", email=person.email if person else "",
        customer_id=person.customer_id if person else None,
        shipping_address=Address() if in_store else address, billing_address=address,
        tax_included=basket.tax_included, is_cancelled=is_cancelled, handed_over=in_store,
        location_id=house.locations[basket.location] if in_store else None,
    )  # fmt: skip


def _cancelled(house: House, till: Till, dice: random.Random, now: datetime) -> None:
    """Orders of the past year that were called off before anything was sent; the books gave the money back."""
    for key, count in CANCELLED.items():
        for _ in range(count):
            at = now - timedelta(days=dice.randrange(2, 360), minutes=dice.randrange(1440))
            basket = till.fill(key, at, dice)
            if basket is not None:
                with clock.steered(at + timedelta(minutes=dice.randrange(20, 600))):
                    intake.take(draft_of(house, basket, is_cancelled=True, is_open=False), actor="demo")


def _newest(house: House, till: Till, dice: random.Random, now: datetime) -> list[Order]:
    """Take the newest orders, oldest first: those of the last days that nobody has sent yet."""
    keys = [key for key, count in NEWEST.items() for _ in range(count)]
    dice.shuffle(keys)
    minutes = sorted((dice.randrange(4, NEWEST_DAYS * 1440) for _ in keys), reverse=True)
    orders = []
    for key, ago in zip(keys, minutes, strict=True):
        order = _take_what_fits(house, till, key, now - timedelta(minutes=ago), dice)
        if order is not None:
            orders.append(order)
    return orders


def _take_what_fits(house: House, till: Till, key: str, at: datetime, dice: random.Random) -> Order | None:
    """Who finds something sold out takes something else."""
    for _ in range(MOST_DRAWS):
        basket = till.fill(key, at, dice)
        if basket is None:
            return None
        try:
            return intake.take(draft_of(house, basket), actor="demo").order
        except OutOfStock:
            continue
    return None


def _with_problems(house: House, till: Till, end: Ending, dice: random.Random, now: datetime) -> None:
    """A marketplace sells what is not there, what nobody knows, and for a total that is not the sum of its parts."""
    faults: tuple[tuple[str, int], ...] = ((end.sold_out[0].sku, 0), ("B-WARE-4711", 0), ("", 2))
    for number, (sku, more) in enumerate(faults):
        basket = till.fill("amazon", now - timedelta(minutes=90 + 40 * number), dice)
        if basket is None:
            continue
        draft = draft_of(house, basket)
        first, *others = draft.lines
        if sku:
            first = _renamed(first, sku, end.sold_out)
        total = draft.tenders[0].amount + more
        intake.take(
            OrderDraft(
                channel_id=draft.channel_id, external_id=draft.external_id, currency=draft.currency,
                placed_at=draft.placed_at, lines=(first, *others), name=draft.name, email=draft.email,
                customer_id=draft.customer_id, tenders=(TenderDraft("platform", total, "payout"),),
                shipping_address=draft.shipping_address, total=total,
            ),
            actor="demo",
        )  # fmt: skip


def _renamed(line: LineDraft, sku: str, known: Sequence[Item]) -> LineDraft:
    title = next((item.title for item in known if item.sku == sku), "Second-hand item")
    return LineDraft(
        sku=sku, quantity=1, unit_price=line.quantity * line.unit_price, discount=line.discount, tax=line.tax,
        tax_rate=line.tax_rate, title=title,
    )  # fmt: skip


def _ship_some(orders: Sequence[Order], dice: random.Random, now: datetime) -> None:
    """A third of the parcels has left already; one order could be sent in part only."""
    waiting = Fulfilment.objects.filter(order__in=[order.pk for order in orders], state=Fulfilment.State.PENDING)
    parcels = list(waiting.order_by("order__placed_at", "pk").prefetch_related("lines"))
    left = parcels[: len(parcels) // 3]
    for parcel in left:
        number = f"{dice.randrange(10**11, 10**12)}"
        fulfilment.ship(parcel.pk, actor="demo", carrier="DHL", tracking_number=number, at=now - timedelta(minutes=3))
    for parcel in parcels[len(left) :]:
        lines = list(parcel.lines.all())
        if len(lines) > 1:
            sent = {lines[0].pk: lines[0].quantity}
            fulfilment.ship(parcel.pk, actor="demo", carrier="DHL", quantities=sent, at=now - timedelta(minutes=2))
            return


def _reject_one() -> None:
    """The store in Berlin does not find what it should have sent: the parcel goes elsewhere, its stock is corrected."""
    berlin = StockLocation.objects.get(code="berlin")
    waiting = Fulfilment.objects.filter(location=berlin, state=Fulfilment.State.PENDING).order_by("pk")
    parcel = waiting.exclude(lines__order_line__sku__startswith=NO_BUNDLE).first()
    if parcel is not None:
        fulfilment.reject(parcel.pk, reason="not_found", actor="store-berlin")


def _carts(
    house: House, shelves: Mapping[str, Shelf], crowds: Mapping[str, Crowd], dice: random.Random, now: datetime
) -> None:
    for number in range(CARTS):
        key = dice.choice(["web", "app", "usa"])
        person = crowds[CIRCLE_OF.get(key, "home")].draw(dice, now)
        basket = Cart.objects.create(
            sales_channel=house.channels[key],
            customer_id=person.customer_id if person else None,
            token=uuid.UUID(int=dice.getrandbits(128), version=4),
        )
        for _ in range(dice.randint(1, 3)):
            cart.add(basket.token, shelves[key].draw(dice, now.month).item.variant_id, dice.randint(1, 2))
        if number < HELD_CARTS:
            try:
                cart.hold(basket.token)
            except OutOfStock:
                continue


def _wishes(
    house: House, shelves: Mapping[str, Shelf], crowds: Mapping[str, Crowd], dice: random.Random, now: datetime
) -> None:
    wishes: dict[tuple[int, int], Wishlist] = {}
    for _ in range(WISHES):
        key = dice.choice([key for key in CHANNELS if key in ("web", "app", "instagram", "usa")])
        at = now - timedelta(days=dice.randrange(120), minutes=dice.randrange(1440))
        person = crowds[CIRCLE_OF.get(key, "home")].draw(dice, at)
        variant_id = shelves[key].draw(dice, at.month).item.variant_id
        if person is not None:
            wishes[person.customer_id, variant_id] = Wishlist(
                customer_id=person.customer_id,
                variant_id=variant_id,
                sales_channel=house.channels[key],
                added_at=at,
            )
    Wishlist.objects.bulk_create(wishes.values())
