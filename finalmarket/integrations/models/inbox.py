"""What comes in: streams with their cursors, the runs that pulled them, webhooks as they came, what was set aside."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.integrations.models.account import ChannelIntegration


class StreamCursor(models.Model):
    """How far one stream (orders, customers, payments, ...) of an account was pulled: stored with the records."""

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="cursors")
    stream = models.CharField(max_length=30)
    cursor = models.TextField(blank=True, default="")
    since = models.DateTimeField(null=True, blank=True, help_text="From when on records are asked for at first")
    pulled_at = models.DateTimeField(null=True, blank=True, help_text="When the stream was last pulled to its end")

    class Meta:
        db_table = "stream_cursors"
        constraints: ClassVar = [models.UniqueConstraint(fields=["integration", "stream"], name="stream_cursors_once")]

    def __str__(self) -> str:
        return self.stream


class SyncRun(models.Model):
    """One run of one stream: when, how much, how it ended. `outcome` is "" while it runs, then done, partly (some
    records were set aside), or failed (see `error`)."""

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
        indexes: ClassVar = [models.Index(fields=["integration", "-id"], name="sync_runs_newest")]

    def __str__(self) -> str:
        return f"{self.stream} run {self.pk}"


class WebhookDelivery(models.Model):
    """A webhook as it came in, stored raw before anything is made of it."""

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="webhook_deliveries")
    event_id = models.CharField(max_length=200)
    topic = models.CharField(max_length=100, blank=True, default="")
    url = models.CharField(max_length=500, blank=True, default="")
    headers = models.JSONField(default=dict, blank=True)
    body = models.BinaryField()
    received_at = models.DateTimeField(db_default=Now())
    handled_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        db_table = "webhook_deliveries"
        verbose_name_plural = "webhook deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "event_id"], name="webhook_deliveries_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["integration", "id"], name="webhook_deliveries_waiting", condition=Q(handled_at=None)),
            models.Index(fields=["received_at"], name="webhook_deliveries_age"),
        ]

    def __str__(self) -> str:
        return self.event_id


class DeadLetter(models.Model):
    """A record that could not be taken or sent, with its reason, until it is replayed or a person drops it.

    A record has one open letter: what fails again counts `attempts` up. `payload` is what is needed to try again.
    """

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="dead_letters")
    stream = models.CharField(max_length=30)
    external_id = models.CharField(max_length=200, blank=True, default="")
    reason = models.CharField(max_length=500)
    payload = models.JSONField(default=dict)
    attempts = models.PositiveIntegerField(default=1)
    at = models.DateTimeField(db_default=Now())
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        db_table = "dead_letters"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["integration", "stream", "external_id"], name="dead_letters_one_open",
                condition=Q(settled_at=None) & ~Q(external_id=""),
            )
        ]  # fmt: skip
        indexes: ClassVar = [
            models.Index(fields=["integration", "-id"], name="dead_letters_open", condition=Q(settled_at=None))
        ]

    def __str__(self) -> str:
        return self.reason
