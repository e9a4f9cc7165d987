"""Which days the lake has to write anew, and which lake it is that follows."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models


class LakeChange(models.Model):
    """A day (UTC) of a stream that the lake has not seen since it changed.

    Triggers add rows in the transaction that changes orders, journeys or touchpoints (see changes.sql); rows are only
    added there, so that nobody waits. The export takes away those that it has written.
    """

    stream = models.CharField(max_length=12)
    day = models.DateField()

    class Meta:
        db_table = "lake_changes"
        indexes: ClassVar = [models.Index(fields=["stream", "day"], name="lake_changes_day")]

    def __str__(self) -> str:
        return f"{self.stream} of {self.day}"


class LakeState(models.Model):
    """How far the lake has come. There is one row, of the folder that was exported to last.

    `token` is what that folder was told last: a folder that does not know it missed something and is written anew.
    `marks` are the numbers that interactions had reached at the last exports, each with the transaction from which on
    others began: the interactions up to a mark are seen by all when the transactions before it have ended.
    """

    token = models.UUIDField()
    marks: models.JSONField[Any, Any] = models.JSONField(default=list)

    class Meta:
        db_table = "lake_state"

    def __str__(self) -> str:
        return str(self.token)
