"""The demo is a house in order: what it shows follows from its orders, and its stock agrees."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Count, F, Sum
from django.db.models.functions import ExtractIsoWeekDay, ExtractMonth

from finalmarket.analytics.models import ChannelAnalytics, CustomerValue
from finalmarket.catalog.models import BundleComponent, Variant
from finalmarket.channels.listing import with_prices
from finalmarket.channels.models import ChannelProduct, SalesChannel
from finalmarket.customers.models import ChannelPreference, Consent, CustomerIdentity, OmnichannelCustomer
from finalmarket.demo.fill import Filled, fill
from finalmarket.integrations.models import ChannelIntegration, Credential, SyncRun
from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney, JourneyTouchpoint
from finalmarket.orders.models import Cart, Fulfilment, Order, OrderLine, PostcodePoint, Return, Wishlist
from finalmarket.stock import check
from finalmarket.stock.atp import levels
from finalmarket.stock.models import ChannelInventory, ExpectedReceipt, StockAlert, StockPool, Transfer
from tests.analytics import slow
from tests.demo.conftest import NOW, SCALE

pytestmark = pytest.mark.usefixtures("filled")


@pytest.mark.parametrize(
    ("model", "least"),
    [
        (SalesChannel, 8),
        (Variant, 300),
        (ChannelProduct, 200),
        (ChannelInventory, 400),
        (OmnichannelCustomer, 30),
        (CustomerIdentity, 30),
        (ChannelPreference, 80),
        (Consent, 30),
        (ChannelInteraction, 300),
        (CrossChannelJourney, 100),
        (ChannelIntegration, 5),
        (ChannelAnalytics, 240),
        (PostcodePoint, 90),
        (ExpectedReceipt, 5),
        (Cart, 5),
        (Wishlist, 30),
        (Return, 20),
    ],
)
def test_there_is_as_much_as_promised(model: Any, least: int) -> None:
    assert model.objects.count() >= least


def test_a_year_of_orders_is_there(filled: Filled) -> None:
    placed = Order.objects.order_by("placed_at")
    first, last = placed[0].placed_at, placed.reverse()[0].placed_at
    assert abs(filled.orders - 4_000 * SCALE) < 400 * SCALE + 60
    assert timedelta(days=350) < last - first < timedelta(days=366)
    assert last < NOW


def test_stock_agrees_with_its_ledger_and_its_holds() -> None:
    assert check.differences() == []


def test_a_second_run_changes_nothing() -> None:
    models = [model for model in apps.get_models() if model.__module__.startswith("finalmarket.")]
    before = {model: model._default_manager.count() for model in models}
    again = fill(seed=8, scale=1, now=NOW)
    assert again.was_there
    assert {model: model._default_manager.count() for model in models} == before


def test_whatever_is_sold_was_on_the_shelf() -> None:
    short = OrderLine.objects.filter(short_quantity__gt=0)
    assert set(short.values_list("order__sales_channel__channel_type", flat=True)) == {"marketplace"}
    assert short.count() < 5


def test_completed_purchases_end_in_orders_of_their_customer() -> None:
    completed = CrossChannelJourney.objects.filter(state="completed", intent="purchase")
    assert completed.count() >= 50
    assert not completed.filter(order=None).exists()
    assert not completed.exclude(customer=F("order__customer")).exists()
    assert not CrossChannelJourney.objects.exclude(state="completed").exclude(order=None).exists()


def test_every_step_of_a_journey_lies_before_its_order() -> None:
    steps = JourneyTouchpoint.objects.exclude(journey__order=None)
    assert steps.count() > 100
    assert not steps.filter(occurred_at__gte=F("journey__order__placed_at")).exists()
    assert not JourneyTouchpoint.objects.filter(occurred_at__lt=F("journey__started_at")).exists()


def test_journeys_have_every_intent_and_come_to_every_kind_of_end() -> None:
    recognised = CrossChannelJourney.objects.filter(is_recognised=True)
    assert {one for one, _ in CrossChannelJourney.Intent.choices} == set(recognised.values_list("intent", flat=True))
    assert {"ordered", "solved", "return_booked", "review_sent", "cart_left", "left"} <= set(
        recognised.values_list("outcome", flat=True)
    )
    assert recognised.filter(state="open").exists()


def test_journeys_cross_channels() -> None:
    crossing = CrossChannelJourney.objects.annotate(channels=Count("touchpoints__sales_channel", distinct=True))
    assert crossing.filter(channels__gte=2).count() >= 20


def test_nothing_has_happened_that_is_still_to_come() -> None:
    for model, field in (
        (Order, "placed_at"),
        (ChannelInteraction, "occurred_at"),
        (JourneyTouchpoint, "occurred_at"),
        (Return, "at"),
        (Consent, "at"),
        (OmnichannelCustomer, "first_seen_at"),
    ):
        objects: Any = model
        assert not objects.objects.filter(**{f"{field}__gt": NOW}).exists(), model


@pytest.mark.parametrize("name", ["Web shop", "Store London", "Web shop USA"])
def test_figures_are_the_order_books_own(name: str) -> None:
    channel = SalesChannel.objects.get(name=name)
    last = NOW.date()
    first = last - timedelta(days=20)
    expected = slow.figures(channel, first, last)
    stored = ChannelAnalytics.objects.filter(sales_channel=channel, date__range=(first, last))
    assert {(row.date, row.currency) for row in stored} == set(expected)
    for row in stored:
        wanted = expected[row.date, row.currency]
        assert {figure: getattr(row, figure) for figure in wanted} == wanted


def test_no_account_pretends_to_be_connected() -> None:
    assert set(ChannelIntegration.objects.values_list("status", flat=True)) == {"new"}
    assert not Credential.objects.exists()
    assert not SyncRun.objects.exists()


def test_every_listing_has_a_price_of_its_channel() -> None:
    listings = ChannelProduct.objects.select_related("sales_channel", "variant").prefetch_related(*with_prices())
    reasons = Counter(listing.reason_not_sellable(NOW) for listing in listings)
    assert set(reasons) == {None}


def test_barcodes_end_in_their_check_digit() -> None:
    barcodes = list(Variant.objects.values_list("barcode", flat=True))
    assert len(set(barcodes)) == len(barcodes)
    for barcode in barcodes:
        digits = [int(digit) for digit in barcode]
        assert len(digits) == 13
        assert (sum(digits[0::2]) + 3 * sum(digits[1::2])) % 10 == 0


def test_nobody_real_is_written_to_or_called() -> None:
    addresses = OmnichannelCustomer.objects.values_list("email", flat=True)
    assert {address.rpartition("@")[2] for address in addresses} <= {
        "example.com",
        "example.org",
        "marketplace.example.net",
    }


def test_weeks_seasons_and_best_sellers_look_real() -> None:
    berlin = Order.objects.filter(sales_channel__name="Store Berlin", number__startswith="B-")
    days = dict(
        berlin.annotate(day=ExtractIsoWeekDay("placed_at", tzinfo=berlin[0].placed_at.tzinfo))
        .values_list("day")
        .annotate(Count("id"))
        .order_by()
    )
    assert 7 not in days  # closed on Sundays
    assert days[6] > 1.5 * days[1]
    months = dict(Order.objects.annotate(m=ExtractMonth("placed_at")).values_list("m").annotate(Count("id")).order_by())
    assert months[11] > 1.2 * months[2]
    sold = [
        units
        for _, units in OrderLine.objects.filter(kind="goods")
        .values_list("sku")
        .annotate(u=Sum("quantity"))
        .order_by("-u")
    ]
    assert sum(sold[:30]) > 0.3 * sum(sold)
    assert sold[0] < 0.15 * sum(sold)


def test_some_orders_came_back_and_some_were_called_off() -> None:
    orders = Order.objects.count()
    assert 0.02 * orders < Return.objects.count() < 0.15 * orders
    assert Order.objects.filter(state="cancelled").count() >= 10
    assert not Order.objects.filter(state="cancelled", payment_state="paid").exists()


def test_there_is_work_to_do() -> None:
    assert Fulfilment.objects.filter(state="pending").count() >= 8
    assert Order.objects.exclude(problem="").count() >= 3
    assert Transfer.objects.filter(state="in_transit").count() == 1
    assert {"low", "out", "short"} <= set(StockAlert.objects.filter(closed_at=None).values_list("level", flat=True))


def test_channels_have_policies_of_every_kind() -> None:
    policies = ChannelInventory.objects
    for facts in (
        {"fence_left__gt": 0},
        {"cap__isnull": False},
        {"percent__isnull": False},
        {"buffer__gt": 0},
        {"lends": True},
        {"borrows": True},
        {"uses_pool": False},
        {"allows_backorder": True},
        {"incoming_horizon_days__gt": 0},
    ):
        assert policies.filter(**facts).exists(), facts
    assert StockPool.objects.filter(safety__gt=0).exists()


def test_bundles_can_be_bought_as_long_as_their_parts_last() -> None:
    web = SalesChannel.objects.get(name="Web shop")
    bundles = list(BundleComponent.objects.values_list("bundle_id", flat=True).distinct())
    known = levels(bundles, [web.pk])
    assert sum(1 for level in known.values() if level.available > 0) >= 4


def test_shops_abroad_sell_in_their_own_currency_and_time() -> None:
    for name, currency, zone in (("Store London", "GBP", "Europe/London"), ("Web shop USA", "USD", "America/New_York")):
        channel = SalesChannel.objects.get(name=name)
        assert (channel.currency, channel.time_zone) == (currency, zone)
        assert set(Order.objects.filter(sales_channel=channel).values_list("currency", flat=True)) == {currency}
    american = Order.objects.filter(sales_channel__name="Web shop USA")
    assert not american.filter(tax_included=True).exists()
    assert (american.aggregate(tax=Sum("tax"))["tax"] or Decimal(0)) > 0


def test_customers_are_sorted_by_what_they_bought() -> None:
    segments = Counter(OmnichannelCustomer.objects.values_list("segment", flat=True))
    assert set(segments) == {"vip", "high_value", "regular", "new", "prospect"}
    someone = OmnichannelCustomer.objects.filter(segment="vip")[0]
    assert someone.unified_profile()["total_spent"] >= 1200
    assert not CustomerValue.objects.filter(unpriced_orders__gt=0).exists()  # every currency has its rate
