"""What may stand in the configuration of a channel, per type of channel."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError

EVERY_CHANNEL: dict[str, type] = {
    "hold_minutes": int, "order_prefix": str, "languages": list, "contact_email": str, "own_mails": bool,
    "cart_events": bool, "test_payments": bool, "delivery_fee": str, "free_delivery_from": str,
}  # fmt: skip
BY_TYPE: dict[str, dict[str, type]] = {
    "web": {"domain": str},
    "voice": {"skill_id": str},
    "kiosk": {"idle_seconds": int},
}
NOTES: dict[str, dict[str, type]] = {
    "web": {"checkout_url": str},
    "mobile": {"bundle_id": str, "platforms": list},
    "marketplace": {"marketplace_id": str, "seller_id": str},
    "social": {"page_id": str, "catalog_id": str},
    "store": {"address": str, "opening_hours": dict, "tills": int},
    "phone": {"number": str, "opening_hours": dict},
    "email": {"address": str},
    "chat": {"provider": str, "opening_hours": dict},
    "voice": {"assistant": str},
    "kiosk": {"location": str},
}
"""What people may note of a channel for each other. None of it changes anything that the house does."""
RETIRED = frozenset({"fulfilled_by_platform", "device_ids"})
"""Words that were taken once and looked like settings, and never changed anything."""
AMOUNTS = ("delivery_fee", "free_delivery_from")
AMOUNT = re.compile(r"[0-9]{1,7}([.][0-9]{1,3})?")
POSITIVE = ("hold_minutes", "tills", "idle_seconds")


def validate_configuration(channel_type: str, configuration: Any, stored: Collection[str] = ()) -> None:
    """Raise ValidationError naming the key that is unknown for the type of channel, or whose value is of a wrong kind.
    Words that are `stored` and not taken any more may stay.

    `hold_minutes` is how long a cart holds stock; `idle_seconds` after how long a kiosk forgets its customer;
    `own_mails` false forbids mails of ours to its buyers, as some marketplaces do; `cart_events` false says that the
    shop's own tracking tells of carts and wishes, so that they are not recorded a second time; `test_payments` true
    lets shoppers pay without money, for trying; `delivery_fee` is what sending goods costs, `free_delivery_from` for
    how much they are sent for nothing (amounts in the channel's currency, such as "4.90").
    """
    if not isinstance(configuration, dict):
        raise ValidationError({"configuration": "The configuration is an object of keys and values."})
    known = EVERY_CHANNEL | BY_TYPE.get(channel_type, {}) | NOTES.get(channel_type, {})
    for key, value in configuration.items():
        if key in RETIRED and key in stored:
            continue
        if key not in known:
            names = _names(channel_type)
            raise ValidationError({"configuration": f"A {channel_type} channel has no setting {key!r}, only {names}."})
        if not isinstance(value, known[key]) or (known[key] is int and isinstance(value, bool)):
            raise ValidationError({"configuration": f"{key!r} must be of type {known[key].__name__}, not {value!r}."})
        if key in AMOUNTS and not AMOUNT.fullmatch(str(value)):
            raise ValidationError({"configuration": f'{key!r} must be an amount such as "4.90", not {value!r}.'})
        if key in POSITIVE and isinstance(value, int) and value <= 0:
            raise ValidationError({"configuration": f"{key!r} must be above zero, not {value}."})


def _names(channel_type: str) -> str:
    """What may be said of a channel of this type: what acts before what does not."""
    acting = ", ".join(sorted(EVERY_CHANNEL | BY_TYPE.get(channel_type, {})))
    notes = ", ".join(sorted(NOTES.get(channel_type, {})))
    return f"{acting}; and as notes, which change nothing, {notes}" if notes else acting


def validate_time_zone(name: str) -> None:
    """Raise ValidationError unless `name` is a time zone of the IANA database, such as Europe/Berlin."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValidationError(f"{name!r} is no time zone of the IANA database, such as Europe/Berlin.") from error
