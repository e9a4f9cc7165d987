"""Orders come in exactly once while webhooks, poll and backfill race for them and are broken off and killed.

FINALMARKET_PROOF_ORDERS makes it the long proof.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connections

from finalmarket.integrations import inbox
from finalmarket.integrations.connect import PUBLIC_URL, subscribe
from finalmarket.integrations.models import DeadLetter, ExternalId
from finalmarket.integrations.pull import backfill, pull
from finalmarket.kernel import clock, failpoints
from finalmarket.orders.models import Order, OrderLine, Payment
from finalmarket.sandbox.webhooks import Letter
from finalmarket.stock.models import StockPool
from tests.integrations.stalls import SKUS, Account

ORDERS = int(os.environ.get("FINALMARKET_PROOF_ORDERS", "200"))
PLACES = (
    "pull.before_page", "pull.after_page", "pull.before_commit", "pull.after_commit", "inbox.after_claim",
    "inbox.before_take", "inbox.after_take", "inbox.after_settle", "inbox.before_commit", "inbox.after_commit",
    "http.before_send", "http.after_send",
)  # fmt: skip
KILLED_AT = ("pull.before_page", "pull.after_page", "pull.before_commit", "pull.after_commit", "http.after_send")
WORK = {
    "pull": "from finalmarket.integrations.pull import pull; pull({number}, 'orders')",
    "inbox": "from finalmarket.integrations.inbox import work; work({number})",
    "backfill": (
        "from finalmarket.integrations.models import ChannelIntegration; from finalmarket.kernel import clock; "
        "from finalmarket.integrations.pull import backfill; "
        "backfill(ChannelIntegration.objects.get(pk={number}), clock.days_ago(2).replace(hour=0, minute=0, second=0, "
        "microsecond=0))"
    ),
}

pytestmark = pytest.mark.committed_database


class Race:
    """Workers that do the same thing again and again until they are told to stop; what breaks off begins anew."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.errors: list[BaseException] = []
        self.threads: list[threading.Thread] = []

    def run(self, act: Callable[[], object]) -> None:
        def work() -> None:
            try:
                while not self.stopped.is_set():
                    try:
                        act()
                    except failpoints.FailpointHit:
                        continue
            except BaseException as error:
                self.errors.append(error)
            finally:
                connections.close_all()

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self.threads.append(thread)

    def stop(self) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self.threads)
        assert self.errors == []


def all_came_once(account: Account) -> None:
    """Every order of the platform stands here once, with its lines, its payment and its stock."""
    theirs = account.shop.state["orders"]
    ours = list(Order.objects.values_list("external_id", flat=True))
    assert sorted(ours) == sorted(theirs)
    sold = dict.fromkeys(SKUS, 0)
    for order in theirs.values():
        if not order["is_cancelled"]:
            for line in order["lines"]:
                sold[line["sku"]] += line["quantity"]
    for sku, units in sold.items():
        assert StockPool.objects.get(variant=account.variants[sku]).allocated == units, sku
    lines = sum(len(order["lines"]) for order in theirs.values())
    assert (OrderLine.objects.count(), Payment.objects.count()) == (lines, len(theirs))
    assert ExternalId.objects.filter(kind="order").count() == len(theirs)
    assert not Order.objects.exclude(problem="").exists()
    assert not DeadLetter.objects.filter(settled_at=None).exists()


def test_orders_come_in_once_while_webhook_poll_and_backfill_race_and_break_off(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PUBLIC_URL, "https://house.example")
    account.integration.webhook_token = "t" * 43
    account.integration.save()
    letters: list[Letter] = []
    monkeypatch.setattr(account.shop.sender, "send", letters.append)
    subscribe(account.integration)
    for sku in SKUS:
        account.receive(sku, ORDERS * 3)
    number, token, since, race = account.integration.pk, "t" * 43, clock.days_ago(1), Race()
    sent = iter(range(10**9))

    def deliver() -> None:
        index = next(sent)
        if not letters:
            return
        letter = letters[index % len(letters)]
        inbox.receive(token, letter.url, dict(letter.headers), letter.body)
        if index % 5 == 0:
            inbox.work(number)

    race.run(deliver)
    race.run(lambda: pull(number, "orders"))
    race.run(lambda: (backfill(account.integration, since), backfill(account.integration, since - timedelta(days=1))))
    dice = random.Random(3)
    for count in range(ORDERS):
        with account.shop.lock:
            made = account.shop.order(*[(sku, dice.randint(1, 2)) for sku in dice.sample(SKUS, 2)])
            if dice.random() < 0.2:
                account.shop.cancel_order(made)
        if count % 10 == 0:
            with failpoints.armed(f"{dice.choice(PLACES)}:raise@{dice.randint(1, 3)}"):
                race.stopped.wait(0.05)
    race.stop()
    finish(account)
    all_came_once(account)


def finish(account: Account) -> None:
    """What was broken off is taken up again."""
    with clock.steered(clock.now() + timedelta(minutes=10)):
        while inbox.is_waiting(account.integration.pk):
            inbox.work(account.integration.pk)
        run = pull(account.integration.pk, "orders")
    assert run is not None
    assert run.outcome == "done"


@pytest.mark.parametrize("place", KILLED_AT)
def test_a_killed_pull_is_taken_up_where_it_ended(account: Account, place: str) -> None:
    account.receive("TEA", 200)
    for _ in range(120):
        with account.shop.lock:
            account.shop.order(("TEA", 1))
    for work, visit in (("pull", 2), ("backfill", 1)):
        assert killed(WORK[work].format(number=account.integration.pk), f"{place}:kill@{visit}") == -signal.SIGKILL
    finish(account)
    all_came_once(account)


@pytest.mark.parametrize("place", ["inbox.after_claim", "inbox.before_take", "inbox.after_take", "inbox.after_settle"])
def test_a_killed_worker_of_webhooks_is_replaced(account: Account, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PUBLIC_URL, "https://house.example")
    account.integration.webhook_token = "t" * 43
    account.integration.save()
    letters: list[Letter] = []
    monkeypatch.setattr(account.shop.sender, "send", letters.append)
    subscribe(account.integration)
    for _ in range(10):
        with account.shop.lock:
            account.shop.order(("POT", 1))
    for letter in letters:
        inbox.receive("t" * 43, letter.url, dict(letter.headers), letter.body)
    assert killed(WORK["inbox"].format(number=account.integration.pk), f"{place}:kill") == -signal.SIGKILL
    finish(account)
    all_came_once(account)


def killed(code: str, failpoint: str) -> int:
    """Let another process do it on this database, and die there; how it ended."""
    settings = connections["default"].settings_dict
    program = (
        "import django; django.setup(); from django.db import connections; "
        f"connections['default'].settings_dict['NAME'] = {settings['NAME']!r}; {code}"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "finalmarket.config.settings", failpoints.VARIABLE: failpoint},
    )  # fmt: skip
    if done.returncode != -signal.SIGKILL:
        raise AssertionError(done.stderr[-2000:])
    return done.returncode
