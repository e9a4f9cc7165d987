"""Transfers: goods on their way from one location to another.

A key that is bound to channels sees the transfers that begin or end where it sees stock; it sends from locations that
its channels name as sources, and receives at those.
"""

from typing import Literal

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import AwareDatetime, BaseModel, Field

from finalmarket.api.door import Done, caller_of, check_match, read, write
from finalmarket.api.paging import page
from finalmarket.api.problems import Problem
from finalmarket.api.v1.goods import Goods, check_locations, locations_seen, variant_of, variants_of
from finalmarket.api.v1.shapes import Key, Number, Paged, Said, source_of
from finalmarket.stock import transfers
from finalmarket.stock.models import Transfer as TransferRow
from finalmarket.stock.refusals import MOST_UNITS

router = Router(tags=["stock"])
State = Literal["draft", "in_transit", "received", "cancelled"]
MOST_LINES = 1_000


class TransferLine(BaseModel):
    """One variant on its way. `discrepancy`: arrived less sent, once the transfer is over."""

    variant: int
    quantity: int
    received_quantity: int
    discrepancy: int


class Transfer(BaseModel):
    """Goods on their way from `source` to `destination` (locations)."""

    id: int
    source: int
    destination: int
    state: State
    reference: str
    lines: list[TransferLine]
    created_at: AwareDatetime
    shipped_at: AwareDatetime | None
    closed_at: AwareDatetime | None


class Transfers(BaseModel):
    """A page of transfers, the newest first."""

    items: list[Transfer]
    next: str | None


class GoodsToSend(Goods):
    """So many units of a variant."""

    quantity: int = Field(ge=1, le=MOST_UNITS)


class TransferDraft(Said):
    """What is to be sent, and whither."""

    source: Number
    destination: Number
    lines: list[GoodsToSend] = Field(min_length=1, max_length=MOST_LINES)
    reference: str = Field("", max_length=100)


class Arrival(Said):
    """What arrived; null: all that is outstanding."""

    lines: list[GoodsToSend] | None = Field(None, min_length=1, max_length=MOST_LINES)


class Closing(Said):
    """Why no more of it will come."""

    reason: str = Field(min_length=1, max_length=200)


class TransferFilters(Paged):
    """By what transfers are narrowed."""

    state: State | None = None
    location: Number | None = Field(None, description="That begin or end there")


TRANSFER = {
    "id": 1, "source": 1, "destination": 2, "state": "draft", "reference": "", "created_at": "2026-05-04T12:00:00Z",
    "shipped_at": None, "closed_at": None,
    "lines": [{"variant": 7, "quantity": 10, "received_quantity": 0, "discrepancy": 0}],
}  # fmt: skip
SENT = {**TRANSFER, "state": "in_transit", "shipped_at": "2026-05-04T13:00:00Z"}
ENDED = {**SENT, "state": "received", "closed_at": "2026-05-05T09:00:00Z",
         "lines": [{"variant": 7, "quantity": 10, "received_quantity": 9, "discrepancy": -1}]}  # fmt: skip


@write(
    router, "POST", "/stock/transfers", scope="stock:write", status=201, answer=Transfer, example=TRANSFER,
    body={"source": 1, "destination": 2, "lines": [{"sku": "TEA-100", "quantity": 10}]},
)  # fmt: skip
def draft_transfer(request: HttpRequest, told: TransferDraft) -> Done:
    """Write down what is to be sent. Nothing moves until it is shipped."""
    check_locations(request, [told.source], "body.source")
    made = transfers.draft(told.source, told.destination, list(_units(told.lines).items()), reference=told.reference)
    return _done(made.pk, headers={"Location": f"/api/v1/stock/transfers/{made.pk}"})


@read(
    router, "/stock/transfers", scope="stock:read", answer=Transfers, example={"items": [TRANSFER], "next": None},
    filters=TransferFilters,
)  # fmt: skip
def list_transfers(request: HttpRequest, asked: Query[TransferFilters]) -> Transfers:
    """List transfers, the newest first."""
    rows = _visible(request)
    if asked.state:
        rows = rows.filter(state=asked.state)
    if asked.location is not None:
        rows = rows.filter(Q(source=asked.location) | Q(destination=asked.location))
    found, following = page(rows.prefetch_related("lines"), ("-id",), request, asked.limit, asked.cursor)
    return Transfers(items=[_shown(one) for one in found], next=following)


@read(router, "/stock/transfers/{transfer}", scope="stock:read", answer=Transfer, example=TRANSFER)
def get_transfer(request: HttpRequest, transfer: Key) -> Transfer:
    """Show one transfer."""
    return _shown(_transfer(request, transfer))


