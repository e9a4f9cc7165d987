"""People, what they do, and what is told of it: shared by the tests of the stitcher."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys import stitching, sweep
from finalmarket.journeys.facts import Facts, Told, Touch
from finalmarket.journeys.models import ChannelInteraction
from finalmarket.journeys.record import VALUE_SCORES
from finalmarket.journeys.spans import DEFAULTS
from finalmarket.journeys.stitch import stitch
from finalmarket.orders.models import Order

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LONG_AFTER = NOON + timedelta(days=400)
WEB, STORE, PHONE = 1, 2, 3
ANN, BEN = 11, 12


def at(days: float = 0, minutes: float = 0) -> datetime:
    """So long after noon of the first day."""
    return NOON + timedelta(days=days, minutes=minutes)


class Story:
    """What one person does, to be stitched without a database."""

    def __init__(self) -> None:
        self.facts = Facts()

    def does(
        self, kind: str, when: datetime, channel: int = WEB, *, sku: str = "", words: str = "", customer: int = ANN
    ) -> Touch:
        """Another interaction."""
        number = len(self.facts.touches) + 1
        touch = Touch(number, customer, channel, kind, when, VALUE_SCORES[kind], f"m{number}", sku, words)
        self.facts.touches.append(touch)
        return touch

    def told(self, now: datetime = LONG_AFTER) -> Told:
        """The journeys as they stand at a moment."""
        return stitch(self.facts, DEFAULTS, now)

    def ends(self, now: datetime = LONG_AFTER) -> list[tuple[str, str, str]]:
        """Intent, state and outcome of each journey, in the order of time."""
        journeys = sorted(self.told(now).journeys, key=lambda row: (row.started_at, row.id))
        return [(row.intent, row.state, row.outcome) for row in journeys]


Dump = dict[str, list[tuple[Any, ...]]]
DUMPS = {
    "journeys": "SELECT * FROM cross_channel_journeys ORDER BY id",
    "touchpoints": "SELECT * FROM journey_touchpoints ORDER BY id",
}
TALE = """
SELECT journey.is_recognised, first.message_id, customer.name, channel.name, journey.intent, journey.state,
       journey.outcome, o.external_id, journey.started_at, journey.ended_at, journey.reason, journey.step,
       journey.visits, journey.score, journey.value, journey.currency, journey.last_touch_at, journey.closes_at,
       array(SELECT concat_ws('|', coalesce(did.message_id, touch.action), touch.action, touch.occurred_at, touch.visit,
                              touch.switched_from_id, touch.sales_channel_id, touch.data)
             FROM journey_touchpoints touch LEFT JOIN channel_interactions did ON did.id = touch.interaction_id
             WHERE touch.journey_id = journey.id ORDER BY 1)
FROM cross_channel_journeys journey
JOIN omnichannel_customers customer ON customer.id = journey.customer_id
JOIN sales_channels channel ON channel.id = journey.start_channel_id
LEFT JOIN orders o ON o.id = journey.order_id
LEFT JOIN channel_interactions first ON first.id = journey.id - 1000000000000
ORDER BY 1, 2, 9, 5
"""


def rows(query: str) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def dump() -> Dump:
    """All that is stored of journeys, to the last byte."""
    return {name: rows(query) for name, query in DUMPS.items()}


def tale() -> list[tuple[Any, ...]]:
    """What is told of journeys, by the names that messages have, not by the numbers that rows got."""
    return rows(TALE)


def tell(now: datetime = LONG_AFTER) -> stitching.Done:
    """Give up what nobody went on with, and tell whoever is marked, as it stands at a moment."""
    sweep.mark_passed(now)
    done = stitching.run(now=now)
    assert done.failed == []
    assert not stitching.is_marked()
    return done


def tell_from_scratch(now: datetime = LONG_AFTER) -> None:
    """Forget all that was recognised, and tell it anew."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM journey_touchpoints WHERE id >= 1000000000000")
        cursor.execute("DELETE FROM cross_channel_journeys WHERE is_recognised")
        cursor.execute("UPDATE cross_channel_journeys SET closes_at = NULL, last_touch_at = NULL")
    stitching.mark_everybody()
    tell(now)


def channels(count: int = 3) -> list[SalesChannel]:
    """So many channels."""
    kinds = ("web", "store", "phone")
    return [SalesChannel.objects.create(name=f"Channel {n}", channel_type=kinds[n % len(kinds)]) for n in range(count)]


def people(*names: str) -> list[OmnichannelCustomer]:
    """Profiles with these names."""
    return [OmnichannelCustomer.objects.create(name=name) for name in names]


def record(deeds: Iterable[Touch]) -> None:
    """Store what was done; a message that came before is not stored again."""
    ChannelInteraction.objects.bulk_create(
        [
            ChannelInteraction(
                customer_id=deed.customer, sales_channel_id=deed.channel, interaction_type=deed.kind,
                value_score=deed.score, occurred_at=deed.at, message_id=deed.message_id,
                context={"sku": deed.sku, "topic": deed.words},
            )
            for deed in {deed.message_id: deed for deed in deeds}.values()
        ],
        ignore_conflicts=True,
    )  # fmt: skip


def order(customer: int, channel: int, when: datetime, number: str, goods: str = "40") -> Order:
    """An order in our books."""
    placed: Order = Order.objects.create(
        number=number, external_id=number, sales_channel_id=channel, customer_id=customer, currency="EUR",
        placed_at=when, goods=Decimal(goods), total=Decimal(goods),
    )  # fmt: skip
    return placed


def merge(into: OmnichannelCustomer, profiles: Sequence[OmnichannelCustomer]) -> None:
    """Make them one person."""
    OmnichannelCustomer.objects.filter(pk__in=[one.pk for one in profiles]).update(merged_into=into)


def part(profiles: Sequence[OmnichannelCustomer]) -> None:
    """Make each a person of its own again."""
    OmnichannelCustomer.objects.filter(pk__in=[one.pk for one in profiles]).update(merged_into=None)


def placed_at(touch: Touch, customers: Sequence[OmnichannelCustomer], where: Sequence[SalesChannel]) -> Touch:
    """The deed with the numbers that profiles and channels have in the database."""
    return replace(touch, customer=customers[touch.customer].pk, channel=where[touch.channel].pk)


class Undone(Exception):
    """Raised to take everything back."""


def undone(act: Callable[[], Any]) -> Any:
    """What this returns; all that it wrote is taken back."""
    found = None
    try:
        with transaction.atomic():
            found = act()
            raise Undone
    except Undone:
        return found
