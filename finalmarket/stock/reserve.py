"""Reserving stock: requests in, verdicts out, by one call of `stock_reserve` (sql/4_reserve.sql)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from django.db import connection

from finalmarket.kernel import measures

RESERVE_SQL = """SELECT * FROM stock_reserve(%s::text[], %s::bigint[], %s::bigint[], %s::int[], %s::int[], %s::bigint[],
                                             %s::int[], %s::bigint[], %s::int[], %s)"""
MOST_SUBMISSIONS = 100


class Mode(IntEnum):
    """What is asked for: a soft hold, a hard promise, or room in the books for a sale that already happened."""

    HOLD = 0
    ALLOCATE = 1
    SALE = 2


@dataclass(frozen=True, slots=True)
class Request:
    """A wish for units of one or more variants on one channel: all lines or none.

    `lines` are pairs of variant id and quantity (units). `key` makes the request idempotent; `hold_seconds` counts
    for holds alone; `location_id` narrows it to one place.
    """

    key: str
    channel_id: int
    lines: tuple[tuple[int, int], ...]
    mode: Mode = Mode.HOLD
    hold_seconds: int = 900
    location_id: int | None = None

    @property
    def body_hash(self) -> int:
        """A signed 64-bit number that two requests share only when they ask for the same."""
        body = repr((self.channel_id, self.lines, int(self.mode), self.location_id)).encode()
        return int.from_bytes(hashlib.blake2b(body, digest_size=8).digest(), "big", signed=True)


class Verdict(NamedTuple):
    """What became of a request.

    `outcome` is granted, refused (`available` units and `reason` say why), duplicate (granted before under this key),
    key_reused (the key stands for another request), invalid (`reason` names the line), or again (submit anew).
    """

    outcome: str
    reservation_id: int | None
    available: int | None
    reason: str

    @property
    def holds(self) -> bool:
        """Whether the units are held or promised now."""
        return self.outcome in ("granted", "duplicate")


def arguments(requests: Sequence[Request], actor: str) -> tuple[Any, ...]:
    """Return the arguments of `stock_reserve` for `requests`."""
    lines = [(n, *line) for n, request in enumerate(requests, 1) for line in request.lines]
    return (
        [request.key for request in requests],
        [request.body_hash for request in requests],
        [request.channel_id for request in requests],
        [int(request.mode) for request in requests],
        [request.hold_seconds for request in requests],
        [request.location_id for request in requests],
        [line[0] for line in lines],
        [line[1] for line in lines],
        [line[2] for line in lines],
        actor,
    )


def verdicts(row: Sequence[Any]) -> list[Verdict]:
    """Return the verdicts of one answer of `stock_reserve`, in the order of its requests."""
    return [
        Verdict(outcome, reservation, available, reason or "")
        for outcome, reservation, available, reason in zip(*row, strict=True)
    ]


def reserve(requests: Sequence[Request], *, actor: str = "system") -> list[Verdict]:
    """Settle `requests` in their order on Django's connection, within the caller's transaction if there is one.

    Requests answered with `again` (expired holds still stood in the way, or another transaction took the key) are
    submitted anew, so the answers are final.
    """
    answers: dict[int, Verdict] = {}
    waiting = list(range(len(requests)))
    for _ in range(MOST_SUBMISSIONS):
        with connection.cursor() as cursor:
            cursor.execute(RESERVE_SQL, arguments([requests[n] for n in waiting], actor))
            row = cursor.fetchone()
        answers.update(zip(waiting, verdicts(row), strict=True))
        waiting = [n for n in waiting if answers[n].outcome == "again"]
        if not waiting:
            break
    measures.count_verdicts((answer.outcome, answer.available) for answer in answers.values())
    return [answers[n] for n in range(len(requests))]
