"""What follows an order: payments, refunds, returns, exchanges. Each is booked once for good by its Idempotency-Key."""

from decimal import Decimal
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from finalmarket.api.door import Done, write
from finalmarket.api.problems import Problem
from finalmarket.api.v1.goods import check_locations
from finalmarket.api.v1.order_placing import LineSaid, line_drafts
from finalmarket.api.v1.order_shapes import ORDER, PAYMENT, RETURN, Disposition, OrderShown, locked_order
from finalmarket.api.v1.orders import Why, order_done, out_of_stock, verb_key
from finalmarket.api.v1.shapes import Key, Money, Number, Said, source_of
from finalmarket.orders import payments, refunds, returns
from finalmarket.orders.drafts import MOST_UNITS, OutOfStock
from finalmarket.orders.models import Order, Payment, Return
from finalmarket.orders.returns import Back

router = Router(tags=["orders"])
Positive = Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=4)]


class PaymentSaid(Said):
    """Money that came in, or that a tender is good for; in the order's currency."""

    tender: str = Field(min_length=1, max_length=30, description="card, cash, gift_card, invoice, ...")
    amount: Positive
    state: Literal["captured", "authorised"] = "captured"
    external_id: str = Field("", max_length=200, description="The provider's name of it, which makes it count once")


class Capture(Said):
    """How much is taken; null: what the order still costs."""

    amount: Positive | None = None


class RefundSaid(Said):
    """How much is given back, and why."""

    amount: Positive
    reason: Why
    gift_cards: Literal["first", "last"] = "first"


class BackSaid(Said):
    """Units of an order line that come back, what becomes of them, and where; by default where they came from."""

    line: Number = Field(description="`id` of the order's line")
    quantity: int = Field(ge=1, le=MOST_UNITS)
    disposition: Disposition = "restock"
    location: Number | None = None


class ReturnSaid(Said):
    """What comes back, and why. `received`: it stands on the counter."""

    lines: list[BackSaid] = Field(min_length=1, max_length=500)
    reason: Why
    received: bool = False


class ExchangeSaid(ReturnSaid):
    """What comes back, and what is sent instead."""

    instead: list[LineSaid] = Field(min_length=1, max_length=500)


class ReturnArrived(Said):
    """What came of a line of a return."""

    line: Number = Field(description="`id` of the return's line")
    quantity: int = Field(ge=0, le=MOST_UNITS)
    disposition: Disposition = "restock"
    location: Number | None = None


class ReturnReceipt(Said):
    """What really came; null: what was announced. `refund` in place of the worth of the goods."""

    lines: list[ReturnArrived] | None = Field(None, min_length=1, max_length=500)
    refund: Money | None = None


BACK = {"lines": [{"line": 31, "quantity": 1}], "reason": "too small"}
WITH_RETURN = {**ORDER, "returns": [RETURN]}


@write(
    router, "POST", "/orders/{order}/payments", scope="orders:write", status=201, answer=OrderShown, example=ORDER,
    body={"tender": "card", "amount": "10.00", "external_id": "pi_81"}, matches=True,
)  # fmt: skip
def pay_order(request: HttpRequest, order: Key, told: PaymentSaid) -> Done:
    """Note that money came in, or that a tender is good for it; never more than is due."""
    row = locked_order(request, order)
    verb = payments.receive if told.state == "captured" else payments.authorise
    name = told.external_id or verb_key(request)
    paid = verb(row.pk, tender=told.tender, amount=told.amount, external_id=name, actor=source_of(request))
    return order_done(row, f"payment {paid.pk}")


@write(
    router, "POST", "/orders/{order}/payments/{payment}/capture", scope="orders:write", status=200, answer=OrderShown,
    example={**ORDER, "payments": [PAYMENT]}, body={"amount": "10.00"}, matches=True,
)  # fmt: skip
def capture_payment(request: HttpRequest, order: Key, payment: Key, told: Capture) -> Done:
    """Take the money of an authorised payment; what is not taken is let go."""
    row = _with_payment(request, order, payment)
    payments.capture(payment, amount=told.amount, actor=source_of(request))
    return order_done(row, f"payment {payment}")


@write(
    router, "POST", "/orders/{order}/payments/{payment}/void", scope="orders:write", status=200, answer=OrderShown,
    example=ORDER, matches=True,
)  # fmt: skip
def void_payment(request: HttpRequest, order: Key, payment: Key) -> Done:
    """Let an authorisation go."""
    row = _with_payment(request, order, payment)
    payments.void(payment, actor=source_of(request))
    return order_done(row, f"payment {payment}")


