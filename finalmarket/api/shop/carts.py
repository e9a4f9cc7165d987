"""Carts of shoppers. Whoever has the token has the cart; that of somebody who signed in is theirs alone, and is one
with what they put in on other devices."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Path, Router
from pydantic import BaseModel, Field, model_validator

from finalmarket.api.door import Done
from finalmarket.api.problems import Problem, fault
from finalmarket.api.shop.door import Shopper, read, shopper_of, write
from finalmarket.api.v1.shapes import Key, Number, Said
from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.money import quantize
from finalmarket.orders import cart as carts
from finalmarket.orders import shopping
from finalmarket.orders.drafts import OutOfStock
from finalmarket.orders.models import Cart
from finalmarket.orders.one_cart import CHECKED_OUT, Difference, Opened, Shown, opened, together, wanted_in
from finalmarket.stock import shelf

router = Router(tags=["carts"])
Token = Annotated[UUID, Path(description="`token` of the cart")]
MOST_UNITS = 999
Units = Annotated[int, Field(ge=1, le=MOST_UNITS)]


class CartDifference(BaseModel):
    """What is not as it was when it was put in."""

    kind: str = Field(description="price, currency, no_price, not_sold, sold_out or few")
    text: str
    was: str
    now: str = Field(description="Empty where more are left than a shopper is told")


class CartLineShown(BaseModel):
    """One line, at the price of now."""

    variant: int
    sku: str
    slug: str = Field(description="Of its product")
    title: str
    quantity: int
    price: Decimal | None = Field(description="Of one unit; null where it is not sold here")
    can_be_sold: bool
    differences: list[CartDifference]


class CartShown(BaseModel):
    """A cart as the shop has it now."""

    token: UUID
    state: Literal["open", "checked_out"]
    is_mine: bool = Field(description="It belongs to who signed in, and follows them")
    lines: list[CartLineShown]
    units: int
    goods: Decimal = Field(description="Of the lines that can be sold")
    delivery: Decimal = Field(description="What sending them costs")
    total_sent: Decimal = Field(description="What is to be paid where the goods are sent")
    total_collected: Decimal = Field(description="What is to be paid where they are collected")
    currency: str


class ItemAdded(Said):
    """What is put into a cart: a variant by number or by SKU."""

    variant: Number | None = None
    sku: str = Field("", max_length=100)
    quantity: Units = 1

    @model_validator(mode="after")
    def _is_one(self) -> "ItemAdded":
        if (self.variant is None) == (not self.sku):
            raise ValueError("say either variant or sku")
        return self


class UnitsSaid(Said):
    """How many units a cart is to hold."""

    quantity: Units


LINE = {
    "variant": 7, "sku": "TEA-100", "slug": "tea", "title": "Tea", "quantity": 2, "price": "4.50", "can_be_sold": True,
    "differences": [],
}  # fmt: skip
CART: dict[str, Any] = {
    "token": "0f0e6a3c-2f0b-4c53-9d53-8d3a6c1e7b11", "state": "open", "is_mine": False, "lines": [LINE], "units": 2,
    "goods": "9.00", "delivery": "4.90", "total_sent": "13.90", "total_collected": "9.00", "currency": "EUR",
}  # fmt: skip
NOTHING = {"units": 0, "goods": "0", "total_sent": "4.90", "total_collected": "0.00"}
EMPTY = {**CART, "lines": [], **NOTHING}


@write(router, "POST", "/carts", status=201, answer=CartShown, example=EMPTY, once="may")
def open_shop_cart(request: HttpRequest) -> Done:
    """Open a cart. Who signed in gets the one that they have here, with what they put in elsewhere."""
    shopper = shopper_of(request)
    return Done("cart", _shown(_own_cart(shopper)))


def _own_cart(shopper: Shopper) -> Cart:
    if shopper.session is None:
        return carts.open_cart(shopper.channel, own_only=True)
    customer_id = shopper.session.customer_id
    mine = Cart.objects.filter(customer=customer_id, sales_channel=shopper.channel, is_own_only=True)
    known = mine.exclude(reservation_key=CHECKED_OUT).select_related("sales_channel").order_by("-pk").first()
    return known or carts.open_cart(shopper.channel, customer_id=customer_id, own_only=True)


@read(router, "/carts/{token}", answer=CartShown, example=CART)
def get_shop_cart(request: HttpRequest, token: Token) -> CartShown:
    """Show a cart at the prices of now, with what is different from when it was put in."""
    return _shown(cart_of(shopper_of(request), token))


@write(
    router, "POST", "/carts/{token}/lines", status=200, answer=CartShown, example=CART, once="may",
    body={"sku": "TEA-100", "quantity": 2},
)  # fmt: skip
def add_to_shop_cart(request: HttpRequest, token: Token, told: ItemAdded) -> Done:
    """Put units of a variant that the shop sells now into a cart, on top of those that it shows."""
    shopper = shopper_of(request)
    cart = cart_of(shopper, token)
    carts.add(cart.token, variant_of(shopper.channel, told), told.quantity)
    return Done("cart", _shown(cart_of(shopper, token)))


@write(
    router, "PUT", "/carts/{token}/lines/{variant}", status=200, answer=CartShown, example=CART, body={"quantity": 2}
)  # fmt: skip
def change_shop_cart(request: HttpRequest, token: Token, variant: Key, told: UnitsSaid) -> Done:
    """Make a cart hold so many units of a variant that is in it, or that the shop sells now."""
    shopper = shopper_of(request)
    cart = cart_of(shopper, token)
    if all(one.variant_id != variant for one in wanted_in(together(cart), cart.pk)):
        _check_is_sold(shopper.channel, variant)
    carts.change(cart.token, variant, told.quantity)
    return Done("cart", _shown(cart_of(shopper, token)))


@write(router, "DELETE", "/carts/{token}/lines/{variant}", status=200, answer=CartShown, example=EMPTY)
def remove_from_shop_cart(request: HttpRequest, token: Token, variant: Key) -> Done:
    """Take a variant out of a cart."""
    shopper = shopper_of(request)
    carts.remove(cart_of(shopper, token).token, variant)
    return Done("cart", _shown(cart_of(shopper, token)))


@write(router, "POST", "/carts/{token}/hold", status=200, answer=CartShown, example=CART)
def hold_shop_cart(request: HttpRequest, token: Token) -> Done:
    """Begin the checkout: the goods are held for the shop's minutes. Refused where they do not fit."""
    shopper = shopper_of(request)
    cart = cart_of(shopper, token)
    with counts_untold(cart):
        carts.hold(cart.token, actor=shopper.actor)
    return Done("cart", _shown(cart_of(shopper, token)))


