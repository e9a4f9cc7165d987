"""What the tracking API needs to know: write keys of channels, what clients call things, and what was set aside."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.channels.models import SalesChannel

MOST_KEY_CHARACTERS = 100
MOST_NAME_CHARACTERS = 200


class WriteKey(models.Model):
    """By what a client names the channel that it tells of.

    It is no secret: it stands in every page that a browser loads, so it is kept and shown as it is. All it allows is
    to tell; whoever abuses one is stopped by giving the channel another and ending this one.
    """

    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.CASCADE, related_name="write_keys")
    key = models.CharField(max_length=MOST_KEY_CHARACTERS, unique=True)
    space = models.CharField(
        max_length=60, blank=True, default="",
        help_text="Channels with the same word here have the same accounts: one user id is one person on all of them",
    )  # fmt: skip
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.CharField(max_length=100, blank=True, default="")
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "write_keys"
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return self.key


class EventName(models.Model):
    """A name that clients of a channel give to events which are none of the sixteen by themselves, how often it came,
    and what it becomes from now on."""

    NOTHING = "nothing"

    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.CASCADE, related_name="event_names")
    name = models.CharField(max_length=MOST_NAME_CHARACTERS)
    becomes = models.CharField(
        max_length=18, blank=True, default="", help_text="One of the sixteen types, or nothing; empty: to be decided"
    )
    count = models.BigIntegerField(default=0)
    first_seen_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "event_names"
        ordering: ClassVar = ["-count", "name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["sales_channel", "name"], name="event_names_once")]
        indexes: ClassVar = [
            models.Index(fields=["sales_channel"], name="event_names_decided", condition=~Q(becomes=""))
        ]

    def __str__(self) -> str:
        return self.name


class SetAsideEvent(models.Model):
    """An event that could not be taken, and why. Its shape is kept, of its words only those that name no person."""

    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.CASCADE, related_name="events_set_aside")
    dialect = models.CharField(max_length=20)
    reason = models.CharField(max_length=300)
    message_id = models.CharField(max_length=100, blank=True, default="")
    payload: models.JSONField[Any, Any] = models.JSONField(default=dict)
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "events_set_aside"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["sales_channel", "-id"], name="events_set_aside_channel"),
            models.Index(fields=["received_at"], name="events_set_aside_received"),
        ]

    def __str__(self) -> str:
        return self.reason
