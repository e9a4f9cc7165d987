"""What goods cost where whoever orders did not say: the prices of the channel's own listings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.errors import UserError
from finalmarket.orders.one_cart import listings_of, not_sold


def prices_for(channel: SalesChannel, variant_ids: Iterable[int], currency: str) -> Mapping[int, Decimal]:
    """Return what one unit of each variant costs on the channel now, in `currency`. A constant number of queries.

    Raises UserError for a variant that the channel does not sell, or that has no price in the currency there.
    """
    wanted = sorted(set(variant_ids))
    listings = listings_of(channel, wanted)
    prices = {}
    for variant in wanted:
        listing = listings.get(variant)
        if (reason := not_sold(listing)) or listing is None:
            raise UserError(f"variant {variant} {reason} on {channel.name}: say its unit_price, or list it there")
        price = listing.price(currency)
        if price is None:
            raise UserError(f"{listing.variant.sku} has no price in {currency} on {channel.name}: say its unit_price")
        prices[variant] = price
    return prices
