"""Checkout, exactly once, and what became of an order for whoever has its token."""

from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

from django.core import signing
from django.http import HttpRequest
from ninja import Path, Router
from pydantic import BaseModel, Field

from finalmarket.api.door import Done, digest_of
from finalmarket.api.door import token_of as token_of_call
from finalmarket.api.problems import Problem, fault
from finalmarket.api.shop.carts import ItemAdded, cart_of, counts_untold, variant_of
from finalmarket.api.shop.catalogue import till_of
from finalmarket.api.shop.door import Shopper, origins_of, read, shopper_of, write
from finalmarket.api.v1.carts import AddressIn
from finalmarket.api.v1.shapes import Number, Said
from finalmarket.integrations.desk import pages
from finalmarket.journeys.models import WriteKey
from finalmarket.orders import cart as carts
from finalmarket.orders import shopping
from finalmarket.orders.drafts import Address
from finalmarket.orders.models import Cart, Fulfilment, Order, Pickup
from finalmarket.orders.states import still_due

router = Router(tags=["orders"])
CartToken = Annotated[UUID, Path(description="`token` of the cart")]
OrderToken = Annotated[str, Path(max_length=200, description="`token` of the order")]
SALT = "finalmarket.api.shop.order"
MOST_LINES = 100
Money = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=4)]


class Checkout(Said):
    """Who buys, where it goes, and how it is paid."""

    name: str = Field("", max_length=300)
    email: str = Field("", max_length=320)
    phone: str = Field("", max_length=50)
    address: AddressIn | None = None
    collect_at: Number | None = Field(None, description="The store where it is collected; null: it is sent")
    agreed: Money | None = Field(None, description="The total that was shown; where it is another, nothing is ordered")
    pay: Literal["test", "page", "store"] = Field("store", description="See `ways_to_pay` of the shop")
    test: Literal["paid", "declined"] = Field("paid", description="How a payment for trying ends")


class OrderAtOnce(Checkout):
    """Goods that are ordered without a cart."""

    lines: list[ItemAdded] = Field(min_length=1, max_length=MOST_LINES)


class Ordered(BaseModel):
    """What was ordered; asked for again, it is the same."""

    token: str = Field(description="By which this order is asked about")
    number: str
    total: Decimal
    currency: str
    payment_state: str
    collect_code: str = Field(description="What the store wants to see; empty where it is sent")


class OrderedLine(BaseModel):
    """A line of an order."""

    sku: str
    title: str
    quantity: int
    cancelled: int
    sent: int
    total: Decimal


class ParcelShown(BaseModel):
    """A parcel, or what waits in a store."""

    state: str
    carrier: str
    tracking_number: str
    tracking_url: str


class CollectShown(BaseModel):
    """Where and with what it is collected."""

    store: str
    state: str = Field(description="waiting, ready, collected or given_up")
    code: str


class OrderStatus(Ordered):
    """How an order stands."""

    state: str
    placed_at: str
    lines: list[OrderedLine]
    goods: Decimal
    delivery: Decimal
    due: Decimal = Field(description="What is still to be paid")
    can_pay: bool = Field(description="There is a page on which to pay it")
    parcels: list[ParcelShown]
    collect: CollectShown | None


class PaymentAsked(Said):
    """Where to go on after paying: an address of a page that may use the key."""

    back_url: str = Field("", max_length=1000)


class PaymentOpened(BaseModel):
    """Where to send the buyer."""

    address: str


AS_KEPT = Decimal("1.0000")
"""An order that was just made says its total as it does whenever it is read again."""
TOKEN = "12.q8Jx"  # noqa: S105  an example
ORDERED: dict[str, Any] = {
    "token": TOKEN, "number": "W-12", "total": "13.90", "currency": "EUR", "payment_state": "paid", "collect_code": "",
}  # fmt: skip
STATUS = {
    **ORDERED, "state": "open", "placed_at": "2026-05-04T12:00:00+00:00", "goods": "9.00", "delivery": "4.90",
    "lines": [{"sku": "TEA-100", "title": "Tea", "quantity": 2, "cancelled": 0, "sent": 0, "total": "9.00"}],
    "due": "0", "can_pay": False, "collect": None,
    "parcels": [{"state": "pending", "carrier": "", "tracking_number": "", "tracking_url": ""}],
}  # fmt: skip
CHECKOUT = {
    "name": "Ann Lee", "email": "ann@example.com", "pay": "test", "agreed": "13.90",
    "address": {"street": "Hauptstr. 1", "postcode": "10115", "city": "Berlin", "country": "DE"},
}  # fmt: skip


