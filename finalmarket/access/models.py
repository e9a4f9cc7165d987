"""Who calls by program, what they were answered, and what they did."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from finalmarket.access.shop_models import ShopDevice, ShopKey
from finalmarket.access.staff_models import StaffBinding
from finalmarket.access.work_models import Work

__all__ = ["ApiKey", "AuditEntry", "IdempotentCall", "ShopDevice", "ShopKey", "StaffBinding", "Work"]

MOST_NAME_CHARACTERS = 80
MOST_TOKEN_CHARACTERS = 255


class ApiKey(models.Model):
    """What a program shows to be let in. Of its secret only the SHA-256 is kept: 256 random bits need no slow hash.

    `channel_ids` are the only channels it may touch; none: all. They are numbers and no rows of a join, so that a
    channel that is deleted can never turn a bound key into one for all channels. A key that takes the place of another
    (`replaced_by` of that one) is of the same `family`: calls are counted and remembered by family.
    """

    name = models.CharField(max_length=MOST_NAME_CHARACTERS)
    prefix = models.CharField(max_length=12, unique=True, help_text="The part of the key that may be seen")
    digest = models.CharField(max_length=64)
    family = models.UUIDField(default=uuid.uuid4, db_index=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=40))
    channel_ids = ArrayField(models.BigIntegerField(), default=list, blank=True)
    calls_per_minute = models.PositiveIntegerField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.CharField(max_length=100, blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="As it was agreed when it was made")
    ends_at = models.DateTimeField(null=True, blank=True, help_text="Revoked, or replaced and in its days of grace")
    replaced_by = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="replaces")
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute")

    class Meta:
        db_table = "api_keys"
        verbose_name = "API key"
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} (fm_{self.prefix})"


class IdempotentCall(models.Model):
    """A write that was carried out under an Idempotency-Key, with what was answered. Written in one transaction with
    its effect; kept for two days."""

    family = models.UUIDField()
    token = models.CharField(max_length=MOST_TOKEN_CHARACTERS)
    digest = models.CharField(max_length=64, help_text="SHA-256 of method, address and body")
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict, blank=True)
    answer = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "api_idempotent_calls"
        indexes: ClassVar = [models.Index(fields=["created_at"], name="api_idempotent_calls_age")]
        constraints: ClassVar = [models.UniqueConstraint(fields=["family", "token"], name="api_idempotent_calls_once")]

    def __str__(self) -> str:
        return self.token


class AuditEntry(models.Model):
    """A write by a program: which key, which verb, of what (such as "journey 17"), when. Only added to; no words of
    anybody in it."""

    at = models.DateTimeField(db_default=Now())
    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="did", db_index=False)
    operation = models.CharField(max_length=60)
    subject = models.CharField(max_length=100, blank=True, default="")
    status = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "api_audit"
        verbose_name_plural = "audit entries"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["key", "-id"], name="api_audit_key")]

    def __str__(self) -> str:
        return f"{self.operation} {self.subject}"
