"""Wishlists: what a customer would like to have, on whatever device they said so.

`own_only`, throughout: the profile is meant and not its person, for shoppers see what they have proved.
"""

from __future__ import annotations

from django.db import transaction

from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.persons import members
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders.cart_told import tell_wish
from finalmarket.orders.models import Wishlist

MOST_WISHES = 500


def wish(customer_id: int, variant_id: int, *, channel_id: int | None = None, own_only: bool = False) -> Wishlist:
    """Put a variant on a customer's wishlist; wishing twice changes nothing, on whatever device. Raises UserError where
    500 are on it."""
    ids = _whose(customer_id, own_only)
    # Whoever wishes on two devices at once waits here, so that one wish comes of it.
    with transaction.atomic():
        list(OmnichannelCustomer.objects.select_for_update(no_key=True).filter(pk__in=ids[:1]).values_list("pk"))
        known = Wishlist.objects.filter(customer__in=ids, variant=variant_id).order_by("added_at", "pk").first()
        if known is not None:
            return known
        if Wishlist.objects.filter(customer__in=ids).count() >= MOST_WISHES:
            raise UserError(f"a wishlist has at most {MOST_WISHES} variants; take one off it first")
        made = Wishlist.objects.create(
            customer_id=customer_id, variant_id=variant_id, sales_channel_id=channel_id, added_at=clock.now()
        )
        tell_wish(made)
        return made


def unwish(customer_id: int, variant_id: int, *, own_only: bool = False) -> None:
    """Take a variant off a customer's wishlist, on whatever device it was wished for; one that is not on it is passed
    over."""
    Wishlist.objects.filter(customer__in=_whose(customer_id, own_only), variant_id=variant_id).delete()


def wishes(customer_id: int, *, own_only: bool = False) -> list[Wishlist]:
    """Return what the person of a profile wishes for, the oldest first, each variant once."""
    rows = Wishlist.objects.filter(customer__in=_whose(customer_id, own_only)).order_by("added_at", "pk")
    found: dict[int, Wishlist] = {}
    for row in rows.select_related("variant__product", "sales_channel"):
        found.setdefault(row.variant_id, row)
    return list(found.values())


def _whose(customer_id: int, own_only: bool) -> list[int]:
    return [customer_id] if own_only else members(customer_id)
