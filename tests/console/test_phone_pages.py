"""The screen of the call centre: found or created, held, ordered, and ended."""

from __future__ import annotations

import re
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations.privacy import erase
from finalmarket.journeys.models import ChannelInteraction
from finalmarket.orders import cart as carts
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order, PhoneCall
from tests.console.reading import read, told, words
from tests.orders.market import Market, draft, line

ADDRESS = {"name": "Ann Lee", "street": "Lindenweg 4", "postcode": "20095", "city": "Hamburg", "country": "DE"}


@pytest.fixture
def hotline(market: Market) -> SalesChannel:
    market.goods("TEA", price="4.50", warehouse=10, north=5)
    channel = SalesChannel.objects.create(name="Hotline", channel_type="phone", country="DE")
    for one in (channel, market.web):
        one.add_product(market.product)
    return channel


def _begin(operator: Client, hotline: SalesChannel, **given: str) -> str:
    token = str(uuid.uuid4())
    form = {"token": token, "channel": hotline.pk, "direction": "inbound", **given}
    for _ in range(2):  # the form is sent twice
        answer = operator.post("/phone/begin", form)
    assert PhoneCall.objects.filter(token=token).count() == 1
    operator.get(answer["Location"])  # and reads that it has begun
    return str(answer["Location"])


def _do(operator: Client, page: str, verb: str, **given: Any) -> list[str]:
    return told(operator.post(f"{page}do/{verb}", given, follow=True))


def _ann() -> OmnichannelCustomer:
    found = resolve(Contact(name="Ann Lee", email="ann@example.com", phone="+4940123456"))
    assert found is not None
    return found


@pytest.mark.parametrize("text", ["Ann", "ann@example.com", "040 / 12 34 56", "+49 40 123456", "0049 40 123456", "W-1"])
def test_a_caller_is_found_by_whatever_they_say(
    hotline: SalesChannel, market: Market, operator: Client, text: str
) -> None:
    ann = _ann()
    Order.objects.filter(pk=take(draft(market.web, "1", line("TEA"), email="ann@example.com")).order.pk).update(
        number="W-1"
    )
    page = _begin(operator, hotline)
    assert "Ann Lee ann@example.com +4940123456 · 1 order" in words(operator.get(page, {"q": text}))
    assert _do(operator, page, "is", customer=ann.pk) == ["Noted who is on the phone."]
    seen = read(operator, page)
    assert "Order W-1" in seen
    assert "They have not bought yet" not in seen


def test_the_number_that_called_finds_them_by_itself(hotline: SalesChannel, operator: Client) -> None:
    _ann()
    assert "Ann Lee" in read(operator, _begin(operator, hotline, number="040123456"))


def test_somebody_new_is_created_and_somebody_known_is_not_created_twice(
    hotline: SalesChannel, operator: Client
) -> None:  # fmt: skip
    page = _begin(operator, hotline)
    (refusal,) = _do(operator, page, "make", name="Ben", phone="12", email="")
    assert "known by it" in refusal
    _do(operator, page, "make", name="Ben", phone="040 765432", email="")
    ben = OmnichannelCustomer.objects.get(name="Ben")
    assert ben.phone == "+4940765432"
    _do(operator, _begin(operator, hotline), "make", name="Benjamin", phone="+49 40 765432", email="")
    assert PhoneCall.objects.filter(customer=ben).count() == 2


def test_somebody_who_was_erased_and_calls_again_is_somebody_new(hotline: SalesChannel, operator: Client) -> None:
    ann = _ann()
    erase.erase(ann.pk, actor="olga", at_once=True)
    _do(operator, _begin(operator, hotline), "make", name="Ann Lee", phone="", email="ann@example.com")
    assert PhoneCall.objects.get().customer_id not in (None, ann.pk)


