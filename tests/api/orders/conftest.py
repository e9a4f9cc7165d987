"""A house that sells tea, for the tests of orders over the REST API."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from finalmarket.catalog.models import VariantPrice
from finalmarket.channels.models import SalesChannel
from tests.api.calling import Program, told
from tests.api.conftest import House
from tests.orders.market import broken_laws
from tests.stock.shelves import new_place, new_variant, put


class Shop:
    """A house that sells tea for five euro, of which ten lie in the north and four in the south."""

    def __init__(self, house: House) -> None:
        self.web, self.till, self.ann = house.web, house.till, house.ann
        self.tea, self.cup = new_variant("TEA-100"), new_variant("CUP-1")
        self.north, self.south = new_place("north", priority=1), new_place("south", priority=2)
        put(self.tea, self.north, 10)
        put(self.tea, self.south, 4)
        put(self.cup, self.south, 5)
        for variant in (self.tea, self.cup):
            VariantPrice.objects.create(variant=variant, currency="EUR", amount=Decimal("5.00"))
            self.web.add_product(variant.product)
        self.program = Program("orders:read", "orders:write")

    def said(self, quantity: int = 2, channel: SalesChannel | None = None, **more: Any) -> dict[str, Any]:
        """An order of tea."""
        return {
            "channel": (channel or self.web).pk, "email": "ann@example.com", "lines": [
                {"sku": "TEA-100", "quantity": quantity}
            ], **more,
        }  # fmt: skip

    def placed(self, quantity: int = 2, **more: Any) -> dict[str, Any]:
        """An order of tea that was placed, paid in full by card."""
        paid = [{"tender": "card", "amount": f"{5 * quantity}.00", "external_id": "pi_1"}]
        order: dict[str, Any] = told(
            self.program.post("/orders", self.said(quantity, **{"payments": paid, **more})), 201
        )
        return order


@pytest.fixture
def shop(house: House) -> Shop:
    return Shop(house)


@pytest.fixture(autouse=True)
def _books_agree(request: pytest.FixtureRequest) -> Any:
    yield
    if "shop" in request.fixturenames:
        assert broken_laws() == []
