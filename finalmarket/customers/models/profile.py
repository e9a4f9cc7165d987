"""Who buys: profiles, some of which are one person."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from finalmarket.catalog.models import COUNTRY_CODE
from finalmarket.customers.profile import CustomerVerbs

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

    from finalmarket.customers.models.identity import CustomerIdentity


class OmnichannelCustomer(CustomerVerbs, models.Model):
    """A profile: everything that came in under one anchor. `merged_into` is NULL on the profile that stands for its
    person (the one with the smallest id); all others name that one: `coalesce(merged_into_id, id)` is the person.

    It is written by `persons.py` alone, computed from identities and decisions; rows of other tables never move.
    """

    class Segment(models.TextChoices):
        VIP = "vip", "VIP"
        HIGH_VALUE = "high_value", "High value"
        REGULAR = "regular", "Regular"
        NEW = "new", "New"
        PROSPECT = "prospect", "Prospect"

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
    erased_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="A number without a person since")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    identities: RelatedManager[CustomerIdentity]

    class Meta:
        db_table = "omnichannel_customers"
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            GinIndex(fields=["name"], name="customers_name_trgm", opclasses=["gin_trgm_ops"]),
            models.Index(fields=["segment", "id"], name="customers_segment"),
            models.Index(
                fields=["segment", "id"], name="customers_whole_segment", condition=models.Q(merged_into=None)
            ),
            models.Index(fields=["merged_into"], name="customers_merged", condition=~models.Q(merged_into=None)),
            models.Index(
                fields=["segment", "merged_into"],
                name="customers_merged_segment",
                condition=~models.Q(merged_into=None),
            ),
            models.Index(fields=["id"], name="customers_erased", condition=~models.Q(erased_at=None)),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~models.Q(merged_into=models.F("id")), name="customer_not_into_itself")
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.phone or f"Customer {self.pk}"
