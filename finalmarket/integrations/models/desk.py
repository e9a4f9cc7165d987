"""What is bought and begun at a platform for one order: labels for parcels, payments on the platform's own page."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.integrations.models.account import ChannelIntegration
from finalmarket.orders.models import Fulfilment, Order


class ShippingLabel(models.Model):
    """A label bought for a parcel, and where the parcel is. `buying` and `voiding` are doubtful: the platform is asked
    what became of them before it is told again. A parcel has one label that counts; voided ones stay on record."""

    class State(models.TextChoices):
        BUYING = "buying", "Being bought"
        BOUGHT = "bought", "Bought"
        VOIDING = "voiding", "Being given back"
        VOIDED = "voided", "Given back"
        FAILED = "failed", "Not bought"

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.PROTECT, related_name="labels")
    fulfilment = models.ForeignKey(Fulfilment, on_delete=models.CASCADE, related_name="labels")
    key = models.CharField(max_length=100)
    label_id = models.CharField(max_length=200, blank=True, default="")
    carrier = models.CharField(max_length=60, blank=True, default="")
    service = models.CharField(max_length=100, blank=True, default="")
    rate_id = models.CharField(max_length=200, blank=True, default="")
    tracking_number = models.CharField(max_length=100, blank=True, default="")
    tracking_url = models.URLField(max_length=500, blank=True, default="")
    label_url = models.URLField(max_length=1000, blank=True, default="")
    amount = models.DecimalField(max_digits=14, decimal_places=4, default=0)
    currency = models.CharField(max_length=3, blank=True, default="")
    state = models.CharField(max_length=8, choices=State, default=State.BUYING)
    tracking_state = models.CharField(max_length=20, blank=True, default="")
    tracking_version = models.CharField(max_length=60, blank=True, default="")
    tracking_steps = models.JSONField(default=list, blank=True)
    last_error = models.CharField(max_length=500, blank=True, default="")
    actor = models.CharField(max_length=100, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    bought_at = models.DateTimeField(null=True, blank=True)
    next_look_at = models.DateTimeField(null=True, blank=True, help_text="When the parcel is asked after next")

    class Meta:
        db_table = "shipping_labels"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "key"], name="shipping_labels_once"),
            models.UniqueConstraint(
                fields=["fulfilment"], name="shipping_labels_one_counts",
                condition=Q(state__in=["buying", "bought", "voiding"]),
            ),
        ]  # fmt: skip
        indexes: ClassVar = [
            models.Index(fields=["tracking_number"], name="shipping_labels_tracking"),
            models.Index(fields=["integration", "label_id"], name="shipping_labels_label"),
            models.Index(
                fields=["next_look_at"], name="shipping_labels_under_way", condition=~Q(next_look_at=None)
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.tracking_number or self.key


class PaymentPage(models.Model):
    """A payment that a buyer makes on a platform's own page, until it becomes a payment of the order. The way back
    (`token`) and the platform's webhook may both say that it was approved: it takes effect once."""

    class State(models.TextChoices):
        STARTING = "starting", "Being opened"
        STARTED = "started", "Waits for the buyer"
        DONE = "done", "Paid or reserved"
        CANCELLED = "cancelled", "Given up by the buyer"
        FAILED = "failed", "Failed"

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.PROTECT, related_name="payment_pages")
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="payment_pages")
    key = models.CharField(max_length=100)
    token = models.CharField(max_length=64, unique=True)
    external_id = models.CharField(max_length=200, blank=True, default="")
    amount = models.DecimalField(max_digits=14, decimal_places=4)
    currency = models.CharField(max_length=3)
    approve_url = models.URLField(max_length=1000, blank=True, default="")
    back_url = models.URLField(max_length=1000, blank=True, default="", help_text="Where the buyer goes on to")
    state = models.CharField(max_length=9, choices=State, default=State.STARTING)
    last_error = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    asked_at = models.DateTimeField(null=True, blank=True, help_text="When the platform was last asked to finish it")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "payment_pages"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "key"], name="payment_pages_once"),
            models.UniqueConstraint(
                fields=["integration", "external_id"], name="payment_pages_external", condition=~Q(external_id="")
            ),
            models.UniqueConstraint(
                fields=["integration", "order"], name="payment_pages_one_open",
                condition=Q(state__in=["starting", "started"]),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.external_id or self.key


class Ticket(models.Model):
    """A ticket opened at a platform about an order of ours, and what the agents were told of it since."""

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.PROTECT, related_name="tickets")
    order = models.ForeignKey(Order, null=True, blank=True, on_delete=models.CASCADE, related_name="tickets")
    key = models.CharField(max_length=100)
    external_id = models.CharField(max_length=200, blank=True, default="")
    subject = models.CharField(max_length=300)
    text = models.TextField()
    priority = models.CharField(max_length=6, default="normal", db_default="normal")
    actor = models.CharField(max_length=100, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    noted_digest = models.CharField(max_length=64, blank=True, default="", help_text="Of the context last told")

    class Meta:
        db_table = "tickets"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["integration", "key"], name="tickets_once")]
        indexes: ClassVar = [models.Index(fields=["integration", "external_id"], name="tickets_external")]

    def __str__(self) -> str:
        return self.subject
