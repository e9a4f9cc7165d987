"""Signing in by a mailed code, what the person wishes for and ordered, and pairing a kiosk."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel, Field

from finalmarket.access import shop_devices
from finalmarket.access.shop_models import ShopKey
from finalmarket.api.door import Done
from finalmarket.api.problems import Problem
from finalmarket.api.shop.carts import cart_of
from finalmarket.api.shop.door import Shopper, count_code, read, shopper_of, write
from finalmarket.api.shop.orders import device_of, token_of
from finalmarket.api.v1.shapes import Key, Said
from finalmarket.customers import sign_in
from finalmarket.customers.models import ShopperSession
from finalmarket.kernel.errors import UserError
from finalmarket.orders import cart as carts
from finalmarket.orders.models import Order
from finalmarket.orders.wishes import unwish, wish, wishes
from finalmarket.stock import shelf

router = Router(tags=["people"])
MOST_ORDERS = 20


class CodeAsked(Said):
    """To whom a code is mailed."""

    email: str = Field(min_length=3, max_length=320)


class CodeTried(CodeAsked):
    """The code that was mailed, and the cart that is taken along."""

    code: str = Field(min_length=1, max_length=20)
    cart: UUID | None = None


class SignedIn(BaseModel):
    """What the page keeps, and shows as `Authorization: Bearer`."""

    token: str
    email: str
    name: str


class Me(BaseModel):
    """Who signed in."""

    email: str
    name: str


class Wish(BaseModel):
    """A variant that somebody wishes for."""

    variant: int
    sku: str
    slug: str
    title: str


class Wishes(BaseModel):
    """All of them, the oldest first."""

    items: list[Wish]


class OrderOfMine(BaseModel):
    """An order of who signed in, placed in this shop."""

    token: str
    number: str
    placed_at: str
    state: str
    total: str
    currency: str


class OrdersOfMine(BaseModel):
    """The newest of them."""

    items: list[OrderOfMine]


class PairingCode(Said):
    """The code that the console shows."""

    code: str = Field(min_length=1, max_length=20)


class Paired(BaseModel):
    """What the kiosk keeps, and shows as `X-Shop-Device`."""

    token: str
    name: str


WISHES = {"items": [{"variant": 7, "sku": "TEA-100", "slug": "tea", "title": "Tea"}]}
MINE: dict[str, Any] = {
    "token": "12.q8Jx", "number": "W-12", "placed_at": "2026-05-04T12:00:00+00:00", "state": "open",
    "total": "13.90", "currency": "EUR",
}  # fmt: skip


@write(router, "POST", "/sign-in", status=204, answer=None, body={"email": "ann@example.com"})
def ask_for_code(request: HttpRequest, told: CodeAsked) -> Done:
    """Have a code mailed, whether or not the address is known here."""
    count_code(request)
    try:
        sign_in.ask_for_code(shopper_of(request).channel, told.email)
    except sign_in.TooManyCodes as error:
        raise Problem("too-fast", f"{str(error).capitalize()}.", headers={"Retry-After": "600"}) from error
    return Done("code")


@write(
    router, "POST", "/sign-in/code", status=200, answer=SignedIn, body={"email": "ann@example.com", "code": "123456"},
    example={"token": "st_...", "email": "ann@example.com", "name": "Ann Lee"},
)  # fmt: skip
def sign_in_by_code(request: HttpRequest, told: CodeTried) -> Done:
    """Sign in. What is in `cart` is theirs from now on, and one with what they put in elsewhere."""
    count_code(request)
    shopper = shopper_of(request)
    try:
        session, token = sign_in.redeem(shopper.channel, told.email, told.code, device=device_of(shopper))
    except UserError as error:
        raise Problem(
            "not-let-in", f"{str(error).capitalize()}.", "Look at the newest mail, or ask for one."
        ) from error
    if told.cart is not None:
        _take_along(shopper, told.cart, session)
    return Done("session", SignedIn(token=token, email=session.customer.email, name=session.customer.name))


def _take_along(shopper: Shopper, token: UUID, session: ShopperSession) -> None:
    """A cart that is gone, or somebody else's, keeps nobody from signing in."""
    try:
        cart = cart_of(shopper, token)
        carts.claim(cart.token, session.customer_id)
    except (Problem, UserError):
        return


