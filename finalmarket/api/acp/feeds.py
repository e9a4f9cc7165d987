"""The goods that agents read: one feed for a channel, in its own country. The catalogue is the merchant's; agents read
it and write nothing into it."""

from __future__ import annotations

from finalmarket.api.acp.door import Call, Refused, Told, agents
from finalmarket.api.acp.shapes import FeedAsked
from finalmarket.integrations.agents.feed_words import feed_id, feed_words, products


def create_feed(call: Call) -> Told:
    """Give the feed of the channel; there is one."""
    wanted, country = call.body(FeedAsked).target_country, call.channel.country
    if wanted is not None and country and wanted != country:
        raise Refused(400, "unsupported_country", f"This shop's feed is for {country}.", param="$.target_country")
    return Told(201, feed_words(call.channel), "feed")


def show_feed(call: Call, name: str) -> Told:
    """Tell of the feed."""
    _check(call, name)
    return Told(200, feed_words(call.channel))


def show_products(call: Call, name: str) -> Told:
    """Show all goods of the feed, with price and availability as they are now."""
    _check(call, name)
    return Told(200, {"products": list(products(call.channel))})


def change_products(call: Call, name: str) -> Told:
    """Refuse: what is sold here is the merchant's to say."""
    _check(call, name)
    raise Refused(
        400, "read_only_feed", "The goods of this feed are the shop's own; they are not changed from outside."
    )


def _check(call: Call, name: str) -> None:
    if name != feed_id(call.channel):
        raise Refused(404, "feed_not_found", "Feed not found", param="id")


feeds = agents(POST=create_feed)
feed = agents(GET=show_feed)
feed_products = agents(GET=show_products, PATCH=change_products)
