"""Attribution by rules: how the conversions and the value of paths are shared among their channels. Pure.

Sums are kept as exact fractions, but for time decay, whose weights are powers of two with broken exponents.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache

Channel = Hashable
Number = Fraction | float
HALF_LIFE_DAYS = 7.0
END_SHARE = Fraction(2, 5)  # of a position-based credit, at either end; the touches between share the rest


@dataclass(frozen=True, slots=True)
class ChannelPath:
    """A sequence of channels, how often it ended in a conversion and what those were worth, and how often in nothing.

    `hours` says how many hours before the conversion each touch lay; without it all of them lay at one moment.
    """

    channels: tuple[Channel, ...]
    conversions: int = 0
    value: Decimal = Decimal(0)
    nulls: int = 0
    hours: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Credit:
    """What one channel is given: conversions, and value in the unit of the paths. Not rounded."""

    conversions: Number
    value: Number


Credits = dict[Channel, Credit]
Shares = Sequence[Number]


def channels_of(paths: Iterable[ChannelPath]) -> list[Channel]:
    """Return every channel of the paths once, in the order of their names or numbers."""
    return sorted({channel for path in paths for channel in path.channels}, key=lambda one: (str(type(one)), one))


def first(paths: Sequence[ChannelPath]) -> Credits:
    """Give everything to the first touch."""
    return _by_length(paths, lambda count: [Fraction(1)] + [Fraction(0)] * (count - 1))


def last(paths: Sequence[ChannelPath]) -> Credits:
    """Give everything to the last touch."""
    return _by_length(paths, lambda count: [Fraction(0)] * (count - 1) + [Fraction(1)])


def linear(paths: Sequence[ChannelPath]) -> Credits:
    """Give every touch the same: 1/n of a path of n touches."""
    return _by_length(paths, lambda count: [Fraction(1, count)] * count)


def position(paths: Sequence[ChannelPath]) -> Credits:
    """Give 40 % to the first touch, 40 % to the last, and share 20 % among those between.

    Of two touches each gets half, a single one gets all.
    """
    return _by_length(paths, _ends)


def _ends(count: int) -> Shares:
    if count <= 2:
        return [Fraction(1, count)] * count
    return [END_SHARE, *[(1 - 2 * END_SHARE) / (count - 2)] * (count - 2), END_SHARE]


def time_decay(paths: Sequence[ChannelPath], half_life_days: float = HALF_LIFE_DAYS) -> Credits:
    """Give a touch half of what one gets that lies `half_life_days` later: weights 2^(-hours / 24 / half life).

    Raises ValueError for a half-life that is not above zero.
    """
    if not half_life_days > 0:
        raise ValueError(f"a half-life is a number of days above zero, not {half_life_days}")
    conversions = dict.fromkeys(channels_of(paths), 0.0)
    values = dict(conversions)
    for path in paths:
        if path.conversions or path.value:
            for channel, share in zip(path.channels, _decayed(path, half_life_days * 24), strict=True):
                conversions[channel] += path.conversions * share
                values[channel] += float(path.value) * share
    return {channel: Credit(conversions[channel], values[channel]) for channel in conversions}


def _decayed(path: ChannelPath, half_life_hours: float) -> list[float]:
    """Shares of the touches; the newest weighs 1, so that a path of long ago does not vanish."""
    if not path.hours:
        return [1 / len(path.channels)] * len(path.channels)
    newest = min(path.hours)
    weights = [2.0 ** (-(hours - newest) / half_life_hours) for hours in path.hours]
    together = math.fsum(weights)
    return [weight / together for weight in weights]


def shapley(paths: Sequence[ChannelPath]) -> Credits:
    """Give each channel its Shapley value in the game whose coalitions earn what paths within them brought.

    A coalition S earns v(S) = the sum of R(T) over all T in S, where R(T) is what came by paths that touched exactly
    the channels T. R(T) is the dividend of T (Harsanyi 1963), so that the Shapley value is exact without looking at
    any coalition: each member of T gets R(T) / |T| (Zhao, Mahboobi and Bagheri 2018, arXiv:1804.05327). It takes one
    step for each channel of each path, however many channels there are.
    """
    sums: dict[frozenset[Channel], list[Decimal]] = {}
    for path in paths:
        entry = sums.setdefault(frozenset(path.channels), [Decimal(0), Decimal(0)])
        entry[0] += path.conversions
        entry[1] += path.value
    conversions = dict.fromkeys(channels_of(paths), Fraction(0))
    values = dict(conversions)
    for touched, (times, value) in sums.items():
        for channel in touched:
            conversions[channel] += Fraction(times) / len(touched)
            values[channel] += Fraction(value) / len(touched)
    return {channel: Credit(conversions[channel], values[channel]) for channel in conversions}


def _by_length(paths: Sequence[ChannelPath], rule: Callable[[int], Shares]) -> Credits:
    """Share out by a rule that looks at the length of a path only. Amounts are summed first and multiplied once."""
    known = cache(rule)
    sums: dict[Channel, dict[Number, list[Decimal]]] = {channel: {} for channel in channels_of(paths)}
    for path in paths:
        if not path.channels or not (path.conversions or path.value):
            continue
        for channel, share in zip(path.channels, known(len(path.channels)), strict=True):
            if share:
                entry = sums[channel].setdefault(share, [Decimal(0), Decimal(0)])
                entry[0] += path.conversions
                entry[1] += path.value
    return {
        channel: Credit(*(sum((Fraction(amounts[at]) * share for share, amounts in shares.items()), Fraction(0))
                          for at in (0, 1)))
        for channel, shares in sums.items()
    }  # fmt: skip
