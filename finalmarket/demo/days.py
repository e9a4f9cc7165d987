"""When orders are placed: the rhythm of weeks, seasons and hours, channel by channel."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from functools import cache
from zoneinfo import ZoneInfo

DAYS = 365
ORDERS = 4_000

# Share of all orders, in per cent.
SHARES = {
    "web": 31, "app": 19, "amazon": 20, "instagram": 5, "berlin": 10, "london": 5, "phone": 3, "kiosk": 2, "usa": 5,
}  # fmt: skip
# Monday to Sunday, in per cent of an average day. Stores in Berlin and the phone rest on Sundays.
WEEKS = {
    "online": (112, 102, 96, 98, 88, 92, 118),
    "store": (70, 75, 82, 95, 130, 200, 0),
    "london": (65, 70, 80, 95, 125, 190, 110),
    "phone": (140, 125, 120, 115, 110, 0, 0),
    "kiosk": (40, 45, 60, 70, 120, 230, 170),
}
MONTHS = (78, 80, 98, 115, 118, 106, 92, 88, 94, 102, 132, 138)
# Orders by hour of the day, 0 to 23.
HOURS = {
    "online": (8, 4, 2, 1, 1, 3, 10, 22, 34, 42, 46, 48, 52, 48, 44, 44, 46, 52, 62, 78, 92, 88, 58, 24),
    "store": (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 18, 30, 42, 40, 38, 44, 52, 58, 46, 0, 0, 0, 0, 0),
    "phone": (0, 0, 0, 0, 0, 0, 0, 0, 0, 30, 44, 42, 22, 24, 38, 36, 26, 0, 0, 0, 0, 0, 0, 0),
}
RHYTHM = {
    "berlin": ("store", "store"),
    "london": ("london", "store"),
    "phone": ("phone", "phone"),
    "kiosk": ("kiosk", "store"),
}
GROWTH = 0.3  # how much more is ordered at the end of the year than at its beginning
CLOSED = {(1, 1), (5, 1), (10, 3), (12, 25), (12, 26)}


@dataclass(frozen=True, slots=True)
class Campaign:
    """Days on which a share of the price is given away, and what that does to demand (both in per cent)."""

    name: str
    channels: tuple[str, ...]
    first: tuple[int, int]
    days: int
    discount: int
    demand: int

    def runs(self, key: str, day: date) -> bool:
        """Whether it runs on that channel and day."""
        if key not in self.channels:
            return False
        start = date(day.year, *self.first)
        return start <= day < start + timedelta(days=self.days)


CAMPAIGNS = (
    Campaign("Spring sale", ("web", "app", "instagram", "phone"), (4, 11), 6, 10, 150),
    Campaign("Summer weekend", ("web", "app", "kiosk", "berlin"), (7, 4), 4, 10, 140),
    Campaign("Black week", ("web", "app", "amazon", "usa"), (11, 23), 7, 20, 190),
)


def campaign_of(key: str, day: date) -> Campaign | None:
    """Return the campaign that runs on a channel that day, if one does."""
    return next((campaign for campaign in CAMPAIGNS if campaign.runs(key, day)), None)


def moments(key: str, zone: str, dice: random.Random, last: date, scale: float) -> Iterator[datetime]:
    """Yield the moments at which orders of a channel are placed in the year that ends on `last`, in order, in UTC."""
    first = last - timedelta(days=DAYS - 1)
    every_day = [first + timedelta(days=n) for n in range(DAYS)]
    weights = [_weight(key, day, first) for day in every_day]
    wanted = ORDERS * scale * SHARES[key] / 100 / sum(weights)
    hours = HOURS[RHYTHM.get(key, ("online", "online"))[1]]
    for day, weight in zip(every_day, weights, strict=True):
        count = _poisson(dice, wanted * weight)
        drawn = [
            time_of_day(hour, dice.randrange(60), dice.randrange(60))
            for hour in dice.choices(range(24), hours, k=count)
        ]
        yield from sorted(datetime.combine(day, time, ZoneInfo(zone)).astimezone(UTC) for time in drawn)


@cache
def _weight(key: str, day: date, first: date) -> float:
    """How busy the day is, against others of the same channel."""
    if key in ("berlin", "kiosk", "phone") and (day.month, day.day) in CLOSED:
        return 0
    week = WEEKS[RHYTHM.get(key, ("online", "online"))[0]][day.weekday()]
    campaign = campaign_of(key, day)
    growth = 1 + GROWTH * (day - first).days / DAYS
    return week * MONTHS[day.month - 1] * (campaign.demand if campaign else 100) * growth


def _poisson(dice: random.Random, mean: float) -> int:
    """Draw a number of independent events (Knuth, Art of Computer Programming 3.4.1; normal when large)."""
    if mean > 50:
        return max(0, round(dice.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), dice.random(), 0
    while product > limit:
        product *= dice.random()
        count += 1
    return count
