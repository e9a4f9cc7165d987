"""Calls: somebody is on the phone with a clerk, and an order may come of it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.orders.models.cart import Cart
from finalmarket.orders.models.order import Order


class PhoneCall(models.Model):
    """One call on a phone channel. While it lasts, what is wanted lies in a cart of its own, which is nobody's until it
    is ordered: what the customer has in their carts elsewhere stays as it is."""

    class Direction(models.TextChoices):
        INBOUND = "inbound", "They called"
        OUTBOUND = "outbound", "We called"

    token = models.UUIDField(unique=True)
    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.PROTECT, related_name="calls")
    customer = models.ForeignKey(
        OmnichannelCustomer, null=True, blank=True, on_delete=models.PROTECT, related_name="calls"
    )
    cart = models.OneToOneField(Cart, null=True, blank=True, on_delete=models.SET_NULL, related_name="call")
    order = models.ForeignKey(Order, null=True, blank=True, on_delete=models.SET_NULL, related_name="calls")
    direction = models.CharField(max_length=8, choices=Direction, default=Direction.INBOUND)
    number = models.CharField(max_length=40, blank=True, default="", help_text="As the telephone showed it")
    note = models.TextField(blank=True, default="")
    agent = models.CharField(max_length=100, help_text="Who was at our end")
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "phone_calls"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["agent", "-id"], name="phone_calls_agent"),
            models.Index(fields=["agent"], name="phone_calls_open", condition=Q(ended_at=None)),
        ]

    def __str__(self) -> str:
        return f"call {self.pk}"
