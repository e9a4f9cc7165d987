"""Carts and wishlists: what a customer means to buy."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models.functions import Now

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.orders.models.order import Order

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class Cart(models.Model):
    """What was put together on a channel, by one profile, and not ordered yet. A person sees the open carts of all
    their profiles as one: see orders/one_cart.py."""

    customer = models.ForeignKey(
        OmnichannelCustomer, null=True, blank=True, on_delete=models.CASCADE, related_name="carts"
    )
    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.PROTECT, related_name="carts")
    token = models.UUIDField(unique=True)
    reservation_key = models.CharField(max_length=200, blank=True, default="")
    order = models.ForeignKey(
        Order, null=True, blank=True, on_delete=models.SET_NULL, related_name="carts", help_text="What became of it"
    )
    is_own_only = models.BooleanField(
        default=False, db_default=False,
        help_text="Shown to shoppers: one with carts of this very profile, not of all that evidence says is the person",
    )  # fmt: skip
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    lines: RelatedManager[CartLine]

    class Meta:
        db_table = "carts"

    def __str__(self) -> str:
        return f"Cart {self.token}"


class CartLine(models.Model):
    """What was said last of one variant in one cart. No units: it was taken out, of the person's other carts too. The
    price is what the channel asked for one unit then, so that another channel can say what is different."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField()
    unit_price = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="", db_default="")
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "cart_lines"
        constraints: ClassVar = [models.UniqueConstraint(fields=["cart", "variant"], name="cart_lines_once")]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.variant_id}"


class Wishlist(models.Model):
    """A variant that a customer would like to have, and where they said so."""

    customer = models.ForeignKey(OmnichannelCustomer, on_delete=models.CASCADE, related_name="wishlist")
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="+")
    sales_channel = models.ForeignKey(SalesChannel, null=True, blank=True, on_delete=models.SET_NULL)
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "wishlists"
        constraints: ClassVar = [models.UniqueConstraint(fields=["customer", "variant"], name="wishlists_once")]

    def __str__(self) -> str:
        return f"{self.variant_id} for {self.customer_id}"
