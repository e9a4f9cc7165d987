"""How an account is doing, in one honest word."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finalmarket.channels.models import DueChange
from finalmarket.integrations import breaker, health, pull
from finalmarket.integrations.models import ChannelIntegration, IntegrationHealth, WebhookDelivery
from finalmarket.integrations.push import push
from finalmarket.kernel import clock
from finalmarket.sandbox.faults import Fault
from tests.integrations.stalls import Account

pytestmark = pytest.mark.committed_database


@pytest.fixture
def now() -> Iterator[clock.Steered]:
    with clock.steered(clock.now()) as steered:
        yield steered


@pytest.fixture
def busy(now: clock.Steered, account: Account) -> Account:
    """An account that was pulled and told all just now."""
    pull.pull(account.integration.pk, "orders")
    push(account.integration.pk)
    return account


def word(account: Account) -> str:
    return account.refreshed().health().word


def test_who_was_pulled_and_told_just_now_is_healthy(busy: Account) -> None:
    found = busy.refreshed().health()
    assert found.word == "healthy"
    assert "orders pulled 0 seconds ago" in found.reason


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("new", "not connected"),
        ("disconnected", "not connected"),
        ("paused", "paused"),
        ("needs_attention", "needs attention"),
    ],
)
def test_the_status_goes_before_everything_else(busy: Account, status: str, expected: str) -> None:
    ChannelIntegration.objects.update(status=status, status_reason="because")
    IntegrationHealth.objects.update(failures_in_row=9)
    assert word(busy) == expected


def test_orders_that_were_not_pulled_for_long_are_behind(busy: Account, now: clock.Steered) -> None:
    now.advance(timedelta(minutes=11))
    DueChange.objects.update(due_since=clock.now())
    found = busy.refreshed().health()
    assert (found.word, found.reason) == ("behind", "orders were last pulled 11 minutes ago")


def test_changes_that_wait_to_be_told_are_behind(busy: Account, now: clock.Steered) -> None:
    busy.receive("TEA", 5)
    DueChange.objects.filter(listing=busy.listings["TEA"], what="stock").update(due_since=clock.now())
    assert word(busy) == "healthy"
    now.advance(timedelta(minutes=6))
    found = busy.refreshed().health()
    assert found.word == "behind"
    assert found.reason.startswith("1 change waits to be told, the oldest for 6 minutes")


def test_nobody_is_behind_with_what_is_not_to_be_told_yet(busy: Account, now: clock.Steered) -> None:
    busy.receive("TEA", 5)
    ChannelIntegration.objects.update(push_from=None)
    now.advance(timedelta(minutes=6))
    found = busy.refreshed().health()
    assert found.word == "healthy"
    assert "pushing has not begun" in found.reason


def test_a_webhook_that_nobody_works_on_is_behind(busy: Account, now: clock.Steered) -> None:
    WebhookDelivery.objects.create(
        integration=busy.integration, event_id="E1", body=b"{}", received_at=clock.now() - timedelta(minutes=6)
    )
    assert word(busy) == "behind"
    assert "does a worker run?" in busy.refreshed().health().reason


def test_a_platform_that_fails_again_and_again_is_failing_and_recovers(busy: Account, now: clock.Steered) -> None:
    for _ in range(3):
        now.advance(timedelta(seconds=1))
        busy.shop.faults.then(Fault.ERROR_BEFORE)
        pull.pull(busy.integration.pk, "customers")
    found = busy.refreshed().health()
    assert found.word == "failing"
    assert found.reason.startswith("3 failures in a row, the last: 500 broken")
    now.advance(timedelta(minutes=6))
    for _ in range(4):  # as many good runs as bad ones: less than half of the day's runs failed
        pull.pull(busy.integration.pk, "orders")
        now.advance(timedelta(seconds=1))
    assert word(busy) == "healthy"


def test_a_webhook_that_waits_because_the_platform_asked_us_to_is_no_matter_of_the_worker(
    busy: Account, now: clock.Steered
) -> None:
    WebhookDelivery.objects.create(
        integration=busy.integration, event_id="e", body=b"", received_at=now.now(), next_try_at=now.now()
    )
    now.advance(timedelta(minutes=6))
    IntegrationHealth.objects.update(breaker_open_until=now.now() + timedelta(minutes=1))
    assert busy.refreshed().health().reason == "a webhook waits for 6 minutes; the platform asked us to wait"


def test_refused_webhooks_and_letters_are_told_of(busy: Account) -> None:
    IntegrationHealth.objects.update(refused_webhook_count=2, last_refused_webhook="the signature does not fit")
    assert "2 webhooks were refused: the signature does not fit" in busy.refreshed().health().reason


def test_many_accounts_are_asked_for_by_the_same_few_queries(busy: Account) -> None:
    for number in range(5):
        ChannelIntegration.objects.create(
            platform_name="fake", integration_type="marketplace", account_label=str(number), status="active"
        )
    every = list(ChannelIntegration.objects.all())
    with CaptureQueriesContext(
        connection,
    ) as few:
        health.health_of_all(every[:1])
    with CaptureQueriesContext(connection) as many:
        health.health_of_all(every)
    assert len(many) == len(few) <= 6


def test_the_runs_of_a_month_are_counted(busy: Account, now: clock.Steered) -> None:
    with busy.shop.lock:
        busy.shop.order(("TEA", 1))
    now.advance(timedelta(seconds=10))
    pull.pull(busy.integration.pk, "orders")
    busy.shop.faults.then(Fault.ERROR_BEFORE)
    pull.pull(busy.integration.pk, "orders")
    breaker.note_success(busy.integration.pk)
    found = busy.refreshed().sync_statistics(30)
    assert (found.runs, found.failed_runs, found.seen, found.changed) == (3, 1, 1, 1)
    assert found.last_good_pull_at is not None
    now.advance(timedelta(days=31))
    assert busy.refreshed().sync_statistics(30).runs == 0
