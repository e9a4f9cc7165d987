"""Carts: opened, filled, held, given to whom they belong, taken over by staff, and ordered.

What a cart shows is the one cart of its person (orders/one_cart.py), with the prices and the stock of its own channel.
A key that is bound to channels sees and changes the carts of these channels, and of persons whom they have met.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Path, Query, Router
from pydantic import BaseModel, Field, model_validator

from finalmarket.access.keys import Caller
from finalmarket.api.door import Done, caller_of, channel_of, read, write
from finalmarket.api.problems import Problem, fault
from finalmarket.api.v1.met import check_is_met
from finalmarket.api.v1.shapes import (
    About,
    ContactIn,
    Filters,
    Key,
    Money,
    Number,
    Said,
    customer_or_404,
    nobody,
    source_of,
    whose,
)
from finalmarket.catalog.models import Variant
from finalmarket.orders import cart as carts
from finalmarket.orders.drafts import MOST_UNITS, Address
from finalmarket.orders.intake import Taken
from finalmarket.orders.models import Cart as CartRow
from finalmarket.orders.one_cart import CHECKED_OUT, Opened, Shown, open_cart_of, opened
from finalmarket.orders.take_over import take_over

router = Router(tags=["carts"])
Token = Annotated[UUID, Path(description="`token` of the cart")]
Units = Annotated[int, Field(ge=1, le=MOST_UNITS)]


class Difference(BaseModel):
    """What is not as it was where the customer put it in the cart."""

    kind: str = Field(description="price, currency, no_price, not_sold, sold_out or few")
    text: str
    was: str
    now: str


class CartLine(BaseModel):
    """One line, as the channel has it now."""

    variant: int
    sku: str
    title: str
    quantity: int
    price: Decimal | None = Field(description="Of one unit, in the cart's currency; null where it has none there")
    left: int = Field(description="So many the channel can sell now, those held for this cart among them")
    can_be_sold: bool
    said_on: int = Field(description="The channel on which the customer said so last")
    said_at: datetime
    differences: list[Difference]


class CartContent(BaseModel):
    """What the cart of a person shows on a channel."""

    channel: int
    customer: int | None = Field(description="The profile that the cart lies on; null while it is nobody's")
    lines: list[CartLine]
    total: Decimal = Field(description="Of the lines that can be sold")
    currency: str


class Cart(CartContent):
    """A cart. `order` is what it became."""

    token: UUID
    state: Literal["open", "checked_out"]
    order: int | None


class Ordered(BaseModel):
    """The order that a cart became; asked for again, it is the same one (`outcome`: unchanged)."""

    order: int
    number: str
    outcome: str
    state: str
    payment_state: str
    total: Decimal
    currency: str
    problem: str = Field(description="Why a person has to look at it; empty where nobody has to")


class CartOpening(Said):
    """What is said to open a cart: on which channel, and whose it is where that is known."""

    channel: Number
    customer: Number | None = None
    contact: ContactIn | None = None

    @model_validator(mode="after")
    def _is_one_at_most(self) -> "CartOpening":
        if self.customer is not None and self.contact is not None:
            raise ValueError("say customer or contact, not both")
        return self


class Owner(About):
    """What is said to give a cart that is nobody's to somebody."""


class ItemSaid(Said):
    """What is put into a cart: a variant by number or by SKU."""

    variant: Number | None = None
    sku: str = Field("", max_length=100)
    quantity: Units = 1

    @model_validator(mode="after")
    def _is_one(self) -> "ItemSaid":
        if (self.variant is None) == (not self.sku):
            raise ValueError("say either variant or sku")
        return self


class Quantity(Said):
    """How many units a cart is to hold."""

    quantity: Units


class AddressIn(Said):
    """Where goods or invoices go."""

    name: str = Field("", max_length=300)
    company: str = Field("", max_length=300)
    street: str = Field("", max_length=300)
    street2: str = Field("", max_length=300)
    postcode: str = Field("", max_length=30)
    city: str = Field("", max_length=200)
    region: str = Field("", max_length=200)
    country: str = Field("", pattern="^([A-Z]{2})?$")
    phone: str = Field("", max_length=50)


class Buyer(Said):
    """Who buys, and where it goes. What is empty is not known."""

    name: str = Field("", max_length=300)
    email: str = Field("", max_length=320)
    phone: str = Field("", max_length=50)
    shipping_address: AddressIn | None = None
    billing_address: AddressIn | None = None
    tip: Money = Decimal(0)


class Chosen(Said):
    """Of a variant so many units."""

    variant: Number
    quantity: Units


class TakeOver(Buyer):
    """What is said to order the cart of a person on a channel of staff."""

    channel: Number
    chosen: list[Chosen] | None = Field(None, max_length=500, description="What of the cart; null: all of it")
    agreed: Money | None = Field(None, description="What the goods cost as the customer was told; else it is refused")
    handed_over: bool = Field(False, description="The customer has taken the goods along")


class CartFilters(Filters):
    """On which channel the cart is looked at."""

    channel: Number


