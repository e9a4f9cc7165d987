"""Moments and amounts as Square writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from finalmarket.connectors.money import from_minor
from finalmarket.connectors.records import ZERO, Raw


def moment(text: str) -> datetime:
    """A moment as Square writes it, in UTC. Raises ValueError."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def stamp(at: datetime) -> str:
    """A moment to the millisecond, always equally long, so that the greater text is the later moment."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def changed_at(raw: Raw) -> str:
    """When an order, customer or refund last changed, as a stamp. Orders of the till carry no version number, so this
    is their version."""
    return stamp(moment(raw.get("updated_at") or raw["created_at"]))


def money(raw: Raw | None) -> Decimal:
    """An amount; nothing where there is none."""
    if not raw or raw.get("amount") is None:
        return ZERO
    return from_minor(raw["amount"], raw["currency"])
