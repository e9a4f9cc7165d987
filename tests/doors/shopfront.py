"""Shops in a real browser: the house served by threads as production serves it, Chromium before it."""

from __future__ import annotations

import os
import shutil
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connections

from finalmarket.access import shop_keys
from finalmarket.channels.models import SalesChannel
from finalmarket.customers import sign_in
from finalmarket.customers.models import SignInCode
from finalmarket.journeys import write_keys
from tests.api.shop.shopper import code_of_newest_mail
from tests.orders.market import Market, open_market

playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: install the development packages")

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE_MS = 30_000
PHONE = {"width": 390, "height": 844}
LAPTOP = {"width": 1280, "height": 900}


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    """Closing it waits for every answer under way: none may reach the database of the next test."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 64


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what goes wrong is seen in the browser."""


_made: list[Any] = []


def _serve(environ: dict[str, Any], start_response: Any) -> Any:
    """Answer as production does; the thread that answered gives its database connection back."""
    if not _made:
        _made.append(get_wsgi_application())
    try:
        return list(_made[0](environ, start_response))
    finally:
        connections.close_all()


@contextmanager
def served() -> Iterator[str]:
    """Where the house is served."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.set_app(_serve)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Shopfront:
    """A market with a web shop, an app and a kiosk, and a browser before it. `complaints` is what the browser had to
    complain of."""

    market: Market
    web: SalesChannel
    app: SalesChannel
    kiosk: SalesChannel
    address: str = ""
    browser: Any = None
    complaints: list[str] = field(default_factory=list)

    def context(self, size: dict[str, int] = LAPTOP, **how: Any) -> Any:
        """Another browser, which knows nothing of the first."""
        made = self.browser.new_context(viewport=size, **how)
        made.set_default_timeout(PATIENCE_MS)
        return made

    def page(self, context: Any) -> Any:
        """A page whose complaints are noted."""
        opened = context.new_page()
        note = self.complaints.append
        opened.on("console", lambda said: note(said.text) if said.type in ("error", "warning") else None)
        opened.on("pageerror", lambda error: note(str(error)))
        opened.on("response", lambda got: note(f"{got.status} {got.url}") if got.status >= 400 else None)
        return opened


@contextmanager
def shopfront(settings: Any) -> Iterator[Shopfront]:
    """Set it up: forty units of tea, three of sugar; a store in the north where goods are collected."""
    chromium = os.environ.get("FINALMARKET_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        pytest.skip("no chromium: apt-get install chromium, or set FINALMARKET_CHROMIUM to a browser's path")
    # Playwright has a loop of its own in this thread; what Django guards against, two at one connection, is not done.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield from _opened(settings, chromium)


def _opened(settings: Any, chromium: str) -> Iterator[Shopfront]:
    settings.MAIL_IS_SET = True
    market = open_market()
    market.north.can_hand_over = True
    market.north.city = "Hamburg"
    market.north.save()
    market.product.title, market.product.description = "Morning tea", "Black, strong, from the hills."
    market.product.save()
    told = {"test_payments": True, "cart_events": False}
    market.web.configuration |= {**told, "delivery_fee": "4.90"}
    market.web.save()
    app = SalesChannel.objects.create(name="Shop app", channel_type="mobile", country="DE", configuration=told)
    kiosk = SalesChannel.objects.create(
        name="Kiosk North", channel_type="kiosk", country="DE", configuration={**told, "idle_seconds": 60}
    )
    market.goods("TEA", price="4.50", warehouse=30, north=10)
    market.goods("SUGAR", price="2.00", warehouse=1, north=2)
    for channel in (market.web, app, kiosk):
        channel.add_product(market.product)
        shop_keys.create(channel, calls_per_minute=6_000)
        write_keys.open_key(channel)
    made = Shopfront(market, market.web, app, kiosk)
    with served() as made.address, playwright.sync_playwright() as started:
        made.browser = started.chromium.launch(executable_path=chromium, args=FLAGS)
        yield made
        made.browser.close()
        connections.close_all()  # those of Playwright's loop, which nobody finds when it has ended


def told_all(page: Any) -> None:
    """Wait until the tracking client has told what it had to tell."""
    page.wait_for_function(
        "() => Object.keys(localStorage).every((one) => !one.endsWith(':told') || localStorage[one] === '[]')"
    )


def grave(page: Any) -> list[str]:
    """What axe-core finds that shuts somebody out."""
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:160]}"
        for one in violations
        if one["impact"] in ("serious", "critical")
    ]


def ready(page: Any, name: str) -> None:
    """Wait until the page's script has done what it does at first."""
    page.wait_for_selector(f"html[data-ready={name}]")


def sign_in_at(page: Any, email: str) -> None:
    """Sign in on the page of the account, by the code of the mail."""
    page.fill("#given", email)
    page.get_by_role("button", name="Mail me a code").click()
    page.get_by_role("heading", name="Look into your mail").wait_for()
    sign_in.mail_code(SignInCode.objects.order_by("-pk")[0].pk)
    page.fill("#given", code_of_newest_mail())
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Sign out").wait_for()


def fill_checkout(page: Any, email: str) -> None:
    """Say who buys, and where it goes."""
    page.fill("#name", "Ann Lee")
    page.fill("#email", email)
    page.fill("#street", "Hauptstr. 1")
    page.fill("#postcode", "10115")
    page.fill("#city", "Berlin")
