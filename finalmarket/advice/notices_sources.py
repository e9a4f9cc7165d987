"""What this room itself finds worth telling: stock that runs low, and days that are unlike a channel's own days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean, variance
from typing import TYPE_CHECKING

from django.db import connection

from finalmarket.advice.notices import MOST, NORMAL, QUERIES, URGENT, Found, source
from finalmarket.kernel import clock
from finalmarket.kernel.later import later
from finalmarket.kernel.plural import plural
from finalmarket.stock.alerts import open_alerts
from finalmarket.stock.models import StockAlert

if TYPE_CHECKING:
    from scipy import stats
else:
    stats = later("scipy.stats")

WEEKS = 8
FEWEST_WEEKS = 6
FEWEST_ORDERS = 5.0  # expected by now, before today's silence means anything
UNLIKELY, UNLIKELY_YET = 0.001, 0.0005  # of a whole day; of a day that is not over, which is looked at all day long


@source("low_stock", title="Low stock", permission="stock.view_stockalert")
def low_stock() -> Iterator[Found]:
    """Open stock alerts that nobody has put off; what was sold beyond stock is urgent."""
    for alert in open_alerts()[:MOST]:
        where = alert.sales_channel or alert.location or "all locations"
        yield Found(
            f"{alert.variant_id}:{alert.sales_channel_id or ''}:{alert.location_id or ''}",
            f"{alert.get_level_display()}: {alert.variant.sku}",
            f"{alert.variant.label} at {where}: {_units(alert)}.",
            URGENT if alert.level == StockAlert.Level.SHORT else NORMAL,
            f"variant:{alert.variant_id}",
        )


@source("unusual_day", title="Unusual days", permission="analytics.view_channelanalytics")
def unusual_days() -> Iterator[Found]:
    """Channels whose orders of yesterday, or of today until now, are unlike the same weekdays before."""
    for days in _channels():
        yesterday = days.counts("whole", 1)
        if verdict := judge(days.whole.get(1, 0), yesterday, UNLIKELY):
            yield _told(days, 1, verdict)
        so_far = days.counts("until_now", 0)
        is_busy = bool(so_far) and fmean(so_far) >= FEWEST_ORDERS
        if is_busy and (verdict := judge(days.until_now.get(0, 0), so_far, UNLIKELY_YET)):
            yield _told(days, 0, verdict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A count that is unlike those before: what came, what was usual, and how unlikely it is."""

    came: int
    usual: float
    chance: float

    @property
    def is_low(self) -> bool:
        """Fewer than usual, not more."""
        return self.came < self.usual


@dataclass(frozen=True, slots=True)
class _Days:
    """Orders of a channel by how many days back they are; days without orders are not in it."""

    channel: int
    name: str
    today: date
    age: int
    whole: dict[int, int]
    until_now: dict[int, int]

    def counts(self, which: str, back: int) -> list[int]:
        """The same weekday in the weeks before, as far back as the channel has had orders."""
        known = self.whole if which == "whole" else self.until_now
        weeks = [back + 7 * week for week in range(1, WEEKS + 1)]
        return [known.get(day, 0) for day in weeks if day <= self.age]


def judge(came: int, before: Sequence[int], unlikely: float) -> Verdict | None:
    """Say whether a count is unlike those before, by a negative binomial that scatters as they do, at least as chance.

    None where it is not, or where fewer than FEWEST_WEEKS are known. That the mean is not quite known is counted in.
    """
    if len(before) < FEWEST_WEEKS:
        return None
    mean = max(fmean(before), 0.5)
    spread = max(variance(before), mean) + mean / len(before)
    law = stats.nbinom(mean**2 / (spread - mean), mean / spread)
    chance = min(1.0, 2 * min(float(law.cdf(came)), float(law.sf(came - 1))))
    return Verdict(came, fmean(before), chance) if chance < unlikely else None


def _channels() -> list[_Days]:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["days"], {"now": clock.now(), "days": 7 * WEEKS + 1})
        rows = cursor.fetchall()
    found: dict[int, _Days] = {}
    for channel, name, back, whole, until_now, age, today in rows:
        days = found.setdefault(channel, _Days(channel, name, today, age, {}, {}))
        days.whole[back], days.until_now[back] = whole, until_now
    return list(found.values())


def _told(days: _Days, back: int, verdict: Verdict) -> Found:
    day = days.today - timedelta(days=back)
    when = "Yesterday" if back else "Today until now"
    word = "few" if verdict.is_low else "many"
    return Found(
        f"{days.channel}:{day.isoformat()}",
        f"Unusually {word} orders on {days.name}",
        f"{when} ({day:%a %d %b}) {verdict.came:,} orders came; on the {WEEKS} {day:%A}s before it was "
        f"{verdict.usual:,.1f} on average. By chance that happens on one day in {1 / max(verdict.chance, 1e-9):,.0f}.",
        URGENT if verdict.is_low else NORMAL,
        f"channel:{days.channel}",
    )


def _units(alert: StockAlert) -> str:
    if alert.level == StockAlert.Level.SHORT:
        return f"{plural(alert.quantity, 'unit was sold that is', 'units were sold that are')} not there"
    return f"{alert.quantity:,} left, alerted at {alert.threshold:,}"
