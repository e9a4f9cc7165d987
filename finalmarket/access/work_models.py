"""Long work that a person of the console began, and how far it is."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now


class Work(models.Model):
    """A file that is brought in or out by a worker while whoever asked for it watches.

    What was given and what was made are kept for a day. They hold goods, prices and stock, never people: those are for
    the command line, whose files the operator keeps.
    """

    class Kind(models.TextChoices):
        IMPORT = "import", "Import"
        EXPORT = "export", "Export"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for a worker"
        RUNNING = "running", "Under way"
        PLANNED = "planned", "To be looked at"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    kind = models.CharField(max_length=6, choices=Kind)
    subject = models.CharField(max_length=30, help_text="What of: products, prices, stock, listings or rates")
    channel_id = models.BigIntegerField(null=True, blank=True)
    file_name = models.CharField(max_length=200)
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    rows_done = models.PositiveIntegerField(default=0)
    rows_expected = models.PositiveIntegerField(null=True, blank=True)
    told = models.TextField(blank=True, default="", help_text="What came of it, in words")
    found: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True, help_text="What it would change")
    given = models.BinaryField(null=True, editable=False)
    made = models.BinaryField(null=True, editable=False)
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "works"
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} of {self.subject} from {self.file_name}"
