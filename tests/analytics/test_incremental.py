"""Figures follow whatever happens, in whatever order it becomes known, and nobody is counted twice."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.analytics import incremental, rollup
from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.channels.models import SalesChannel
from finalmarket.customers import merging
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.persons import settle
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.kernel.errors import UserError
from finalmarket.orders import aftersales
from finalmarket.orders.drafts import LineDraft
from finalmarket.orders.intake import take
from tests.analytics import book, slow
from tests.orders.market import draft, goods_line, line, open_market

pytestmark = pytest.mark.django_db
FIRST = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAYS = [(FIRST + timedelta(days=n)).date() for n in range(6)]


def come(**words: Any) -> OmnichannelCustomer:
    found = resolve(Contact(**words))
    assert found is not None
    return found


def sheets(channel: SalesChannel) -> dict[tuple[date, str], dict[str, object]]:
    """The rows as they stand, with the figures that a recomputation by hand gives."""
    found = {}
    for row in ChannelAnalytics.objects.filter(sales_channel=channel, date__lte=FIRST + timedelta(days=21)):
        wanted = slow.figures(channel, row.date, row.date)[row.date, row.currency]
        found[row.date, row.currency] = {name: getattr(row, name) for name in wanted}
    return found


def counts(channel: SalesChannel, day: date) -> tuple[int, int, int, int]:
    row = ChannelAnalytics.objects.get(sales_channel=channel, date=day)
    return row.unique_customers, row.new_customers, row.returning_customers, row.customer_count


def follow() -> int:
    return incremental.restate_marked()


def test_a_late_merge_restates_the_days_and_an_unmerge_restates_them_back() -> None:
    shop = book.channel("Web shop", time_zone="UTC")
    ann, bob = come(email="ann@example.com"), come(email="bob@example.com")
    book.order(shop, FIRST, buyer=ann)
    book.order(shop, FIRST + timedelta(days=2), buyer=ann)
    book.order(shop, FIRST + timedelta(days=2), buyer=bob)
    rollup.restate(shop, DAYS[0], DAYS[-1])
    before = [counts(shop, day) for day in DAYS]
    assert before == [(1, 1, 0, 1), (0, 0, 0, 1), (2, 1, 1, 2), (0, 0, 0, 2), (0, 0, 0, 2), (0, 0, 0, 2)]
    ann.merge(bob, actor="olga")
    assert follow() == 1
    after = [counts(shop, day) for day in DAYS]
    assert after == [(1, 1, 0, 1), (0, 0, 0, 1), (1, 0, 1, 1), (0, 0, 0, 1), (0, 0, 0, 1), (0, 0, 0, 1)]
    assert follow() == 0
    ann.unmerge(bob, actor="olga")
    assert follow() == 1
    assert [counts(shop, day) for day in DAYS] == before


def test_evidence_that_comes_late_restates_yesterday() -> None:
    shop = book.channel("Web shop", time_zone="UTC")
    ann, till = come(email="ann@example.com"), come(account="till:1")
    for customer in (ann, till):
        book.order(shop, FIRST, buyer=customer)
    rollup.restate(shop, DAYS[0], DAYS[0])
    assert counts(shop, DAYS[0]) == (2, 2, 0, 2)
    come(email="ann@example.com", account="till:1")
    settle()
    follow()
    assert counts(shop, DAYS[0]) == (1, 1, 0, 1)


@pytest.mark.parametrize(
    ("included", "price", "sending"), [(True, "59.50", "11.90"), (False, "50.00", "10.00")],
    ids=["in the prices", "on top"],
)  # fmt: skip
def test_goods_taken_off_an_unpaid_order_take_their_own_revenue_and_no_more(
    included: bool, price: str, sending: str
) -> None:
    market = open_market()
    market.goods("TEA", warehouse=5)
    rate = Decimal("0.19")
    postage = LineDraft(kind="shipping", unit_price=Decimal(sending), tax_rate=rate)
    goods = line("TEA", 2, price, tax_rate=rate)
    order = take(draft(market.web, "1", goods, postage, tenders=(), tax_included=included)).order
    day = order.placed_at.date()
    rollup.restate(market.web, day, day)
    figures = [ChannelAnalytics.objects.get(sales_channel=market.web, date=day).revenue]
    aftersales.cancel_units(order.pk, {goods_line(order).pk: 1}, key="c", reason="one too many", actor="ann")
    follow()
    figures.append(ChannelAnalytics.objects.get(sales_channel=market.web, date=day).revenue)
    rollup.restate(market.web, day, day)
    figures.append(ChannelAnalytics.objects.get(sales_channel=market.web, date=day).revenue)
    by_hand = slow.figures(market.web, day, day)[day, "EUR"]["revenue"]
    assert [*figures, by_hand] == [100, 50, 50, 50]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_any_merges_and_unmerges_the_figures_equal_a_recomputation_by_hand(seed: int) -> None:
    chance = random.Random(seed)
    channels = [book.channel("Berlin", time_zone="Europe/Berlin"), book.channel("London", time_zone="Europe/London")]
    book.fill_at_random(chance, channels, FIRST, 20)
    OmnichannelCustomer.objects.update(merged_into=None)
    for channel in channels:
        rollup.restate(channel, FIRST.date() - timedelta(days=1), FIRST.date() + timedelta(days=21))
    people = list(OmnichannelCustomer.objects.values_list("pk", flat=True))
    for _ in range(12):
        one, other = chance.sample(people, 2)
        try:
            if chance.random() < 0.6:
                merging.merge(one, other, actor="olga")
            else:
                merging.unmerge(one, [other], actor="olga")
        except UserError:
            continue
        if chance.random() < 0.5:
            follow()
    follow()
    for channel in channels:
        wanted = slow.figures(channel, FIRST.date() - timedelta(days=1), FIRST.date() + timedelta(days=21))
        assert sheets(channel) == wanted


def test_days_that_lie_close_together_are_told_anew_in_one_go() -> None:
    assert incremental.spans({DAYS[3], DAYS[0], DAYS[1]}) == [(DAYS[0], DAYS[3])]
    far = DAYS[0] + timedelta(days=30)
    assert incremental.spans({far, DAYS[0]}) == [(DAYS[0], DAYS[0]), (far, far)]