@write(router, "POST", "/sign-out", status=204, answer=None)
def sign_out(request: HttpRequest) -> Done:
    """End the session."""
    sign_in.sign_out(_session(request))
    return Done("session")


@read(router, "/me", answer=Me, example={"email": "ann@example.com", "name": "Ann Lee"})
def get_me(request: HttpRequest) -> Me:
    """Say who signed in."""
    customer = _session(request).customer
    return Me(email=customer.email, name=customer.name)


@read(router, "/me/orders", answer=OrdersOfMine, example={"items": [MINE]})
def list_my_orders(request: HttpRequest) -> OrdersOfMine:
    """List what was ordered in this shop under their address, the newest first."""
    mine = Order.objects.filter(customer=_session(request).customer_id, sales_channel=shopper_of(request).channel)
    return OrdersOfMine(
        items=[
            OrderOfMine(
                token=token_of(one), number=one.number, placed_at=one.placed_at.isoformat(), state=one.state,
                total=f"{one.total:f}", currency=one.currency,
            )
            for one in mine.order_by("-placed_at", "-id")[:MOST_ORDERS]
        ]
    )  # fmt: skip


@read(router, "/wishlist", answer=Wishes, example=WISHES)
def get_wishlist(request: HttpRequest) -> Wishes:
    """List what the person wishes for, on whatever device they said so."""
    return _wishes(_session(request))


@write(router, "PUT", "/wishlist/{variant}", status=200, answer=Wishes, example=WISHES)
def add_wish(request: HttpRequest, variant: Key) -> Done:
    """Put a variant that the shop sells now on the wishlist; wishing twice changes nothing."""
    session, channel = _session(request), shopper_of(request).channel
    if not shelf.variants_of(channel).filter(pk=variant).exists():
        raise Problem("not-found", f"The shop does not sell variant {variant} now.", "Look for it in its product.")
    wish(session.customer_id, variant, channel_id=channel.pk, own_only=True)
    return Done("wish", _wishes(session))


@write(router, "DELETE", "/wishlist/{variant}", status=200, answer=Wishes, example={"items": []})
def remove_wish(request: HttpRequest, variant: Key) -> Done:
    """Take a variant off the wishlist."""
    session = _session(request)
    unwish(session.customer_id, variant, own_only=True)
    return Done("wish", _wishes(session))


@write(
    router, "POST", "/devices/pair", status=200, answer=Paired, body={"code": "ABCD-2345"}, needs_device=False,
    example={"token": "dt_...", "name": "Kiosk at the door"},
)  # fmt: skip
def pair_device(request: HttpRequest, told: PairingCode) -> Done:
    """Pair a kiosk by the code that the console shows; it works once."""
    count_code(request)
    shopper = shopper_of(request)
    if shopper.key.kind != ShopKey.Kind.DEVICE:
        raise Problem("not-allowed", "This key is not for devices.", "Use the key of a kiosk.")
    device, token = shop_devices.pair(shopper.channel, told.code)
    return Done("device", Paired(token=token, name=device.name))


def _session(request: HttpRequest) -> ShopperSession:
    found = shopper_of(request).session
    if found is None:
        raise Problem("not-let-in", "Nobody has signed in.", "Sign in by a mailed code: POST /sign-in.")
    return found


def _wishes(session: ShopperSession) -> Wishes:
    return Wishes(
        items=[
            Wish(variant=one.variant_id, sku=one.variant.sku, slug=one.variant.product.slug, title=one.variant.label)
            for one in wishes(session.customer_id, own_only=True)
        ]
    )
