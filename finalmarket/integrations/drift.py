"""Drift: what a platform shows against what it was told and what it should show, for every linked listing in turn.

A difference counts only when nothing explains it: no change that waits or is on its way, no order that had not come in
yet, no refusal that lies in the dead letters. What is suspected is therefore looked at a second time, after the newest
orders were pulled, and has to stand there unchanged. Where they cannot be pulled to their end now (our own calls are
used up), it is enough that they were since the number was first seen there; else it is left to the next sweep. Drift is
mended by telling the number once more, and written down. What the platform does not know is left alone: absence is
never deletion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from finalmarket.channels.due import mark_due
from finalmarket.connectors.contract import Connector, PullsOrders, PullsStock, PushesStock
from finalmarket.connectors.errors import NOT_ASKED, ConnectorError, Rejected, RetryLater
from finalmarket.connectors.records import StockLevel
from finalmarket.integrations import breaker, pull, runs
from finalmarket.integrations.accounts import connector_class, open_connector
from finalmarket.integrations.lanes import lane
from finalmarket.integrations.models import ChannelIntegration, DriftFinding, SyncRun
from finalmarket.integrations.push import reason_not_to_push
from finalmarket.integrations.telling import Linked, linked, rows
from finalmarket.integrations.telling_stock import newest, places_of, shown_by
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.plural import plural

LANE = STREAM = "drift"
LISTINGS_AT_ONCE = 1_000
MOST_LISTINGS = 50_000
"""So many listings one sweep looks at; the next one begins with those that were looked at longest ago."""
A_LOOK_TAKES = timedelta(minutes=10)
"""So long a look may take, or its numbers are not noted. Of an earlier one only the beginning is known, and what was
sold until its end explains its number."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A listing that shows another number at a location than it should."""

    listing_id: int
    location: str
    told: int | None
    shown: int
    should: int


@dataclass
class _Look:
    """One look at some listings: when it began, and what the platform shows by key and location. `stands_since` is when
    what a listing shows was seen there at the latest for the first time."""

    asked: datetime
    links: list[Linked]
    should: dict[int, list[StockLevel]] = field(default_factory=dict)
    shown: dict[tuple[str, str], int] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)
    stands_since: dict[int, datetime] = field(default_factory=dict)


def sweep(integration_id: int) -> SyncRun | None:
    """Look at every linked listing once and mend what drifted; return the run, None when there is nothing to do: the
    account may not be told, its platform does not show its stock, or somebody else sweeps."""
    integration = ChannelIntegration.objects.get(pk=integration_id)
    kind = connector_class(integration)
    if reason_not_to_push(integration) or not (issubclass(kind, PullsStock) and issubclass(kind, PushesStock)):
        return None
    with lane(integration_id, LANE) as held:
        if held is None or not breaker.may_call(integration_id):
            return None
        run = runs.begin(integration, STREAM)
        outcome, words = "failed", "our own fault"
        try:
            with closing(open_connector(integration)) as connector:
                words = _sweep(integration, connector, run)
            outcome = "partly" if run.failed_count else "done"
        except ConnectorError as error:
            breaker.note_failure(integration, error)
            words = str(error)
        finally:
            runs.end(run, outcome, words)
        return run


def _sweep(integration: ChannelIntegration, connector: Connector, run: SyncRun) -> str:
    """Sweep; return in words what has to be left to the next one."""
    left = 0
    for listing_ids in _oldest_first(integration):
        look = _look(integration, connector, listing_ids)
        run.seen_count += len(look.links) - len(look.failed)
        run.failed_count += len(look.failed)
        suspects = _unexplained(integration, look)
        certain = _certain(integration, connector, look, suspects) if suspects else []
        left += len(suspects) - len(certain)
        if certain:
            again = _look(integration, connector, sorted({one.listing_id for one in certain}))
            _mend(integration, run, _standing(certain, _unexplained(integration, again)))
        breaker.note_success(integration.pk)
        with failpoints.around("drift.count"):
            run.save()
    are_left = plural(left, "difference is left", "differences are left")
    return f"{are_left} to the next sweep: the newest orders are not known" if left else ""


def _oldest_first(integration: ChannelIntegration) -> Iterator[list[int]]:
    ((begun,),) = rows("moment")
    for _ in range(0, MOST_LISTINGS, LISTINGS_AT_ONCE):
        found = rows("sweep", integration=integration.pk, begun=begun, limit=LISTINGS_AT_ONCE)
        if not found:
            return
        yield [listing_id for (listing_id,) in found]


