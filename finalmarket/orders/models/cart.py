"""Carts and wishlists: what a customer means to buy."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Now

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class Cart(models.Model):
    """What a customer has put together on a channel and not ordered yet."""

    customer = models.ForeignKey(
        OmnichannelCustomer, null=True, blank=True, on_delete=models.CASCADE, related_name="carts"
    )
    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.PROTECT, related_name="carts")
    token = models.UUIDField(unique=True)
    reservation_key = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    lines: RelatedManager[CartLine]

    class Meta:
        db_table = "carts"

    def __str__(self) -> str:
        return f"Cart {self.token}"


class CartLine(models.Model):
    """One variant in a cart."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField(validators=[MinValueValidator(1)])

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
