"""Chat: what was asked in a conversation and answered, and who proved in it who they are."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.integrations.models.account import ChannelIntegration


class ChatTalk(models.Model):
    """A conversation in which something is open: whom a code was mailed to (`address`), who has entered it
    (`customer`, until `known_until`), and what was offered and waits for a yes."""

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="chat_talks")
    conversation = models.CharField(max_length=200)
    address = models.CharField(max_length=320, blank=True, default="")
    customer = models.ForeignKey(OmnichannelCustomer, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    known_until = models.DateTimeField(null=True, blank=True)
    offer = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "chat_talks"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "conversation"], name="chat_talks_once")
        ]

    def __str__(self) -> str:
        return self.conversation


class ChatAnswer(models.Model):
    """A message that asks something of us, and our answer: written once, in the transaction of what it does, and said
    until the platform has it."""

    class State(models.TextChoices):
        ASKED = "asked", "To be answered"
        WRITTEN = "written", "To be said"
        SAID = "said", "Said"
        SILENT = "silent", "Nothing to say"
        FAILED = "failed", "Not said"

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="chat_answers")
    conversation = models.CharField(max_length=200)
    message = models.CharField(max_length=200)
    author = models.CharField(max_length=10)
    question = models.CharField(max_length=500)
    answer = models.TextField(blank=True, default="")
    state = models.CharField(max_length=7, choices=State, default=State.ASKED)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()
    last_error = models.CharField(max_length=300, blank=True, default="")
    asked_at = models.DateTimeField(help_text="When it was said there")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "chat_answers"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "conversation", "message"], name="chat_answers_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["integration", "next_try_at"], name="chat_answers_due",
                         condition=Q(state__in=["asked", "written"])),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.author}: {self.message}"
