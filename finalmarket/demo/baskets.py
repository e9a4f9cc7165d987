"""What stands in an order: lines, prices, discounts, taxes, how it is paid, and where it is shipped from. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from finalmarket.demo.days import campaign_of
from finalmarket.demo.goods import Item
from finalmarket.demo.merchant import CHANNELS, House
from finalmarket.demo.offers import Shelf
from finalmarket.demo.people import CIRCLE_OF, Crowd, Person
from finalmarket.orders.amounts import tax_of
from finalmarket.orders.past_records import PastLine, PastOrder, Tender

CENT = Decimal("0.01")
NOTHING = Decimal(0)
GIFT_CARD = Decimal(25)
# How many different things are in a basket: weights of 1, 2, 3, ...
SIZES = {
    "amazon": (78, 16, 5, 1), "instagram": (64, 26, 8, 2), "berlin": (46, 28, 15, 8, 3), "london": (50, 28, 14, 8),
    "phone": (34, 26, 18, 12, 6, 4), "kiosk": (70, 22, 8), "app": (48, 28, 14, 7, 3), "web": (40, 28, 16, 9, 5, 2),
    "usa": (52, 28, 14, 6),
}  # fmt: skip
UNKNOWN_BUYERS = {"berlin": 0.58, "london": 0.6, "kiosk": 0.4}
TENDERS = {
    "online": (("card", 50), ("wallet", 28), ("invoice", 17), ("gift_card", 5)),
    "amazon": (("platform", 100),),
    "berlin": (("card", 58), ("cash", 38), ("gift_card", 4)),
    "london": (("card", 82), ("cash", 16), ("gift_card", 2)),
    "phone": (("invoice", 70), ("card", 30)),
    "kiosk": (("card", 100),),
    "usa": (("card", 66), ("wallet", 34)),
}
# What a parcel costs, and from which value on it is free.
SHIPPING = {
    "web": ("4.90", "59"), "app": ("4.90", "59"), "instagram": ("4.90", "59"), "phone": ("6.90", "99"),
    "amazon": ("3.99", "39"), "usa": ("9.95", "120"),
}  # fmt: skip
FROM_THE_STORE = 0.14  # of the parcels of shops that ship from the Berlin store too


@dataclass(slots=True)
class Line:
    """One line of a planned order; amounts are for the whole line."""

    item: Item
    quantity: int
    unit_price: Decimal
    discount: Decimal
    tax: Decimal
    tax_rate: Decimal

    @property
    def worth(self) -> Decimal:
        """What the buyer pays for the line, taxes on top apart."""
        return self.quantity * self.unit_price - self.discount


@dataclass(slots=True)
class Basket:
    """A planned order. Once it is written, `order_id` and `line_ids` are known."""

    key: str
    at: datetime
    person: Person | None
    location: str
    lines: list[Line]
    shipping: Decimal
    shipping_tax_rate: Decimal
    tenders: tuple[Tender, ...]
    external_id: str
    tax_included: bool
    order_id: int = 0
    line_ids: list[int] = field(default_factory=list)

    def order(self, house: House) -> PastOrder:
        """Return the order as history takes it."""
        person = self.person
        return PastOrder(
            channel_id=house.id_of(self.key),
            external_id=self.external_id,
            placed_at=self.at,
            currency=house.channels[self.key].currency,
            customer_id=person.customer_id if person else None,
            email=person.email if person else "",
            phone=person.phone if person else "",
            location_id=house.locations[self.location],
            tax_included=self.tax_included,
            shipping_address=person.address() if person and self.key in SHIPPING else {},
            billing_address=person.address() if person else {},
            tenders=self.tenders,
        )

    def past_lines(self, number: int) -> list[PastLine]:
        """Return the lines as history takes them; `number` is the order's place in its batch."""
        lines = [
            PastLine(
                number, position, line.quantity, line.unit_price, variant_id=line.item.variant_id, sku=line.item.sku,
                title=line.item.title, discount=line.discount, tax=line.tax, tax_rate=line.tax_rate,
            )
            for position, line in enumerate(self.lines, start=1)
        ]  # fmt: skip
        if self.shipping:
            tax = tax_of(self.shipping, self.shipping_tax_rate, included=self.tax_included)
            lines.append(
                PastLine(
                    number, len(lines) + 1, 1, self.shipping, "shipping", title="Shipping", tax=tax,
                    tax_rate=self.shipping_tax_rate,
                )
            )  # fmt: skip
        return lines


