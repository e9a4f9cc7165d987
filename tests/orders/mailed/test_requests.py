"""A mail becomes a request, once; a person confirms it into an order, once."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finalmarket.catalog.models import Product, Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.journeys.models import ChannelInteraction
from finalmarket.kernel.errors import UserError
from finalmarket.orders import cart as carts
from finalmarket.orders.cart import Terms
from finalmarket.orders.drafts import OutOfStock
from finalmarket.orders.mailed import doors
from finalmarket.orders.mailed.message import read
from finalmarket.orders.mailed.requests import Chosen, Confirmed, confirm, correct, reject, take_in
from finalmarket.orders.models import Order, OrderRequest
from tests.orders.mailed.letters import letter
from tests.orders.market import Market, promised


@pytest.fixture
def post(market: Market) -> SalesChannel:
    """An e-mail channel that sells tea, coats in two sizes, and cups."""
    market.goods("TEA", warehouse=10)
    channel = SalesChannel.objects.create(name="Mail", channel_type="email", country="DE")
    for title, variants in (("Blue coat", {"COAT-M": "M", "COAT-L": "L"}), ("Green tea, loose", {"GT-1": ""})):
        product = Product.objects.create(title=title, slug=title.lower().replace(" ", "-").replace(",", ""))
        for sku, size in variants.items():
            made = market.goods(sku, price="50.00", warehouse=5)
            Variant.objects.filter(pk=made.pk).update(product=product, title=size)
        channel.add_product(product)
    channel.add_product(market.product)
    return channel


def _take(post: SalesChannel, text: str, **given: object) -> OrderRequest:
    return take_in(post, read(letter(text, **given)))[0]  # type: ignore[arg-type]


def _read(request: OrderRequest) -> list[tuple[int, str, str]]:
    """Units, SKU and certainty of each line; what is not chosen is shown by its candidates."""
    skus = dict(Variant.objects.values_list("pk", "sku"))
    return [
        (one.quantity, one.variant.sku if one.variant else "/".join(skus[pk] for pk in one.candidates), one.certainty)
        for one in request.lines.select_related("variant").order_by("position")
    ]


READ = {
    "3 x COAT-M": [(3, "COAT-M", "sure")],
    "coat-m: 3": [(3, "COAT-M", "sure")],
    "3 blue coats in size M": [(3, "COAT-M", "sure")],
    "two of the blue coat please": [(2, "COAT-M/COAT-L", "doubtful")],
    "please send one green tea": [(1, "GT-1", "doubtful")],
    "please send one loose green tea": [(1, "GT-1", "sure")],
    "5 x unobtainium": [(5, "", "unknown")],
    "2 x TEA or COAT-L": [(2, "TEA/COAT-L", "doubtful")],
    "- TEA\n- COAT-L": [(1, "TEA", "doubtful"), (1, "COAT-L", "doubtful")],
    "Could you tell me whether COAT-L is warm?": [(1, "COAT-L", "doubtful")],
    "I wrote two letters in May.": [],
}


@pytest.mark.parametrize("text", READ)
def test_what_is_named_exactly_is_read_and_what_is_not_waits_for_a_person(post: SalesChannel, text: str) -> None:
    assert _read(_take(post, text)) == READ[text]


def test_goods_are_known_by_their_barcode_and_by_their_title_beside_a_code_of_the_customers_own(
    post: SalesChannel,
) -> None:
    Variant.objects.filter(sku="TEA").update(barcode="4006381333931")
    assert _read(_take(post, "3 x 4006381333931"))[0][1:] == ("TEA", "sure")
    table = "code;title;qty\n77-1;Loose green tea;4"
    assert _read(_take(post, "see the list", csv=table, number="2")) == [(4, "GT-1", "sure")]


def test_the_same_message_makes_one_request_however_often_it_comes(post: SalesChannel) -> None:
    raw = letter("3 x TEA")
    first, again = take_in(post, read(raw)), take_in(post, read(raw))
    assert (first[1], again[1], first[0].pk) == (True, False, again[0].pk)
    assert _take(post, "3 x TEA", number="2").pk != first[0].pk


def test_a_sender_is_known_by_their_address_and_nobody_is_made_joined_or_believed_by_a_mail_alone(
    post: SalesChannel,
) -> None:
    ann = resolve(Contact(name="Ann", email="ann@example.com"))
    assert _take(post, "3 x TEA").customer == ann
    failed = (("Authentication-Results", "mx; spf=fail"),)
    forged = _take(post, "3 x TEA", number="2", headers=failed)
    assert (forged.customer, forged.unproved) == (None, "spf=fail")
    assert _take(post, "3 x TEA", number="3", sender="Ben <ben@example.com>").customer is None
    assert OmnichannelCustomer.objects.count() == 1


def test_a_request_is_confirmed_into_one_order_of_its_channel(post: SalesChannel, market: Market) -> None:
    request = _take(post, "3 x TEA\n1 x COAT-M", sender="Ben <ben@example.com>")
    assert promised(market.variants["TEA"]) == 0
    said = Confirmed(Terms(name="Ben", email="ben@example.com"), agreed=Decimal(80))
    first, again = confirm(request.pk, said, actor="mia"), confirm(request.pk, said, actor="mia")
    assert (first.outcome, again.outcome) == ("created", "unchanged")
    order = Order.objects.get()
    assert (order.sales_channel, order.total, order.customer.email) == (post, Decimal(80), "ben@example.com")
    assert promised(market.variants["TEA"]) == 3
    request.refresh_from_db()
    assert (request.state, request.decided_by, request.order, request.customer) == (
        "confirmed", "mia", order, order.customer,
    )  # fmt: skip
    told = ChannelInteraction.objects.filter(sales_channel=post, interaction_type="checkout_start").get()
    assert (told.customer, told.context["outcome"]) == (order.customer, "confirmed")


def test_nothing_is_ordered_while_a_line_is_open_and_a_person_closes_it(post: SalesChannel, market: Market) -> None:
    request = _take(post, "3 x TEA\ntwo of the blue coat please\n5 x unobtainium")
    terms = Confirmed(Terms(email="ann@example.com"))
    with pytest.raises(UserError, match=r"choose what is meant first.*blue coat, unobtainium"):
        confirm(request.pk, terms, actor="mia")
    tea, coat, nothing = request.lines.order_by("position")
    chosen = {
        tea.pk: Chosen(market.variants["TEA"].pk, 2), coat.pk: Chosen(market.variants["COAT-L"].pk, 2),
        nothing.pk: Chosen(None, 0),
    }  # fmt: skip
    correct(request.pk, chosen, add=Chosen(market.variants["GT-1"].pk, 1), actor="mia")
    order = confirm(request.pk, terms, actor="mia").order
    assert sorted(order.lines.values_list("sku", "quantity")) == [("COAT-L", 2), ("GT-1", 1), ("TEA", 2)]
    with pytest.raises(UserError, match="ordered already, by mia"):
        correct(request.pk, chosen, actor="mia")


def test_what_is_not_there_or_costs_something_else_now_is_not_ordered(post: SalesChannel, market: Market) -> None:
    request = _take(post, "11 x TEA")
    terms = Terms(email="ann@example.com")
    with pytest.raises(OutOfStock):
        confirm(request.pk, Confirmed(terms), actor="mia")
    with pytest.raises(UserError, match=r"and not 99\.00 as was shown"):
        confirm(request.pk, Confirmed(terms, agreed=Decimal(99)), actor="mia")
    assert OrderRequest.objects.get().state == "waiting"
    assert not Order.objects.exists()


def test_somebody_has_to_order_it(post: SalesChannel) -> None:
    with pytest.raises(UserError, match="say who orders"):
        confirm(_take(post, "1 x TEA", sender="nobody").pk, Confirmed(), actor="mia")


def test_the_senders_cart_on_the_web_is_left_alone(post: SalesChannel, market: Market) -> None:
    ann = resolve(Contact(email="ann@example.com"))
    assert ann is not None
    web = carts.open_cart(market.web, customer_id=ann.pk)
    carts.add(web.token, market.variants["GT-1"].pk, 1)
    order = confirm(_take(post, "1 x TEA").pk, Confirmed(), actor="mia").order
    assert (order.customer, [one.sku for one in order.lines.all()]) == (ann, ["TEA"])
    assert web.lines.get().quantity == 1


def test_a_request_is_rejected_with_a_reason(post: SalesChannel) -> None:
    request = _take(post, "1 x TEA")
    with pytest.raises(UserError, match="say why"):
        reject(request.pk, reason=" ", actor="mia")
    for _ in range(2):
        reject(request.pk, reason="spam", actor="mia")
    with pytest.raises(UserError, match="rejected already"):
        confirm(request.pk, Confirmed(), actor="mia")


def test_a_long_letter_is_read_in_as_many_queries_as_a_short_one(post: SalesChannel) -> None:
    def count(text: str, number: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            _take(post, text, number=number)
        return len(captured)

    few = count("3 x TEA\n2 blue coats", "1")
    assert count("\n".join(f"{n} x TEA\n{n} blue coats\n{n} x thing number {n}" for n in range(2, 40)), "2") == few


def test_a_door_is_opened_by_its_newest_secret_alone(post: SalesChannel, market: Market) -> None:
    first = doors.open_door(post, actor="olga")
    second = doors.open_door(post, actor="olga")
    assert doors.channel_of(second) == post
    assert [doors.channel_of(one) for one in (first, "", "x" * 43, f"{second}\n", post.slug)] == [None] * 5
    with pytest.raises(UserError, match="no e-mail channel"):
        doors.open_door(market.web, actor="olga")
    assert doors.close_door(post)
    assert doors.channel_of(second) is None
