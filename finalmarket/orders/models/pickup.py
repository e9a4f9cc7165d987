"""Orders that their customers collect at a store."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.orders.models.order import Order
from finalmarket.stock.models import StockLocation


class Pickup(models.Model):
    """An order that is put together at a store and collected there, by whoever knows its code or has its name."""

    class State(models.TextChoices):
        WAITING = "waiting", "To be put together"
        READY = "ready", "Ready to collect"
        COLLECTED = "collected", "Collected"
        GIVEN_UP = "given_up", "Given up"

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="pickup")
    location = models.ForeignKey(StockLocation, on_delete=models.PROTECT, related_name="pickups")
    code = models.CharField(max_length=6, help_text="Six digits that the customer shows")
    name = models.CharField(max_length=300, blank=True, default="", help_text="Who may collect without the code")
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    ready_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it was collected or given up")

    class Meta:
        db_table = "pickups"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["location", "id"], name="pickups_open", condition=Q(state__in=["waiting", "ready"])),
        ]

    def __str__(self) -> str:
        return f"pick up of {self.order}"
