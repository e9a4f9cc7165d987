"""What the pages say of an empty house, of a running one, and of names that try to be more than names."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from finalmarket.analytics.rollup import restate_all
from finalmarket.catalog.models import Product
from finalmarket.kernel import clock
from finalmarket.orders.intake import take
from tests.console.reading import read, told, words
from tests.orders.market import NOON, Market, draft, line

TEACHES = {
    "overview": "A channel is a place where you sell",
    "orders": "finalmarket import orders FILE",
    "stock": "add a channel first",
    "alerts": "An alert opens when",
    "channels": "A channel is a place where you sell",
    "bulk": "You see what would change before anything does",
}


@pytest.mark.parametrize(("page", "lesson"), TEACHES.items())
def test_an_empty_house_teaches_what_to_do_next(operator: Client, page: str, lesson: str) -> None:
    assert lesson in read(operator, reverse(f"console:{page}"))


def test_the_overview_counts_orders_and_revenue_by_channel(market: Market, operator: Client) -> None:
    market.goods("TEA", warehouse=10)
    with clock.steered(NOON):
        take(draft(market.web, "w1", line("TEA", 2, "10.00")))
        take(draft(market.web, "w2", line("TEA", 1, "12.50")))
        take(draft(market.bazaar, "b1", line("TEA", 1, "10.00")))
        restate_all(5)
        seen = words(operator.get(reverse("console:overview")))
    assert "Orders today 3 €42.50" in seen
    assert "Web shop Web shop Active 2 €32.50 2 €32.50 0" in seen


def test_an_order_with_a_problem_is_named_on_the_overview(market: Market, operator: Client) -> None:
    take(draft(market.bazaar, "b1", line("NOBODY-KNOWS")))
    seen = read(operator, reverse("console:overview"))
    assert "Orders that need a person" in seen
    assert "unknown SKU" in seen


def test_a_title_that_is_a_script_stays_text(market: Market, operator: Client) -> None:
    market.product = Product.objects.create(title="<script>alert(1)</script>", slug="script")
    variant = market.goods("X-1", warehouse=3)
    market.web.add_product(market.product)
    order = take(draft(market.web, "<img src=x onerror=alert(2)>", line("X-1", title="<b>bold</b>"))).order
    for address in (
        reverse("console:stock"),
        reverse("console:sku", args=[variant.pk]),
        reverse("console:channel", args=[market.web.pk]),
        reverse("console:order", args=[order.pk]),
        reverse("console:explain", args=[variant.pk, market.web.pk]),
    ):
        page = operator.get(address).content
        assert b"<script>alert" not in page
        assert b"<img src=x" not in page
        assert b"<b>bold" not in page


def test_our_pages_bring_no_script_of_their_own_inline(market: Market, operator: Client) -> None:
    market.goods("TEA", warehouse=5)
    market.web.add_product(market.product)
    for name in ("overview", "orders", "stock", "alerts", "channels", "bulk"):
        own = operator.get(reverse(f"console:{name}")).content.decode().split('<div class="fm-page">')[-1]
        own = own.split('<dialog id="fm-panel"')[0]
        assert "<script>" not in own
        assert " onclick=" not in own
        assert "style=" not in own


def test_a_channel_is_paused_for_a_reason_and_sells_again(market: Market, operator: Client) -> None:
    address = reverse("console:pause", args=[market.web.pk])
    answer = operator.post(address, {"reason": "stock take"}, follow=True)
    assert "is paused" in told(answer)[0]
    assert "stock take" in words(answer)
    operator.post(address, {"resume": "1"})
    market.web.refresh_from_db()
    assert not market.web.is_paused


def test_a_channel_shows_what_its_listings_sold(market: Market, operator: Client) -> None:
    market.goods("TEA", warehouse=10)
    market.web.add_product(market.product, price_override=Decimal("9.50"))
    with clock.steered(NOON):
        take(draft(market.web, "w1", line("TEA", 3, "9.50")))
        seen = words(operator.get(reverse("console:channel", args=[market.web.pk])))
    assert "TEA Things €9.50 yes Sold here only 3 €28.50 0" in seen.replace("Change waits", "Sold here only")


@pytest.mark.parametrize(("address", "status"), [("/orders/999999999/", 404), ("/nowhere/", 404)])
def test_what_is_not_there_says_so_and_leads_back(operator: Client, address: str, status: int) -> None:
    answer = operator.get(address)
    assert answer.status_code == status
    assert "To the overview" in words(answer)
