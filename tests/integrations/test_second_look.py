"""Orders are looked at once more: every hour by itself, and from any moment on when a person asks for it. Neither
undoes how far the other has come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from finalmarket.connectors.errors import NOT_ASKED, RetryLater
from finalmarket.connectors.platforms.fake import Fake
from finalmarket.integrations import jobs
from finalmarket.integrations.lanes import lane
from finalmarket.integrations.models import StreamCursor
from finalmarket.integrations.pull import backfill
from finalmarket.kernel import clock, failpoints
from finalmarket.orders.models import Order
from tests.integrations.stalls import Account
from tests.waiting import arguments_of

pytestmark = pytest.mark.committed_database


def looks_put_off() -> list[dict[str, Any]]:
    """Take what waits to be looked at, as its jobs are to be called."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'succeeded'"
            " WHERE task_name = 'integrations.backfill' AND status = 'todo' RETURNING args::text"
        )
        return [arguments_of(args) for (args,) in cursor.fetchall()]


def broken_off(account: Account, since: datetime) -> None:
    """A person has 70 orders looked at once more, and it is broken off after the first page of 50."""
    account.receive("TEA", 500)
    with account.shop.lock:
        for _ in range(70):
            account.shop.order(("TEA", 1))
    with failpoints.armed("pull.before_commit:raise@2"), pytest.raises(failpoints.FailpointHit):
        backfill(account.integration, since)
    assert Order.objects.count() == 50


def test_the_look_of_every_hour_leaves_a_persons_backfill_where_it_had_come_to(account: Account) -> None:
    since = clock.days_ago(2)
    broken_off(account, since)
    jobs.look_back()
    for look in looks_put_off():
        jobs.backfill(**look)
    assert Order.objects.count() == 70
    done = backfill(account.integration, since)
    assert done is not None
    assert (done.outcome, done.seen_count) == ("done", 20)


def test_a_look_that_waits_to_go_on_and_the_one_of_the_next_hour_both_have_their_turn(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = clock.days_ago(2).isoformat()
    used_up = RetryLater("used up", code=NOT_ASKED)
    monkeypatch.setattr(Fake, "pull_orders", lambda *_: (_ for _ in ()).throw(used_up))
    jobs.look_back()
    jobs.backfill(account.integration.pk, since)
    waiting = [look["since"] for look in looks_put_off() if look["stream"] == "orders"]
    assert len(waiting) == 2
    assert since in waiting


def test_a_look_that_is_under_way_is_not_begun_anew_by_who_finds_it_so(account: Account) -> None:
    since = clock.days_ago(2)
    broken_off(account, since)
    before = StreamCursor.objects.values("since", "cursor").get(stream="backfill")
    with lane(account.integration.pk, "pull backfill") as held:
        assert held is not None
        assert backfill(account.integration, clock.days_ago(9)) is None
    assert StreamCursor.objects.values("since", "cursor").get(stream="backfill") == before
