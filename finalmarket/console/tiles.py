"""The tiles of the overview: one number each, with the page where the rows behind it stand.

A tile is a function that is handed the request and returns a Tile, or None where there is nothing to show. It is asked
of those who have its right; `TILES` is their order. What it shows anew is named by `topics` (live/words.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from finalmarket.channels.models import SalesChannel
from finalmarket.console.counting import bounded_count
from finalmarket.integrations import health
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.kernel import clock
from finalmarket.orders.models import OrderRequest

LONGEST_DAY = timedelta(hours=27)
WELL = (health.HEALTHY, health.NOT_CONNECTED)


@dataclass(frozen=True, slots=True)
class Tile:
    """A number with what it means; `address` leads to its rows."""

    key: str
    title: str
    value: str
    note: str
    address: str
    is_bad: bool = False


def _accounts(request: HttpRequest) -> Tile | None:
    """How many accounts on platforms are not well."""
    accounts = list(ChannelIntegration.objects.all())
    if not accounts:
        return None
    words = [one.word for one in health.health_of_all(accounts).values()]
    unwell = [word for word in words if word not in WELL]
    counts = {word: words.count(word) for word in dict.fromkeys(sorted(unwell) or words)}
    note = ", ".join(f"{count} {word}" for word, count in counts.items())
    title = _("Integrations that need a look")
    return Tile("accounts", title, str(len(unwell)), note, reverse("console:integrations"), bool(unwell))


def _journeys(request: HttpRequest) -> Tile:
    """How many journeys are under way, and how they ended today."""
    under_way = CrossChannelJourney.objects.filter(state="open", intent="purchase")
    ended = dict(
        CrossChannelJourney.objects.filter(_of_today(), intent="purchase", state__in=("completed", "open"))
        .order_by()
        .values_list("state")
        .annotate(Count("pk"))
    )
    note = _("to a purchase; of today's, {completed} led to an order").format(completed=ended.get("completed", 0))
    address = f"{reverse('console:journeys')}?state=open&intent=purchase"
    return Tile("journeys", _("Journeys under way"), bounded_count(under_way)[1], note, address)


def _of_today() -> Q:
    """Journeys that began today, each by the clock of the channel where it began, as orders of today are counted."""
    now, found = clock.now(), Q(pk__in=[])
    for zone in SalesChannel.objects.order_by().values_list("time_zone", flat=True).distinct():
        midnight = datetime.combine(clock.day_in(zone, now), time.min, ZoneInfo(zone))
        found |= Q(start_channel__time_zone=zone, started_at__gte=midnight)
    return Q(started_at__gte=now - LONGEST_DAY) & found  # the first is what an index serves


def _drafts(request: HttpRequest) -> Tile | None:
    """How many mails ask for goods and wait for a person."""
    waiting = OrderRequest.objects.filter(state=OrderRequest.State.WAITING)
    if not OrderRequest.objects.exists():
        return None
    note = _("mails that ask for goods and wait for a person")
    return Tile("drafts", _("Open drafts"), bounded_count(waiting)[1], note, reverse("console:mail_requests"))


TILES: list[tuple[str, Callable[[HttpRequest], Tile | None]]] = [
    ("integrations.view_channelintegration", _accounts),
    ("orders.add_order", _drafts),
    ("journeys.view_crosschanneljourney", _journeys),
]


def tiles(request: HttpRequest) -> list[Tile]:
    """Return the tiles that whoever asks may see."""
    found = [make(request) for permission, make in TILES if request.user.has_perm(permission)]
    return [tile for tile in found if tile is not None]
