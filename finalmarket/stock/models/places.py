"""Where stock lies, and which places a channel sells from."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from finalmarket.catalog.models import COUNTRY_CODE
from finalmarket.channels.models import SalesChannel


class StockLocation(models.Model):
    """A place where stock lies: a warehouse, a store, a partner who ships for us."""

    class Kind(models.TextChoices):
        WAREHOUSE = "warehouse", "Warehouse"
        STORE = "store", "Store"
        PARTNER = "partner", "Fulfilment partner"

    code = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.WAREHOUSE)
    country = models.CharField(max_length=2, blank=True, default="", validators=[COUNTRY_CODE])
    postcode = models.CharField(max_length=20, blank=True, default="")
    city = models.CharField(max_length=100, blank=True, default="")
    street = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="Labels name it as the sender's"
    )
    street2 = models.CharField(max_length=200, blank=True, default="", db_default="")
    region = models.CharField(max_length=100, blank=True, default="", db_default="", help_text="State or province")
    phone = models.CharField(max_length=40, blank=True, default="", db_default="", help_text="For carriers")
    latitude = models.FloatField(null=True, blank=True, help_text="Degrees north, WGS 84")
    longitude = models.FloatField(null=True, blank=True, help_text="Degrees east, WGS 84")
    can_ship = models.BooleanField(default=True)
    can_hand_over = models.BooleanField(default=False, help_text="Customers can collect here")
    priority = models.PositiveIntegerField(default=100, help_text="Lower goes first")
    orders_per_day = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: no limit")
    is_active = models.BooleanField(default=True)

    class Meta:
        db_table = "stock_locations"
        ordering: ClassVar = ["priority", "id"]

    def __str__(self) -> str:
        return self.name


class ChannelSource(models.Model):
    """A location that a channel sells from, and its rank; a channel without sources sells from all active ones."""

    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.CASCADE, related_name="sources")
    location = models.ForeignKey(StockLocation, on_delete=models.CASCADE, related_name="sourced_by")
    rank = models.PositiveIntegerField(default=100, help_text="Lower goes first")

    class Meta:
        db_table = "channel_sources"
        ordering: ClassVar = ["sales_channel", "rank", "location"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sales_channel", "location"], name="channel_sources_once")
        ]

    def __str__(self) -> str:
        return f"{self.sales_channel}: {self.location}"
