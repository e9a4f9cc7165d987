"""The inbox of mails that ask for goods: read, corrected, confirmed and rejected on a page."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.orders.mailed.message import read as read_message
from finalmarket.orders.mailed.requests import take_in
from finalmarket.orders.models import MailDoor, Order, OrderRequest
from tests.console.reading import read, told, words
from tests.orders.mailed.letters import letter
from tests.orders.market import Market

HOME = {"delivery": "send", "name": "Ann", "street": "Lindenweg 4", "postcode": "20095", "city": "Hamburg"}


@pytest.fixture
def post(market: Market) -> SalesChannel:
    market.goods("TEA", price="4.50", warehouse=10)
    market.goods("COAT-M", price="50.00", warehouse=5)
    market.goods("COAT-L", price="50.00", warehouse=1)
    channel = SalesChannel.objects.create(name="Mail", channel_type="email", country="DE")
    channel.add_product(market.product)
    return channel


def _take(post: SalesChannel, text: str, **given: Any) -> OrderRequest:
    return take_in(post, read_message(letter(text, **given)))[0]


def _do(operator: Client, mail: OrderRequest, verb: str, **given: Any) -> list[str]:
    return told(operator.post(f"/mails/{mail.pk}/{verb}", given, follow=True))


def test_a_mail_is_looked_at_corrected_and_ordered_once(post: SalesChannel, market: Market, operator: Client) -> None:
    mail = _take(post, "Hello,\n2 x TEA\n3 x COAT-M or COAT-L\n<script>alert(1)</script>", subject="Coats & tea")
    assert "Coats & tea" in read(operator, "/mails/")
    page = operator.get(f"/mails/{mail.pk}/")
    assert "<script>alert" not in page.content.decode()
    assert "1 to be settled" in words(page)
    assert "several SKUs are named" in words(page)
    assert "Confirm the order" not in words(page)
    tea, coat = mail.lines.order_by("position")
    form: dict[str, Any] = {f"units-{tea.pk}": 2, f"variant-{tea.pk}": market.variants["TEA"].pk}
    form |= {f"units-{coat.pk}": 3, f"sku-{coat.pk}": "coat-m", "add-sku": "COAT-L", "add-units": 1}
    assert _do(operator, mail, "correct", **form) == ["Noted."]
    page = operator.get(f"/mails/{mail.pk}/")
    agreed = re.search(r'name="agreed" value="([^"]+)"', page.content.decode())
    assert agreed is not None
    assert Decimal(agreed[1]) == Decimal(209)
    confirmed = {**HOME, "email": "ann@example.com", "agreed": agreed[1], "shipping": "3.90"}
    for _ in range(2):
        assert _do(operator, mail, "confirm", **confirmed) == [f"Order {Order.objects.get().number} is placed."]
    order = Order.objects.get()
    assert (order.total, order.sales_channel, order.shipping_address["city"]) == (Decimal("212.90"), post, "Hamburg")
    assert order.number in read(operator, f"/mails/{mail.pk}/")
    assert "No mail waits" in read(operator, "/mails/")
    assert order.number in read(operator, "/mails/?state=confirmed")


def test_a_sender_who_is_not_proved_is_pointed_at_and_the_customer_is_chosen(
    post: SalesChannel, operator: Client
) -> None:  # fmt: skip
    ann = resolve(Contact(name="Ann Lee", email="ann@example.com"))
    assert ann is not None
    mail = _take(post, "2 x TEA", headers=(("Authentication-Results", "mx; spf=fail"),))
    page = words(operator.get(f"/mails/{mail.pk}/"))
    assert "may not be who they say" in page
    assert "spf=fail" in read(operator, "/mails/")
    chosen = operator.get(f"/mails/{mail.pk}/", {"customer": ann.pk})
    assert "Ann Lee ann@example.com" in words(chosen)
    _do(operator, mail, "confirm", **HOME, customer=ann.pk)
    assert Order.objects.get().customer == ann


def test_what_cannot_be_meant_is_said(post: SalesChannel, operator: Client) -> None:
    mail = _take(post, "2 x TEA")
    line = mail.lines.get()
    for typed, said in (("nothing-like-it", "names nothing"), ("COAT", "may be 2 things")):
        (refusal,) = _do(operator, mail, "correct", **{f"units-{line.pk}": 1, f"sku-{line.pk}": typed})
        assert said in refusal
    (refusal,) = _do(operator, mail, "correct", **{f"units-{line.pk}": "many"})
    assert "no number of units" in refusal
    (refusal,) = _do(operator, mail, "confirm", delivery="send", name="Ann")
    assert "rest of the address" in refusal


def test_a_mail_is_rejected_with_a_reason(post: SalesChannel, operator: Client) -> None:
    mail = _take(post, "2 x TEA")
    assert _do(operator, mail, "reject", reason="is spam") == ["It is rejected; no order comes of it."]
    assert "Rejected: is spam" in read(operator, f"/mails/{mail.pk}/")


def test_an_address_is_shown_once_and_opens_until_it_is_closed(post: SalesChannel, operator: Client) -> None:
    page = operator.post(f"/mails/doors/{post.pk}/open")
    address = re.search(r'value="(http://testserver/inbound/mail/[\w-]{43}/)"', page.content.decode())
    assert address is not None
    assert "inbound/mail" not in operator.get("/mails/").content.decode()
    outside = Client(enforce_csrf_checks=True)
    assert outside.post(address[1], letter("2 x TEA"), content_type="message/rfc822").status_code == 200
    assert "An order" in read(operator, "/mails/")
    operator.post(f"/mails/doors/{post.pk}/open", {"close": "1"})
    assert outside.post(address[1], letter("2 x TEA"), content_type="message/rfc822").status_code == 404
    assert not MailDoor.objects.exists()


def test_many_mails_and_lines_take_as_many_queries_as_few(post: SalesChannel, operator: Client) -> None:
    def count(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            read(operator, address)
        return len(captured)

    first = _take(post, "2 x TEA\n1 x COAT-M or COAT-L")
    few = count("/mails/"), count(f"/mails/{first.pk}/")
    for number in range(5):
        long = _take(post, "2 x TEA\n1 x COAT-M or COAT-L\n3 x COAT-M\n5 x nothing\n" * 3, number=f"n{number}")
    assert (count("/mails/"), count(f"/mails/{long.pk}/")) == few


def test_who_may_not_take_orders_sees_no_mails_and_who_may_not_open_doors_sees_none(
    post: SalesChannel, newcomer: Client
) -> None:  # fmt: skip
    mail = _take(post, "2 x TEA")
    assert newcomer.get("/mails/").status_code == 403
    assert newcomer.get(f"/mails/{mail.pk}/").status_code == 403
    clerk = User.objects.create_user("carl", password="open sesame 3", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["add_order", "view_omnichannelcustomer"]))
    client = Client()
    client.force_login(clerk)
    assert "Where mail comes in" not in read(client, "/mails/")
    assert client.post(f"/mails/doors/{post.pk}/open").status_code == 403
