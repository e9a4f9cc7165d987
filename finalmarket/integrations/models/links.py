"""What belongs to what: our records and the platform's, its places and ours."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import ChannelProduct, SalesChannel
from finalmarket.integrations.models.account import ChannelIntegration
from finalmarket.stock.models import StockLocation


class ExternalId(models.Model):
    """What a platform calls one of our records (orders, customers, payments, ...); listings have ListingLink.

    `version` is the newest that was taken of the platform's record.
    """

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="external_ids")
    kind = models.CharField(max_length=30)
    external_id = models.CharField(max_length=200)
    local_id = models.BigIntegerField()
    version = models.CharField(max_length=60, blank=True, default="")

    class Meta:
        db_table = "external_ids"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "kind", "external_id"], name="external_ids_once")
        ]
        indexes: ClassVar = [models.Index(fields=["integration", "kind", "local_id"], name="external_ids_local")]

    def __str__(self) -> str:
        return f"{self.kind} {self.external_id}"


class PlaceMapping(models.Model):
    """Which channel the orders of a platform's place (marketplace, shop, till) go to, and which of our stock locations
    one of its locations is. An empty `place` stands for all that no other mapping names. `is_master`: what the
    platform counts at that location is what lies there."""

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="places")
    place = models.CharField(max_length=200, blank=True, default="")
    sales_channel = models.ForeignKey(SalesChannel, null=True, blank=True, on_delete=models.PROTECT)
    stock_location = models.ForeignKey(StockLocation, null=True, blank=True, on_delete=models.PROTECT)
    is_master = models.BooleanField(default=False, db_default=False)

    class Meta:
        db_table = "place_mappings"
        constraints: ClassVar = [models.UniqueConstraint(fields=["integration", "place"], name="place_mappings_once")]

    def __str__(self) -> str:
        return self.place or "everything else"


class ListingLink(models.Model):
    """Which listing of the platform one of ours is, what it was last told, and what it shows.

    One listing is told by one integration. `told_*` is what the platform last confirmed; `doubtful` says that a write
    ended without an answer, so that the platform must be asked before it is told again; `shown_*` is what a sweep, a
    webhook or an answer found there.
    """

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="links")
    listing = models.OneToOneField(ChannelProduct, on_delete=models.CASCADE, related_name="link")
    external_key = models.CharField(max_length=200)
    external_sku = models.CharField(max_length=200, blank=True, default="")
    ids = models.JSONField(default=dict, blank=True)
    location = models.CharField(
        max_length=200, blank=True, default="", help_text="The platform's location of the stock"
    )
    told_quantity = models.IntegerField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    told_places = models.JSONField(
        default=dict, blank=True, help_text="Units by the platform's location, where several"
    )
    told_price = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    shown_quantity = models.IntegerField(null=True, blank=True)
    shown_at = models.DateTimeField(null=True, blank=True)
    is_doubtful = models.BooleanField(default=False)
    linked_by = models.CharField(max_length=100, blank=True, default="")
    linked_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "listing_links"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "external_key"], name="listing_links_once")
        ]
        indexes: ClassVar = [models.Index(fields=["integration", "shown_at"], name="listing_links_sweep")]

    def __str__(self) -> str:
        return self.external_key


class ItemLink(models.Model):
    """Which item of a platform that sells nothing (an ERP) is one of our variants."""

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="items")
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="item_links")
    external_key = models.CharField(max_length=200)
    external_sku = models.CharField(max_length=200, blank=True, default="")
    ids = models.JSONField(default=dict, blank=True)
    linked_by = models.CharField(max_length=100, blank=True, default="")
    linked_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "item_links"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "external_key"], name="item_links_once"),
            models.UniqueConstraint(fields=["integration", "variant"], name="item_links_one_item"),
        ]

    def __str__(self) -> str:
        return self.external_key


class UnlinkedListing(models.Model):
    """A listing that stands on the platform and is not (yet) one of ours: found when the account was looked through.

    `suggested_variant` is our best guess with its `score` (0 to 1) and its reasons; a person confirms or ignores it.
    """

    class State(models.TextChoices):
        OPEN = "open", "Not linked"
        LINKED = "linked", "Linked"
        IGNORED = "ignored", "Ignored"

    integration = models.ForeignKey(ChannelIntegration, on_delete=models.CASCADE, related_name="unlinked")
    external_key = models.CharField(max_length=200)
    external_sku = models.CharField(max_length=200, blank=True, default="")
    ids = models.JSONField(default=dict, blank=True)
    title = models.CharField(max_length=500, blank=True, default="")
    description = models.TextField(blank=True, default="")
    barcode = models.CharField(max_length=50, blank=True, default="")
    attributes = models.JSONField(default=dict, blank=True)
    price = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    shown_quantity = models.IntegerField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    suggested_variant = models.ForeignKey(Variant, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    score = models.DecimalField(max_digits=4, decimal_places=3, null=True, blank=True)
    reasons = models.JSONField(default=list, blank=True)
    found_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "unlinked_listings"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "external_key"], name="unlinked_listings_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["integration", "id"], name="unlinked_listings_open", condition=Q(state="open"))
        ]

    def __str__(self) -> str:
        return self.title or self.external_key
