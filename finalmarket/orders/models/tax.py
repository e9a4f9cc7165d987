"""The tax rates that the operator entered, for the doors that are our own."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import Q

from finalmarket.catalog.models import COUNTRY_CODE


class TaxRate(models.Model):
    """The rate of one tax class in one country: 0.19 is nineteen per cent."""

    country = models.CharField(max_length=2, validators=[COUNTRY_CODE])
    tax_class = models.CharField(max_length=50, default="standard")
    rate = models.DecimalField(max_digits=7, decimal_places=5, help_text="0.19 is nineteen per cent")

    class Meta:
        db_table = "tax_rates"
        ordering: ClassVar = ["country", "tax_class"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["country", "tax_class"], name="tax_rates_once"),
            models.CheckConstraint(condition=Q(rate__gte=0, rate__lt=Decimal(1)), name="tax_rates_share"),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.tax_class}: {self.rate}"
