"""What a store has to do: orders to hand over, parcels to pick and pack, returns that were announced, shelves that run
low. Bounded lists, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import Coalesce

from finalmarket.catalog.models import Variant
from finalmarket.orders.collecting import LEFT, OPEN
from finalmarket.orders.models import Fulfilment, FulfilmentLine, Order, Pickup, Return
from finalmarket.stock.atp import LOW_STOCK_THRESHOLD
from finalmarket.stock.models import StockItem, StockLocation

MOST_SHOWN = 100
UNDER_WAY = (Order.State.OPEN, Order.State.PARTLY_FULFILLED)


@dataclass(frozen=True, slots=True)
class ToPick:
    """Units of a variant that are to be taken off the shelf, and for which orders (by number)."""

    variant: Variant
    units: int
    orders: tuple[str, ...]


def counters() -> QuerySet[StockLocation]:
    """The places with a counter: stores, and whatever hands goods over."""
    return StockLocation.objects.filter(Q(kind=StockLocation.Kind.STORE) | Q(can_hand_over=True), is_active=True)


def stores() -> list[StockLocation]:
    """Return the places with a counter, with `to_collect` and `to_pack` counted on each."""
    found = list(counters().order_by("priority", "id"))
    collect, pack = _counted(pickups_at(found)), _counted(parcels_at(found))
    for place in found:
        place.to_collect, place.to_pack = collect.get(place.pk, 0), pack.get(place.pk, 0)  # type: ignore[attr-defined]
    return found


def pickups_at(places: Iterable[StockLocation]) -> QuerySet[Pickup]:
    """Orders that are to be collected at these places, the oldest first; also those that were marked as sent there."""
    sent = Fulfilment.objects.filter(order=OuterRef("order"), location=OuterRef("location"), state__in=LEFT)
    awaited = Q(order__state__in=UNDER_WAY) | Q(Exists(sent), order__state=Order.State.FULFILLED)
    waiting = Pickup.objects.filter(awaited, location__in=list(places), state__in=OPEN)
    lines = Prefetch("order__lines", to_attr="all_lines")
    return waiting.select_related("order__sales_channel").prefetch_related(lines, "order__payments").order_by("id")


def parcels_at(places: Iterable[StockLocation]) -> QuerySet[Fulfilment]:
    """Parcels that are to be picked, packed and sent from these places, the oldest first; not what is collected."""
    pending = Fulfilment.objects.filter(location__in=list(places), state=Fulfilment.State.PENDING)
    collected = Q(order__pickup__state__in=OPEN, order__pickup__location=F("location"))
    lines = FulfilmentLine.objects.select_related("variant__product").order_by("variant__sku", "id")
    return (
        pending.exclude(collected).select_related("order__sales_channel")
        .prefetch_related(Prefetch("lines", queryset=lines)).order_by("id")
    )  # fmt: skip


def pick_list(place: StockLocation) -> list[ToPick]:
    """Return what is to be taken off the shelves of a place, by SKU: for parcels and for pick ups that are not put
    together yet."""
    lines = FulfilmentLine.objects.filter(
        fulfilment__location=place, fulfilment__state=Fulfilment.State.PENDING
    ).exclude(fulfilment__order__pickup__state=Pickup.State.READY)  # fmt: skip
    rows = lines.select_related("variant__product", "fulfilment__order").order_by("variant__sku", "fulfilment_id")
    wanted: dict[int, tuple[Variant, list[FulfilmentLine]]] = {}
    for row in rows[: MOST_SHOWN * 10]:
        wanted.setdefault(row.variant_id, (row.variant, []))[1].append(row)
    return [
        ToPick(variant, sum(row.quantity for row in rows), _numbers(rows)) for variant, rows in wanted.values()
    ]  # fmt: skip


def _numbers(rows: Sequence[FulfilmentLine]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.fulfilment.order.number for row in rows))


def announced_returns(place: StockLocation) -> QuerySet[Return]:
    """Returns that were announced for a place and have not come, the newest first."""
    waiting = Return.objects.filter(state=Return.State.REQUESTED, lines__location=place).distinct()
    return waiting.select_related("order").prefetch_related("lines").order_by("-id")


def low_shelves(place: StockLocation) -> list[StockItem]:
    """Return the shelves of a place with few free units, the emptiest first; `free` is on each. Shelves that are empty
    and have no threshold of their own belong to what the store does not keep."""
    items = StockItem.objects.filter(location=place, variant__is_active=True).annotate(
        free=F("on_hand") - F("reserved") - F("allocated"), few=Coalesce("low_stock_threshold", LOW_STOCK_THRESHOLD)
    )
    kept = items.filter(Q(on_hand__gt=0) | Q(low_stock_threshold__isnull=False), free__lte=F("few"))
    return list(kept.select_related("variant__product").order_by("free", "variant_id")[:MOST_SHOWN])


def _counted(rows: QuerySet[Pickup] | QuerySet[Fulfilment]) -> dict[int, int]:
    counts = rows.prefetch_related(None).select_related(None).order_by().values("location").annotate(n=Count("pk"))
    return dict(counts.values_list("location", "n"))
