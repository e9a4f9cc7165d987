"""What suppliers are to deliver, and when: announced, postponed, received in parts, given up."""

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import AwareDatetime, BaseModel, Field

from finalmarket.api.door import Done, caller_of, check_match, read, write
from finalmarket.api.paging import page
from finalmarket.api.problems import Problem
from finalmarket.api.v1.goods import Goods, check_locations, location_asked, locations_seen, variant_of
from finalmarket.api.v1.shapes import Key, Moment, Number, Paged, Said, source_of
from finalmarket.stock import receipts
from finalmarket.stock.models import ExpectedReceipt
from finalmarket.stock.refusals import MOST_UNITS

router = Router(tags=["stock"])
Units = Annotated[int, Field(ge=1, le=MOST_UNITS)]


class Expected(BaseModel):
    """What a supplier is to deliver."""

    id: int
    variant: int
    location: int
    quantity: int
    received_quantity: int
    expected_at: AwareDatetime
    supplier: str
    reference: str
    state: Literal["expected", "received", "cancelled"]


class AllExpected(BaseModel):
    """A page of what suppliers are to deliver, announced last first."""

    items: list[Expected]
    next: str | None


class Announcement(Goods):
    """What a supplier is to deliver, and when."""

    location: Number
    quantity: Units
    expected_at: Moment
    supplier: str = Field("", max_length=200)
    reference: str = Field("", max_length=100, description="Number of the purchase order")


class DeliveredPart(Said):
    """So many units of it."""

    quantity: Units


class Postponement(Said):
    """When it is expected now."""

    expected_at: Moment


class ExpectedFilters(Paged):
    """By what expected deliveries are narrowed."""

    variant: Number | None = None
    location: Number | None = None
    state: Literal["expected", "received", "cancelled"] | None = None


EXPECTED = {
    "id": 1, "variant": 7, "location": 1, "quantity": 100, "received_quantity": 0, "supplier": "Tea Co",
    "expected_at": "2026-06-01T08:00:00Z", "reference": "po:82", "state": "expected",
}  # fmt: skip


@write(
    router, "POST", "/stock/expected", scope="stock:write", status=201, answer=Expected, example=EXPECTED,
    body={"sku": "TEA-100", "location": 1, "quantity": 100, "expected_at": "2026-06-01T08:00:00Z"},
)  # fmt: skip
def announce_delivery(request: HttpRequest, told: Announcement) -> Done:
    """Write down what a supplier is to deliver. Channels that look so far ahead may sell it from now on."""
    check_locations(request, [told.location])
    row = receipts.announce(
        variant_of(told), told.location, told.quantity, told.expected_at, supplier=told.supplier,
        reference=told.reference,
    )  # fmt: skip
    return _done(row, headers={"Location": f"/api/v1/stock/expected/{row.pk}"})


@read(
    router, "/stock/expected", scope="stock:read", answer=AllExpected, example={"items": [EXPECTED], "next": None},
    filters=ExpectedFilters,
)  # fmt: skip
def list_expected(request: HttpRequest, asked: Query[ExpectedFilters]) -> AllExpected:
    """List what suppliers are to deliver, what was announced last first."""
    rows = ExpectedReceipt.objects.all()
    if caller_of(request).channels:
        rows = rows.filter(location__in=locations_seen(request))
    if asked.variant is not None:
        rows = rows.filter(variant=asked.variant)
    if asked.location is not None:
        rows = rows.filter(location=location_asked(request, asked.location))
    if asked.state:
        rows = rows.filter(state=asked.state)
    found, following = page(rows, ("-id",), request, asked.limit, asked.cursor)
    return AllExpected(items=[_shown(one) for one in found], next=following)


@read(router, "/stock/expected/{delivery}", scope="stock:read", answer=Expected, example=EXPECTED)
def get_expected(request: HttpRequest, delivery: Key) -> Expected:
    """Show what is to be delivered, and what has come of it."""
    return _shown(_delivery(request, delivery))


@write(
    router, "POST", "/stock/expected/{delivery}/receive", scope="stock:write", status=200, answer=Expected,
    example={**EXPECTED, "received_quantity": 60}, body={"quantity": 60}, matches=True,
)  # fmt: skip
def receive_expected(request: HttpRequest, delivery: Key, told: DeliveredPart) -> Done:
    """Put a part of it on the shelf. It is over when all has come; more than was announced is taken in."""
    _matched(request, delivery)
    return _done(receipts.receive(delivery, told.quantity, actor=source_of(request)))


@write(
    router, "POST", "/stock/expected/{delivery}/postpone", scope="stock:write", status=200, answer=Expected,
    example=EXPECTED, body={"expected_at": "2026-06-08T08:00:00Z"}, matches=True,
)  # fmt: skip
def postpone_expected(request: HttpRequest, delivery: Key, told: Postponement) -> Done:
    """Expect it at another time."""
    _matched(request, delivery)
    return _done(receipts.postpone(delivery, told.expected_at))


@write(
    router, "POST", "/stock/expected/{delivery}/cancel", scope="stock:write", status=200, answer=Expected,
    example={**EXPECTED, "state": "cancelled"}, matches=True,
)  # fmt: skip
def cancel_expected(request: HttpRequest, delivery: Key) -> Done:
    """Expect no more of it. What was sold of it already stays promised."""
    _matched(request, delivery)
    return _done(receipts.cancel(delivery))


def _delivery(request: HttpRequest, number: int) -> ExpectedReceipt:
    rows = ExpectedReceipt.objects.filter(pk=number)
    if caller_of(request).channels:
        rows = rows.filter(location__in=locations_seen(request))
    found = rows.first()
    if found is None:
        raise Problem("not-found", f"There is no expected delivery {number} that this key may see.")
    return found


def _matched(request: HttpRequest, number: int) -> None:
    """Refuse a delivery that the caller may not touch, or has seen otherwise; its pool is locked before its row."""
    row = _delivery(request, number)
    check_locations(request, [row.location_id], "path.delivery")
    receipts.hold(number)
    row.refresh_from_db()
    check_match(request, _shown(row))


def _done(row: ExpectedReceipt, headers: dict[str, str] | None = None) -> Done:
    return Done(f"expected delivery {row.pk}", _shown(row), headers=headers or {})


def _shown(row: ExpectedReceipt) -> Expected:
    words = ("quantity", "received_quantity", "expected_at", "supplier", "reference", "state")
    return Expected.model_validate(
        {"id": row.pk, "variant": row.variant_id, "location": row.location_id,
         **{word: getattr(row, word) for word in words}}
    )  # fmt: skip
