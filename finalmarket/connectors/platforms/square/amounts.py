"""Moments and amounts as Square writes them."""

from __future__ import annotations

from decimal import Decimal

from finalmarket.connectors.moments import to_millisecond, utc
from finalmarket.connectors.money import from_minor
from finalmarket.connectors.records import ZERO, Raw


def changed_at(raw: Raw) -> str:
    """When an order, customer or refund last changed, as a stamp. Orders of the till carry no version number, so this
    is their version."""
    return to_millisecond(utc(raw.get("updated_at") or raw["created_at"]))


def money(raw: Raw | None) -> Decimal:
    """An amount; nothing where there is none."""
    if not raw or raw.get("amount") is None:
        return ZERO
    return from_minor(raw["amount"], raw["currency"])
