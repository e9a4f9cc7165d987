"""Small doses of what the proof tries whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from zlib import crc32

Thing = TypeVar("Thing")


def some_of(things: Sequence[Thing], whose: object, one_in: int) -> list[Thing]:
    """Every so manieth of them, and at least one. Each test that asks (`whose`) begins at a place of its own, the same
    in every run, so that together they leave few out."""
    first = crc32(str(whose).encode()) % min(one_in, len(things)) if things else 0
    return list(things[first::one_in])
