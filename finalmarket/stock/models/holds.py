"""Holds and promises, down to the location."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.stock.models.places import StockLocation

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class Reservation(models.Model):
    """A hold on stock: soft with an end time (held), or a hard promise to an order (confirmed)."""

    class State(models.TextChoices):
        HELD = "held", "Held"
        CONFIRMED = "confirmed", "Confirmed"
        RELEASED = "released", "Released"
        EXPIRED = "expired", "Expired"
        CLOSED = "closed", "Fulfilled or taken back"

    key = models.CharField(max_length=200)
    body_hash = models.BigIntegerField()
    sales_channel = models.ForeignKey(
        SalesChannel, on_delete=models.PROTECT, related_name="reservations", db_constraint=False, db_index=False
    )
    location = models.ForeignKey(
        StockLocation, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False, null=True,
        help_text="From there alone, where that was asked for",
    )  # fmt: skip
    state = models.CharField(max_length=10, choices=State, default=State.HELD)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    lines: RelatedManager[ReservationLine]

    class Meta:
        db_table = "reservation"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["key"], name="reservation_key_open", condition=Q(state__in=["held", "confirmed", "closed"])
            )
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.state})"


class ReservationLine(models.Model):
    """Units held or promised at one location; `quantity` counts what is still open."""

    pk = models.CompositePrimaryKey("reservation", "position")
    reservation = models.ForeignKey(
        Reservation, on_delete=models.PROTECT, related_name="lines", db_constraint=False, db_index=False
    )
    position = models.SmallIntegerField()
    line = models.SmallIntegerField(help_text="Which line of the request this serves, from 0")
    variant = models.ForeignKey(
        Variant, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    location = models.ForeignKey(
        StockLocation, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False, null=True
    )
    sales_channel = models.ForeignKey(
        SalesChannel, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    promised = models.IntegerField(help_text="What was taken at first")
    quantity = models.IntegerField(help_text="What is still open")
    from_fence = models.IntegerField(default=0, db_default=0)
    lender = models.ForeignKey(
        SalesChannel, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False, null=True
    )
    short = models.IntegerField(default=0, db_default=0, help_text="Promised units that turned out not to be there")
    is_backorder = models.BooleanField(default=False, db_default=False)
    state = models.CharField(max_length=10, choices=Reservation.State)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "reservation_line"
        indexes: ClassVar = [
            models.Index(fields=["variant", "expires_at"], name="reservation_line_held", condition=Q(state="held")),
            models.Index(
                fields=["variant", "reservation"], name="reservation_line_backorder", condition=Q(is_backorder=True)
            ),
            models.Index(
                fields=["variant"],
                name="reservation_line_confirmed",
                condition=Q(state="confirmed", quantity__gt=0),
            ),
            models.Index(fields=["variant"], name="reservation_line_short", condition=Q(short__gt=0)),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(quantity__gte=0), name="reservation_line_quantity"),
            models.CheckConstraint(
                condition=Q(from_fence__gte=0) & Q(from_fence__lte=F("quantity")), name="reservation_line_from_fence"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.variant_id}"
