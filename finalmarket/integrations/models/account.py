"""An account on an outside platform: its secrets, how it is doing, and how often the platform may be asked."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.verbs import IntegrationVerbs


class ChannelIntegration(IntegrationVerbs, models.Model):
    """One account on one outside platform.

    `platform_name` is the platform's name, its slug or a former name. `sales_channel` is where its orders go unless a
    PlaceMapping says otherwise; an ERP or a carrier belongs to none. `settings` are the connect form's fields that are
    no secrets. `duties` are read by duties.py. `base_url` stands in for the platform's own host: a sandbox.
    """

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
    status_reason = models.CharField(max_length=500, blank=True, default="")
    account_name = models.CharField(max_length=200, blank=True, default="", help_text="As the platform calls it")
    settings = models.JSONField(default=dict, blank=True)
    duties = models.JSONField(
        default=dict, blank=True, db_default={}, help_text="What this account is for, where it differs from its kind"
    )
    base_url = models.URLField(max_length=300, blank=True, default="", help_text="In place of the platform's own host")
    webhook_token = models.CharField(max_length=64, blank=True, default="", editable=False)
    push_from = models.DateTimeField(null=True, blank=True, help_text="Nothing is told to the platform before")
    connected_at = models.DateTimeField(null=True, blank=True)
    subscribed_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when the platform calls us; empty: it is asked every minute"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "channel_integrations"
        ordering: ClassVar = ["platform_name", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["webhook_token"], name="channel_integrations_door", condition=~models.Q(webhook_token="")
            )
        ]

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


class IntegrationHealth(models.Model):
    """How an integration is doing: written with every run, read by `health`. The breaker is open until
    `breaker_open_until`; then one call may try whether the platform is back. It never ends before
    `asked_to_wait_until`, the platform's own words."""

    integration = models.OneToOneField(
        ChannelIntegration, on_delete=models.CASCADE, primary_key=True, related_name="pulse"
    )
    last_good_pull_at = models.DateTimeField(null=True, blank=True)
    last_good_push_at = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    last_failure = models.CharField(max_length=500, blank=True, default="")
    failures_in_row = models.PositiveIntegerField(default=0)
    breaker_open_until = models.DateTimeField(null=True, blank=True)
    asked_to_wait_until = models.DateTimeField(null=True, blank=True)
    refused_webhook_count = models.BigIntegerField(default=0, help_text="Deliveries that were not proved genuine")
    last_refused_webhook_at = models.DateTimeField(null=True, blank=True)
    last_refused_webhook = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        db_table = "integration_health"
        verbose_name_plural = "integration health"

    def __str__(self) -> str:
        return f"health of {self.integration_id}"


class RateBudget(models.Model):
    """The calls an account has left in one bucket, shared by all workers: `tokens` at `refilled_at`, growing by
    `per_second` up to `capacity`."""

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="budgets")
    bucket = models.CharField(max_length=100, blank=True, default="")
    tokens = models.FloatField()
    capacity = models.FloatField()
    per_second = models.FloatField()
    is_learned = models.BooleanField(default=False, help_text="Pace and size are what the platform told")
    refilled_at = models.DateTimeField()

    class Meta:
        db_table = "rate_budgets"
        constraints: ClassVar = [models.UniqueConstraint(fields=["integration", "bucket"], name="rate_budgets_once")]

    def __str__(self) -> str:
        return self.bucket or "all calls"
