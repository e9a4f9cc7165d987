"""Where journeys are lost, and what that costs."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from finalmarket.channels.models import SalesChannel


class LostStep(models.Model):
    """A step on a channel at which journeys that meant to buy ended, and what it cost by the figures beside it.

    `lost_value` = `left` x `chance` x `average_value`: as if those who left had ordered as often, and for as much, as
    those who went on. `low` and `high` are the 95 % interval of the chance.
    """

    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.CASCADE, related_name="+")
    action = models.CharField(max_length=50)
    since = models.DateField()
    until = models.DateField()
    came_by = models.PositiveIntegerField(help_text="Decided journeys that came by this step")
    left = models.PositiveIntegerField(help_text="Journeys that ended here and led to no order")
    ordered = models.PositiveIntegerField(help_text="Of those that went on: led to an order")
    chance = models.FloatField(help_text="Of an order, for those that went on")
    low = models.FloatField()
    high = models.FloatField()
    average_value = models.DecimalField(max_digits=16, decimal_places=4, help_text="Goods after discount of an order")
    currency = models.CharField(max_length=3)
    lost_value = models.DecimalField(max_digits=16, decimal_places=2)
    lost_low = models.DecimalField(max_digits=16, decimal_places=2)
    lost_high = models.DecimalField(max_digits=16, decimal_places=2)
    instead: models.JSONField[Any, Any] = models.JSONField(default=list, help_text="What those that ordered did next")
    reason = models.CharField(max_length=1000)
    computed_at = models.DateTimeField()
    muted_until = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        db_table = "lost_steps"
        ordering: ClassVar = ["-lost_value", "-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["sales_channel", "action"], name="lost_steps_one")]

    def __str__(self) -> str:
        return f"{self.action} on {self.sales_channel_id}: {self.lost_value} {self.currency}"
