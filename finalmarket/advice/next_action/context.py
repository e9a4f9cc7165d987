"""The figures of a person that the policy learns from: few, bounded, and none that names anybody."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np

from finalmarket.advice.next_action.known import Known
from finalmarket.advice.policy.off_policy import Numbers

FIGURES = (
    "always",
    "orders",
    "ordered_lately",
    "touched_lately",
    "cart",
    "wishes",
    "habits",
    "picks",
    "contacts",
    "journey",
)
"""What each number of a context is; a new figure goes to the end, and what was learned before begins anew."""
MANY = 10.0


def context_of(known: Known) -> Numbers:
    """Return the figures of a person, each between 0 and 1."""
    profile = known.profile
    looked = [one.last for kind in ("looked", "cart", "wished") for one in known.goods.get(kind, ())]
    picks = [one for one in known.picks if one.because is not None]
    return np.array(
        [
            1.0,
            _many(profile.get("total_orders", 0)),
            _lately(known.now, profile.get("last_order_at"), 60.0),
            _lately(known.now, max(looked, default=None), 14.0),
            _many(sum(one.times for one in known.goods.get("cart", ()))),
            _many(len(known.goods.get("wished", ()))),
            _many(len(known.habits())),
            _many(len(picks)),
            _many(len(known.contacts)),
            float(bool(profile.get("open_journeys"))),
        ]
    )


def _many(count: int) -> float:
    """A number between 0 and 1 that grows ever more slowly."""
    return min(1.0, math.log1p(count) / math.log1p(MANY))


def _lately(now: datetime, at: datetime | None, days: float) -> float:
    """One for just now, half of it after so many days, zero for never."""
    if at is None:
        return 0.0
    return float(0.5 ** (max(0.0, (now - at).total_seconds() / 86_400) / days))
