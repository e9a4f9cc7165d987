"""Carts: put together, held for a while, checked out into an order exactly once.

A cart is known by its token and stays on the profile that opened it. What it shows, holds and orders is the one cart of
its person (orders/one_cart.py): whoever changes a line on one device says the newest word for all of them.

Lock order: the rows of the person's open carts by their ids, then (at check-out) the identities of the buyer and the
order's row, then the pools of stock.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from django.db import transaction

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import CustomerIdentity, OmnichannelCustomer
from finalmarket.customers.persons import members
from finalmarket.customers.resolve import Contact, resolve, resolve_many
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders import collecting
from finalmarket.orders.cart_holds import holds_of, let_go_of_unwanted, next_key, release, variants_of
from finalmarket.orders.cart_told import tell_change, tell_checkout, tell_lines
from finalmarket.orders.composing import Variants
from finalmarket.orders.drafts import MOST_UNITS, Address, LineDraft, OrderDraft, OutOfStock, TenderDraft
from finalmarket.orders.intake import Taken, customer_of, take
from finalmarket.orders.models import Cart, CartLine, Order, TaxRate
from finalmarket.orders.one_cart import CHECKED_OUT, listings_of, sold_of, together, wanted_in
from finalmarket.stock.models import Reservation
from finalmarket.stock.reserve import Mode, Request, reserve

DEFAULT_HOLD_MINUTES = 15
MOST_LINES = 500


@dataclass(frozen=True, slots=True)
class Offered:
    """One line of a cart as the channel sells it. `price` is one unit's, in the channel's currency."""

    variant: Variant
    quantity: int
    price: Decimal


def open_cart(
    channel: SalesChannel, *, customer_id: int | None = None, contact: Contact | None = None, own_only: bool = False
) -> Cart:
    """Open an empty cart on a channel and return it; its `token` is what the shop keeps.

    `contact` names whose it is by what is known of them, be it the device alone; without one the cart is nobody's.
    `own_only`: a shopper sees it, see `Cart.is_own_only`.
    """
    if contact is not None:
        profile = resolve(replace(contact, at=clock.now()), country=channel.country, source=channel.slug)
        customer_id = profile.pk if profile else customer_id
    return Cart.objects.create(sales_channel=channel, customer_id=customer_id, token=uuid.uuid4(), is_own_only=own_only)


@transaction.atomic
def claim(token: uuid.UUID, customer_id: int) -> Cart:
    """Give a cart that is nobody's to a profile. Raises UserError for one that is another person's: whoever logs in
    tells their device, and the carts are one as the profiles are."""
    cart = _locked(token)[0]
    if cart.customer_id is None:
        cart.customer_id = customer_id
        cart.save(update_fields=["customer", "updated_at"])
        tell_lines(cart, cart.lines.select_related("variant").order_by("changed_at", "pk"))
    elif customer_id not in members(cart.customer_id):
        raise UserError("this cart is somebody else's")
    return cart


@transaction.atomic
def add(token: uuid.UUID, variant_id: int, quantity: int = 1) -> CartLine:
    """Put units of a variant into the cart, on top of those that it shows. A hold on the cart covers them after `hold`.

    Raises UserError for an unknown cart or variant, a quantity below one, or a cart that was checked out.
    """
    cart, carts = _locked(token)
    shown = _shown(cart, carts, variant_id)
    line = _say(cart, carts, variant_id, shown + _at_least_one(quantity))
    tell_change(cart, variant_id, shown, line.quantity, line)
    return line


@transaction.atomic
def change(token: uuid.UUID, variant_id: int, quantity: int) -> CartLine:
    """Make the cart hold `quantity` units of a variant (at least one; see `remove`). Raises UserError as `add` does."""
    cart, carts = _locked(token)
    shown = _shown(cart, carts, variant_id)
    line = _say(cart, carts, variant_id, _at_least_one(quantity))
    tell_change(cart, variant_id, shown, line.quantity, line)
    return line


@transaction.atomic
def remove(token: uuid.UUID, variant_id: int) -> None:
    """Take a variant out of the cart, wherever its customer put it in; one that is not in it is passed over."""
    cart, carts = _locked(token)
    shown = _shown(cart, carts, variant_id)
    elsewhere = any(
        line.variant_id == variant_id and line.quantity
        for one in carts
        if one.pk != cart.pk
        for line in one.lines.all()
    )
    if elsewhere:
        _say(cart, carts, variant_id, 0)
    else:
        cart.lines.filter(variant_id=variant_id).delete()
        cart.save(update_fields=["updated_at"])
    tell_change(cart, variant_id, shown, 0)


@transaction.atomic
def hold(token: uuid.UUID, *, actor: str = "customer") -> Reservation:
    """Hold the cart's goods for the channel's `hold_minutes` (15 by default), in place of an earlier hold, on whatever
    device of the customer.

    Raises OutOfStock when they do not fit; the earlier hold stays then.
    """
    cart, carts = _locked(token)
    lines = [(line.variant_id, line.quantity) for line in wanted_in(carts, cart.pk)]
    if not lines:
        raise UserError("the cart is empty; there is nothing to hold")
    earlier = holds_of(carts)
    release(earlier, [number for number, _ in lines], actor=actor, reason="the cart changed")
    minutes = cart.sales_channel.configuration.get("hold_minutes", DEFAULT_HOLD_MINUTES)
    request = Request(
        key=next_key(cart), channel_id=cart.sales_channel_id, lines=tuple(lines), mode=Mode.HOLD,
        hold_seconds=int(minutes) * 60,
    )  # fmt: skip
    verdict = reserve([request], actor=actor)[0]
    if verdict.outcome != "granted" or verdict.reservation_id is None:
        raise OutOfStock(f"the cart cannot be held: {_named(verdict.reason, [number for number, _ in lines])}")
    cart.reservation_key = request.key
    cart.save(update_fields=["reservation_key", "updated_at"])
    if not earlier:
        tell_checkout(cart, sum(units for _, units in lines))
    return Reservation.objects.get(pk=verdict.reservation_id)


@transaction.atomic
def let_go(token: uuid.UUID, *, actor: str = "customer") -> None:
    """Give the units that are held for the cart back to stock; the cart keeps its lines."""
    release(holds_of(_locked(token)[1]), (), actor=actor, reason="the cart was left")


def offered(cart: Cart) -> list[Offered]:
    """Return what the cart shows with its prices, in a constant number of queries.

    Raises UserError that names every variant which the channel does not sell now, and why.
    """
    wanted = {line.variant_id: line.quantity for line in wanted_in(together(cart), cart.pk)}
    return _offered(cart.sales_channel, wanted)


def _offered(channel: SalesChannel, wanted: dict[int, int]) -> list[Offered]:
    listings = listings_of(channel, wanted)
    prices, faults = sold_of(listings, channel, wanted)
    if faults:
        raise UserError(f"{channel.name} does not sell this now: {'; '.join(faults)}")
    return [
        Offered(listings[variant_id].variant, wanted[variant_id], price) for variant_id, price in sorted(prices.items())
    ]


@dataclass(frozen=True, slots=True)
class Terms:
    """What is known of an order besides its goods: whose it is, where it goes, what is paid, who serves it."""

    name: str = ""
    email: str = ""
    phone: str = ""
    shipping_address: Address | None = None
    billing_address: Address | None = None
    tenders: Sequence[TenderDraft] = ()
    charges: Sequence[LineDraft] = ()
    tip: Decimal = Decimal(0)
    tax_included: bool = True
    location_id: int | None = None
    handed_over: bool = False
    collect_at: int | None = None


def check_out(
    token: uuid.UUID, *, name: str = "", email: str = "", phone: str = "", shipping_address: Address | None = None,
    billing_address: Address | None = None, tenders: Sequence[TenderDraft] = (), charges: Sequence[LineDraft] = (),
    tip: Decimal = Decimal(0), tax_included: bool = True, collect_at: int | None = None, actor: str = "customer",
) -> Taken:  # fmt: skip
    """Turn what the cart shows into an order of its channel, exactly once: the second time, on whatever device, the
    same order is returned.

    Prices are the listings', taxes the operator's rates for the country the goods go to (else the channel's). `charges`
    are lines of shipping, fees and discounts. The cart's hold becomes the order's promise. With `collect_at` (the id of
    a store, see collecting.offers) the customer collects the goods there. The order of a device that was nobody's lands
    on the profile of the address that is given. Raises OutOfStock or UserError, and then the cart stays as it is.
    """
    terms = Terms(
        name, email, phone, shipping_address, billing_address, tenders, charges, tip, tax_included,
        collect_at=collect_at,
    )  # fmt: skip
    with transaction.atomic():
        return check_out_known(_known(token), terms, actor=actor)


def check_out_known(known: Cart, terms: Terms, *, actor: str) -> Taken:
    """`check_out` for a cart that the caller has read, within the caller's transaction."""
    cart, carts = _lock(known)
    if cart.reservation_key == CHECKED_OUT:
        return _taken_before(cart)
    wanted = {line.variant_id: line.quantity for line in wanted_in(carts, cart.pk)}
    return order(cart, carts, wanted, terms, actor=actor)


def order(cart: Cart, carts: Sequence[Cart], wanted: dict[int, int], terms: Terms, *, actor: str) -> Taken:
    """Order what is wanted on the channel of `cart`, and end the person's `carts` (see `_end_bought`).

    All are locked by the caller, whose transaction it is. Raises OutOfStock or UserError.
    """
    channel = cart.sales_channel
    if not (lines := _offered(channel, wanted)):
        raise UserError("the cart is empty; there is nothing to order")
    to = terms.shipping_address or Address()
    store = None if terms.collect_at is None else collecting.store(channel, terms.collect_at)
    customer_id = _buyer(cart, terms)
    country = to.country or (store.country if store else "") or channel.country
    draft = OrderDraft(
        channel_id=channel.pk, external_id=_external_id(cart), currency=channel.currency, placed_at=clock.now(),
        lines=(*_goods(lines, country), *terms.charges), tenders=tuple(terms.tenders), name=terms.name,
        email=terms.email, phone=terms.phone, customer_id=customer_id, shipping_address=to,
        billing_address=terms.billing_address or Address(), tax_included=terms.tax_included, tip=terms.tip,
        happened=False, location_id=store.pk if store else terms.location_id, handed_over=terms.handed_over,
    )  # fmt: skip
    draft = _with_hold(draft, cart, carts, wanted, at_store=store is not None, actor=actor)
    variants: Variants = {line.variant.pk: line.variant for line in lines}
    taken = take(draft, actor=actor, channel=channel, variants=variants)
    if store is not None and taken.outcome == "created":
        collecting.arrange(taken.order, store, terms.name or _name_of(customer_id), actor=actor)
    _end_bought(cart, carts, wanted, taken.order)
    return taken


def _with_hold(
    draft: OrderDraft, cart: Cart, carts: Sequence[Cart], wanted: dict[int, int], *, at_store: bool, actor: str
) -> OrderDraft:
    """Let the order take over what is held for its cart, and give back what else is held. What a store hands over is
    promised on its own shelf; the cart's hold may lie on another."""
    held = [] if at_store else holds_of([cart])
    others = holds_of(one for one in carts if at_store or one.pk != cart.pk)
    if not held and not others:
        return draft  # pools are not locked before their turn: who else wants the goods waits for less
    buyer = customer_of(draft, cart.sales_channel)  # identities before pools
    release(others, {*wanted, *variants_of(held)}, actor=actor, reason="ordered elsewhere")
    let_go_of_unwanted(held, sorted(wanted), actor=actor)
    return replace(draft, customer_id=buyer, reservation_id=held[0].pk if held else None)


def _end_bought(cart: Cart, carts: Sequence[Cart], bought: dict[int, int], order: Order) -> None:
    """The cart is ended by its order, and with it all others of the person in which nothing is left unbought.
    What is too old to follow anybody is left where it was put. All else is taken out of those that stay."""
    others = [one for one in carts if one.pk != cart.pk]
    counting = [line for one in others for line in wanted_in(carts, one.pk)]
    left = [line for line in counting if line.quantity > bought.get(line.variant_id, 0)]
    staying = {line.cart_id for line in left} - {cart.pk}
    ended = [one.pk for one in carts if one.pk not in staying]
    Cart.objects.filter(pk__in=ended).update(reservation_key=CHECKED_OUT, order=order, updated_at=clock.now())
    if staying:
        in_them = CartLine.objects.filter(cart__in=staying)
        in_them.exclude(variant__in=[line.variant_id for line in left]).delete()
        for line in left:
            if line.variant_id in bought:
                in_part = in_them.filter(cart=line.cart_id, variant=line.variant_id)
                in_part.update(quantity=line.quantity - bought[line.variant_id])
    cart.reservation_key, cart.order = CHECKED_OUT, order


def _taken_before(cart: Cart) -> Taken:
    known = cart.order or Order.objects.get(
        sales_channel=cart.sales_channel_id, source="channel", external_id=_external_id(cart)
    )
    return Taken(known, "unchanged", known.problem)


def _external_id(cart: Cart) -> str:
    return f"cart:{cart.token}"


def _buyer(cart: Cart, terms: Terms) -> int | None:
    """Whose the order is: the cart's profile, unless that is a mere device and a better name is given now. The device
    is evidence then, so that both are one person."""
    if cart.customer_id is None or not (terms.email or terms.phone):
        return cart.customer_id
    anchor = CustomerIdentity.objects.filter(customer=cart.customer_id, is_anchor=True).first()
    if anchor is None or anchor.kind != CustomerIdentity.Kind.DEVICE:
        return cart.customer_id
    contact = Contact(
        name=terms.name, email=terms.email, phone=terms.phone, device=anchor.value, at=clock.now()
    )  # fmt: skip
    channel = cart.sales_channel
    return resolve_many([contact], country=channel.country, source=channel.slug)[0] or cart.customer_id


def _name_of(customer_id: int | None) -> str:
    return OmnichannelCustomer.objects.filter(pk=customer_id or 0).values_list("name", flat=True).first() or ""


def _known(token: uuid.UUID) -> Cart:
    known = Cart.objects.filter(token=token).first()
    if known is None:
        raise UserError("there is no such cart; open a new one")
    return known


def _lock(known: Cart) -> tuple[Cart, list[Cart]]:
    """Return the cart as it is now and all open carts of its person, it among them, locked. Raises UserError where it
    is gone."""
    carts = together(known, locked=True)
    cart = next((one for one in carts if one.pk == known.pk), None)
    if cart is None:
        raise UserError("there is no such cart; open a new one")
    return cart, carts


def _locked(token: uuid.UUID) -> tuple[Cart, list[Cart]]:
    """`_lock` for a cart that may still be changed. Raises UserError where there is none, or it was checked out."""
    cart, carts = _lock(_known(token))
    if cart.reservation_key == CHECKED_OUT:
        raise UserError("this cart was checked out; open a new one")
    return cart, carts


def _shown(cart: Cart, carts: Sequence[Cart], variant_id: int) -> int:
    """How many units of a variant the cart shows."""
    return next((line.quantity for line in wanted_in(carts, cart.pk) if line.variant_id == variant_id), 0)


def _at_least_one(quantity: int) -> int:
    if not 1 <= quantity <= MOST_UNITS:
        raise UserError(f"a quantity is a whole number from 1 to {MOST_UNITS}, not {quantity}")
    return quantity


def _say(cart: Cart, carts: Sequence[Cart], variant_id: int, quantity: int) -> CartLine:
    """Write the newest word on a variant into the cart, with what one unit costs here now."""
    if not Variant.objects.filter(pk=variant_id).exists():
        raise UserError(f"there is no variant with id {variant_id}")
    said = [line for one in carts for line in one.lines.all() if line.variant_id == variant_id]
    line = next((one for one in said if one.cart_id == cart.pk), None)
    if line is None and len(cart.lines.all()) >= MOST_LINES:
        raise UserError(f"a cart has at most {MOST_LINES} lines")
    line = line or CartLine(cart=cart, variant_id=variant_id)
    listing = listings_of(cart.sales_channel, [variant_id]).get(variant_id)
    line.quantity = min(quantity, MOST_UNITS)
    line.unit_price = listing.price() if listing else None
    line.currency = cart.sales_channel.currency
    line.changed_at = max([clock.now(), *(one.changed_at + timedelta(microseconds=1) for one in said)])
    line.save()
    cart.save(update_fields=["updated_at"])
    return line


def _named(reason: str, variant_ids: Sequence[int]) -> str:
    """Put the SKU where the stock room says `line 3`."""
    head, colon, rest = reason.partition(":")
    number = head.removeprefix("line ")
    if colon and number.isdigit() and int(number) < len(variant_ids):
        return f"{Variant.objects.get(pk=variant_ids[int(number)]).sku}:{rest}"
    return reason


def _goods(lines: Sequence[Offered], country: str) -> list[LineDraft]:
    rates = dict(TaxRate.objects.filter(country=country).values_list("tax_class", "rate"))
    return [
        LineDraft(
            variant_id=line.variant.pk, sku=line.variant.sku, quantity=line.quantity, unit_price=line.price,
            tax_rate=rates.get(line.variant.tax_class),
        )
        for line in lines
    ]  # fmt: skip
