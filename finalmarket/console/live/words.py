"""What can be heard: topics, and the rights that each needs. No word holds data of a person: a topic and ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CHANNEL = "finalmarket_live"
MOST_IDS = 200

TOPICS: Mapping[str, str] = {
    "orders": "orders.view_order",
    "stock": "stock.view_channelinventory|stock.view_stockitem",
    "alerts": "stock.view_stockalert",
    "papers": "stock.view_transfer|stock.view_stockcount",
    "figures": "analytics.view_channelanalytics|orders.view_order",
    "integrations": "integrations.view_channelintegration",
    "journeys": "journeys.view_crosschanneljourney",
    "customers": "customers.view_omnichannelcustomer|analytics.view_channelanalytics",
    "drafts": "orders.view_order",
    "bulk": "channels.change_channelproduct",
    "notices": "stock.view_stockalert|integrations.view_channelintegration|analytics.view_channelanalytics",
}

Ids = frozenset[int] | None
"""Which records of a topic changed; None: more than can be named."""


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that was heard."""

    topic: str
    ids: Ids


def read(payload: str) -> Word | None:
    """Read a payload of triggers.sql, such as "orders:17,18" or "figures"; None for what is no word of ours."""
    topic, _, named = payload.partition(":")
    if topic not in TOPICS:
        return None
    keys = named.split(",") if named else []
    if not all(key.isascii() and key.isdigit() for key in keys):
        return None
    return Word(topic, frozenset(map(int, keys)) if keys else None)


def together(one: Ids, other: Ids) -> Ids:
    """Return the ids of both, or None when those are more than MOST_IDS."""
    if one is None or other is None or len(one | other) > MOST_IDS:
        return None
    return one | other
