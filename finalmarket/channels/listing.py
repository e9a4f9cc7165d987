"""The verbs of a channel and of its listings. One verb, one transaction."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from django.db import transaction
from django.db.models import Prefetch
from django.utils import timezone
from django.utils.text import slugify

from finalmarket.channels.due import mark_due

if TYPE_CHECKING:
    from datetime import date

    from finalmarket.analytics.health import ChannelHealth
    from finalmarket.catalog.models import Product
    from finalmarket.channels.models import ChannelProduct, SalesChannel


class ChannelVerbs:
    """What can be done with a sales channel."""

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the channel; a channel without a slug gets one from its name."""
        channel = cast("SalesChannel", self)
        if not channel.slug:
            channel.slug = slugify(channel.name)[:100] or f"channel-{timezone.now():%Y%m%d%H%M%S%f}"
        super().save(*args, **kwargs)  # type: ignore[misc]

    @transaction.atomic
    def add_product(
        self,
        product: Product,
        *,
        available: bool = True,
        price_override: Decimal | None = None,
        title: str = "",
        attributes: dict[str, Any] | None = None,
        publish_from: datetime | None = None,
        publish_until: datetime | None = None,
    ) -> list[ChannelProduct]:
        """List every variant of `product` on this channel and return the listings.

        `price_override` is in the channel's currency. Listing a product again changes its listings. Each listing gets
        its inventory row and is marked as due. Raises ValidationError for a negative price.
        """
        channel = cast("SalesChannel", self)
        listings = []
        for variant in product.variants.order_by("id"):
            listing, _ = channel.listings.update_or_create(
                variant=variant,
                defaults={
                    "is_available": available,
                    "title": title,
                    "attributes": attributes or {},
                    "publish_from": publish_from,
                    "publish_until": publish_until,
                },
            )
            listing.set_price(price_override)
            listings.append(listing)
        mark_due("listings", [listing.pk for listing in listings], "content", "price")
        channel.sync_inventory()
        return listings

    def sync_inventory(self) -> int:
        """Mark the stock of every listing of this channel as due to be told; return the listings marked."""
        return int(cast("Any", self).inventories.sync_for_channel(self))  # the work is in stock/inventory.py

    def performance_metrics(self, *, start_date: date | None = None, end_date: date | None = None) -> dict[str, Any]:
        """Return the channel's figures from `start_date` to `end_date`, both included, in its own time zone."""
        metrics: dict[str, Any] = cast("Any", self).analytics.performance_metrics(self, start_date, end_date)
        return metrics  # the work is in analytics/metrics.py

    def health(self) -> ChannelHealth:
        """Return how the channel is doing: one word with its reason, from sync, stock, orders and errors, held against
        what is usual for it."""
        found: ChannelHealth = cast("Any", self).analytics.health(self)
        return found  # the work is in analytics/health.py

    def pause(self, reason: str) -> None:
        """Take no new holds on this channel until it is resumed; sales that already happened still come in."""
        self._set_paused(True, reason)

    def resume(self) -> None:
        """Sell again on a paused channel."""
        self._set_paused(False, "")

    @transaction.atomic
    def _set_paused(self, is_paused: bool, reason: str) -> None:
        """Platforms show nothing of a paused channel: its stock is due to be told."""
        channel = cast("SalesChannel", self)
        channel.is_paused, channel.pause_reason = is_paused, reason
        channel.save(update_fields=["is_paused", "pause_reason", "updated_at"])
        mark_due("channels", [channel.pk], "stock")


class ListingVerbs:
    """What can be done with, and asked of, a listing."""

    def price(self, currency: str | None = None) -> Decimal | None:
        """Return what the listing costs in `currency` (default: the channel's), or None when it has no price there.

        The listing's own price goes before the variant's. Nothing is ever converted.
        """
        listing = cast("ChannelProduct", self)
        wanted = currency or listing.sales_channel.currency
        own = next((price.amount for price in listing.prices.all() if price.currency == wanted), None)
        return own if own is not None else listing.variant.price_in(wanted)

    @transaction.atomic
    def set_price(self, amount: Decimal | None, currency: str | None = None) -> None:
        """Override the price in `currency` (default: the channel's); None takes the override away. A price that changed
        is due to be told, and with it the stock: what has no price cannot be bought."""
        listing = cast("ChannelProduct", self)
        wanted = currency or listing.sales_channel.currency
        if amount is None:
            changed, _ = listing.prices.filter(currency=wanted).delete()
        else:
            from finalmarket.channels.models import ListingPrice

            price = ListingPrice(listing=listing, currency=wanted, amount=amount)
            price.clean_fields(exclude=["listing"])
            changed = not listing.prices.filter(currency=wanted, amount=amount).exists()
            listing.prices.update_or_create(currency=wanted, defaults={"amount": amount})
        if changed:
            mark_due("listings", [listing.pk], "price", "stock")

    def reason_not_sellable(self, at: datetime | None = None) -> str | None:
        """Return why nobody can buy this listing at `at` (default: now), or None when it can be bought."""
        listing = cast("ChannelProduct", self)
        channel, moment = listing.sales_channel, at or timezone.now()
        product = listing.variant.product
        checks = (
            (channel.status != "active", f"{channel.name} is {channel.status}"),
            (channel.is_paused, f"{channel.name} is paused: {channel.pause_reason}"),
            (not listing.is_available, "the listing is switched off"),
            (not listing.variant.is_active, f"{listing.variant.sku} is switched off"),
            (product.status != product.Status.ACTIVE, f"the product is {product.status}"),
            (listing.publish_from is not None and moment < listing.publish_from, "not published yet"),
            (listing.publish_until is not None and moment >= listing.publish_until, "no longer published"),
            (self.price() is None, f"{listing.variant.sku} has no price in {channel.currency}"),
        )
        return next((reason for failed, reason in checks if failed), None)


def with_prices() -> tuple[Prefetch[Any], ...]:
    """Return the prefetches that let `price()` run without a query for each listing."""
    return (Prefetch("prices"), Prefetch("variant__prices"))
