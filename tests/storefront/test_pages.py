"""Pages of shops: what they may load, what they say, and that nothing of a merchant's words is run."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from finalmarket import __version__
from finalmarket.access import shop_keys
from finalmarket.catalog.models import Category, Product, ProductImage, Variant, VariantPrice
from finalmarket.channels.models import SalesChannel
from tests.orders.market import Market, open_market

pytestmark = pytest.mark.django_db
EVIL = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
PAGES = ("", "p/things/", "cart/", "checkout/", "order/", "account/", "offline/")


@pytest.fixture
def market() -> Market:
    """A web shop with a key, with tea."""
    opened = open_market()
    opened.goods("TEA", price="4.50", warehouse=40)
    opened.web.add_product(opened.product)
    shop_keys.create(opened.web)
    return opened


def _more(market: Market, number: int) -> None:
    product = Product.objects.create(title=f"Cup {number}", slug=f"cup-{number}")
    variant = Variant.objects.create(product=product, sku=f"CUP-{number}")
    VariantPrice.objects.create(variant=variant, currency="EUR", amount="3.00")
    market.web.add_product(product)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_runs_no_script_of_its_own_text_and_loads_nothing_from_elsewhere(market: Market, page: str) -> None:
    answer = Client().get(f"/shop/web-shop/{page}")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy and "unsafe" not in policy
    html = answer.content.decode()
    assert not re.search(r"\son[a-z]+=|\sstyle=|javascript:", html)
    for script in re.findall(r"<script([^>]*)>", html):
        assert 'src="/static/' in script or 'type="application/json"' in script
    assert not answer.cookies  # a page is the same for everybody


def test_words_of_the_merchant_are_words(market: Market) -> None:
    Product.objects.update(title=EVIL, description=EVIL, brand=EVIL)
    Variant.objects.update(title=EVIL)
    ProductImage.objects.create(product=market.product, url='https://x/"><script>alert(1)</script>', alt_text=EVIL)
    SalesChannel.objects.filter(pk=market.web.pk).update(name=EVIL[:200])
    for page in ("", "?q=" + EVIL, "p/things/"):
        html = Client().get(f"/shop/web-shop/{page}").content.decode()
        assert "<script>alert" not in html and "<img src=x" not in html, page


def test_how_many_goods_are_shown_does_not_say_how_much_is_asked(market: Market) -> None:
    with CaptureQueriesContext(connection) as few:
        assert Client().get("/shop/web-shop/").status_code == 200
    for number in range(8):
        _more(market, number)
    with CaptureQueriesContext(connection) as many:
        html = Client().get("/shop/web-shop/").content.decode()
    assert "Cup 7" in html
    assert len(many) == len(few)


def test_goods_come_in_pages_without_a_script(market: Market) -> None:
    for number in range(30):
        _more(market, number)
    seen: list[str] = []
    address = "/shop/web-shop/?q=cup"
    while address:
        html = Client().get(address).content.decode()
        seen += re.findall(r"/shop/web-shop/p/([\w-]+)/", html)
        more = re.search(r'href="(\?[^"]*after=\d+)"', html)
        address = "/shop/web-shop/" + more[1].replace("&amp;", "&") if more else ""
    assert seen == [f"cup-{number}" for number in range(30)]


def test_categories_lead_down_and_back(market: Market) -> None:
    drinks = Category.objects.create(name="Drinks", slug="drinks")
    teas = Category.objects.create(name="Teas", slug="teas", parent=drinks)
    Product.objects.update(category=teas)
    first = Client().get("/shop/web-shop/").content.decode()
    assert f"?category={drinks.pk}" in first and f"?category={teas.pk}" not in first
    below = Client().get(f"/shop/web-shop/?category={drinks.pk}").content.decode()
    assert f"?category={teas.pk}" in below and "Things" in below
    for nonsense in ("x", "-1", "9" * 30, str(teas.pk + 999)):
        assert Client().get(f"/shop/web-shop/?category={nonsense}&after={nonsense}").status_code == 200


def test_a_shop_that_is_closed_or_unknown_is_not_there(market: Market) -> None:
    assert Client().get("/shop/web-shop/p/nothing/").status_code == 404
    assert Client().post("/shop/web-shop/").status_code == 405
    SalesChannel.objects.filter(pk=market.web.pk).update(status="inactive")
    assert Client().get("/shop/web-shop/").status_code == 404


def test_the_shell_of_an_app_is_kept_for_this_version_alone(market: Market) -> None:
    shop_keys.create(market.web, kind="app")
    answer = Client().get("/app/web-shop/worker.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert f'const VERSION = "{__version__}"' in answer.content.decode()
