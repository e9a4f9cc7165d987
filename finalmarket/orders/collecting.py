"""Bought anywhere, collected at a store: the order is served from that store's shelf, put together, and handed over to
whoever shows its code or has its name.

Lock order: the order's row, then the pools of stock; the row of the pick up follows the order's.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from finalmarket.catalog.models import BundleComponent
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import money_words
from finalmarket.orders import aftersales, fulfilment, payments
from finalmarket.orders.drafts import plain
from finalmarket.orders.history import locked, note
from finalmarket.orders.models import Fulfilment, Order, Pickup
from finalmarket.orders.states import still_due
from finalmarket.stock.models import ChannelSource, StockItem, StockLocation

CODE_DIGITS = 6
OPEN = (Pickup.State.WAITING, Pickup.State.READY)
LEFT = (Fulfilment.State.SHIPPED, Fulfilment.State.DELIVERED)


@dataclass(frozen=True, slots=True)
class Offer:
    """A store where goods could be collected; `has_all` says whether all of them lie there, free."""

    location: StockLocation
    has_all: bool


def offers(channel: SalesChannel, wanted: Mapping[int, int]) -> list[Offer]:
    """Return the stores from which the channel sells and where customers can collect, by rank, and whether each has so
    many units of the variants `wanted`. Three queries. That something lies there is no promise: the order is."""
    places = StockLocation.objects.filter(is_active=True, can_hand_over=True).order_by("priority", "id")
    sources = dict(ChannelSource.objects.filter(sales_channel=channel).values_list("location_id", "rank"))
    stores = [place for place in places if not sources or place.pk in sources]
    stores.sort(key=lambda place: (sources.get(place.pk, place.priority), place.pk))
    units = _parts(wanted)
    rows = StockItem.objects.filter(location__in=stores, variant__in=units).annotate(
        free=F("on_hand") - F("reserved") - F("allocated") - F("safety")
    )
    free = {(item.location_id, item.variant_id): item.free for item in rows}
    return [
        Offer(place, all(free.get((place.pk, variant), 0) >= count for variant, count in units.items()))
        for place in stores
    ]


def _parts(wanted: Mapping[int, int]) -> dict[int, int]:
    """The units that lie on shelves: those of bundles are their components'."""
    units = dict(wanted)
    for part in BundleComponent.objects.filter(bundle__in=wanted):
        units.pop(part.bundle_id, None)
        units[part.component_id] = units.get(part.component_id, 0) + part.quantity * wanted[part.bundle_id]
    return units


def store(channel: SalesChannel, location_id: int) -> StockLocation:
    """Return the store where an order of the channel is to be collected. Raises UserError where it cannot be."""
    found = next((one.location for one in offers(channel, {}) if one.location.pk == location_id), None)
    if found is None:
        raise UserError("orders of this channel cannot be collected there; choose another store")
    return found


def arrange(order: Order, location: StockLocation, name: str, *, actor: str) -> Pickup:
    """Note that an order, promised at `location`, is collected there. The caller has just taken the order, and is in
    its transaction."""
    made = Pickup.objects.create(
        order=order, location=location, name=plain(name, 300),
        code=f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}",
    )  # fmt: skip
    note(order, "routed", f"to be collected at {location.name}", actor=actor)
    return made


@transaction.atomic
def make_ready(pickup_id: int, *, actor: str) -> Pickup:
    """The goods lie together at the store: the customer can come. One that is ready is returned as it is.

    Raises UserError for one that was collected or given up, and where no goods of it are to be found there.
    """
    pickup, order = _locked(pickup_id)
    if pickup.state == Pickup.State.READY:
        return pickup
    _refuse_ended(pickup, order)
    _parcels_of(pickup, order)
    pickup.state, pickup.ready_at = Pickup.State.READY, clock.now()
    pickup.save(update_fields=["state", "ready_at"])
    note(order, "updated", f"ready to be collected at {pickup.location.name}", actor=actor)
    return pickup


