"""What is done with a cart is told as what its customer did, in the same transaction and so exactly once: journeys see
carts of shops that track nothing. Where a shop's own tracking tells of carts, its channel says so (`cart_events`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.orders.models import Cart, CartLine, Wishlist


def tell_change(cart: Cart, variant_id: int, was: int, units: int, line: CartLine | None = None) -> None:
    """Tell that a cart holds other units of a variant than it did; the difference is what was put in or taken out."""
    if units == was or not _is_told(cart):
        return
    sku = Variant.objects.values_list("sku", flat=True).get(pk=variant_id)
    context: dict[str, Any] = {"sku": sku, "quantity": abs(units - was), "cart": cart.pk}
    if line is not None and line.unit_price is not None:
        context |= {"price": line.unit_price, "currency": line.currency}
    _tell(cart, "add_to_cart" if units > was else "remove_from_cart", **context)


def tell_checkout(cart: Cart, units: int) -> None:
    """Tell that somebody began to buy: the goods of their cart are held for them."""
    if _is_told(cart):
        _tell(cart, "checkout_start", units=units, cart=cart.pk)


def tell_lines(cart: Cart, lines: Iterable[CartLine]) -> None:
    """Tell what lies in a cart that has become somebody's: they put it in when they did."""
    for line in lines if _is_told(cart) else ():
        if line.quantity:
            _tell(
                cart, "add_to_cart", sku=line.variant.sku, quantity=line.quantity, price=line.unit_price,
                currency=line.currency, cart=cart.pk, occurred_at=line.changed_at,
            )  # fmt: skip


def tell_wish(wish: Wishlist) -> None:
    """Tell that somebody wishes for something, where it is known on which channel."""
    channel = wish.sales_channel
    if channel is not None and _tells(channel):
        wish.customer.track_interaction(channel, "wishlist_add", sku=wish.variant.sku)  # see journeys/record.py


def _is_told(cart: Cart) -> bool:
    return cart.customer_id is not None and _tells(cart.sales_channel)


def _tells(channel: SalesChannel) -> bool:
    return channel.configuration.get("cart_events", True) is not False


def _tell(cart: Cart, interaction_type: str, /, **context: Any) -> None:
    """Record it on the profile that the cart lies on."""
    if cart.customer is not None:
        cart.customer.track_interaction(cart.sales_channel, interaction_type, **context)  # see journeys/record.py
