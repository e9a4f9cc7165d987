"""What an order looks like over the API, in a list and whole, and how it is shown from its rows."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from pydantic import AwareDatetime, BaseModel, Field

from finalmarket.api.door import check_match
from finalmarket.api.problems import Problem
from finalmarket.api.v1.goods import of_channels
from finalmarket.kernel.errors import UserError
from finalmarket.orders.history import locked
from finalmarket.orders.models import Fulfilment, Order, OrderLine, Payment, Refund, Return

State = Literal["open", "partly_fulfilled", "fulfilled", "cancelled"]
PaymentState = Literal["unpaid", "authorised", "partly_paid", "paid", "partly_refunded", "refunded"]
Disposition = Literal["restock", "damaged", "scrap", "none"]


class AddressShown(BaseModel):
    """Where goods or invoices go; empty, where it is not known. Coordinates are degrees, WGS 84."""

    name: str = ""
    company: str = ""
    street: str = ""
    street2: str = ""
    postcode: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    phone: str = ""
    latitude: float | None = None
    longitude: float | None = None


class LineShown(BaseModel):
    """One line of an order; amounts in its currency."""

    id: int
    position: int
    kind: Literal["goods", "shipping", "fee", "discount", "adjustment"]
    variant: int | None
    sku: str = Field(description="As the channel named it")
    title: str
    external_id: str
    quantity: int
    unit_price: Decimal
    discount: Decimal
    tax: Decimal
    tax_rate: Decimal | None
    total: Decimal
    cancelled_quantity: int
    fulfilled_quantity: int
    returned_quantity: int
    short_quantity: int = Field(description="Sold, but not there to be shipped")


class OrderRow(BaseModel):
    """An order as a list shows it. Its parts sum to `total`: goods - discount + shipping + fees + tip, and tax where it
    is not included in the prices."""

    id: int
    number: str
    channel: int
    source: str = Field(description="channel, or the account that it came through")
    external_id: str
    customer: int | None
    state: State
    payment_state: PaymentState
    problem: str = Field(description="Why a person has to look at it; empty where nobody has to")
    currency: str
    goods: Decimal
    discount: Decimal
    shipping: Decimal
    fees: Decimal
    tip: Decimal
    tax: Decimal
    tax_included: bool
    total: Decimal
    refunded: Decimal
    email: str
    phone: str
    shipping_address: AddressShown
    billing_address: AddressShown
    placed_at: AwareDatetime
    cancelled_at: AwareDatetime | None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    lines: list[LineShown]


class PaymentShown(BaseModel):
    """One tender."""

    id: int
    tender: str
    state: Literal["pending", "authorised", "captured", "failed", "voided"]
    amount: Decimal
    refunded: Decimal
    currency: str
    external_id: str
    at: AwareDatetime


class ParcelLine(BaseModel):
    """Units of an order line in a parcel; of a bundle, units of its components."""

    id: int
    line: int
    variant: int
    quantity: int


class ParcelShown(BaseModel):
    """A parcel, or goods handed over, from one location, and why it is routed there."""

    id: int
    location: int
    state: Literal["pending", "shipped", "delivered", "rejected", "cancelled"]
    carrier: str
    tracking_number: str
    tracking_url: str
    reason: str
    created_at: AwareDatetime
    shipped_at: AwareDatetime | None
    delivered_at: AwareDatetime | None
    lines: list[ParcelLine]


class ReturnLineShown(BaseModel):
    """What comes back of one order line, and what becomes of it."""

    id: int
    line: int | None
    variant: int | None
    sku: str
    quantity: int
    disposition: Disposition
    location: int | None
    refund: Decimal = Field(description="Goods credited for it")


class ReturnShown(BaseModel):
    """Goods that come back."""

    id: int
    state: Literal["requested", "received", "cancelled"]
    reason: str
    exchange_order: int | None = Field(description="The order that they are exchanged for")
    at: AwareDatetime
    lines: list[ReturnLineShown]


class RefundShown(BaseModel):
    """Money given back."""

    id: int
    payment: int | None
    of_return: int | None
    amount: Decimal
    reason: str
    at: AwareDatetime


class OrderShown(OrderRow):
    """An order with all that follows it."""

    payments: list[PaymentShown]
    parcels: list[ParcelShown]
    returns: list[ReturnShown]
    refunds: list[RefundShown]


LINE: dict[str, Any] = {
    "id": 31, "position": 1, "kind": "goods", "variant": 7, "sku": "TEA-100", "title": "Tea", "external_id": "",
    "quantity": 2, "unit_price": "5.0000", "discount": "0.0000", "tax": "0.6500", "tax_rate": "0.07000",
    "total": "10.0000", "cancelled_quantity": 0, "fulfilled_quantity": 0, "returned_quantity": 0, "short_quantity": 0,
}  # fmt: skip
ADDRESS = {"name": "Ann Lee", "street": "Main Street 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
ROW: dict[str, Any] = {
    "id": 12, "number": "W-100012", "channel": 1, "source": "channel", "external_id": "cart-81", "customer": 4,
    "state": "open", "payment_state": "paid", "problem": "", "currency": "EUR", "goods": "10.0000",
    "discount": "0.0000", "shipping": "0.0000", "fees": "0.0000", "tip": "0.0000", "tax": "0.6500",
    "tax_included": True, "total": "10.0000", "refunded": "0.0000", "email": "ann@example.com", "phone": "",
    "shipping_address": ADDRESS, "billing_address": {}, "placed_at": "2026-05-04T12:00:00Z", "cancelled_at": None,
    "created_at": "2026-05-04T12:00:01Z", "updated_at": "2026-05-04T12:00:01Z", "lines": [LINE],
}  # fmt: skip
PAYMENT = {"id": 41, "tender": "card", "state": "captured", "amount": "10.0000", "refunded": "0.0000",
           "currency": "EUR", "external_id": "pi_81", "at": "2026-05-04T12:00:01Z"}  # fmt: skip
PARCEL: dict[str, Any] = {
    "id": 51, "location": 1, "state": "pending", "carrier": "", "tracking_number": "", "tracking_url": "",
    "reason": "Main warehouse has it all, first by priority", "created_at": "2026-05-04T12:00:01Z", "shipped_at": None,
    "delivered_at": None, "lines": [{"id": 61, "line": 31, "variant": 7, "quantity": 2}],
}  # fmt: skip
RETURN: dict[str, Any] = {
    "id": 71, "state": "requested", "reason": "too small", "exchange_order": None, "at": "2026-05-09T12:00:00Z",
    "lines": [{"id": 81, "line": 31, "variant": 7, "sku": "TEA-100", "quantity": 1, "disposition": "restock",
               "location": None, "refund": "0.0000"}],
}  # fmt: skip
ORDER: dict[str, Any] = {**ROW, "payments": [PAYMENT], "parcels": [PARCEL], "returns": [], "refunds": []}
WORDS_OF_ROW = tuple(
    name for name in OrderRow.model_fields
    if name not in ("channel", "customer", "shipping_address", "billing_address", "lines")
)  # fmt: skip
WORDS_OF_LINE = tuple(name for name in LineShown.model_fields if name != "variant")
WORDS_OF_PARCEL = tuple(name for name in ParcelShown.model_fields if name not in ("location", "lines"))


def orders_seen(request: HttpRequest) -> QuerySet[Order]:
    """The orders that the caller may see."""
    return of_channels(request, Order.objects.defer("raw"))


def order_seen(request: HttpRequest, number: int) -> Order:
    """Return an order. Raises Problem where there is none that the caller may see."""
    found = orders_seen(request).filter(pk=number).first()
    if found is None:
        raise Problem("not-found", f"There is no order {number} that this key may see.")
    return found


def locked_order(request: HttpRequest, number: int) -> Order:
    """Return an order that nobody else can change until the end of the call, as the caller has seen it (If-Match)."""
    order_seen(request, number)
    try:
        order = locked(number)
    except UserError as error:
        raise Problem("not-found", f"There is no order {number} any more.") from error
    if "If-Match" in request.headers:
        check_match(request, shown(order))
    return order


def shown_rows(orders: Sequence[Order], *, with_lines: bool = True) -> list[OrderRow]:
    """Show orders as a list does; one query for all their lines."""
    lines: dict[int, list[LineShown]] = {}
    if with_lines:
        rows = OrderLine.objects.filter(order__in=[one.pk for one in orders]).order_by("order_id", "position")
        for row in rows:
            lines.setdefault(row.order_id, []).append(_line(row))
    return [OrderRow.model_validate({**_header(one), "lines": lines.get(one.pk, [])}) for one in orders]


def shown(order: Order) -> OrderShown:
    """Show an order with all that follows it, as it stands in the database; a constant number of queries."""
    fresh = Order.objects.defer("raw").get(pk=order.pk)
    return OrderShown.model_validate(
        {
            **_header(fresh),
            "lines": [_line(one) for one in fresh.lines.order_by("position")],
            "payments": [_payment(one) for one in Payment.objects.filter(order=fresh).order_by("pk")],
            "parcels": parcels_of(fresh),
            "returns": [return_shown(one) for one in _returns(Return.objects.filter(order=fresh))],
            "refunds": [_refund(one) for one in Refund.objects.filter(order=fresh).order_by("pk")],
        }
    )


def parcels_of(order: Order) -> list[ParcelShown]:
    """Show the parcels of an order, the oldest first."""
    rows = Fulfilment.objects.filter(order=order).order_by("pk").prefetch_related("lines")
    return [
        ParcelShown.model_validate(
            {
                "location": one.location_id, **{word: getattr(one, word) for word in WORDS_OF_PARCEL},
                "lines": [
                    {"id": line.pk, "line": line.order_line_id, "variant": line.variant_id, "quantity": line.quantity}
                    for line in sorted(one.lines.all(), key=lambda each: each.pk)
                ],
            }
        )
        for one in rows
    ]  # fmt: skip


def return_shown(row: Return) -> ReturnShown:
    """Show what comes back."""
    words = ("state", "reason", "at")
    lines = [
        {
            "id": one.pk, "line": one.order_line_id, "variant": one.variant_id, "sku": one.sku,
            "quantity": one.quantity, "disposition": one.disposition, "location": one.location_id, "refund": one.refund,
        }
        for one in sorted(row.lines.all(), key=lambda each: each.position)
    ]  # fmt: skip
    values = {word: getattr(row, word) for word in words}
    return ReturnShown.model_validate({"id": row.pk, "exchange_order": row.exchange_order_id, "lines": lines, **values})


def _returns(rows: QuerySet[Return]) -> Iterable[Return]:
    return rows.order_by("pk").prefetch_related("lines")


def _header(order: Order) -> dict[str, Any]:
    return {
        "channel": order.sales_channel_id, "customer": order.customer_id,
        "shipping_address": order.shipping_address or {}, "billing_address": order.billing_address or {},
        **{word: getattr(order, word) for word in WORDS_OF_ROW},
    }  # fmt: skip


def _line(row: OrderLine) -> LineShown:
    return LineShown.model_validate({"variant": row.variant_id, **{word: getattr(row, word) for word in WORDS_OF_LINE}})


def _payment(row: Payment) -> PaymentShown:
    return PaymentShown.model_validate({word: getattr(row, word) for word in PaymentShown.model_fields})


def _refund(row: Refund) -> RefundShown:
    return RefundShown(
        id=row.pk, payment=row.payment_id, of_return=row.return_record_id, amount=row.amount, reason=row.reason,
        at=row.at,
    )  # fmt: skip
