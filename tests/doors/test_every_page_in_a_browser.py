"""Every page of the console in a real browser: nothing is complained of, everybody can use it, and it stays up to date.

The pages are read from the console's own addresses. FINALMARKET_PICTURES=1 writes pictures of the main ones to
docs/pictures; FINALMARKET_EVERY_SCHEME=1 has every page judged in light and in dark, not by turns.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Count
from django.urls import URLPattern, reverse

from finalmarket.access.models import Work
from finalmarket.analytics.incremental import restate_marked
from finalmarket.analytics.models import Segment
from finalmarket.console import urls
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.orders import refunds
from finalmarket.orders.models import Order
from finalmarket.sandbox.platforms.easypost import EasyPost
from finalmarket.sandbox.wire import served as sandboxed
from finalmarket.sandbox.world import World
from finalmarket.stock.models import StockCount, Transfer
from tests.doors.browser import LAPTOP, PHONE, playwright
from tests.doors.console_house import Console, console, order
from tests.orders.market import Market

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
STICKS_OUT = """[...document.querySelectorAll(".fm-page *")]
    .filter((one) => one.getBoundingClientRect().right > window.innerWidth && !one.closest(".fm-scroll"))
    .slice(0, 3).map((one) => one.outerHTML.slice(0, 120))"""
# No page is turned, and none holds a frame: what axe would fetch for those rules it need not.
JUDGED = """axe.run({resultTypes: ["violations"], preload: false, iframes: false}).then(
    (found) => found.violations.map((one) => [one.id, one.impact, one.nodes[0].html]))"""
GRAVE = ("serious", "critical")
Find = Callable[[Market], tuple[object, ...]]

# What a page that is about one record is opened with.
ABOUT: dict[str, Find] = {
    "order": lambda market: (Order.objects.earliest("pk").pk,),
    "sku": lambda market: (market.variants["TEA"].pk,),
    "explain": lambda market: (market.variants["TEA"].pk, market.web.pk),
    "work": lambda market: (Work.objects.earliest("pk").pk,),
    "transfer": lambda market: (Transfer.objects.earliest("pk").pk,),
    "count": lambda market: (StockCount.objects.earliest("pk").pk,),
    "channel": lambda market: (market.web.pk,),
    "tracking": lambda market: (market.web.pk,),
    "shopfront": lambda market: (market.web.pk,),
    "agents": lambda market: (market.web.pk,),
    "journey": lambda market: (CrossChannelJourney.objects.earliest("pk").pk,),
    "segment": lambda market: (Segment.objects.earliest("pk").pk,),
    "customer": lambda market: (_person("Ann"),),
    "customer_advice": lambda market: (_person("Ann"),),
    "one_person": lambda market: (_person("Ann"),),
    "merge_preview": lambda market: (_person("Ann"), _person("Bob")),
    "privacy": lambda market: (_person("Ann"),),
    "erase_person": lambda market: (_person("Ann"),),
    "integration": lambda market: (ChannelIntegration.objects.earliest("pk").pk,),
    "links": lambda market: (ChannelIntegration.objects.earliest("pk").pk,),
    "to_publish": lambda market: (ChannelIntegration.objects.earliest("pk").pk,),
    "store": lambda market: ("north",),
    "pick_list": lambda market: ("north",),
    "store_return": lambda market: ("north", Order.objects.earliest("pk").pk),
}
# What is no page, or cannot be opened without something that this house has not: why not.
NOT_OPENED = {
    "figures_csv": "a file",
    "report_file": "a file",
    "export_person": "a file",
    "work_file": "a file",
    "authorized": "people come back to it from a platform",
    "dry_run": "asks the platform, of which there is none behind this account",
    "rates": "asks the carrier, of which there is none behind this parcel",
    "welcome": "by a link that works once: test_who_is_invited_comes_in_by_the_link",
    "webhook": "no webhook is open in this house",
    "call": "no call is under way in this house: tests of the phone",
    "voice": "of voice channels alone: tests of the voice",
    "mail_request": "nobody has written to this house: tests of mail orders",
}
PICTURED = {"overview": "overview", "stock": "stock-matrix", "integrations": "integrations", "order": "order",
            "customer": "customer", "paths": "journeys", "analytics": "figures"}  # fmt: skip


def _person(name: str) -> int:
    return OmnichannelCustomer.objects.get(name=name).pk


def _pages(market: Market) -> dict[str, str]:
    """The addresses of all pages that can be looked at, by name."""
    found = {}
    for pattern in urls.urlpatterns:
        assert isinstance(pattern, URLPattern)
        name, view = str(pattern.name), pattern.callback
        if name in NOT_OPENED or not getattr(view, "is_looked_at", True):
            continue
        needs = len(pattern.pattern.converters)
        if needs and name not in ABOUT:
            pytest.fail(f"the page {name} is about a record: say in ABOUT about which, or in NOT_OPENED why not")
        found[name] = reverse(f"console:{name}", args=ABOUT[name](market) if needs else ())
    return found


@pytest.fixture(scope="module")
def house(test_database: Any, django_db_blocker: Any) -> Iterator[Console]:
    """The console, filled, and a browser; for all tests of this file."""
    with django_db_blocker.unblock():
        test_database.renew()
        try:
            with console(test_database.name) as found:
                yield found
        finally:
            test_database.renew()


@pytest.fixture
def quiet(house: Console) -> Iterator[Console]:
    """The console; afterwards the browser has complained of nothing."""
    house.complaints.clear()
    yield house
    assert house.complaints == []


def _grave(page: Any) -> list[str]:
    """What axe finds that shuts somebody out."""
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    page.evaluate(Axe().axe_script)
    return [f"{rule}: {html[:160]}" for rule, impact, html in page.evaluate(JUDGED) if impact in GRAVE]


def _too_wide(page: Any) -> list[str]:
    """What sticks out of the window, once charts have taken its size."""
    fits = "document.documentElement.scrollWidth <= window.innerWidth"
    try:
        page.wait_for_function(fits, timeout=3_000)
    except playwright.Error:
        return [f"{page.evaluate(STICKS_OUT)} stick out on a phone"]
    return []


def test_every_page_opens_is_open_to_everybody_and_fits_a_phone(house: Console) -> None:
    wrong: dict[str, list[str]] = {}
    both = os.environ.get("FINALMARKET_EVERY_SCHEME") == "1"
    with house.page() as page:
        for number, (name, address) in enumerate(_pages(house.market).items()):
            house.complaints.clear()
            page.set_viewport_size(LAPTOP)
            page.emulate_media(color_scheme="dark" if number % 2 else "light")
            page.goto(f"{house.address}{address}")
            found = [*house.complaints, *_grave(page)]
            if both:
                page.emulate_media(color_scheme="light" if number % 2 else "dark")
                found += _grave(page)
            page.set_viewport_size(PHONE)
            found += _too_wide(page)
            if found:
                wrong[name] = found
    assert not wrong, "\n".join(f"{name}: {one}" for name, found in wrong.items() for one in found)


def test_pages_of_records_keep_to_the_policy(quiet: Console) -> None:
    kinds = ("orders_order", "catalog_product", "stock_channelinventory", "channels_saleschannel", "auth_user")
    with quiet.page() as page:
        for kind in kinds:
            page.goto(f"{quiet.address}{reverse(f'admin:{kind}_changelist')}")
            page.locator("#result_list a").first.click()
            page.wait_for_load_state()
        page.goto(f"{quiet.address}{reverse('admin:catalog_product_add')}")


@pytest.mark.skipif(os.environ.get("FINALMARKET_PICTURES") != "1", reason="FINALMARKET_PICTURES=1 writes the pictures")
def test_pictures_of_the_main_pages_are_written(house: Console) -> None:
    bought_most = Order.objects.values_list("customer").annotate(orders=Count("pk")).order_by("-orders")[0][0]
    addresses = _pages(house.market) | {"customer": reverse("console:customer", args=[bought_most])}
    with house.page() as page:
        for name, picture in PICTURED.items():
            page.goto(f"{house.address}{addresses[name]}")
            page.screenshot(path=PICTURES / f"{picture}.png")
    assert {f"{picture}.png" for picture in PICTURED.values()} <= {path.name for path in PICTURES.iterdir()}


def test_an_order_appears_on_open_pages_without_reload(quiet: Console) -> None:
    expect = playwright.expect
    with quiet.page() as page:
        page.goto(f"{quiet.address}/orders/")
        expect(page.locator("#fm-live")).to_have_text("Live")
        page.evaluate("window.sameDocument = true")
        made = order(quiet.market, quiet.market.web, "while-you-watch", email="carla@example.com")
        expect(page.get_by_role("link", name=made.number)).to_be_visible()
        assert page.evaluate("window.sameDocument") is True


def test_stock_changes_in_the_matrix_without_reload(quiet: Console) -> None:
    expect = playwright.expect
    with quiet.page() as page:
        page.goto(f"{quiet.address}/stock/?q=SUGAR")
        expect(page.locator("#fm-live")).to_have_text("Live")
        row = page.locator("tr", has_text="SUGAR").first
        before = int(row.locator("td").first.inner_text())
        quiet.market.receive(quiet.market.variants["SUGAR"], 7, quiet.market.north)
        expect(row.locator("td").first).to_have_text(str(before + 7))


def test_a_channel_its_figures_and_a_customer_change_without_reload(quiet: Console) -> None:
    expect, web = playwright.expect, quiet.market.web
    ann = OmnichannelCustomer.objects.get(name="Ann")
    restate_marked()  # what was ordered before
    with quiet.page() as channel:
        figures, person = channel.context.new_page(), channel.context.new_page()
        pages = {channel: f"/channels/{web.pk}/", figures: "/analytics/", person: f"/customers/{ann.pk}/"}
        for page, address in pages.items():
            if page is not channel:
                quiet.listen(page)
            page.goto(f"{quiet.address}{address}")
            expect(page.locator("#fm-live")).to_have_text("Live")
            page.evaluate("window.sameDocument = true")
        today = channel.locator("#tiles .fm-stat", has_text="Orders today").locator("p")
        all_orders = figures.locator("#figures-part .fm-stat", has_text="Orders").locator("p")
        before = int(today.inner_text()), int(all_orders.inner_text())
        order(quiet.market, web, "on-three-pages", email="finn@example.com")
        restate_marked()
        ann.track_interaction(web, "wishlist_add", device="mobile")
        expect(today).to_have_text(str(before[0] + 1))
        expect(all_orders).to_have_text(str(before[1] + 1))
        expect(person.locator("#timeline")).to_contain_text("Put on the wishlist")
        assert all(page.evaluate("window.sameDocument") is True for page in pages)


def test_the_page_can_be_told_to_stand_still(quiet: Console) -> None:
    expect = playwright.expect
    with quiet.page() as page:
        page.goto(f"{quiet.address}/orders/")
        sign = page.locator("#fm-live")
        expect(sign).to_have_text("Live")
        sign.click()
        expect(sign).to_have_text("Stopped")
        made = order(quiet.market, quiet.market.web, "unseen", email="dora@example.com")
        sign.click()
        expect(page.get_by_role("link", name=made.number)).to_be_visible()


def test_who_opened_something_or_stands_on_a_button_is_not_thrown_out_by_news(quiet: Console) -> None:
    expect = playwright.expect
    made = order(quiet.market, quiet.market.web, "kept-open", email="gina@example.com")
    with quiet.page() as page:
        page.goto(f"{quiet.address}/orders/{made.pk}/")
        expect(page.locator("#fm-live")).to_have_text("Live")
        parcels, money = page.locator("#parcels-part"), page.locator("#money-part")
        parcels.get_by_text("Send a part, the rest later").click()
        parcels.evaluate("part => { part.dataset.seen = 'before' }")
        refunds.refund(made.pk, Decimal(1), key="1", reason="the first time", actor="test")
        expect(money).to_contain_text("the first time")
        expect(parcels).not_to_have_attribute("data-seen", "before")
        expect(parcels.locator("details").first).to_have_attribute("open", "")
        button = parcels.get_by_role("button", name="Reject")
        parcels.get_by_label("The location says no").focus()
        page.keyboard.press("Tab")
        expect(button).to_be_focused()
        parcels.evaluate("part => { part.dataset.seen = 'before' }")
        refunds.refund(made.pk, Decimal(1), key="2", reason="the second time", actor="test")
        expect(money).to_contain_text("the second time")
        expect(button).to_be_focused()
        page.get_by_role("link", name="Orders", exact=True).first.focus()
        expect(parcels).not_to_have_attribute("data-seen", "before")


def test_two_tabs_share_one_line_to_the_hub(quiet: Console) -> None:
    expect = playwright.expect
    with quiet.page() as page:
        lines: list[str] = []
        page.context.on("request", lambda one: lines.append(one.url) if one.url.endswith("/live") else None)
        page.goto(f"{quiet.address}/orders/")
        expect(page.locator("#fm-live")).to_have_text("Live")
        other = page.context.new_page()
        other.goto(f"{quiet.address}/orders/")
        made = order(quiet.market, quiet.market.bazaar, "for-both", email="emma@example.com")
        for tab in (page, other):
            expect(tab.get_by_role("link", name=made.number)).to_be_visible()
        assert len(lines) == 1


def test_two_people_are_merged_and_unmerged_by_clicks(quiet: Console) -> None:
    expect = playwright.expect
    with quiet.page() as page:
        page.goto(f"{quiet.address}/customers/{_person('Ann')}/person/?with=bob@example.com")
        page.get_by_role("link", name="Bob").click()
        page.get_by_label("Why").fill("met at the counter")
        page.get_by_role("button", name="They are one person").click()
        expect(page.get_by_text("They are one person now")).to_be_visible()
        profiles = page.get_by_role("region", name="Profiles of this person")
        profiles.get_by_label(f"Choose {_person('Bob')}").check()
        page.get_by_role("button", name="The chosen ones are somebody else").click()
        expect(page.get_by_text("two persons again")).to_be_visible()


def test_an_account_is_added_and_connected_by_clicks(quiet: Console) -> None:
    expect, carrier = playwright.expect, EasyPost(World())
    with sandboxed(carrier) as (outside,), quiet.page() as page:
        page.goto(f"{quiet.address}/integrations/")
        page.get_by_label("Platform", exact=True).select_option(label="EasyPost")
        page.get_by_label("Name of the account").fill("by clicks")
        page.get_by_role("button", name="Go on").click()
        for name, secret in carrier.credentials().items():
            page.get_by_label(name.replace("_", " ").capitalize()).first.fill(secret)
        page.get_by_label("Stand-in address").fill(outside)
        page.get_by_role("button", name="Check and keep").click()
        expect(page.get_by_text("Connected: the platform knows us as")).to_be_visible()
    assert ChannelIntegration.objects.get(account_label="by clicks").status == "active"


def test_who_is_invited_comes_in_by_the_link(quiet: Console) -> None:
    expect = playwright.expect
    with quiet.page() as page:
        page.goto(f"{quiet.address}/settings/users/")
        page.get_by_label("Name to log in with").fill("sam")
        page.locator("select#role").select_option(label="Store staff")
        page.locator("select#place").select_option(label="North store")
        page.get_by_role("button", name="Invite").click()
        link = page.locator(".fm-note code").inner_text()
    with quiet.page(storage_state=None) as guest:
        guest.goto(link)
        for box in ("#id_new_password1", "#id_new_password2"):
            guest.fill(box, "nine lives of a cat")
        guest.get_by_role("button", name="Keep it").click()
        guest.fill("#id_username", "sam")
        guest.fill("#id_password", "nine lives of a cat")
        guest.click("button[type=submit]")
        expect(guest).to_have_url(f"{quiet.address}/store/north/")
        expect(guest.get_by_role("link", name="Customers", exact=True)).to_have_count(0)