class Till:
    """Fills baskets for the channels of the house."""

    def __init__(self, house: House, shelves: Mapping[str, Shelf], crowds: Mapping[str, Crowd]) -> None:
        self._house = house
        self._shelves = shelves
        self._crowds = crowds
        self._in_store = {offer.item.sku for key in ("berlin", "kiosk") for offer in shelves[key].offers}

    def fill(self, key: str, at: datetime, dice: random.Random) -> Basket | None:
        """Return a basket of a channel at a moment, or None while its circle has no customers yet."""
        person = None
        if dice.random() >= UNKNOWN_BUYERS.get(key, 0):
            person = self._crowds[CIRCLE_OF.get(key, "home")].draw(dice, at)
            if person is None:
                return None
        local = at.astimezone(ZoneInfo(CHANNELS[key][4]))
        campaign = campaign_of(key, local.date())
        country = person.place.country if person and key in SHIPPING else CHANNELS[key][3]
        lines = self._lines(key, local.month, campaign.discount if campaign else 0, country, dice)
        value = sum((line.worth for line in lines), NOTHING)
        return Basket(
            key=key,
            at=at,
            person=person,
            location=self._location(key, lines, dice),
            lines=lines,
            shipping=_shipping(key, value),
            shipping_tax_rate=NOTHING if key == "usa" else self._house.rates[country]["standard"],
            tenders=_tenders(key, value, dice),
            external_id=_external_id(key, dice),
            tax_included=key != "usa",
        )

    def _lines(self, key: str, month: int, percent_off: int, country: str, dice: random.Random) -> list[Line]:
        sizes = SIZES[key]
        count = dice.choices(range(1, len(sizes) + 1), sizes)[0]
        drawn = {}
        for _ in range(count):
            offer = self._shelves[key].draw(dice, month)
            drawn[offer.item.sku] = offer
        lines = []
        for offer in drawn.values():
            quantity = _quantity(offer.price, offer.item.category, key, dice)
            off = (quantity * offer.price * percent_off / 100).quantize(CENT, ROUND_HALF_UP)
            rate = self._house.rates[country].get(offer.item.tax_class, NOTHING)
            tax = tax_of(quantity * offer.price - off, rate, included=key != "usa")
            lines.append(Line(offer.item, quantity, offer.price, off, tax, rate))
        return lines

    def _location(self, key: str, lines: Sequence[Line], dice: random.Random) -> str:
        codes = CHANNELS[key][5]
        if key == "kiosk" or len(codes) == 1:
            return codes[0]
        whole = all(part.sku in self._in_store for line in lines for part, _ in line.item.contents())
        return "berlin" if whole and dice.random() < FROM_THE_STORE else "hamburg"


def _quantity(price: Decimal, category: str, key: str, dice: random.Random) -> int:
    """Plates and glasses go by the handful, furniture alone; who calls orders for a company now and then."""
    if category == "tableware" and price < 25:
        return dice.choices((1, 2, 4, 6, 8), (12, 28, 30, 26, 4))[0]
    several = 3 if key == "phone" and dice.random() < 0.25 else 1
    if price < 16:
        return several * dice.choices((1, 2, 3, 4), (58, 24, 11, 7))[0]
    if price < 60:
        return several * dice.choices((1, 2, 3), (82, 15, 3))[0]
    return several if price < 120 else 1


def _shipping(key: str, value: Decimal) -> Decimal:
    if key not in SHIPPING:
        return NOTHING
    price, free_from = SHIPPING[key]
    return NOTHING if value >= Decimal(free_from) else Decimal(price)


def _tenders(key: str, value: Decimal, dice: random.Random) -> tuple[Tender, ...]:
    """One tender for all of it, or a gift card and something for the rest."""
    ways = TENDERS.get(key, TENDERS["online"])
    way = dice.choices([name for name, _ in ways], [weight for _, weight in ways])[0]
    reference = f"{dice.getrandbits(48):012x}"
    if way != "gift_card":
        return (Tender(way, None, reference),)
    rest = Tender("card", None, reference)
    return (Tender("gift_card", GIFT_CARD, f"GC{reference[:8]}"), rest) if value > GIFT_CARD else (rest,)


def _external_id(key: str, dice: random.Random) -> str:
    """Name the order as the channel would."""
    number = dice.getrandbits(60)
    if key == "amazon":
        return f"{300 + number % 7}-{number // 7 % 10**7:07}-{number // 10**8 % 10**7:07}"
    return f"{key}-{number:015x}"
