"""Computing what goes with what, and what sells best, from the books: set-based in, by COPY out, as one exchange."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from django.db import connection, transaction

from finalmarket.advice.models import AdviceRefresh
from finalmarket.advice.recommending.affinity import (
    BOUGHT,
    LOOKED_AT,
    Affinities,
    Numbers,
    Touches,
    affinities,
    best_sellers,
    decayed,
)
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.sql import Queries, copy_rows

QUERIES = Queries(Path(__file__).with_name("goods.sql"))
BEST_SELLERS_OF_A_CHANNEL = 100
LOCK = 7_021_733_456_061
"""The advisory lock under which the tables are written: two refreshes at once would write the same rows."""


@transaction.atomic
def refresh() -> AdviceRefresh:
    """Compute recommendations anew from the last year, in place of those that stand; readers see the ones or the
    others. Returns what it was computed from. A second one at once waits, and does it again."""
    now = clock.now()
    with failpoints.around("advice.refresh"), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        touches = _touches(cursor, now)
        pairs = _write_affinities(cursor, affinities(touches))
        _write_best_sellers(cursor, now)
    done, _ = AdviceRefresh.objects.update_or_create(
        pk=1, defaults={"at": now, "touches": int(touches.persons.size), "pairs": pairs}
    )
    return done


def _touches(cursor: Any, now: datetime) -> Touches:
    cursor.execute(QUERIES["touches"], {"now": now})
    rows = cursor.fetchall()
    kinds = np.array([BOUGHT if kind == "bought" else LOOKED_AT for _, _, kind, _ in rows])
    persons, goods = (np.array([row[place] for row in rows], np.int64) for place in (0, 1))
    return Touches(persons, goods, decayed(_ages([row[3] for row in rows], now), kinds))


def _write_affinities(cursor: Any, found: Affinities) -> int:
    places = np.arange(found.goods.size) - np.searchsorted(found.goods, found.goods) + 1
    cursor.execute("DELETE FROM goods_affinities")
    columns = (found.goods, found.others, places, found.scores, found.together)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return copy_rows(cursor, "goods_affinities", ("variant_id", "other_id", "place", "score", "together"), rows)


def _write_best_sellers(cursor: Any, now: datetime) -> None:
    cursor.execute(QUERIES["sales"], {"now": now})
    by_channel: dict[int, list[tuple[int, int, datetime]]] = defaultdict(list)
    for channel, buyer, variant, at in cursor.fetchall():
        by_channel[channel].append((buyer, variant, at))
    rows = []
    for channel, sales in sorted(by_channel.items()):
        buyers, variants = (np.array([sale[place] for sale in sales], np.int64) for place in (0, 1))
        scores = best_sellers(Touches(buyers, variants, decayed(_ages([sale[2] for sale in sales], now))))
        best = list(scores.items())[:BEST_SELLERS_OF_A_CHANNEL]
        rows += [(channel, variant, place, score) for place, (variant, score) in enumerate(best, 1)]
    cursor.execute("DELETE FROM best_sellers")
    copy_rows(cursor, "best_sellers", ("sales_channel_id", "variant_id", "place", "score"), rows)


def _ages(moments: list[datetime], now: datetime) -> Numbers:
    return np.array([(now - at).total_seconds() / 86_400 for at in moments], np.float64)
