"""What every system of `make peers` sells: one hot SKU, a thousand to spread over, and last units to race for."""

from __future__ import annotations

import random
from typing import Any

PLENTY = 1_000_000
HOT = 0
SPREAD = range(1, 1_001)
LAST = range(1_001, 1_201)
"""One unit each: one race for each."""
ALL = range(1_201)
PRICE = "10.00"
CURRENCY = "EUR"
NAME = ("Ann", "Lee")
STREET, POSTCODE, CITY, COUNTRY = "Hauptstr. 1", "10115", "Berlin", "DE"


def units(number: int) -> int:
    """How many units of SKU `number` there are at the beginning."""
    return 1 if number in LAST else PLENTY


def sku(number: int) -> str:
    """What SKU `number` is called everywhere."""
    return f"SKU-{number}"


def email(number: int) -> str:
    """The address of buyer `number`: everybody is somebody else."""
    return f"buyer-{number}@example.com"


def wishes(spread: bool, count: int, seed: int) -> list[int]:
    """The SKUs that `count` buyers want: all the hot one, or each one of the thousand, the same for every system."""
    chance = random.Random(seed)
    return [chance.choice(SPREAD) if spread else HOT for _ in range(count)]


def catalogue() -> dict[str, Any]:
    """All that a peer's filler is told: stock by SKU, price, and where buyers live."""
    first, last = NAME
    where = {
        "first_name": first, "last_name": last, "street": STREET, "postcode": POSTCODE, "city": CITY,
        "country": COUNTRY,
    }  # fmt: skip
    stock = {sku(number): units(number) for number in ALL}
    return {"stock": stock, "price": PRICE, "currency": CURRENCY, "address": where}
