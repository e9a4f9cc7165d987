"""Orders: the book in pages, one with all that follows it, placed exactly once, cancelled, noted, routed.

A key that is bound to channels sees and changes the orders of these channels.
"""

import hashlib
from typing import Annotated, Any, Literal

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import AwareDatetime, BaseModel, Field

from finalmarket.api.door import Done, caller_of, channel_of, read, token_of, write
from finalmarket.api.fields import is_wanted
from finalmarket.api.paging import page, page_of_each
from finalmarket.api.problems import Problem, ProblemBody, body_of, fault, problem_of
from finalmarket.api.v1.order_placing import OrderSaid, draft_of
from finalmarket.api.v1.order_shapes import (
    ORDER,
    ROW,
    OrderRow,
    OrderShown,
    PaymentState,
    State,
    locked_order,
    order_seen,
    shown,
    shown_rows,
)
from finalmarket.api.v1.shapes import Key, Moment, Number, Paged, Said, source_of
from finalmarket.customers.persons import members
from finalmarket.kernel import failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.plural import plural
from finalmarket.orders import aftersales, history, intake
from finalmarket.orders.drafts import MOST_UNITS, OutOfStock
from finalmarket.orders.intake import Taken
from finalmarket.orders.models import Order, OrderEvent, OrderLine

router = Router(tags=["orders"])
Why = Annotated[str, Field(min_length=1, max_length=300)]
NEWEST = ("-placed_at", "-id")
MOST_AT_ONCE = 200
EventKind = Literal[
    "taken", "updated", "promised", "routed", "shipped", "delivered", "rejected", "cancelled", "returned", "paid",
    "refunded", "problem", "note",
]  # fmt: skip


class OrderPage(BaseModel):
    """A page of orders, those placed last first."""

    items: list[OrderRow]
    next: str | None


class OrderEventShown(BaseModel):
    """One entry of an order's history."""

    id: int
    kind: EventKind
    text: str
    actor: str
    at: AwareDatetime


class OrderEvents(BaseModel):
    """A page of an order's history, in the order in which it happened."""

    items: list[OrderEventShown]
    next: str | None


class OrdersSaid(Said):
    """Many orders; each is taken or refused by itself."""

    items: list[OrderSaid] = Field(min_length=1, max_length=MOST_AT_ONCE)


class TakenEach(BaseModel):
    """What became of one order: created, updated, unchanged or cancelled; refused for the `problem`."""

    outcome: Literal["created", "updated", "unchanged", "cancelled", "refused"]
    order: int | None
    number: str
    problem: ProblemBody | None


class AllTaken(BaseModel):
    """What became of each order, as they were said."""

    items: list[TakenEach]


class UnitsOff(Said):
    """So many units of a line."""

    line: Number = Field(description="`id` of the line")
    quantity: int = Field(ge=1, le=MOST_UNITS)


class OrderCancellation(Said):
    """What is cancelled, and why; without `lines` all that has not left."""

    lines: list[UnitsOff] | None = Field(None, min_length=1, max_length=500)
    reason: Why


class NoteSaid(Said):
    """A note for those who look at the order."""

    text: str = Field(min_length=1, max_length=500)


class Settlement(Said):
    """How its problem was solved."""

    reason: Why


class OrderFilters(Paged):
    """By what orders are narrowed."""

    channel: Number | None = None
    state: State | None = None
    payment_state: PaymentState | None = None
    customer: Number | None = Field(None, description="Of the person to whom this profile belongs")
    number: str = Field("", max_length=60)
    external_id: str = Field("", max_length=200, description="As the channel named it; together with `channel`")
    source: str = Field("channel", max_length=60, description="Whose external_id: the account that it came through")
    email: str = Field("", max_length=320, description="As it stands on the order")
    variant: Number | None = Field(None, description="With a line of this variant")
    since: Moment | None = Field(None, description="Placed at or after")
    until: Moment | None = Field(None, description="Placed before")
    has_problem: bool | None = None


PLACE: dict[str, Any] = {
    "channel": 1, "external_id": "cart-81", "email": "ann@example.com", "shipping_address": {
        "name": "Ann Lee", "street": "Main Street 1", "postcode": "10115", "city": "Berlin", "country": "DE",
    }, "lines": [{"sku": "TEA-100", "quantity": 2, "unit_price": "5.00", "tax_rate": "0.07"}],
    "payments": [{"tender": "card", "amount": "10.00", "external_id": "pi_81"}],
}  # fmt: skip
EVENT = {"id": 91, "kind": "taken", "text": "", "actor": "api:docs", "at": "2026-05-04T12:00:01Z"}


