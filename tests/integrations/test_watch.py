"""A change is told without anybody asking for it, and a platform that is down keeps no other one waiting."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections

from finalmarket.integrations import jobs, watch
from finalmarket.integrations.lanes import lane
from finalmarket.integrations.links import link_listing, ref_of
from finalmarket.integrations.models import ChannelIntegration, IntegrationHealth, ListingLink
from finalmarket.integrations.push import push
from finalmarket.kernel import clock
from finalmarket.sandbox.platforms.fake import Fake
from finalmarket.sandbox.stand_in import Reply, Request
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.integrations.stalls import Account, connect
from tests.integrations.test_notices import ship
from tests.orders.market import draft, line

WORKER = (
    "import django; django.setup(); from django.db import connections; "
    "connections['default'].settings_dict['NAME'] = {name!r}; "
    "from finalmarket.worker.run import run_worker; run_worker(concurrency=16)"
)


def waiting() -> list[str]:
    """The jobs that wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id")
        return [str(name) for (name,) in cursor.fetchall()]


def test_what_is_due_wakes_a_worker_once(account: Account) -> None:
    assert watch.wake() == 1
    assert watch.wake() == 0
    assert waiting() == ["integrations.push"]


def test_what_is_told_wakes_nobody(account: Account) -> None:
    push(account.integration.pk)
    assert watch.wake() == 0


def test_a_change_wakes_a_worker_after_the_listings_rest(account: Account) -> None:
    push(account.integration.pk)
    account.receive("TEA", 1)
    with clock.steered(clock.now() + timedelta(seconds=1)):
        assert watch.wake() == 1


@pytest.mark.parametrize("state", ["in the lane", "breaker open", "paused", "not begun"])
def test_nobody_is_woken_for_what_may_not_be_told_now(account: Account, state: str) -> None:
    mine = ChannelIntegration.objects.filter(pk=account.integration.pk)
    with contextlib.ExitStack() as stack:
        if state == "in the lane":
            stack.enter_context(lane(account.integration.pk, "push"))
        elif state == "breaker open":
            until = clock.now() + timedelta(minutes=1)
            IntegrationHealth.objects.create(integration=account.integration, breaker_open_until=until)
        else:
            mine.update(status="paused" if state == "paused" else "active", push_from=None)
        assert watch.wake() == 0


def test_a_listing_that_could_not_be_made_there_does_not_wake_workers_for_its_stock_for_ever(account: Account) -> None:
    push(account.integration.pk)
    listing = account.offer("JAR", 4, linked=False)
    link_listing(account.integration, listing, ref_of(ListingLink(external_key="JAR", external_sku="JAR")))
    type(listing.variant.product).objects.filter(pk=listing.variant.product_id).update(title="")
    with clock.steered(clock.now() + timedelta(minutes=1)):
        push(account.integration.pk)
        assert "JAR" in account.waits()
    with clock.steered(clock.now() + timedelta(minutes=2)):
        assert watch.wake() == 0


def test_an_event_wakes_a_worker_that_tells_it(account: Account) -> None:
    from finalmarket.orders.intake import take

    push(account.integration.pk)
    with account.shop.lock:
        number = account.shop.order(("TEA", 1))
    source = f"integration:{account.integration.pk}"
    taken = take(draft(account.channel, number, line("TEA", 1, "5.00", external_id=f"{number}-1"), source=source))
    ship(account, taken.order)
    jobs.wake()
    assert "integrations.notices" in waiting()


def test_what_fails_by_our_own_fault_at_every_try_is_tried_less_and_less(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finalmarket.integrations.push.wares", lambda: 1 / 0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            jobs.push(account.integration.pk)
    assert watch.wake() == 0
    assert "our own fault" in IntegrationHealth.objects.get(integration=account.integration).last_failure


def test_a_secret_that_cannot_be_read_any_more_asks_for_a_person(account: Account) -> None:
    account.integration.credentials.update(encrypted=b"spoilt")
    assert "cannot be read" in push(account.integration.pk).reason
    assert account.refreshed().status == "needs_attention"


class Counting(Fake):
    """A stand-in that says when it shows what is wanted."""

    def __init__(self, world: World, account: str) -> None:
        super().__init__(world, account=account)
        self.wanted: dict[str, int] = {}
        self.shows = threading.Event()

    def effect(self, name: str, **facts: Any) -> None:
        """Note it, and look whether all is as wanted."""
        super().effect(name, **facts)
        if self.wanted and self.shown_stock() == self.wanted:
            self.shows.set()


class Hanging(Counting):
    """A platform that takes calls and does not answer, until it is let go."""

    def __init__(self, world: World, account: str) -> None:
        super().__init__(world, account)
        self.asked, self.freed = threading.Event(), threading.Event()

    def answer(self, request: Request) -> Reply:
        """Wait."""
        self.asked.set()
        self.freed.wait(120)
        return super().answer(request)


@pytest.fixture
def worker(committed_database: object) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Worker processes on this test's database; those that a test starts are stopped at its end."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.send_signal(signal.SIGTERM)
    for process in started:
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)


def start_worker(started: list[subprocess.Popen[bytes]]) -> None:
    """Start one more worker process."""
    program = WORKER.format(name=connections["default"].settings_dict["NAME"])
    started.append(subprocess.Popen([sys.executable, "-c", program], env=dict(os.environ)))


@pytest.mark.slow
def test_with_one_of_eight_platforms_hanging_the_seven_others_are_told_every_change(
    worker: list[subprocess.Popen[bytes]], world: World
) -> None:
    hanging = Hanging(world, "hanging")
    shops = [hanging, *(Counting(world, f"shop-{number}") for number in range(1, 8))]
    with served(*shops) as addresses:
        accounts = [connect(shop, address, skus=()) for shop, address in zip(shops, addresses, strict=True)]
        for account in accounts:
            sku = f"TEA-{account.shop.account}"
            account.shop.wanted = {sku: 10}  # type: ignore[attr-defined]
            account.offer(sku)
        start_worker(worker)
        assert hanging.asked.wait(60)
        for shop in shops[1:]:
            assert shop.shows.wait(60), f"{shop.account} was not told while another platform hung"
        for account in accounts[1:]:
            (sku,) = account.shop.wanted  # type: ignore[attr-defined]
            account.shop.shows.clear()  # type: ignore[attr-defined]
            account.shop.wanted = {sku: 13}  # type: ignore[attr-defined]
            account.receive(sku, 3)
        for shop in shops[1:]:
            assert shop.shows.wait(60), f"{shop.account} was not told of a change while another platform hung"
        assert not hanging.shows.is_set()
        hanging.freed.set()
        assert hanging.shows.wait(60)
