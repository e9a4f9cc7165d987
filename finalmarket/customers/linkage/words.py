"""Why two may be one person, in words that name no value: what is the same, what nearly, what differs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from finalmarket.customers.linkage.scoring import UNKNOWN, Pair
from finalmarket.customers.linkage.weights import COMPARISONS

NOT_SAID = {"country"}
"""What nearly all customers share says nothing to a person."""


def why(pair: Pair) -> str:
    """Say what a score rests on, such as "same birth date, same city; surname differs in one letter; different e-mail".

    What is not known of one of the two is left out.
    """
    told = list(_told(pair))
    parts = [", ".join(said for place, said in told if place == kind) for kind in ("same", "near", "different")]
    return "; ".join(part for part in parts if part) or "nothing but what is common"


def _told(pair: Pair) -> Iterable[tuple[str, str]]:
    for one, level in zip(COMPARISONS, pair.levels, strict=True):
        if level == UNKNOWN or (one.column in NOT_SAID and level == 0):
            continue
        kind = "same" if level == 0 else "different" if level == len(one.levels) - 1 else "near"
        yield kind, one.levels[level].told


def evidence(pair: Pair, persons_in_group: int) -> dict[str, Any]:
    """What is kept with a suggestion."""
    kept: dict[str, Any] = {"because": why(pair)}
    if persons_in_group > 2:
        kept["group"] = f"one of {persons_in_group} who may be one person"
    return kept
