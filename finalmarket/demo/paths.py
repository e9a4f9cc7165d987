"""What people did in the year, on the way to an order of the demo or to nothing; the journeys in it are recognised as
those of every house are."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from finalmarket.demo.baskets import Basket
from finalmarket.demo.goods import Item
from finalmarket.demo.merchant import House
from finalmarket.demo.offers import Shelf
from finalmarket.demo.people import Crowd, Person
from finalmarket.demo.sources import chance, pick_weighted
from finalmarket.demo.year import Plan
from finalmarket.journeys import stitching
from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney
from finalmarket.journeys.record import VALUE_SCORES
from finalmarket.orders.models import Return

BOUGHT, LEFT, LOOSE = 380, 760, 700
LONGEST = timedelta(days=9)
SOLVED = 0.6
"""So many of those who asked got a ticket that was solved."""
ASKED_BEFORE = 0.35
MOST_SECONDS = 600.0
Step = tuple[str, str]
"""A channel ("*" is the one that it is all about) and an interaction."""

SEEN: Step = ("*", "product_view")
CART: Step = ("*", "add_to_cart")
CHECKOUT: Step = ("*", "checkout_start")
BOUGHT_IT: Step = ("*", "checkout_complete")
WAYS: tuple[tuple[int, tuple[Step, ...]], ...] = (
    (30, (("*", "search"), SEEN, CART, CHECKOUT, BOUGHT_IT)),
    (18, (("instagram", "social_engagement"), SEEN, CART, CHECKOUT, BOUGHT_IT)),
    (14, (("web", "email_open"), ("web", "email_click"), SEEN, CART, BOUGHT_IT)),
    (12, (("berlin", "store_visit"), ("web", "search"), SEEN, CART, CHECKOUT, BOUGHT_IT)),
    (12, (("web", "product_view"), ("app", "wishlist_add"), SEEN, CART, BOUGHT_IT)),
    (8, (("web", "product_view"), ("phone", "phone_call"), SEEN, CART, BOUGHT_IT)),
    (6, (("app", "product_view"), ("berlin", "store_visit"), SEEN, CART, BOUGHT_IT)),
)
AT_THE_COUNTER: tuple[tuple[int, tuple[Step, ...]], ...] = (
    (50, (("web", "product_view"), ("*", "store_visit"), BOUGHT_IT)),
    (30, (("instagram", "social_engagement"), ("*", "store_visit"), BOUGHT_IT)),
    (20, (("*", "store_visit"), BOUGHT_IT)),
)
OTHER_ENDS: tuple[tuple[str, int, tuple[Step, ...]], ...] = (
    ("browse", 30, (("*", "page_view"), SEEN)),
    ("research", 18, (("*", "search"), SEEN, ("*", "product_view"))),
    ("purchase", 34, (("*", "search"), SEEN, CART, CHECKOUT)),
    ("support", 9, (("*", "customer_service"),)),
    ("return", 5, (("*", "customer_service"),)),
    ("review", 4, (("*", "review_submit"),)),
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


def build(
    house: House, shelves: Mapping[str, Shelf], crowds: Mapping[str, Crowd], planned: Plan, seed: int, scale: float,
    now: datetime,
) -> None:  # fmt: skip
    """Write what people did, tickets about some of it, and let the house recognise the journeys."""
    dice = chance(seed, "paths")
    deeds = _bought(house, planned.baskets, dice, max(60, round(BOUGHT * scale)))
    cases: list[CrossChannelJourney] = []
    for _ in range(max(60, round(LEFT * scale))):
        steps = _left(house, shelves, crowds, dice, now)
        deeds += steps
        if steps and steps[0].interaction_type == "customer_service" and dice.random() < SOLVED:
            cases += _ticket(steps[0], dice, now)
    deeds += _sent_back(house, dice, now)
    deeds += _loose(house, shelves, crowds, dice, max(200, round(LOOSE * scale)), now)
    CrossChannelJourney.objects.bulk_create(cases)
    ChannelInteraction.objects.bulk_create(sorted(deeds, key=lambda deed: deed.occurred_at), batch_size=2_000)
    stitching.mark_everybody()
    stitching.run(now=now, seconds=MOST_SECONDS)


def _bought(house: House, baskets: Sequence[Basket], dice: random.Random, count: int) -> list[ChannelInteraction]:
    """Give some orders what led to them; every step lies before the order."""
    known = [
        basket for basket in baskets if basket.person is not None and basket.at - basket.person.since > LONGEST
    ]  # fmt: skip
    found = []
    for basket in dice.sample(known, min(count, len(known))):
        person = basket.person
        if person is None:
            continue
        ways = AT_THE_COUNTER if basket.key in ("berlin", "london", "kiosk") else WAYS
        way = dice.choices([steps for _, steps in ways], [weight for weight, _ in ways])[0]
        item = dice.choice(basket.lines).item
        times = _times_before(basket.at, len(way), dice)
        found += [_step(house, person, basket.key, step, at, item, dice) for step, at in zip(way, times, strict=True)]
    return found


def _left(
    house: House, shelves: Mapping[str, Shelf], crowds: Mapping[str, Crowd], dice: random.Random, now: datetime
) -> list[ChannelInteraction]:
    """What somebody did without an order; of the last days it may still go on."""
    circle = pick_weighted(dice, (("home", 66), ("marketplace", 14), ("britain", 8), ("america", 12)))
    last = now - timedelta(minutes=dice.randrange(5, 365 * 1440))
    person = crowds[circle].draw(dice, last - LONGEST)
    if person is None:
        return []
    key = pick_weighted(dice, STARTS[circle])
    intent = pick_weighted(dice, [(name, weight) for name, weight, _ in OTHER_ENDS])
    way = list(next(steps for name, _, steps in OTHER_ENDS if name == intent))
    if house.channels[key].channel_type == "store":
        intent, way = "browse", [("*", "store_visit")]
    if intent == "purchase":
        way = way[: dice.randint(2, len(way))]
    item = shelves[key].draw(dice, last.month).item
    times = _times_before(last + timedelta(seconds=5), len(way), dice)
    return [_step(house, person, key, step, at, item, dice) for step, at in zip(way, times, strict=True)]


def _ticket(asked: ChannelInteraction, dice: random.Random, now: datetime) -> list[CrossChannelJourney]:
    """The ticket that was opened for a question, and solved within two days; none where that is not over yet."""
    opened = asked.occurred_at + timedelta(minutes=dice.randrange(1, 30))
    solved = opened + timedelta(minutes=dice.randrange(20, 2 * 1440))
    if solved >= now:
        return []
    return [
        CrossChannelJourney(
            customer_id=asked.customer_id, start_channel=asked.sales_channel, intent="support", state="completed",
            outcome="solved", started_at=opened, ended_at=solved,
        )
    ]  # fmt: skip


def _sent_back(house: House, dice: random.Random, now: datetime) -> list[ChannelInteraction]:
    """Some of those who sent goods back had asked before how to."""
    web = house.channels["web"]
    found = []
    known = Return.objects.filter(order__customer__isnull=False).order_by("pk")
    for came_back_at, placed_at, customer_id in known.values_list("at", "order__placed_at", "order__customer"):
        asked_at = came_back_at - timedelta(minutes=dice.randrange(60, 4 * 1440))
        if dice.random() < ASKED_BEFORE and placed_at < asked_at < now:
            kind = dice.choice(("page_view", "customer_service"))
            context = {"topic": "Returns", "url": "https://shop.example/help/returns"}
            found.append(
                ChannelInteraction(
                    customer_id=customer_id, sales_channel=web, interaction_type=kind,
                    value_score=VALUE_SCORES[kind], context=context, occurred_at=asked_at, received_at=asked_at,
                )
            )  # fmt: skip
    return found


def _loose(
    house: House, shelves: Mapping[str, Shelf], crowds: Mapping[str, Crowd], dice: random.Random, count: int,
    now: datetime,
) -> list[ChannelInteraction]:  # fmt: skip
    """Visits and opened e-mails of the last three months."""
    found = []
    for _ in range(count):
        circle = pick_weighted(dice, (("home", 78), ("britain", 10), ("america", 12)))
        at = now - timedelta(minutes=dice.randrange(2, 90 * 1440))
        person = crowds[circle].draw(dice, at)
        key = pick_weighted(dice, STARTS[circle])
        kind = pick_weighted(dice, (("page_view", 40), ("product_view", 34), ("email_open", 18), ("search", 8)))
        if person is not None:
            item = shelves[key].draw(dice, at.month).item
            found.append(_step(house, person, key, ("*", kind), at, item, dice))
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
) -> ChannelInteraction:
    where, kind = step
    channel = house.channels[where if where in AROUND[person.circle] else key]
    return ChannelInteraction(
        customer_id=person.customer_id, sales_channel=channel, interaction_type=kind, value_score=VALUE_SCORES[kind],
        context=_context(kind, channel.channel_type, item, dice), occurred_at=at,
        received_at=at + timedelta(milliseconds=400),
    )  # fmt: skip


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
    if kind == "customer_service":
        context["topic"] = dice.choice(("Delivery", "Care of wood", "Invoice"))
    if kind == "search":
        context["query"] = item.title.split(" (")[0].lower()
    if kind == "review_submit":
        context["stars"] = dice.choices((5, 4, 3, 2, 1), (52, 28, 10, 5, 5))[0]
    return context
