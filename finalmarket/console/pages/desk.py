"""Labels and payments from the page of an order: what sending a parcel costs, a label bought or given back, a page on
which the buyer pays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from finalmarket.connectors.contract import StartsPayments
from finalmarket.connectors.shipping import ParcelSize, ShippingRate, Ships
from finalmarket.console.pages.frame import actor, attempt, back, page, show
from finalmarket.integrations.desk import labels, pages
from finalmarket.integrations.desk.asking import accounts_that
from finalmarket.integrations.desk.parcels import size_of
from finalmarket.integrations.models import ChannelIntegration, PaymentPage, ShippingLabel
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import quantize
from finalmarket.orders.models import Fulfilment, Order

OFFER = "console.label-offer"
OFFER_SECONDS = 3600
"""So long a rate that was shown can be bought; platforms hold theirs about as long."""
MEASURES = (
    ("weight_g", "Weight, g"), ("length_mm", "Length, mm"), ("width_mm", "Width, mm"), ("height_mm", "Height, mm"),
)  # fmt: skip


def desk_of(order: Order, parcels: Sequence[Fulfilment]) -> dict[str, Any]:
    """What can be bought and begun for an order, and what was; three queries."""
    carriers, tills = accounts_that(Ships, StartsPayments)
    by_parcel: dict[int, list[ShippingLabel]] = defaultdict(list)
    for label in ShippingLabel.objects.filter(fulfilment__order=order).select_related("integration").order_by("pk"):
        by_parcel[label.fulfilment_id].append(label)
    return {
        "labels": dict(by_parcel),
        "carriers": [(one.pk, str(one)) for one in carriers],
        "tills": [(one.pk, str(one)) for one in tills],
        "measures": {parcel.pk: _measures(size_of(parcel)) for parcel in parcels if parcel.state == "pending"},
        "pages": list(PaymentPage.objects.filter(order=order).select_related("integration").order_by("pk")),
    }


def _measures(size: ParcelSize) -> list[tuple[str, str, int]]:
    return [(name, word, getattr(size, name)) for name, word in MEASURES]


@page("integrations.add_shippinglabel", "POST")
def show_rates(request: HttpRequest, key: int, parcel: int) -> HttpResponse:
    """What the services of an account ask for a parcel; nothing is bought by looking."""
    order, box = _parcel(request, key, parcel)
    rows: list[dict[str, Any]] = []

    def ask() -> str:
        account, size = _account(request), _size(request)
        for rate in labels.get_rates(box.pk, account, size):
            rows.append({"rate": rate, "offer": _offer(box, account, size, rate)})
        if not rows:
            raise UserError(f"{account} has no service that takes this parcel")
        return f"{account}: {len(rows)} services take this parcel."

    if not attempt(request, ask, is_whole=False):
        return back(request, reverse("console:order", args=[key]))
    return show(request, "rates.html", f"Labels for parcel {box.pk}", {"order": order, "parcel": box, "rows": rows})


@page("integrations.add_shippinglabel", "POST")
def buy_label(request: HttpRequest, key: int, parcel: int) -> HttpResponse:
    """Buy the label that was offered."""
    _, box = _parcel(request, key, parcel)
    attempt(request, lambda: _buy(request, box), is_whole=False)
    return back(request, reverse("console:order", args=[key]))


def _buy(request: HttpRequest, box: Fulfilment) -> str:
    try:
        offer = signing.loads(request.POST.get("offer", ""), salt=OFFER, max_age=OFFER_SECONDS)
    except signing.BadSignature:
        raise ValidationError("The offer is too old, or was not made here; ask for the rates again.") from None
    if offer["parcel"] != box.pk:
        raise ValidationError("The offer was made for another parcel; ask for the rates again.")
    account = ChannelIntegration.objects.get(pk=offer["account"])
    rate = ShippingRate(**{**offer["rate"], "amount": Decimal(offer["rate"]["amount"])})
    label = labels.buy_label(box.pk, account, rate, ParcelSize(**offer["size"]), actor=actor(request))
    return f"Label bought: {label.carrier} {label.service}, {label.tracking_number}."


def _offer(box: Fulfilment, account: ChannelIntegration, size: ParcelSize, rate: ShippingRate) -> str:
    """A rate as the form brings it back, signed: what it says was really offered, for this parcel and size."""
    offered = {**asdict(rate), "amount": str(rate.amount)}
    told = {"parcel": box.pk, "account": account.pk, "size": asdict(size), "rate": offered}
    return signing.dumps(told, salt=OFFER, compress=True)


@page("integrations.change_shippinglabel", "POST")
def void_label(request: HttpRequest, key: int, label: int) -> HttpResponse:
    """Give a label back."""
    order = _order(request, key)
    found = get_object_or_404(ShippingLabel, pk=label, fulfilment__order=order)

    def give_back() -> str:
        given = labels.void_label(found.pk, actor=actor(request))
        return f"The label {given.tracking_number} is given back. {given.last_error}".strip()

    attempt(request, give_back, is_whole=False)
    return back(request, reverse("console:order", args=[key]))


@page("integrations.add_paymentpage", "POST")
def ask_for_payment(request: HttpRequest, key: int) -> HttpResponse:
    """Open a page on which the buyer pays what the order still costs."""
    order = _order(request, key)

    def ask() -> str:
        opened = pages.start_payment(
            order.pk, _account(request), request.POST.get("back_url", "").strip(), actor=actor(request)
        )
        amount = quantize(opened.amount, opened.currency)
        return f"{amount} {opened.currency} can be paid now: send the buyer the address that stands below."

    attempt(request, ask, is_whole=False)
    return back(request, reverse("console:order", args=[key]))


def _order(request: HttpRequest, key: int) -> Order:
    """The order, for whoever may see it."""
    if not request.user.has_perm("orders.view_order"):
        raise PermissionDenied(f"{request.user} may not see orders")
    found: Order = get_object_or_404(Order, pk=key)
    return found


def _parcel(request: HttpRequest, key: int, parcel: int) -> tuple[Order, Fulfilment]:
    order = _order(request, key)
    return order, get_object_or_404(Fulfilment.objects.select_related("location"), pk=parcel, order=order)


def _account(request: HttpRequest) -> ChannelIntegration:
    wanted = request.POST.get("account", "")
    known = wanted.isascii() and wanted.isdigit() and len(wanted) < 19
    found = ChannelIntegration.objects.filter(pk=int(wanted)).first() if known else None
    if found is None:
        raise ValidationError("Choose an account from the list.")
    return found


def _size(request: HttpRequest) -> ParcelSize:
    given = {name: request.POST.get(name, "").strip() or "0" for name, _ in MEASURES}
    for name, word in MEASURES:
        if not (given[name].isascii() and given[name].isdigit() and len(given[name]) < 9):
            raise ValidationError(f"{word}: {given[name][:20]!r} is no whole number.")
    return ParcelSize(**{name: int(value) for name, value in given.items()})
