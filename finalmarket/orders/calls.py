"""Taking orders on the phone: what is put into a call's cart is held at once, so that what the clerk says is true; the
order is placed once, however often it is sent.

Lock order: the call, then as carts do (orders/cart.py).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.persons import members
from finalmarket.customers.survivorship import shown
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import money_words
from finalmarket.orders import cart as carts
from finalmarket.orders.cart import Terms
from finalmarket.orders.drafts import LineDraft, plain
from finalmarket.orders.history import locked, note
from finalmarket.orders.intake import Taken
from finalmarket.orders.models import Cart, CartLine, PhoneCall, TaxRate
from finalmarket.orders.one_cart import agreed_cost, together
from finalmarket.stock.models import Reservation

MOST_NOTE_CHARACTERS = 5_000
MOST_FORGOTTEN = 200
PAY_LATER = {"later": "to be paid later", "pickup": "to be paid when it is collected"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What was agreed on the phone. `agreed` is what the goods cost as the caller was told (None: not said); `payment`
    is link, later or pickup."""

    terms: Terms = field(default_factory=Terms)
    agreed: Decimal | None = None
    payment: str = "link"


@transaction.atomic
def begin(
    channel: SalesChannel, *, agent: str, direction: str = "inbound", number: str = "", token: uuid.UUID | None = None
) -> PhoneCall:
    """Begin a call on a phone channel; the clerk's earlier call, if it was not ended, ends now. With a `token` that is
    known the call of that token is returned. Raises UserError for a channel of another type and a direction that is
    none."""
    if channel.channel_type != SalesChannel.ChannelType.PHONE:
        raise UserError(f"{channel.name} is no phone channel")
    if direction not in PhoneCall.Direction.values:
        raise UserError(f"{direction[:20]!r} is no direction; use one of {', '.join(PhoneCall.Direction.values)}")
    known = PhoneCall.objects.filter(token=token).first() if token else None
    if known is not None:
        return known
    for earlier in PhoneCall.objects.filter(agent=agent, ended_at=None).order_by("pk"):
        end(earlier.token, actor=agent)
    return PhoneCall.objects.create(
        token=token or uuid.uuid4(), sales_channel=channel, cart=carts.open_cart(channel), agent=agent[:100],
        direction=direction, number=plain(number, 40), started_at=clock.now(),
    )  # fmt: skip


@transaction.atomic
def say_who(token: uuid.UUID, customer_id: int | None) -> PhoneCall:
    """Say who is on the phone, or that they are not known after all. Raises UserError for a profile that is none, and
    once the order is placed or the call has ended."""
    call = _open(token)
    if customer_id is not None and not OmnichannelCustomer.objects.filter(pk=customer_id, erased_at=None).exists():
        raise UserError(f"there is no customer {customer_id}")
    if call.order_id is not None:
        raise UserError("the order of this call is placed; it stays theirs")
    call.customer_id = customer_id
    call.save(update_fields=["customer"])
    return call


@transaction.atomic
def want(token: uuid.UUID, variant_id: int, quantity: int) -> None:
    """Make the call's cart hold `quantity` units of a variant (0: none of it), held in stock from now on.

    Raises OutOfStock where they are not there and UserError as carts do; then the cart is as it was.
    """
    cart = _cart(_open(token))
    if quantity:
        carts.change(cart.token, variant_id, quantity)
    else:
        carts.remove(cart.token, variant_id)
    hold_again(token)


@transaction.atomic
def hold_again(token: uuid.UUID) -> None:
    """Hold what is in the call's cart for another while. Raises OutOfStock where it has gone meanwhile."""
    call = _open(token)
    cart = _cart(call)
    if cart.lines.filter(quantity__gt=0).exists():
        carts.hold(cart.token, actor=call.agent)
    else:
        carts.let_go(cart.token, actor=call.agent)


def held_until(call: PhoneCall) -> Any:
    """Return until when the goods of a call are held (an aware moment), None where nothing is."""
    if call.cart is None:
        return None
    holds = Reservation.objects.filter(key=call.cart.reservation_key, state=Reservation.State.HELD)
    return holds.filter(expires_at__gt=clock.now()).values_list("expires_at", flat=True).first()


def charges(
    country: str, *, shipping: Decimal, discount: Decimal = Decimal(0), why: str = "", title: str = "Shipping"
) -> tuple[LineDraft, ...]:
    """Return the lines of an order besides its goods: what sending costs, under that title, and what is taken off, with
    the reason that was given. Both are taxed at the country's standard rate."""
    rate = TaxRate.objects.filter(country=country, tax_class="standard").values_list("rate", flat=True).first()
    lines = []
    if shipping:
        lines.append(LineDraft(kind="shipping", title=title, unit_price=shipping, tax_rate=rate))
    if discount:
        lines.append(LineDraft(kind="discount", title=plain(why, 200) or "Discount", discount=discount, tax_rate=rate))
    return tuple(lines)


