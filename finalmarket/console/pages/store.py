"""The screen of a store: pick ups, parcels to pack, goods that come back, shelves that run low. Made for a phone in the
hand of whoever stands at the counter."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from finalmarket.access import roles
from finalmarket.console import finding
from finalmarket.console.pages.frame import actor, attempt, back, page, show
from finalmarket.console.people import may_see_buyers
from finalmarket.console.typed import number_of, units_of
from finalmarket.integrations.talk import letters
from finalmarket.kernel.errors import UserError
from finalmarket.orders import at_store, collecting, fulfilment, returns
from finalmarket.orders.fulfilment import REJECTIONS
from finalmarket.orders.history import unit_words
from finalmarket.orders.models import Order, ReturnLine
from finalmarket.orders.states import still_due
from finalmarket.stock.models import StockLocation

SEES, WORKS = "orders.view_order", "orders.change_order"
MOST_ORDERS_FOUND = 10
MOST_KEY_CHARACTERS = 40

Given = Mapping[str, str]
Verb = Callable[[StockLocation, Given, str], str]


@page(SEES, is_of_places=True)
def stores(request: HttpRequest) -> HttpResponse:
    """All stores, with what waits at each; straight to the only one."""
    found = [place for place in at_store.stores() if may_work_at(request, place)]
    if len(found) == 1:
        return redirect("console:store", code=found[0].code)
    return show(request, "stores.html", "Stores", {"stores": found})


@page(SEES, is_of_places=True)
def store(request: HttpRequest, code: str) -> HttpResponse:
    """What is to be done at one store now."""
    place = _place(request, code)
    most = at_store.MOST_SHOWN
    pickups = list(at_store.pickups_at([place])[:most])
    for pickup in pickups:
        order = pickup.order
        pickup.due = still_due(order, order.payments.all())  # type: ignore[attr-defined]
        pickup.goods = [line for line in order.all_lines if line.kind == "goods"]  # type: ignore[attr-defined]
    context = {
        "place": place, "pickups": pickups, "parcels": list(at_store.parcels_at([place])[:most]),
        "announced": list(at_store.announced_returns(place)[:most]), "low": at_store.low_shelves(place),
        "rejections": REJECTIONS.items(), "q": request.GET.get("q", ""), "found": _orders_found(request, place),
        "sees_buyers": may_see_buyers(request.user),
    }  # fmt: skip
    return show(request, "store.html", place.name, context)


def _orders_found(request: HttpRequest, place: StockLocation) -> list[Order] | None:
    """Orders of whatever channel that something may come back of; None where nobody asked. To find by the buyer is to
    see them."""
    text = request.GET.get("q", "").strip()
    if not text:
        return None
    ids = finding.orders(text, place.country, by_buyer=may_see_buyers(request.user))
    rows = Order.objects.filter(pk__in=ids).select_related("sales_channel").defer("raw")
    return list(rows.order_by("-placed_at", "-id")[:MOST_ORDERS_FOUND])


@page(SEES, is_of_places=True)
def pick_list(request: HttpRequest, code: str) -> HttpResponse:
    """What is to be taken off the shelves, by SKU; to be printed or carried along."""
    place = _place(request, code)
    return show(request, "pick_list.html", f"Pick list of {place.name}", {
        "place": place, "rows": at_store.pick_list(place),
    })  # fmt: skip


@page(SEES, is_of_places=True)
def store_return(request: HttpRequest, code: str, key: int) -> HttpResponse:
    """What can come back of an order, whatever channel it is of; it goes on the shelf of this store."""
    place = _place(request, code)
    order = get_object_or_404(Order.objects.select_related("sales_channel").defer("raw"), pk=key)
    lines = list(order.lines.filter(kind="goods").order_by("position"))
    for line in lines:
        line.possible = line.fulfilled_quantity - line.returned_quantity
    context = {
        "place": place, "order": order, "lines": lines, "dispositions": ReturnLine.Disposition.choices[:3],
        "can": any(line.possible for line in lines), "form_key": secrets.token_hex(8),
    }  # fmt: skip
    return show(request, "store_return.html", f"Return of {order.number}", context)


@page(WORKS, "POST", is_of_places=True)
def act(request: HttpRequest, code: str, verb: str) -> HttpResponse:
    """Carry out what was done at the counter, and return to the store."""
    place = _place(request, code)
    if verb not in VERBS:
        raise Http404(f"there is no verb {verb}")
    attempt(request, lambda: VERBS[verb](place, request.POST.dict(), actor(request)))
    return back(request, reverse("console:store", args=[place.code]))


def may_work_at(request: HttpRequest, place: StockLocation) -> bool:
    """Whether whoever asks works at this store."""
    has_right = any(request.user.has_perm(right) for right in (SEES, WORKS))
    return has_right and place.is_active and roles.may_work_at(request.user, place.pk)


def _place(request: HttpRequest, code: str) -> StockLocation:
    place = get_object_or_404(StockLocation, code=code)
    if not may_work_at(request, place):
        raise PermissionDenied(f"{request.user} does not work at {place}")
    return place


def _ready(place: StockLocation, given: Given, who: str) -> str:
    pickup = collecting.make_ready(_pickup(place, given), actor=who)
    told = letters.tell_ready(pickup, actor=who)
    return f"Order {pickup.order.number} is ready to be collected.{' The buyer is written to.' if told else ''}"


def _collect(place: StockLocation, given: Given, who: str) -> str:
    pickup = collecting.hand_over(
        _pickup(place, given), given.get("shown", ""), actor=who, tender=given.get("tender", "")
    )
    return f"Order {pickup.order.number} is handed over."


def _give_up(place: StockLocation, given: Given, who: str) -> str:
    pickup = collecting.give_up(_pickup(place, given), reason=given.get("reason", ""), actor=who)
    return f"Order {pickup.order.number} is given up; its goods are free again."


def _ship(place: StockLocation, given: Given, who: str) -> str:
    sent = fulfilment.ship(
        _parcel(place, given), actor=who, carrier=given.get("carrier", ""),
        tracking_number=given.get("tracking_number", ""),
    )  # fmt: skip
    return f"Parcel {sent.pk} has left {place}."


def _reject(place: StockLocation, given: Given, who: str) -> str:
    parcel = fulfilment.reject(_parcel(place, given), reason=given.get("reason", ""), actor=who)
    return f"Parcel {parcel.pk} goes elsewhere: its units were routed anew."


def _take_return(place: StockLocation, given: Given, who: str) -> str:
    goods = [
        returns.Back(
            number_of(name.removeprefix("units-")), units_of(units), given.get("disposition", "restock"), place.pk
        )
        for name, units in given.items()
        if name.startswith("units-") and number_of(name.removeprefix("units-")) and units.strip() not in ("", "0")
    ]
    key, reason = given.get("form_key", "").strip()[:MOST_KEY_CHARACTERS], given.get("reason", "").strip()
    if not key or not reason:
        raise ValidationError("Say why it comes back; the reason stays in the history.")
    order_id = number_of(given.get("order", ""))
    record = returns.take_return(order_id, goods, key=f"store-{key}", reason=reason, actor=who)
    return f"{unit_words(sum(one.quantity for one in goods))} came back to {place} (return {record.pk})."


def _receive(place: StockLocation, given: Given, who: str) -> str:
    wanted = at_store.announced_returns(place).filter(pk=number_of(given.get("part", ""))).first()
    if wanted is None:
        raise UserError("there is no such return; look at the page of the store again")
    arrived = {
        line.pk: returns.Back(line.order_line_id or 0, line.quantity, line.disposition, place.pk)
        for line in wanted.lines.all()
    }
    return f"Return {returns.receive_return(wanted.pk, actor=who, arrived=arrived).pk} is received."


def _pickup(place: StockLocation, given: Given) -> int:
    """The id of a pick up at this very store."""
    wanted = place.pickups.filter(pk=number_of(given.get("part", "")))
    return _first(wanted.values_list("pk", flat=True).first())


def _parcel(place: StockLocation, given: Given) -> int:
    """The id of a parcel of this very store."""
    wanted = place.fulfilments.filter(pk=number_of(given.get("part", "")))
    return _first(wanted.values_list("pk", flat=True).first())


def _first(found: Any) -> int:
    if found is None:
        raise UserError("there is no such thing at this store; look at its page again")
    return int(found)


VERBS: dict[str, Verb] = {
    "ready": _ready, "collect": _collect, "give-up": _give_up, "ship": _ship, "reject": _reject,
    "take-return": _take_return, "receive-return": _receive,
}  # fmt: skip
