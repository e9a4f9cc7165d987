"""Deliveries may come once or five times, late, early and in any order, while the platform goes on: in the end the same
stands in the books, byte for byte, and it is what the platform says.

FINALMARKET_PROOF_EVENTS and FINALMARKET_PROOF_SHUFFLES make it the long proof. Each order of deliveries is a test by
itself, so that several processes share the work: the first that ends lays its books down, the others are held against
them.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection

from finalmarket.integrations import inbox
from finalmarket.integrations.connect import PUBLIC_URL, subscribe
from finalmarket.integrations.models import DeadLetter, WebhookDelivery
from finalmarket.kernel import clock
from finalmarket.sandbox.platforms.fake import Fake
from finalmarket.sandbox.webhooks import Letter
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.integrations.stalls import Account, connect

EVENTS = int(os.environ.get("FINALMARKET_PROOF_EVENTS", "60"))
SHUFFLES = int(os.environ.get("FINALMARKET_PROOF_SHUFFLES", "5"))
SKUS = ("TEA", "CUP", "POT")
MORNING = datetime(2026, 5, 4, 8, tzinfo=UTC)
BETWEEN_EVENTS = timedelta(milliseconds=10)
"""The platform lets itself be asked 200 times a second."""
HOURS_OF_PATIENCE = 12
BUSY = (0.1, 0.02, 0.002)
"""How likely the worker comes by after an event: it keeps up, falls behind, falls far behind."""

STATE = """
    SELECT o.external_id, o.state, o.payment_state, o.problem, o.currency, o.external_version, o.email, o.goods,
           o.total, o.refunded, o.raw, o.shipping_address, o.cancelled_at IS NULL AS is_kept,
           (SELECT json_agg(json_build_array(line.position, line.sku, line.variant_id, line.external_id, line.quantity,
                            line.cancelled_quantity, line.fulfilled_quantity, line.short_quantity, line.unit_price,
                            line.total) ORDER BY line.position)
            FROM order_lines line WHERE line.order_id = o.id) AS lines,
           (SELECT json_agg(json_build_array(paid.tender, paid.external_id, paid.state, paid.amount, paid.refunded)
                            ORDER BY paid.tender, paid.external_id)
            FROM payments paid WHERE paid.order_id = o.id) AS payments,
           (SELECT json_agg(json_build_array(identity.kind, identity.value) ORDER BY identity.kind, identity.value)
            FROM customer_identities identity WHERE identity.customer_id = o.customer_id) AS customer
    FROM orders o ORDER BY o.external_id"""
STOCK = "SELECT variant_id, on_hand, reserved, allocated FROM stock_pool ORDER BY variant_id"


class Play:
    """What happens on the platform, the same every time: who buys, who changes their mind, what is shipped and paid
    back."""

    def __init__(self, shop: Fake) -> None:
        self.shop = shop
        self.dice = random.Random(11)
        self.open: list[str] = []
        self.paid: list[str] = []

    def go_on(self) -> None:
        """One more thing happens."""
        with self.shop.lock:
            chance = self.dice.random()
            if chance < 0.5 or not self.open:
                lines = [(sku, self.dice.randint(1, 3)) for sku in self.dice.sample(SKUS, self.dice.randint(1, 3))]
                email = f"shopper{self.dice.randint(1, 50)}@example.com"
                self.open.append(self.shop.order(*lines, email=email))
            elif chance < 0.65:
                self.shop.cancel_order(self._gone())
            elif chance < 0.8:
                self._ship(self._gone())
            elif chance < 0.9 and self.paid:
                self._pay_back(self.paid.pop(self.dice.randrange(len(self.paid))))
            else:
                self._touch(self.dice.choice(self.open))

    def _gone(self) -> str:
        return self.open.pop(self.dice.randrange(len(self.open)))

    def _ship(self, number: str) -> None:
        order = self.shop.state["orders"][number]
        lines = [{"id": line["id"], "quantity": line["quantity"]} for line in order["lines"]]
        order["fulfilments"].append({"id": f"F-{number}", "lines": lines, "carrier": "DHL", "tracking_number": number,
                                     "tracking_url": "", "shipped_at": order["placed_at"]})  # fmt: skip
        self.shop._changed("order", order)
        self.paid.append(number)

    def _pay_back(self, number: str) -> None:
        order = self.shop.state["orders"][number]
        order["refunds"].append({"id": f"R-{number}", "amount": "1.00", "reason": "late"})
        self.shop._changed("order", order)

    def _touch(self, number: str) -> None:
        order = self.shop.state["orders"][number]
        order["address"] = {**order["address"], "street": f"{self.dice.randint(1, 99)} High Street"}
        self.shop._changed("order", order)


def books() -> dict[str, str]:
    """What stands in the books in the end: row by row, each as it is written down, by its name."""
    rows = {}
    with connection.cursor() as cursor:
        for name, query in (("order", STATE), ("stock", STOCK)):
            cursor.execute(query)
            columns = [column.name for column in cursor.description or ()]
            for row in cursor.fetchall():
                text = json.dumps(dict(zip(columns, row, strict=True)), default=str, sort_keys=True)
                rows[f"{name} {row[0]}"] = text
    return rows


class Delivering:
    """What is on its way from the platform to the house, and the worker who comes by now and then."""

    def __init__(self, account: Account, dice: random.Random) -> None:
        self.account, self.dice = account, dice
        self.under_way: list[Letter] = []
        self.busy = BUSY[0]
        self.arrived = 0

    def send(self, letter: Letter) -> None:
        """It will arrive once to five times."""
        self.under_way += [letter] * self.dice.randint(1, 5)

    def arrive(self, most: int) -> None:
        """So many letters arrive, whichever."""
        token = self.account.integration.webhook_token
        for _ in range(min(most, len(self.under_way))):
            chosen = self.dice.randrange(len(self.under_way))
            self.under_way[chosen], self.under_way[-1] = self.under_way[-1], self.under_way[chosen]
            letter = self.under_way.pop()
            assert inbox.receive(token, letter.url, dict(letter.headers), letter.body) == 200
            self.arrived += 1

    def work(self) -> None:
        """All that can be worked on is."""
        while inbox.is_waiting(self.account.integration.pk):
            inbox.work(self.account.integration.pk)

    def pass_by(self) -> None:
        """The worker comes, or does not."""
        if self.dice.random() < 0.01:
            self.busy = self.dice.choice(BUSY)
        if self.dice.random() < self.busy:
            self.work()


def play(account: Account, caught: list[Letter], dice: random.Random, time: clock.Steered) -> int:
    """Everything happens, and its letters come 1 to 5 times, some at once, some much later, in any order. Returns how
    many came."""
    story, post, seen = Play(account.shop), Delivering(account, dice), len(caught)
    end = seen + EVENTS
    while len(caught) < end:
        time.advance(BETWEEN_EVENTS)
        account.shop.world.clock.advance(BETWEEN_EVENTS)
        story.go_on()
        for letter in caught[seen:]:
            post.send(letter)
        seen = len(caught)
        post.arrive(dice.randint(0, 6))
        post.pass_by()
    post.arrive(len(post.under_way))
    for _ in range(HOURS_OF_PATIENCE):  # where the house was too busy to be answered in time, it comes again later
        post.work()
        if not WebhookDelivery.objects.filter(handled_at=None).exists():
            break
        time.advance(timedelta(hours=1))
        account.shop.world.clock.advance(timedelta(hours=1))
    assert not WebhookDelivery.objects.filter(handled_at=None).exists()
    assert WebhookDelivery.objects.count() == len(caught)
    return post.arrived


@contextmanager
def connected(monkeypatch: pytest.MonkeyPatch, at: datetime) -> Iterator[tuple[Account, list[Letter]]]:
    """An account that the platform sends letters to, and these letters, caught on their way."""
    monkeypatch.setenv(PUBLIC_URL, "https://house.example")
    world = World(seed=1)
    world.clock.stand_still(at)
    shop = Fake(world)
    caught: list[Letter] = []
    monkeypatch.setattr(shop.sender, "send", caught.append)
    with served(shop) as (address,):
        account = connect(shop, address, skus=SKUS, units=EVENTS * 6)
        account.integration.webhook_token = "t" * 43
        account.integration.save()
        assert subscribe(account.integration) == ""
        caught.clear()
        yield account, caught


@pytest.mark.committed_database
@pytest.mark.parametrize("shuffle", range(SHUFFLES))
def test_in_the_end_the_same_stands_in_the_books(
    shuffle: int, shared: Path, monkeypatch: pytest.MonkeyPatch, tried: Counter[str]
) -> None:
    with clock.steered(MORNING) as time, connected(monkeypatch, MORNING) as (account, caught):
        tried["deliveries"] = play(account, caught, random.Random(shuffle), time)
        tried["events"] = len(caught)
        found = books()
        assert not DeadLetter.objects.exists()
        assert_as_the_platform_says(account, found)
    assert differences(found, reference(shared, found)) == []


@pytest.fixture
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder of this run that all of its processes see."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


def reference(shared: Path, found: dict[str, str]) -> dict[str, str]:
    """The books that all others are held against: these, where they are the first."""
    path, draft = shared / f"books-of-{EVENTS}.json", shared / f"{os.getpid()}.draft"
    draft.write_text(json.dumps(found), encoding="utf-8")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    books: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return books


def differences(found: dict[str, str], expected: dict[str, str], most: int = 5) -> list[str]:
    """The first rows that are not the same, byte for byte."""
    names = [name for name in sorted({*found, *expected}) if found.get(name) != expected.get(name)]
    return [f"{name}: {found.get(name)} is not {expected.get(name)}" for name in names[:most]]


def assert_as_the_platform_says(account: Account, found: dict[str, str]) -> None:
    """Every order of the platform, and no other, with its state and its money."""
    theirs = account.shop.state["orders"]
    rows = [json.loads(text) for name, text in found.items() if name.startswith("order ")]
    ours = {row["external_id"]: row for row in rows}
    assert set(ours) == set(theirs)
    for number, order in theirs.items():
        state = "cancelled" if order["is_cancelled"] else "fulfilled" if order["fulfilments"] else "open"
        assert ours[number]["state"] == state, number
        assert ours[number]["problem"] == ""
        back = Decimal(order["total"]) if order["is_cancelled"] else Decimal(len(order["refunds"]))
        assert Decimal(str(ours[number]["refunded"])) == back, number