@read(
    router, "/orders", scope="orders:read", answer=OrderPage, example={"items": [ROW], "next": None},
    filters=OrderFilters,
)  # fmt: skip
def list_orders(request: HttpRequest, asked: Query[OrderFilters]) -> OrderPage:
    """List orders with their lines, those placed last first."""
    rows = _narrowed(Order.objects.defer("raw"), asked)
    channels = sorted(caller_of(request).channels)
    if asked.channel is not None:
        rows = rows.filter(sales_channel=channel_of(request, asked.channel, "query.channel"))
        channels = []
    # Each channel's newest are found by index; of several channels at once they would have to be sorted.
    parts = [Q(sales_channel=one) for one in channels]
    found, following = page_of_each(rows, parts, NEWEST, request, asked.limit, asked.cursor)
    return OrderPage(items=shown_rows(found, with_lines=is_wanted(request, "lines")), next=following)


@write(
    router, "POST", "/orders/bulk", scope="orders:write", status=200, answer=AllTaken,
    example={"items": [{"outcome": "created", "order": 12, "number": "W-100012", "problem": None}]},
    body={"items": [PLACE]}, outside=True,
)  # fmt: skip
def place_orders_in_bulk(request: HttpRequest, told: OrdersSaid) -> Done:
    """Place up to 200 orders, each by itself and exactly once by its `external_id` (by default made of the
    Idempotency-Key and its place): what is refused spoils nothing else."""
    items = [_take_one(request, place, one) for place, one in enumerate(told.items)]
    return Done(plural(sum(one.order is not None for one in items), "order"), AllTaken(items=items))


@read(router, "/orders/{order}", scope="orders:read", answer=OrderShown, example=ORDER)
def get_order(request: HttpRequest, order: Key) -> OrderShown:
    """Show an order: lines, payments, parcels, returns and refunds."""
    return shown(order_seen(request, order))


@read(
    router, "/orders/{order}/history", scope="orders:read", answer=OrderEvents,
    example={"items": [EVENT], "next": None}, filters=Paged,
)  # fmt: skip
def list_order_history(request: HttpRequest, order: Key, asked: Query[Paged]) -> OrderEvents:
    """List what happened to an order, in its order."""
    rows = OrderEvent.objects.filter(order=order_seen(request, order))
    found, following = page(rows, ("id",), request, asked.limit, asked.cursor)
    items = [OrderEventShown(id=one.pk, kind=one.kind, text=one.text, actor=one.actor, at=one.at) for one in found]
    return OrderEvents(items=items, next=following)


@write(
    router, "POST", "/orders", scope="orders:write", status=201, answer=OrderShown, example=ORDER, body=PLACE,
    also={200: OrderShown}, may_be=["not-enough"],
)  # fmt: skip
def place_order(request: HttpRequest, told: OrderSaid) -> Done:
    """Place an order, exactly once by its `external_id`: stock, payments and customer in one transaction. Said again,
    with other lines or payments, the same order is brought up to date (200). Refused where stock does not fit, unless
    it has happened."""
    draft = draft_of(request, told, _name(request))
    try:
        taken = intake.take(draft, actor=source_of(request))
    except OutOfStock as error:
        raise out_of_stock(error) from error
    status = 201 if taken.outcome == "created" else 200
    headers = {"Location": f"/api/v1/orders/{taken.order.pk}"} if status == 201 else {}
    return Done(f"order {taken.order.pk}", shown(taken.order), status, headers)


@write(
    router, "POST", "/orders/{order}/cancel", scope="orders:write", status=200, answer=OrderShown, matches=True,
    example={**ORDER, "state": "cancelled", "cancelled_at": "2026-05-04T13:00:00Z"}, body={"reason": "changed my mind"},
)  # fmt: skip
def cancel_order(request: HttpRequest, order: Key, told: OrderCancellation) -> Done:
    """Cancel what has not left, or some units of it: its stock is free again, what was paid for it is given back in
    the books, what was not is taken off the total."""
    row = locked_order(request, order)
    if told.lines is None:
        return order_done(aftersales.cancel(row.pk, reason=told.reason, actor=source_of(request)))
    units: dict[int, int] = {}
    for one in told.lines:
        units[one.line] = units.get(one.line, 0) + one.quantity
    key = verb_key(request)
    return order_done(aftersales.cancel_units(row.pk, units, key=key, reason=told.reason, actor=source_of(request)))


