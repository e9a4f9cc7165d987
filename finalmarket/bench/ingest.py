"""`finalmarket bench ingest`: events a second over HTTP, as Segment's clients tell them, beside COPY of the same rows.

The web processes are those that `finalmarket serve --processes` starts, one for each core, on the scratch database; 32
clients in a process of their own tell prepared requests over connections that they keep. A further figure is of one web
process alone. The visitors are known already, and a batch of 100 is of 25 of them; a further figure is for batches of
people who were never seen. Ids of messages tell the time, as those of Segment's clients for browsers and Node do; one
more figure is for ids that tell none, as its client for Python sends (journeys/message_digest.py says why that counts).
The database holds as many interactions of the twelve months before as `rows` says, with ids that tell no time, and the
rows that COPY stores beside ours go into the same table.
"""

from __future__ import annotations

import json
import os
import random
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from finalmarket.bench.ingest_house import House, Told, tell
from finalmarket.bench.report import Figure, Pace, figure
from finalmarket.channels.models import SalesChannel
from finalmarket.journeys import write_keys
from finalmarket.journeys.storage import make_months
from finalmarket.kernel.database import owner_database
from finalmarket.kernel.sql import open_connection

ROWS = 10_000_000
ROWS_A_STATEMENT = 500_000
SENDERS = 32
VISITORS = 5_000
VISITORS_A_BATCH = 25
BATCHES = {1: 400, 20: 1_500, 100: 4_000}
"""By the size of a batch, how many events of each second of the pace are prepared."""
MOST_WEB_PROCESSES = 4
KILLS = 10
EVENTS_A_KILL = 2_000
SETTLED_SECONDS = 60.0
COLUMNS = (
    "id, customer_id, sales_channel_id, interaction_type, value_score, message_id, occurred_at, received_at, context"
)
TABLE = "channel_interactions"
BASELINES = {
    "": "COPY of the same rows into the same table",
    "_indexed": "COPY of them into an empty table with its indexes",
    "_bare": "COPY of them into an empty table without an index",
}
"""By what is added to the name of the figure."""
FILL = """
WITH told AS (
    SELECT nextval('interaction_ids') AS id, n, md5(%(seed)s::text || ':' || n) AS digest,
           %(newest)s::timestamptz - make_interval(secs => n * 365.0 * 86400 / %(rows)s) AS at
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
), keyed AS (
    INSERT INTO interaction_keys (sales_channel_id, message_digest, interaction_id, occurred_at)
    SELECT %(channel)s, digest::uuid, id, at FROM told
)
INSERT INTO channel_interactions (id, customer_id, sales_channel_id, interaction_type, value_score, message_id,
                                  occurred_at, received_at, context)
SELECT id, %(person)s + (('x' || left(digest, 8))::bit(32)::bigint %% %(people)s), %(channel)s, 'product_view', 2,
       digest::uuid::text, at, at,
       jsonb_build_object('event', 'Product Viewed', 'sku', 'SKU-' || n %% 997, 'device', 'mobile', 'properties',
                          jsonb_build_object('sku', 'SKU-' || n %% 997, 'price', 19.9, 'currency', 'EUR'))
FROM told
"""


def _timed_id(dice: random.Random) -> str:
    """The id of a message as Segment's client for Node makes it."""
    return f"node-next-{time.time_ns() // 1_000_000}-{_random_id(dice)}"


def _random_id(dice: random.Random) -> str:
    """The id of a message as Segment's client for Python makes it."""
    return str(uuid.UUID(int=dice.getrandbits(128), version=4))


@dataclass
class Stage:
    """Who tells, of which channel, what they are known by, and by which ids their messages are."""

    channel: SalesChannel
    key: str
    dice: random.Random
    message_id: Callable[[random.Random], str] = _timed_id


def measure(
    database: str, pace: Pace, say: Callable[[str], None], *, rows: int = ROWS, kills: int = KILLS
) -> list[Figure]:
    """Run the bench in the scratch database `database`; `say` hears of its progress.

    Ten million rows take some five minutes to fill in, and some eight gigabytes of disk while the bench runs.
    """
    stage = _lay_out(pace.seed)
    _fill(stage, rows, say)
    processes = min(MOST_WEB_PROCESSES, len(os.sched_getaffinity(0)))
    with _open_house(stage, database, processes, say) as house:
        figures = [one for size in BATCHES for one in _measure_batches(stage, house, pace, size, say)]
        figures += _measure_strangers(stage, house, pace, say)
        figures.append(figure("ingest_web_memory_mb", "MB, the most of the web processes", [house.peak_mb()]))
        figures.append(figure("ingest_web_processes", "web processes, one for each core", [float(processes)]))
        figures.append(figure("ingest_rows_before", "interactions stored already", [float(rows)]))
        figures += _measure_kills(stage, house, kills, say)
    with _open_house(stage, database, 1, say) as house:
        alone = _measure_batches(stage, house, pace, 100, say)[0]
        figures.append(replace(alone, name="ingest_batch_100_one_process"))
    stage = replace(stage, message_id=_random_id)
    with _open_house(stage, database, processes, say) as house:
        scattered = _measure_batches(stage, house, pace, 100, say)[0]
        figures.append(replace(scattered, name="ingest_batch_100_random_ids"))
    return figures


