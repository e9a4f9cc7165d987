"""What profiles are known by, and which values are nobody's own."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from finalmarket.customers.models.profile import OmnichannelCustomer


class CustomerIdentity(models.Model):
    """Evidence: a profile was seen with this e-mail address, number, account id or device. The value of one of its
    rows is the profile's anchor: what comes in with that value as its strongest lands on that profile."""

    class Kind(models.TextChoices):
        EMAIL = "email", "E-mail"
        PHONE = "phone", "Phone"
        ACCOUNT = "account", "Account"
        DEVICE = "device", "Device"
        LOYALTY = "loyalty", "Loyalty number"
        PAYMENT = "payment", "Payment fingerprint"

    customer = models.ForeignKey(
        OmnichannelCustomer, on_delete=models.CASCADE, related_name="identities", db_index=False
    )
    kind = models.CharField(max_length=10, choices=Kind)
    value = models.CharField(max_length=320, help_text="Normalised: addresses folded, numbers in E.164")
    source = models.CharField(max_length=100, blank=True, default="")
    evidence = models.JSONField(default=dict, blank=True)
    is_anchor = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "customer_identities"
        verbose_name_plural = "customer identities"
        indexes: ClassVar = [models.Index(fields=["kind", "value", "customer"], name="customer_identities_carriers")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer", "kind", "value"], name="customer_identities_once"),
            models.UniqueConstraint(
                fields=["kind", "value"], name="customer_identities_one_anchor", condition=models.Q(is_anchor=True)
            ),
            models.UniqueConstraint(
                fields=["customer"], name="customer_identities_anchor_each", condition=models.Q(is_anchor=True)
            ),
            models.CheckConstraint(condition=~models.Q(value=""), name="customer_identities_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.value}"


class BlockedIdentity(models.Model):
    """What the operator says of a value: that it is nobody's own (a desk's address, the shop's own number), or, where
    `is_blocked` is false, that it is somebody's although it looks like a desk's. `reception@` stands for every address
    that begins so."""

    kind = models.CharField(max_length=10, choices=CustomerIdentity.Kind)
    value = models.CharField(max_length=320, help_text="Normalised; reception@ stands for all addresses of that name")
    is_blocked = models.BooleanField(default=True)
    reason = models.CharField(max_length=300, blank=True, default="")
    actor = models.CharField(max_length=100, blank=True, default="")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "blocked_identities"
        verbose_name_plural = "blocked identities"
        ordering: ClassVar = ["kind", "value"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "value"], name="blocked_identities_once"),
            models.CheckConstraint(condition=~models.Q(value=""), name="blocked_identities_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.value}"


class IdentityLimit(models.Model):
    """How many persons and profiles a value of a kind may be seen with before it counts as shared and joins nobody.
    Where there is no row for a kind, the default of `graph.py` counts."""

    kind = models.CharField(max_length=10, choices=CustomerIdentity.Kind, unique=True)
    most_persons = models.PositiveSmallIntegerField(help_text="Told apart by stronger identities; 0: joins nobody")
    most_profiles = models.PositiveSmallIntegerField(help_text="More carriers and it is a desk, a kiosk or a filler")

    class Meta:
        db_table = "identity_limits"
        ordering: ClassVar = ["kind"]

    def __str__(self) -> str:
        return f"{self.kind}: {self.most_persons} persons, {self.most_profiles} profiles"


class SharedIdentity(models.Model):
    """A value with more carriers than its kind allows: it joins nobody, and is not looked along any more."""

    kind = models.CharField(max_length=10, choices=CustomerIdentity.Kind)
    value = models.CharField(max_length=320)
    since = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "shared_identities"
        verbose_name_plural = "shared identities"
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "value"], name="shared_identities_once")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.value}"