TOKEN = "0f0e6a3c-2f0b-4c53-9d53-8d3a6c1e7b11"  # noqa: S105  an example
LINE = {
    "variant": 7, "sku": "TEA-100", "title": "Tea", "quantity": 2, "price": "5.00", "left": 40, "can_be_sold": True,
    "said_on": 1, "said_at": "2026-05-04T12:00:00Z", "differences": [],
}  # fmt: skip
CONTENT: dict[str, Any] = {"channel": 1, "customer": 4, "lines": [LINE], "total": "10.00", "currency": "EUR"}
CART: dict[str, Any] = {**CONTENT, "token": TOKEN, "state": "open", "order": None}
EMPTY = {**CART, "lines": [], "total": "0"}
ORDERED = {
    "order": 12, "number": "W-12", "outcome": "created", "state": "open", "payment_state": "unpaid", "total": "10.00",
    "currency": "EUR", "problem": "",
}  # fmt: skip
BUYER = {"name": "Ann Lee", "email": "ann@example.com", "shipping_address": {"city": "Berlin", "country": "DE"}}


@write(
    router, "POST", "/carts", scope="carts:write", status=201, answer=Cart, example=EMPTY,
    body={"channel": 1, "contact": {"email": "ann@example.com"}},
)  # fmt: skip
def open_cart(request: HttpRequest, told: CartOpening) -> Done:
    """Open an empty cart on a channel. It shows what its person has put into carts elsewhere, too."""
    channel = channel_of(request, told.channel)
    check_is_met(request, told.customer)
    customer = None
    if told.customer is not None or told.contact is not None:
        about = About(customer=told.customer, contact=told.contact)
        (customer,) = whose(request, [(about, channel.country)])
        if customer is None:
            raise nobody(about)
    cart = carts.open_cart(channel, customer_id=customer)
    return _done(cart, headers={"Location": f"/api/v1/carts/{cart.token}"})


@read(router, "/carts/{token}", scope="carts:read", answer=Cart, example=CART)
def get_cart(request: HttpRequest, token: Token) -> Cart:
    """Show a cart with the prices and the stock of its channel as they are now, and what is different."""
    return _shown(_cart(request, token))


@write(
    router, "POST", "/carts/{token}/lines", scope="carts:write", status=200, answer=Cart, example=CART,
    body={"sku": "TEA-100", "quantity": 2},
)  # fmt: skip
def add_to_cart(request: HttpRequest, token: Token, told: ItemSaid) -> Done:
    """Put units of a variant into a cart, on top of those that it shows."""
    cart = _cart(request, token)
    carts.add(cart.token, _variant(told), told.quantity)
    return _done(cart)


@write(
    router, "PUT", "/carts/{token}/lines/{variant}", scope="carts:write", status=200, answer=Cart, example=CART,
    body={"quantity": 2},
)  # fmt: skip
def change_cart(request: HttpRequest, token: Token, variant: Key, told: Quantity) -> Done:
    """Make a cart hold so many units of a variant."""
    cart = _cart(request, token)
    carts.change(cart.token, variant, told.quantity)
    return _done(cart)


@write(
    router, "DELETE", "/carts/{token}/lines/{variant}", scope="carts:write", status=200, answer=Cart, example=EMPTY
)  # fmt: skip
def remove_from_cart(request: HttpRequest, token: Token, variant: Key) -> Done:
    """Take a variant out of a cart, on whatever device it was put in."""
    cart = _cart(request, token)
    carts.remove(cart.token, variant)
    return _done(cart)


@write(
    router, "POST", "/carts/{token}/claim", scope="carts:write", status=200, answer=Cart, example=CART,
    body={"contact": {"email": "ann@example.com"}},
)  # fmt: skip
def claim_cart(request: HttpRequest, token: Token, told: Owner) -> Done:
    """Give a cart that is nobody's to a customer: from then on it is one with all other carts of theirs."""
    cart = _cart(request, token)
    check_is_met(request, told.customer)
    (customer,) = whose(request, [(told, cart.sales_channel.country)])
    if customer is None:
        raise nobody(told)
    carts.claim(cart.token, customer)
    return _done(cart)


@write(router, "POST", "/carts/{token}/hold", scope="carts:write", status=200, answer=Cart, example=CART)
def hold_cart(request: HttpRequest, token: Token) -> Done:
    """Hold the goods of a cart for the channel's minutes, in place of an earlier hold. Refused if they do not fit."""
    cart = _cart(request, token)
    carts.hold(cart.token, actor=source_of(request))
    return _done(cart)


@write(router, "POST", "/carts/{token}/release", scope="carts:write", status=200, answer=Cart, example=CART)
def release_cart(request: HttpRequest, token: Token) -> Done:
    """Give back what is held for a cart; it keeps its lines."""
    cart = _cart(request, token)
    carts.let_go(cart.token, actor=source_of(request))
    return _done(cart)


