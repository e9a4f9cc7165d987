"""Clerks in a real browser: call centre, mail room and the counter of a store, each with the rights of its role."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from finalmarket.access import roles
from finalmarket.channels.models import SalesChannel
from tests.doors.browser import LAPTOP, PATIENCE_MS, opened_browser, served
from tests.orders.market import Market, open_market

PASSWORD = "open sesame 1"


@dataclass
class House:
    """A market with a phone and an e-mail channel, served, and a browser before it."""

    market: Market
    phone: SalesChannel
    mail: SalesChannel
    address: str = ""
    browser: Any = None
    complaints: list[str] = field(default_factory=list)

    def page(self, size: dict[str, int] = LAPTOP) -> Any:
        """Somebody else's browser, whose complaints are noted."""
        context = self.browser.new_context(viewport=size)
        context.set_default_timeout(PATIENCE_MS)
        opened, note = context.new_page(), self.complaints.append
        opened.on("console", lambda said: note(said.text) if said.type in ("error", "warning") else None)
        opened.on("pageerror", lambda error: note(str(error)))
        opened.on("response", lambda got: note(f"{got.status} {got.url}") if got.status >= 400 else None)
        opened.on("dialog", lambda asked: asked.accept())
        return opened

    def clerk(self, role: roles.Role, size: dict[str, int] = LAPTOP) -> Any:
        """Somebody with a role, logged in."""
        roles.write_roles()
        name = f"{role.key}-{User.objects.count()}"
        user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
        user.groups.add(Group.objects.get(name=role.name))
        page = self.page(size)
        page.goto(f"{self.address}/admin/login/")
        page.fill("#id_username", name)
        page.fill("#id_password", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url(lambda url: "login" not in url)
        return page


@contextmanager
def opened_house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """Thirty tea in the warehouse and ten in the store in the north, where goods are collected."""
    market = furnished()
    make = SalesChannel.objects.create
    house = House(
        market, make(name="Hotline", channel_type="phone", country="DE"),
        make(name="Mail", channel_type="email", country="DE"),
    )  # fmt: skip
    for channel in (house.phone, house.mail):
        channel.add_product(market.product)
    with served() as house.address, opened_browser() as house.browser:
        yield house


def furnished() -> Market:
    """A market with tea in the warehouse and in the north store, sold on the web, too."""
    market = open_market()
    market.north.can_hand_over, market.north.city = True, "Hamburg"
    market.north.save()
    market.product.title = "Morning tea"
    market.product.save()
    market.goods("TEA", price="4.50", warehouse=30, north=10)
    market.web.add_product(market.product)
    return market
