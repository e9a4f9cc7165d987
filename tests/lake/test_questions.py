"""What the lake answers is what the house answers, or what plain counting finds."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connections

from finalmarket.analytics.lake.asked import LakeAsked
from finalmarket.analytics.lake.engine import Engine, engine
from finalmarket.analytics.lake.export import export
from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.analytics.rollup import restate
from finalmarket.channels.models import SalesChannel
from finalmarket.journeys import paths
from finalmarket.journeys.funnels import FunnelStep, funnel
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.journeys.paths_asked import Asked
from finalmarket.kernel.errors import UserError
from tests.analytics import book, slow
from tests.lake import story

FIRST, LAST = story.FIRST.date() - timedelta(days=1), story.FIRST.date() + timedelta(days=12)
FIGURES = (
    "orders_count", "revenue", "refunds", "net_revenue", "average_order_value", "unique_customers", "new_customers",
    "returning_customers", "sessions", "ordering_sessions", "conversion_rate", "units_sold", "units_returned",
    "return_rate", "customer_count",
)  # fmt: skip


@pytest.fixture(scope="module")
def told(test_database: Any, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A history in the database and the same in a lake, for all tests of this file."""
    folder = tmp_path_factory.mktemp("lake")
    with django_db_blocker.unblock():
        connections.close_all()
        chance = random.Random(11)
        channels = [
            book.channel("Berlin", time_zone="Europe/Berlin"),
            book.channel("Auckland", time_zone="Pacific/Auckland", currency="NZD"),
        ]
        book.fill_at_random(chance, channels, story.FIRST, days=8)
        story.walk(chance, list(CrossChannelJourney.objects.order_by("id")), channels)
        export(folder)
        for channel in channels:
            restate(channel, FIRST, LAST)
        with engine(folder, "duckdb") as opened:
            yield opened
        test_database.renew()


