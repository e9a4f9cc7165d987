"""Which topics writers are asked to speak of: of each the next word only, and then of none for a while.

A word costs writers a commit that waits for others, so whoever heard one lets them keep silent for half a second and
looks at how often they did (triggers.sql). What is told of a time of silence is the topic without ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from finalmarket.console.live.audience import Audience
from finalmarket.console.live.words import TOPICS, Word
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("triggers.sql"))
REST_SECONDS = 0.5
LOOK_SECONDS = 15.0
"""A connection on which nothing is heard is asked so often whether it is still one."""

Connection = psycopg.AsyncConnection[tuple[Any, ...]]


@dataclass
class _Topic:
    """What is known of a topic. `is_unsure`: some who kept silent had not committed when it was told last."""

    is_asked: bool = False
    is_unsure: bool = False
    told_at_count: int | None = None
    look_at_seconds: float = 0.0


class Attention:
    """What writers are asked to speak of. `spoke` is told by whoever hears them."""

    def __init__(self, audience: Audience) -> None:
        self._audience = audience
        self._topics = {name: _Topic() for name in TOPICS}
        self._spoken: set[str] = set()
        self._woken = asyncio.Event()

    def spoke(self, topic: str) -> None:
        """A word of this topic was heard."""
        self._spoken.add(topic)
        self._woken.set()

    async def begin(self, connection: Connection) -> None:
        """Ask for a word of every topic; the connection is this one's alone from now on."""
        await self._look(connection, self._topics)

    async def keep(self, connection: Connection) -> None:
        """Rest and ask again, until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            await self._wait(clock())
            await self._let_rest(connection, clock())
            due = [name for name, one in self._topics.items() if not one.is_asked and one.look_at_seconds <= clock()]
            await self._look(connection, due)
            for name in due:
                self._topics[name].look_at_seconds = clock() + REST_SECONDS

    async def _wait(self, now: float) -> None:
        looks = [one.look_at_seconds - now for one in self._topics.values() if not one.is_asked]
        try:
            await asyncio.wait_for(self._woken.wait(), max(0.0, min(looks, default=LOOK_SECONDS)))
        except TimeoutError:
            return
        self._woken.clear()

    async def _let_rest(self, connection: Connection, now: float) -> None:
        heard, self._spoken = self._spoken, set()
        rested = [name for name in heard if self._topics[name].is_asked]
        if rested:
            await connection.execute(QUERIES["thank"], [rested])
        for name in rested:
            self._topics[name].is_asked, self._topics[name].look_at_seconds = False, now + REST_SECONDS

    async def _look(self, connection: Connection, names: Collection[str]) -> None:
        """Tell of these topics what was kept silent, and ask again where nobody keeps silent any more.

        Who counted before the counts are read, and is not silent afterwards, has committed. Of a topic that is asked
        for nobody is silent, so that its count is final; elsewhere there is always another look.
        """
        counts = await _counts(connection)
        asked = await _chosen(connection, "ask", names)
        silent = await _chosen(connection, "silent", [name for name in names if name not in asked])
        counts |= {name: count for name, count in (await _counts(connection)).items() if name in asked}
        for name in names:
            one, count, is_settled = self._topics[name], counts[name], name not in silent
            if count != one.told_at_count or (is_settled and one.is_unsure):
                self._audience.tell([Word(name, None)])
            one.told_at_count, one.is_unsure, one.is_asked = count, not is_settled, name in asked


async def _counts(connection: Connection) -> dict[str, int]:
    found = await connection.execute(QUERIES["counted"])
    return dict(await found.fetchall())


async def _chosen(connection: Connection, query: str, names: Collection[str]) -> set[str]:
    if not names:
        return set()
    found = await connection.execute(QUERIES[query], [list(names)])
    return {name for (name,) in await found.fetchall()}