@write(
    router, "POST", "/orders/{order}/notes", scope="orders:write", status=201, answer=OrderShown, example=ORDER,
    body={"text": "Leave it with the neighbour"}, matches=True,
)  # fmt: skip
def note_on_order(request: HttpRequest, order: Key, told: NoteSaid) -> Done:
    """Write a note into the history of an order. It is erased with the customer."""
    row = locked_order(request, order)
    history.note(row, "note", told.text, actor=source_of(request))
    return order_done(row)


@write(
    router, "POST", "/orders/{order}/route", scope="orders:write", status=200, answer=OrderShown, example=ORDER,
    matches=True,
)  # fmt: skip
def route_order(request: HttpRequest, order: Key) -> Done:
    """Look again at an order: promise what is short, match SKUs that were unknown, find locations for what waits. Where
    no location has it all it is split over the fewest."""
    row = locked_order(request, order)
    return order_done(intake.retry(row.pk, actor=source_of(request)).order)


@write(
    router, "POST", "/orders/{order}/settle", scope="orders:write", status=200, answer=OrderShown, example=ORDER,
    body={"reason": "called the customer"}, matches=True,
)  # fmt: skip
def settle_order(request: HttpRequest, order: Key, told: Settlement) -> Done:
    """Mark the problem of an order as dealt with. What is still short stays said."""
    row = locked_order(request, order)
    return order_done(intake.settle_problem(row.pk, actor=source_of(request), reason=told.reason))


def order_done(order: Order, subject: str = "", headers: dict[str, str] | None = None) -> Done:
    """What came of a write to an order: the order as it stands now."""
    return Done(subject or f"order {order.pk}", shown(order), headers=headers or {})


def out_of_stock(error: OutOfStock) -> Problem:
    """What is answered where stock does not fit an order."""
    text = str(error)
    return Problem("not-enough", f"{text[0].upper()}{text[1:]}.", "Order less; the levels of stock say what is there.")


def verb_key(request: HttpRequest) -> str:
    """Return the key under which a verb of the order book is carried out once, for good: the caller's own."""
    return f"api:{_name(request)}"


def _name(request: HttpRequest) -> str:
    said = f"{caller_of(request).family} {token_of(request)}"
    return hashlib.sha256(said.encode()).hexdigest()[:40]


def _narrowed(rows: QuerySet[Order], asked: OrderFilters) -> QuerySet[Order]:
    for word in ("state", "payment_state", "number", "email"):
        if value := getattr(asked, word):
            rows = rows.filter(**{word: value})
    if asked.external_id:
        if asked.channel is None:
            raise fault("query.external_id", "it is the word of a channel", "Say the channel, too.")
        rows = rows.filter(source=asked.source, external_id=asked.external_id)
    if asked.customer is not None:
        rows = rows.filter(customer__in=members(asked.customer))
    if asked.variant is not None:
        rows = rows.filter(Exists(OrderLine.objects.filter(order=OuterRef("pk"), variant=asked.variant)))
    if asked.since:
        rows = rows.filter(placed_at__gte=asked.since)
    if asked.until:
        rows = rows.filter(placed_at__lt=asked.until)
    if asked.has_problem is not None:
        rows = rows.exclude(problem="") if asked.has_problem else rows.filter(problem="")
    return rows


def _take_one(request: HttpRequest, place: int, told: OrderSaid) -> TakenEach:
    """One of many, in a transaction of its own: nobody waits for the locks of two hundred orders."""
    try:
        draft = draft_of(request, told, f"{_name(request)}/{place}", f"body.items.{place}")
        with failpoints.around("api.one_order_of_many"):
            return _taken(intake.take(draft, actor=source_of(request)))
    except (Problem, UserError) as error:
        return TakenEach(outcome="refused", order=None, number="", problem=body_of(problem_of(error)))


def _taken(taken: Taken) -> TakenEach:
    return TakenEach(outcome=taken.outcome, order=taken.order.pk, number=taken.order.number, problem=None)
