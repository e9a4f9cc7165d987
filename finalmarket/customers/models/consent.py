"""What a customer prefers, and what they agreed to."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models.profile import OmnichannelCustomer


class ChannelPreference(models.Model):
    """What a customer prefers on one channel: language, newsletter rhythm, delivery, sizes."""

    customer = models.ForeignKey(OmnichannelCustomer, on_delete=models.CASCADE, related_name="channel_preferences")
    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.CASCADE, related_name="customer_preferences")
    preferences = models.JSONField(default=dict, blank=True)
    said = models.JSONField(
        default=dict, blank=True, db_default={}, editable=False,
        help_text="When each was said, and by whom: an explicit word, or a platform's",
    )  # fmt: skip
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "channel_preferences"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer", "sales_channel"], name="channel_preferences_one_per_channel")
        ]

    def __str__(self) -> str:
        return f"{self.customer} on {self.sales_channel}"


class Consent(models.Model):
    """One entry of the consent ledger: what a person agreed to or withdrew, where, when and with what proof."""

    customer = models.ForeignKey(OmnichannelCustomer, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=50)
    sales_channel = models.ForeignKey(SalesChannel, null=True, blank=True, on_delete=models.PROTECT)
    is_granted = models.BooleanField()
    source = models.CharField(max_length=100, blank=True, default="")
    proof = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "consents"
        indexes: ClassVar = [models.Index(fields=["customer", "purpose", "-at"], name="consents_latest")]

    def __str__(self) -> str:
        return f"{self.purpose}: {'granted' if self.is_granted else 'withdrawn'}"