@write(
    router, "POST", "/orders/{order}/refunds", scope="orders:write", status=201, answer=OrderShown, example=ORDER,
    body={"amount": "2.50", "reason": "arrived late"}, matches=True,
)  # fmt: skip
def refund_order(request: HttpRequest, order: Key, told: RefundSaid) -> Done:
    """Give money back in the books, never more than came in: gift cards first, then the tenders as they were paid."""
    row = locked_order(request, order)
    refunds.refund(
        row.pk, told.amount, key=verb_key(request), reason=told.reason, actor=source_of(request),
        gift_cards=told.gift_cards,
    )  # fmt: skip
    return order_done(row)


@write(
    router, "POST", "/orders/{order}/returns", scope="orders:write", status=201, answer=OrderShown,
    example=WITH_RETURN, body=BACK, matches=True,
)  # fmt: skip
def return_goods(request: HttpRequest, order: Key, told: ReturnSaid) -> Done:
    """Announce that goods come back, or take them in at once: what is fit goes back on the shelf, its worth to the
    buyer."""
    row = locked_order(request, order)
    verb = returns.take_return if told.received else returns.request_return
    record = verb(
        row.pk, _backs(request, told), key=verb_key(request), reason=told.reason, actor=source_of(request)
    )  # fmt: skip
    return order_done(row, f"return {record.pk}")


@write(
    router, "POST", "/orders/{order}/exchanges", scope="orders:write", status=201, answer=OrderShown,
    example={**ORDER, "returns": [{**RETURN, "exchange_order": 13}]},
    body={**BACK, "instead": [{"sku": "TEA-200", "quantity": 1, "unit_price": "9.00"}]}, matches=True,
    may_be=["not-enough"],
)  # fmt: skip
def exchange_goods(request: HttpRequest, order: Key, told: ExchangeSaid) -> Done:
    """Take goods back and send others: a return and a new order. The worth of what comes back pays for it as far as it
    goes; the rest is given back, or due."""
    row = locked_order(request, order)
    instead = line_drafts(told.instead, row.sales_channel, row.currency)
    try:
        record = returns.exchange(
            row.pk, _backs(request, told), instead, key=verb_key(request), reason=told.reason,
            actor=source_of(request), received=told.received,
        )  # fmt: skip
    except OutOfStock as error:
        raise out_of_stock(error) from error
    return order_done(row, f"return {record.pk}")


@write(
    router, "POST", "/orders/{order}/returns/{number}/receive", scope="orders:write", status=200, answer=OrderShown,
    example={**ORDER, "returns": [{**RETURN, "state": "received"}]}, body={"refund": "4.00"}, matches=True,
)  # fmt: skip
def receive_return(request: HttpRequest, order: Key, number: Key, told: ReturnReceipt) -> Done:
    """Take announced goods in, as they really came."""
    row = _with_return(request, order, number)
    arrived = {
        one.line: Back(one.line, one.quantity, one.disposition, one.location) for one in told.lines or []
    }  # fmt: skip
    _check_places(request, [one.location_id for one in arrived.values()])
    unknown = arrived.keys() - set(Return.objects.get(pk=number).lines.values_list("pk", flat=True))
    if unknown:
        raise Problem("refused", f"Return {number} has no line {min(unknown)}.")
    returns.receive_return(number, actor=source_of(request), arrived=arrived or None, refund=told.refund)
    return order_done(row, f"return {number}")


@write(
    router, "POST", "/orders/{order}/returns/{number}/cancel", scope="orders:write", status=200, answer=OrderShown,
    example={**ORDER, "returns": [{**RETURN, "state": "cancelled"}]}, matches=True,
)  # fmt: skip
def cancel_return(request: HttpRequest, order: Key, number: Key) -> Done:
    """Give an announced return up."""
    row = _with_return(request, order, number)
    returns.cancel_return(number, actor=source_of(request))
    return order_done(row, f"return {number}")


def _backs(request: HttpRequest, told: ReturnSaid) -> list[Back]:
    _check_places(request, [one.location for one in told.lines])
    return [Back(one.line, one.quantity, one.disposition, one.location) for one in told.lines]


def _check_places(request: HttpRequest, numbers: list[int | None]) -> None:
    named = [one for one in numbers if one is not None]
    if named:
        check_locations(request, named, "body.lines")


def _with_payment(request: HttpRequest, order: int, payment: int) -> Order:
    row = locked_order(request, order)
    if not Payment.objects.filter(pk=payment, order=row).exists():
        raise Problem("not-found", f"Order {order} has no payment {payment}.")
    return row


def _with_return(request: HttpRequest, order: int, number: int) -> Order:
    row = locked_order(request, order)
    if not Return.objects.filter(pk=number, order=row).exists():
        raise Problem("not-found", f"Order {order} has no return {number}.")
    return row