@write(
    router, "POST", "/carts/{token}/checkout", status=201, answer=Ordered, example=ORDERED, body=CHECKOUT, once="must"
)  # fmt: skip
def check_out_shop_cart(request: HttpRequest, token: CartToken, told: Checkout) -> Done:
    """Order what a cart shows, exactly once: asked again, whatever was lost, it is the same order."""
    shopper = shopper_of(request)
    return _bought(shopper, cart_of(shopper, token), told)


@write(
    router, "POST", "/orders", status=201, answer=Ordered, example=ORDERED, once="must",
    body={**CHECKOUT, "lines": [{"sku": "TEA-100", "quantity": 2}]},
)  # fmt: skip
def order_at_once(request: HttpRequest, told: OrderAtOnce) -> Done:
    """Order goods without a cart, exactly once by the Idempotency-Key: for kiosks, which put carts together alone.

    Other calls are known again for 48 hours; here the very order is answered for as long as it is in the book. It is
    the order that was placed then, whatever a paired device, or who signed in, says under its key after these 48 hours.
    For all others another body is another order: the publishable key is everybody's, and so might be what somebody
    chose as theirs.
    """
    shopper = shopper_of(request)
    cart, _ = Cart.objects.get_or_create(
        token=_token_at_once(request, shopper), defaults={"sales_channel": shopper.channel, "is_own_only": True}
    )
    if cart.order is not None:
        return _answer(cart.order, Pickup.objects.filter(order=cart.order).first())
    for line in told.lines:
        carts.add(cart.token, variant_of(shopper.channel, line), line.quantity)
    return _bought(shopper, cart, told)


def _token_at_once(request: HttpRequest, shopper: Shopper) -> UUID:
    """The token of the cart that becomes the order of this call: the same for its every repeat. It is made of a family,
    which nobody outside knows, so that nobody finds the cart who knows the Idempotency-Key alone."""
    family, whose = shopper.key.family, digest_of(request.body)
    if shopper.device is not None:
        family, whose = shopper.device.family, "device"
    elif shopper.session is not None:
        whose = f"customer {shopper.session.customer_id}"
    return uuid5(family, f"order at once\n{whose}\n{token_of_call(request)}")


def _bought(shopper: Shopper, cart: Cart, told: Checkout) -> Done:
    with counts_untold(cart):
        taken = shopping.buy(cart, _purchase(shopper, told), actor=shopper.actor)
    # What was just ordered to be sent is collected nowhere: nobody has to look.
    is_sent = taken.outcome == "created" and told.collect_at is None
    pickup = None if is_sent else Pickup.objects.filter(order=taken.order).first()
    return _answer(taken.order, pickup)


def _answer(order: Order, pickup: Pickup | None) -> Done:
    return Done(f"order {order.pk}", Ordered(**_ordered(order, pickup)))


def _purchase(shopper: Shopper, told: Checkout) -> shopping.Purchase:
    known = shopper.session.customer if shopper.session else None
    return shopping.Purchase(
        name=told.name or (known.name if known else ""), email=told.email or (known.email if known else ""),
        phone=told.phone, address=Address(**told.address.model_dump()) if told.address else None,
        collect_at=told.collect_at, agreed=told.agreed, test=told.test if told.pay == "test" else "",
        device=device_of(shopper),
    )  # fmt: skip


