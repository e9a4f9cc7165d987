"""Journeys of the year: those that end in an order of the demo, and those that led nowhere."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from finalmarket.demo.baskets import Basket
from finalmarket.demo.goods import Item
from finalmarket.demo.merchant import House
from finalmarket.demo.offers import Shelf
from finalmarket.demo.people import Crowd, Person
from finalmarket.demo.sources import chance, pick_weighted
from finalmarket.demo.year import Plan
from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney, JourneyTouchpoint
from finalmarket.journeys.record import VALUE_SCORES

BOUGHT, LEFT, LOOSE = 380, 760, 700
LONGEST = timedelta(days=9)
OPEN_FOR = timedelta(days=2)
Step = tuple[str, str, str]
"""A channel ("*" is the one that the journey is about), an interaction, and the word for the step."""

SEEN: Step = ("*", "product_view", "view_product")
CART: Step = ("*", "add_to_cart", "add_to_cart")
CHECKOUT: Step = ("*", "checkout_start", "start_checkout")
BOUGHT_IT: Step = ("*", "checkout_complete", "buy")
WAYS: tuple[tuple[int, tuple[Step, ...]], ...] = (
    (30, (("*", "search", "search"), SEEN, CART, CHECKOUT, BOUGHT_IT)),
    (18, (("instagram", "social_engagement", "see_post"), SEEN, CART, CHECKOUT, BOUGHT_IT)),
    (14, (("web", "email_open", "open_newsletter"), ("web", "email_click", "follow_link"), SEEN, CART, BOUGHT_IT)),
    (12, (("berlin", "store_visit", "try_out"), ("web", "search", "search"), SEEN, CART, CHECKOUT, BOUGHT_IT)),
    (12, (("web", "product_view", "view_product"), ("app", "wishlist_add", "wish"), SEEN, CART, BOUGHT_IT)),
    (8, (("web", "product_view", "compare"), ("phone", "phone_call", "ask"), SEEN, CART, BOUGHT_IT)),
    (6, (("app", "product_view", "view_product"), ("berlin", "store_visit", "try_out"), SEEN, CART, BOUGHT_IT)),
)
AT_THE_COUNTER: tuple[tuple[int, tuple[Step, ...]], ...] = (
    (50, (("web", "product_view", "view_product"), ("*", "store_visit", "visit"), BOUGHT_IT)),
    (30, (("instagram", "social_engagement", "see_post"), ("*", "store_visit", "visit"), BOUGHT_IT)),
    (20, (("*", "store_visit", "visit"), BOUGHT_IT)),
)
OTHER_ENDS: tuple[tuple[str, int, tuple[Step, ...]], ...] = (
    ("browse", 30, (("*", "page_view", "look_around"), SEEN)),
    ("research", 18, (("*", "search", "search"), SEEN, ("*", "product_view", "compare"))),
    ("purchase", 34, (("*", "search", "search"), SEEN, CART, CHECKOUT)),
    ("support", 9, (("*", "customer_service", "ask"),)),
    ("return", 5, (("*", "customer_service", "ask_to_return"),)),
    ("review", 4, (("*", "review_submit", "review"),)),
)
AROUND = {
    "home": {"web", "app", "instagram", "berlin", "phone", "kiosk"},
    "marketplace": {"amazon", "web", "instagram"},
    "britain": {"london", "web", "instagram"},
    "america": {"usa", "instagram"},
}
STARTS = {
    "home": (("web", 44), ("app", 30), ("instagram", 11), ("berlin", 8), ("phone", 4), ("kiosk", 3)),
    "marketplace": (("amazon", 100),),
    "britain": (("london", 40), ("web", 60)),
    "america": (("usa", 100),),
}


@dataclass(slots=True)
class Walk:
    """A planned journey: its row and its interactions in order, each with the word for the step."""

    journey: CrossChannelJourney
    steps: list[tuple[ChannelInteraction, str]]


def build(
    house: House, shelves: Mapping[str, Shelf], crowds: Mapping[str, Crowd], planned: Plan, seed: int, scale: float,
    now: datetime,
) -> None:  # fmt: skip
    """Write journeys with their touchpoints and interactions, and interactions that belong to none."""
    dice = chance(seed, "paths")
    walks = _bought(house, planned.baskets, dice, max(60, round(BOUGHT * scale)))
    walks += [
        walk
        for _ in range(max(60, round(LEFT * scale)))
        if (walk := _left(house, shelves, crowds, dice, now)) is not None
    ]
    walks.sort(key=lambda walk: walk.journey.started_at)
    CrossChannelJourney.objects.bulk_create(walk.journey for walk in walks)
    interactions = [interaction for walk in walks for interaction, _ in walk.steps]
    for walk in walks:
        for interaction, _ in walk.steps:
            interaction.journey = walk.journey
    interactions += _loose(house, shelves, crowds, dice, max(200, round(LOOSE * scale)), now)
    ChannelInteraction.objects.bulk_create(interactions, batch_size=2_000)
    JourneyTouchpoint.objects.bulk_create(
        (
            JourneyTouchpoint(
                journey=walk.journey, sales_channel=interaction.sales_channel, interaction=interaction, action=action,
                data={"sku": interaction.context["sku"]} if "sku" in interaction.context else {},
                occurred_at=interaction.occurred_at,
            )
            for walk in walks
            for interaction, action in walk.steps
        ),
        batch_size=2_000,
    )  # fmt: skip


def _bought(house: House, baskets: Sequence[Basket], dice: random.Random, count: int) -> list[Walk]:
    """Give some orders the journey that led to them; every step lies before the order."""
    known = [
        basket for basket in baskets if basket.person is not None and basket.at - basket.person.since > LONGEST
    ]  # fmt: skip
    walks = []
    for basket in dice.sample(known, min(count, len(known))):
        person = basket.person
        if person is None:
            continue
        ways = AT_THE_COUNTER if basket.key in ("berlin", "london", "kiosk") else WAYS
        way = dice.choices([steps for _, steps in ways], [weight for weight, _ in ways])[0]
        item = dice.choice(basket.lines).item
        times = _times_before(basket.at, len(way), dice)
        steps = [_step(house, person, basket.key, step, at, item, dice) for step, at in zip(way, times, strict=True)]
        journey = CrossChannelJourney(
            customer_id=person.customer_id, start_channel=steps[0][0].sales_channel,
            intent="purchase" if dice.random() < 0.8 else "research", state="completed", outcome="success",
            order_id=basket.order_id, started_at=times[0], ended_at=basket.at,
        )  # fmt: skip
        walks.append(Walk(journey, steps))
    return walks


def _left(
    house: House, shelves: Mapping[str, Shelf], crowds: Mapping[str, Crowd], dice: random.Random, now: datetime
) -> Walk | None:
    """A journey that ended without an order; one of the last days may still be open."""
    circle = pick_weighted(dice, (("home", 66), ("marketplace", 14), ("britain", 8), ("america", 12)))
    last = now - timedelta(minutes=dice.randrange(5, 365 * 1440))
    person = crowds[circle].draw(dice, last - LONGEST)
    if person is None:
        return None
    key = pick_weighted(dice, STARTS[circle])
    intent = pick_weighted(dice, [(name, weight) for name, weight, _ in OTHER_ENDS])
    way = list(next(steps for name, _, steps in OTHER_ENDS if name == intent))
    if house.channels[key].channel_type == "store":
        intent, way = "browse", [("*", "store_visit", "visit")]
    if intent == "purchase":
        way = way[: dice.randint(2, len(way))]
    is_open = now - last < OPEN_FOR
    if way[-1] in (CART, CHECKOUT) and not is_open:
        way.append(("*", "cart_abandonment", "leave_cart"))
    item = shelves[key].draw(dice, last.month).item
    times = _times_before(last + timedelta(seconds=5), len(way), dice)
    steps = [_step(house, person, key, step, at, item, dice) for step, at in zip(way, times, strict=True)]
    outcome = "" if is_open else ("cart_left" if way[-1][1] == "cart_abandonment" else "left")
    journey = CrossChannelJourney(
        customer_id=person.customer_id, start_channel=house.channels[key], intent=intent,
        state="open" if is_open else "abandoned", outcome=outcome, started_at=times[0],
        ended_at=None if is_open else times[-1],
    )  # fmt: skip
    return Walk(journey, steps)


def _loose(
    house: House, shelves: Mapping[str, Shelf], crowds: Mapping[str, Crowd], dice: random.Random, count: int,
    now: datetime,
) -> list[ChannelInteraction]:  # fmt: skip
    """Visits and opened e-mails of the last three months that nobody made a journey of."""
    found = []
    for _ in range(count):
        circle = pick_weighted(dice, (("home", 78), ("britain", 10), ("america", 12)))
        at = now - timedelta(minutes=dice.randrange(2, 90 * 1440))
        person = crowds[circle].draw(dice, at)
        key = pick_weighted(dice, STARTS[circle])
        kind = pick_weighted(dice, (("page_view", 40), ("product_view", 34), ("email_open", 18), ("search", 8)))
        if person is not None:
            item = shelves[key].draw(dice, at.month).item
            found.append(_step(house, person, key, ("*", kind, kind), at, item, dice)[0])
    return found


def _times_before(end: datetime, count: int, dice: random.Random) -> list[datetime]:
    """Return moments before `end`, the last one seconds before it; the further back, the longer the pauses."""
    times = [end - timedelta(seconds=dice.randrange(1, 5))]
    for back in range(1, count):
        minutes = dice.lognormvariate(1.5 + 1.1 * back, 1.0)
        earliest = end - LONGEST + timedelta(minutes=count - back)
        times.append(max(times[-1] - timedelta(minutes=minutes), min(earliest, times[-1] - timedelta(seconds=1))))
    return times[::-1]


def _step(
    house: House, person: Person, key: str, step: Step, at: datetime, item: Item, dice: random.Random
) -> tuple[ChannelInteraction, str]:
    where, kind, action = step
    channel = house.channels[where if where in AROUND[person.circle] else key]
    interaction = ChannelInteraction(
        customer_id=person.customer_id, sales_channel=channel, interaction_type=kind, value_score=VALUE_SCORES[kind],
        context=_context(kind, channel.channel_type, item, dice), occurred_at=at,
        received_at=at + timedelta(milliseconds=400),
    )  # fmt: skip
    return interaction, action


def _context(kind: str, channel_type: str, item: Item, dice: random.Random) -> dict[str, Any]:
    """What the channel told about it."""
    context: dict[str, Any] = {}
    if channel_type in ("web", "mobile", "social", "marketplace"):
        mobile = channel_type == "mobile" or dice.random() < 0.6
        context["device"] = "mobile" if mobile else "desktop"
    if kind in (
        "product_view",
        "add_to_cart",
        "wishlist_add",
        "cart_abandonment",
        "review_submit",
        "checkout_complete",
    ):
        context["sku"] = item.sku
    if kind == "search":
        context["query"] = item.title.split(" (")[0].lower()
    if kind == "review_submit":
        context["stars"] = dice.choices((5, 4, 3, 2, 1), (52, 28, 10, 5, 5))[0]
    return context
