"""Attribution of net revenue to channels, by seven models side by side. Read from journeys and the order book.

A conversion is an order that was not cancelled, and its value is its net revenue: what came back takes its share away
again from the channels that had been given it. What a channel is given is rounded to the cent so that every model sums
to the revenue exactly (attribution_cents.py). Amounts of different currencies are never added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from finalmarket.journeys import attribution_rules as rules
from finalmarket.journeys.attribution_cents import split
from finalmarket.journeys.attribution_rules import HALF_LIFE_DAYS, Channel, ChannelPath, Credits
from finalmarket.journeys.paths_asked import QUERIES, Asked, chosen_with, rows
from finalmarket.kernel.money import minor_digits

MODELS = ("first", "last", "linear", "time_decay", "position", "markov", "shapley")
CONVERSION_DIGITS = 2
MOST_ORDER = 5


@dataclass(frozen=True, slots=True)
class Share:
    """What a model gives a channel: conversions to the hundredth, and value to the currency's smallest unit."""

    conversions: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True)
class Attribution:
    """What all models give all channels, and the totals that each of them sums to."""

    currency: str
    conversions: int
    nulls: int
    value: Decimal
    models: dict[str, dict[Channel, Share]]

    @property
    def channels(self) -> list[Channel]:
        """The channels, those with the largest share by any model first."""
        best = {
            channel: max(shares[channel].value for shares in self.models.values())
            for channel in next(iter(self.models.values()), {})
        }
        return sorted(best, key=lambda channel: -best[channel])


def attribute(
    asked: Asked, currency: str = "", *, half_life_days: float = HALF_LIFE_DAYS, order: int = 1
) -> Attribution:
    """Attribute the net revenue of the orders placed from `asked.since` to `asked.until`, days of their channels.

    `currency` is by default the one that most of these orders have. Journeys that began in the period, meant to buy
    (browse, research, purchase) and have ended without an order that stands are paths to nothing; only the Markov model
    looks at them. An order without a journey is a path of its own channel alone; asked for an intent, it is left out,
    because it has none. Touches on one channel in a row are one touch, at the moment of the last of them, in whole
    hours before the order. `order` is that of the Markov chain. Raises UserError for an unknown currency.
    """
    chosen = currency or next(iter(currencies(asked)), "")
    paths = paths_of(asked, chosen) if chosen else []
    digits = minor_digits(chosen) if chosen else 2
    return side_by_side(paths, chosen, digits, half_life_days=half_life_days, order=order)


def currencies(asked: Asked) -> list[str]:
    """Return the currencies of the orders of the period, the most frequent first."""
    statement = QUERIES["currencies"].replace("{conditions}", asked.conditions("order", "since", "until"))
    return [row["currency"] for row in rows(statement, asked.values)]


def paths_of(asked: Asked, currency: str) -> list[ChannelPath]:
    """Return the paths asked about, those to orders in `currency` and those to nothing, equal ones together."""
    sold = QUERIES["sold"].replace("{conditions}", asked.conditions("order", "since", "until", "segment", "intent"))
    question = QUERIES["attribution_paths"].replace("{led_conditions}", asked.conditions("chosen", "intent"))
    found = rows(f"{chosen_with(asked)}, sold AS (\n{sold}\n)\n{question}", asked.values | {"currency": currency})
    return [_path(row) for row in found]


def _path(row: dict[str, Any]) -> ChannelPath:
    return ChannelPath(
        tuple(row["channels"]), row["conversions"], row["value"], row["nulls"], tuple(row["hours"] or ())
    )


def side_by_side(
    paths: Sequence[ChannelPath], currency: str, digits: int, *, half_life_days: float = HALF_LIFE_DAYS, order: int = 1
) -> Attribution:
    """Return what each model gives each channel of `paths`; every model sums to the same conversions and value."""
    timed = [path for path in paths if path.channels]
    walked = _together(timed)
    conversions = sum(path.conversions for path in walked)
    value = sum((path.value for path in walked), Decimal(0))
    models = {}
    for name in MODELS:
        credited = _credits(name, timed if name == "time_decay" else walked, half_life_days, order)
        models[name] = _shares(credited, conversions, value, digits)
    worth = sum((share.value for share in models["first"].values()), Decimal(0))
    return Attribution(currency, conversions, sum(path.nulls for path in walked), worth, models)


def _together(paths: Sequence[ChannelPath]) -> list[ChannelPath]:
    """The paths with equal channels as one, whenever they were gone: all that a model without a clock looks at."""
    sums: dict[tuple[Channel, ...], list[Any]] = {}
    for path in paths:
        entry = sums.setdefault(path.channels, [0, Decimal(0), 0])
        entry[0] += path.conversions
        entry[1] += path.value
        entry[2] += path.nulls
    return [ChannelPath(channels, *amounts) for channels, amounts in sums.items()]


def _credits(model: str, paths: Sequence[ChannelPath], half_life_days: float, order: int) -> Credits:
    if model == "markov":
        from finalmarket.journeys.attribution_markov import markov  # loads numpy and scipy

        return markov(paths, order)
    if model == "time_decay":
        return rules.time_decay(paths, half_life_days)
    found: Credits = getattr(rules, model)(paths)
    return found


def _shares(credited: Credits, conversions: int, value: Decimal, digits: int) -> dict[Channel, Share]:
    times = split(Decimal(conversions), {key: one.conversions for key, one in credited.items()}, CONVERSION_DIGITS)
    values = split(value, {key: one.value for key, one in credited.items()}, digits)
    return {channel: Share(times[channel], values[channel]) for channel in credited}
