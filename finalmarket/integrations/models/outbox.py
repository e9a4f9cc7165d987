"""What goes out: notices of single events to tell a platform, and the audit trail of what every listing was told."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.channels.models import ChannelProduct
from finalmarket.integrations.models.account import ChannelIntegration
from finalmarket.integrations.models.inbox import SyncRun


class DueNotice(models.Model):
    """An event that a platform has yet to hear of, once: a parcel that left, money to give back, a cancellation, a
    capture, a mail to the buyer, a ticket, an erasure. Found by looking at our own records, so that none is forgotten;
    `key` is the same for every try."""

    class Kind(models.TextChoices):
        FULFILMENT = "fulfilment", "Fulfilment"
        REFUND = "refund", "Refund"
        CANCELLATION = "cancellation", "Cancellation"
        CAPTURE = "capture", "Capture"
        PART = "capture_part", "Capture of a part"
        VOID = "void", "Void"
        CONFIRMATION = "confirmation", "Order confirmed, by mail"
        DISPATCH = "dispatch", "Parcel left, by mail"
        BACK_IN_STOCK = "back_in_stock", "Back in stock, by mail"
        TICKET = "ticket", "Ticket"
        ERASURE = "erasure", "Erasure"
        LETTER = "letter", "Letter, by mail"

    class State(models.TextChoices):
        DUE = "due", "Waits"
        DOUBTFUL = "doubtful", "Sent, outcome unknown"
        SENT = "sent", "Told"
        REFUSED = "refused", "Refused"
        WITHHELD = "withheld", "Not told: it may not be, or holds no more"

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=13, choices=Kind)
    local_id = models.BigIntegerField()
    key = models.CharField(max_length=100)
    state = models.CharField(max_length=8, choices=State, default=State.DUE)
    external_id = models.CharField(max_length=200, blank=True, default="")
    attempts = models.PositiveIntegerField(default=0)
    refusals = models.PositiveIntegerField(default=0, db_default=0, help_text="Each gets another key")
    next_try_at = models.DateTimeField(db_default=Now())
    last_error = models.CharField(max_length=500, blank=True, default="")
    found_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(
        null=True, blank=True, help_text="When the platform was asked whether it shows it"
    )

    class Meta:
        db_table = "due_notices"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "kind", "local_id"], name="due_notices_once")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["integration", "next_try_at"], name="due_notices_due",
                condition=Q(state__in=["due", "doubtful"]),
            ),
            models.Index(
                fields=["integration", "sent_at"], name="due_notices_unverified",
                condition=Q(state="sent", verified_at=None),
            ),
            models.Index(  # what came of a mail names it by its key
                fields=["integration", "key"], name="due_notices_mails",
                condition=Q(kind__in=["confirmation", "dispatch", "back_in_stock"]),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.kind} {self.local_id}"


class NameElsewhere(models.Model):
    """What an account calls somebody who was erased here, until it was told to erase them, too. Encrypted: an address
    may be such a name."""

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="+")
    encrypted = models.TextField()
    noted_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "names_elsewhere"
        verbose_name_plural = "names elsewhere"

    def __str__(self) -> str:
        return f"name {self.pk}"


class PushRecord(models.Model):
    """One telling of one listing: what was sent, under which version, and what became of it."""

    class Outcome(models.TextChoices):
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        REFUSED = "refused", "Refused"
        UNKNOWN = "unknown", "Outcome unknown"
        LATER = "later", "Not taken, tried later"

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="pushes")
    listing = models.ForeignKey(ChannelProduct, on_delete=models.CASCADE, related_name="pushes")
    what = models.CharField(max_length=7)
    version = models.BigIntegerField()
    value = models.CharField(max_length=200, blank=True, default="")
    due_since = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True, default="")
    reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        db_table = "push_records"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["listing", "-id"], name="push_records_listing"),
            models.Index(fields=["integration", "-id"], name="push_records_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.value}"


class DriftFinding(models.Model):
    """A listing that showed another number than it should, found by a sweep, and what was done: it was marked due."""

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="drift")
    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="findings")
    listing = models.ForeignKey(ChannelProduct, on_delete=models.CASCADE, related_name="drift")
    location = models.CharField(max_length=200, blank=True, default="")
    told = models.IntegerField(null=True, blank=True)
    shown = models.IntegerField()
    should = models.IntegerField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "drift_findings"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["integration", "-id"], name="drift_findings_newest")]

    def __str__(self) -> str:
        return f"shows {self.shown}, should show {self.should}"
