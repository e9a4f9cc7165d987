"""What one channel may sell of the pool, and what it was last told."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.stock.inventory import ChannelInventoryManager


class ChannelInventory(models.Model):
    """How much of the pool one channel may sell, and what the channel was last told: a policy and a memory.

    `used` is the channel's open units (reserved and allocated); `fence_left` what is left of its ring fence.
    """

    # No index of their own: planned while the table is empty, a look-up by both would take one and read all of it.
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="channel_inventories", db_index=False)
    sales_channel = models.ForeignKey(
        SalesChannel, on_delete=models.CASCADE, related_name="inventories", db_index=False
    )
    uses_pool = models.BooleanField(default=True, db_default=True, help_text="Off: sells its ring fence only")
    fence_quantity = models.IntegerField(default=0, db_default=0, help_text="The allotment of the ring fence")
    fence_left = models.IntegerField(default=0, db_default=0, editable=False)
    cap = models.IntegerField(null=True, blank=True, help_text="Most open units of this channel")
    percent = models.IntegerField(
        null=True, blank=True, help_text="Most open units, as a share of the pool on hand", validators=[
            MinValueValidator(0), MaxValueValidator(100),
        ],
    )  # fmt: skip
    buffer = models.IntegerField(default=0, db_default=0, help_text="Units withheld from this channel only")
    lends = models.BooleanField(default=False, db_default=False)
    borrows = models.BooleanField(default=False, db_default=False)
    allows_backorder = models.BooleanField(default=False, db_default=False)
    incoming_horizon_days = models.IntegerField(
        default=0, db_default=0, help_text="Sells what is expected within so many days; 0: nothing of it"
    )
    used = models.IntegerField(default=0, db_default=0, editable=False)
    low_stock_threshold = models.IntegerField(null=True, blank=True)
    told_quantity = models.IntegerField(null=True, blank=True, editable=False)
    told_version = models.BigIntegerField(null=True, blank=True, editable=False)
    told_at = models.DateTimeField(null=True, blank=True, editable=False)
    echo_quantity = models.IntegerField(null=True, blank=True, editable=False)
    echoed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[ChannelInventoryManager] = ChannelInventoryManager()

    class Meta:
        db_table = "channel_inventories"
        verbose_name_plural = "channel inventories"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["variant", "sales_channel"], name="channel_inventories_one"),
            models.CheckConstraint(
                condition=Q(fence_quantity__gte=0, fence_left__gte=0, buffer__gte=0, used__gte=0)
                & Q(incoming_horizon_days__gte=0),
                name="channel_inventories_not_negative",
            ),
            models.CheckConstraint(condition=Q(cap=None) | Q(cap__gte=0), name="channel_inventories_cap"),
            models.CheckConstraint(
                condition=Q(percent=None) | Q(percent__gte=0, percent__lte=100), name="channel_inventories_percent"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["sales_channel", "variant"], name="channel_inventories_channel")]

    def __str__(self) -> str:
        return f"{self.variant_id} for channel {self.sales_channel_id}"
