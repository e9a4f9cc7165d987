"""Stock takes while selling goes on: begun at a location, counted line by line, looked at, applied."""

from typing import Literal

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import AwareDatetime, BaseModel, Field

from finalmarket.api.door import Done, caller_of, check_match, read, write
from finalmarket.api.paging import page
from finalmarket.api.problems import Problem
from finalmarket.api.v1.goods import Goods, check_locations, location_asked, locations_seen, variant_of, variants_of
from finalmarket.api.v1.shapes import Key, Moment, Number, Paged, Said, source_of
from finalmarket.stock import counts
from finalmarket.stock.models import StockCount
from finalmarket.stock.refusals import MOST_UNITS

router = Router(tags=["stock"])
State = Literal["open", "applied", "cancelled"]
MOST_AT_ONCE = 1_000


class Count(BaseModel):
    """A stock take at a location."""

    id: int
    location: int
    state: State
    note: str
    started_at: AwareDatetime
    applied_at: AwareDatetime | None


class Counts(BaseModel):
    """A page of stock takes, the newest first."""

    items: list[Count]
    next: str | None


class CountLine(BaseModel):
    """What was counted, what the books said at that moment, and the difference that applying it books."""

    variant: int
    sku: str
    counted: int
    counted_at: AwareDatetime
    booked: int
    difference: int


class CountLines(BaseModel):
    """What a stock take found, variant by variant."""

    items: list[CountLine]


class CountStart(Said):
    """Where is counted."""

    location: Number
    note: str = Field("", max_length=200)


class CountedLine(Goods):
    """So many units of a variant lie there, promised ones included."""

    counted: int = Field(ge=0, le=MOST_UNITS)
    counted_at: Moment | None = Field(None, description="By default now; sales after it are no differences")


class CountedLines(Said):
    """What was counted, all lines or none. Counted again, a variant's line is replaced."""

    items: list[CountedLine] = Field(min_length=1, max_length=MOST_AT_ONCE)


class Application(Said):
    """Why the books are brought to what was counted."""

    reason: str = Field("", max_length=150)


class CountFilters(Paged):
    """By what stock takes are narrowed."""

    state: State | None = None
    location: Number | None = None


COUNT = {"id": 1, "location": 1, "state": "open", "note": "", "started_at": "2026-05-04T12:00:00Z", "applied_at": None}
LINE = {"variant": 7, "sku": "TEA-100", "counted": 46, "counted_at": "2026-05-04T12:10:00Z", "booked": 47,
        "difference": -1}  # fmt: skip
APPLIED = {**COUNT, "state": "applied", "applied_at": "2026-05-04T12:20:00Z"}


@write(
    router, "POST", "/stock/counts", scope="stock:write", status=201, answer=Count, example=COUNT, body={"location": 1}
)  # fmt: skip
def start_count(request: HttpRequest, told: CountStart) -> Done:
    """Begin a stock take. Nothing is locked: selling goes on."""
    check_locations(request, [told.location])
    row = counts.start(told.location, note=told.note)
    row.refresh_from_db()
    return Done(f"count {row.pk}", _shown(row), headers={"Location": f"/api/v1/stock/counts/{row.pk}"})


@read(
    router, "/stock/counts", scope="stock:read", answer=Counts, example={"items": [COUNT], "next": None},
    filters=CountFilters,
)  # fmt: skip
def list_counts(request: HttpRequest, asked: Query[CountFilters]) -> Counts:
    """List stock takes, the newest first."""
    rows = StockCount.objects.all()
    if caller_of(request).channels:
        rows = rows.filter(location__in=locations_seen(request))
    if asked.state:
        rows = rows.filter(state=asked.state)
    if asked.location is not None:
        rows = rows.filter(location=location_asked(request, asked.location))
    found, following = page(rows, ("-id",), request, asked.limit, asked.cursor)
    return Counts(items=[_shown(one) for one in found], next=following)


@read(router, "/stock/counts/{count}", scope="stock:read", answer=Count, example=COUNT)
def get_count(request: HttpRequest, count: Key) -> Count:
    """Show one stock take."""
    return _shown(_count(request, count))


@read(router, "/stock/counts/{count}/lines", scope="stock:read", answer=CountLines, example={"items": [LINE]})
def list_count_lines(request: HttpRequest, count: Key) -> CountLines:
    """Show what was counted, beside what the books said at that moment."""
    _count(request, count)
    return CountLines(items=[_line(one) for one in counts.preview(count)])


@write(
    router, "POST", "/stock/counts/{count}/lines", scope="stock:write", status=200, answer=CountLines,
    example={"items": [LINE]}, body={"items": [{"sku": "TEA-100", "counted": 46}]},
)  # fmt: skip
def record_count(request: HttpRequest, count: Key, told: CountedLines) -> Done:
    """Write down what was counted, up to 1,000 lines, all or none. Shows what the whole stock take has found by now."""
    _touched(request, count)
    known = variants_of(told.items)
    for place, line in enumerate(told.items):
        variant = variant_of(line, known, f"body.items.{place}")
        counts.record(count, variant, line.counted, counted_at=line.counted_at)
    return Done(f"count {count}", CountLines(items=[_line(one) for one in counts.preview(count)]))


@write(
    router, "POST", "/stock/counts/{count}/apply", scope="stock:write", status=200, answer=Count, example=APPLIED,
    body={"reason": "yearly stock take"}, matches=True,
)  # fmt: skip
def apply_count(request: HttpRequest, count: Key, told: Application) -> Done:
    """Bring the books to what was counted. What reaches into promises makes them short."""
    check_match(request, _shown(_touched(request, count)))
    counts.apply(count, actor=source_of(request), reason=told.reason)
    return Done(f"count {count}", _shown(_count(request, count)))


@write(
    router, "POST", "/stock/counts/{count}/cancel", scope="stock:write", status=200, answer=Count,
    example={**COUNT, "state": "cancelled"}, matches=True,
)  # fmt: skip
def cancel_count(request: HttpRequest, count: Key) -> Done:
    """Drop a stock take; the books stay as they are."""
    check_match(request, _shown(_touched(request, count)))
    counts.cancel(count)
    return Done(f"count {count}", _shown(_count(request, count)))


def _count(request: HttpRequest, number: int) -> StockCount:
    rows = StockCount.objects.filter(pk=number)
    if caller_of(request).channels:
        rows = rows.filter(location__in=locations_seen(request))
    found = rows.first()
    if found is None:
        raise Problem("not-found", f"There is no stock take {number} that this key may see.")
    return found


def _touched(request: HttpRequest, number: int) -> StockCount:
    """Return a stock take that the caller may change, and nobody else until the end of the call."""
    check_locations(request, [_count(request, number).location_id], "path.count")
    return StockCount.objects.select_for_update().get(pk=number)


def _shown(row: StockCount) -> Count:
    words = ("state", "note", "started_at", "applied_at")
    values = {word: getattr(row, word) for word in words}
    return Count.model_validate({"id": row.pk, "location": row.location_id, **values})


def _line(one: counts.Counted) -> CountLine:
    return CountLine(
        variant=one.variant_id, sku=one.sku, counted=one.counted, counted_at=one.counted_at, booked=one.booked,
        difference=one.difference,
    )  # fmt: skip
