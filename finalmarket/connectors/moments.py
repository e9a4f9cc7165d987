"""Moments as platforms write and read them: ISO 8601, and seconds or milliseconds since 1970. Ours are in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def utc(text: Any) -> datetime:
    """A moment of ISO 8601; one without a zone is in UTC. Raises ValueError or TypeError for what is none."""
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def zoned(text: Any) -> datetime:
    """A moment of ISO 8601 that names its zone. Raises ValueError or TypeError for any other."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} is a moment without a zone")
    return at.astimezone(UTC)


def from_seconds(seconds: Any) -> datetime:
    """A moment from whole seconds since 1970. Raises ValueError for what is no whole number."""
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise ValueError(f"{seconds!r} is no moment")
    return datetime.fromtimestamp(seconds, UTC)


def to_second(at: datetime) -> str:
    """A moment cut to the second: `2026-06-01T09:30:00Z`, always equally long."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def to_millisecond(at: datetime) -> str:
    """A moment cut to the millisecond: `2026-06-01T09:30:00.000Z`, always equally long."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
