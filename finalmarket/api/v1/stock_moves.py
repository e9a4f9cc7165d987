"""What changes stock by hand: adjustments (compare and set), and goods that arrive.

A write names goods by number or SKU. Of many adjustments each is answered by itself; goods arrive all or none.
"""

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel, Field, model_validator

from finalmarket.api.door import Done, write
from finalmarket.api.problems import Problem, ProblemBody, body_of, problem_of
from finalmarket.api.v1.goods import Goods, check_locations, variant_of, variants_of
from finalmarket.api.v1.shapes import Number, Said, source_of
from finalmarket.kernel.errors import UserError, sentence
from finalmarket.stock import ledger
from finalmarket.stock.adjusting import Change, Changed, adjust_each
from finalmarket.stock.refusals import MOST_UNITS, NotAsExpected

router = Router(tags=["stock"])
Units = Annotated[int, Field(ge=1, le=MOST_UNITS)]
Some = Annotated[int, Field(ge=0, le=MOST_UNITS)]
Reason = Annotated[str, Field(min_length=1, max_length=200)]
MOST_AT_ONCE = 1_000


class Adjustment(Goods):
    """What is on hand at a location, changed by `delta` or set to `quantity`. With `expected`, nothing happens unless
    exactly so many are on hand."""

    location: Number
    delta: int | None = Field(None, ge=-MOST_UNITS, le=MOST_UNITS)
    quantity: Some | None = None
    expected: Some | None = Field(None, description="So many were on hand when you decided")
    reason: Reason
    reference: str = Field("", max_length=100)

    @model_validator(mode="after")
    def _is_one_way(self) -> "Adjustment":
        if (self.delta is None) == (self.quantity is None):
            raise ValueError("say either delta or quantity")
        return self


class Adjustments(Said):
    """Many adjustments, in their order; each stands or falls by itself."""

    items: list[Adjustment] = Field(min_length=1, max_length=MOST_AT_ONCE)


class Adjusted(BaseModel):
    """What is on hand now, and by how many units it was changed."""

    variant: int
    location: int
    on_hand: int
    delta: int


class AdjustedEach(BaseModel):
    """What became of one adjustment: done, or refused for the `problem`."""

    state: Literal["done", "refused"]
    done: Adjusted | None
    problem: ProblemBody | None


class AllAdjusted(BaseModel):
    """What became of each, in the order in which they were said."""

    items: list[AdjustedEach]


class Arrived(Goods):
    """Goods that arrived at a location."""

    location: Number
    quantity: Units
    reason: str = Field("", max_length=200)
    reference: str = Field("", max_length=100, description="Such as po:81")


class Arrivals(Said):
    """Goods that arrived: all are booked, or none."""

    items: list[Arrived] = Field(min_length=1, max_length=MOST_AT_ONCE)


class Booked(BaseModel):
    """How many lines and units were booked."""

    lines: int
    units: int


ADJUSTED = {"variant": 7, "location": 1, "on_hand": 48, "delta": -2}
ADJUSTMENT = {"sku": "TEA-100", "location": 1, "delta": -2, "expected": 50, "reason": "broken"}


@write(
    router, "POST", "/stock/adjustments", scope="stock:write", status=200, answer=Adjusted, example=ADJUSTED,
    body=ADJUSTMENT, may_be=["not-as-expected"],
)  # fmt: skip
def adjust_stock(request: HttpRequest, told: Adjustment) -> Done:
    """Change what is on hand, by so many or to so many. With `expected` it is compare and set: where something else
    stands, nothing is done and 409 says what stands. A loss that reaches into promises makes them short."""
    check_locations(request, [told.location])
    done = _adjust(request, told, variant_of(told))
    return Done(f"variant {done.variant} at location {done.location}", done)


