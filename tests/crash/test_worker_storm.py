"""A storm of restarts: whole worker processes are started and killed every few hundred milliseconds, while orders come
in from a platform and stock changes here. Nothing is lost or doubled, no lane stays locked, and one worker that is left
alone has done all of it within four minutes: what a killed one had claimed is free after three.

FINALMARKET_PROOF_STORM says for how many seconds.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from django.db import connection, connections

from finalmarket.integrations import inbox
from finalmarket.integrations.connect import PUBLIC_URL, subscribe
from finalmarket.integrations.models import DeadLetter, WebhookDelivery
from finalmarket.orders.models import Order, OrderLine, Payment
from finalmarket.sandbox.platforms.fake import Fake
from finalmarket.sandbox.webhooks import Letter
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from finalmarket.stock import atp
from finalmarket.worker.run import run_worker
from tests.crash.house import until
from tests.integrations.racers import fork
from tests.integrations.stalls import SKUS, Account, connect

SECONDS = float(os.environ.get("FINALMARKET_PROOF_STORM", "0"))
AT_ONCE = 3
LIFE_SECONDS = (0.2, 1.5)
DRAINED_SECONDS = 240.0
SESSIONS = "fm-storm"
TOKEN = "t" * 43


@contextmanager
def account_on_a_platform(patch: pytest.MonkeyPatch) -> Iterator[tuple[Account, list[Letter]]]:
    """An account whose platform calls the house; its letters lie in the list."""
    shop, letters = Fake(World(seed=1)), list[Letter]()
    patch.setenv(PUBLIC_URL, "https://house.example")
    with served(shop) as (address,):
        account = connect(shop, address, units=100_000)
        account.integration.webhook_token = TOKEN
        account.integration.save()
        patch.setattr(shop.sender, "send", letters.append)
        assert subscribe(account.integration) == ""
        yield account, letters


class Storm:
    """So many workers at once, each killed after a short while and replaced."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._alive: dict[int, float] = {}
        self.kills = 0

    def blow(self) -> None:
        """Kill whose time has come, and start others."""
        for process, end in list(self._alive.items()):
            if time.monotonic() > end:
                self._end(process)
        while len(self._alive) < AT_ONCE:
            self._alive[start_worker()] = time.monotonic() + self._dice.uniform(*LIFE_SECONDS)

    def cease(self) -> None:
        """End all that are left, as suddenly."""
        for process in list(self._alive):
            self._end(process)

    def _end(self, process: int) -> None:
        os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        assert os.WIFSIGNALED(status), f"a worker ended by itself with {status}"
        del self._alive[process]
        self.kills += 1


def start_worker() -> int:
    """A worker as `finalmarket worker` runs it; returns its process."""

    def work() -> None:
        os.environ["PGAPPNAME"] = SESSIONS
        run_worker(concurrency=4)

    return fork(work)


def lanes_held() -> int:
    """How many advisory locks the workers' sessions hold."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE locktype = 'advisory' AND application_name = %s AND datname = current_database()",
            [SESSIONS],
        )
        return int(cursor.fetchall()[0][0])


def trade(account: Account, letters: list[Letter], dice: random.Random) -> None:
    """Somebody buys there, goods arrive here, and the platform's letters are brought, some of them twice."""
    with account.shop.lock:
        account.shop.order((dice.choice(SKUS), dice.randint(1, 3)))
    account.receive(dice.choice(SKUS), 1)
    while letters:
        letter = letters.pop(0)
        for _ in range(dice.randint(1, 2)):
            assert inbox.receive(TOKEN, letter.url, dict(letter.headers), letter.body) == inbox.TAKEN


def faults(account: Account) -> list[str]:
    """What is lost, doubled, stale or has yet to be done."""
    theirs, ours = sorted(account.shop.sold()), sorted(Order.objects.values_list("external_id", flat=True))
    found = [] if ours == theirs else [f"{len(ours)} orders here, {len(theirs)} there"]
    lines = sum(len(order["lines"]) for order in account.shop.sold().values())
    if (OrderLine.objects.count(), Payment.objects.count()) != (lines, len(theirs)):
        found.append(f"{OrderLine.objects.count()} lines and {Payment.objects.count()} payments of {lines} lines")
    levels = atp.levels([variant.pk for variant in account.variants.values()], [account.channel.pk])
    shown = account.shop.shown_stock()
    for sku, variant in account.variants.items():
        if shown[sku] != levels[variant.pk, account.channel.pk].offered:
            found.append(f"{sku} shows {shown[sku]}, it should be {levels[variant.pk, account.channel.pk].offered}")
    found += [f"{sku} has yet to be told" for sku in sorted(account.waits())]
    found += [f"webhook {one.pk} waits" for one in WebhookDelivery.objects.filter(handled_at=None)[:5]]
    return found + [f"{letter} is set aside" for letter in DeadLetter.objects.filter(settled_at=None)]


@pytest.mark.slow
@pytest.mark.committed_database
@pytest.mark.skipif(not SECONDS, reason="a part of the proof: FINALMARKET_PROOF_STORM=30")
def test_a_storm_of_restarts_loses_and_doubles_nothing_and_one_worker_then_does_all_that_is_left(
    monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    dice, storm, pause = random.Random(5), Storm(random.Random(6)), threading.Event()
    with account_on_a_platform(monkeypatch) as (account, letters):
        end = time.monotonic() + SECONDS
        try:
            while time.monotonic() < end:
                trade(account, letters, dice)
                storm.blow()
                pause.wait(0.02)
        finally:
            storm.cease()
        connections.close_all()
        freed = until(lambda: lanes_held() == 0, "no lane is held by the dead", most_seconds=10)
        left = len(faults(account))
        last = start_worker()
        try:
            drained = until(lambda: not faults(account), "all is done", most_seconds=DRAINED_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.kill(last, signal.SIGTERM)
            os.waitpid(last, 0)
        record_property("kills", storm.kills)
        record_property("orders", len(account.shop.sold()))
        record_property("left_over_by_the_storm", left)
        record_property("lanes_free_after_s", round(freed, 2))
        record_property("drained_s", round(drained, 1))
        assert faults(account) == []
        assert storm.kills >= SECONDS, "it was a storm"
