"""A shopper orders what lies in their cart: sent to them or collected in a store, paid in one of the shop's ways.

Nobody is believed to be who they say: the cart of somebody who has not signed in is nobody's and shows what was put
into it alone. The address that is given at the end says whose the order is, and what was done on the device before is
theirs too. Only who has signed in sees what they put in elsewhere, and of that only what lies on the profile of the
address whose mail they have read (`own_only`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.resolve import Contact, add_identities, resolve_many
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import quantize
from finalmarket.orders import cart as carts
from finalmarket.orders import payments
from finalmarket.orders.calls import charges
from finalmarket.orders.drafts import Address, LineDraft
from finalmarket.orders.intake import Taken
from finalmarket.orders.models import Cart, Order
from finalmarket.orders.one_cart import CHECKED_OUT, opened

TEST = "test"
PAID, DECLINED = "paid", "declined"


class Declined(UserError):
    """The payment was declined; nothing was ordered."""


class Changed(UserError):
    """What is to be paid is not what the shopper was shown; nothing was ordered."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """What a shopper says at the end. `collect_at` is the store where they collect; without, it is sent to `address`.

    `agreed` is the total that they were shown. `test` is how a payment for trying ends ("paid" or "declined"); without,
    the order is unpaid. `device` is theirs, with its space in front.
    """

    name: str = ""
    email: str = ""
    phone: str = ""
    address: Address | None = None
    collect_at: int | None = None
    agreed: Decimal | None = None
    test: str = ""
    device: str = ""


def allows_test_payments(channel: SalesChannel) -> bool:
    """Whether shoppers of this channel may pay without money, for trying."""
    return channel.configuration.get("test_payments") is True


def delivery_fee(channel: SalesChannel, goods: Decimal) -> Decimal:
    """Return what sending goods of so much costs, in the channel's currency."""
    fee = Decimal(str(channel.configuration.get("delivery_fee", "0")))
    free_from = channel.configuration.get("free_delivery_from")
    return Decimal(0) if free_from is not None and goods >= Decimal(str(free_from)) else fee


def delivery_charge(fee: Decimal, country: str) -> tuple[LineDraft, ...]:
    """Return what sending costs as a line of an order, none for nothing. It is taxed where the goods are, as on the
    phone: `country` is the one whose rates the goods have."""
    return charges(country, shipping=fee, title="Delivery") if fee else ()


def _delivery_fee(cart: Cart) -> Decimal:
    """What sending the goods of a cart costs; what they cost themselves is looked at only where it matters."""
    channel = cart.sales_channel
    depends_on_goods = channel.configuration.get("free_delivery_from") is not None
    most = delivery_fee(channel, Decimal(0))
    return delivery_fee(channel, opened(cart).total) if most and depends_on_goods else most


@transaction.atomic
def buy(cart: Cart, given: Purchase, *, actor: str) -> Taken:
    """Order what a cart, as it was just read, shows by now, exactly once: asked again, it is the same order.

    Raises OutOfStock, Declined, Changed, or UserError for what is missing or not sold; then nothing was done.
    """
    channel = cart.sales_channel
    _check(channel, given)
    buyer = _known_by(cart, given) if given.device and cart.reservation_key != CHECKED_OUT else None
    fee = Decimal(0) if given.collect_at is not None else _delivery_fee(cart)
    country = (given.address.country if given.address else "") or channel.country
    terms = carts.Terms(
        name=given.name, email=given.email, phone=given.phone, shipping_address=given.address,
        charges=delivery_charge(fee, country), collect_at=given.collect_at,
    )  # fmt: skip
    taken = carts.check_out_known(cart, terms, actor=actor)
    if taken.outcome != "created":
        return taken
    order = taken.order
    if given.agreed is not None and quantize(given.agreed, order.currency) != order.total:
        raise Changed(f"it costs {order.total:f} {order.currency} now, not {given.agreed:f}; look at the cart again")
    if order.customer_id is None and buyer is not None:
        order.customer_id = buyer
        order.save(update_fields=["customer", "updated_at"])
    if given.test and order.total > 0:
        payments.receive_first(order, tender=TEST, amount=order.total, external_id=f"test:{cart.token}", actor=actor)
    _tell(order, channel)
    return Taken(order, taken.outcome, taken.problem)


def _check(channel: SalesChannel, given: Purchase) -> None:
    if given.test and not allows_test_payments(channel):
        raise UserError("this shop takes no payments for trying")
    if given.test == DECLINED:
        raise Declined("the payment was declined; nothing was ordered, choose another way to pay")
    if given.collect_at is not None:
        return
    address = given.address
    missing = [
        word
        for word, value in (
            ("name", given.name or (address.name if address else "")), ("street", address.street if address else ""),
            ("city", address.city if address else ""), ("country", address.country if address else ""),
        )
        if not value.strip()
    ]  # fmt: skip
    if missing:
        raise UserError(f"to send the goods, this is missing: {', '.join(missing)}")
    if not (given.email.strip() or given.phone.strip()):
        raise UserError("give an e-mail address or a phone number, so that we can tell you when the goods leave")


def _known_by(cart: Cart, given: Purchase) -> int | None:
    """The device is evidence for the buyer; where nothing better was said, the order is the device's. Before the stock
    is locked, as everywhere."""
    channel = cart.sales_channel
    if cart.customer_id is not None:
        add_identities([(cart.customer_id, "device", given.device)], source=channel.slug)
        return cart.customer_id
    contact = Contact(name=given.name, email=given.email, phone=given.phone, device=given.device, at=clock.now())
    return resolve_many([contact], country=channel.country, source=channel.slug)[0]


def _tell(order: Order, channel: SalesChannel) -> None:
    """Tell that they have bought, once for each order: the journey ends with it, even where a page tells nothing."""
    if order.customer_id is not None:
        OmnichannelCustomer(pk=order.customer_id).track_interaction(  # see journeys/record.py
            channel, "checkout_complete", occurred_at=order.placed_at, message_id=f"order:{order.pk}",
            order=order.number,
        )  # fmt: skip
