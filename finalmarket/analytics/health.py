"""How a channel is doing: one word, and why. What is usual is the channel's own past, not a number for all.

Orders of the last day are held against the same day of the weeks before. So many orders as came then say how many may
come now: counts scatter as Poisson's do, about a mean that is only known from a few weeks, and more where the weeks
themselves differ more (a negative binomial predictive distribution). The channel is quiet, or busy, when the past would
bring about so few, or so many, in fewer than one of a thousand days.

What stands above this room (accounts on platforms) says what it knows through `add_source`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from django.db import connection

from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock
from finalmarket.kernel.later import later
from finalmarket.kernel.plural import plural
from finalmarket.kernel.sql import Queries

if TYPE_CHECKING:
    from scipy import stats
else:
    stats = later("scipy.stats")

QUERIES = Queries(Path(__file__).with_name("health.sql"))
WEEKS, FEWEST_WEEKS = 8, 4
RARE = 0.001
COUNTED_AT_MOST = 10_000
MOST_RUN_OUT = 0.1
"""A channel of which more than a tenth of the listings has run out is short."""

HEALTHY, QUIET, BUSY, TROUBLED, SHORT = "healthy", "quiet", "busy", "troubled", "short"
BEHIND, FAILING, PAUSED, INACTIVE = "behind", "failing", "paused", "inactive"
WORST_FIRST = (INACTIVE, PAUSED, FAILING, TROUBLED, SHORT, BEHIND, QUIET, BUSY)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be: the word it deserves, and the sentence that says why."""

    word: str
    reason: str


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """`word` is healthy or that of the worst finding; `reason` says why in a sentence; `findings` are all of them."""

    word: str
    reason: str
    findings: Sequence[Finding] = ()

    def __str__(self) -> str:
        return f"{self.word}: {self.reason}"


Source: TypeAlias = Callable[[Sequence[SalesChannel]], Mapping[int, Sequence[Finding]]]
"""Takes channels; returns what is wrong with some of them, by id. A constant number of statements."""
SOURCES: list[Source] = []


def add_source(source: Source) -> None:
    """Register what a room above knows of channels; called once, when that room is ready."""
    if source not in SOURCES:
        SOURCES.append(source)


@dataclass(slots=True)
class _Past:
    """Orders of the last day and of the same day in each week before (1 is a week ago), and those with a problem."""

    orders: int = 0
    troubled: int = 0
    before: dict[int, tuple[int, int]] = field(default_factory=dict)
    since: datetime | None = None

    def weeks(self, now: datetime) -> list[tuple[int, int]]:
        """The weeks in which the channel sold already."""
        old = (now - self.since).days // 7 if self.since else 0
        return [counts for week, counts in sorted(self.before.items()) if week <= old]


def health_of(channel: SalesChannel) -> ChannelHealth:
    """Return how one channel is doing."""
    return health_of_all([channel])[channel.pk]


def health_of_all(channels: Sequence[SalesChannel]) -> dict[int, ChannelHealth]:
    """Return how these channels are doing, by id; two queries for all of them, and those of the rooms above."""
    now = clock.now()
    ids = [channel.pk for channel in channels]
    pasts, stock = _pasts(ids, now), _stock(ids, now)
    found: dict[int, list[Finding]] = {
        channel.pk: [*_by_status(channel), *_orders(pasts[channel.pk], now), *stock.get(channel.pk, ())]
        for channel in channels
    }
    for source in SOURCES:
        for key, findings in source(channels).items():
            found[key] += findings
    return {channel.pk: _judged(found[channel.pk], pasts[channel.pk], now) for channel in channels}


def _judged(findings: Sequence[Finding], past: _Past, now: datetime) -> ChannelHealth:
    ranked = sorted(findings, key=lambda finding: WORST_FIRST.index(finding.word))
    if not ranked:
        return ChannelHealth(HEALTHY, _good_words(past, now))
    return ChannelHealth(ranked[0].word, ranked[0].reason, tuple(ranked))


