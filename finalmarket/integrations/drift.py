"""Drift: what a platform shows against what it was told and what it should show, for every linked listing in turn.

A difference counts only when nothing explains it: no change that waits or is on its way, no order that had not come in
yet, no refusal that lies in the dead letters. What is suspected is therefore looked at a second time, after the newest
orders were pulled. Drift is mended by telling the number once more, and written down. What the platform does not know
is left alone: absence is never deletion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from finalmarket.channels.due import mark_due
from finalmarket.connectors.contract import Connector, PullsOrders, PullsStock, PushesStock
from finalmarket.connectors.errors import ConnectorError, Rejected, RetryLater
from finalmarket.connectors.records import StockLevel
from finalmarket.integrations import breaker, pull, runs
from finalmarket.integrations.accounts import connector_class, open_connector
from finalmarket.integrations.budget import OWN_BUDGET
from finalmarket.integrations.lanes import lane
from finalmarket.integrations.models import ChannelIntegration, DriftFinding, SyncRun
from finalmarket.integrations.push import reason_not_to_push
from finalmarket.integrations.telling import Linked, linked, rows
from finalmarket.integrations.telling_stock import newest, places_of, shown_by
from finalmarket.kernel import clock, failpoints

LANE = STREAM = "drift"
LISTINGS_AT_ONCE = 1_000
MOST_LISTINGS = 50_000
"""So many listings one sweep looks at; the next one begins with those that were looked at longest ago."""


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
    """One look at some listings: when it began, and what the platform shows by key and location."""

    asked: datetime
    links: list[Linked]
    should: dict[int, list[StockLevel]] = field(default_factory=dict)
    shown: dict[tuple[str, str], int] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)


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
                _sweep(integration, connector, run)
            outcome, words = "partly" if run.failed_count else "done", ""
        except ConnectorError as error:
            breaker.note_failure(integration, error)
            words = str(error)
        finally:
            runs.end(run, outcome, words)
        return run


def _sweep(integration: ChannelIntegration, connector: Connector, run: SyncRun) -> None:
    for listing_ids in _oldest_first(integration):
        look = _look(integration, connector, listing_ids)
        run.seen_count += len(look.links) - len(look.failed)
        run.failed_count += len(look.failed)
        suspects = _unexplained(integration, look)
        if suspects:
            _catch_up_strictly(integration, connector)
            again = _look(integration, connector, sorted({one.listing_id for one in suspects}))
            _mend(integration, run, _unexplained(integration, again))
        breaker.note_success(integration.pk)
        with failpoints.around("drift.count"):
            run.save()


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
    units = newest(integration, look.links, places)
    look.should = {link.listing_id: _levels(link, units[link.listing_id]) for link in look.links}
    with failpoints.around("drift.note"), transaction.atomic():
        rows("seen", asked=asked, **_seen(look))
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


def _seen(look: _Look) -> dict[str, list[Any]]:
    """What each listing shows in all; None where the platform did not tell of one of its locations."""
    listings, quantities = [], []
    for link in look.links:
        numbers = [look.shown.get((one.ref.key, one.location)) for one in look.should[link.listing_id]]
        listings.append(link.listing_id)
        quantities.append(None if None in numbers else sum(number or 0 for number in numbers))
    return {"listings": listings, "quantities": quantities}


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


def _catch_up_strictly(integration: ChannelIntegration, connector: Connector) -> None:
    """Bring in what was sold there before we looked: a sale lowers what is shown, and is no drift."""
    if not isinstance(connector, PullsOrders):
        return
    run = pull.pull(integration.pk, "orders", is_quiet=True)
    if run is None or run.outcome == "failed":
        raise _not_known(run)


def _not_known(run: SyncRun | None) -> ConnectorError:
    words = run.error if run is not None else "somebody else pulls them at this moment"
    return RetryLater(f"the newest orders are not known ({words})", code=OWN_BUDGET)


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