def _look(integration: ChannelIntegration, connector: Any, listing_ids: Sequence[int]) -> _Look:
    """Ask the platform what it shows, and only then read what it should show; both are noted on the links."""
    ((asked,),) = rows("moment")
    look = _Look(asked, list(linked(listing_ids).values()))
    places = places_of(integration)
    wanted = {link.listing_id: _levels(link, dict.fromkeys(places or [link.location], 0)) for link in look.links}
    _ask(connector, look, wanted, look.links)
    failpoints.hit("drift.after_read")
    answered = clock.now()
    units = newest(integration, look.links, places)
    look.should = {link.listing_id: _levels(link, units[link.listing_id]) for link in look.links}
    seen = _seen(look, is_late=answered - asked > A_LOOK_TAKES)
    look.stands_since = {link.listing_id: _since(link, seen[link.listing_id]) or answered for link in look.links}
    with failpoints.around("drift.note"), transaction.atomic():
        rows("seen", asked=asked, listings=list(seen), quantities=list(seen.values()))
        rows("looked_at", asked=asked, listings=list(listing_ids))
    return look


def _ask(connector: Any, look: _Look, wanted: dict[int, list[StockLevel]], links: Sequence[Linked]) -> None:
    """Ask for these listings; where the platform refuses the question, for each half of them, down to the bad one."""
    try:
        look.shown |= shown_by(connector, [level for link in links for level in wanted[link.listing_id]])
    except Rejected:
        if len(links) == 1:
            look.failed.add(links[0].listing_id)
            return
        middle = len(links) // 2
        _ask(connector, look, wanted, links[:middle])
        _ask(connector, look, wanted, links[middle:])


def _levels(link: Linked, units: Any) -> list[StockLevel]:
    return [StockLevel(ref=link.ref, quantity=count, key="", location=place) for place, count in units.items()]


def _seen(look: _Look, *, is_late: bool) -> dict[int, int | None]:
    """What each listing shows in all; None where the platform did not tell of one of its locations, or told it so late
    that nobody knows since when it stands there."""
    seen: dict[int, int | None] = {}
    for link in look.links:
        numbers = [look.shown.get((one.ref.key, one.location)) for one in look.should[link.listing_id]]
        seen[link.listing_id] = None if is_late or None in numbers else sum(number or 0 for number in numbers)
    return seen


def _since(link: Linked, seen: int | None) -> datetime | None:
    """The end of the last look at a listing, where it showed then what it shows now; None where that says nothing."""
    if seen is None or link.shown_at is None or not link.was_seen_since or link.shown_quantity != seen:
        return None
    return link.shown_at + A_LOOK_TAKES


def _unexplained(integration: ChannelIntegration, look: _Look) -> list[Difference]:
    """The differences for which there is no reason; asked last, so that a change that came meanwhile is one."""
    found = []
    for link in look.links:
        for level in look.should[link.listing_id]:
            shown = look.shown.get((level.ref.key, level.location))
            if shown is not None and shown != level.quantity:
                told = link.told_places.get(level.location, link.told_quantity)
                found.append(Difference(link.listing_id, level.location, told, shown, level.quantity))
    if not found:
        return []
    listings = sorted({one.listing_id for one in found})
    explained = {
        listing_id
        for (listing_id,) in rows("explained", integration=integration.pk, asked=look.asked, listings=listings)
    }
    return [one for one in found if one.listing_id not in explained]


def _certain(
    integration: ChannelIntegration, connector: Connector, look: _Look, suspects: list[Difference]
) -> list[Difference]:
    """Bring in what was sold there before we looked (a sale lowers what is shown, and is no drift); return those of the
    suspects of which that is certain. Raises RetryLater where the platform cannot be asked."""
    if not isinstance(connector, PullsOrders):
        return suspects
    run = pull.pull(integration.pk, "orders", is_quiet=True)
    if run is not None and run.outcome in pull.FINISHED:
        return suspects
    is_away = run.outcome == "failed" if run is not None else breaker.open_until(integration.pk) is not None
    if is_away:
        words = run.error if run is not None else "the platform is left alone for a while"
        raise RetryLater(f"the newest orders are not known ({words})", code=NOT_ASKED)
    known = pull.orders_known_until(integration.pk)
    return [one for one in suspects if known is not None and look.stands_since[one.listing_id] < known]


def _standing(before: Sequence[Difference], now: Sequence[Difference]) -> list[Difference]:
    """The differences of which the platform shows the same number as before: one that moves meanwhile is being sold."""
    shown = {(one.listing_id, one.location): one.shown for one in before}
    return [one for one in now if shown.get((one.listing_id, one.location)) == one.shown]


def _mend(integration: ChannelIntegration, run: SyncRun, drifted: Sequence[Difference]) -> None:
    """Have these numbers told once more, and write down what was found: together or not at all."""
    if not drifted:
        return
    failpoints.hit("drift.before_mend")
    with transaction.atomic():
        listings = sorted({one.listing_id for one in drifted})
        mark_due("listings", listings, "stock")
        DriftFinding.objects.bulk_create(
            DriftFinding(
                integration=integration, run=run, listing_id=one.listing_id, location=one.location, told=one.told,
                shown=one.shown, should=one.should, at=clock.now(),
            )
            for one in drifted
        )  # fmt: skip
        run.changed_count += len(drifted)
        run.save()
    failpoints.hit("drift.after_mend")
