"""What platforms that keep books are told: orders and customers as they stand, and what happened, in batches."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from finalmarket.integrations.models.account import ChannelIntegration


class DueRecord(models.Model):
    """An order or a customer of ours that a platform keeps in its books, told as it stands whenever it changes.

    `version` grows with every change of our record; it is due while it is above `settled_version`. `digest` is that of
    the content last told: what looks the same is not told again. `is_doubtful` says that a telling ended without an
    answer: the platform is asked before it is told again. `echoes` are digests of what a person was last called there,
    by us or by the platform: who says the same again has no news.
    """

    class What(models.TextChoices):
        ORDER = "order", "Order"
        CUSTOMER = "customer", "Customer"

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="due_records")
    what = models.CharField(max_length=8, choices=What)
    local_id = models.BigIntegerField()
    version = models.BigIntegerField(help_text="Grows with every change of our record")
    settled_version = models.BigIntegerField(default=0, db_default=0)
    external_id = models.CharField(max_length=200, blank=True, default="", db_default="")
    line_ids = models.JSONField(default=dict, blank=True, db_default={}, help_text="Our lines by their names there")
    digest = models.CharField(max_length=64, blank=True, default="", db_default="")
    echoes = models.JSONField(default=dict, blank=True, db_default={})
    is_doubtful = models.BooleanField(default=False, db_default=False)
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    next_try_at = models.DateTimeField(db_default=Now())
    last_error = models.CharField(max_length=500, blank=True, default="", db_default="")
    told_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True, help_text="When the platform was asked whether it has it")

    class Meta:
        db_table = "due_records"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "what", "local_id"], name="due_records_once")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["integration", "what", "next_try_at"], name="due_records_due",
                condition=Q(version__gt=F("settled_version")),
            ),
            models.Index(fields=["what", "local_id"], name="due_records_local"),
            models.Index(
                fields=["integration", "told_at"], name="due_records_unverified",
                condition=~Q(external_id="") & Q(verified_at=None),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.what} {self.local_id}"


class DueEvent(models.Model):
    """Something that happened here, once, and that a platform is told with others in one call: an event for analytics,
    a movement of stock for an ERP. `key` is the same for every try."""

    class Kind(models.TextChoices):
        INTERACTION = "interaction", "Interaction"
        PURCHASE = "purchase", "Purchase"
        REFUND = "refund", "Refund"
        MOVEMENT = "movement", "Stock movement"

    class State(models.TextChoices):
        DUE = "due", "Waits"
        DOUBTFUL = "doubtful", "Sent, outcome unknown"
        SENT = "sent", "Told"
        REFUSED = "refused", "Refused"
        WITHHELD = "withheld", "Not told: no consent, or too old"

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="due_events")
    kind = models.CharField(max_length=12, choices=Kind)
    local_id = models.BigIntegerField()
    key = models.CharField(max_length=100)
    state = models.CharField(max_length=8, choices=State, default=State.DUE, db_default=State.DUE)
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    next_try_at = models.DateTimeField(db_default=Now())
    last_error = models.CharField(max_length=500, blank=True, default="", db_default="")
    found_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True, help_text="When it was told once more, to be sure")

    class Meta:
        db_table = "due_events"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "kind", "local_id"], name="due_events_once")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["integration", "next_try_at"], name="due_events_due", condition=Q(state__in=["due", "doubtful"])
            ),
            models.Index(fields=["found_at"], name="due_events_age"),
            models.Index(
                fields=["integration", "sent_at"], name="due_events_unverified",
                condition=Q(kind="movement", state="sent", verified_at=None),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.kind} {self.local_id}"


class MasterCount(models.Model):
    """The last number that the master of a location's stock told of one variant: an older one changes nothing."""

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="master_counts")
    variant = models.ForeignKey("catalog.Variant", on_delete=models.CASCADE, related_name="+")
    location = models.ForeignKey("stock.StockLocation", on_delete=models.CASCADE, related_name="+")
    quantity = models.IntegerField()
    counted_at = models.DateTimeField()
    taken_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "master_counts"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "variant", "location"], name="master_counts_once")
        ]

    def __str__(self) -> str:
        return f"{self.variant_id} at {self.location_id}: {self.quantity}"


class OutsideFigure(models.Model):
    """What an analytics platform counted on one day for one source of traffic ("" for all), to be held against ours."""

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="figures")
    day = models.DateField()
    source = models.CharField(max_length=200, blank=True, default="")
    sessions = models.BigIntegerField(default=0)
    users = models.BigIntegerField(default=0)
    purchases = models.BigIntegerField(default=0)
    revenue = models.DecimalField(max_digits=16, decimal_places=4, default=0)
    currency = models.CharField(max_length=3, blank=True, default="")
    pulled_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "outside_figures"
        ordering: ClassVar = ["-day", "source"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "day", "source"], name="outside_figures_once")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.source}".strip()
