"""Letters that a person has sent: a link to pay, word that goods can be collected, an answer to a mail."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.models.account import ChannelIntegration
from finalmarket.orders.models import Order, OrderRequest


class OwnLetter(models.Model):
    """One mail to one person because somebody of the house asked for it; written when it was asked for, sent once by
    its notice (see talk/letters.py)."""

    class Kind(models.TextChoices):
        PAYMENT_LINK = "payment_link", "Link to pay"
        PICKUP_READY = "pickup_ready", "Ready to collect"
        REPLY = "reply", "Answer to a mail"

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.PROTECT, related_name="letters")
    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind)
    key = models.CharField(max_length=100)
    order = models.ForeignKey(Order, null=True, blank=True, on_delete=models.CASCADE, related_name="letters")
    request = models.ForeignKey(OrderRequest, null=True, blank=True, on_delete=models.CASCADE, related_name="letters")
    email = models.CharField(max_length=320)
    name = models.CharField(max_length=300, blank=True, default="")
    language = models.CharField(max_length=12, blank=True, default="")
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField(blank=True, default="")
    actor = models.CharField(max_length=100, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "own_letters"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "key"], name="own_letters_once")]

    def __str__(self) -> str:
        return self.subject
