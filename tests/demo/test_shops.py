"""The demo's shops are open."""

from __future__ import annotations

import pytest
from django.test import Client

from finalmarket.access import shop_keys
from finalmarket.demo import merchant, shops


@pytest.mark.django_db
def test_the_shops_of_the_demo_are_open_and_take_payments_for_trying() -> None:
    house = merchant.build()
    shops.open_shops(house)
    for address in ("/shop/web-shop/", "/app/mobile-app/", "/kiosk/kiosk-at-the-garden-show/", "/shop/web-shop-usa/"):
        assert Client().get(address).status_code == 200, address
    assert Client().get("/shop/store-berlin/").status_code == 404
    key = shop_keys.working(house.channels["web"])
    assert key is not None
    shop = Client().get("/api/shop/v1/shop", headers={"X-Shop-Key": key.key}).json()
    assert shop["ways_to_pay"] == ["test", "store"]
    assert [one["name"] for one in shop["stores"]] == ["Store Berlin"]
    assert shop["tracking_key"].startswith("wk_")
