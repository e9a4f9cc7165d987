"""Carts and wishlists: put together, held for a while, checked out into an order exactly once.

Lock order: the cart's row, then (at check-out) the order's, then the pools of stock.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import ChannelProduct, SalesChannel
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders.drafts import MOST_UNITS, Address, LineDraft, OrderDraft, OutOfStock, TenderDraft
from finalmarket.orders.intake import Taken, take
from finalmarket.orders.models import Cart, CartLine, Order, TaxRate, Wishlist
from finalmarket.stock import ledger
from finalmarket.stock.models import Reservation
from finalmarket.stock.reserve import Mode, Request, reserve

DEFAULT_HOLD_MINUTES = 15
MOST_LINES = 500
CHECKED_OUT = "checked out"


@dataclass(frozen=True, slots=True)
class Offered:
    """One line of a cart as the channel sells it. `price` is one unit's, in the channel's currency."""

    variant: Variant
    quantity: int
    price: Decimal


def open_cart(channel: SalesChannel, *, customer_id: int | None = None) -> Cart:
    """Open an empty cart on a channel and return it; its `token` is what the shop keeps."""
    return Cart.objects.create(sales_channel=channel, customer_id=customer_id, token=uuid.uuid4())


@transaction.atomic
def add(token: uuid.UUID, variant_id: int, quantity: int = 1) -> CartLine:
    """Put units of a variant into the cart, on top of those in it. A hold on the cart covers them after `hold`.

    Raises UserError for an unknown cart or variant, a quantity below one, or a cart that was checked out.
    """
    cart = _locked(token)
    line = cart.lines.filter(variant_id=variant_id).first()
    return _set(cart, line, variant_id, (line.quantity if line else 0) + _at_least_one(quantity))


@transaction.atomic
def change(token: uuid.UUID, variant_id: int, quantity: int) -> CartLine:
    """Make the cart hold `quantity` units of a variant (at least one; see `remove`). Raises UserError as `add` does."""
    cart = _locked(token)
    return _set(cart, cart.lines.filter(variant_id=variant_id).first(), variant_id, _at_least_one(quantity))


@transaction.atomic
def remove(token: uuid.UUID, variant_id: int) -> None:
    """Take a variant out of the cart; one that is not in it is passed over."""
    _locked(token).lines.filter(variant_id=variant_id).delete()


@transaction.atomic
def hold(token: uuid.UUID, *, actor: str = "customer") -> Reservation:
    """Hold the cart's goods for the channel's `hold_minutes` (15 by default), in place of an earlier hold.

    Raises OutOfStock when they do not fit; the earlier hold stays then.
    """
    cart = _locked(token)
    lines = [(line.variant_id, line.quantity) for line in cart.lines.order_by("variant_id")]
    if not lines:
        raise UserError("the cart is empty; there is nothing to hold")
    earlier = _hold_of(cart)
    held = list(earlier.lines.values_list("variant_id", flat=True)) if earlier else []
    ledger.lock([variant_id for variant_id, _ in lines] + held)
    if earlier is not None:
        ledger.release([earlier.pk], actor=actor, reason="the cart changed")
    minutes = cart.sales_channel.configuration.get("hold_minutes", DEFAULT_HOLD_MINUTES)
    request = Request(
        key=_next_key(cart), channel_id=cart.sales_channel_id, lines=tuple(lines), mode=Mode.HOLD,
        hold_seconds=int(minutes) * 60,
    )  # fmt: skip
    verdict = reserve([request], actor=actor)[0]
    if verdict.outcome != "granted" or verdict.reservation_id is None:
        raise OutOfStock(f"the cart cannot be held: {_named(verdict.reason, [number for number, _ in lines])}")
    cart.reservation_key = request.key
    cart.save(update_fields=["reservation_key", "updated_at"])
    return Reservation.objects.get(pk=verdict.reservation_id)


@transaction.atomic
def let_go(token: uuid.UUID, *, actor: str = "customer") -> None:
    """Give the units that the cart holds back to stock; the cart keeps its lines."""
    cart = _locked(token)
    earlier = _hold_of(cart)
    if earlier is not None:
        ledger.release([earlier.pk], actor=actor, reason="the cart was left")


def offered(cart: Cart) -> list[Offered]:
    """Return the cart's lines with their prices, in a constant number of queries.

    Raises UserError that names every variant which the channel does not sell now, and why.
    """
    wanted = {line.variant_id: line.quantity for line in cart.lines.all()}
    listings = ChannelProduct.objects.filter(sales_channel=cart.sales_channel_id, variant__in=wanted)
    found = {
        listing.variant_id: listing
        for listing in listings.select_related("sales_channel", "variant__product").prefetch_related(
            "prices", "variant__prices"
        )
    }
    skus = dict(Variant.objects.filter(pk__in=wanted).values_list("pk", "sku"))
    faults, lines = [], []
    for variant_id, quantity in sorted(wanted.items()):
        listing = found.get(variant_id)
        reason = _not_sold(listing)
        price = listing.price() if listing else None
        if listing is None or price is None or reason:
            faults.append(f"{skus[variant_id]} {reason or f'has no price in {cart.sales_channel.currency}'}")
        else:
            lines.append(Offered(listing.variant, quantity, price))
    if faults:
        raise UserError(f"{cart.sales_channel.name} does not sell this now: {'; '.join(faults)}")
    return lines


@transaction.atomic
def check_out(
    token: uuid.UUID, *, name: str = "", email: str = "", phone: str = "", shipping_address: Address | None = None,
    billing_address: Address | None = None, tenders: Sequence[TenderDraft] = (), charges: Sequence[LineDraft] = (),
    tip: Decimal = Decimal(0), tax_included: bool = True, actor: str = "customer",
) -> Taken:  # fmt: skip
    """Turn the cart into an order of its channel, exactly once: the second time the same order is returned.

    Prices are the listings', taxes the operator's rates for the country the goods go to (else the channel's). `charges`
    are lines of shipping, fees and discounts. The cart's hold becomes the order's promise. Raises OutOfStock or
    UserError, and then the cart stays as it is.
    """
    cart = _row(token)
    external_id = f"cart:{cart.token}"
    if cart.reservation_key == CHECKED_OUT:
        order = Order.objects.get(sales_channel=cart.sales_channel_id, source="channel", external_id=external_id)
        return Taken(order, "unchanged", order.problem)
    lines = offered(cart)
    if not lines:
        raise UserError("the cart is empty; there is nothing to order")
    to = shipping_address or Address()
    held = _hold_of(cart)
    taken = take(
        OrderDraft(
            channel_id=cart.sales_channel_id, external_id=external_id, currency=cart.sales_channel.currency,
            placed_at=clock.now(), lines=(*_goods(lines, to.country or cart.sales_channel.country), *charges),
            tenders=tuple(tenders), name=name, email=email, phone=phone, customer_id=cart.customer_id,
            shipping_address=to, billing_address=billing_address or Address(), tax_included=tax_included, tip=tip,
            happened=False, reservation_id=held.pk if held else None,
        ),
        actor=actor,
    )  # fmt: skip
    cart.reservation_key = CHECKED_OUT
    cart.save(update_fields=["reservation_key", "updated_at"])
    return taken


def wish(customer_id: int, variant_id: int, *, channel_id: int | None = None) -> Wishlist:
    """Put a variant on a customer's wishlist; wishing twice changes nothing."""
    wanted, _ = Wishlist.objects.get_or_create(
        customer_id=customer_id, variant_id=variant_id, defaults={"sales_channel_id": channel_id}
    )
    return wanted


def unwish(customer_id: int, variant_id: int) -> None:
    """Take a variant off a customer's wishlist; one that is not on it is passed over."""
    Wishlist.objects.filter(customer_id=customer_id, variant_id=variant_id).delete()


def _row(token: uuid.UUID) -> Cart:
    cart = Cart.objects.select_for_update(of=("self",)).select_related("sales_channel").filter(token=token).first()
    if cart is None:
        raise UserError("there is no such cart; open a new one")
    return cart


def _locked(token: uuid.UUID) -> Cart:
    cart = _row(token)
    if cart.reservation_key == CHECKED_OUT:
        raise UserError("this cart was checked out; open a new one")
    return cart


def _at_least_one(quantity: int) -> int:
    if not 1 <= quantity <= MOST_UNITS:
        raise UserError(f"a quantity is a whole number from 1 to {MOST_UNITS}, not {quantity}")
    return quantity


def _set(cart: Cart, line: CartLine | None, variant_id: int, quantity: int) -> CartLine:
    if line is None:
        if not Variant.objects.filter(pk=variant_id).exists():
            raise UserError(f"there is no variant with id {variant_id}")
        if cart.lines.count() >= MOST_LINES:
            raise UserError(f"a cart has at most {MOST_LINES} lines")
        return CartLine.objects.create(cart=cart, variant_id=variant_id, quantity=quantity)
    line.quantity = min(quantity, MOST_UNITS)
    line.save(update_fields=["quantity"])
    return line


def _hold_of(cart: Cart) -> Reservation | None:
    """Return the hold that stands for the cart, if it still does."""
    if not cart.reservation_key:
        return None
    return Reservation.objects.filter(key=cart.reservation_key, state=Reservation.State.HELD).first()


def _next_key(cart: Cart) -> str:
    prefix = f"cart:{cart.token}:"
    last = int(cart.reservation_key.removeprefix(prefix)) if cart.reservation_key.startswith(prefix) else 0
    return f"{prefix}{last + 1}"


def _named(reason: str, variant_ids: Sequence[int]) -> str:
    """Put the SKU where the stock room says `line 3`."""
    head, colon, rest = reason.partition(":")
    number = head.removeprefix("line ")
    if colon and number.isdigit() and int(number) < len(variant_ids):
        return f"{Variant.objects.get(pk=variant_ids[int(number)]).sku}:{rest}"
    return reason


def _not_sold(listing: ChannelProduct | None) -> str:
    if listing is None:
        return "is not listed"
    now = clock.now()
    if not listing.is_available or not listing.variant.is_active:
        return "is not available"
    if listing.publish_from and listing.publish_from > now:
        return f"is not on sale before {listing.publish_from:%Y-%m-%d %H:%M}"
    if listing.publish_until and listing.publish_until <= now:
        return f"is not on sale since {listing.publish_until:%Y-%m-%d %H:%M}"
    return ""


def _goods(lines: Sequence[Offered], country: str) -> list[LineDraft]:
    rates = dict(TaxRate.objects.filter(country=country).values_list("tax_class", "rate"))
    return [
        LineDraft(
            variant_id=line.variant.pk, sku=line.variant.sku, quantity=line.quantity, unit_price=line.price,
            tax_rate=rates.get(line.variant.tax_class),
        )
        for line in lines
    ]  # fmt: skip
