"""Whatever happens to orders, goods, money, persons, sessions and rates, in whatever order it becomes known: the
figures that were kept up equal those from scratch, to the cent, and those of a plain computation by hand."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from finalmarket.analytics import incremental, rollup
from finalmarket.analytics.models import AnalyticsChange, ChannelAnalytics, ExchangeRate, Merchant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers import merging
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import Order, OrderLine
from tests.analytics import book, slow

HISTORIES = int(os.environ.get("FINALMARKET_PROOF_FIGURES", "6"))
EVENTS = 25
FIRST = datetime(2026, 10, 21, tzinfo=UTC)  # the clocks go back four days later, and in New York another week later
CHANGE = datetime(2026, 10, 25, 1, tzinfo=UTC)  # in the Azores midnight strikes for the second time
DAYS = 20
NOW = FIRST + timedelta(days=DAYS)
PLACES = (
    ("Berlin", "Europe/Berlin", "EUR"),
    ("New York", "America/New_York", "USD"),
    ("Delhi", "Asia/Kolkata", "EUR"),
    ("Ponta Delgada", "Atlantic/Azores", "EUR"),
)
NOT_FIGURES = {"id", "sales_channel_id"}
slowly = settings(  # a history is not made shorter: that takes longer than reading it
    max_examples=HISTORIES, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)


@contextmanager
def taken_back() -> Iterator[None]:
    """What happens within it has not happened afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class World:
    """Four shops and what happens to them, drawn by chance."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.shops = [book.channel(name, time_zone=zone, currency=money) for name, zone, money in PLACES]
        self.people = [book.customer(f"Person {number}") for number in range(6)]

    def moment(self) -> datetime:
        """Some time within the days, early or late, now and then about when the clocks go back."""
        if self.chance.random() < 0.2:
            return CHANGE + timedelta(minutes=self.chance.randrange(-180, 180))
        return FIRST + timedelta(minutes=self.chance.randrange(DAYS * 24 * 60))

    def someone(self) -> OmnichannelCustomer | None:
        return self.chance.choice([*self.people, None])

    def some_order(self) -> Order | None:
        orders: list[Order | None] = [*Order.objects.order_by("pk")]
        return self.chance.choice(orders or [None])

    def happen(self) -> None:
        """One thing happens."""
        verbs: list[Callable[[], None]] = [self.order] * 6 + [
            self.change, self.change, self.give_back, self.give_back, self.decide, self.decide, self.visit,
            self.quote, self.say_currency, self.move_shop, self.remove,
        ]  # fmt: skip
        self.chance.choice(verbs)()

    def order(self) -> None:
        """An order comes in, late more often than not."""
        shop, goods = self.chance.choice(self.shops), Decimal(self.chance.randrange(100, 20_000)) / 100
        book.order(
            shop, self.moment(), goods=str(goods), buyer=self.someone(), units=self.chance.randrange(1, 5),
            shipping=self.chance.choice(["0", "4.90"]), line_tax=self.chance.choice(["0", "0.33"]),
            currency=self.chance.choice([shop.currency, shop.currency, "CHF"]),
            tax_included=self.chance.random() < 0.7,
        )  # fmt: skip

    def change(self) -> None:
        """An order is cancelled, stands again, is given another moment, another buyer, another discount."""
        if order := self.some_order():
            change: dict[str, Any] = self.chance.choice([
                {"state": "cancelled"}, {"state": "cancelled"}, {"state": "open"}, {"placed_at": self.moment()},
                {"customer": self.someone()}, {"goods": order.goods + 1, "total": order.total + 1},
                {"sales_channel": self.chance.choice(self.shops)},
            ])  # fmt: skip
            Order.objects.filter(pk=order.pk).update(**change)

    def give_back(self) -> None:
        """Goods come back, or money goes back."""
        if order := self.some_order():
            if self.chance.random() < 0.5:
                Order.objects.filter(pk=order.pk).update(refunded=(order.total / 3).quantize(Decimal("0.01")))
            else:
                line = OrderLine.objects.filter(order=order, kind="goods")
                line.update(returned_quantity=self.chance.randrange(0, line[0].fulfilled_quantity + 1))

    def decide(self) -> None:
        """Somebody joins two persons, or parts them."""
        one, other = self.chance.sample([person.pk for person in self.people], 2)
        try:
            with transaction.atomic():
                if self.chance.random() < 0.6:
                    merging.merge(one, other, actor="olga")
                else:
                    merging.unmerge(one, [other], actor="olga")
        except UserError:
            pass

    def visit(self) -> None:
        """A session begins, leads to an order or not, or turns out to be another one."""
        known = list(CrossChannelJourney.objects.order_by("pk"))
        if known and self.chance.random() < 0.5:
            CrossChannelJourney.objects.filter(pk=self.chance.choice(known).pk).update(
                order=self.some_order(), intent=self.chance.choice(["purchase", "support"]), started_at=self.moment()
            )
            return
        book.journey(self.chance.choice(self.shops), self.moment(), self.chance.choice(self.people), self.some_order())

    def quote(self) -> None:
        """A rate becomes known, is mended, or turns out to be none."""
        base, quote = self.chance.choice([("EUR", "USD"), ("USD", "EUR"), ("EUR", "CHF"), ("CHF", "USD")])
        day = self.moment().date()
        if self.chance.random() < 0.2:
            ExchangeRate.objects.filter(base=base, quote=quote).delete()
        else:
            rate = Decimal(self.chance.randrange(5_000, 20_000)) / 10_000
            ExchangeRate.objects.update_or_create(base=base, quote=quote, date=day, defaults={"rate": rate})

    def say_currency(self) -> None:
        """The merchant counts in other money."""
        Merchant.objects.update_or_create(pk=1, defaults={"currency": self.chance.choice(["EUR", "USD", "CHF"])})

    def move_shop(self) -> None:
        """A channel has its days from another hour on."""
        zone = self.chance.choice([zone for _, zone, _ in PLACES])
        SalesChannel.objects.filter(pk=self.chance.choice(self.shops).pk).update(time_zone=zone)

    def remove(self) -> None:
        """An order, or a session, is taken out of the book."""
        if (order := self.some_order()) and self.chance.random() < 0.5:
            order.delete()


def figures() -> dict[tuple[int, date, str], dict[str, Any]]:
    """All rows that say something: those before anything happened are left out."""
    found = {}
    for channel in SalesChannel.objects.all():
        rows = list(ChannelAnalytics.objects.filter(sales_channel=channel).values())
        first = min((row["date"] for row in rows if row["orders_count"] or row["sessions"]), default=date.max)
        for row in rows:
            if row["date"] >= first:
                key = row["sales_channel_id"], row["date"], row["currency"]
                found[key] = {name: value for name, value in row.items() if name not in NOT_FIGURES}
    return found


def from_scratch() -> dict[tuple[int, date, str], dict[str, Any]]:
    with taken_back():
        ChannelAnalytics.objects.all().delete()
        rollup.restate_all()
        return figures()


@pytest.mark.django_db
@slowly
@given(st.randoms(use_true_random=False))
def test_figures_that_are_kept_up_equal_those_from_scratch_whatever_happens_in_whatever_order(
    tried: Counter[str],
    chance: random.Random,
) -> None:
    tried["histories"] += 1
    tried["events"] += EVENTS
    with taken_back(), clock.steered(NOW):
        world = World(chance)
        for _ in range(EVENTS):
            world.happen()
            if chance.random() < 0.3:
                incremental.restate_marked()
        incremental.restate_marked()
        assert not AnalyticsChange.objects.exists()
        kept = figures()
        assert kept == from_scratch()
        for shop in SalesChannel.objects.all():
            by_hand = slow.figures(shop, FIRST.date() - timedelta(days=1), NOW.date() + timedelta(days=1))
            for (channel, day, currency), row in kept.items():
                if channel == shop.pk:
                    wanted = by_hand[day, currency]
                    assert {name: row[name] for name in wanted} == wanted, (shop.name, day, currency)


@pytest.mark.django_db
@slowly
@given(st.randoms(use_true_random=False))
def test_orders_that_arrive_in_another_order_end_in_the_same_figures(
    tried: Counter[str], chance: random.Random
) -> None:
    tried["histories"] += 1
    drafts = [
        (chance.randrange(2), FIRST + timedelta(minutes=chance.randrange(DAYS * 1440)), chance.randrange(4), number)
        for number in range(12)
    ]
    outcomes = []
    for _ in range(2):
        chance.shuffle(drafts)
        with taken_back(), clock.steered(NOW):
            world = World(chance)
            for shop, at, person, number in drafts:
                book.order(world.shops[shop], at, goods=f"{number + 1}.25", buyer=world.people[person])
                if chance.random() < 0.4:
                    incremental.restate_marked()
            incremental.restate_marked()
            names = {shop.pk: shop.name for shop in world.shops}
            outcomes.append({(names[key[0]], *key[1:]): row for key, row in figures().items()})
    assert outcomes[0] == outcomes[1]


@pytest.mark.committed_database
def test_two_workers_and_three_tills_at_once_lose_no_order() -> None:
    shops = [book.channel("Left", time_zone="UTC"), book.channel("Right", time_zone="UTC")]
    people = [book.customer(f"Person {number}") for number in range(3)]
    closing = threading.Event()

    def sell(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(20):
            book.order(chance.choice(shops), NOW - timedelta(days=chance.randrange(5)), buyer=chance.choice(people))

    def work() -> None:
        while not closing.is_set():
            incremental.restate_marked()

    def alone(run: Callable[[], None]) -> threading.Thread:
        def body() -> None:
            try:
                run()
            finally:
                connections.close_all()

        return threading.Thread(target=body)

    with clock.steered(NOW):
        tills = [alone(lambda seed=seed: sell(seed)) for seed in range(3)]  # type: ignore[misc]
        workers = [alone(work), alone(work)]
        for thread in (*workers, *tills):
            thread.start()
        for till in tills:
            till.join()
        closing.set()
        for worker in workers:
            worker.join()
        incremental.restate_marked()
        kept = figures()
        assert sum(row["orders_count"] for row in kept.values()) == 60
        assert kept == from_scratch()


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["analytics.before_commit", "analytics.after_expand", "analytics.before_restate"])
def test_a_worker_that_dies_in_between_leaves_the_days_to_the_next(place: str) -> None:
    shop, ann = book.channel("Shop", time_zone="UTC"), book.customer("Ann")
    book.order(shop, NOW - timedelta(days=3), buyer=ann)
    with clock.steered(NOW):
        with failpoints.armed(f"{place}:raise"), pytest.raises(failpoints.FailpointHit):
            incremental.restate_marked()
        assert incremental.is_marked()
        incremental.restate_marked()
        assert not incremental.is_marked()
        assert figures() == from_scratch()
        assert ChannelAnalytics.objects.get(sales_channel=shop, date=NOW.date()).customer_count == 1


@pytest.mark.django_db
def test_a_rolled_back_order_marks_nothing() -> None:
    shop = book.channel("Shop")
    with transaction.atomic():
        book.order(shop, NOW)
        transaction.set_rollback(True)
    assert not incremental.is_marked()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM channel_analytics")
        assert cursor.fetchone()[0] == 0
