"""Journeys to ask questions of: written row by row, and known as plain lists beside, so that answers can be counted."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from statistics import median

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys.models import CrossChannelJourney, JourneyTouchpoint
from finalmarket.orders.models import Order

MORNING = datetime(2026, 5, 4, 8, tzinfo=UTC)
ACTIONS = ("product_view", "add_to_cart", "checkout_start", "checkout_complete")
Touch = tuple[int, str, datetime]
"""A channel's id, what was done, and when."""


@dataclass
class Walk:
    """One journey as it was written: its person after merges, its touches in order, and its order."""

    journey: CrossChannelJourney
    person: int
    touches: list[Touch] = field(default_factory=list)

    @property
    def channels(self) -> tuple[int, ...]:
        """The channels, each unbroken stay once."""
        return tuple(channel for channel, _ in groupby(channel for channel, _, _ in self.touches))

    @property
    def stays(self) -> list[tuple[int, datetime, datetime]]:
        """The unbroken stays: channel, when it was reached and when it was left."""
        found = []
        for channel, touches in groupby(self.touches, key=lambda touch: touch[0]):
            times = [at for _, _, at in touches]
            found.append((channel, times[0], times[-1]))
        return found


def half(times: Iterable[timedelta]) -> timedelta:
    """The median."""
    return timedelta(seconds=median(time.total_seconds() for time in times))


def channels(*names: str) -> list[SalesChannel]:
    """Sales channels by these names."""
    return [SalesChannel.objects.create(name=name, channel_type="web") for name in names]


def walk(
    customer: OmnichannelCustomer, touches: Sequence[tuple[SalesChannel, str, int]], *, intent: str = "purchase",
    state: str = "abandoned", order: Order | None = None, began: datetime = MORNING,
) -> Walk:  # fmt: skip
    """Write a journey of touches: channel, what was done, and minutes after it began."""
    times = [began + timedelta(minutes=minutes) for _, _, minutes in touches]
    journey = CrossChannelJourney.objects.create(
        customer=customer, start_channel=touches[0][0], intent=intent, state="completed" if order else state,
        order=order, started_at=began, ended_at=None if state == "open" and not order else times[-1],
    )  # fmt: skip
    JourneyTouchpoint.objects.bulk_create(
        JourneyTouchpoint(journey=journey, sales_channel=channel, action=action, occurred_at=at)
        for (channel, action, _), at in zip(touches, times, strict=True)
    )
    known = [(channel.pk, action, at) for (channel, action, _), at in zip(touches, times, strict=True)]
    return Walk(journey, customer.merged_into_id or customer.pk, known)


def order(
    channel: SalesChannel, goods: str = "10", *, customer: OmnichannelCustomer | None = None, **given: object
) -> Order:
    """An order as it stands in the book."""
    number = f"N-{Order.objects.count() + 1}"
    amount = Decimal(goods)
    facts = {"placed_at": MORNING, "currency": "EUR", "state": "fulfilled", "goods": amount, "total": amount} | given
    facts |= {"sales_channel": channel, "customer": customer}
    made: Order = Order.objects.create(number=number, external_id=number, **facts)
    return made


def wander(seed: int, journeys: int = 60) -> tuple[list[SalesChannel], list[Walk]]:
    """Random journeys of a dozen customers, two of whom are one person, over four channels within three weeks."""
    dice = random.Random(seed)
    places = channels("Web", "App", "Store", "Mail")
    customers = [OmnichannelCustomer.objects.create(name=f"C{number}", segment="regular") for number in range(12)]
    customers[1].merged_into = customers[0]
    customers[1].save()
    walks = []
    for _ in range(journeys):
        steps = sorted(dice.randrange(0, 3_000) for _ in range(dice.randint(1, 9)))
        touches = [(dice.choice(places), dice.choice(ACTIONS), minutes) for minutes in steps]
        began = MORNING + timedelta(hours=dice.randrange(0, 21 * 24))
        customer = dice.choice(customers)
        bought = None
        if dice.random() < 0.3:
            bought = order(touches[-1][0], str(dice.randint(1, 90)), customer=customer,
                           placed_at=began + timedelta(minutes=steps[-1]))  # fmt: skip
        walks.append(
            walk(customer, touches, state=dice.choice(["abandoned", "open", "completed"]), order=bought, began=began,
                 intent=dice.choice(["browse", "purchase"] if bought else ["browse", "purchase", "support"]))
        )  # fmt: skip
    return places, walks
