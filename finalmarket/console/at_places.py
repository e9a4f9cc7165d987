"""What people who are bound to stores see: the orders that have to do with these, and what lies there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q
from django.db.models.expressions import RawSQL

from finalmarket.catalog.models import Variant
from finalmarket.console.finding import QUERIES
from finalmarket.stock.models import StockItem, StockLocation

Places = frozenset[int] | None


def orders_of(places: Places) -> Q:
    """Orders that are shipped from, handed over at, collected at or came back to one of these; None: all orders."""
    if places is None:
        return Q()
    named = f"ARRAY[{', '.join(str(int(place)) for place in sorted(places))}]::bigint[]"  # numbers alone
    return Q(pk__in=RawSQL(QUERIES["orders_at"] % {"places": named}, []))  # noqa: S611


def variants_of(places: Places) -> Q:
    """Variants that lie, or have lain, at one of these; None: all variants."""
    if places is None:
        return Q()
    return Q(Exists(StockItem.objects.filter(variant=OuterRef("pk"), location__in=sorted(places))))


@dataclass(frozen=True, slots=True)
class Shelf:
    """What lies of a variant at one location. `free` may be sold there now."""

    location: StockLocation
    on_hand: int = 0
    reserved: int = 0
    allocated: int = 0
    safety: int = 0

    @property
    def free(self) -> int:
        """Units on hand that nobody has a claim to."""
        return self.on_hand - self.reserved - self.allocated - self.safety


def locations_of(places: Iterable[int]) -> list[StockLocation]:
    """The locations, in the operator's order."""
    return list(StockLocation.objects.filter(pk__in=sorted(places)).order_by("priority", "id"))


def shelves(variants: Sequence[Variant], locations: Sequence[StockLocation]) -> list[tuple[Variant, list[Shelf]]]:
    """What lies of each variant at each of the locations; one query."""
    items = {
        (item.variant_id, item.location_id): item
        for item in StockItem.objects.filter(variant__in=[one.pk for one in variants], location__in=locations)
    }
    rows = []
    for variant in variants:
        row = []
        for place in locations:
            item = items.get((variant.pk, place.pk))
            row.append(Shelf(place, item.on_hand, item.reserved, item.allocated, item.safety) if item else Shelf(place))
        rows.append((variant, row))
    return rows
