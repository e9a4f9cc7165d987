"""A house with a tea in two places, for tests of stock over the REST API."""

from __future__ import annotations

from typing import Any

from finalmarket.channels.models import SalesChannel
from finalmarket.stock.models import StockItem, StockLocation
from tests.api.calling import Program
from tests.api.conftest import House
from tests.stock.shelves import new_place, new_variant, put


class Shop:
    """A house with a tea of which fifty lie in the warehouse and ten in the store."""

    def __init__(self, house: House) -> None:
        self.web, self.till = house.web, house.till
        self.tea = new_variant("TEA-100")
        self.warehouse, self.store = new_place("warehouse"), new_place("store", kind="store")
        put(self.tea, self.warehouse, 50)
        put(self.tea, self.store, 10)
        for channel in (self.web, self.till):
            channel.add_product(self.tea.product, price_override=None)
        self.program = Program("stock:read", "stock:write")

    def wish(self, quantity: int, channel: SalesChannel | None = None, **more: Any) -> dict[str, Any]:
        """A wish for tea."""
        return {"channel": (channel or self.web).pk, "lines": [{"sku": "TEA-100", "quantity": quantity}], **more}

    def on_hand(self, place: StockLocation) -> int:
        """What is on hand there."""
        return StockItem.objects.get(variant=self.tea, location=place).on_hand
