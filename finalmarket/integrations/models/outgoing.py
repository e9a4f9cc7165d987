"""Webhooks of our own: who wants to hear of what, what happened, and what became of each telling."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.channels.models import SalesChannel


class WebhookEndpoint(models.Model):
    """An address that hears of events: of all channels, or of the orders of one (`sales_channel`).

    `topics` are names such as "order.created", or "order.*", or "*". `dialect` says in whose words it is told: ours, or
    those of shopping agents (outgoing/dialects.py). Deliveries are signed with `secret` and, until `previous_until`,
    with the one before. An endpoint that fails for days is switched off, and says why.
    """

    class Dialect(models.TextChoices):
        OURS = "ours", "Standard Webhooks"
        AGENT = "agent", "Agentic Commerce Protocol"

    url = models.URLField(max_length=500)
    dialect = models.CharField(max_length=8, choices=Dialect, default=Dialect.OURS, db_default=Dialect.OURS)
    sales_channel = models.ForeignKey(
        SalesChannel, null=True, blank=True, on_delete=models.CASCADE, related_name="webhook_endpoints"
    )
    description = models.CharField(max_length=200, blank=True, default="")
    topics = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    secret = models.BinaryField(editable=False)
    previous_secret = models.BinaryField(null=True, blank=True, editable=False)
    previous_until = models.DateTimeField(null=True, blank=True, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_reason = models.CharField(max_length=300, blank=True, default="", editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "webhook_endpoints"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.url


class OutgoingEvent(models.Model):
    """Something that happened here, noted by the database itself in the transaction in which it happened.

    `data` is what receivers are told: filled in shortly after, from the records as they stand then.
    """

    topic = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    at = models.DateTimeField(db_default=Now())
    data = models.JSONField(null=True, blank=True)
    prepared_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "outgoing_events"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["id"], name="outgoing_events_fresh", condition=Q(prepared_at=None)),
            models.Index(fields=["at"], name="outgoing_events_age"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.subject_id}"


class OutgoingDelivery(models.Model):
    """The telling of one event to one endpoint: tried until it is taken, or for some two days."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waits"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Given up"

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(OutgoingEvent, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(db_default=Now())
    last_status = models.IntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True, default="")
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "outgoing_deliveries"
        verbose_name_plural = "outgoing deliveries"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["endpoint", "event"], name="outgoing_deliveries_once")]
        indexes: ClassVar = [
            models.Index(fields=["endpoint", "next_try_at"], name="outgoing_deliveries_due",
                         condition=Q(state="waiting")),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"event {self.event_id} to endpoint {self.endpoint_id}"
