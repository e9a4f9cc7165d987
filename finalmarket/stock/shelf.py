"""What a channel shows its shoppers: the goods that it sells now, at its prices, and in a word whether they are there.

How many units there are is nobody's business but the merchant's: shoppers are told "in_stock", "few" or "out".
A constant number of queries, however many goods are shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from finalmarket.catalog.models import BundleComponent, Category, Product, ProductImage, Variant
from finalmarket.channels.listing import with_prices
from finalmarket.channels.models import ChannelProduct, SalesChannel
from finalmarket.kernel import clock
from finalmarket.stock.atp import Level, levels, status_of
from finalmarket.stock.models import StockItem

WORDS = {"in_stock": "in_stock", "low": "few", "out": "out"}
BEST_FIRST = ("in_stock", "few", "out")
LONGEST_TEXT, MOST_WORDS = 200, 6
FEW = 5
"""Whoever wants more than there is hears how many there are up to this many; beyond, it is the merchant's business."""
SOME = 3
"""At one place so few units are few, whatever the channel's threshold says of all places together."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One variant as the channel sells it. `price` is one unit's in the channel's currency."""

    variant_id: int
    sku: str
    title: str
    options: Mapping[str, str]
    price: Decimal
    availability: str


@dataclass(frozen=True, slots=True)
class Goods:
    """A product with what the channel sells of it; there is at least one choice."""

    product: Product
    title: str
    description: str
    images: tuple[tuple[str, str], ...]
    choices: tuple[Choice, ...]

    @property
    def cheapest(self) -> Decimal:
        """The lowest price."""
        return min(choice.price for choice in self.choices)

    @property
    def has_one_price(self) -> bool:
        """Whether all choices cost the same."""
        return len({choice.price for choice in self.choices}) == 1

    @property
    def availability(self) -> str:
        """That of the choice which is best to have."""
        return min((choice.availability for choice in self.choices), key=BEST_FIRST.index)


def products_of(channel: SalesChannel, *, text: str = "", category: int | None = None) -> QuerySet[Product]:
    """Return the products of which the channel sells something now, narrowed by words that all are to be found in
    title, brand or the whole SKU, and by a category with those below it. They come in no order."""
    on_sale = _on_sale(channel).filter(variant__product=OuterRef("pk"))
    rows = Product.objects.filter(Exists(on_sale))
    for word in text.replace("\x00", "").strip()[:LONGEST_TEXT].split()[:MOST_WORDS]:
        named = Q(title__icontains=word) | Q(brand__icontains=word)
        rows = rows.filter(named | Exists(on_sale.filter(Q(variant__sku__iexact=word) | Q(title__icontains=word))))
    return rows if category is None else rows.filter(category__in=_with_those_below(category))


def variants_of(channel: SalesChannel) -> QuerySet[Variant]:
    """Return the variants that the channel sells now, whether or not any lies there. They come in no order."""
    on_sale = _on_sale(channel).filter(variant=OuterRef("pk"))
    return Variant.objects.filter(Exists(on_sale))


def categories_of(channel: SalesChannel) -> list[Category]:
    """Return the categories in which the channel sells something now, by name; two queries."""
    used = products_of(channel).exclude(category=None).order_by().values_list("category", flat=True).distinct()
    by_id = Category.objects.in_bulk()
    found: dict[int, Category] = {}
    for number in used:
        one: Category | None = by_id.get(number or 0)
        while one is not None and one.pk not in found:
            found[one.pk] = one
            one = by_id.get(one.parent_id or 0)
    return sorted(found.values(), key=lambda one: one.name)


def goods(channel: SalesChannel, products: Sequence[Product]) -> list[Goods]:
    """Return these products as the channel shows them, in their order; one that has no price there is left out."""
    listings: dict[int, list[ChannelProduct]] = defaultdict(list)
    rows = _on_sale(channel).filter(variant__product__in=products).select_related("variant")
    for listing in rows.prefetch_related(*with_prices()).order_by("variant_id"):
        listing.sales_channel = channel
        listings[listing.variant.product_id].append(listing)
    variants = [listing.variant_id for group in listings.values() for listing in group]
    known = levels(variants, [channel.pk]) if variants else {}
    images: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for image in ProductImage.objects.filter(product__in=products).order_by("product", "position", "id"):
        images[image.product_id].append((image.url, image.alt_text))
    shown = (_goods(channel, one, listings[one.pk], known, tuple(images[one.pk])) for one in products)
    return [one for one in shown if one is not None]


def _goods(
    channel: SalesChannel, product: Product, listings: Sequence[ChannelProduct],
    known: Mapping[tuple[int, int], Level], images: tuple[tuple[str, str], ...],
) -> Goods | None:  # fmt: skip
    choices = []
    for listing in listings:
        price, variant = listing.price(), listing.variant
        if price is not None:
            word = word_for(known[listing.variant_id, channel.pk])
            options = {str(name): str(value) for name, value in variant.option_values.items()}
            choices.append(Choice(variant.pk, variant.sku, variant.title, options, price, word))
    if not choices:
        return None
    first = listings[0]
    return Goods(
        product, first.title or product.title, first.description or product.description, images, tuple(choices)
    )


def word_for(level: Level) -> str:
    """Say of a level what a shopper is told; what can be ordered beyond the shelf counts as there."""
    if level.offered <= 0:
        return "out"
    return "in_stock" if level.beyond else WORDS[level.status]


def words_at(location_ids: Collection[int], variant_ids: Collection[int]) -> dict[tuple[int, int], str]:
    """Say of every place and variant whether it lies there, free: "in_stock", "few" or "out". Two queries."""
    parts: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for part in BundleComponent.objects.filter(bundle__in=variant_ids):
        parts[part.bundle_id].append((part.component_id, part.quantity))
    lying = {part for group in parts.values() for part, _ in group} | set(variant_ids)
    rows = StockItem.objects.filter(location__in=location_ids, variant__in=lying)
    free = {
        (item.location_id, item.variant_id): item.on_hand - item.reserved - item.allocated - item.safety
        for item in rows
    }
    return {
        (place, one): WORDS[
            status_of(min(free.get((place, part), 0) // each for part, each in parts.get(one, [(one, 1)])), SOME)
        ]
        for place in location_ids
        for one in variant_ids
    }


def _on_sale(channel: SalesChannel) -> QuerySet[ChannelProduct]:
    """The listings that anybody could buy now, if there is stock and a price."""
    now = clock.now()
    if channel.status != SalesChannel.Status.ACTIVE or channel.is_paused:
        return ChannelProduct.objects.none()
    has_begun = Q(publish_from=None) | Q(publish_from__lte=now)
    is_not_over = Q(publish_until=None) | Q(publish_until__gt=now)
    rows: QuerySet[Any] = ChannelProduct.objects.filter(has_begun, is_not_over, sales_channel=channel)
    return rows.filter(Variant.on_sale("variant__"), is_available=True)


def _with_those_below(category: int) -> list[int]:
    children: dict[int | None, list[int]] = defaultdict(list)
    for number, parent in Category.objects.values_list("pk", "parent"):
        children[parent].append(number)
    found, waiting = [], [category]
    while waiting:
        number = waiting.pop()
        found.append(number)
        waiting += [one for one in children[number] if one not in found]
    return found