@pytest.fixture(autouse=True)
def _reading(told: Engine, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


def ask(told: Engine, question: str, **asked: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = told.ask(question, LakeAsked(**asked)).to_pylist()
    return rows


@pytest.mark.parametrize("period", [{}, {"since": date(2026, 3, 28), "until": date(2026, 3, 30)}])
def test_daily_figures_are_those_of_the_books(told: Engine, period: dict[str, date]) -> None:
    found = {(row["channel"], row["date"], row["currency"]): row for row in ask(told, "daily", **period)}
    assert found
    stored = {(row.sales_channel_id, row.date, row.currency): row for row in ChannelAnalytics.objects.all()}
    for key, row in found.items():
        assert {name: row[name] for name in FIGURES} == {name: getattr(stored[key], name) for name in FIGURES}, key
    since, until = period.get("since", FIRST), period.get("until", LAST)
    left_out = [row for key, row in stored.items() if key not in found and since <= row.date <= until]
    assert [row for row in left_out if row.orders_count or row.sessions] == []


def test_daily_figures_are_those_of_plain_counting(told: Engine) -> None:
    for channel in SalesChannel.objects.all():
        expected = slow.figures(channel, FIRST, LAST)
        rows = ask(told, "daily", channel=channel.pk)
        assert len(rows) > 8
        for row in rows:
            wanted = expected[row["date"], row["currency"]]
            assert {name: row[name] for name in wanted} == wanted, row["date"]


@pytest.mark.parametrize("window", [None, 1])
def test_a_funnel_is_that_of_journeys(told: Engine, window: int | None) -> None:
    steps = ("product_view", "add_to_cart", "checkout_start")
    expected = funnel(Asked(), [FunnelStep(word) for word in steps], window=timedelta(days=window) if window else None)
    rows = ask(told, "funnel", steps=steps, window_days=window)
    assert [row["persons"] for row in rows] == [stage.persons for stage in expected]
    assert rows[0]["persons"] > rows[-1]["persons"] > 0
    assert [row["median_seconds"] for row in rows] == [
        stage.median_time.total_seconds() if stage.median_time is not None else None for stage in expected
    ]


def test_paths_are_those_of_journeys_also_of_a_channel_and_a_period(told: Engine) -> None:
    shop = SalesChannel.objects.get(name="Auckland").pk
    some = {"since": date(2026, 3, 27), "until": date(2026, 4, 1), "channel": shop}
    for asked in ({}, some):
        expected = paths.top_paths(Asked(**asked))  # type: ignore[arg-type]
        rows = ask(told, "paths", **asked)
        assert [(tuple(row["channels"]), row["journeys"], row["persons"], row["ordered"]) for row in rows] == [
            (one.channels, one.journeys, one.persons, one.ordered) for one in expected
        ]
        assert rows[0]["distinct_paths"] == expected[0].distinct_paths
        for row, one in zip(rows, expected, strict=True):
            took = one.mean_time.total_seconds() if one.mean_time is not None else None
            assert row["mean_seconds"] == pytest.approx(took)


def local_days() -> dict[int, list[tuple[date, Decimal]]]:
    """The days on which each person bought, with what the order brought in euros."""
    zones = {channel.pk: channel for channel in SalesChannel.objects.all()}
    found: dict[int, list[tuple[date, Decimal]]] = defaultdict(list)
    for order in slow.valid_orders():
        who = slow.person(order)
        if who is not None:
            day = order.placed_at.astimezone(ZoneInfo(zones[order.sales_channel_id].time_zone)).date()
            net = slow.revenue(order) - slow.refund(order) if order.currency == "EUR" else Decimal(0)
            found[who].append((day, net))
    return found


def test_cohorts_are_those_of_plain_counting(told: Engine) -> None:
    expected: dict[tuple[date, int], Counter[int]] = defaultdict(Counter)
    for person, days in local_days().items():
        first = min(day for day, _ in days)
        for day, _ in days:
            months = (day.year - first.year) * 12 + day.month - first.month
            expected[first.replace(day=1), months][person] += 1
    rows = ask(told, "retention")
    assert {(row["cohort"], row["months_after"]): (row["persons"], row["orders"]) for row in rows} == {
        key: (len(people), people.total()) for key, people in expected.items()
    }
    assert all(row["share"] == 1 for row in rows if row["months_after"] == 0)


def test_equal_customers_have_equal_scores_and_scores_say_how_many_are_worse(told: Engine) -> None:
    days = local_days()
    measures: dict[int, tuple[Any, ...]] = {
        person: (max(day for day, _ in rows), len({day for day, _ in rows}), sum(net for _, net in rows))
        for person, rows in days.items()
    }
    expected: Counter[tuple[int, ...]] = Counter()
    for mine in measures.values():
        worse = [sum(other[place] < mine[place] for other in measures.values()) for place in range(3)]
        expected[tuple(1 + 5 * number // len(measures) for number in worse)] += 1
    rows = ask(told, "rfm", currency="EUR")
    assert {(row["recency"], row["frequency"], row["monetary"]): row["persons"] for row in rows} == dict(expected)
    assert sum(row["net_revenue"] for row in rows) == sum(net for rows in days.values() for _, net in rows)


def test_activity_counts_interactions_and_persons(told: Engine) -> None:
    rows = ask(told, "activity")
    touches = [row for rows in story.in_books()["interactions"] for row in [rows]]
    assert sum(row["interactions"] for row in rows) == len(touches)
    assert all(0 < row["persons"] <= row["interactions"] for row in rows)


def test_a_question_that_is_none_is_answered_with_those_that_are(told: Engine) -> None:
    with pytest.raises(UserError, match="daily, funnel, paths"):
        told.ask("weather", LakeAsked())
    with pytest.raises(UserError, match="the lake knows no channel"):
        told.channel_number("Moon")
    assert told.channel_number("berlin") == SalesChannel.objects.get(name="Berlin").pk


def test_an_empty_lake_answers_with_nothing(tmp_path: Path) -> None:
    with engine(_empty(tmp_path), "duckdb") as opened:
        for question in ("daily", "paths", "retention", "rfm", "activity"):
            assert opened.ask(question, LakeAsked(currency="EUR")).num_rows == 0
        assert [row["persons"] for row in ask(opened, "funnel")] == [0, 0, 0, 0]


def _empty(folder: Path) -> Path:
    from finalmarket.analytics.lake.layout import Head, Lake

    Lake(folder).write_head(Head(["none"]))
    return folder


@pytest.mark.parametrize("name", ["oracle", "spark"])
def test_an_engine_that_is_none_is_refused_in_words(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="spark://host:7077"), engine(_empty(tmp_path), name):
        pass
