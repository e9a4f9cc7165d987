"""What happened to an order, and which promises in stock stand behind its lines."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.catalog.models import Variant
from finalmarket.orders.models.order import Order, OrderLine
from finalmarket.stock.models import Reservation


class OrderEvent(models.Model):
    """One entry of an order's history, in words. `key` makes the verb behind it happen exactly once."""

    class Kind(models.TextChoices):
        TAKEN = "taken", "Taken"
        UPDATED = "updated", "Updated"
        PROMISED = "promised", "Promised"
        ROUTED = "routed", "Routed"
        SHIPPED = "shipped", "Shipped"
        DELIVERED = "delivered", "Delivered"
        REJECTED = "rejected", "Rejected by a location"
        CANCELLED = "cancelled", "Cancelled"
        RETURNED = "returned", "Returned"
        PAID = "paid", "Payment"
        REFUNDED = "refunded", "Refunded"
        PROBLEM = "problem", "Problem"
        NOTE = "note", "Note"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="events", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind)
    text = models.CharField(max_length=500, blank=True, default="", help_text="No personal data")
    key = models.CharField(max_length=200, blank=True, default="")
    actor = models.CharField(max_length=100, default="system")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "order_events"
        ordering: ClassVar = ["order", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "key"], name="order_events_exactly_once", condition=~Q(key="")),
        ]
        indexes: ClassVar = [models.Index(fields=["order", "id"], name="order_events_history")]

    def __str__(self) -> str:
        return f"{self.kind}, order {self.order_id}"


class OrderPromise(models.Model):
    """Which line of which reservation stands behind an order line; a bundle has one row per component."""

    order_line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="promises", db_index=False)
    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, related_name="promises")
    line = models.SmallIntegerField(help_text="Line of the reservation's request, from 0")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+", db_index=False)
    per_unit = models.PositiveIntegerField(default=1, help_text="Units of the variant in one unit of the order line")

    class Meta:
        db_table = "order_promises"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["order_line", "reservation", "line", "variant"], name="order_promises_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_line}: reservation {self.reservation_id}"
