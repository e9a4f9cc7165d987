"""The console before a real browser: one filled database, one browser and one live stream for all tests of a file."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections

from finalmarket.access import roles
from finalmarket.analytics import segments
from finalmarket.analytics.rollup import restate_all
from finalmarket.console import file_work
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.persons import settle
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.kernel import clock
from finalmarket.kernel.database import owner_database
from finalmarket.kernel.sql import connection_options
from finalmarket.orders import cart as carts
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order
from finalmarket.stock import counts, ledger, transfers
from tests.doors.browser import LAPTOP, PATIENCE_MS, opened_browser, served
from tests.doors.house import free_port
from tests.journeys.walks import walk
from tests.orders.market import Market, draft, line, open_market

PASSWORD = "open sesame 1"
OPEN_SECONDS, LOOK_SECONDS = 60, 0.05


def fill() -> Market:
    """A merchant with something on every page: goods, orders, people, a journey, an account, an alert."""
    market = open_market()
    market.goods("TEA", price="4.50", warehouse=40, north=10)
    market.goods("SUGAR", price="2.00", warehouse=3)
    for channel in (market.web, market.bazaar):
        channel.add_product(market.product, price_override=Decimal("4.80"))
    for number, channel in enumerate((market.web, market.web, market.bazaar)):
        order(market, channel, f"order-{number}", email=f"anna{number}@example.com")
    ledger.adjust(market.variants["SUGAR"].pk, market.warehouse.pk, -2, reason="fell down", actor="test")
    visitor = OmnichannelCustomer.objects.create(name="Ben")
    walk(visitor, [(market.web, "product_view", 0), (market.bazaar, "checkout_start", 9)], began=clock.now())
    cart = carts.open_cart(market.web, customer_id=visitor.pk)
    carts.add(cart.token, market.variants["SUGAR"].pk, 1)
    for name in ("Ann", "Bob"):
        resolve(Contact(name=name, email=f"{name.lower()}@example.com"))
    settle()
    ChannelIntegration.objects.create(platform_name="EasyPost", integration_type="carrier", account_label="parcels")
    if os.environ.get("FINALMARKET_PICTURES") == "1":
        _busy_month(market)
    tea = market.variants["TEA"].pk
    sent = transfers.draft(market.warehouse.pk, market.north.pk, [(tea, 5)], reference="for the window")
    transfers.ship(sent.pk, actor="test")
    counts.record(counts.start(market.north.pk, note="the shelf at the door").pk, tea, 9)
    prices = b"sku,currency,price\nTEA,EUR,4.90\nTEE,EUR,1.00\n"
    file_work.carry_out(
        file_work.ask_import("prices", "prices.csv", prices, channel_id=None, actor="test").pk, applies=False
    )
    restate_all(30 if os.environ.get("FINALMARKET_PICTURES") == "1" else 2)
    segments.restate()
    owner = User.objects.create_user("olga", password=PASSWORD, is_staff=True)
    roles.assign(owner, "owner")
    return market


def _busy_month(market: Market) -> None:
    """Four weeks of orders on three channels: for pictures that show something."""
    dice = random.Random(7)
    for sku, price in (("COFFEE", "7.20"), ("COCOA", "5.90"), ("CUP", "9.50"), ("POT", "34.00"), ("TRAY", "18.00")):
        market.goods(sku, price=price, warehouse=dice.randrange(60, 200), north=dice.randrange(5, 30))
    for channel in (market.web, market.bazaar, market.till):
        channel.add_product(market.product)
    shares = (market.web,) * 5 + (market.bazaar,) * 3 + (market.till,) * 2
    for number in range(160):
        sku = dice.choice([sku for sku in market.variants if sku not in ("TEA", "SUGAR")])
        amount = str(market.variants[sku].prices.get(currency="EUR").amount)
        wanted = draft(
            dice.choice(shares), f"past-{number}", line(sku, dice.choice((1, 1, 2)), amount),
            email=f"buyer{dice.randrange(60)}@example.com",
        )  # fmt: skip
        take(replace(wanted, placed_at=clock.now() - timedelta(minutes=dice.randrange(28 * 1440))))


def order(market: Market, channel: Any, external_id: str, **given: Any) -> Order:
    """An order of two teas, placed now by the verb that every door calls."""
    wanted = draft(channel, external_id, line("TEA", 2, "4.80"), **given)
    return take(replace(wanted, placed_at=clock.now())).order


@contextmanager
def live_stream(database: str) -> Iterator[int]:
    """The process of the live stream on the database of the tests, as `serve` starts it; yields its port."""
    port = free_port()
    ours = {**connections["default"].settings_dict, "NAME": database}
    theirs = {**owner_database(), "NAME": database}
    told = {
        "DATABASE_URL": psycopg.conninfo.make_conninfo(**connection_options(ours)),
        "DATABASE_MIGRATE_URL": psycopg.conninfo.make_conninfo(**connection_options(theirs)),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "finalmarket.cli.live", "127.0.0.1", str(port)], env={**os.environ, **told}
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", process)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until the address answers, or the process ends, whatever comes first."""
    end = time.monotonic() + OPEN_SECONDS
    while not _answers(address):
        assert time.monotonic() < end, f"nobody answers at {address}"
        with suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"the live stream ended with {process.wait(LOOK_SECONDS)} before it began")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


@dataclass
class Console:
    """The console at an address, and a browser in which the owner is logged in."""

    market: Market
    address: str
    browser: Any
    state: Any
    complaints: list[str] = field(default_factory=list)

    @contextmanager
    def page(self, **given: Any) -> Iterator[Any]:
        """A page of a new window, logged in. Whatever the browser complains of is gathered in `complaints`."""
        window = self.browser.new_context(**{"storage_state": self.state, "viewport": LAPTOP, **given})
        page = window.new_page()
        page.set_default_timeout(PATIENCE_MS)
        self.listen(page)
        try:
            yield page
        finally:
            window.close()

    def listen(self, page: Any) -> None:
        """Gather what the browser complains of: errors and warnings of scripts, of the policy, of the server."""
        said = self.complaints
        page.on("console", lambda one: said.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("response", lambda got: said.append(f"{got.status} {got.url}") if got.status >= 400 else None)


@contextmanager
def console(database: str) -> Iterator[Console]:
    """Everything there is: within it the console is served, and somebody is logged in."""
    market = fill()
    with served() as address, _with_live(database, address), opened_browser() as browser:
        found = Console(market, address, browser, None)
        window = browser.new_context(viewport=LAPTOP)
        page = window.new_page()
        page.set_default_timeout(PATIENCE_MS)
        found.listen(page)
        page.goto(f"{address}/")
        page.fill("#id_username", "olga")
        page.fill("#id_password", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_selector("text=Orders today")
        found.state = window.storage_state()
        window.close()
        assert found.complaints == [], "the log-in"
        yield found


@contextmanager
def _with_live(database: str, address: str) -> Iterator[None]:
    web_port = address.rpartition(":")[2]
    before, known = settings.LIVE, os.environ.get("FINALMARKET_WEB_PORT")
    os.environ["FINALMARKET_WEB_PORT"] = web_port
    try:
        with live_stream(database) as port:
            settings.LIVE = f":{port}"
            yield
    finally:
        settings.LIVE = before
        os.environ.pop("FINALMARKET_WEB_PORT")
        if known is not None:
            os.environ["FINALMARKET_WEB_PORT"] = known
