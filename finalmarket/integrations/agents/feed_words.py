"""The goods of a channel as agents read them: a feed for the channel's country, made anew at each reading."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from finalmarket.catalog.models import Variant
from finalmarket.channels.listing import with_prices
from finalmarket.channels.models import ChannelProduct, SalesChannel
from finalmarket.integrations.agents.order_words import Object, minor
from finalmarket.kernel import clock
from finalmarket.stock.atp import levels

MOST_GOODS = 20_000


def feed_id(channel: SalesChannel) -> str:
    """What the feed of a channel is called."""
    return f"feed_{channel.slug}"


def feed_words(channel: SalesChannel) -> Object:
    """What is told of a feed."""
    country = {"target_country": channel.country} if channel.country else {}
    return {"id": feed_id(channel), **country, "updated_at": clock.now().isoformat()}


def products(channel: SalesChannel) -> Iterator[Object]:
    """Yield the products on sale that the channel lists, by their numbers; at most 20,000 listings. Four queries."""
    rows = ChannelProduct.objects.filter(Variant.on_sale("variant__"), sales_channel=channel)
    rows = rows.select_related("variant__product__category").prefetch_related(
        *with_prices(), "variant__product__images"
    )
    listed = list(rows.order_by("variant__product_id", "variant_id")[:MOST_GOODS])
    known = levels([one.variant_id for one in listed], [channel.pk]) if listed else {}
    for product, listings in groupby(listed, key=lambda one: one.variant.product):
        variants = [_variant(channel, one, known[one.variant_id, channel.pk].offered) for one in listings]
        told: Object = {"id": str(product.pk), "title": product.title, "variants": variants}
        yield told | _described(product.description) | _media(product)


def _variant(channel: SalesChannel, listing: ChannelProduct, left: int) -> Object:
    variant = listing.variant
    listing.sales_channel = channel
    price, can = listing.price(), listing.reason_not_sellable() is None and left > 0
    told: Object = {
        "id": variant.sku, "title": listing.title or variant.label,
        "availability": {"available": can, "status": "in_stock" if can else "out_of_stock"},
        "variant_options": [
            {"name": str(name), "value": str(value)} for name, value in variant.option_values.items()
        ],
    }  # fmt: skip
    if price is not None:
        told["price"] = {"amount": minor(price, channel.currency), "currency": channel.currency}
    if variant.barcode:
        told["barcodes"] = [{"type": "GTIN", "value": variant.barcode}]
    if variant.product.category is not None:
        told["categories"] = [{"value": variant.product.category.name}]
    return told | _described(listing.description)


def _described(text: str) -> Object:
    return {"description": {"plain": text}} if text.strip() else {}


def _media(product: Any) -> Object:
    pictures = [
        {"type": "image", "url": one.url} | ({"alt_text": one.alt_text} if one.alt_text else {})
        for one in product.images.all()
    ]
    return {"media": pictures} if pictures else {}
