"""The tokens of an account are renewed by one worker at a time: at Clover each refresh token is good once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections

from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.errors import NeedsAttention, RetryLater
from finalmarket.integrations import accounts, breaker
from finalmarket.integrations.accounts import account_of, keep_secrets, open_connector
from finalmarket.integrations.lanes import lane
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.kernel import clock
from finalmarket.sandbox.platforms.clover import Clover
from finalmarket.sandbox.platforms.clover.store import APP_ID, MERCHANT
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.patience import until

pytestmark = pytest.mark.committed_database
DEADLINE_SECONDS = 20


@dataclass
class Merchant:
    """An account whose token has ended, and the platform, which renews it once."""

    integration: ChannelIntegration
    stand_in: Any

    def call(self) -> str:
        """Open the account and make a call, as a worker does."""
        with closing(open_connector(self.integration)) as there:
            return there.check()

    def renewals(self) -> int:
        """How many tokens the platform has given."""
        return len(self.stand_in.state["tokens"]) - 1

    def status(self) -> str:
        """The account's, as it stands now."""
        return ChannelIntegration.objects.get(pk=self.integration.pk).status


@pytest.fixture
def merchant(committed_database: object) -> Iterator[Merchant]:
    """An account at Clover, connected in the browser some hours ago."""
    stand_in = Clover(World(seed=1))
    stand_in.state["refresh"].append("refresh-of-this-morning")
    with served(stand_in) as (address,):
        integration = ChannelIntegration.objects.create(
            sales_channel=SalesChannel.objects.create(name="Till", channel_type="web"), platform_name="Clover",
            integration_type="pos", status="active", base_url=address,
            settings={"app_id": APP_ID, "merchant_id": MERCHANT},
        )  # fmt: skip
        ended = (clock.now() - timedelta(hours=1)).isoformat()
        secrets = {"access_token": "ended", "access_token_ends_at": ended, "refresh_token": "refresh-of-this-morning"}
        keep_secrets(integration, secrets)
        yield Merchant(integration, stand_in)


class Worker(threading.Thread):
    """Somebody who works beside this thread; `brought` is what came of it."""

    def __init__(self, act: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.act = act
        self.brought: Any = None
        self.start()

    def run(self) -> None:
        try:
            self.brought = self.act()
        except Exception as error:
            self.brought = error
        finally:
            connections.close_all()


def test_a_worker_that_opened_the_account_before_another_renewed_its_token_takes_that_one(merchant: Merchant) -> None:
    with closing(open_connector(merchant.integration)) as before:
        assert merchant.call() == before.check()
    assert merchant.renewals() == 1
    (kept,) = merchant.stand_in.state["refresh"]
    assert account_of(merchant.integration).secrets["refresh_token"] == kept


def test_workers_that_need_a_token_at_once_ask_for_one(merchant: Merchant) -> None:
    gate = threading.Barrier(4)

    def work() -> str:
        with closing(open_connector(merchant.integration)) as there:
            gate.wait(DEADLINE_SECONDS)
            return there.check()

    workers = [Worker(work) for _ in range(4)]
    for worker in workers:
        worker.join(DEADLINE_SECONDS)
    assert {worker.brought for worker in workers} == {f"Practice Shop ({MERCHANT})"}
    assert merchant.renewals() == 1


def test_a_refusal_is_confirmed_with_the_token_that_another_worker_is_about_to_keep(
    merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, may_keep, keep = threading.Event(), threading.Event(), accounts.keep_secrets

    def keep_late(integration: ChannelIntegration, secrets: Mapping[str, str]) -> None:
        given.set()
        assert may_keep.wait(DEADLINE_SECONDS)
        keep(integration, secrets)

    monkeypatch.setattr(accounts, "keep_secrets", keep_late)
    winner = Worker(merchant.call)
    assert given.wait(DEADLINE_SECONDS)
    loser = Worker(lambda: breaker.note_failure(merchant.integration, NeedsAttention("401", status=401)))
    until(lambda: waits_for_another() or not loser.is_alive(), "the other worker waits", DEADLINE_SECONDS)
    may_keep.set()
    for worker in (winner, loser):
        worker.join(DEADLINE_SECONDS)
    assert (winner.brought, loser.brought) == (f"Practice Shop ({MERCHANT})", False)
    assert (merchant.status(), merchant.renewals()) == ("active", 1)


def waits_for_another() -> bool:
    """Whether somebody waits for a lock that another one has."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return bool(cursor.fetchone()[0])


def test_a_worker_that_waits_too_long_for_another_makes_its_call_later(
    merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "MOST_SECONDS", 0.05)
    with lane(merchant.integration.pk, accounts.LANE), pytest.raises(RetryLater):
        merchant.call()
    assert merchant.renewals() == 0
    assert merchant.call() == f"Practice Shop ({MERCHANT})"
