"""Shops in a real browser: the house served by threads as production serves it, Chromium before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from finalmarket.access import shop_keys
from finalmarket.channels.models import SalesChannel
from finalmarket.customers import sign_in
from finalmarket.customers.models import SignInCode
from finalmarket.journeys import write_keys
from tests.api.shop.shopper import code_of_newest_mail
from tests.doors.browser import LAPTOP, PATIENCE_MS, opened_browser, served
from tests.orders.market import Market, open_market


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
    with served() as made.address, opened_browser() as made.browser:
        yield made


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