@contextmanager
def _open_house(
    stage: Stage, database: str, processes: int, say: Callable[[str], None]
) -> Iterator[House]:  # fmt: skip
    """The web processes, which have met the visitors."""
    house = House(database, SENDERS, processes=processes)
    house.open()
    try:
        say("the visitors introduce themselves")
        _introduce(stage, house)
        yield house
    finally:
        house.close()


def _lay_out(seed: int) -> Stage:
    channel = SalesChannel.objects.create(name="Web shop", channel_type="web")
    key = write_keys.open_key(channel, actor="bench").key
    return Stage(channel, key, random.Random(seed))  # noqa: S311  no secret


def _fill(stage: Stage, rows: int, say: Callable[[str], None]) -> None:
    """Store interactions of the last twelve months, of people whom nobody meets again."""
    newest = datetime.now(UTC)
    year, month = newest.year - 1, newest.month
    make_months(datetime(year + (month + n - 1) // 12, (month + n - 1) % 12 + 1, 1, tzinfo=UTC) for n in range(-1, 13))
    for first in range(1, rows + 1, ROWS_A_STATEMENT):
        last = min(rows, first + ROWS_A_STATEMENT - 1)
        say(f"{last:,} of {rows:,} interactions are stored already")
        with connection.cursor() as cursor:
            cursor.execute(
                FILL,
                {
                    "seed": stage.dice.random(), "newest": newest, "rows": rows, "first": first, "last": last,
                    "channel": stage.channel.pk, "person": 1_000_000_000, "people": max(1, rows // 20),
                },
            )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE channel_interactions, interaction_keys")


# What is told.


def _event(stage: Stage, user: str) -> dict[str, Any]:
    """An event as Segment's client for Node sends it with a page's context: some 600 bytes."""
    sku = f"SKU-{stage.dice.randrange(1_000)}"
    url = f"https://shop.example/things/{sku.lower()}"
    return {
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "integrations": {}, "type": "track",
        "event": stage.dice.choice(("Product Viewed", "Product Viewed", "Product Added", "Checkout Started")),
        "properties": {"sku": sku, "name": "A thing", "price": 19.9, "currency": "EUR", "quantity": 1},
        "context": {
            "library": {"name": "@segment/analytics-node", "version": "3.1.0"},
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari",
            "page": {"url": url, "referrer": "https://search.example/"},
        },
        "userId": user, "anonymousId": f"d-{user}",
        "messageId": stage.message_id(stage.dice),
        "_metadata": {"nodeVersion": "v20.20.2", "jsRuntime": "node"},
    }  # fmt: skip


def _requests(stage: Stage, size: int, number: int, users: Callable[[], Sequence[str]]) -> list[bytes]:
    bodies = []
    for _ in range(number):
        people = users()
        batch = [_event(stage, people[n % len(people)]) for n in range(size)]
        bodies.append(json.dumps({"batch": batch, "writeKey": stage.key, "sentAt": batch[-1]["timestamp"]}).encode())
    return [House.request(body, stage.key) for body in bodies]


def _known(stage: Stage, size: int) -> Callable[[], Sequence[str]]:
    count = max(1, size * VISITORS_A_BATCH // 100)
    return lambda: [f"u{stage.dice.randrange(VISITORS)}" for _ in range(count)]


def _strangers(stage: Stage) -> Callable[[], Sequence[str]]:
    return lambda: [f"s{stage.dice.getrandbits(60)}" for _ in range(VISITORS_A_BATCH)]


def _introduce(stage: Stage, house: House) -> None:
    names = iter([f"u{n}" for n in range(VISITORS)] * 2)
    told = tell(house, _requests(stage, 100, VISITORS // 100, lambda: [next(names) for _ in range(100)]))
    _expect_taken(told)


# What is measured.


def _measure_batches(
    stage: Stage, house: House, pace: Pace, size: int, say: Callable[[str], None]
) -> list[Figure]:  # fmt: skip
    rates: list[float] = []
    copied: dict[str, list[float]] = {baseline: [] for baseline in BASELINES}
    for run in range(1, pace.runs + 1):
        say(f"batches of {size}, run {run} of {pace.runs}")
        number = max(SENDERS * 2, round(BATCHES[size] * pace.seconds * size**0.5 / size))
        before = _newest()
        told = tell(house, _requests(stage, size, number, _known(stage, size)))
        _expect_taken(told)
        stored = _newest_count(before)
        if stored != number * size:
            raise RuntimeError(f"{number * size} events were told and {stored} are stored")
        rates.append(stored / told.seconds)
        rows = _rows_since(before)
        copied["_bare"].append(stored / _copy_apart(rows, indexed=False))
        copied["_indexed"].append(stored / _copy_apart(rows, indexed=True))
        copied[""].append(stored / _copy(TABLE, _rows_since(before, later=_numbers(stored) - before)))
    return [
        figure(f"ingest_batch_{size}{which}", "events/s over HTTP", rates, baseline_name=about, baselines=copied[which])
        for which, about in BASELINES.items()
    ]


def _measure_strangers(stage: Stage, house: House, pace: Pace, say: Callable[[str], None]) -> list[Figure]:
    rates = []
    for run in range(1, pace.runs + 1):
        say(f"strangers, run {run} of {pace.runs}")
        number = max(SENDERS, round(20 * pace.seconds))
        told = tell(house, _requests(stage, 100, number, _strangers(stage)))
        _expect_taken(told)
        rates.append(number * 100 / told.seconds)
    return [figure("ingest_batch_100_strangers", "events/s, a quarter of them somebody's first", rates)]


def _measure_kills(stage: Stage, house: House, kills: int, say: Callable[[str], None]) -> list[Figure]:
    """Kill the web process in the middle, again and again; what was answered with yes is there, and nothing twice."""
    lost = doubled = 0
    for number in range(1, kills + 1):
        say(f"kill {number} of {kills}")
        before = _newest()
        requests = _requests(stage, 20, EVENTS_A_KILL // 20, _known(stage, 20))
        told = tell(house, requests, kill_after=stage.dice.uniform(0.02, 0.25), until_taken=True)
        stored = _newest_count(before)
        lost += max(0, EVENTS_A_KILL - stored)
        doubled += max(0, stored - EVENTS_A_KILL)
        _expect_taken(told)
    return [
        figure("ingest_lost_events", f"of those told over {kills} kills", [float(lost)]),
        figure("ingest_doubled_events", f"of those told over {kills} kills", [float(doubled)]),
    ]


def _expect_taken(told: Told) -> None:
    if set(told.statuses) != {200}:
        raise RuntimeError(f"the web process answered with {dict(told.statuses)}")


def _newest() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM interaction_ids")
        return int(cursor.fetchall()[0][0])


def _newest_count(before: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM channel_interactions WHERE id > %s", [before])
        return int(cursor.fetchall()[0][0])


def _numbers(count: int) -> int:
    """Take so many numbers of interactions; returns the one before the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(nextval('interaction_ids')) FROM generate_series(1, %s)", [count])
        return int(cursor.fetchall()[0][0]) - 1


def _rows_since(before: int, *, later: int = 0) -> bytes:
    """The rows that a run stored, as COPY writes them, with numbers that are greater by `later`."""
    columns = COLUMNS.replace("id,", f"id + {later},", 1)
    query = f"COPY (SELECT {columns} FROM {TABLE} WHERE id > {before} ORDER BY id) TO STDOUT"  # noqa: S608
    with open_connection() as apart, apart.cursor() as cursor, cursor.copy(query) as copy:
        return b"".join(copy)


def _copy_apart(rows: bytes, *, indexed: bool) -> float:
    """Seconds that COPY takes into an empty table of the same columns."""
    name = "bench_indexed" if indexed else "bench_bare"
    _make_table(name, indexed=indexed)
    return _copy(name, rows)


def _copy(table: str, rows: bytes) -> float:
    """Seconds that COPY takes for these rows, committed."""
    query = f"COPY {table} ({COLUMNS}) FROM STDIN"
    with open_connection() as apart:
        began = time.perf_counter()
        with apart.transaction(), apart.cursor() as cursor, cursor.copy(query) as copy:
            copy.write(rows)
        return time.perf_counter() - began


def _make_table(name: str, *, indexed: bool) -> None:
    like = "INCLUDING DEFAULTS INCLUDING INDEXES" if indexed else "INCLUDING DEFAULTS"
    with open_connection({**owner_database(), "NAME": connection.settings_dict["NAME"]}) as owner:
        owner.execute(f"DROP TABLE IF EXISTS {name}")
        owner.execute(f"CREATE TABLE {name} (LIKE {TABLE} {like})")
        owner.execute(f"GRANT SELECT, INSERT ON {name} TO PUBLIC")