@write(
    router, "POST", "/stock/adjustments/bulk", scope="stock:write", status=200, answer=AllAdjusted,
    example={"items": [{"state": "done", "done": ADJUSTED, "problem": None}]}, body={"items": [ADJUSTMENT]},
)  # fmt: skip
def adjust_stock_in_bulk(request: HttpRequest, told: Adjustments) -> Done:
    """Up to 1,000 adjustments, in their order, each answered by itself: what is refused spoils nothing else."""
    check_locations(request, [one.location for one in told.items], "body.items")
    items = _adjust_each(request, told.items)
    return Done(f"{sum(one.state == 'done' for one in items)} adjustments", AllAdjusted(items=items))


@write(
    router, "POST", "/stock/receipts", scope="stock:write", status=200, answer=Booked,
    example={"lines": 1, "units": 50},
    body={"items": [{"sku": "TEA-100", "location": 1, "quantity": 50, "reference": "po:81"}]},
)  # fmt: skip
def receive_stock(request: HttpRequest, told: Arrivals) -> Done:
    """Put goods that arrived on the shelf, up to 1,000 lines, all or none; what was promised beyond stock is met first,
    the oldest promise before the others."""
    check_locations(request, [one.location for one in told.items], "body.items")
    known = variants_of(told.items)
    rows = [
        ledger.Receipt(
            variant_of(one, known, f"body.items.{place}"), one.location, one.quantity, one.reason, one.reference
        )
        for place, one in enumerate(told.items)
    ]
    ledger.receive(rows, actor=source_of(request))
    units = sum(one.quantity for one in rows)
    return Done(f"{len(rows)} receipts", Booked(lines=len(rows), units=units))


def _adjust(request: HttpRequest, told: Adjustment, variant: int) -> Adjusted:
    who, change = source_of(request), _change(told, variant)
    try:
        on_hand, delta = change.quantity, change.delta
        if delta is None:
            delta = ledger.set_on_hand(
                variant, told.location, on_hand, reason=told.reason, actor=who, reference=told.reference,
                expected=told.expected,
            )  # fmt: skip
        else:
            on_hand = ledger.adjust(
                variant, told.location, delta, reason=told.reason, actor=who, reference=told.reference,
                expected=told.expected,
            )  # fmt: skip
    except NotAsExpected as error:
        raise _not_as_expected(change, error) from error
    return Adjusted(variant=variant, location=told.location, on_hand=on_hand, delta=delta)


def _adjust_each(request: HttpRequest, told: list[Adjustment]) -> list[AdjustedEach]:
    known = variants_of(told)
    found: dict[int, AdjustedEach] = {}
    changes: dict[int, Change] = {}
    for place, one in enumerate(told):
        try:
            changes[place] = _change(one, variant_of(one, known, f"body.items.{place}"))
        except Problem as problem:
            found[place] = _refused(problem)
    became = adjust_each(list(changes.values()), actor=source_of(request))
    for (place, change), outcome in zip(changes.items(), became, strict=True):
        found[place] = _each(change, outcome)
    return [found[place] for place in range(len(told))]


def _each(change: Change, became: Changed | UserError) -> AdjustedEach:
    match became:
        case Changed():
            done = Adjusted(
                variant=change.variant_id, location=change.location_id, on_hand=became.on_hand, delta=became.delta
            )
            return AdjustedEach(state="done", done=done, problem=None)
        case NotAsExpected():
            return _refused(_not_as_expected(change, became))
    return _refused(problem_of(became))


def _change(told: Adjustment, variant: int) -> Change:
    return Change(
        variant, told.location, told.reason, told.delta, told.quantity or 0, told.expected, told.reference
    )  # fmt: skip


def _not_as_expected(change: Change, error: NotAsExpected) -> Problem:
    stands = {"variant": change.variant_id, "location": change.location_id, "on_hand": error.on_hand}
    return Problem("not-as-expected", sentence(str(error)), stands=stands)


def _refused(problem: Problem) -> AdjustedEach:
    return AdjustedEach(state="refused", done=None, problem=body_of(problem))
