"""What each channel lists, at which price, and how often it is bought."""

from __future__ import annotations

import itertools
import random
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from finalmarket.channels.models import ChannelProduct, ListingPrice
from finalmarket.demo.goods import Item
from finalmarket.demo.merchant import CHANNELS, House
from finalmarket.demo.sources import chance, product_rows

# How many of a hundred products a channel lists.
COVERAGE = {
    "web": 100,
    "app": 94,
    "amazon": 45,
    "instagram": 26,
    "berlin": 72,
    "london": 52,
    "phone": 100,
    "kiosk": 48,
    "usa": 36,
}
# What people rather buy there, and what not at all.
LIKES: dict[str, dict[str, int]] = {
    "amazon": {"tools": 3, "cookware": 2, "coffee-tea": 2, "camping": 2},
    "instagram": {"decoration": 3, "textiles": 2, "tableware": 2, "lighting": 2},
    "berlin": {"coffee-tea": 3, "tableware": 2, "seeds": 2, "furniture": 0},
    "london": {"tableware": 2, "baking": 2, "decoration": 2, "furniture": 0},
    "phone": {"furniture": 6, "pots": 2, "barbecue": 2},
    "kiosk": {"seeds": 4, "tools": 3, "pots": 3, "watering": 3, "textiles": 0, "cookware": 0, "baking": 0},
    "usa": {"furniture": 0, "seeds": 0, "textiles": 2},
}
# By month, in per cent of the year's average.
SEASONS = {
    "even": (95, 95, 100, 100, 100, 95, 95, 95, 100, 105, 115, 120),
    "spring": (45, 75, 170, 230, 200, 120, 75, 60, 75, 60, 40, 35),
    "summer": (30, 35, 60, 120, 190, 230, 220, 150, 80, 40, 30, 30),
    "autumn": (70, 50, 50, 50, 45, 45, 50, 100, 210, 240, 170, 90),
    "winter": (170, 150, 95, 65, 50, 45, 45, 55, 90, 125, 170, 170),
    "gift": (55, 55, 65, 75, 85, 70, 60, 60, 80, 115, 260, 320),
}
ZIPF = 0.7
LISTED_ELSEWHERE_DEARER = Decimal("1.08")


@dataclass(frozen=True, slots=True)
class Offer:
    """An item on a channel at its price there."""

    item: Item
    price: Decimal


@dataclass(slots=True)
class Shelf:
    """What a channel offers. `rank` says how well an item sells, 1 is best, on all channels alike."""

    offers: list[Offer]
    ranks: dict[str, int]
    likes: dict[str, int]
    by_month: dict[int, list[float]] = field(default_factory=dict)

    def draw(self, dice: random.Random, month: int) -> Offer:
        """Return an offer as often as it is bought in that month (1 to 12)."""
        sums = self.by_month.get(month)
        if sums is None:
            sums = list(itertools.accumulate(self._weight(offer.item, month) for offer in self.offers))
            self.by_month[month] = sums
        return self.offers[bisect(sums, dice.random() * sums[-1])]

    def _weight(self, item: Item, month: int) -> float:
        season = SEASONS[item.season][month - 1]
        return season * self.likes.get(item.category, 1) / float(self.ranks[item.sku] ** ZIPF)


def build(house: House, items: Sequence[Item], seed: int) -> dict[str, Shelf]:
    """Write listings with their prices and inventory rows; return the shelf of each channel."""
    dice = chance(seed, "offers")
    ranks = _ranks(items, dice)
    shelves = {}
    for key in CHANNELS:
        chosen = _assortment(key, items, dice)
        currency = house.channels[key].currency
        offers = [Offer(item, _price(key, item, currency, dice)) for item in chosen]
        shelves[key] = Shelf(offers, ranks, LIKES.get(key, {}))
        _list(house, key, offers, currency)
        house.channels[key].sync_inventory()
    return shelves


def _ranks(items: Sequence[Item], dice: random.Random) -> dict[str, int]:
    """Shuffle who sells best; what is cheap has a better chance than what is dear, so that the books look right."""
    drawn = sorted(items, key=lambda item: dice.random() * float(item.prices["EUR"] + 25))
    return {item.sku: rank for rank, item in enumerate(drawn, start=1)}


def _assortment(key: str, items: Sequence[Item], dice: random.Random) -> list[Item]:
    """Choose whole products, with all their variants; the web shop and the phone have everything."""
    likes = LIKES.get(key, {})
    chosen: dict[int, bool] = {}
    for item in items:
        if item.product not in chosen:
            liked = likes.get(item.category, 1)
            chosen[item.product] = liked > 0 and dice.randrange(100) < COVERAGE[key] + (15 if liked > 1 else 0)
    return [item for item in items if chosen[item.product] and not (item.parts and key in ("amazon", "usa"))]


def _price(key: str, item: Item, currency: str, dice: random.Random) -> Decimal:
    """A marketplace that takes a fee shows higher prices; a social shop has a few drops below the list price."""
    price = item.prices[currency]
    if key == "amazon":
        return (price * LISTED_ELSEWHERE_DEARER).quantize(Decimal("0.1"), ROUND_HALF_UP) - Decimal("0.01")
    if key == "instagram" and dice.random() < 0.2:
        return (price * Decimal("0.9")).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return price


def _list(house: House, key: str, offers: Sequence[Offer], currency: str) -> None:
    channel = house.channels[key]
    rows = product_rows()
    listings = ChannelProduct.objects.bulk_create(
        ChannelProduct(
            sales_channel=channel,
            variant_id=offer.item.variant_id,
            title=_title(key, offer.item, rows[offer.item.product].brand if not offer.item.parts else ""),
            attributes={"fulfilment": "merchant"} if key == "amazon" else {},
        )
        for offer in offers
    )
    ListingPrice.objects.bulk_create(
        ListingPrice(listing=listing, currency=currency, amount=offer.price)
        for listing, offer in zip(listings, offers, strict=True)
        if offer.price != offer.item.prices[currency]
    )


def _title(key: str, item: Item, brand: str) -> str:
    """Marketplaces want the brand in front; elsewhere the product's own title stands."""
    return f"{brand} {item.title}"[:200] if key == "amazon" and brand else ""
