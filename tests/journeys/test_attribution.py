"""Attribution of the order book's net revenue: what is kept is shared to the cent, what comes back is taken."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.analytics.rollup import restate_all
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys.attribution import MODELS, Attribution, attribute, currencies, paths_of
from finalmarket.journeys.paths_asked import Asked
from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import Order, OrderLine
from tests.journeys.walks import MORNING, channels, order, walk, wander

pytestmark = pytest.mark.django_db
EVERYTHING = Asked()
Shop = tuple[SalesChannel, SalesChannel, SalesChannel]


@pytest.fixture
def shop(db: None) -> Shop:
    web, app, store = channels("Web", "App", "Store")
    return web, app, store


@pytest.fixture
def ann(db: None) -> OmnichannelCustomer:
    return OmnichannelCustomer.objects.create(name="Ann", segment="vip")


def given(found: Attribution, model: str) -> dict[Any, Decimal]:
    return {channel: share.value for channel, share in found.models[model].items()}


def test_an_order_is_shared_among_the_channels_of_the_journey_that_led_to_it(
    shop: Shop, ann: OmnichannelCustomer
) -> None:
    web, app, store = shop
    bought = order(store, "100", customer=ann)
    walk(ann, [(web, "search", 0), (app, "product_view", 60), (store, "store_visit", 120)], order=bought)
    found = attribute(EVERYTHING)
    assert [found.currency, found.conversions, found.value] == ["EUR", 1, 100]
    assert given(found, "first") == {web.pk: 100, app.pk: 0, store.pk: 0}
    assert given(found, "last") == {web.pk: 0, app.pk: 0, store.pk: 100}
    assert given(found, "linear") == {web.pk: Decimal("33.34"), app.pk: Decimal("33.33"), store.pk: Decimal("33.33")}
    assert given(found, "position") == {web.pk: 40, app.pk: 20, store.pk: 40}
    assert given(found, "shapley") == given(found, "linear")


def test_touches_on_one_channel_in_a_row_are_one(shop: Shop, ann: OmnichannelCustomer) -> None:
    web, app, _ = shop
    bought = order(app, "90", customer=ann)
    walk(ann, [(web, "page_view", minute) for minute in range(8)] + [(app, "checkout_complete", 9)], order=bought)
    assert given(attribute(EVERYTHING), "linear") == {web.pk: 45, app.pk: 45}


def test_time_counts_from_the_last_moment_on_a_channel_to_the_order(shop: Shop, ann: OmnichannelCustomer) -> None:
    web, app, _ = shop
    bought = order(app, "90", customer=ann, placed_at=MORNING + timedelta(days=10))
    walk(ann, [(web, "page_view", 0), (web, "search", 3 * 1440), (app, "checkout_complete", 10 * 1440)], order=bought)
    (path,) = paths_of(EVERYTHING, "EUR")
    assert path.hours == (7 * 24, 0)
    assert given(attribute(EVERYTHING, half_life_days=7), "time_decay") == {web.pk: 30, app.pk: 60}


def test_an_order_without_a_journey_goes_to_its_own_channel(shop: Shop) -> None:
    web, _, store = shop
    order(store, "25")
    found = attribute(EVERYTHING)
    assert {model: given(found, model) for model in MODELS} == {model: {store.pk: Decimal(25)} for model in MODELS}
    assert web.pk not in found.channels


def test_a_cancelled_order_takes_its_share_back_and_becomes_a_path_to_nothing(
    shop: Shop, ann: OmnichannelCustomer
) -> None:
    web, app, _ = shop
    kept, gone = order(app, "60", customer=ann), order(app, "40", customer=ann)
    walk(ann, [(web, "search", 0), (app, "checkout_complete", 9)], order=gone)
    walk(ann, [(app, "search", 0), (web, "search", 3), (app, "checkout_complete", 9)], order=kept)
    assert given(attribute(EVERYTHING), "first") == {web.pk: 40, app.pk: 60}
    Order.objects.filter(pk=gone.pk).update(state="cancelled")
    found = attribute(EVERYTHING)
    assert given(found, "first") == {web.pk: 0, app.pk: 60}
    assert [found.conversions, found.nulls, found.value] == [1, 1, 60]


def test_a_refund_takes_its_part_back(shop: Shop, ann: OmnichannelCustomer) -> None:
    web, app, _ = shop
    bought = order(app, "80", customer=ann, shipping=Decimal(20), total=Decimal(100))
    walk(ann, [(web, "search", 0), (app, "checkout_complete", 9)], order=bought)
    assert attribute(EVERYTHING).value == 80
    Order.objects.filter(pk=bought.pk).update(refunded=Decimal(25))
    found = attribute(EVERYTHING)
    assert [found.conversions, found.value] == [1, 60]
    assert given(found, "linear") == {web.pk: 30, app.pk: 30}


def test_only_ended_journeys_that_meant_to_buy_are_paths_to_nothing(shop: Shop, ann: OmnichannelCustomer) -> None:
    web, _, _ = shop
    order(web, "10")
    for intent, state in (("purchase", "abandoned"), ("browse", "completed"), ("support", "completed")):
        walk(ann, [(web, "page_view", 0)], intent=intent, state=state)
    walk(ann, [(web, "page_view", 0)], intent="research", state="open")
    assert attribute(EVERYTHING).nulls == 2


def test_currencies_are_attributed_one_by_one(shop: Shop) -> None:
    web, app, _ = shop
    order(web, "10")
    order(app, "7", currency="GBP")
    order(app, "9", currency="GBP")
    assert currencies(EVERYTHING) == ["GBP", "EUR"]
    assert [attribute(EVERYTHING).currency, attribute(EVERYTHING).value] == ["GBP", 16]
    assert given(attribute(EVERYTHING, "EUR"), "last") == {web.pk: 10}
    assert attribute(EVERYTHING, "JPY").value == 0
    with pytest.raises(UserError, match="unknown currency"):
        attribute(EVERYTHING, "XYZ")


def test_a_currency_without_cents_is_shared_without_them(shop: Shop, ann: OmnichannelCustomer) -> None:
    web, app, store = shop
    bought = order(store, "1000", customer=ann, currency="JPY")
    walk(ann, [(web, "search", 0), (app, "search", 1), (store, "store_visit", 2)], order=bought)
    assert sorted(given(attribute(EVERYTHING), "linear").values()) == [333, 333, 334]


@pytest.mark.parametrize(
    ("asked", "value"),
    [
        (lambda shop: Asked(segment="vip"), 100),
        (lambda shop: Asked(channel=shop[1].pk), 130),
        (lambda shop: Asked(intent="purchase"), 100),
        (lambda shop: Asked(until=date(2026, 5, 3)), 0),
        (lambda shop: Asked(since=date(2026, 5, 4), until=date(2026, 5, 4)), 130),
    ],
)
def test_a_filter_keeps_the_orders_that_it_names(
    shop: Shop, ann: OmnichannelCustomer, asked: Callable[[Shop], Asked], value: int
) -> None:
    web, app, _ = shop
    walk(ann, [(web, "search", 0), (app, "checkout_complete", 1)], order=order(web, "100", customer=ann))
    order(app, "30")
    assert attribute(asked(shop)).value == value


def test_a_case_about_an_order_has_not_led_to_it(shop: Shop, ann: OmnichannelCustomer) -> None:
    web, app, _ = shop
    bought = order(app, "50", customer=ann)
    walk(ann, [(web, "customer_service", 0)], intent="support", order=bought)
    assert given(attribute(EVERYTHING), "first") == {app.pk: 50}
    assert attribute(Asked(intent="support")).conversions == 0


def test_a_merge_moves_no_share_of_a_channel(shop: Shop, ann: OmnichannelCustomer) -> None:
    web, app, _ = shop
    other = OmnichannelCustomer.objects.create(name="Anna")
    walk(other, [(web, "search", 0), (app, "checkout_complete", 1)], order=order(app, "50", customer=other))
    before = attribute(EVERYTHING)
    other.merged_into = ann
    other.save()
    assert attribute(EVERYTHING) == before
    assert attribute(Asked(segment="vip")).value == 50


def test_the_newest_journey_tells_how_an_order_came_about(shop: Shop, ann: OmnichannelCustomer) -> None:
    web, app, _ = shop
    bought = order(app, "50", customer=ann)
    walk(ann, [(web, "search", 0)], order=bought, began=MORNING - timedelta(days=3))
    walk(ann, [(app, "search", 0)], order=bought, began=MORNING - timedelta(days=1))
    found = attribute(EVERYTHING)
    assert [found.conversions, given(found, "first")] == [1, {app.pk: 50}]


@pytest.mark.parametrize("seed", [1, 2])
def test_attributed_revenue_is_the_net_revenue_of_the_daily_figures(seed: int) -> None:
    """Two ways to the same sum: journeys shared out by every model, and the figures of channels by day."""
    places, walks = wander(seed)
    dice = random.Random(seed)
    for number, one in enumerate(walks):
        if one.journey.order:
            _trouble(one.journey.order, dice)
        elif number % 5 == 0:
            order(dice.choice(places), str(dice.randint(1, 60)), placed_at=one.journey.started_at)
    SalesChannel.objects.filter(pk=places[0].pk).update(time_zone="America/Los_Angeles")
    restate_all()
    for since, until in ((None, None), (date(2026, 5, 10), date(2026, 5, 16))):
        figures = ChannelAnalytics.objects.all()
        if since:
            figures = figures.filter(date__range=(since, until))
        net = sum(row.net_revenue for row in figures)
        orders = sum(row.orders_count for row in figures)
        found = attribute(Asked(since=since, until=until))
        assert found.conversions == orders > 0
        assert found.value == round(net, 2) > 0
        for shares in found.models.values():
            assert sum(share.value for share in shares.values()) == found.value


def _trouble(bought: Order, dice: random.Random) -> None:
    """Give an order tax, a refund, or a cancellation."""
    fate = dice.randrange(5)
    facts: dict[str, Any] = {"state": "cancelled"} if fate == 0 else {}
    if fate in (1, 2):
        facts = {"refunded": round(bought.total * Decimal(dice.random()), 2), "tax": round(bought.total / 6, 2)}
    if fate == 3:
        facts = {"tax": Decimal("1.90"), "shipping": Decimal("4.90"), "total": bought.total + Decimal("4.90")}
        for position, (kind, amount) in enumerate((("goods", bought.total), ("shipping", Decimal("4.90")))):
            OrderLine.objects.create(
                order=bought, position=position, kind=kind, quantity=1, tax=amount / 10, total=amount
            )
    Order.objects.filter(pk=bought.pk).update(**facts)
