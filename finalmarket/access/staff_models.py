"""Where people of the staff work."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models


class StaffBinding(models.Model):
    """The stock locations that a person works at: they see the stock, the orders and the pick ups of these alone.

    Locations are numbers and no rows of a join, so that one that is deleted can never turn a bound person into one who
    sees everything.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="binding")
    location_ids = ArrayField(models.BigIntegerField(), default=list, blank=True)

    class Meta:
        db_table = "staff_bindings"
        ordering: ClassVar = ["user_id"]

    def __str__(self) -> str:
        return f"{self.user}: {self.location_ids}"
