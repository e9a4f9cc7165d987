"""Parcels of an order: labelled, shipped in whole or part, delivered, rejected by the location that should ship."""

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel, Field

from finalmarket.api.door import Done, read, write
from finalmarket.api.problems import Problem
from finalmarket.api.v1.order_shapes import (
    ORDER,
    PARCEL,
    OrderShown,
    ParcelShown,
    locked_order,
    order_seen,
    parcels_of,
)
from finalmarket.api.v1.orders import order_done
from finalmarket.api.v1.shapes import Key, Moment, Number, Said, source_of
from finalmarket.orders import fulfilment
from finalmarket.orders.drafts import MOST_UNITS
from finalmarket.orders.models import Fulfilment, Order

router = Router(tags=["orders"])
Link = Annotated[str, Field(max_length=500, pattern=r"^(https?://\S+)?$")]


class Parcels(BaseModel):
    """The parcels of an order, the oldest first."""

    items: list[ParcelShown]


class LabelSaid(Said):
    """How a parcel will travel; all empty: it has no label any more."""

    carrier: str = Field("", max_length=60)
    tracking_number: str = Field("", max_length=100)
    tracking_url: Link = ""


class PartOfParcel(Said):
    """So many units of a line of the parcel."""

    line: Number = Field(description="`id` of the parcel's line")
    quantity: int = Field(ge=0, le=MOST_UNITS)


class ShipmentSaid(LabelSaid):
    """How a parcel goes on its way."""

    lines: list[PartOfParcel] | None = Field(
        None, min_length=1, max_length=500, description="What leaves now; the rest waits in a new parcel. null: all"
    )
    at: Moment | None = Field(None, description="When it left; by default now")


class DeliverySaid(Said):
    """When it arrived."""

    at: Moment | None = Field(None, description="By default now")


class MissingUnits(Said):
    """So many units of a variant are not there."""

    variant: Number
    quantity: int = Field(ge=0, le=MOST_UNITS)


class ParcelRejection(Said):
    """Why the location will not ship it."""

    reason: Literal["not_found", "damaged", "closed", "too_busy"]
    missing: list[MissingUnits] | None = Field(
        None, max_length=500, description="For not_found and damaged: what is taken off the books; null: all of it"
    )


SHIPPED = {**ORDER, "state": "fulfilled", "parcels": [
    {**PARCEL, "state": "shipped", "carrier": "DHL", "tracking_number": "00340", "shipped_at": "2026-05-05T08:00:00Z"}
]}  # fmt: skip


@read(router, "/orders/{order}/parcels", scope="orders:read", answer=Parcels, example={"items": [PARCEL]})
def list_parcels(request: HttpRequest, order: Key) -> Parcels:
    """List the parcels of an order, and why each is routed where it is."""
    return Parcels(items=parcels_of(order_seen(request, order)))


@write(
    router, "POST", "/orders/{order}/parcels/{parcel}/ship", scope="orders:write", status=200, answer=OrderShown,
    example=SHIPPED, body={"carrier": "DHL", "tracking_number": "00340"}, matches=True,
)  # fmt: skip
def ship_parcel(request: HttpRequest, order: Key, parcel: Key, told: ShipmentSaid) -> Done:
    """Send a parcel, or a part of it: its units leave the stock of its location. Sent already, nothing changes."""
    row = _order_of(request, order, parcel)
    quantities = None if told.lines is None else {one.line: one.quantity for one in told.lines}
    fulfilment.ship(
        parcel, actor=source_of(request), carrier=told.carrier, tracking_number=told.tracking_number,
        tracking_url=told.tracking_url, quantities=quantities, at=told.at,
    )  # fmt: skip
    return order_done(row, f"parcel {parcel}")


@write(
    router, "POST", "/orders/{order}/parcels/{parcel}/label", scope="orders:write", status=200, answer=OrderShown,
    example=ORDER, body={"carrier": "DHL", "tracking_number": "00340"}, matches=True,
)  # fmt: skip
def label_parcel(request: HttpRequest, order: Key, parcel: Key, told: LabelSaid) -> Done:
    """Say how a waiting parcel will travel."""
    row = _order_of(request, order, parcel)
    fulfilment.label(
        parcel, actor=source_of(request), carrier=told.carrier, tracking_number=told.tracking_number,
        tracking_url=told.tracking_url,
    )  # fmt: skip
    return order_done(row, f"parcel {parcel}")


@write(
    router, "POST", "/orders/{order}/parcels/{parcel}/deliver", scope="orders:write", status=200, answer=OrderShown,
    example=SHIPPED, body={"at": "2026-05-06T10:00:00Z"}, matches=True,
)  # fmt: skip
def deliver_parcel(request: HttpRequest, order: Key, parcel: Key, told: DeliverySaid) -> Done:
    """Note that a parcel has arrived."""
    row = _order_of(request, order, parcel)
    fulfilment.deliver(parcel, actor=source_of(request), at=told.at)
    return order_done(row, f"parcel {parcel}")


@write(
    router, "POST", "/orders/{order}/parcels/{parcel}/reject", scope="orders:write", status=200, answer=OrderShown,
    example=ORDER, body={"reason": "not_found"}, matches=True,
)  # fmt: skip
def reject_parcel(request: HttpRequest, order: Key, parcel: Key, told: ParcelRejection) -> Done:
    """A location will not ship a parcel: its units are routed to another one, or wait. What it did not find is taken
    off the books there."""
    row = _order_of(request, order, parcel)
    missing = None if told.missing is None else {one.variant: one.quantity for one in told.missing}
    fulfilment.reject(parcel, reason=told.reason, actor=source_of(request), missing=missing)
    return order_done(row, f"parcel {parcel}")


def _order_of(request: HttpRequest, order: int, parcel: int) -> Order:
    row = locked_order(request, order)
    if not Fulfilment.objects.filter(pk=parcel, order=row).exists():
        raise Problem("not-found", f"Order {order} has no parcel {parcel}.")
    return row
