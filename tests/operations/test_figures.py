"""What the house tells Prometheus: read by the library's own parser, and equal to the books."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connections
from django.db.models import F
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from finalmarket.analytics import incremental
from finalmarket.analytics.models import AnalyticsChange, ExchangeRate
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.integrations.models import ChannelIntegration, DeadLetter
from finalmarket.kernel import clock
from finalmarket.kernel.jobs import enqueue
from finalmarket.operations import books
from finalmarket.stock.desk import Desk
from finalmarket.stock.models import Reservation
from finalmarket.stock.reserve import Request
from tests.analytics import book
from tests.conftest import TestDatabase
from tests.orders.market import open_market

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(text: str) -> Samples:
    """Every sample by its name and labels, as the library's own parser reads them."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def told_by_books() -> Samples:
    registry = CollectorRegistry()
    registry.register(books.Books())
    return read(generate_latest(registry).decode())


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, tuple(sorted(labels.items()))), 0.0)


def test_what_the_desk_granted_and_refused_is_told_as_the_books_have_it(committed_database: TestDatabase) -> None:
    market, desk = open_market(), Desk()
    market.goods("TEA", warehouse=5)
    tea, before = market.variants["TEA"].pk, read(generate_latest(REGISTRY).decode())
    wishes = [Request(f"cart-{number}", market.web.pk, ((tea, 2),)) for number in range(4)]
    desk.reserve_many(wishes)
    desk.reserve_many(wishes[:1])
    desk.close()
    after = read(generate_latest(REGISTRY).decode())

    def counted(outcome: str, reason: str = "") -> float:
        words = {"outcome": outcome, "reason": reason}
        name = "finalmarket_reservations_total"
        return value(after, name, **words) - value(before, name, **words)

    held = Reservation.objects.filter(state="held").count()
    assert (counted("granted"), counted("refused", "not enough"), counted("duplicate")) == (held, 2, 1) == (2, 2, 1)
    batches = "finalmarket_desk_batch_requests_sum"
    assert value(after, batches) - value(before, batches) == 5


def test_the_figures_of_the_books_are_those_of_the_books(committed_database: TestDatabase) -> None:
    market, desk = open_market(), Desk()
    market.goods("TEA", warehouse=5)
    desk.reserve(Request("cart", market.web.pk, ((market.variants["TEA"].pk, 2),)))
    desk.close()
    account = ChannelIntegration.objects.create(
        platform_name="Shopify", integration_type="marketplace", account_label="main", status="active"
    )
    for number in range(3):
        DeadLetter.objects.create(integration=account, stream="orders", external_id=str(number), reason="no SKU")
    enqueue("worker.tidy")
    told = told_by_books()
    assert value(told, "finalmarket_books_up") == 1
    assert value(told, "finalmarket_stock_holds") == 1
    assert value(told, "finalmarket_dead_letters", integration="Shopify main") == 3
    assert value(told, "finalmarket_jobs_waiting", queue="default") >= 1
    assert value(told, "finalmarket_workers") == 0


def test_accounts_that_are_called_the_same_are_told_apart(committed_database: TestDatabase) -> None:
    def account(label: str, status: str) -> int:
        return int(
            ChannelIntegration.objects.create(
                platform_name="Shopify", integration_type="marketplace", account_label=label, status=status
            ).pk
        )

    ails, works, gone = account("main", "needs_attention"), account("main", "active"), account("main", "disconnected")
    account("outlet", "active")
    seems = f"main #{works}"
    looks_alike = account(seems, "active")
    for number in (ails, ails, works):
        DeadLetter.objects.create(integration_id=number, stream="orders", reason="no SKU")
    told = told_by_books()
    asked_for = {
        labels[0][1]: figure for (name, labels), figure in told.items()
        if name == "finalmarket_integration_needs_attention"
    }  # fmt: skip
    assert asked_for == {
        f"Shopify main #{ails}": 1, f"Shopify main #{works}": 0, f"Shopify main #{gone}": 0, "Shopify outlet": 0,
        f"Shopify {seems} #{looks_alike}": 0,
    }  # fmt: skip
    assert value(told, "finalmarket_dead_letters", integration=f"Shopify main #{ails}") == 2
    assert value(told, "finalmarket_dead_letters", integration=f"Shopify main #{works}") == 1


LAG = "finalmarket_rollup_lag_seconds"


def test_an_order_of_last_year_that_is_taken_now_makes_no_figures_late(committed_database: TestDatabase) -> None:
    book.order(book.channel("Web shop"), clock.now() - timedelta(days=400), buyer=book.customer("Ann"))
    assert 0 <= value(told_by_books(), LAG) < 600
    incremental.restate_marked()
    assert value(told_by_books(), LAG) == 0


def test_figures_are_late_since_the_change_was_noted_that_they_lack_whatever_changed(
    committed_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*given: object) -> None:
        raise DatabaseError

    shop, ann, ben = book.channel("Web shop"), book.customer("Ann"), book.customer("Ben")
    changes: dict[str, Callable[[], object]] = {
        "order": lambda: book.order(shop, clock.now(), buyer=ann),
        "rates": lambda: ExchangeRate.objects.create(base="EUR", quote="USD", date=clock.now().date(), rate=1),
        "person": lambda: OmnichannelCustomer.objects.filter(pk=ben.pk).update(merged_into=ann),
        "day": lambda: book.journey(shop, clock.now(), ann),
    }
    for what, change in changes.items():
        change()
        AnalyticsChange.objects.update(noted_at=F("noted_at") - timedelta(hours=1))
        with monkeypatch.context() as patch:
            patch.setattr(incremental, "_complete", stumble)
            assert incremental.restate_marked() == 0
        assert value(told_by_books(), LAG) >= 3600, what
        assert incremental.restate_marked() == 1
        assert value(told_by_books(), LAG) == 0


def test_a_look_costs_the_same_statements_whatever_there_is(
    committed_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real: Callable[..., Any] = psycopg.Connection.execute

    def noted(self: Any, query: Any, *given: Any, **words: Any) -> Any:
        asked.append(str(query))
        return real(self, query, *given, **words)

    monkeypatch.setattr(psycopg.Connection, "execute", noted)
    books.ask()
    few = len(asked)
    for number in range(40):
        one = ChannelIntegration.objects.create(
            platform_name="Etsy", integration_type="marketplace", account_label=str(number), status="active"
        )
        DeadLetter.objects.create(integration=one, stream="orders", reason="no SKU")
    asked.clear()
    assert len([row for row in books.ask() if row[0] == "dead_letters"]) == 40
    assert len(asked) == few


def test_books_that_cannot_be_read_are_told_to_be_so(
    committed_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections["default"].settings_dict, "PORT", "1")
    assert told_by_books() == {("finalmarket_books_up", ()): 0.0}