@transaction.atomic
def hand_over(pickup_id: int, shown: str, *, actor: str, tender: str = "") -> Pickup:
    """Give the goods to whoever shows the code (`shown`), or the name on the order where they have no code.

    What is still due is paid now by `tender`; goods that were marked as sent from there are the ones that are given.
    One that was collected is returned as it is. Raises UserError for another
    code or name, for an order that is not paid and no tender, and for one that is not ready.
    """
    pickup, order = _locked(pickup_id)
    if pickup.state == Pickup.State.COLLECTED:
        return pickup
    _refuse_ended(pickup, order)
    if pickup.state != Pickup.State.READY:
        raise UserError(f"order {order.number} is not put together yet; mark it as ready first")
    by, parcels = _proof(pickup, shown), _parcels_of(pickup, order, *LEFT)
    _settle(pickup, order, tender, actor)
    for parcel in parcels:
        fulfilment.ship(parcel, actor=actor)
        fulfilment.deliver(parcel, actor=actor)
    pickup.state, pickup.ended_at = Pickup.State.COLLECTED, clock.now()
    pickup.save(update_fields=["state", "ended_at"])
    note(order, "delivered", f"collected at {pickup.location.name}, proved by {by}", actor=actor)
    return pickup


@transaction.atomic
def give_up(pickup_id: int, *, reason: str, actor: str) -> Pickup:
    """Nobody comes for it, or the store does not have it: what has not left is cancelled, its stock is free and its
    money given back. One that was given up is returned as it is. Raises UserError for one that was collected, or all of
    which was marked as sent from the store."""
    pickup, order = _locked(pickup_id)
    if pickup.state == Pickup.State.GIVEN_UP:
        return pickup
    if pickup.state == Pickup.State.COLLECTED:
        raise UserError(f"order {order.number} was collected; take it back as a return")
    if not reason.strip():
        raise UserError("say why it is not collected")
    if order.state == Order.State.FULFILLED and _there(pickup, order, *LEFT):
        raise UserError(f"order {order.number} has left the store; hand it over, and take it back as a return")
    if order.state != Order.State.CANCELLED:
        aftersales.cancel(order.pk, reason=reason, actor=actor)
    pickup.state, pickup.ended_at = Pickup.State.GIVEN_UP, clock.now()
    pickup.save(update_fields=["state", "ended_at"])
    return pickup


def _locked(pickup_id: int) -> tuple[Pickup, Order]:
    found = Pickup.objects.filter(pk=pickup_id).values_list("order_id", flat=True).first()
    if found is None:
        raise UserError(f"there is no pick up {pickup_id}")
    order = locked(found)
    return Pickup.objects.select_for_update(of=("self",)).select_related("location").get(pk=pickup_id), order


def _refuse_ended(pickup: Pickup, order: Order) -> None:
    if pickup.state not in OPEN:
        raise UserError(f"order {order.number}: {pickup.get_state_display().lower()} already")
    if order.state == Order.State.CANCELLED:
        raise UserError(f"order {order.number} is cancelled; put its goods back on the shelf")


def _parcels_of(pickup: Pickup, order: Order, *besides: str) -> list[int]:
    """The parcels of the order that wait at the store, or are in one of these states. Raises UserError where there are
    none: what was ready may have been rejected since, and leaves from elsewhere."""
    if found := _there(pickup, order, Fulfilment.State.PENDING, *besides):
        return found
    raise UserError(f"order {order.number}: nothing of it is promised at {pickup.location.name}; look at the order")


def _there(pickup: Pickup, order: Order, *states: str) -> list[int]:
    parcels = Fulfilment.objects.filter(order=order, location=pickup.location_id, state__in=states)
    return list(parcels.order_by("id").values_list("pk", flat=True))


def _proof(pickup: Pickup, shown: str) -> str:
    """What proves that it may be given away: "code" or "name". Raises UserError for anything else."""
    given = "".join(shown.split())
    if given.isascii() and given.isdigit():
        if hmac.compare_digest(given, pickup.code):
            return "code"
    elif given and folded(shown) == folded(pickup.name):
        return "name"
    raise UserError("that is neither the code nor the name of this order; look at what the customer shows")


def folded(name: str) -> str:
    """Return a name as it is compared: small letters, without accents and with single blanks.

    >>> folded(" JOSÉ  Núñez ")
    'jose nunez'
    """
    parted = unicodedata.normalize("NFKD", name.casefold())
    return " ".join("".join(one for one in parted if not unicodedata.combining(one)).split())


def _settle(pickup: Pickup, order: Order, tender: str, actor: str) -> None:
    due = still_due(order, order.payments.all())
    if due <= 0:
        return
    if not tender.strip():
        raise UserError(f"order {order.number}: {money_words(due, order.currency)} are still due; say how it was paid")
    payments.receive(order.pk, tender=tender.strip(), amount=due, external_id=f"pickup:{pickup.pk}", actor=actor)
