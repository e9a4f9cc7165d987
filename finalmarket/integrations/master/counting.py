"""The platform counts, we take over: for locations whose stock an ERP is the master of.

What it says of an item is what lay there at a moment, as far as it had heard. What moved here since, or was not told to
it yet, is added; so a stale number never undoes a sale. Where that cannot be told apart at this moment the item is left
for the next look. The number is taken over as an adjustment of what is on hand, compared and set under the lock.
A bundle has no stock of its own: what is counted of it is passed over. An item whose number cannot be taken is left out
with its reason, and the others stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from finalmarket.catalog.models import BundleComponent
from finalmarket.connectors.contract import Connector, PullsStock, PushesFulfilments
from finalmarket.connectors.errors import ConnectorError
from finalmarket.integrations import breaker, runs
from finalmarket.integrations.accounts import connector_class, open_connector
from finalmarket.integrations.books.finding import begun
from finalmarket.integrations.duties import does
from finalmarket.integrations.lanes import lane
from finalmarket.integrations.master.items import ref_of
from finalmarket.integrations.models import ChannelIntegration, ItemLink, PlaceMapping, SyncRun
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import Queries
from finalmarket.stock import ledger
from finalmarket.stock.refusals import MOST_UNITS

QUERIES = Queries(Path(__file__).with_name("counting.sql"))
LANE = STREAM = "counts"
CLOCKS_MAY_DIFFER = timedelta(minutes=2)
PATIENCE = timedelta(minutes=10)
"""A count of a moment so long ago is no more taken for one that happened together with a movement."""
LOOKED_BACK = timedelta(days=30)
MOST_WORDS = 500
"""So many characters of what could not be taken a run keeps, and the sentence that exceeds them."""


@dataclass(frozen=True, slots=True)
class Count:
    """What the platform says lies there, and the moment up to which it knows."""

    variant_id: int
    quantity: int
    counted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Stand:
    """What our books say: units on hand, the last count taken, units that moved and the count cannot know of (less
    those that are on the road and that it has already), and whether that can be told at this moment."""

    variant_id: int
    on_hand: int
    known: int | None
    known_at: datetime | None
    unheard: int
    is_unclear: bool


def count(integration_id: int) -> SyncRun | None:
    """Take over what the platform counts at the locations it is the master of; return the run, None when there is
    nothing to do: the account is not active, is master of nothing, or somebody else is at it."""
    integration = ChannelIntegration.objects.get(pk=integration_id)
    places = PlaceMapping.objects.filter(integration=integration, is_master=True, stock_location__isnull=False)
    is_active = integration.status == ChannelIntegration.Status.ACTIVE
    if not is_active or not issubclass(connector_class(integration), PullsStock) or not places.exists():
        return None
    with lane(integration_id, LANE) as held:
        if held is None or not breaker.may_call(integration_id):
            return None
        run = runs.begin(integration, STREAM)
        outcome, words = "failed", "our own fault"
        try:
            with closing(open_connector(integration)) as there:
                for place in places.order_by("place"):
                    _count_place(integration, there, place, run)
            outcome, words = "partly" if run.failed_count else "done", run.error
            breaker.note_success(integration.pk, stream="pull")
        except ConnectorError as error:
            breaker.note_failure(integration, error)
            words = str(error)
        finally:
            runs.end(run, outcome, words)
        return run


def _count_place(integration: ChannelIntegration, there: Any, place: PlaceMapping, run: SyncRun) -> None:
    for links in _batches(integration, there.stock_read_limit):
        asked = _moment()
        with failpoints.around("master.ask"):
            levels = there.pull_stock([ref_of(link) for link in links], place.place)
        variant_of = {link.external_key: link.variant_id for link in links}
        counts = _added_up(
            Count(variant_of[level.key], level.quantity, level.counted_at)
            for level in levels
            if level.key in variant_of and level.location in ("", place.place)
        )
        run.seen_count += len(counts)
        _take_over(integration, there, place.stock_location_id or 0, counts, asked, run)


def _batches(integration: ChannelIntegration, most: int) -> Iterator[list[ItemLink]]:
    """The items that have a stock of their own."""
    is_bundle = Exists(BundleComponent.objects.filter(bundle=OuterRef("variant")))
    items = ItemLink.objects.filter(~is_bundle, integration=integration).order_by("pk")
    last = 0
    while True:
        found = list(items.filter(pk__gt=last)[:most])
        if not found:
            return
        yield found
        last = found[-1].pk


def _added_up(counts: Iterator[Count]) -> list[Count]:
    """One count for each variant: several levels of one item are added, the oldest moment counts."""
    found: dict[int, Count] = {}
    for one in counts:
        other = found.get(one.variant_id)
        if other is not None:
            moments = [at for at in (one.counted_at, other.counted_at) if at is not None]
            one = Count(one.variant_id, one.quantity + other.quantity, min(moments) if len(moments) == 2 else None)
        found[one.variant_id] = one
    return list(found.values())


def _take_over(
    integration: ChannelIntegration, there: Connector, location_id: int, counts: Sequence[Count], asked: datetime,
    run: SyncRun,
) -> None:  # fmt: skip
    """Bring the books to what was counted, in one transaction; the run says how many numbers changed, and what could
    not be taken."""
    if not counts:
        return
    taken = []
    with failpoints.around("master.take"), transaction.atomic():
        ledger.lock(one.variant_id for one in counts)
        stands = {row.variant_id: row for row in _stands(integration, there, location_id, counts, asked)}
        for one in counts:
            stand = stands[one.variant_id]
            if stand.is_unclear or _is_stale(one, stand):
                continue
            try:
                run.changed_count += _adjust(integration, there, location_id, one, stand)
            except UserError as error:
                _leave_out(run, error)
            else:
                taken.append(one)
        _remember(integration, location_id, taken, asked)


def _leave_out(run: SyncRun, error: UserError) -> None:
    run.failed_count += 1
    if len(run.error) < MOST_WORDS:
        run.error = "; ".join(filter(None, [run.error, str(error)]))


def _is_stale(one: Count, stand: Stand) -> bool:
    """Whether something newer was taken already."""
    return one.counted_at is not None and stand.known_at is not None and one.counted_at < stand.known_at


def _adjust(integration: ChannelIntegration, there: Connector, location_id: int, one: Count, stand: Stand) -> bool:
    if abs(one.quantity) > MOST_UNITS:
        raise UserError(f"{one.quantity} units cannot lie at a place (variant {one.variant_id})")
    units = max(0, one.quantity + stand.unheard)
    if units == stand.on_hand:
        return False
    ledger.adjust(
        stand.variant_id, location_id, units - stand.on_hand, reason=f"counted by {there.name}",
        actor=f"integration:{integration.pk}", reference=f"master:{integration.pk}", expected=stand.on_hand,
        kind="count",
    )  # fmt: skip
    return True


def _stands(
    integration: ChannelIntegration, there: Connector, location_id: int, counts: Sequence[Count], asked: datetime
) -> list[Stand]:
    values: dict[str, Any] = {
        "integration": integration.pk, "location": location_id, "asked": asked, "ours": f"master:{integration.pk}",
        "variants": [one.variant_id for one in counts], "counted": [one.counted_at for one in counts],
        "since": max(integration.connected_at or integration.created_at, clock.now() - LOOKED_BACK),
        "slack": CLOCKS_MAY_DIFFER, "patience": PATIENCE,
        "hears_from": begun(integration, "movements") if does(integration, "movements") else None,
        "hears_parcels": isinstance(there, PushesFulfilments) and does(integration, "orders"),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["stand"], values)
        return [Stand(*row) for row in cursor.fetchall()]


def _remember(integration: ChannelIntegration, location_id: int, counts: Sequence[Count], asked: datetime) -> None:
    values: dict[str, Any] = {
        "integration": integration.pk, "location": location_id, "variants": [one.variant_id for one in counts],
        "quantities": [one.quantity for one in counts], "counted": [one.counted_at or asked for one in counts],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["remember"], values)


def _moment() -> datetime:
    """The ledger's own clock: what was told before the question is told apart by it."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["moment"], {"now": clock.held()})
        (at,) = cursor.fetchone()
    moment: datetime = at
    return moment