@write(router, "POST", "/carts/{token}/release", status=200, answer=CartShown, example=CART)
def release_shop_cart(request: HttpRequest, token: Token) -> Done:
    """Give back what is held for a cart; it keeps its lines."""
    shopper = shopper_of(request)
    carts.let_go(cart_of(shopper, token).token, actor=shopper.actor)
    return Done("cart", _shown(cart_of(shopper, token)))


def cart_of(shopper: Shopper, token: UUID) -> Cart:
    """Return a cart that the caller may see: of this shop, and nobody's or their own. Raises Problem for any other."""
    rows = Cart.objects.select_related("sales_channel").filter(is_own_only=True, sales_channel=shopper.channel)
    found = rows.filter(token=token).first()
    if found is not None and found.customer_id is not None:
        session = shopper.session
        if session is None or found.customer_id != session.customer_id:
            found = None
    if found is None:
        raise Problem("not-found", f"There is no cart {token} for you here.", "Open a new one, or sign in again.")
    return found


@contextmanager
def counts_untold(cart: Cart) -> Iterator[None]:
    """Within it stock that the goods of a cart do not fit is a Problem that names them, and not how many there are."""
    try:
        yield
    except OutOfStock as error:
        lacking = dict.fromkeys(line.title for line in opened(cart).lines if not line.can_be_sold)
        raise Problem(
            "refused", f"Not so many are left of {', '.join(lacking) or 'what is wanted'}.",
            "Look at the cart, and take fewer.",
        ) from error  # fmt: skip


def variant_of(channel: SalesChannel, told: ItemAdded) -> int:
    """Return the variant that is meant. Raises Problem for one that the shop does not sell now: whether there is such a
    one elsewhere is told to nobody."""
    if told.variant is not None:
        _check_is_sold(channel, told.variant)
        return told.variant
    found: int | None = shelf.variants_of(channel).filter(sku=told.sku).values_list("pk", flat=True).first()
    if found is None:
        raise fault("body.sku", f"the shop does not sell SKU {told.sku[:50]!r} now", "Use one of its products.")
    return found


def _check_is_sold(channel: SalesChannel, variant: int) -> None:
    if not shelf.variants_of(channel).filter(pk=variant).exists():
        raise Problem("refused", f"The shop does not sell variant {variant} now.", "Use one of its products.")


def _shown(cart: Cart) -> CartShown:
    is_ended = cart.reservation_key == CHECKED_OUT
    content = Opened(cart.sales_channel, (cart,), ()) if is_ended else opened(cart)
    ids = [line.wanted.variant_id for line in content.lines]
    channel = cart.sales_channel
    fee = shopping.delivery_fee(channel, content.total)
    slugs = dict(Variant.objects.filter(pk__in=ids).values_list("pk", "product__slug")) if ids else {}
    return CartShown(
        token=cart.token, state="checked_out" if is_ended else "open", is_mine=cart.customer_id is not None,
        lines=[_line(line, slugs[line.wanted.variant_id]) for line in content.lines],
        units=sum(line.wanted.quantity for line in content.lines), goods=content.total, delivery=fee,
        total_sent=quantize(content.total + fee, channel.currency),
        total_collected=quantize(content.total, channel.currency), currency=channel.currency,
    )  # fmt: skip


def _line(line: Shown, slug: str) -> CartLineShown:
    return CartLineShown(
        variant=line.wanted.variant_id, sku=line.sku, slug=slug, title=line.title, quantity=line.wanted.quantity,
        price=line.price, can_be_sold=line.can_be_sold,
        differences=[_difference(one) for one in line.differences],
    )  # fmt: skip


def _difference(one: Difference) -> CartDifference:
    """As a shopper reads it, who is told that the last few are left, and of more not how many."""
    if one.kind == "few" and int(one.now) > shelf.FEW:
        return CartDifference(kind=one.kind, text="not so many are left", was=one.was, now="")
    return CartDifference(kind=one.kind, text=one.text, was=one.was, now=one.now)
