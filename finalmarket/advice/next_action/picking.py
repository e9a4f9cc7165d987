"""Which goods fit whom and can be sold on their channel now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import numpy as np
from django.db import connection

from finalmarket.advice.next_action.known import Known
from finalmarket.advice.recommending.affinity import (
    BOUGHT,
    LOOKED_AT,
    Affinities,
    Pick,
    Touches,
    decayed,
    recommend,
)
from finalmarket.kernel.sql import Queries
from finalmarket.stock.atp import levels

QUERIES = Queries(Path(__file__).with_name("facts.sql"))
MOST_PICKS, JUST_BOUGHT_DAYS, SECONDS_OF_A_DAY = 20, 30, 86_400


def pick(found: Mapping[int, Known], now: datetime) -> None:
    """Put into what is known of each person what their channel can sell of what fits them."""
    touches = _touches(found, now)
    channels = sorted({one.channel.id for one in found.values() if one.channel})
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["suits"], {"variants": sorted(set(touches.goods.tolist())), "channels": channels})
        rows = cursor.fetchall()
    fits = [row for row in rows if row[0] is not None]
    goods, others, scores = (np.array([row[place] for row in fits]) for place in range(3))
    known = Affinities(
        goods.astype(np.int64), others.astype(np.int64), scores.astype(np.float64), np.zeros(len(fits), np.int64)
    )
    sellers: dict[int, dict[int, float]] = defaultdict(dict)
    for _, variant, score, channel, *_rest in rows:
        if channel is not None:
            sellers[channel][variant] = score
    names = {variant: (sku, title) for _, variant, _, _, _, sku, title in rows}
    lines = [line for one in found.values() for goods in one.goods.values() for line in goods]
    names |= {line.variant: (line.sku, line.title) for line in lines}
    candidates = _candidates(found, touches, known, sellers)
    variants = {line.variant for line in lines} | {pick.goods for picks in candidates.values() for pick in picks}
    offered = {pair: level.offered for pair, level in levels(variants, channels).items()} if variants else {}
    for person, one in found.items():
        one.offered, one.names = offered, names
        one.picks = [pick for pick in candidates.get(person, ()) if one.can_sell(pick.goods) > 0][:MOST_PICKS]


def _touches(found: Mapping[int, Known], now: datetime) -> Touches:
    rows = []
    for person, one in found.items():
        for kind, weight in (("bought", BOUGHT), ("looked", LOOKED_AT)):
            for goods in one.goods.get(kind, ()):
                rows.append((person, goods.variant, weight, (now - goods.last).total_seconds() / SECONDS_OF_A_DAY))
    weights = decayed(np.array([row[3] for row in rows]), np.array([row[2] for row in rows]))
    persons, variants = (np.array([row[place] for row in rows], np.int64) for place in (0, 1))
    return Touches(persons, variants, weights)


def _candidates(
    found: Mapping[int, Known], touches: Touches, known: Affinities, sellers: Mapping[int, Mapping[int, float]]
) -> dict[int, list[Pick]]:
    """What fits each person, before it is known what can be sold; the best sellers are those of their channel."""
    barred = {person: _barred(one) for person, one in found.items()}
    most = MOST_PICKS * 4
    picked: dict[int, list[Pick]] = {}
    by_channel: dict[int, list[int]] = defaultdict(list)
    for person, one in found.items():
        by_channel[one.channel.id if one.channel else 0].append(person)
    for channel, persons in by_channel.items():
        mine = np.isin(touches.persons, np.array(persons, np.int64))
        here = Touches(touches.persons[mine], touches.goods[mine], touches.weights[mine])
        popular = sellers.get(channel, {})
        picked |= recommend(here, known, popular, most=most, barred=barred, persons=persons)
    return picked


def _barred(known: Known) -> set[int]:
    """What is not recommended to a person: what lies in their cart, and what they bought lately, unless by habit."""
    lately = {
        one.variant for one in known.goods.get("bought", ()) if (known.now - one.last).days < JUST_BOUGHT_DAYS
    }  # fmt: skip
    habits = {one.variant for one in known.habits()}
    return (lately - habits) | {one.variant for one in known.goods.get("cart", ())}
