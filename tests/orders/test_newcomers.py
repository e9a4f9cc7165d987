"""Many new orders taken at once leave the same in the books as each of them taken for itself."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from finalmarket.kernel.errors import UserError
from finalmarket.orders.drafts import Address, LineDraft, OrderDraft, RefundDraft, TenderDraft
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order
from finalmarket.orders.newcomers import is_plain, take_together
from finalmarket.stock.models import ChannelSource, StockLocation
from tests.orders.books import after
from tests.orders.market import Market, draft, line, promised, somebody_else
from tests.patience import PATIENCE_SECONDS


def sale(market: Market, external_id: str, *lines: LineDraft, **given: Any) -> OrderDraft:
    """A sale that a marketplace reports."""
    return draft(market.bazaar, external_id, *lines, source="integration:1", happened=True, **given)


def assert_alike(drafts: Sequence[OrderDraft]) -> None:
    """Taken together or one by one: the same in the books."""
    alone = after(lambda: [take(one, actor="test") for one in drafts])
    together = after(lambda: take_together(drafts, actor="test"))
    assert together == alone
    assert len(alone["orders"]) == len(drafts)


def test_plain_sales_are_written_as_each_would_be(market: Market) -> None:
    market.goods("TEA", warehouse=9)
    market.goods("POT", warehouse=9)
    shipping = LineDraft(kind="shipping", unit_price=Decimal("4.90"), title="Parcel")
    less = LineDraft(kind="discount", discount=Decimal("1.00"))
    assert_alike([
        sale(market, "1", line("TEA", 2), line("POT"), email="ann@example.com", external_version="3", raw={"id": "1"}),
        sale(market, "2", line("TEA", tax_rate=Decimal("0.19")), shipping, less, phone="+49 30 123456", name="Bo"),
        sale(market, "3", line("TEA", 2, cancelled_quantity=1), tip=Decimal(2), email="ANN@example.com"),
        sale(market, "4", line("POT", external_id="L-4", title="A pot"), tenders=(
            TenderDraft("gift_card", Decimal(4)), TenderDraft("card", Decimal(6), state="authorised"))),
        sale(market, "5", line("POT", 2, discount=Decimal(3)), total=Decimal("17.50"), tenders=()),
    ])  # fmt: skip


def test_the_last_units_go_to_the_first_orders_and_the_others_are_short(market: Market) -> None:
    market.goods("TEA", warehouse=3)
    market.goods("CUP", warehouse=2)
    market.bundle("SET", TEA=2, CUP=1)
    assert_alike([
        sale(market, "1", line("SET")),
        sale(market, "2", line("TEA", 2)),
        sale(market, "3", line("SET", 2), line("CUP")),
        sale(market, "4", line("TEA")),
    ])  # fmt: skip


def test_an_unknown_sku_and_a_wrong_total_are_said_of_the_order_that_has_them(market: Market) -> None:
    market.goods("TEA", warehouse=9)
    assert_alike([
        sale(market, "1", line("TEA"), line("NOBODY-KNOWS", price="20.00")),
        sale(market, "2", line("TEA"), total=Decimal("12.00")),
        sale(market, "3", line("ALL-UNKNOWN")),
        sale(market, "4", line("TEA"), tenders=(TenderDraft("card", Decimal(99)),)),
    ])  # fmt: skip


def test_each_is_routed_to_the_place_that_is_nearest_to_it(market: Market) -> None:
    market.goods("TEA", warehouse=20, north=20, south=20)
    market.goods("POT", warehouse=20, south=20)
    hamburg, munich = Address(latitude=53.5, longitude=10.0), Address(latitude=48.2, longitude=11.5, country="DE")
    assert_alike([
        sale(market, "1", line("TEA", 2), shipping_address=hamburg),
        sale(market, "2", line("TEA"), line("POT"), shipping_address=munich),
        sale(market, "3", line("TEA", 2)),
        sale(market, "4", line("POT", 2), shipping_address=hamburg),
        sale(market, "5", line("POT", 2), location_id=market.south.pk),
    ])  # fmt: skip


def test_a_place_that_takes_so_many_orders_a_day_takes_no_more_of_one_page(market: Market) -> None:
    market.goods("TEA", warehouse=20, north=20)
    market.north.orders_per_day = 2
    market.north.save()
    hamburg = Address(latitude=53.5, longitude=10.0)
    drafts = [sale(market, str(number), line("TEA"), shipping_address=hamburg) for number in range(4)]
    assert_alike(drafts)
    found = after(lambda: take_together(drafts, actor="test"))
    assert [row[1] for row in found["parcels"]] == [market.north.pk] * 2 + [market.warehouse.pk] * 2


@pytest.mark.committed_database
def test_pages_of_several_channels_never_wait_crosswise_for_places_with_a_limit(busy_market: Market) -> None:
    busy_market.goods("TEA", warehouse=20, north=20)
    places = sorted((busy_market.north, busy_market.warehouse), key=lambda place: place.pk)
    for place, channel in zip(places, (busy_market.web, busy_market.bazaar), strict=True):
        StockLocation.objects.filter(pk=place.pk).update(orders_per_day=2)
        ChannelSource.objects.create(sales_channel=channel, location=place, rank=1)
    page = [sale(busy_market, "1", line("TEA"))]
    page.append(replace(sale(busy_market, "2", line("TEA")), channel_id=busy_market.web.pk))
    first, second = (StockLocation.objects.filter(pk=place.pk) for place in places)
    with somebody_else() as begin:
        with transaction.atomic():
            assert list(first.select_for_update())
            taking = begin(lambda: take_together(page, actor="test"))
            assert list(second.select_for_update(skip_locked=True)), "it waits for the first and holds the second"
        assert [one.outcome for one in taking.result(PATIENCE_SECONDS)] == ["created", "created"]


def test_orders_of_several_channels_and_of_strangers_come_together(market: Market) -> None:
    market.goods("TEA", warehouse=9)
    other = replace(sale(market, "2", line("TEA"), email="bo@example.com"), channel_id=market.web.pk)
    assert_alike([sale(market, "1", line("TEA"), email="bo@example.com"), other, sale(market, "3", line("TEA"))])


def test_an_order_that_is_known_keeps_the_whole_page_out(market: Market) -> None:
    tea = market.goods("TEA", warehouse=9)
    take(sale(market, "1", line("TEA")))
    with pytest.raises(IntegrityError), transaction.atomic():
        take_together([sale(market, "2", line("TEA")), sale(market, "1", line("TEA"))], actor="test")
    assert (Order.objects.count(), promised(tea)) == (1, 1)


def test_what_belongs_to_no_channel_keeps_the_whole_page_out(market: Market) -> None:
    market.goods("TEA", warehouse=9)
    lost = replace(sale(market, "2", line("TEA")), channel_id=0)
    with pytest.raises(UserError, match="no sales channel"), transaction.atomic():
        take_together([sale(market, "1", line("TEA")), lost], actor="test")
    assert Order.objects.count() == 0


def test_what_has_a_past_is_not_plain(market: Market) -> None:
    one = sale(market, "1", line("TEA", 2))
    assert is_plain(one)
    with_past = [
        replace(one, is_cancelled=True), replace(one, handed_over=True), replace(one, reservation_id=1),
        replace(one, refunds=(RefundDraft("r", Decimal(1)),)), replace(one, number="W-1"), replace(one, happened=None),
        replace(one, lines=(line("TEA", 2, cancelled_quantity=2),)), replace(one, currency="???"),
    ]  # fmt: skip
    assert not any(is_plain(other) for other in with_past)


def test_ten_times_as_many_orders_take_as_many_statements(market: Market) -> None:
    market.goods("TEA", warehouse=500)

    def statements(count: int, first: int) -> int:
        drafts = [
            sale(market, str(number), line("TEA"), email=f"{number}@example.com")
            for number in range(first, first + count)
        ]
        with CaptureQueriesContext(connection) as captured:
            take_together(drafts, actor="test")
        return len(captured)

    assert statements(40, 100) == statements(4, 0) < 40
