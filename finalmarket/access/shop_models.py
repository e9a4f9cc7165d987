"""What pages, apps and kiosks show when they call the shopper's API: publishable keys, and devices that were paired."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from finalmarket.channels.models import SalesChannel

MOST_KEY_CHARACTERS = 60
MOST_ORIGIN_CHARACTERS = 200


class ShopKey(models.Model):
    """By what a page, an app or a kiosk names the channel on which its shoppers buy.

    It is no secret, for everybody who opens the page can read it, so it is kept and shown as it is; it allows what a
    shopper may do and nothing else. A key for devices works together with the token of a paired device alone.
    """

    class Kind(models.TextChoices):
        WEB = "web", "Web pages"
        APP = "app", "App"
        DEVICE = "device", "Paired devices"

    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.CASCADE, related_name="shop_keys")
    kind = models.CharField(max_length=6, choices=Kind)
    key = models.CharField(max_length=MOST_KEY_CHARACTERS, unique=True)
    family = models.UUIDField(default=uuid.uuid4, editable=False)
    origins = ArrayField(
        models.CharField(max_length=MOST_ORIGIN_CHARACTERS), default=list, blank=True,
        help_text="Pages of these origins may use it, besides those of this house",
    )  # fmt: skip
    calls_per_minute = models.PositiveIntegerField(help_text="From one address")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.CharField(max_length=100, blank=True, default="")
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "shop_keys"
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return self.key


class ShopDevice(models.Model):
    """A kiosk of the merchant's: paired once by a code that the console shows, known by a token from then on.

    `location_id` is the stock location in which it stands, as a number: the room of stock is none of ours.
    """

    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.CASCADE, related_name="shop_devices")
    name = models.CharField(max_length=80)
    location_id = models.BigIntegerField(null=True, blank=True)
    code_digest = models.CharField(max_length=64, blank=True, default="")
    code_ends_at = models.DateTimeField(null=True, blank=True)
    token_digest = models.CharField(max_length=64, blank=True, default="")
    family = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.CharField(max_length=100, blank=True, default="")
    paired_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True, help_text="To the minute")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "shop_devices"
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["token_digest"], name="shop_devices_token", condition=~models.Q(token_digest="")
            ),
            models.UniqueConstraint(
                fields=["code_digest"], name="shop_devices_code", condition=~models.Q(code_digest="")
            ),
        ]

    def __str__(self) -> str:
        return self.name
