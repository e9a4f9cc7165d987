"""Hearing what the database says, as long as somebody watches, over a connection that comes back when it is lost."""

from __future__ import annotations

import asyncio
import random

import psycopg
import structlog
from django.db import connections

from finalmarket.console.live.attention import LOOK_SECONDS, Attention, Connection
from finalmarket.console.live.audience import Audience
from finalmarket.console.live.words import CHANNEL, read
from finalmarket.kernel.sql import connection_options

LINGER_SECONDS = 30.0
"""Who goes from page to page leaves for a moment; the ear stays open so long after the last has left."""
LONGEST_PAUSE_SECONDS = 30.0

log = structlog.get_logger(__name__)


async def listen(audience: Audience, *, linger_seconds: float = LINGER_SECONDS) -> None:
    """Listen whenever somebody watches, until cancelled."""
    failures = 0
    while True:
        await audience.is_occupied.wait()
        try:
            async with asyncio.TaskGroup() as group:
                hearing = group.create_task(_hear(audience))
                await _until_empty(audience, linger_seconds)
                hearing.cancel()
            failures = 0
        except* (psycopg.Error, OSError) as error:
            failures += 1
            log.warning("the live stream lost the database", error=str(error.exceptions[0]).strip())
        finally:
            audience.can_hear.clear()
        if failures:
            await asyncio.sleep(min(LONGEST_PAUSE_SECONDS, 0.5 * 2**failures) * random.uniform(0.5, 1.0))  # noqa: S311


async def _until_empty(audience: Audience, linger_seconds: float) -> None:
    """Return when nobody has watched for a while."""
    quiet = 0.0
    step = min(1.0, linger_seconds / 4)
    while quiet < linger_seconds:
        await asyncio.sleep(step)
        quiet = 0.0 if len(audience) else quiet + step


async def _connect() -> Connection:
    options = connection_options(connections["default"].settings_dict)
    return await psycopg.AsyncConnection.connect(**options, autocommit=True)


async def _hear(audience: Audience) -> None:
    """Hand round what is said. Pages that were there before are told that anything may have changed meanwhile."""
    attention = Attention(audience)
    async with await _connect() as ear, await _connect() as asking:
        await ear.execute(f"LISTEN {CHANNEL}")  # our own constant
        await attention.begin(asking)
        audience.can_hear.set()
        audience.tell_that_all_may_have_changed()
        async with asyncio.TaskGroup() as group:
            group.create_task(attention.keep(asking))
            group.create_task(_hand_round(ear, attention, audience))


async def _hand_round(ear: Connection, attention: Attention, audience: Audience) -> None:
    while True:
        async for said in ear.notifies(timeout=LOOK_SECONDS):
            if (word := read(said.payload)) is not None:
                audience.tell([word])
                attention.spoke(word.topic)
        await ear.execute("SELECT 1")
