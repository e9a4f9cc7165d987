"""Staff of a store or of the call centre take a person's cart over into an order of their own channel.

They see the cart opened there, with what is different from where the customer put it together, and say so. What they
agree on is ordered at the prices that were shown; what is not taken stays in the customer's carts.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from decimal import Decimal

from django.db import transaction

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.persons import members
from finalmarket.kernel.errors import UserError
from finalmarket.orders.cart import Terms, order
from finalmarket.orders.intake import Taken
from finalmarket.orders.models import Cart
from finalmarket.orders.one_cart import CHECKED_OUT, agreed_cost, together, wanted_in

KEYS = uuid.UUID("6f1d8a52-9a0e-4c0b-8f57-2f2f5b0c7a11")


@transaction.atomic
def take_over(
    customer_id: int, channel: SalesChannel, *, actor: str, key: str, quantities: Mapping[int, int] | None = None,
    agreed: Decimal | None = None, terms: Terms | None = None,
) -> Taken:  # fmt: skip
    """Order the cart of the person of a profile on `channel`; return what became of it.

    `quantities` says how many units of which variants (all of the cart by default), never more than are in it. `agreed`
    is what the goods cost as the customer was told: another total is refused, so that nobody pays what was not said.
    With the same `key` it happens once. The order is of the profile asked for. Raises UserError or OutOfStock, and then
    nothing is changed.
    """
    if not members(customer_id):
        raise UserError(f"there is no customer {customer_id}")
    token = uuid.uuid5(KEYS, f"{customer_id}:{channel.pk}:{key}")
    Cart.objects.bulk_create([Cart(token=token, sales_channel=channel, customer_id=customer_id)], ignore_conflicts=True)
    mine = Cart.objects.get(token=token)
    carts = together(mine, locked=True)
    cart = next(one for one in carts if one.pk == mine.pk)
    if cart.reservation_key == CHECKED_OUT and cart.order is not None:
        return Taken(cart.order, "unchanged", cart.order.problem)
    wanted = _chosen({line.variant_id: line.quantity for line in wanted_in(carts)}, quantities)
    agreed_cost(channel, wanted, agreed, "as was said; open the cart again")
    return order(cart, carts, wanted, terms or Terms(), actor=actor)


def _chosen(in_cart: dict[int, int], quantities: Mapping[int, int] | None) -> dict[int, int]:
    chosen = in_cart if quantities is None else {variant: units for variant, units in quantities.items() if units}
    if not chosen:
        raise UserError("nothing of the cart was chosen; there is nothing to order")
    if any(units < 0 or units > in_cart.get(variant, 0) for variant, units in chosen.items()):
        raise UserError("the customer has changed the cart meanwhile; open it again")
    return chosen