@write(
    router, "POST", "/stock/transfers/{transfer}/ship", scope="stock:write", status=200, answer=Transfer, example=SENT,
    matches=True,
)  # fmt: skip
def ship_transfer(request: HttpRequest, transfer: Key) -> Done:
    """Send the goods, all lines or none: they leave the source. What is promised or fenced is not taken."""
    _matched(request, transfer, "source_id")
    transfers.ship(transfer, actor=source_of(request))
    return _done(transfer)


@write(
    router, "POST", "/stock/transfers/{transfer}/receive", scope="stock:write", status=200, answer=Transfer,
    example=ENDED, body={"lines": [{"sku": "TEA-100", "quantity": 9}]}, matches=True,
)  # fmt: skip
def receive_transfer(request: HttpRequest, transfer: Key, told: Arrival) -> Done:
    """Put what arrived on the shelf, in as many parts as it takes; it is over when nothing is outstanding."""
    row = _matched(request, transfer, "destination_id")
    if told.lines is None:
        arrived = {one.variant_id: one.quantity - one.received_quantity for one in row.lines.all()}
        arrived = {variant: units for variant, units in arrived.items() if units > 0}
    else:
        arrived = _units(told.lines)
    transfers.receive(transfer, arrived, actor=source_of(request))
    return _done(transfer)


@write(
    router, "POST", "/stock/transfers/{transfer}/close", scope="stock:write", status=200, answer=Transfer,
    example=ENDED, body={"reason": "a box was lost"}, matches=True,
)  # fmt: skip
def close_transfer(request: HttpRequest, transfer: Key, told: Closing) -> Done:
    """End a transfer of which not all will arrive; what is outstanding is written off."""
    _matched(request, transfer, "destination_id")
    transfers.close(transfer, reason=told.reason, actor=source_of(request))
    return _done(transfer)


@write(
    router, "POST", "/stock/transfers/{transfer}/cancel", scope="stock:write", status=200, answer=Transfer,
    example={**TRANSFER, "state": "cancelled", "closed_at": "2026-05-04T12:30:00Z"}, matches=True,
)  # fmt: skip
def cancel_transfer(request: HttpRequest, transfer: Key) -> Done:
    """Give up a transfer of which nothing has arrived; goods that were on their way are back at the source."""
    _matched(request, transfer, "source_id")
    transfers.cancel(transfer, actor=source_of(request))
    return _done(transfer)


def _units(lines: list[GoodsToSend]) -> dict[int, int]:
    """Units by variant. Raises Problem for a variant that stands twice."""
    known = variants_of(lines)
    units: dict[int, int] = {}
    for place, line in enumerate(lines):
        variant = variant_of(line, known, f"body.lines.{place}")
        if variant in units:
            raise Problem("refused", f"Variant {variant} stands twice in the lines; put its units in one line.")
        units[variant] = line.quantity
    return units


def _visible(request: HttpRequest) -> QuerySet[TransferRow]:
    rows = TransferRow.objects.all()
    if not caller_of(request).channels:
        return rows
    seen = locations_seen(request).values("pk")
    return rows.filter(Q(source__in=seen) | Q(destination__in=seen))


def _transfer(request: HttpRequest, number: int) -> TransferRow:
    found = _visible(request).prefetch_related("lines").filter(pk=number).first()
    if found is None:
        raise Problem("not-found", f"There is no transfer {number} that this key may see.")
    return found


def _matched(request: HttpRequest, number: int, place: str) -> TransferRow:
    """Return a transfer that nobody else can change until the end of the call, as the caller has seen it."""
    check_locations(request, [getattr(_transfer(request, number), place)], "path.transfer")
    row = TransferRow.objects.select_for_update().get(pk=number)
    check_match(request, _shown(row))
    return row


def _done(number: int, headers: dict[str, str] | None = None) -> Done:
    row = TransferRow.objects.prefetch_related("lines").get(pk=number)
    return Done(f"transfer {number}", _shown(row), headers=headers or {})


def _shown(row: TransferRow) -> Transfer:
    lines = sorted(row.lines.all(), key=lambda one: one.pk)
    words = ("state", "reference", "created_at", "shipped_at", "closed_at")
    return Transfer.model_validate(
        {
            "id": row.pk, "source": row.source_id, "destination": row.destination_id,
            **{word: getattr(row, word) for word in words},
            "lines": [
                TransferLine(
                    variant=one.variant_id, quantity=one.quantity, received_quantity=one.received_quantity,
                    discrepancy=one.discrepancy,
                )
                for one in lines
            ],
        }
    )  # fmt: skip
