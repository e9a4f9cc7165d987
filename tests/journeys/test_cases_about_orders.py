"""A case about an order has not led to it: paths, attribution and figures leave it out."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.analytics.rollup import restate_all
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys import paths
from finalmarket.journeys.attribution import attribute
from finalmarket.journeys.paths_asked import Asked
from tests.journeys.tales import NOON, at, order, tell

pytestmark = pytest.mark.django_db


def test_a_ticket_about_an_order_is_no_path_to_it() -> None:
    web = SalesChannel.objects.create(name="Web", channel_type="web")
    chat = SalesChannel.objects.create(name="Chat", channel_type="chat")
    ann = OmnichannelCustomer.objects.create(name="Ann")
    ann.track_interaction(web, "add_to_cart", occurred_at=NOON)
    bought = order(ann.pk, web.pk, at(minutes=5), "FM-1", "100")
    tell()
    case = ann.journeys.start(chat, "support", started_at=at(days=1))
    case.add_touchpoint(chat, "customer_message", occurred_at=at(days=1))
    case.complete("solved", order=bought, at=at(days=1) + timedelta(hours=1))
    tell()
    shares = attribute(Asked()).models["last"]
    assert shares[web.pk].value == Decimal(100)
    assert chat.pk not in shares or shares[chat.pk].value == 0
    assert paths.population(Asked()).ordered == 1
    restate_all()
    sessions = ChannelAnalytics.objects.filter(sessions=1).values_list("sales_channel", "ordering_sessions")
    assert dict(sessions) == {web.pk: 1, chat.pk: 0}
