"""Voice: the skill through which a channel is spoken to, and which customers have linked their assistant to it."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer


class VoiceSkill(models.Model):
    """The skill of a voice channel. `token` stands in its address; the assistant's platform shows `client_id` and a
    secret, of which the SHA-256 is kept, when customers link their accounts, and sends them back to one of
    `redirect_urls`. Its application id is the `skill_id` of the channel's configuration."""

    sales_channel = models.OneToOneField(SalesChannel, on_delete=models.CASCADE, related_name="voice_skill")
    token = models.CharField(max_length=64, unique=True, editable=False)
    client_id = models.CharField(max_length=40, unique=True, editable=False)
    secret_digest = models.CharField(max_length=64, editable=False)
    redirect_urls = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "voice_skills"

    def __str__(self) -> str:
        return f"skill of {self.sales_channel}"


class VoiceLink(models.Model):
    """A customer's account, linked to a skill: an authorization code first, then a token that the assistant shows with
    every question and another by which it gets a new one. Of all three the SHA-256 is kept, and of the assistant's own
    name of its user."""

    skill = models.ForeignKey(VoiceSkill, on_delete=models.CASCADE, related_name="links")
    customer = models.ForeignKey(OmnichannelCustomer, on_delete=models.CASCADE, related_name="voice_links")
    user_digest = models.CharField(max_length=64, blank=True, default="")
    redirect_url = models.CharField(max_length=500)
    code_digest = models.CharField(max_length=64, unique=True)
    code_challenge = models.CharField(max_length=128, blank=True, default="")
    code_challenge_method = models.CharField(max_length=10, blank=True, default="")
    code_ends_at = models.DateTimeField()
    access_digest = models.CharField(max_length=64, blank=True, default="")
    access_ends_at = models.DateTimeField(null=True, blank=True)
    refresh_digest = models.CharField(max_length=64, blank=True, default="")
    refresh_ends_at = models.DateTimeField(null=True, blank=True)
    linked_at = models.DateTimeField(null=True, blank=True, help_text="When the code was exchanged for tokens")
    used_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "voice_links"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["access_digest"], name="voice_links_access", condition=~Q(access_digest="")
            ),
            models.UniqueConstraint(
                fields=["refresh_digest"], name="voice_links_refresh", condition=~Q(refresh_digest="")
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["skill", "user_digest"], name="voice_links_user", condition=~Q(user_digest=""))
        ]

    def __str__(self) -> str:
        return f"customer {self.customer_id}, {self.skill}"


class LinkCode(models.Model):
    """A code by which a customer proves who they are, once: six digits that were mailed to `address`, or a longer one
    that the shop showed them. `encrypted` is the code until it is mailed."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    skill = models.ForeignKey(VoiceSkill, on_delete=models.CASCADE, related_name="codes")
    customer = models.ForeignKey(OmnichannelCustomer, on_delete=models.CASCADE, related_name="+")
    address = models.CharField(max_length=320, blank=True, default="", help_text="Empty: the shop showed it")
    digest = models.CharField(max_length=64, db_index=True)
    encrypted = models.BinaryField(null=True, blank=True, editable=False)
    tries = models.PositiveSmallIntegerField(default=0)
    ends_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "voice_link_codes"

    def __str__(self) -> str:
        return f"code for customer {self.customer_id}"
