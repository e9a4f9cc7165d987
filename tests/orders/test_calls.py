"""Calls: held while talking, ordered once, and part of the customer's history afterwards."""

from __future__ import annotations

from decimal import Decimal

import pytest

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.journeys.models import ChannelInteraction
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders import calls
from finalmarket.orders import cart as carts
from finalmarket.orders.cart import Terms
from finalmarket.orders.drafts import OutOfStock
from finalmarket.orders.models import Order, PhoneCall
from finalmarket.stock.atp import level
from tests.orders.market import Market, promised


@pytest.fixture
def line(market: Market) -> SalesChannel:
    """A phone channel that sells the market's things: ten tea, one cup."""
    market.goods("TEA", warehouse=10)
    market.goods("CUP", price="4.00", warehouse=1)
    channel = SalesChannel.objects.create(name="Hotline", channel_type="phone", country="DE")
    for one in (channel, market.web):
        one.add_product(market.product)
    return channel


def _ann() -> OmnichannelCustomer:
    found = resolve(Contact(name="Ann", email="ann@example.com", phone="+49 40 123456"))
    assert found is not None
    return found


def _left(market: Market, channel: SalesChannel, sku: str = "TEA") -> int:
    return level(market.variants[sku].pk, channel.pk).available


def test_what_the_caller_wants_is_held_at_once_and_let_go_when_they_hang_up(market: Market, line: SalesChannel) -> None:
    call = calls.begin(line, agent="cora")
    calls.want(call.token, market.variants["TEA"].pk, 4)
    assert (_left(market, line), _left(market, market.web)) == (6, 6)
    calls.want(call.token, market.variants["TEA"].pk, 2)
    assert _left(market, market.web) == 8
    assert calls.held_until(call.__class__.objects.get(pk=call.pk)) > clock.now()
    calls.end(call.token, actor="cora")
    assert _left(market, market.web) == 10


def test_more_than_is_there_is_not_put_in_and_what_was_held_stays(market: Market, line: SalesChannel) -> None:
    call = calls.begin(line, agent="cora")
    calls.want(call.token, market.variants["CUP"].pk, 1)
    with pytest.raises(OutOfStock):
        calls.want(call.token, market.variants["CUP"].pk, 2)
    assert call.cart is not None
    assert [wanted.quantity for wanted in call.cart.lines.all()] == [1]
    assert _left(market, line, "CUP") == 0


def test_an_order_is_placed_once_and_belongs_to_the_caller(market: Market, line: SalesChannel) -> None:
    call, ann = calls.begin(line, agent="cora"), _ann()
    calls.want(call.token, market.variants["TEA"].pk, 2)
    with pytest.raises(UserError, match="who is on the phone"):
        calls.place(call.token, calls.Wish(), actor="cora")
    calls.say_who(call.token, ann.pk)
    charges = calls.charges("DE", shipping=Decimal("3.90"), discount=Decimal(5), why="waited long")
    wish = calls.Wish(Terms(charges=charges), agreed=Decimal(20), payment="later")
    first = calls.place(call.token, wish, actor="cora")
    again = calls.place(call.token, wish, actor="cora")
    assert (first.outcome, again.outcome, first.order.pk) == ("created", "unchanged", again.order.pk)
    order = Order.objects.get()
    assert (order.total, order.discount, order.shipping) == (Decimal("18.90"), Decimal(5), Decimal("3.90"))
    assert (order.customer, order.email, order.sales_channel) == (ann, "ann@example.com", line)
    assert order.events.filter(text="to be paid later").exists()
    assert promised(market.variants["TEA"]) == 2


def test_what_lies_in_the_callers_cart_on_the_web_is_left_there(market: Market, line: SalesChannel) -> None:
    ann, call = _ann(), calls.begin(line, agent="cora")
    web = carts.open_cart(market.web, customer_id=ann.pk)
    carts.add(web.token, market.variants["CUP"].pk, 1)
    calls.say_who(call.token, ann.pk)
    calls.want(call.token, market.variants["TEA"].pk, 1)
    order = calls.place(call.token, calls.Wish(), actor="cora").order
    assert [one.sku for one in order.lines.all()] == ["TEA"]
    assert [wanted.variant.sku for wanted in web.lines.all()] == ["CUP"]
    assert calls.carts_elsewhere(PhoneCall.objects.get(pk=call.pk)) == [web]


def test_another_total_than_was_said_and_too_big_a_discount_are_refused(market: Market, line: SalesChannel) -> None:
    call = calls.begin(line, agent="cora")
    calls.say_who(call.token, _ann().pk)
    calls.want(call.token, market.variants["TEA"].pk, 1)
    with pytest.raises(UserError, match=r"and not 9\.00 as was said"):
        calls.place(call.token, calls.Wish(agreed=Decimal(9)), actor="cora")
    charges = calls.charges("DE", shipping=Decimal(0), discount=Decimal(11))
    with pytest.raises(UserError, match=r"no more than 10\.00 EUR"):
        calls.place(call.token, calls.Wish(Terms(charges=charges)), actor="cora")
    assert not Order.objects.exists()


def test_a_call_is_told_once_as_what_its_customer_did(market: Market, line: SalesChannel) -> None:
    call, ann = calls.begin(line, agent="cora", direction="outbound", number="040 123456"), _ann()
    calls.say_who(call.token, ann.pk)
    for _ in range(2):
        calls.end(call.token, actor="cora", said="asked for the opening hours")
    told = ChannelInteraction.objects.get()
    assert (told.customer, told.sales_channel, told.interaction_type) == (ann, line, "phone_call")
    assert (told.context["direction"], told.context["note"]) == ("outbound", "asked for the opening hours")
    assert told.context["seconds"] >= 0


def test_whoever_takes_the_next_call_has_ended_the_last_one(market: Market, line: SalesChannel) -> None:
    first = calls.begin(line, agent="cora")
    calls.begin(line, agent="ben")
    calls.begin(line, agent="cora")
    first.refresh_from_db()
    assert first.ended_at is not None
    assert PhoneCall.objects.filter(ended_at=None).count() == 2
    with pytest.raises(UserError, match="has ended"):
        calls.want(first.token, market.variants["TEA"].pk, 1)


def test_what_they_wanted_stays_in_their_cart_if_they_like(market: Market, line: SalesChannel) -> None:
    call, ann = calls.begin(line, agent="cora"), _ann()
    calls.say_who(call.token, ann.pk)
    calls.want(call.token, market.variants["TEA"].pk, 3)
    calls.end(call.token, actor="cora", keeps_cart=True)
    assert call.cart is not None
    call.cart.refresh_from_db()
    assert (call.cart.customer, _left(market, line)) == (ann, 10)
