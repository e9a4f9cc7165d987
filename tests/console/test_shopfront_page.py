"""The page of a channel's shop: its publishable keys, and its kiosks."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client
from django.urls import reverse

from finalmarket.access import shop_devices
from finalmarket.access.models import ShopDevice, ShopKey
from finalmarket.channels.models import SalesChannel
from finalmarket.cli import run
from finalmarket.stock.models import StockLocation
from tests.console.reading import read


def _do(operator: Client, channel: SalesChannel, verb: str, **form: Any) -> str:
    address = reverse("console:change_shopfront", args=[channel.pk, verb])
    return operator.post(address, form, follow=True).content.decode()


def test_a_channel_has_a_shop_as_long_as_a_key_works(db: None, operator: Client) -> None:
    web = SalesChannel.objects.create(name="Web", channel_type="web")
    page = reverse("console:shopfront", args=[web.pk])
    assert "no shop of its own yet" in read(operator, page)
    assert "/shop/web/" not in operator.get(reverse("console:channel", args=[web.pk])).content.decode()
    assert "An origin is one such as" in _do(operator, web, "open", kind="web", origins="shop.example")
    _do(operator, web, "open", kind="web", origins="https://shop.example https://www.shop.example")
    key = ShopKey.objects.get()
    assert key.origins == ["https://shop.example", "https://www.shop.example"]
    assert key.key in operator.get(page).content.decode()
    assert 'href="/shop/web/"' in operator.get(reverse("console:channel", args=[web.pk])).content.decode()
    assert operator.get("/shop/web/").status_code == 200
    _do(operator, web, "end", key=key.pk)
    assert operator.get("/shop/web/").status_code == 404


def test_a_code_for_a_kiosk_is_shown_once(db: None, operator: Client) -> None:
    kiosk = SalesChannel.objects.create(name="Kiosk", channel_type="kiosk")
    north = StockLocation.objects.create(code="north", name="North")
    shown = _do(operator, kiosk, "pair", name="At the door", place=north.pk)
    code = re.search(r'<code id="made">([\w-]+)</code>', shown)
    assert code is not None
    assert code[1] not in operator.get(reverse("console:shopfront", args=[kiosk.pk])).content.decode()
    device, token = shop_devices.pair(kiosk, code[1])
    assert device.location_id == north.pk
    assert "North" in read(operator, reverse("console:shopfront", args=[kiosk.pk]))
    assert 'id="made"' in _do(operator, kiosk, "code", device=device.pk)
    _do(operator, kiosk, "end-device", device=device.pk)
    assert shop_devices.find(kiosk, token) is None
    assert ShopDevice.objects.get().ended_at is not None


def test_what_makes_no_sense_is_refused(db: None, operator: Client) -> None:
    web = SalesChannel.objects.create(name="Web", channel_type="web")
    assert "is no kiosk" in _do(operator, web, "pair", name="Laptop")
    assert "cannot be told to dance" in _do(operator, web, "dance")
    assert "Choose one from the list" in _do(operator, web, "end", key="x")
    assert not ShopDevice.objects.exists()


def test_keys_are_made_on_the_command_line_too(db: None, capsys: Any) -> None:
    SalesChannel.objects.create(name="Web", channel_type="web")
    kiosk = SalesChannel.objects.create(name="Kiosk", channel_type="kiosk")
    assert run(["shopkey", "create", "web", "--origin", "https://shop.example"]) == 0
    key = ShopKey.objects.get()
    assert key.key in capsys.readouterr().out
    assert run(["shopkey", "pair", str(kiosk.pk), "At the door"]) == 0
    code = re.search(r"[A-Z2-9]{4}-[A-Z2-9]{4}", capsys.readouterr().out)
    assert code is not None and shop_devices.pair(kiosk, code[0])
    assert run(["shopkey", "list"]) == 0
    listed = capsys.readouterr().out
    assert "https://shop.example" in listed and "paired" in listed
    assert run(["shopkey", "end", str(key.pk)]) == 0
    assert run(["shopkey", "end-device", str(ShopDevice.objects.get().pk)]) == 0
    assert run(["shopkey", "create", "nobody"]) == 2
