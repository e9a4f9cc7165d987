"""What the web process makes of a request before it is written: its events as rows, and whom they name."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, TypeAlias

from finalmarket.journeys.dialects.heard import Refused
from finalmarket.journeys.whose import Named


class Somebody:
    """Whom events of a request name: when they did the latest of these, and, while they are being written, on which
    profile that lands."""

    __slots__ = ("latest", "named", "profile")

    def __init__(self, named: Named, at: datetime) -> None:
        self.named = named
        self.latest = at
        self.profile: int | None = None


class Item(NamedTuple):
    """An event on its way into the tables (fields as journeys/binary.py writes them). `row` is all of its row but
    number and profile, empty for what is no interaction; `key` by what its message is known, empty where none is kept;
    `name` is set where the name is to be counted."""

    channel_id: int
    key: bytes
    at: bytes
    somebody: Somebody
    row: bytes
    name: str
    dialect: str


Numbers: TypeAlias = dict[bytes, bytes | None]
"""New messages, by their keys, with the numbers of their interactions (none, for what is no interaction)."""
SetAside: TypeAlias = tuple[int, str, Refused]
"""An event that cannot be kept: of which channel, in which dialect, as it came and why."""


class Parcel(NamedTuple):
    """What one request brings."""

    received_at: datetime
    items: list[Item]
    refused: list[SetAside]
