"""The timeline of a person: everything in the order of time, page by page, whoever they were when it happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from finalmarket.customers.models import Consent, OmnichannelCustomer
from finalmarket.integrations import timeline as lines
from finalmarket.integrations.timeline import Entry, timeline
from finalmarket.orders.fulfilment import deliver, ship
from finalmarket.orders.intake import take
from finalmarket.orders.models import Fulfilment
from finalmarket.orders.refunds import refund
from finalmarket.orders.wishes import wish
from tests.orders.market import NOON, Market, draft, line, open_market


@pytest.fixture
def market(db: None) -> Market:
    """A market within a transaction."""
    return open_market()


def person(name: str) -> OmnichannelCustomer:
    return OmnichannelCustomer.objects.create(name=name)


def look(who: OmnichannelCustomer, market: Market, minute: int, kind: str = "page_view") -> None:
    who.track_interaction(market.web, kind, occurred_at=NOON + timedelta(minutes=minute))


def kinds(entries: tuple[Entry, ...]) -> list[str]:
    return [entry.kind for entry in entries]


def all_pages(who: OmnichannelCustomer, size: int, **given: Any) -> list[Entry]:
    """Walk over the whole timeline."""
    found: list[Entry] = []
    page = timeline(who.pk, size=size, **given)
    while True:
        found += page.entries
        if not page.later:
            return found
        assert page.entries
        page = timeline(who.pk, size=size, after=page.later, **given)


def a_full_life(market: Market) -> OmnichannelCustomer:
    """Ann looks around, buys, gets her parcel, sends money matters and words; her till profile is merged."""
    market.goods("TEA", warehouse=99)
    ann, till = person("Ann"), person("Till")
    for minute in range(5):
        look(ann, market, minute - 60)
    order = take(draft(market.web, "1", line("TEA", 2), customer_id=ann.pk)).order
    parcel = Fulfilment.objects.get(order=order)
    ship(parcel.pk, actor="test")
    deliver(parcel.pk, actor="test")
    refund(order.pk, Decimal("1.00"), key="r", reason="late", actor="test")
    take(draft(market.till, "2", line("TEA"), customer_id=till.pk))
    Consent.objects.create(customer=till, purpose="newsletter", is_granted=True)
    wish(ann.pk, market.variants["TEA"].pk)
    ann.start_journey(market.web, "research").complete("found")
    ann.merge(till, actor="olga")
    return ann


def test_all_kinds_are_on_it_in_the_order_of_time(market: Market) -> None:
    ann = a_full_life(market)
    entries = timeline(ann.pk).entries
    assert {entry.group for entry in entries} >= {
        "order", "payment", "refund", "parcel", "interaction", "journey", "consent", "wish", "merge",
    }  # fmt: skip
    assert kinds(entries).count("order") == 2
    assert [entry.at for entry in entries] == sorted((entry.at for entry in entries), reverse=True)
    assert {"parcel", "parcel_arrived"} <= set(kinds(entries))


def test_what_was_done_many_times_in_a_row_is_one_entry(market: Market) -> None:
    ann = person("Ann")
    for minute in (0, 1, 2, 4, 5):
        look(ann, market, minute)
    look(ann, market, 3, "search")
    entries = timeline(ann.pk).entries
    assert [(entry.what, entry.times) for entry in entries] == [("page_view", 2), ("search", 1), ("page_view", 3)]
    assert (entries[2].since, entries[2].at) == (NOON, NOON + timedelta(minutes=2))


@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_pages_leave_nothing_out_and_show_nothing_twice(market: Market, size: int) -> None:
    ann = a_full_life(market)
    whole = timeline(ann.pk, size=500).entries
    assert all_pages(ann, size) == list(whole)


def test_what_happened_at_one_moment_is_paged_through_too(market: Market) -> None:
    ann = person("Ann")
    for kind in ("page_view", "search", "product_view", "search", "page_view"):
        look(ann, market, 0, kind)
    market.goods("TEA", warehouse=9)
    take(draft(market.web, "1", line("TEA"), customer_id=ann.pk))
    seen = [(entry.kind, entry.id) for entry in all_pages(ann, 1)]
    assert len(seen) == len(set(seen)) == len(timeline(ann.pk).entries)


def test_a_long_life_is_read_in_bounded_steps(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MOST_ROWS", 4)
    ann = person("Ann")
    for minute in range(10):
        look(ann, market, minute)
    seen = all_pages(ann, 50)
    assert [entry.times for entry in seen] == [4, 4, 2]


def test_filters_leave_only_what_is_asked_for(market: Market) -> None:
    ann = a_full_life(market)
    assert set(kinds(timeline(ann.pk, kinds=["parcel"]).entries)) == {"parcel", "parcel_arrived"}
    at_the_till = timeline(ann.pk, channel_id=market.till.pk).entries
    assert {entry.channel_id for entry in at_the_till} == {market.till.pk}
    assert {"order", "payment"} <= set(kinds(at_the_till))
    assert timeline(ann.pk, kinds=["nonsense"]).entries == ()


def test_an_unmerge_takes_what_is_another_persons_off_it(market: Market) -> None:
    ann = a_full_life(market)
    till = OmnichannelCustomer.objects.get(name="Till")
    assert [entry.kind for entry in timeline(till.pk).entries] == kinds(timeline(ann.pk).entries)
    ann.unmerge(till, actor="olga")
    assert kinds(timeline(ann.pk, kinds=["order", "consent"]).entries) == ["order"]
    assert set(kinds(timeline(till.pk, kinds=["order", "consent"]).entries)) == {"order", "consent"}


@pytest.mark.parametrize("key", ["", "?", "bm90aGluZw", "WyIyMDI2IiwgMSwgMl0", "W10", "x" * 5000])
def test_a_key_that_cannot_be_read_means_the_first_page(market: Market, key: str) -> None:
    ann = person("Ann")
    look(ann, market, 0)
    assert len(timeline(ann.pk, after=key).entries) == 1


def test_no_branch_reads_a_whole_table(market: Market) -> None:
    ann = a_full_life(market)
    union = "\nUNION ALL\n".join(f"({lines.QUERIES[name]})" for name in lines.QUERIES if name not in ("shared", "page"))
    values = {"profiles": [ann.pk], "channel": None, "at": datetime(9999, 1, 1, tzinfo=UTC), "kind": "", "id": 0,
              "most": 50, "deep": 100}  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {lines.QUERIES['shared']} {union}", values)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    scans = [one for one in plan.splitlines() if "Seq Scan" in one]
    assert scans == []
