"""Orders come in exactly once while webhooks, poll and backfill race for them in processes that are killed.

FINALMARKET_PROOF_ORDERS makes it the long proof.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from finalmarket.integrations import inbox
from finalmarket.integrations.connect import PUBLIC_URL, subscribe
from finalmarket.integrations.models import DeadLetter, ExternalId, StreamCursor, WebhookDelivery
from finalmarket.integrations.pull import BACKFILL, backfill, pull
from finalmarket.kernel import clock
from finalmarket.orders.models import Order, OrderLine, Payment
from finalmarket.sandbox.webhooks import Letter
from finalmarket.stock.models import StockPool
from tests.integrations.racers import Kind, Post, Race
from tests.integrations.stalls import SKUS, Account

ORDERS = int(os.environ.get("FINALMARKET_PROOF_ORDERS", "80"))
TOKEN = "t" * 43
CALLING = ("http.before_send", "http.after_send", "budget.before_ask", "budget.after_ask")
PULLING = ("pull.before_page", "pull.after_page", "pull.before_commit", "pull.after_commit", "runs.before_end",
           "runs.after_end", "pull.before_begin", "pull.after_begin", *CALLING)  # fmt: skip
LOOKING_BACK = (*PULLING, "pull.before_look_back", "pull.after_look_back")
WORKING = ("inbox.before_claim", "inbox.after_claim", "inbox.before_take", "inbox.after_take", "inbox.before_settle",
           "inbox.after_settle", *CALLING)  # fmt: skip
AT_THE_DOOR = ("inbox.before_commit", "inbox.after_commit")

pytestmark = pytest.mark.committed_database


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


def test_orders_come_in_once_while_webhook_poll_and_backfill_race_and_are_killed(
    account: Account, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    letters = called(account, monkeypatch)
    for sku in SKUS:
        account.receive(sku, ORDERS * 3)
    number, dice, made = account.integration.pk, random.Random(3), list[str]()
    post = Post(lambda letter: inbox.receive(TOKEN, letter.url, dict(letter.headers), letter.body))
    kinds = [
        Kind("door", post.answer, AT_THE_DOOR, pause_seconds=0),
        Kind("webhooks", lambda: inbox.work(number), WORKING),
        Kind("poll", lambda: pull(number, "orders"), PULLING, pause_seconds=0.05),
        Kind("backfill", lambda: look_back(account), LOOKING_BACK, pause_seconds=0.05),
    ]
    race = Race(kinds, post, dice, most_seconds=3.0 if ORDERS > 1000 else 0.5, most_visits=20 if ORDERS > 1000 else 2)
    try:
        while len(made) < ORDERS or not all_were_killed(race, kinds):
            made.append(somebody_buys(account, dice, made))
            while letters:
                post.waiting.extend([letters.pop(0)] * dice.randint(1, 3))
            race.tend(seconds=0.05 if len(made) > ORDERS else 0.0)
            while len(made) % 20 == 0 and len(made) - Order.objects.count() > 200:
                race.tend(seconds=0.05)
        while post.is_busy():
            race.tend(seconds=0.05)
    finally:
        race.stop()
    finish(account)
    record_property("orders", len(made))
    record_property("kills", sum(race.deaths.values()))
    record_property("killed", {f"{name} by {cause}": count for (name, cause), count in sorted(race.deaths.items())})
    all_came_once(account)


def called(account: Account, monkeypatch: pytest.MonkeyPatch) -> list[Letter]:
    """The platform is asked to call the house; its letters, caught on their way."""
    monkeypatch.setenv(PUBLIC_URL, "https://house.example")
    account.integration.webhook_token = TOKEN
    account.integration.save()
    letters: list[Letter] = []
    monkeypatch.setattr(account.shop.sender, "send", letters.append)
    assert subscribe(account.integration) == ""
    return letters


def somebody_buys(account: Account, dice: random.Random, before: list[str]) -> str:
    """One more order; one in five is cancelled, at once or later."""
    with account.shop.lock:
        made = account.shop.order(*[(sku, dice.randint(1, 2)) for sku in dice.sample(SKUS, 2)])
        if dice.random() < 0.2:
            account.shop.cancel_order(dice.choice([made, *before[-500:]]))
    return made


def look_back(account: Account) -> None:
    """Go on with the backfill that was broken off; when it has ended, begin anew."""
    since = clock.days_ago(1).replace(hour=0, minute=0, second=0, microsecond=0)
    left = StreamCursor.objects.filter(integration=account.integration, stream=BACKFILL).first()
    if left is not None and left.since is not None:
        since = left.since + timedelta(seconds=1) if left.pulled_at else left.since
    backfill(account.integration, since)


def all_were_killed(race: Race, kinds: list[Kind]) -> bool:
    """Whether some of each kind have died, some of them at a failpoint and some at any moment."""
    names, causes = {name for name, _ in race.deaths}, {cause for _, cause in race.deaths}
    return names == {kind.name for kind in kinds} and causes == {"a failpoint", "the clock"}


def finish(account: Account) -> None:
    """What was broken off is taken up again: ten minutes later, here and on the platform."""
    later = clock.now() + timedelta(minutes=10)
    account.shop.world.clock.stand_still(later)
    with clock.steered(later) as time:
        while WebhookDelivery.objects.filter(handled_at=None).exists():
            inbox.work(account.integration.pk)
            time.advance(timedelta(seconds=5))
            account.shop.world.clock.advance(timedelta(seconds=5))
        run = pull(account.integration.pk, "orders")
    assert run is not None
    assert run.outcome == "done"
