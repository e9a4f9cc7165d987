"""Where postcodes lie: the operator's table for routing by distance."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from finalmarket.catalog.models import COUNTRY_CODE


class PostcodePoint(models.Model):
    """The coordinates of a postcode or of the beginning of one; the longest matching beginning counts."""

    country = models.CharField(max_length=2, validators=[COUNTRY_CODE])
    prefix = models.CharField(max_length=20, help_text="Without spaces, in capitals; empty: the whole country")
    latitude = models.FloatField(help_text="Degrees north, WGS 84")
    longitude = models.FloatField(help_text="Degrees east, WGS 84")

    class Meta:
        db_table = "postcode_points"
        constraints: ClassVar = [models.UniqueConstraint(fields=["country", "prefix"], name="postcode_points_once")]

    def __str__(self) -> str:
        return f"{self.country} {self.prefix}"
