"""Channel 7, e-mail: somebody writes what they want; a mail service posts the message, a clerk looks at what was read,
chooses what was uncertain, and confirms."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx2
import pytest
from django.contrib.auth.models import User

from finalmarket.access import roles
from finalmarket.catalog.models import Product, Variant
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys.models import JourneyTouchpoint
from finalmarket.orders.mailed import doors
from finalmarket.orders.models import OrderRequest
from tests.doors.browser import PHONE, playwright
from tests.doors.counter import House, opened_house
from tests.doors.shopfront import grave
from tests.doors.stories import assert_one_sale, stand
from tests.orders.mailed.letters import letter

TEXT = """Hello,

please send me 2 TEA and
one of the blue coats.

Kind regards,
Ann

On Mon, 4 May 2026 at 12:00, Shop <orders@shop.example> wrote:
> we have 9 x TEA for you
"""


@pytest.fixture
def house(committed_database: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """The mail room with a browser before it; there are blue coats in two sizes, too."""
    with opened_house(monkeypatch) as opened:
        coat = Product.objects.create(title="Blue coat", slug="coat")
        for size in ("M", "L"):
            made = opened.market.goods(f"COAT-{size}", price="50.00", warehouse=5)
            Variant.objects.filter(pk=made.pk).update(product=coat, title=size)
        opened.mail.add_product(coat)
        yield opened


def _deliver(house: House, raw: bytes) -> list[int]:
    """A mail service posts the message as SendGrid's Inbound Parse does, whole, and once more because it may."""
    secret = doors.open_door(house.mail, actor="olga")
    body = b'--xYzZY\r\nContent-Disposition: form-data; name="email"\r\n\r\n' + raw + b"\r\n--xYzZY--\r\n"
    return [
        httpx2.post(
            f"{house.address}/inbound/mail/{secret}/", content=body,
            headers={"Content-Type": "multipart/form-data; boundary=xYzZY"}, trust_env=False, timeout=300,
        ).json()["request"]
        for _ in range(2)
    ]  # fmt: skip


def test_an_order_by_mail(house: House) -> None:
    before = stand(house.mail, "TEA")
    first, again = _deliver(house, letter(TEXT, html="<p>the same in colours</p>", subject="Tea & a coat"))
    assert first == again == OrderRequest.objects.get().pk
    page, expect = house.clerk(roles.SUPPORT), playwright.expect
    page.goto(f"{house.address}/mails/")
    page.get_by_role("link", name="Tea & a coat").click()
    expect(page.get_by_text("1 to be settled")).to_be_visible()
    expect(page.get_by_text("several goods are called that")).to_be_visible()
    assert "9 x TEA" in page.locator(".fm-written").inner_text()  # it is shown, and was not read as a wish
    assert grave(page) == []
    page.get_by_label("Of blue coats").select_option(label="COAT-L Blue coat (L)")
    page.get_by_role("button", name="Note it").click()
    expect(page.get_by_role("button", name="Confirm the order")).to_be_visible()
    for name, words in {"street": "Lindenweg 4", "postcode": "20095", "city": "Hamburg"}.items():
        page.fill(f"#to-{name}", words)
    page.get_by_role("button", name="Confirm the order").dblclick()
    expect(page.get_by_role("link", name=re.compile("^Order MAI"))).to_be_visible()
    others = {"COAT-L": 1}
    order = assert_one_sale(house.mail, "TEA", 2, before=before, customer="ann@example.com", others=others)
    assert order.shipping_address["city"] == "Hamburg"
    assert OmnichannelCustomer.objects.get().name == "Ann Lee"
    steps = JourneyTouchpoint.objects.filter(journey__order=order).values_list("action", flat=True)
    assert list(steps) == ["checkout_start"]
    assert house.complaints == []


def test_the_mail_room_fits_a_phone_and_rejects_what_is_no_order(house: House) -> None:
    _deliver(house, letter("Buy cheap watches: 100 x WATCH", sender="Spam <spam@spam.example>", subject="Hi"))
    page = house.clerk(roles.SUPPORT, PHONE)
    page.goto(f"{house.address}/mails/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("link", name="Hi").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert grave(page) == []
    page.fill("#reason", "advertising")
    page.get_by_role("button", name="Reject it").click()
    playwright.expect(page.get_by_text("no order comes of it")).to_be_visible()
    request = OrderRequest.objects.get()
    assert (request.state, request.order, request.decided_by) == ("rejected", None, User.objects.get().username)
    assert house.complaints == []
