"""Publishable keys and paired devices."""

from __future__ import annotations

from datetime import timedelta

import pytest

from finalmarket.access import shop_devices, shop_keys
from finalmarket.access.shop_models import ShopDevice
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError

pytestmark = pytest.mark.django_db


def _channel(kind: str) -> SalesChannel:
    return SalesChannel.objects.create(name=kind, channel_type=kind)


@pytest.mark.parametrize(
    ("channel_type", "kind"), [("web", "web"), ("mobile", "app"), ("kiosk", "device"), ("social", "web")]
)
def test_a_key_is_of_the_kind_of_its_channel(channel_type: str, kind: str) -> None:
    channel = _channel(channel_type)
    made = shop_keys.create(channel)
    found = shop_keys.find(made.key)
    assert made.kind == kind and found is not None and found.sales_channel == channel


def test_a_key_that_was_ended_is_nobodys() -> None:
    channel = _channel("web")
    first, second = shop_keys.create(channel), shop_keys.create(channel)
    shop_keys.end(second.pk)
    assert shop_keys.find(second.key) is None
    assert shop_keys.working(channel) == first
    assert shop_keys.working(channel, "device") is None
    with pytest.raises(UserError):
        shop_keys.end(first.pk + 1000)


@pytest.mark.parametrize(
    "shown", ["", "pk_", "pk_nobody-has-this-one", "fm_0123456789ab_x", "pk_\x00aaaaaaaaaaaa", "é" * 30]
)
def test_what_is_no_key_is_not_found(shown: str) -> None:
    assert shop_keys.find(shown) is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://shop.example", "https://shop.example"), ("HTTPS://Shop.Example:443/", "https://shop.example"),
        ("http://localhost:8080", "http://localhost:8080"), ("http://[::1]:80", "http://[::1]"),
    ],
)  # fmt: skip
def test_origins_are_kept_as_browsers_send_them(given: str, kept: str) -> None:
    assert shop_keys.create(_channel("web"), origins=[given]).origins == [kept]


@pytest.mark.parametrize(
    "given",
    ["", "*", "null", "shop.example", "ftp://shop.example", "https://a@shop.example", "https://shop.example/x",
     "https://shop.example:99999", "https://"],
)  # fmt: skip
def test_what_is_no_origin_is_refused(given: str) -> None:
    with pytest.raises(UserError, match="an origin is"):
        shop_keys.create(_channel("web"), origins=[given])


def test_a_device_is_paired_once_by_its_code() -> None:
    kiosk = _channel("kiosk")
    device, code = shop_devices.open_pairing(kiosk, "At the door", location_id=7)
    paired, token = shop_devices.pair(kiosk, f" {code.lower()} ")
    assert paired == device
    found = shop_devices.find(kiosk, token)
    assert found is not None and found.location_id == 7
    with pytest.raises(UserError, match="not right"):
        shop_devices.pair(kiosk, code)
    row = ShopDevice.objects.get()
    assert token not in (row.token_digest, row.code_digest)


def test_a_code_ends_and_a_new_one_puts_another_browser_in_the_place_of_the_first() -> None:
    kiosk = _channel("kiosk")
    with clock.steered() as time:
        device, code = shop_devices.open_pairing(kiosk, "At the door")
        time.advance(timedelta(minutes=15, seconds=1))
        with pytest.raises(UserError):
            shop_devices.pair(kiosk, code)
        assert shop_devices.state_of(ShopDevice.objects.get()) == "code too old"
        _, first = shop_devices.pair(kiosk, shop_devices.new_code(device.pk)[1])
        _, second = shop_devices.pair(kiosk, shop_devices.new_code(device.pk)[1])
    assert shop_devices.find(kiosk, first) is None
    assert shop_devices.find(kiosk, second) == device


def test_a_device_that_was_ended_is_let_in_no_more() -> None:
    kiosk, other = _channel("kiosk"), SalesChannel.objects.create(name="Other", channel_type="kiosk")
    device, code = shop_devices.open_pairing(kiosk, "At the door")
    with pytest.raises(UserError):
        shop_devices.pair(other, code)
    _, token = shop_devices.pair(kiosk, code)
    assert shop_devices.find(other, token) is None
    shop_devices.end(device.pk)
    assert shop_devices.find(kiosk, token) is None
    with pytest.raises(UserError, match="was ended"):
        shop_devices.new_code(device.pk)


def test_only_kiosks_have_devices() -> None:
    with pytest.raises(UserError, match="no kiosk"):
        shop_devices.open_pairing(_channel("web"), "Laptop")
