"""Which of two versions of an order is newer, in the words that platforms use: counters, moments, or plain text."""

from __future__ import annotations

from datetime import UTC, datetime


def is_older(version: str, than: str) -> bool:
    """Say whether `version` is older than `than`. Counters compare as numbers, ISO 8601 moments as moments, the rest
    as text. An empty version is older than any other and as old as another empty one."""
    if not version or not than:
        return bool(than) and not version
    if _is_counter(version) and _is_counter(than):
        return int(version) < int(than)
    first, second = _moment(version), _moment(than)
    if first is not None and second is not None:
        return first < second
    return version < than


def _is_counter(version: str) -> bool:
    return version.isascii() and version.isdigit()


def _moment(version: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(version)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
