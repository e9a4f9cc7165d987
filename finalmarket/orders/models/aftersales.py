"""What follows an order: fulfilments, returns, refunds."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.orders.models.order import Order, OrderLine, Payment, amount_field
from finalmarket.stock.models import StockLocation

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class Fulfilment(models.Model):
    """A parcel, or goods handed over, from one location."""

    class State(models.TextChoices):
        PENDING = "pending", "To be picked"
        SHIPPED = "shipped", "Shipped"
        DELIVERED = "delivered", "Delivered"
        REJECTED = "rejected", "Rejected by the location"
        CANCELLED = "cancelled", "Cancelled"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="fulfilments")
    location = models.ForeignKey(StockLocation, on_delete=models.PROTECT, related_name="fulfilments")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    carrier = models.CharField(max_length=60, blank=True, default="")
    tracking_number = models.CharField(max_length=100, blank=True, default="")
    tracking_url = models.URLField(max_length=500, blank=True, default="")
    reason = models.CharField(max_length=300, blank=True, default="", help_text="Why it was routed here, or rejected")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    shipped_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    lines: RelatedManager[FulfilmentLine]

    class Meta:
        db_table = "fulfilments"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["location", "created_at"], name="fulfilments_location_day"),
            models.Index(fields=["location", "id"], name="fulfilments_to_pick", condition=Q(state="pending")),
            models.Index(fields=["tracking_number"], name="fulfilments_tracking", condition=~Q(tracking_number="")),
        ]

    def __str__(self) -> str:
        return f"Fulfilment {self.pk} of {self.order}"


class FulfilmentLine(models.Model):
    """How many units of one order line are in a fulfilment."""

    fulfilment = models.ForeignKey(Fulfilment, on_delete=models.CASCADE, related_name="lines", db_index=False)
    order_line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="fulfilment_lines")
    variant = models.ForeignKey(
        Variant, on_delete=models.PROTECT, related_name="+", db_index=False, help_text="A bundle's component"
    )
    quantity = models.PositiveIntegerField(validators=[MinValueValidator(1)])

    class Meta:
        db_table = "fulfilment_lines"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["fulfilment", "order_line", "variant"], name="fulfilment_lines_once")
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.order_line}"


class Return(models.Model):
    """Goods that come back, or a credit without a known sale. `key` makes it happen exactly once."""

    class State(models.TextChoices):
        REQUESTED = "requested", "Requested"
        RECEIVED = "received", "Received"
        CANCELLED = "cancelled", "Cancelled"

    order = models.ForeignKey(Order, null=True, blank=True, on_delete=models.PROTECT, related_name="returns")
    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.PROTECT, related_name="returns")
    customer = models.ForeignKey(
        OmnichannelCustomer, null=True, blank=True, on_delete=models.PROTECT, related_name="returns"
    )
    key = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State, default=State.RECEIVED)
    reason = models.CharField(max_length=300, blank=True, default="")
    is_linked = models.BooleanField(default=True, help_text="Off: a credit whose sale is not known")
    exchange_order = models.ForeignKey(
        Order, null=True, blank=True, on_delete=models.SET_NULL, related_name="exchange_of"
    )
    at = models.DateTimeField(db_default=Now())

    lines: RelatedManager[ReturnLine]

    class Meta:
        db_table = "returns"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sales_channel", "key"], name="returns_exactly_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["sales_channel", "at"], name="returns_channel_day")]

    def __str__(self) -> str:
        return f"Return {self.key}"


class ReturnLine(models.Model):
    """What came back of one order line, and what becomes of it."""

    class Disposition(models.TextChoices):
        RESTOCK = "restock", "Back on the shelf"
        DAMAGED = "damaged", "Damaged"
        SCRAP = "scrap", "Scrapped"
        NONE = "none", "Nothing came back"

    return_record = models.ForeignKey(Return, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField(default=0)
    order_line = models.ForeignKey(
        OrderLine, null=True, blank=True, on_delete=models.PROTECT, related_name="return_lines"
    )
    variant = models.ForeignKey(Variant, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    sku = models.CharField(max_length=100, blank=True, default="")
    quantity = models.PositiveIntegerField()
    disposition = models.CharField(max_length=8, choices=Disposition, default=Disposition.RESTOCK)
    location = models.ForeignKey(StockLocation, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    refund = amount_field(help_text="Goods credited for this line")

    class Meta:
        db_table = "return_lines"
        ordering: ClassVar = ["return_record", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["return_record", "position"], name="return_lines_position"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.sku}"


class Refund(models.Model):
    """Money given back, exactly once by its key."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="refunds")
    payment = models.ForeignKey(Payment, null=True, blank=True, on_delete=models.PROTECT, related_name="refunds")
    return_record = models.ForeignKey(Return, null=True, blank=True, on_delete=models.PROTECT, related_name="refunds")
    key = models.CharField(max_length=200)
    amount = amount_field()
    reason = models.CharField(max_length=300, blank=True, default="")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "refunds"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "key"], name="refunds_exactly_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="refunds_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.order}"