def _good_words(past: _Past, now: datetime) -> str:
    weeks = past.weeks(now)
    if len(weeks) < FEWEST_WEEKS:
        return f"{plural(past.orders, 'order')} in the last day; too young to say what is usual"
    mean = sum(orders for orders, _ in weeks) / len(weeks)
    return f"{plural(past.orders, 'order')} in the last day, about {mean:.0f} are usual for this day of the week"


def _by_status(channel: SalesChannel) -> list[Finding]:
    if channel.status != SalesChannel.Status.ACTIVE:
        return [Finding(INACTIVE, f"the channel is {channel.get_status_display().lower()}")]
    if channel.is_paused:
        return [Finding(PAUSED, channel.pause_reason or "no reason was given")]
    return []


def _orders(past: _Past, now: datetime) -> list[Finding]:
    """Say whether fewer or more orders came, or more with a problem, than the channel's own past makes likely."""
    weeks = past.weeks(now)
    found = []
    if len(weeks) >= FEWEST_WEEKS:
        counts = [orders for orders, _ in weeks]
        usual = f"{plural(past.orders, 'order')} in the last day, about {sum(counts) / len(counts):.0f} are usual"
        expected = _predicted(counts)
        if expected.cdf(past.orders) < RARE:
            found.append(Finding(QUIET, f"{usual}: on fewer than 1 of 1,000 such days are there so few"))
        elif expected.sf(past.orders - 1) < RARE:
            found.append(Finding(BUSY, f"{usual}: on fewer than 1 of 1,000 such days are there so many"))
    orders, troubled = sum(one for one, _ in weeks), sum(other for _, other in weeks)
    usually = (troubled + 0.5) / (orders + 1)
    if past.troubled and orders and stats.binom.sf(past.troubled - 1, past.orders, usually) < RARE:
        found.append(
            Finding(TROUBLED, f"{past.troubled} of {past.orders} orders of the last day have a problem, {troubled} of"
                              f" {orders} are usual")
        )  # fmt: skip
    return found


def _predicted(counts: Sequence[int]) -> Any:
    """The distribution of the next count, after these: negative binomial, by a gamma prior that says nothing (shape a
    half), with the scatter of the counts themselves where that is wider."""
    weeks = len(counts)
    mean = (sum(counts) + 0.5) / weeks
    scatter = sum((count - mean) ** 2 for count in counts) / (weeks - 1)
    variance = max(mean, scatter) * (1 + 1 / weeks)
    size = mean**2 / (variance - mean)
    return stats.nbinom(size, size / (size + mean))


def _pasts(ids: Sequence[int], now: datetime) -> dict[int, _Past]:
    pasts = {key: _Past() for key in ids}
    for channel, week, orders, troubled, since in _rows("orders", channels=ids, weeks=WEEKS, now=now):
        pasts[channel].since = since
        if week:
            pasts[channel].before[week] = orders, troubled
        else:
            pasts[channel].orders, pasts[channel].troubled = orders, troubled
    return pasts


def _stock(ids: Sequence[int], now: datetime) -> dict[int, list[Finding]]:
    found: dict[int, list[Finding]] = {}
    for channel, short, ran_out, fresh, listings in _rows("stock", channels=ids, now=now, most=COUNTED_AT_MOST):
        findings = found.setdefault(channel, [])
        if short:
            findings.append(Finding(SHORT, f"of {plural(short, 'SKU')} more was sold than there is"))
        if listings and ran_out > MOST_RUN_OUT * listings:
            share = 100 * ran_out / listings
            gone = plural(ran_out, "SKU has run out", "SKUs have run out")
            new = f", {fresh} in the last day" if fresh else ""
            findings.append(Finding(SHORT, f"{gone}, {share:.0f} % of the listings{new}"))
    return found


def _rows(query: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[query], values)
        return list(cursor.fetchall())
