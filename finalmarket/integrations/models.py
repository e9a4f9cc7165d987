"""Connections to outside platforms, and the records of what went through them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.channels.models import SalesChannel


class ChannelIntegration(models.Model):
    """One account on one outside platform."""

    class IntegrationType(models.TextChoices):
        MARKETPLACE = "marketplace", "Marketplace"
        SOCIAL = "social_commerce", "Social commerce"
        POS = "pos", "Point of sale"
        ERP = "erp", "ERP"
        CRM = "crm", "CRM"
        SHIPPING = "shipping", "Shipping"
        PAYMENT = "payment", "Payment"
        ANALYTICS = "analytics", "Analytics"
        EMAIL = "email", "E-mail"
        CHAT = "chat", "Chat"

    class Status(models.TextChoices):
        NEW = "new", "Not connected"
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        NEEDS_ATTENTION = "needs_attention", "Needs attention"
        DISCONNECTED = "disconnected", "Disconnected"

    sales_channel = models.ForeignKey(
        SalesChannel, null=True, blank=True, on_delete=models.PROTECT, related_name="integrations"
    )
    platform_name = models.CharField(max_length=60)
    integration_type = models.CharField(max_length=16, choices=IntegrationType)
    account_label = models.CharField(max_length=100, blank=True, default="")
    status = models.CharField(max_length=16, choices=Status, default=Status.NEW)
    settings = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "channel_integrations"
        ordering: ClassVar = ["platform_name", "id"]

    def __str__(self) -> str:
        return f"{self.platform_name} {self.account_label}".strip()


class Credential(models.Model):
    """A secret of an integration, encrypted at rest; it is never shown again."""

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="credentials")
    name = models.CharField(max_length=60)
    encrypted = models.BinaryField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "credentials"
        constraints: ClassVar = [models.UniqueConstraint(fields=["integration", "name"], name="credentials_once")]

    def __str__(self) -> str:
        return self.name


class ExternalId(models.Model):
    """What a platform calls one of our records."""

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="external_ids")
    kind = models.CharField(max_length=30)
    external_id = models.CharField(max_length=200)
    local_id = models.BigIntegerField()

    class Meta:
        db_table = "external_ids"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "kind", "external_id"], name="external_ids_once")
        ]
        indexes: ClassVar = [models.Index(fields=["integration", "kind", "local_id"], name="external_ids_local")]

    def __str__(self) -> str:
        return f"{self.kind} {self.external_id}"


class SyncRun(models.Model):
    """One run of one stream: when, how much, how it ended."""

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="sync_runs")
    stream = models.CharField(max_length=30)
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, blank=True, default="")
    seen_count = models.PositiveIntegerField(default=0)
    changed_count = models.PositiveIntegerField(default=0)
    failed_count = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True, default="")

    class Meta:
        db_table = "sync_runs"
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.stream} run {self.pk}"


class WebhookDelivery(models.Model):
    """A webhook as it came in, stored raw before anything is made of it."""

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="webhook_deliveries")
    event_id = models.CharField(max_length=200)
    topic = models.CharField(max_length=100, blank=True, default="")
    headers = models.JSONField(default=dict, blank=True)
    body = models.BinaryField()
    received_at = models.DateTimeField(db_default=Now())
    handled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "webhook_deliveries"
        verbose_name_plural = "webhook deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "event_id"], name="webhook_deliveries_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["received_at"], name="webhook_deliveries_waiting", condition=Q(handled_at=None))
        ]

    def __str__(self) -> str:
        return self.event_id


class DeadLetter(models.Model):
    """A record that could not be taken or sent, with its reason, until a person replays or drops it."""

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="dead_letters")
    stream = models.CharField(max_length=30)
    reason = models.CharField(max_length=500)
    payload = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now())
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "dead_letters"
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return self.reason
