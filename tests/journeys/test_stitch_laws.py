"""Laws of journeys: in whatever order things come, how often, and whoever is merged in between, the same is told."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys import stitching
from finalmarket.journeys.facts import Touch
from finalmarket.journeys.intent import STEPS
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.journeys.record import VALUE_SCORES
from finalmarket.orders.models import Order, Return
from tests.journeys.tales import (
    LONG_AFTER,
    NOON,
    at,
    channels,
    dump,
    merge,
    order,
    part,
    people,
    placed_at,
    record,
    tale,
    tell,
    tell_from_scratch,
    undone,
)

WORDS = ("", "", "", "/help", "/returns", "write a review")
PAUSES = st.one_of(
    st.integers(0, 40).map(lambda minutes: timedelta(minutes=minutes)),
    st.integers(0, 72).map(lambda hours: timedelta(hours=hours)),
    st.integers(0, 20).map(lambda days: timedelta(days=days)),
)


@dataclass(frozen=True)
class Sale:
    """An order, perhaps cancelled, perhaps returned."""

    customer: int
    channel: int
    after: timedelta
    is_cancelled: bool
    returned_after: timedelta | None


@dataclass(frozen=True)
class Call:
    """A journey that somebody starts by a call, and perhaps ends."""

    customer: int
    intent: str
    after: timedelta
    ended_after: timedelta | None


@dataclass(frozen=True)
class Life:
    """What two profiles did, and what stands in the books of them."""

    deeds: list[Touch]
    sales: list[Sale]
    calls: list[Call]


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Deeds with pauses of minutes, hours and days between them; moments may be the same."""
    moment, deeds = NOON, []
    for number in range(draw(st.integers(1, 14))):
        moment += draw(PAUSES)
        kind = draw(st.sampled_from(STEPS))
        deeds.append(
            Touch(
                number, draw(st.integers(0, 1)), draw(st.integers(0, 2)), kind, moment, VALUE_SCORES[kind],
                f"m{number}", draw(st.sampled_from(("", "CUP", "BOWL"))), draw(st.sampled_from(WORDS)),
            )
        )  # fmt: skip
    within = st.integers(0, max(1, int((moment - NOON).total_seconds() // 60) + 60)).map(
        lambda minutes: timedelta(minutes=minutes)
    )
    who, maybe = st.integers(0, 1), st.one_of(st.none(), within)
    sales = draw(st.lists(st.builds(Sale, who, st.integers(0, 2), within, st.booleans(), maybe), max_size=3))
    call = st.builds(Call, who, st.sampled_from(("purchase", "support")), within, maybe)
    calls = draw(st.lists(call, max_size=2, unique_by=lambda one: one.after))
    return Life(deeds, sales, calls)


class House:
    """Channels and two profiles, to which a life happens."""

    def __init__(self) -> None:
        self.where: Sequence[SalesChannel] = channels()
        self.who: Sequence[OmnichannelCustomer] = people("Ann", "Ben")

    def record(self, deeds: Sequence[Touch]) -> None:
        """These things are told to us."""
        record(placed_at(deed, self.who, self.where) for deed in deeds)

    def sell(self, sale: Sale, number: int) -> None:
        """An order comes in; afterwards it may be cancelled or come back."""
        customer, channel = self.who[sale.customer], self.where[sale.channel]
        placed = order(customer.pk, channel.pk, NOON + sale.after, f"FM-{number}")
        if sale.returned_after is not None:
            moment = NOON + sale.returned_after
            Return.objects.create(order=placed, sales_channel=channel, key=f"R-{number}", at=moment)
        if sale.is_cancelled:
            Order.objects.filter(pk=placed.pk).update(state="cancelled")

    def call(self, call: Call) -> None:
        """Somebody starts a journey by a call, and may end it."""
        journey = self.who[call.customer].journeys.start(self.where[0], call.intent, started_at=NOON + call.after)
        if call.ended_after is not None:
            journey.complete("success", at=max(NOON + call.ended_after, journey.started_at))

    def live(self, life: Life) -> None:
        """All of it, in the order of time."""
        self.record(life.deeds)
        for number, sale in enumerate(life.sales):
            self.sell(sale, number)
        for call in life.calls:
            self.call(call)

    def live_in_parts(self, life: Life, dice: random.Random) -> None:
        """All of it in any order, things told twice, with a telling now and then between, at times that go on."""
        acts: list[Any] = [lambda deed=deed: self.record([deed, deed]) for deed in [*life.deeds, *life.deeds]]
        acts += [lambda sale=sale, number=number: self.sell(sale, number) for number, sale in enumerate(life.sales)]
        acts += [lambda call=call: self.call(call) for call in life.calls]
        dice.shuffle(acts)
        now = NOON
        for act in acts:
            act()
            if dice.random() < 0.5:
                now += timedelta(days=dice.random() * 20)
                tell(min(now, LONG_AFTER))
        tell()


TALES = int(os.environ.get("FINALMARKET_PROOF_WORLDS", "12"))
LAW = settings(max_examples=TALES, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.django_db
@LAW
@given(life=lives(), seed=st.integers(0, 10_000))
def test_any_order_with_repetitions_and_late_events_ends_in_the_same_journeys(life: Life, seed: int) -> None:
    def in_order() -> Any:
        house = House()
        house.live(life)
        tell()
        return tale()

    def in_parts() -> Any:
        house = House()
        house.live_in_parts(life, random.Random(seed))
        return tale()

    def told(found: list[tuple[Any, ...]]) -> list[Any]:
        """Without the numbers of channels within the steps, which differ from house to house."""
        return sorted(([*row[:-1], [step.split("|")[:4] for step in row[-1]]] for row in found), key=repr)

    assert told(undone(in_parts)) == told(undone(in_order))


@pytest.mark.django_db
@LAW
@given(life=lives(), seed=st.integers(0, 10_000))
def test_telling_step_by_step_equals_telling_from_scratch(life: Life, seed: int) -> None:
    def act() -> Any:
        House().live_in_parts(life, random.Random(seed))
        step_by_step = dump()
        tell_from_scratch()
        return step_by_step, dump()

    step_by_step, from_scratch = undone(act)
    assert step_by_step == from_scratch


@pytest.mark.django_db
@LAW
@given(life=lives(), later=lives())
def test_parting_gives_back_what_was_before_merging(life: Life, later: Life) -> None:
    def act() -> Any:
        house = House()
        house.live(life)
        tell()
        apart = dump()
        merge(house.who[0], [house.who[1]])
        tell()
        part([house.who[1]])
        tell()
        return apart, dump()

    apart, parted = undone(act)
    assert parted == apart


@pytest.mark.django_db
@LAW
@given(life=lives(), seed=st.integers(0, 10_000))
def test_what_happens_while_people_are_merged_is_theirs_after_parting(life: Life, seed: int) -> None:
    def act() -> Any:
        house = House()
        house.record(life.deeds[::2])
        tell(at(days=3))
        merge(house.who[1 - seed % 2], [house.who[seed % 2]])
        house.live_in_parts(life, random.Random(seed))
        together = dump()
        tell_from_scratch()
        assert dump() == together
        part([house.who[seed % 2]])
        tell()
        parted = dump()
        tell_from_scratch()
        return parted, dump()

    parted, from_scratch = undone(act)
    assert parted == from_scratch


@pytest.mark.committed_database
def test_sixteen_who_record_merge_and_tell_at_once_lose_nothing() -> None:
    where, who = channels(), people(*"ABCDEF")
    dice = random.Random(5)
    deeds = [
        Touch(
            number, who[number % 6].pk, dice.choice(where).pk, dice.choice(STEPS), at(minutes=dice.randrange(30_000)),
            1, f"m{number}", "CUP", dice.choice(WORDS),
        )
        for number in range(480)
    ]  # fmt: skip

    def work(worker: int) -> None:
        try:
            mine = random.Random(worker)
            for start in range(worker, len(deeds), 64):
                record(sorted(deeds[start : start + 64 : 16], key=lambda deed: deed.customer))
                if worker < 4:
                    order(who[worker].pk, where[0].pk, at(minutes=mine.randrange(30_000)), f"O-{worker}-{start}")
                if worker == 15:
                    merge(who[0], [who[1]]) if start % 128 < 64 else part([who[1]])
                stitching.run(now=LONG_AFTER)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    tell()
    told = dump()
    assert CrossChannelJourney.objects.filter(is_recognised=True).exists()
    tell_from_scratch()
    assert dump() == told
