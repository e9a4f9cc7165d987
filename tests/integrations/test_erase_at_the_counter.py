"""Whoever is erased is gone from calls, mails and pick ups, too; that they happened stays."""

from __future__ import annotations

from decimal import Decimal

import pytest

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations.privacy.erase import erase
from finalmarket.orders import calls, collecting
from finalmarket.orders.cart import Terms
from finalmarket.orders.mailed.message import read
from finalmarket.orders.mailed.requests import Confirmed, confirm, take_in
from finalmarket.orders.models import Order, OrderRequest, PhoneCall, Pickup
from tests.orders.mailed.letters import letter
from tests.orders.market import open_market

pytestmark = pytest.mark.committed_database


def test_what_calls_mails_and_pick_ups_say_of_somebody_goes_with_them() -> None:
    market = open_market()
    market.goods("TEA", warehouse=10, north=10)
    market.north.can_hand_over = True
    market.north.save()
    hotline = SalesChannel.objects.create(name="Hotline", channel_type="phone", country="DE")
    mail = SalesChannel.objects.create(name="Mail", channel_type="email", country="DE")
    for channel in (hotline, mail):
        channel.add_product(market.product)
    ann = resolve(Contact(name="Ann Leevenhoek", email="ann@example.com"))
    assert ann is not None
    call = calls.begin(hotline, agent="cora", number="+49 40 123456")
    calls.say_who(call.token, ann.pk)
    calls.want(call.token, market.variants["TEA"].pk, 1)
    order = calls.place(
        call.token, calls.Wish(Terms(collect_at=market.north.pk), Decimal(10), "pickup"), actor="cora"
    ).order
    calls.end(call.token, actor="cora", said="Ann Leevenhoek lives by the sea")
    collecting.give_up(order.pickup.pk, reason="nobody came", actor="nora")
    known, _ = take_in(mail, read(letter("1 x TEA\nAnn Leevenhoek", sender="Ann Leevenhoek <ann@example.com>")))
    confirm(known.pk, Confirmed(), actor="mia")
    unknown, _ = take_in(mail, read(letter("For Ann Leevenhoek", sender="ben@example.com", number="2")))
    erase(ann.pk, actor="olga", at_once=True)
    assert (PhoneCall.objects.get().note, PhoneCall.objects.get().number) == ("", "")
    assert (Pickup.objects.get().name, Pickup.objects.get().state) == ("", "given_up")
    theirs = OrderRequest.objects.get(pk=known.pk)
    assert (theirs.email, theirs.name, theirs.text, theirs.subject, theirs.state) == ("", "", "", "", "confirmed")
    assert {(line.text, line.named, line.quantity) for line in theirs.lines.all()} == {("", "", 1)}
    assert OrderRequest.objects.get(pk=unknown.pk).text == ""  # another's mail that names them
    assert Order.objects.count() == 2
