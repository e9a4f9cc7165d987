"""The addresses, scopes and paces of eBay's APIs, and what its answers have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from finalmarket.connectors.http import Http
from finalmarket.connectors.rates import Rate

HOST = "https://api.ebay.com"
IDENTITY_HOST = "https://apiz.ebay.com"
CONSENT = "https://auth.ebay.com/oauth2/authorize"
TOKEN = HOST + "/identity/v1/oauth2/token"
INVENTORY = "/sell/inventory/v1"
FULFILLMENT = "/sell/fulfillment/v1"
NOTIFICATION = "/commerce/notification/v1"
APPLICATION_SCOPE = "https://api.ebay.com/oauth/api_scope"
SCOPES = tuple(
    APPLICATION_SCOPE + name
    for name in (
        "", "/sell.inventory", "/sell.fulfillment", "/sell.finances", "/commerce.identity.readonly",
        "/commerce.notification.subscription",
    )
)  # fmt: skip
DAY_SECONDS = 86_400.0
BATCH = 25  # records of the bulk calls
# eBay counts calls by day and application, for each API. What one application may is read in its developer account.
ORDERS_RATE = Rate(100_000, per_seconds=DAY_SECONDS, burst=1_000)
RATES: Mapping[str, Rate] = {
    "inventory": Rate(2_000_000, per_seconds=DAY_SECONDS, burst=200),
    "notification": Rate(10_000, per_seconds=DAY_SECONDS, burst=100),
    "token": Rate(1_000, per_seconds=DAY_SECONDS, burst=20),
}
NOT_THERE = ("25702", "25710", "25713")  # the SKU, the record, the offer


@dataclass(frozen=True, slots=True)
class Shop:
    """The account as the sections call it."""

    http: Http
    marketplace: str
    language: str
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def locale(self) -> str:
        """The language as inventory items write it: de_DE."""
        return self.language.replace("-", "_")


def first_error(told: object) -> tuple[str, str]:
    """The id and the words of the first of these errors; "" and "" where there is none."""
    if not isinstance(told, list) or not told or not isinstance(told[0], dict):
        return "", ""
    error = told[0]
    parameters = error.get("parameters")
    named = [
        f"{one.get('name')}={one.get('value')}"
        for one in (parameters if isinstance(parameters, list) else [])
        if isinstance(one, dict)
    ]
    words = str(error.get("longMessage") or error.get("message") or "")
    return str(error.get("errorId") or "error"), f"{words} ({', '.join(named)})" if named else words


def amount(told: Any) -> Decimal:
    """The value of an Amount, zero where there is none. Raises ArithmeticError for what is no number."""
    return Decimal(str(told["value"])) if told and told.get("value") is not None else Decimal(0)


def money(value: Decimal, currency: str) -> dict[str, str]:
    """An Amount."""
    return {"value": str(value), "currency": currency}
