"""Who buys: one profile per person, the identities they are known by, preferences and consents."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from finalmarket.catalog.models import COUNTRY_CODE
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.profile import CustomerVerbs

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class OmnichannelCustomer(CustomerVerbs, models.Model):
    """One person, over every channel. `merged_into` names the canonical person after a merge: rows never move."""

    class Segment(models.TextChoices):
        VIP = "vip", "VIP"
        HIGH_VALUE = "high_value", "High value"
        REGULAR = "regular", "Regular"
        NEW = "new", "New"
        PROSPECT = "prospect", "Prospect"

    PERSONAL_COLUMNS = ("name", "email", "phone")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="omnichannel_customer"
    )
    name = models.CharField(max_length=300, blank=True, default="")
    email = models.CharField(max_length=320, blank=True, default="")
    phone = models.CharField(max_length=20, blank=True, default="", help_text="E.164, such as +4930123456")
    country = models.CharField(max_length=2, blank=True, default="", validators=[COUNTRY_CODE])
    language = models.CharField(max_length=12, blank=True, default="")
    segment = models.CharField(max_length=12, choices=Segment, default=Segment.PROSPECT)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged_from", editable=False
    )
    attributes = models.JSONField(default=dict, blank=True)
    first_seen_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    identities: RelatedManager[CustomerIdentity]

    class Meta:
        db_table = "omnichannel_customers"
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            GinIndex(fields=["name"], name="customers_name_trgm", opclasses=["gin_trgm_ops"]),
            models.Index(fields=["segment", "id"], name="customers_segment"),
            models.Index(fields=["merged_into"], name="customers_merged", condition=~models.Q(merged_into=None)),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~models.Q(merged_into=models.F("id")), name="customer_not_into_itself")
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.phone or f"Customer {self.pk}"


class CustomerIdentity(models.Model):
    """One thing a person is known by: an e-mail address, a phone number, an account id, a loyalty number."""

    class Kind(models.TextChoices):
        EMAIL = "email", "E-mail"
        PHONE = "phone", "Phone"
        ACCOUNT = "account", "Account"
        DEVICE = "device", "Device"
        LOYALTY = "loyalty", "Loyalty number"
        PAYMENT = "payment", "Payment fingerprint"

    PERSONAL_COLUMNS = ("value",)

    customer = models.ForeignKey(OmnichannelCustomer, on_delete=models.CASCADE, related_name="identities")
    kind = models.CharField(max_length=10, choices=Kind)
    value = models.CharField(max_length=320, help_text="Normalised: addresses folded, numbers in E.164")
    source = models.CharField(max_length=100, blank=True, default="")
    evidence = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "customer_identities"
        verbose_name_plural = "customer identities"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "value"], name="customer_identities_one_owner"),
            models.CheckConstraint(condition=~models.Q(value=""), name="customer_identities_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.value}"


class MergeSuggestion(models.Model):
    """Two profiles that may be one person, and why: a person decides. `score` is from 0 to 1."""

    class State(models.TextChoices):
        OPEN = "open", "To be decided"
        ACCEPTED = "accepted", "One person"
        REJECTED = "rejected", "Two persons"

    PERSONAL_COLUMNS = ("evidence",)

    first = models.ForeignKey(OmnichannelCustomer, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(OmnichannelCustomer, on_delete=models.CASCADE, related_name="+")
    source = models.CharField(max_length=100)
    evidence = models.JSONField(default=dict, blank=True)
    score = models.DecimalField(max_digits=4, decimal_places=3, null=True, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    suggested_at = models.DateTimeField(db_default=Now())
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        db_table = "merge_suggestions"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["first", "second"], name="merge_suggestions_once"),
            models.CheckConstraint(condition=models.Q(first__lt=models.F("second")), name="merge_suggestions_in_order"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], name="merge_suggestions_open", condition=models.Q(state="open"))
        ]

    def __str__(self) -> str:
        return f"{self.first_id} and {self.second_id}"


class ChannelPreference(models.Model):
    """What a customer prefers on one channel: language, newsletter rhythm, delivery, sizes."""

    PERSONAL_COLUMNS = ("preferences",)

    customer = models.ForeignKey(OmnichannelCustomer, on_delete=models.CASCADE, related_name="channel_preferences")
    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.CASCADE, related_name="customer_preferences")
    preferences = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "channel_preferences"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer", "sales_channel"], name="channel_preferences_one_per_channel")
        ]

    def __str__(self) -> str:
        return f"{self.customer} on {self.sales_channel}"


class Consent(models.Model):
    """One entry of the consent ledger: what a person agreed to or withdrew, where, when and with what proof."""

    customer = models.ForeignKey(OmnichannelCustomer, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=50)
    sales_channel = models.ForeignKey(SalesChannel, null=True, blank=True, on_delete=models.PROTECT)
    is_granted = models.BooleanField()
    source = models.CharField(max_length=100, blank=True, default="")
    proof = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "consents"
        indexes: ClassVar = [models.Index(fields=["customer", "purpose", "-at"], name="consents_latest")]

    def __str__(self) -> str:
        return f"{self.purpose}: {'granted' if self.is_granted else 'withdrawn'}"
