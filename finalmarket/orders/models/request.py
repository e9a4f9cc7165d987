"""What people ask for by mail: a draft that a person confirms before it becomes an order."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.orders.models.order import Order

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class MailDoor(models.Model):
    """The address to which a mail service delivers what comes for an e-mail channel. Its secret is shown once and kept
    as a digest."""

    sales_channel = models.OneToOneField(SalesChannel, on_delete=models.CASCADE, related_name="mail_door")
    digest = models.CharField(max_length=64, unique=True)
    made_by = models.CharField(max_length=100, blank=True, default="")
    made_at = models.DateTimeField(db_default=Now())
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "mail_doors"

    def __str__(self) -> str:
        return f"door of {self.sales_channel}"


class OrderRequest(models.Model):
    """A message in which somebody asks for goods, and what was read in it. `message_id` keeps it single."""

    class State(models.TextChoices):
        WAITING = "waiting", "To be looked at"
        CONFIRMED = "confirmed", "Ordered"
        REJECTED = "rejected", "Rejected"

    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.PROTECT, related_name="order_requests")
    message_id = models.CharField(max_length=250)
    customer = models.ForeignKey(
        OmnichannelCustomer, null=True, blank=True, on_delete=models.PROTECT, related_name="order_requests"
    )
    order = models.ForeignKey(Order, null=True, blank=True, on_delete=models.SET_NULL, related_name="requests")
    email = models.CharField(max_length=320, blank=True, default="", help_text="Who says to have written")
    name = models.CharField(max_length=300, blank=True, default="")
    subject = models.CharField(max_length=300, blank=True, default="")
    text = models.TextField(blank=True, default="", help_text="As it was written")
    unproved = models.CharField(max_length=200, blank=True, default="", help_text="What speaks against the sender")
    warnings = models.JSONField(default=list, blank=True)
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=300, blank=True, default="", help_text="Why it was rejected")
    decided_by = models.CharField(max_length=100, blank=True, default="")
    sent_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    decided_at = models.DateTimeField(null=True, blank=True)

    lines: RelatedManager[OrderRequestLine]

    class Meta:
        db_table = "order_requests"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sales_channel", "message_id"], name="order_requests_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["-id"], name="order_requests_waiting", condition=Q(state="waiting")),
            models.Index(fields=["state", "-id"], name="order_requests_state"),
            models.Index(fields=["email"], name="order_requests_email", condition=~Q(email="")),
        ]

    def __str__(self) -> str:
        return self.subject or f"request {self.pk}"


class OrderRequestLine(models.Model):
    """One thing that was asked for, as far as it was understood. `candidates` are ids of variants that may be meant."""

    class Certainty(models.TextChoices):
        SURE = "sure", "Read"
        DOUBTFUL = "doubtful", "Uncertain"
        UNKNOWN = "unknown", "Not understood"

    request = models.ForeignKey(OrderRequest, on_delete=models.CASCADE, related_name="lines", db_index=False)
    position = models.PositiveIntegerField()
    text = models.CharField(max_length=400, blank=True, default="", help_text="The words it was read from")
    named = models.CharField(max_length=200, blank=True, default="")
    quantity = models.PositiveIntegerField(default=0)
    variant = models.ForeignKey(Variant, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    certainty = models.CharField(max_length=8, choices=Certainty)
    why = models.CharField(max_length=200, blank=True, default="", help_text="Why it is uncertain")
    candidates = models.JSONField(default=list, blank=True)

    class Meta:
        db_table = "order_request_lines"
        ordering: ClassVar = ["request", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["request", "position"], name="order_request_lines_position")
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.named}"
