"""How far the import of a file of orders has come, and what of it must never happen twice."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from finalmarket.channels.models import SalesChannel


class OrderImport(models.Model):
    """One file of orders on its way in. `rows_done` moves on in the transaction that stores the rows.

    `fingerprint` is made of what the file holds and where it goes: the same file is known again under any name.
    """

    class State(models.TextChoices):
        RUNNING = "running", "Under way, or interrupted"
        DONE = "done", "Done"

    fingerprint = models.CharField(max_length=64, unique=True)
    mapping_hash = models.CharField(max_length=64)
    file_name = models.CharField(max_length=300)
    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    rows_done = models.BigIntegerField(default=0)
    counts = models.JSONField(default=dict, blank=True)
    has_opening_stock = models.BooleanField(default=False)
    started_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "order_imports"
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.file_name}: {self.rows_done:,} rows"


class OrderImportRefusal(models.Model):
    """A row of a file that was refused, or of which only a part could be done, and why."""

    order_import = models.ForeignKey(OrderImport, on_delete=models.CASCADE, related_name="refusals")
    row = models.BigIntegerField()
    column = models.CharField(max_length=200, blank=True, default="")
    value = models.CharField(max_length=300, blank=True, default="")
    reason = models.CharField(max_length=500)

    class Meta:
        db_table = "order_import_refusals"
        ordering: ClassVar = ["order_import", "row"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order_import", "row"], name="order_import_refusals_once")
        ]

    def __str__(self) -> str:
        return f"row {self.row}: {self.reason}"


class ImportedLine(models.Model):
    """A line of a file that became something else than a line of an order: a cancellation or a change of stock.

    Its identity (channel, source, order, position) makes it happen exactly once.
    """

    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.PROTECT, related_name="+", db_index=False)
    source = models.CharField(max_length=60)
    external_id = models.CharField(max_length=200)
    position = models.PositiveIntegerField()

    class Meta:
        db_table = "imported_lines"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["sales_channel", "source", "external_id", "position"], name="imported_lines_exactly_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.external_id}, line {self.position}"
