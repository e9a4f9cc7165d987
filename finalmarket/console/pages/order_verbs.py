"""The buttons on the page of an order. Each calls one verb of the order book, which decides and keeps the books."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from finalmarket.console.pages.frame import actor, attempt, back, page
from finalmarket.console.typed import number_of, units_of
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import parse
from finalmarket.orders import aftersales, fulfilment, intake, payments, refunds, returns
from finalmarket.orders.history import unit_words
from finalmarket.orders.models import Order

Given = Mapping[str, str]
Verb = Callable[[Order, Given, str], str]


@page("orders.change_order", "POST")
def act(request: HttpRequest, key: int, verb: str) -> HttpResponse:
    """Carry out a verb on an order and return to its page."""
    if verb not in VERBS:
        raise Http404(f"there is no verb {verb}")
    order = get_object_or_404(Order, pk=key)
    attempt(request, lambda: VERBS[verb](order, request.POST.dict(), actor(request)))
    return back(request, reverse("console:order", args=[key]))


def _cancel(order: Order, given: Given, who: str) -> str:
    aftersales.cancel(order.pk, reason=_reason(given), actor=who)
    return "What had not left is cancelled; its stock is free again and the money is given back."


def _ship(order: Order, given: Given, who: str) -> str:
    sent = fulfilment.ship(
        _part(order, "fulfilments", given),
        actor=who,
        carrier=given.get("carrier", ""),
        tracking_number=given.get("tracking_number", ""),
        quantities=_parts(given) or None,
    )
    return f"Parcel {sent.pk} has left {sent.location}."


def _parts(given: Given) -> dict[int, int]:
    """The units that leave by line of the parcel, where a part is sent; empty: all of it."""
    named = {name.removeprefix("part-"): units for name, units in given.items() if name.startswith("part-")}
    return {number_of(line): units_of(units) for line, units in named.items() if number_of(line) and units.strip()}


def _deliver(order: Order, given: Given, who: str) -> str:
    return f"Parcel {fulfilment.deliver(_part(order, 'fulfilments', given), actor=who).pk} has arrived."


def _reject(order: Order, given: Given, who: str) -> str:
    parcel = fulfilment.reject(_part(order, "fulfilments", given), reason=given.get("reason", ""), actor=who)
    return f"{parcel.location} does not ship parcel {parcel.pk}; its units were routed anew."


def _take_return(order: Order, given: Given, who: str) -> str:
    goods = [
        returns.Back(number_of(name.removeprefix("units-")), units_of(units), given.get("disposition", "restock"))
        for name, units in given.items()
        if name.startswith("units-") and number_of(name.removeprefix("units-")) and units.strip() not in ("", "0")
    ]
    record = returns.take_return(order.pk, goods, key=_key(given, "return"), reason=_reason(given), actor=who)
    return f"{unit_words(sum(one.quantity for one in goods))} came back (return {record.pk})."


def _receive_return(order: Order, given: Given, who: str) -> str:
    record = returns.receive_return(_part(order, "returns", given), actor=who)
    return f"Return {record.pk} is received."


def _cancel_return(order: Order, given: Given, who: str) -> str:
    return f"Return {returns.cancel_return(_part(order, 'returns', given), actor=who).pk} is given up."


def _refund(order: Order, given: Given, who: str) -> str:
    booked = refunds.refund(order.pk, _amount(given), key=_key(given, "refund"), reason=_reason(given), actor=who)
    return f"{booked} {order.currency} given back."


def _pay(order: Order, given: Given, who: str) -> str:
    paid = payments.receive(
        order.pk,
        tender=given.get("tender", "").strip(),
        amount=_amount(given),
        external_id=given.get("reference", "").strip() or _key(given, "payment"),
        actor=who,
    )
    return f"{paid.amount} {order.currency} by {paid.tender} noted."


def _capture(order: Order, given: Given, who: str) -> str:
    taken = payments.capture(_part(order, "payments", given), actor=who)
    return f"{taken.amount} {order.currency} captured."


def _void(order: Order, given: Given, who: str) -> str:
    payments.void(_part(order, "payments", given), actor=who)
    return "The authorisation is let go."


def _retry(order: Order, given: Given, who: str) -> str:
    taken = intake.retry(order.pk, actor=who)
    return f"Looked at again: {taken.order.problem}" if taken.order.problem else "The problem is solved."


def _settle(order: Order, given: Given, who: str) -> str:
    intake.settle_problem(order.pk, actor=who, reason=_reason(given))
    return "The problem is marked as dealt with."


def _part(order: Order, parts: str, given: Given) -> int:
    """The id of a part of this very order."""
    wanted = number_of(given.get("part", ""))
    if not getattr(order, parts).filter(pk=wanted).exists():
        raise UserError(f"order {order.number} has no such part; look at its page again")
    return wanted


def _reason(given: Given) -> str:
    if not (reason := given.get("reason", "").strip()):
        raise ValidationError("Say why: the reason stays in the history.")
    return reason


def _amount(given: Given) -> Decimal:
    return parse(given.get("amount", ""))


def _key(given: Given, what: str) -> str:
    """The key that the form was made with: sent twice, it counts once."""
    if not (key := given.get("form_key", "").strip()[:40]):
        raise ValidationError("The form was not complete; open the page of the order again.")
    return f"console-{what}-{key}"


VERBS: dict[str, Verb] = {
    "cancel": _cancel,
    "ship": _ship,
    "deliver": _deliver,
    "reject": _reject,
    "take-return": _take_return,
    "receive-return": _receive_return,
    "cancel-return": _cancel_return,
    "refund": _refund,
    "pay": _pay,
    "capture": _capture,
    "void": _void,
    "retry": _retry,
    "settle": _settle,
}
