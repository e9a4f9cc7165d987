"""Things at a platform that cannot be changed once they are made: what is different becomes another draft under the
same key, and the last one counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from finalmarket.connectors.records import Raw

MOST_DRAFTS = 30  # of one thing


def drafts_of(find: Callable[[int], Raw | None]) -> Iterator[Raw]:
    """What was made under a key, the oldest first; `find` gets the draft of a number (from 1), None where there is
    none."""
    for number in range(1, MOST_DRAFTS + 1):
        draft = find(number)
        if draft is None:
            return
        yield draft


def shows(shown: Any, wanted: Any, is_same: Callable[[Any, Any], bool]) -> bool:
    """Whether what stands at the platform is what is wanted; it may hold more. `is_same` compares single values."""
    if isinstance(wanted, Mapping):
        return isinstance(shown, Mapping) and all(
            shows(shown.get(name), value, is_same) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        is_as_long = isinstance(shown, list) and len(shown) == len(wanted)
        return is_as_long and all(shows(one, other, is_same) for one, other in zip(shown, wanted, strict=True))
    return is_same(shown, wanted)
