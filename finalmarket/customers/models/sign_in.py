"""How shoppers prove who they are: a code that was mailed to them, and the session that they get for it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models.profile import OmnichannelCustomer


class SignInCode(models.Model):
    """Six digits that go to an address: kept as a digest, and encrypted until the mail is on its way."""

    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.CASCADE, related_name="+")
    address = models.CharField(max_length=320)
    digest = models.CharField(max_length=64)
    encrypted = models.BinaryField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    ends_at = models.DateTimeField()

    class Meta:
        db_table = "sign_in_codes"
        indexes: ClassVar = [
            models.Index(fields=["address", "-created_at"], name="sign_in_codes_address"),
            models.Index(fields=["ends_at"], name="sign_in_codes_age"),
        ]

    def __str__(self) -> str:
        return f"code {self.pk}"


class ShopperSession(models.Model):
    """A shopper who is signed in on a channel; of the token that the page keeps only the digest is here."""

    customer = models.ForeignKey(OmnichannelCustomer, on_delete=models.CASCADE, related_name="shopper_sessions")
    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    ends_at = models.DateTimeField()

    class Meta:
        db_table = "shopper_sessions"
        indexes: ClassVar = [models.Index(fields=["ends_at"], name="shopper_sessions_age")]

    def __str__(self) -> str:
        return f"session {self.pk}"