@transaction.atomic
def place(token: uuid.UUID, wish: Wish, *, actor: str) -> Taken:
    """Order what is in the call's cart for whoever is on the phone, once: the second time the same order is returned.

    Raises OutOfStock or UserError, and then nothing is changed: nobody is known to be on the phone, nothing is in the
    cart, or it costs another amount than was said.
    """
    call = _locked(token)
    if call.order is not None:
        return Taken(call.order, "unchanged", call.order.problem)
    _refuse_ended(call)
    if call.customer_id is None:
        raise UserError("say first who is on the phone")
    cart = _cart(call)
    Cart.objects.filter(pk=cart.pk).update(customer_id=call.customer_id)
    cart.customer_id = call.customer_id
    all_carts = together(cart, locked=True)
    mine = next(one for one in all_carts if one.pk == cart.pk)
    wanted = {line.variant_id: line.quantity for line in mine.lines.all() if line.quantity}
    _check_amounts(call, wanted, wish)
    taken = carts.order(mine, all_carts, wanted, _with_contact(call, wish.terms), actor=actor)
    call.order = taken.order
    call.save(update_fields=["order"])
    if wish.payment in PAY_LATER:
        note(locked(taken.order.pk), "paid", PAY_LATER[wish.payment], actor=actor)
    return taken


@transaction.atomic
def end(token: uuid.UUID, *, actor: str, said: str = "", keeps_cart: bool = False) -> PhoneCall:
    """End a call: it becomes an interaction of whoever it was with, and what is held is let go. With `keeps_cart` what
    they wanted stays in their cart, on every channel. A call that has ended is returned as it is."""
    call = _locked(token)
    if call.ended_at is not None:
        return call
    call.ended_at, call.note = clock.now(), plain(said, MOST_NOTE_CHARACTERS) or call.note
    call.save(update_fields=["ended_at", "note"])
    if call.order_id is None and call.cart is not None:
        carts.let_go(call.cart.token, actor=actor)
        if keeps_cart and call.customer_id is not None:
            carts.claim(call.cart.token, call.customer_id)
    _tell(call)
    return call


def _tell(call: PhoneCall) -> None:
    """The call is something that its customer did (see journeys/record.py): about goods, where it was about some."""
    if call.customer is None or call.ended_at is None:
        return
    context: dict[str, Any] = {
        "direction": call.direction, "seconds": round((call.ended_at - call.started_at).total_seconds()),
        "agent": call.agent,
    }  # fmt: skip
    if call.note:
        context["note"] = call.note
    if call.order is not None:
        context["order"] = call.order.number
    wanted = call.cart.lines.filter(quantity__gt=0) if call.cart else CartLine.objects.none()
    sku = wanted.order_by("changed_at", "pk").values_list("variant__sku", flat=True).first()
    if sku:
        context["sku"] = sku
    call.customer.track_interaction(
        call.sales_channel, "phone_call", occurred_at=call.started_at, message_id=f"call:{call.token}", **context
    )


def _with_contact(call: PhoneCall, terms: Terms) -> Terms:
    """What the clerk did not ask again is known from the profile."""
    if call.customer_id is None:
        return terms
    who = shown(call.customer_id)
    return replace(
        terms, name=terms.name or who.name, email=terms.email or who.email, phone=terms.phone or who.phone
    )  # fmt: skip


def end_forgotten(after: timedelta = timedelta(hours=4)) -> int:
    """End calls that began so long ago and that nobody ended; return how many."""
    old = PhoneCall.objects.filter(ended_at=None, started_at__lt=clock.now() - after)
    found = list(old.values_list("token", "agent")[:MOST_FORGOTTEN])
    for token, agent in found:
        end(token, actor=agent)
    return len(found)


def _check_amounts(call: PhoneCall, wanted: dict[int, int], wish: Wish) -> None:
    """Refuse a total that is not the one that was said, and to take more off than the goods cost."""
    cost = agreed_cost(call.sales_channel, wanted, wish.agreed, "as was said; tell the caller")
    if cost is not None and sum((line.discount for line in wish.terms.charges), Decimal(0)) > cost:
        raise UserError(f"no more than {money_words(cost, call.sales_channel.currency)} can be taken off the goods")


def carts_elsewhere(call: PhoneCall) -> Sequence[Cart]:
    """Return the caller's open carts of other doors, with their channel."""
    if call.customer_id is None:
        return []
    rows = Cart.objects.filter(customer__in=members(call.customer_id), order=None).exclude(pk=call.cart_id or 0)
    return list(rows.filter(lines__quantity__gt=0).select_related("sales_channel").distinct().order_by("-updated_at"))


def _locked(token: uuid.UUID) -> PhoneCall:
    rows = PhoneCall.objects.select_for_update(of=("self",)).select_related(
        "sales_channel", "customer__merged_into", "cart", "order"
    )
    call: PhoneCall | None = rows.filter(token=token).first()
    if call is None:
        raise UserError("there is no such call; begin a new one")
    return call


def _open(token: uuid.UUID) -> PhoneCall:
    call = _locked(token)
    _refuse_ended(call)
    return call


def _refuse_ended(call: PhoneCall) -> None:
    if call.ended_at is not None:
        raise UserError("this call has ended; begin a new one")


def _cart(call: PhoneCall) -> Cart:
    if call.cart is None:
        raise UserError("the cart of this call is gone; begin a new one")
    return call.cart
