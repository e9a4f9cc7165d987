"""Alerts: low, out, or sold short; at most one is open for a variant at one place, a channel or a location.

A channel is watched where its inventory names a threshold, a location where its shelf does. `short` is raised by the
sale or the count that found too little, and stays until the goods are there or nobody waits for them any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.stock.atp import Level, levels, status_of
from finalmarket.stock.models import StockAlert
from finalmarket.stock.questions import QUERIES

POOLS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """An alert that must be open: where, how bad, how many units are left (or short), and the threshold."""

    variant_id: int
    channel_id: int | None
    location_id: int | None
    level: str
    quantity: int
    threshold: int


@transaction.atomic
def refresh(*, most: int = POOLS_AT_ONCE) -> int:
    """Look again at the alerts of at most `most` variants whose stock has changed; return how many there were.

    Variants that somebody is writing to are left for the next time. Opens, updates and closes alerts; one that gets
    worse is no longer snoozed.
    """
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["pools_with_alerts_due"], {"most": most})
        variants = [variant for (variant,) in cursor.fetchall()]
        if not variants:
            return 0
        wanted = [*_at_channels(variants), *_at_locations(variants)]
        cursor.execute(
            QUERIES["write_alerts"],
            {
                "variants": variants,
                "variant": [alert.variant_id for alert in wanted],
                "channel": [alert.channel_id for alert in wanted],
                "location": [alert.location_id for alert in wanted],
                "level": [alert.level for alert in wanted],
                "quantity": [alert.quantity for alert in wanted],
                "threshold": [alert.threshold for alert in wanted],
            },
        )
    return len(variants)


@transaction.atomic
def snooze(alert_id: int, until: datetime) -> StockAlert:
    """Do not show an open alert until that moment; it comes back earlier when it gets worse.

    Raises UserError for an alert that is closed, or a moment that is past.
    """
    alert = StockAlert.objects.select_for_update().filter(pk=alert_id, closed_at=None).first()
    if alert is None:
        raise UserError(f"there is no open alert {alert_id}")
    if until <= clock.now():
        raise UserError(f"an alert is snoozed until a moment to come, not {until.isoformat()}")
    alert.snoozed_until = until
    alert.save(update_fields=["snoozed_until"])
    return alert


def open_alerts(*, with_snoozed: bool = False) -> QuerySet[StockAlert]:
    """Return the open alerts: what was sold short first, then what is out, then what is low."""
    rank = Case(
        When(level="short", then=Value(0)),
        When(level="out", then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    alerts = StockAlert.objects.filter(closed_at=None).alias(rank=rank)
    if not with_snoozed:
        alerts = alerts.filter(Q(snoozed_until=None) | Q(snoozed_until__lte=clock.now()))
    return alerts.select_related("variant__product", "sales_channel", "location").order_by("rank", "-opened_at", "-pk")


def _at_channels(variants: Sequence[int]) -> Iterable[Wanted]:
    """Yield low and out on the channels that watch these variants or bundles of them."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["watched_channels"], {"variants": list(variants)})
        watched = cursor.fetchall()
    known = levels({variant for variant, _ in watched}, {channel for _, channel in watched})
    for variant, channel in watched:
        level: Level = known[variant, channel]
        if level.status != "in_stock":
            yield Wanted(variant, channel, None, level.status, level.available - level.beyond, level.threshold)


def _at_locations(variants: Sequence[int]) -> Iterable[Wanted]:
    """Yield low and out on the shelves that are watched."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["watched_shelves"], {"variants": list(variants)})
        for variant, location, free, threshold in cursor.fetchall():
            status = status_of(free, threshold)
            if status != "in_stock":
                yield Wanted(variant, None, location, status, free, threshold)
