"""Who asked to see or to be rid of what is kept of them, and by what somebody is known who was erased."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.customers.models.profile import OmnichannelCustomer


class PrivacyRequest(models.Model):
    """An export or an erasure of a person: who asked for it, when, and what became of it. Kept for good; it names the
    person by their number alone. `profiles` are those that the person had when it was asked for."""

    class Kind(models.TextChoices):
        EXPORT = "export", "Export"
        ERASURE = "erasure", "Erasure"

    class State(models.TextChoices):
        WAITING = "waiting", "Waits"
        UNDER_WAY = "under_way", "Under way"
        READY = "ready", "To be sent by a person"
        DONE = "done", "Done"

    kind = models.CharField(max_length=7, choices=Kind)
    person_id = models.BigIntegerField(db_index=True)
    profiles = models.JSONField(default=list)
    state = models.CharField(max_length=9, choices=State)
    actor = models.CharField(max_length=100)
    source = models.CharField(max_length=100, blank=True, default="", help_text="console, command line, integration:5")
    outcome = models.JSONField(default=dict, blank=True, help_text="Rows by table, what waits, whom to tell by hand")
    requested_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "privacy_requests"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["id"], name="privacy_requests_open", condition=Q(state__in=["waiting", "under_way"]))
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of customer {self.person_id}"


class ErasedIdentity(models.Model):
    """By what somebody was known who was erased, as a digest under the secret of this installation: nothing can be got
    back from it, but what comes late is known. `came_back_at` is when the person did something anew."""

    digest = models.CharField(max_length=64, unique=True)
    customer = models.ForeignKey(OmnichannelCustomer, on_delete=models.CASCADE, related_name="+")
    erased_at = models.DateTimeField()
    came_back_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "erased_identities"
        verbose_name_plural = "erased identities"
        indexes: ClassVar = [models.Index(fields=["erased_at"], name="erased_identities_age")]

    def __str__(self) -> str:
        return f"identity of customer {self.customer_id}"