@write(
    router, "POST", "/carts/{token}/checkout", scope="carts:write", status=201, answer=Ordered, example=ORDERED,
    body=BUYER,
)  # fmt: skip
def check_out_cart(request: HttpRequest, token: Token, told: Buyer) -> Done:
    """Order what a cart shows, exactly once: the second time the same order is answered, on whatever device. It is
    unpaid, and of the goods alone, without the channel's delivery fee; refused where goods do not fit or are not
    sold."""
    cart = _cart(request, token)
    taken = carts.check_out(cart.token, actor=source_of(request), **_terms(told))
    return _ordered(taken)


@read(
    router, "/customers/{customer}/cart", scope="carts:read", answer=CartContent, example=CONTENT, filters=CartFilters
)  # fmt: skip
def get_cart_of_customer(request: HttpRequest, customer: Key, asked: Query[CartFilters]) -> CartContent:
    """Show the one cart of a person as a channel has it: what they put in anywhere, and what is different there."""
    channel = channel_of(request, asked.channel, "query.channel")
    check_is_met(request, customer, "path.customer")
    found = customer_or_404(customer)
    return CartContent.model_validate(_content(open_cart_of(found.pk, channel), found.pk))


@write(
    router, "POST", "/customers/{customer}/cart/take-over", scope="carts:write", status=201, answer=Ordered,
    example=ORDERED, body={"channel": 2, "agreed": "10.00", "handed_over": True},
)  # fmt: skip
def take_cart_over(request: HttpRequest, customer: Key, told: TakeOver) -> Done:
    """Order the cart of a person on a channel of staff, all of it or what was chosen, at what was agreed. What is not
    taken stays in their carts."""
    channel = channel_of(request, told.channel)
    check_is_met(request, customer, "path.customer")
    person = customer_or_404(customer)
    chosen = None if told.chosen is None else {one.variant: one.quantity for one in told.chosen}
    terms = carts.Terms(**_terms(told), handed_over=told.handed_over)
    taken = take_over(
        person.pk, channel, actor=source_of(request), key=_key(caller_of(request), request), quantities=chosen,
        agreed=told.agreed, terms=terms,
    )  # fmt: skip
    return _ordered(taken)


def _key(caller: Caller, request: HttpRequest) -> str:
    return f"{caller.family}:{request.headers['Idempotency-Key']}"


def _terms(told: Buyer) -> dict[str, Any]:
    said = told.model_dump(include={"name", "email", "phone", "tip"})
    given = {"shipping_address": told.shipping_address, "billing_address": told.billing_address}
    return said | {name: Address(**one.model_dump()) for name, one in given.items() if one is not None}


def _cart(request: HttpRequest, token: UUID) -> CartRow:
    """Return a cart that the caller may see. Raises Problem where there is none."""
    found = CartRow.objects.select_related("sales_channel").filter(token=token).first()
    if found is None or not caller_of(request).may_touch(found.sales_channel_id):
        raise Problem("not-found", f"There is no cart {token} that this key may see.")
    return found


def _variant(told: ItemSaid) -> int:
    if told.variant is not None:
        return told.variant
    found: int | None = Variant.objects.filter(sku=told.sku).values_list("pk", flat=True).first()
    if found is None:
        raise fault("body.sku", f"there is no SKU {told.sku[:50]!r}", "Use one of your catalogue.")
    return found


def _done(cart: CartRow, headers: dict[str, str] | None = None) -> Done:
    return Done(f"cart {cart.pk}", _shown(_again(cart)), headers=headers or {})


def _again(cart: CartRow) -> CartRow:
    return CartRow.objects.select_related("sales_channel").get(pk=cart.pk)


def _shown(cart: CartRow) -> Cart:
    is_ended = cart.reservation_key == CHECKED_OUT
    content = Opened(cart.sales_channel, (cart,), ()) if is_ended else opened(cart)
    state = "checked_out" if is_ended else "open"
    about = {"token": cart.token, "state": state, "order": cart.order_id}
    return Cart.model_validate({**_content(content, cart.customer_id), **about})


def _content(content: Opened, customer: int | None) -> dict[str, Any]:
    return {
        "channel": content.channel.pk, "customer": customer, "lines": [_line(one) for one in content.lines],
        "total": content.total, "currency": content.channel.currency,
    }  # fmt: skip


def _line(line: Shown) -> dict[str, Any]:
    wanted = line.wanted
    return {
        "variant": wanted.variant_id, "sku": line.sku, "title": line.title, "quantity": wanted.quantity,
        "price": line.price, "left": max(0, line.left), "can_be_sold": line.can_be_sold, "said_on": wanted.channel_id,
        "said_at": wanted.at, "differences": [Difference(kind=one.kind, text=one.text, was=one.was, now=one.now)
                                              for one in line.differences],
    }  # fmt: skip


def _ordered(taken: Taken) -> Done:
    order = taken.order
    body = Ordered(
        order=order.pk, number=order.number, outcome=taken.outcome, state=order.state,
        payment_state=order.payment_state, total=order.total, currency=order.currency, problem=taken.problem,
    )  # fmt: skip
    return Done(f"order {order.pk}", body)
