"""The sentences that the project promises (README): each as written, and what it must bring about."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User

from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.analytics.rollup import restate_all
from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import DueChange, SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney, JourneyTouchpoint
from finalmarket.kernel import clock
from finalmarket.kernel.clock import days_ago
from finalmarket.orders.drafts import LineDraft, OrderDraft, TenderDraft
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order
from finalmarket.sandbox.platforms.amazon import Amazon
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from finalmarket.stock import ledger
from finalmarket.stock.models import ChannelInventory, StockLocation


@pytest.fixture(autouse=True)
def _database(request: pytest.FixtureRequest) -> None:
    """A database for every test: rolled back, unless the test commits."""
    if request.node.get_closest_marker("committed_database") is None:
        request.getfixturevalue("db")


@pytest.fixture
def channel() -> SalesChannel:
    return SalesChannel.objects.create(name="Amazon Marketplace", channel_type="marketplace", status="active")


@pytest.fixture
def another_channel() -> SalesChannel:
    return SalesChannel.objects.create(name="Flagship store", channel_type="store")


@pytest.fixture
def product() -> Product:
    """A chair in two colours, with a list price in euros and twenty of each on the shelf."""
    product = Product.objects.create(title="Garden chair", slug="garden-chair")
    shelf = StockLocation.objects.create(code="main", name="Main warehouse")
    for colour in ("green", "white"):
        variant = Variant.objects.create(product=product, sku=f"CHAIR-{colour.upper()}", title=colour)
        VariantPrice.objects.create(variant=variant, currency="EUR", amount=Decimal("119.00"))
        ledger.receive([ledger.Receipt(variant.pk, shelf.pk, 20)], actor="test")
    return product


@pytest.fixture
def customer() -> OmnichannelCustomer:
    user = User.objects.create_user("ann", email="ann@example.com")
    OmnichannelCustomer.objects.create(user=user, name="Ann", email="ann@example.com")
    return OmnichannelCustomer.objects.get(user=user)


def order(channel: SalesChannel, customer: OmnichannelCustomer, number: str, units: int, days: int = 0) -> None:
    """An order of green chairs for 99.99 each, paid by card."""
    line = LineDraft(sku="CHAIR-GREEN", quantity=units, unit_price=Decimal("99.99"))
    take(
        OrderDraft(
            channel_id=channel.pk,
            external_id=number,
            currency="EUR",
            placed_at=days_ago(days),
            lines=(line,),
            tenders=(TenderDraft("card", units * Decimal("99.99")),),
            customer_id=customer.pk,
        )
    )


def test_a_channel_is_created() -> None:
    channel = SalesChannel.objects.create(name="Amazon Marketplace", channel_type="marketplace", status="active")
    stored = SalesChannel.objects.get(name="Amazon Marketplace")
    assert stored == channel
    assert (stored.channel_type, stored.status, stored.slug) == ("marketplace", "active", "amazon-marketplace")


def test_a_product_is_listed_at_a_price_of_the_channel(channel: SalesChannel, product: Product) -> None:
    listings = channel.add_product(product, available=True, price_override=Decimal("99.99"))
    assert {listing.variant.sku for listing in listings} == {"CHAIR-GREEN", "CHAIR-WHITE"}
    for listing in channel.listings.all():
        assert listing.is_available
        assert listing.price() == Decimal("99.99")
        assert listing.reason_not_sellable() is None
    assert Variant.objects.get(sku="CHAIR-GREEN").price_in("EUR") == Decimal("119.00")


def test_a_product_without_override_costs_what_the_catalogue_says(channel: SalesChannel, product: Product) -> None:
    channel.add_product(product, available=True)
    assert {listing.price() for listing in channel.listings.all()} == {Decimal("119.00")}


def test_inventory_is_synced_for_a_channel_and_for_a_product(
    channel: SalesChannel, another_channel: SalesChannel, product: Product
) -> None:
    channel.add_product(product)
    another_channel.add_product(product)
    versions = dict(DueChange.objects.filter(what="stock").values_list("listing_id", "version"))
    assert channel.sync_inventory() == 2
    assert ChannelInventory.objects.sync_for_product(product) == 4
    raised = dict(DueChange.objects.filter(what="stock").values_list("listing_id", "version"))
    assert {raised[i] - versions[i] for i in channel.listings.values_list("pk", flat=True)} == {2}
    assert {raised[i] - versions[i] for i in another_channel.listings.values_list("pk", flat=True)} == {1}
    assert ChannelInventory.objects.filter(variant__product=product).count() == 4


def test_an_interaction_is_tracked(channel: SalesChannel, customer: OmnichannelCustomer) -> None:
    customer.track_interaction(channel, "product_view", device="mobile", location="New York")
    stored = ChannelInteraction.objects.get(customer=customer)
    assert (stored.sales_channel, stored.interaction_type) == (channel, "product_view")
    assert stored.context == {"device": "mobile", "location": "New York"}
    assert stored.value_score > 0


def test_a_journey_leads_over_channels_to_success(
    channel: SalesChannel, another_channel: SalesChannel, customer: OmnichannelCustomer
) -> None:
    journey = customer.start_journey(channel, "purchase")
    journey.add_touchpoint(another_channel, "view_product")
    journey.complete("success")
    stored = CrossChannelJourney.objects.get(customer=customer)
    assert (stored.start_channel, stored.intent, stored.outcome) == (channel, "purchase", "success")
    assert stored.state == "completed"
    assert stored.duration is not None
    step = JourneyTouchpoint.objects.get(journey=stored)
    assert (step.sales_channel, step.action) == (another_channel, "view_product")


def test_an_integration_is_created_and_pretends_nothing(channel: SalesChannel) -> None:
    integration = ChannelIntegration.objects.create(
        sales_channel=channel, platform_name="Amazon", integration_type="marketplace"
    )
    stored = ChannelIntegration.objects.get(pk=integration.pk)
    assert stored.sales_channel == channel
    assert stored.get_status_display() == "Not connected"


@pytest.mark.committed_database
def test_an_integration_connects_and_syncs(channel: SalesChannel, product: Product) -> None:
    amazon = Amazon(World(seed=1))
    amazon.add_listing("CHAIR-GREEN", "Garden chair, green", Decimal("119.00"), 20)
    with served(amazon) as (address,):
        credentials = {**amazon.credentials(), "base_url": address}
        number = amazon.order(("CHAIR-GREEN", 2))
        integration = ChannelIntegration.objects.create(
            sales_channel=channel, platform_name="Amazon", integration_type="marketplace"
        )
        integration.connect(credentials)
        integration.sync()
    assert integration.get_status_display() == "Active"
    order = Order.objects.get(sales_channel=channel)
    assert (order.external_id, order.lines.get(kind="goods").quantity) == (number, 2)
    assert Variant.objects.get(sku="CHAIR-GREEN").stock_items.get().allocated == 2


@pytest.mark.parametrize("start", [days_ago(30), days_ago(30).date()], ids=["datetime", "date"])
def test_performance_is_computed_from_orders(
    channel: SalesChannel, customer: OmnichannelCustomer, product: Product, start: date
) -> None:
    channel.add_product(product, available=True, price_override=Decimal("99.99"))
    order(channel, customer, "1", units=2, days=3)
    order(channel, customer, "2", units=1)
    order(channel, customer, "too long ago", units=5, days=40)
    restate_all()
    metrics = channel.performance_metrics(start_date=start)
    assert metrics["orders_count"] == 2
    assert metrics["revenue"] == Decimal("299.97")
    assert (metrics["unique_customers"], metrics["new_customers"]) == (1, 0)
    assert metrics["units_sold"] == 3


def test_trends_have_a_row_a_day(channel: SalesChannel, customer: OmnichannelCustomer, product: Product) -> None:
    channel.add_product(product)
    order(channel, customer, "1", units=2, days=3)
    restate_all()
    trends = ChannelAnalytics.objects.trend_data(channel, days=30)
    assert len(trends) == 30
    today = clock.now().date()
    assert {row["date"]: row["revenue"] for row in trends if row["orders_count"]} == {
        today - timedelta(days=3): Decimal("199.98")
    }


def test_a_profile_unites_all_channels(
    channel: SalesChannel, another_channel: SalesChannel, customer: OmnichannelCustomer, product: Product
) -> None:
    channel.add_product(product)
    another_channel.add_product(product)
    order(channel, customer, "1", units=1)
    order(another_channel, customer, "2", units=1)
    order(another_channel, customer, "3", units=2)
    profile = customer.unified_profile()
    assert profile["total_orders"] == 3
    assert profile["total_spent"] == Decimal("399.96")
    assert profile["favorite_channel"] == "Flagship store"
    assert profile["customer_segment"] == customer.segment


def test_selling_on_one_channel_leaves_less_for_all_others(
    channel: SalesChannel, another_channel: SalesChannel, customer: OmnichannelCustomer, product: Product
) -> None:
    from finalmarket.stock.atp import level

    channel.add_product(product)
    another_channel.add_product(product)
    green = Variant.objects.get(sku="CHAIR-GREEN")
    order(channel, customer, "1", units=7)
    assert level(green.pk, another_channel.pk).available == 13


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("channels.SalesChannel", "sales_channels"),
        ("channels.ChannelProduct", "channel_products"),
        ("stock.ChannelInventory", "channel_inventories"),
        ("customers.OmnichannelCustomer", "omnichannel_customers"),
        ("journeys.ChannelInteraction", "channel_interactions"),
        ("customers.ChannelPreference", "channel_preferences"),
        ("journeys.CrossChannelJourney", "cross_channel_journeys"),
        ("journeys.JourneyTouchpoint", "journey_touchpoints"),
        ("integrations.ChannelIntegration", "channel_integrations"),
        ("analytics.ChannelAnalytics", "channel_analytics"),
    ],
)
def test_names_and_tables_of_the_original_are_kept(name: str, table: str) -> None:
    model: Any = apps.get_model(name)
    assert model._meta.db_table == table


def test_orders_carry_their_sales_channel() -> None:
    model: Any = apps.get_model("orders.Order")
    assert model._meta.get_field("sales_channel").related_model is SalesChannel
