"""Figures by REST: of channels, day by day, side by side, and how channels are doing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from finalmarket.analytics import rollup
from finalmarket.analytics.models import ExchangeRate
from finalmarket.kernel import clock
from tests.analytics import book
from tests.api.calling import Program, problem, told
from tests.api.conftest import House

NOON = datetime(2026, 5, 10, 12, tzinfo=UTC)
MAY = {"since": "2026-05-01", "until": "2026-05-10"}


@pytest.fixture
def sold(house: House) -> House:
    ExchangeRate.objects.create(base="CHF", quote="EUR", date=date(2026, 1, 1), rate=Decimal("1.05"))
    for days in (0, 1, 12):
        book.order(house.web, NOON - timedelta(days=days), goods="40.00", buyer=house.ann, units=2, returned=1)
    book.order(house.till, NOON, goods="100.00", currency="CHF")
    book.journey(house.web, NOON, house.ann)
    with clock.steered(NOON):
        rollup.restate_all()
    return house


@pytest.fixture
def program(sold: House) -> Program:
    return Program()


def test_the_figures_of_all_channels_come_in_both_currencies(sold: House, program: Program) -> None:
    web, till = told(program.get("/analytics/channels", **MAY))["items"]
    assert (web["channel"], web["orders_count"], web["revenue"], web["sessions"]) == (sold.web.pk, 2, "80.0000", 1)
    assert (till["revenue"], till["merchant_revenue"], till["missing_rates"]) == ("105.0000", "105.0000", [])


def test_the_metrics_of_a_channel_count_a_person_once(sold: House, program: Program) -> None:
    found = told(program.get("/analytics/metrics", channel=sold.web.pk, **MAY))
    assert (found["unique_customers"], found["new_customers"], found["customer_count"]) == (1, 0, 1)
    assert (found["return_rate"], found["since"], found["until"]) == ("0.500000", *MAY.values())


def test_days_come_in_pages_and_none_is_lost_when_they_are_told_anew_in_between(sold: House, program: Program) -> None:
    seen = []
    for items in program.pages("/analytics/daily", limit=3):
        seen += [(one["date"], one["channel"], one["currency"]) for one in items]
        rollup.restate(sold.web, NOON.date() - timedelta(days=12), NOON.date())
    assert len(seen) == len(set(seen)) == 13 + 2
    assert seen == sorted(seen)
    (day,) = told(program.get("/analytics/daily", channel=sold.till.pk, since="2026-05-10", limit=1))["items"]
    assert (day["currency"], day["merchant_rate"], day["merchant_revenue"]) == ("CHF", "1.050000000000", "105.0000")


def test_a_period_stands_beside_another_with_a_verdict_on_its_rates(sold: House, program: Program) -> None:
    found = told(program.get("/analytics/compare", channel=sold.web.pk, **MAY))
    assert (found["there"]["since"], found["there"]["until"]) == ("2026-04-21", "2026-04-30")
    orders = next(one for one in found["differences"] if one["name"] == "orders_count")
    assert (orders["here"], orders["there"], orders["change"]) == ("2", "1", "1.0000")
    assert all(one["words"] for one in found["rates"])
    beside = told(program.get("/analytics/compare", channel=sold.web.pk, other=sold.till.pk, **MAY))
    assert beside["there"]["channel"] == sold.till.pk


def test_journeys_and_health_are_told(sold: House, program: Program) -> None:
    (row,) = told(program.get("/analytics/journeys", **MAY))["items"]
    assert (row["channel"], row["intent"], row["journeys"], row["ordered"]) == (sold.web.pk, "purchase", 1, 0)
    words = told(program.get("/analytics/health"))["items"]
    assert {one["name"]: one["word"] for one in words} == {"Web shop": "healthy", "Till": "healthy"}


def test_a_key_that_is_bound_to_a_channel_sees_that_one_alone(sold: House) -> None:
    bound = Program("analytics:read", channels=[sold.till.pk])
    assert [one["channel"] for one in told(bound.get("/analytics/channels"))["items"]] == [sold.till.pk]
    assert {one["channel"] for one in told(bound.get("/analytics/daily"))["items"]} == {sold.till.pk}
    assert [one["channel"] for one in told(bound.get("/analytics/health"))["items"]] == [sold.till.pk]
    assert told(bound.get("/analytics/journeys", **MAY))["items"] == []
    problem(bound.get("/analytics/metrics", channel=sold.web.pk), "not-allowed", 403)
    problem(bound.get("/analytics/compare", channel=sold.till.pk, other=sold.web.pk), "not-allowed", 403)
    problem(Program("journeys:read").get("/analytics/channels"), "not-allowed", 403)


@pytest.mark.parametrize(("asked", "where"), [
    ({"since": "2026-05-10", "until": "2026-05-01"}, "query.since"), ({"since": "yesterday"}, "query.since"),
    ({"until": "0001-01-01"}, "query.until"), ({"until": "9999-12-31"}, "query.until"),
    ({"since": "2001-01-01", "until": "2026-01-01"}, "query.since"), ({"colour": "red"}, "query.colour"),
])  # fmt: skip
def test_what_cannot_be_asked_is_said(program: Program, asked: dict[str, str], where: str) -> None:
    said = problem(program.get("/analytics/channels", **asked), "invalid", 422)
    assert said["errors"][0]["where"] == where
