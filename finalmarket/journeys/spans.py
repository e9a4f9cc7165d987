"""How long a visit may pause, and how long a journey stays open: by intent, all in one place.

`FINALMARKET_JOURNEYS` changes them, such as "purchase=10d, purchase.pause=45m, longest=120d": the time-out of an
intent, its session gap, and the greatest length of any journey. What was recognised before stays as it is until its
person does something; `finalmarket stitch --all` tells everything anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

from django.conf import settings

from finalmarket.kernel.errors import UserError


@dataclass(frozen=True, slots=True)
class Span:
    """`pause` is the session gap: after a longer one the next interaction is another visit. `time_out` is how long a
    journey waits for the next interaction before it counts as abandoned."""

    pause: timedelta
    time_out: timedelta


@dataclass(frozen=True, slots=True)
class Spans:
    """The spans of all intents, and how long and how full a journey becomes at most: one that never ends would have to
    be read whole whenever its person does something."""

    by_intent: Mapping[str, Span]
    longest: timedelta = timedelta(days=90)
    most_touches: int = 1_000


HALF_AN_HOUR = timedelta(minutes=30)
DEFAULTS = Spans(
    {
        "browse": Span(HALF_AN_HOUR, timedelta(days=7)),
        "research": Span(HALF_AN_HOUR, timedelta(days=14)),
        "purchase": Span(HALF_AN_HOUR, timedelta(days=7)),
        "support": Span(timedelta(hours=4), timedelta(days=14)),
        "return": Span(timedelta(hours=4), timedelta(days=30)),
        "review": Span(HALF_AN_HOUR, timedelta(days=3)),
    }
)
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
WRITTEN = re.compile(r"(?P<name>[a-z]+)(?P<pause>\.pause)?=(?P<count>[1-9][0-9]{0,4})(?P<unit>[mhd])")


def spans() -> Spans:
    """The spans in force. Raises UserError for a setting that cannot be read."""
    return read(getattr(settings, "JOURNEYS", ""))


@cache
def read(text: str) -> Spans:
    """The defaults with what `text` changes; see above. Raises UserError for what it cannot read."""
    found = DEFAULTS
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = WRITTEN.fullmatch(part)
        if match is None or (match["name"] not in found.by_intent and (match["name"] != "longest" or match["pause"])):
            known = ", ".join(found.by_intent)
            raise UserError(f'FINALMARKET_JOURNEYS holds "{part}"; write purchase=7d or purchase.pause=30m ({known})')
        length = int(match["count"]) * UNITS[match["unit"]]
        if match["name"] == "longest":
            found = replace(found, longest=length)
            continue
        changed = {"pause" if match["pause"] else "time_out": length}
        span = replace(found.by_intent[match["name"]], **changed)
        found = replace(found, by_intent={**found.by_intent, match["name"]: span})
    return found