def test_an_order_is_built_held_and_placed_once(hotline: SalesChannel, market: Market, operator: Client) -> None:
    page, tea = _begin(operator, hotline), market.variants["TEA"]
    _do(operator, page, "is", customer=_ann().pk)
    found = words(operator.get(page, {"goods": "tea"}))
    assert "€4.50" in found
    assert "15 there" in found
    assert _do(operator, page, "want", variant=tea.pk, units="3") == ["It is held for the caller."]
    shown = operator.get(page, {"goods": "TEA"})
    assert "held until" in words(shown)
    assert "12 there" in words(shown)
    agreed = re.search(r'name="agreed" value="([^"]+)"', shown.content.decode())
    assert agreed is not None
    form = {
        **ADDRESS, "delivery": "send", "payment": "later", "agreed": agreed[1], "email": "ann@example.com",
        "shipping": "3.90", "discount": "1.50", "why": "it is her birthday",
    }  # fmt: skip
    for _ in range(2):
        assert _do(operator, page, "place", **form) == [f"Order {Order.objects.get().number} is placed."]
    order = Order.objects.get()
    assert (order.total, order.shipping_address["city"]) == (Decimal("15.90"), "Hamburg")
    assert order.number in read(operator, page)


def test_half_an_address_is_asked_for_again_and_a_store_needs_none(
    hotline: SalesChannel, market: Market, operator: Client
) -> None:  # fmt: skip
    market.north.can_hand_over = True
    market.north.save()
    page = _begin(operator, hotline)
    _do(operator, page, "is", customer=_ann().pk)
    _do(operator, page, "want", variant=market.variants["TEA"].pk, units="2")
    assert _do(operator, page, "place", delivery="send", payment="later", name="Ann") == [
        "Ask for the rest of the address: street, postcode, city."
    ]
    _do(operator, page, "place", delivery=market.north.pk, payment="pickup")
    order = Order.objects.get()
    assert order.pickup.location == market.north
    assert order.pickup.name == "Ann Lee"
    assert "paid when it is collected" in " ".join(order.events.values_list("text", flat=True))


def test_what_lies_in_their_web_cart_is_seen_and_taken_into_the_order(
    hotline: SalesChannel, market: Market, operator: Client
) -> None:  # fmt: skip
    ann, page = _ann(), _begin(operator, hotline)
    web = carts.open_cart(market.web, customer_id=ann.pk)
    carts.add(web.token, market.variants["TEA"].pk, 2)
    _do(operator, page, "is", customer=ann.pk)
    assert "In their cart 2 × TEA Things · Web shop" in read(operator, page)


def test_a_call_ends_in_the_history_of_its_customer(hotline: SalesChannel, operator: Client) -> None:
    page = _begin(operator, hotline)
    _do(operator, page, "is", customer=_ann().pk)
    _do(operator, page, "end", note="wants <b>tea</b>\nnext week")
    assert ChannelInteraction.objects.get().context["note"] == "wants <b>tea</b>\nnext week"
    answer = operator.get(page)
    assert "<b>tea</b>" not in answer.content.decode()
    assert "Place the order" not in words(answer)


def test_many_goods_and_entries_take_as_many_queries_as_few(
    hotline: SalesChannel, market: Market, operator: Client
) -> None:  # fmt: skip
    def count(page: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            operator.get(page, {"goods": "T"})
        return len(captured)

    page = _begin(operator, hotline)
    _do(operator, page, "is", customer=_ann().pk)
    _do(operator, page, "want", variant=market.variants["TEA"].pk, units="1")
    take(draft(market.web, "first", line("TEA"), email="ann@example.com"))
    few = count(page)
    for number in range(3):
        sku = f"T{number}"
        market.goods(sku, warehouse=3)
        take(draft(market.web, sku, line("TEA"), email="ann@example.com"))
    hotline.add_product(market.product)
    for number in range(3):
        _do(operator, page, "want", variant=market.variants[f"T{number}"].pk, units="1")
    assert count(page) == few


def test_whoever_may_see_no_customers_takes_no_calls(hotline: SalesChannel) -> None:
    clerk = User.objects.create_user("carl", password="open sesame 3", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="add_order"))
    client = Client()
    client.force_login(clerk)
    assert client.get("/phone/").status_code == 403
    assert client.post("/phone/begin", {"channel": hotline.pk}).status_code == 403
