"""What an analytics platform counted is fetched by day and source, and corrected when the platform corrects it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from finalmarket.integrations.master import figures
from finalmarket.integrations.models import OutsideFigure
from finalmarket.kernel import clock
from tests.integrations.bureau import Bureau, opened_bureau

pytestmark = pytest.mark.committed_database


@pytest.fixture
def bureau(committed_database: object) -> Iterator[Bureau]:
    """An account that counts visits."""
    with opened_bureau() as opened:
        opened.give("figures")
        yield opened


def visit(bureau: Bureau, name: str, source: str, **fields: str) -> None:
    """Somebody comes by that source, and does so."""
    with bureau.office.lock:
        event = {"key": f"e{len(bureau.office.state['events'])}", "name": name, "at": clock.now().isoformat(),
                 "client": "c1", "session": "s1", "channel": "", "amount": "", "currency": "EUR",
                 "values": {"source": source}, **fields}  # fmt: skip
        bureau.office.state["events"][event["key"]] = event


def test_figures_come_by_day_and_source_and_are_restated(bureau: Bureau) -> None:
    visit(bureau, "page_view", "search")
    run = figures.fetch(bureau.integration.pk)
    assert run is not None
    assert run.outcome == "done", run.error
    first = list(OutsideFigure.objects.values_list("day", "sessions", "purchases"))
    assert first == [(clock.now().date(), 1, 0)]
    visit(bureau, "purchase", "search", amount="9.90")
    figures.fetch(bureau.integration.pk)
    (now,) = OutsideFigure.objects.all()
    assert (now.purchases, now.revenue, now.currency) == (1, Decimal("9.90"), "EUR")


def test_an_account_without_the_duty_is_not_asked(bureau: Bureau) -> None:
    bureau.give()
    assert figures.fetch(bureau.integration.pk) is None


def test_old_days_stay_as_they_were_fetched(bureau: Bureau) -> None:
    long_ago = clock.now().date() - timedelta(days=10)
    OutsideFigure.objects.create(integration=bureau.integration, day=long_ago, sessions=7)
    figures.fetch(bureau.integration.pk)
    assert OutsideFigure.objects.get(day=long_ago).sessions == 7
