"""The merchant's own shops: the web shops, the app and the kiosk are open, with payments that move no money."""

from __future__ import annotations

from finalmarket.access import shop_keys
from finalmarket.demo.merchant import House
from finalmarket.journeys import write_keys

OPEN = {
    "web": {"delivery_fee": "4.90", "free_delivery_from": "50"},
    "app": {"delivery_fee": "4.90", "free_delivery_from": "50"},
    "kiosk": {},
    "usa": {"delivery_fee": "6.90"},
}
BY = "demo"
ACCOUNTS = "shop"
"""Whose accounts the user ids of all these shops are."""


def open_shops(house: House) -> None:
    """Make the keys of the shops, and set them to be tried. Their pages tell of carts by themselves."""
    for key, terms in OPEN.items():
        channel = house.channels[key]
        channel.configuration = {**channel.configuration, **terms, "test_payments": True, "cart_events": False}
        channel.clean()
        channel.save(update_fields=["configuration", "updated_at"])
        shop_keys.create(channel, actor=BY)
        write_keys.open_key(channel, actor=BY, space=ACCOUNTS)
