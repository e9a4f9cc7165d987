"""Deliveries may come once or five times, late, early and in any order, while the platform goes on: in the end the same
stands in the books, byte for byte, and it is what the platform says.

FINALMARKET_PROOF_EVENTS and FINALMARKET_PROOF_SHUFFLES make it the long proof.
"""

from __future__ import annotations

import json
import os
import random
from decimal import Decimal

import pytest
from django.db import connection

from finalmarket.integrations import inbox
from finalmarket.integrations.connect import PUBLIC_URL, subscribe
from finalmarket.integrations.models import DeadLetter
from finalmarket.kernel import clock
from finalmarket.sandbox.platforms.fake import Fake
from finalmarket.sandbox.webhooks import Letter
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.conftest import TestDatabase
from tests.integrations.stalls import Account, connect

EVENTS = int(os.environ.get("FINALMARKET_PROOF_EVENTS", "60"))
SHUFFLES = int(os.environ.get("FINALMARKET_PROOF_SHUFFLES", "5"))
SKUS = ("TEA", "CUP", "POT")

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


def books(account: Account) -> bytes:
    """What stands in the books in the end."""
    with connection.cursor() as cursor:
        found = {}
        for name, query in (("orders", STATE), ("stock", STOCK)):
            cursor.execute(query)
            columns = [column.name for column in cursor.description or ()]
            found[name] = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    return json.dumps(found, default=str, sort_keys=True).encode()


def play(account: Account, caught: list[Letter], dice: random.Random) -> None:
    """Everything happens, and its letters come 1 to 5 times, some at once, some much later, in any order."""
    integration, shop = account.integration, account.shop
    story, under_way, seen = Play(shop), list[Letter](), len(caught)
    token, end = integration.webhook_token, len(caught) + EVENTS
    while len(caught) < end or under_way:
        if len(caught) < end:
            story.go_on()
            for letter in caught[seen:]:
                under_way += [letter] * dice.randint(1, 5)
            seen = len(caught)
        arriving = dice.randint(0, 6) if len(caught) < end else len(under_way)
        dice.shuffle(under_way)
        for letter in under_way[:arriving]:
            assert inbox.receive(token, letter.url, dict(letter.headers), letter.body) == 200
        del under_way[:arriving]
        if dice.random() < 0.1 or not under_way:
            while inbox.is_waiting(integration.pk):
                inbox.work(integration.pk)


@pytest.mark.committed_database
def test_in_the_end_the_same_stands_in_the_books(
    committed_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PUBLIC_URL, "https://house.example")
    results = []
    with clock.steered(clock.now()):
        for shuffle in range(SHUFFLES):
            if shuffle:
                committed_database.renew()
            world = World(seed=1)
            world.clock.stand_still(clock.now())
            shop = Fake(world)
            caught: list[Letter] = []
            monkeypatch.setattr(shop.sender, "send", caught.append)
            with served(shop) as (address,):
                account = connect(shop, address, skus=SKUS, units=EVENTS * 6)
                account.integration.webhook_token = "t" * 43
                account.integration.save()
                assert subscribe(account.integration) == ""
                play(account, caught, random.Random(shuffle))
            assert not DeadLetter.objects.exists()
            results.append(books(account))
            assert_as_the_platform_says(account, json.loads(results[-1]))
    assert [index for index, result in enumerate(results) if result != results[0]] == []


def assert_as_the_platform_says(account: Account, found: dict[str, list[dict[str, object]]]) -> None:
    """Every order of the platform, and no other, with its state and its money."""
    theirs = account.shop.state["orders"]
    ours = {str(row["external_id"]): row for row in found["orders"]}
    assert set(ours) == set(theirs)
    for number, order in theirs.items():
        state = "cancelled" if order["is_cancelled"] else "fulfilled" if order["fulfilments"] else "open"
        assert ours[number]["state"] == state, number
        assert ours[number]["problem"] == ""
        back = Decimal(order["total"]) if order["is_cancelled"] else Decimal(len(order["refunds"]))
        assert Decimal(str(ours[number]["refunded"])) == back, number