def device_of(shopper: Shopper) -> str:
    """The visitor as the tracking API knows them: with whose id it is in front; "" where the page says none."""
    if not shopper.visitor:
        return ""
    keys = WriteKey.objects.filter(sales_channel=shopper.channel).order_by("-id")
    space = keys.values_list("space", flat=True).first() or f"channel-{shopper.channel.pk}"
    return f"{space}:{shopper.visitor}"


def _ordered(order: Order, pickup: Pickup | None) -> dict[str, Any]:
    return {
        "token": token_of(order), "number": order.number, "total": order.total.quantize(AS_KEPT),
        "currency": order.currency, "payment_state": order.payment_state,
        "collect_code": pickup.code if pickup else "",
    }  # fmt: skip


def token_of(order: Order) -> str:
    """By what an order is asked about: nobody can make one up."""
    return signing.Signer(salt=SALT, sep=".").sign(str(order.pk))


def order_by(shopper: Shopper, token: str) -> Order:
    """Return the order of a token, of this shop. Raises Problem for any other."""
    try:
        number = int(signing.Signer(salt=SALT, sep=".").unsign(token))
    except (ValueError, signing.BadSignature):
        number = 0
    found: Order | None = Order.objects.filter(pk=number, sales_channel=shopper.channel).first()
    if found is None:
        raise Problem("not-found", "There is no such order.", "Look at the address of the page.")
    return found


@read(router, "/orders/{token}", answer=OrderStatus, example=STATUS)
def get_shop_order(request: HttpRequest, token: OrderToken) -> OrderStatus:
    """Say how an order stands: paid, sent, ready to be collected."""
    shopper = shopper_of(request)
    order = order_by(shopper, token)
    pickup = Pickup.objects.select_related("location").filter(order=order).first()
    due = max(Decimal(0), still_due(order, order.payments.all()))
    is_over = order.state == Order.State.CANCELLED
    return OrderStatus(
        **_ordered(order, pickup), state=order.state, placed_at=order.placed_at.isoformat(), goods=order.goods,
        delivery=order.shipping, due=Decimal(0) if is_over else due,
        can_pay=due > 0 and not is_over and till_of(shopper.channel) is not None,
        lines=[_line(line) for line in order.lines.filter(kind="goods").select_related("variant__product")],
        parcels=[_parcel(one) for one in order.fulfilments.exclude(state__in=("rejected", "cancelled")).order_by("id")],
        collect=CollectShown(store=pickup.location.name, state=pickup.state, code=pickup.code) if pickup else None,
    )  # fmt: skip


def _line(line: Any) -> OrderedLine:
    title = line.title or (line.variant.label if line.variant else line.sku)
    return OrderedLine(
        sku=line.sku, title=title, quantity=line.quantity, cancelled=line.cancelled_quantity,
        sent=line.fulfilled_quantity, total=line.total,
    )  # fmt: skip


def _parcel(one: Fulfilment) -> ParcelShown:
    return ParcelShown(
        state=one.state, carrier=one.carrier, tracking_number=one.tracking_number, tracking_url=one.tracking_url
    )


@write(
    router, "POST", "/orders/{token}/pay", status=200, answer=PaymentOpened, body={"back_url": "https://shop.example/"},
    example={"address": "https://pay.example/checkout/1"},
)  # fmt: skip
def pay_shop_order(request: HttpRequest, token: OrderToken, told: PaymentAsked) -> Done:
    """Open the payment platform's page for what is due; asked again while it is open, it is the same page."""
    shopper = shopper_of(request)
    order = order_by(shopper, token)
    till = till_of(shopper.channel)
    if till is None:
        raise Problem("refused", "This shop has no page to pay on.", "Pay in one of `ways_to_pay` of the shop.")
    origin = "/".join(told.back_url.split("/", 3)[:3])
    if told.back_url and origin not in origins_of(request, shopper.key):
        raise fault("body.back_url", "it is no page of this shop", "Use a page of an origin that may use the key.")
    page = pages.start_payment(order.pk, till, told.back_url, actor=shopper.actor)
    return Done(f"order {order.pk}", PaymentOpened(address=page.approve_url))
