"""The stand-in as the mutations see it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from finalmarket.sandbox.platforms.shopify.shop import Shop, Thing
from finalmarket.sandbox.platforms.shopify.views import View


class House(Protocol):
    """The stand-in, as mutations see it."""

    state: Shop

    def now(self) -> datetime: ...
    def effect(self, name: str, **facts: Any) -> None: ...
    def tell_stock(self, item: Thing, location: str) -> None: ...
    def tell_product(self, product: Thing) -> None: ...
    def tell_order(self, topic: str, order: Thing) -> None: ...
    def tell_refund(self, order: Thing, refund: Thing) -> None: ...
    def tell_customer(self, topic: str, customer: Thing) -> None: ...


def wrong(message: str, *field: object, code: str | None = None) -> View:
    """A user error."""
    return {"field": [str(part) for part in field] or None, "message": message, "code": code}
