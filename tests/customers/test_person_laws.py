"""Laws of persons in the database: one result whatever the order and however many at once; a merge that is undone
leaves nothing behind."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finalmarket.channels.models import SalesChannel
from finalmarket.customers import merging
from finalmarket.customers.graph import Decisions
from finalmarket.customers.models import ChannelPreference, Consent, OmnichannelCustomer
from finalmarket.customers.persons import members, settle
from finalmarket.customers.resolve import resolve_many
from finalmarket.customers.rules import rules_for
from finalmarket.journeys import stitching
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from tests.analytics import book
from tests.customers.crowds import (
    Partition,
    Record,
    contact,
    dump,
    from_scratch,
    partition,
    profiles_of,
    random_records,
    records,
    stored_partition,
    stored_persons,
)
from tests.orders.market import together

WORLDS = int(os.environ.get("FINALMARKET_PROOF_WORLDS", "8"))
AT_ONCE = 16
slowly = settings(max_examples=WORLDS, suppress_health_check=list(HealthCheck))
BLOCKED = {("email", "reception@example.com")}


@contextmanager
def taken_back() -> Iterator[None]:
    """What happens within it has not happened afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def expected(arrived: list[Record]) -> Partition:
    """Who is one person by the pure function, from records alone."""
    profiles = profiles_of(arrived, BLOCKED)
    return partition(profiles, Decisions(), rules_for({value for record in arrived for value in record}))


