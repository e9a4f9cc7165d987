"""Rounding shares so that they sum to the whole: the largest remainders get the last cents (Hamilton). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import floor
from typing import TypeVar

from finalmarket.journeys.attribution_rules import Number

Key = TypeVar("Key")


def split(total: Decimal, weights: Mapping[Key, Number], digits: int) -> dict[Key, Decimal]:
    """Share `total`, rounded half up to `digits` places, in the proportion of `weights`; the parts sum to it exactly.

    Each part is the exact share rounded down, and the units that are left go one by one to the largest remainders, of
    equal ones to the first key. Raises ValueError where there is something to share and no weight.
    """
    unit = Decimal(1).scaleb(-digits)
    units = int(total.quantize(unit, rounding=ROUND_HALF_UP) / unit)
    exact = {key: Fraction(weight) for key, weight in weights.items()}
    together = sum(exact.values(), Fraction(0))
    if not together:
        if units:
            raise ValueError(f"{total} is to be shared, and nobody has a part in it")
        return {key: Decimal(0) * unit for key in exact}
    shares = {key: units * weight / together for key, weight in exact.items()}
    parts = {key: floor(share) for key, share in shares.items()}
    by_remainder = sorted(shares, key=lambda key: parts[key] - shares[key])  # the sort is stable: first keys first
    for key in by_remainder[: units - sum(parts.values())]:
        parts[key] += 1
    return {key: part * unit for key, part in parts.items()}