@pytest.mark.django_db
@slowly
@given(records(), st.randoms(use_true_random=False))
def test_records_in_any_order_one_by_one_or_together_end_in_the_persons_of_the_pure_function(
    tried: Counter[str], arrived: list[Record], chance: random.Random
) -> None:
    tried["worlds"] += 1
    wanted = expected(arrived)
    for _ in range(3):
        chance.shuffle(arrived)
        with taken_back():
            waiting = [*arrived, *chance.sample(arrived, len(arrived) // 3)]
            while waiting:
                size = chance.randint(1, 4)
                resolve_many([contact(record) for record in waiting[:size]])
                del waiting[:size]
                settle()
                assert stored_persons() == from_scratch()
            assert stored_partition() == wanted


@pytest.mark.django_db
@slowly
@given(records(), st.randoms(use_true_random=False))
def test_whatever_people_decide_what_is_kept_up_to_date_equals_what_is_computed_from_scratch(
    tried: Counter[str], arrived: list[Record], chance: random.Random
) -> None:
    tried["worlds"] += 1
    with taken_back():
        for number, record in enumerate([*arrived, *arrived]):
            resolve_many([contact(record)])
            settle()
            if number % 2:
                _decide(chance)
            assert stored_persons() == from_scratch()
            upper = OmnichannelCustomer.objects.exclude(merged_into=None).select_related("merged_into")
            assert all(row.merged_into is not None and row.merged_into.merged_into_id is None for row in upper)


def _decide(chance: random.Random) -> None:
    """Somebody merges, unmerges or keeps apart two of the profiles, or is told that it makes no sense."""
    ids = list(OmnichannelCustomer.objects.order_by("pk").values_list("pk", flat=True))
    one, other = chance.choice(ids), chance.choice(ids)
    try:
        with transaction.atomic():
            verb = chance.choice(["merge", "unmerge", "apart"])
            if verb == "merge":
                merging.merge(one, other, actor="olga")
            elif verb == "unmerge":
                merging.unmerge(one, [other], actor="olga")
            else:
                merging.keep_apart(one, other, actor="olga")
    except UserError:
        pass


@pytest.mark.django_db
@slowly
@given(records(most=8), st.randoms(use_true_random=False))
def test_a_merge_and_its_unmerge_leave_every_table_as_it_was_byte_for_byte(
    tried: Counter[str], arrived: list[Record], chance: random.Random
) -> None:
    tried["worlds"] += 1
    with taken_back():
        resolve_many([contact(record) for record in arrived])
        settle()
        for _ in range(2):
            _decide(chance)
        people = list(OmnichannelCustomer.objects.filter(merged_into=None))
        if len(people) < 2:
            return
        _live(chance)
        one, other = chance.sample(people, 2)
        before = dump()
        one.merge(other, actor="olga")
        assert other.pk in members(one.pk)
        assert dump() != before
        one.unmerge(other, actor="olga")
        assert dump() == before
        assert stored_persons() == from_scratch()


@pytest.mark.django_db
@slowly
@given(records(most=8), st.randoms(use_true_random=False))
def test_journeys_that_are_told_after_a_merge_and_after_its_unmerge_are_those_of_before(
    tried: Counter[str], arrived: list[Record], chance: random.Random
) -> None:
    tried["worlds"] += 1
    with taken_back():
        resolve_many([contact(record) for record in arrived])
        settle()
        people = list(OmnichannelCustomer.objects.filter(merged_into=None))
        if len(people) < 2:
            return
        _live(chance)
        now = clock.now()
        before = _told(now)
        one, other = chance.sample(people, 2)
        one.merge(other, actor="olga")
        _told(now)
        one.unmerge(other, actor="olga")
        after = _told(now)
        assert {table for table in before if before[table] != after[table]} <= TOLD_ANEW
        assert before["as told"] == after["as told"]


TOLD_ANEW = {"cross_channel_journeys", "journey_touchpoints", "channel_interactions"}
"""Journeys that were one in between get numbers of their own again."""
AS_TOLD = """
    SELECT row(journey.customer_id, journey.start_channel_id, journey.intent, journey.state, journey.outcome,
               journey.order_id, journey.started_at, journey.ended_at, journey.reason,
               (SELECT array_agg((touch.sales_channel_id, touch.action, touch.interaction_id, touch.occurred_at)::text
                                 ORDER BY touch.occurred_at, touch.action, touch.interaction_id)
                FROM journey_touchpoints touch WHERE touch.journey_id = journey.id))::text
    FROM cross_channel_journeys journey ORDER BY 1"""


def _told(now: datetime) -> dict[str, list[str]]:
    """All tables after the journeys were told, and the journeys without their numbers."""
    assert stitching.run(now=now).failed == []
    with connection.cursor() as cursor:
        cursor.execute(AS_TOLD)
        told = [text for (text,) in cursor.fetchall()]
    return dump() | {"as told": told}


def _live(chance: random.Random) -> None:
    """Everybody buys, looks, prefers, agrees and begins a journey."""
    shop = SalesChannel.objects.create(name="Web shop", channel_type="web", country="DE")
    for customer in OmnichannelCustomer.objects.all():
        bought = book.order(shop, clock.now() - timedelta(days=chance.randrange(30)), buyer=customer)
        customer.track_interaction(shop, "product_view", device="mobile")
        book.journey(shop, clock.now(), customer, bought)
        ChannelPreference.objects.create(customer=customer, sales_channel=shop, preferences={"size": customer.pk})
        Consent.objects.create(customer=customer, purpose="newsletter", is_granted=chance.random() < 0.5)


@pytest.mark.committed_database
def test_sixteen_at_once_resolve_and_end_in_the_persons_of_the_pure_function() -> None:
    arrived = random_records(random.Random(7), 60)

    def bring(number: int) -> None:
        order = random.Random(number).sample(arrived, len(arrived))
        for start in range(0, len(order), 5):
            resolve_many([contact(record) for record in order[start : start + 5]])

    assert together(bring, AT_ONCE) == [None] * AT_ONCE
    settle()
    assert stored_partition() == expected(arrived)


@pytest.mark.committed_database
def test_sixteen_at_once_resolve_merge_and_unmerge_without_a_deadlock() -> None:
    arrived = random_records(random.Random(8), 40)
    resolve_many([contact(record) for record in arrived[:20]])

    def bring_and_decide(number: int) -> None:
        chance = random.Random(number)
        for record in chance.sample(arrived, 12):
            resolve_many([contact(record)])
            _decide(chance)

    assert together(bring_and_decide, AT_ONCE) == [None] * AT_ONCE
    settle()
    assert stored_persons() == from_scratch()
