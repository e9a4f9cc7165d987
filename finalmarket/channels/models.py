"""Where goods are sold: sales channels, their listings, and what platforms have yet to be told."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Now

from finalmarket.catalog.models import COUNTRY_CODE, CURRENCY_CODE, Variant
from finalmarket.channels.configuration import validate_configuration, validate_time_zone
from finalmarket.channels.listing import ChannelVerbs, ListingVerbs

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class SalesChannel(ChannelVerbs, models.Model):
    """One place where the merchant sells."""

    class ChannelType(models.TextChoices):
        WEB = "web", "Web shop"
        MOBILE = "mobile", "Mobile app"
        MARKETPLACE = "marketplace", "Marketplace"
        SOCIAL = "social", "Social shop"
        STORE = "store", "Store"
        PHONE = "phone", "Phone"
        EMAIL = "email", "E-mail"
        CHAT = "chat", "Chat"
        VOICE = "voice", "Voice assistant"
        KIOSK = "kiosk", "Kiosk"

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        INACTIVE = "inactive", "Inactive"
        ARCHIVED = "archived", "Archived"

    name = models.CharField(max_length=200, unique=True)
    slug = models.SlugField(max_length=100, unique=True, blank=True, help_text="Made from the name when left empty")
    channel_type = models.CharField(max_length=12, choices=ChannelType)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    is_paused = models.BooleanField(default=False, help_text="A paused channel takes no new holds; orders still arrive")
    pause_reason = models.CharField(max_length=300, blank=True, default="")
    configuration = models.JSONField(default=dict, blank=True, help_text="Its keys depend on the type of the channel")
    currency = models.CharField(max_length=3, default="EUR", validators=[CURRENCY_CODE])
    country = models.CharField(max_length=2, blank=True, default="", validators=[COUNTRY_CODE])
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    listings: RelatedManager[ChannelProduct]

    class Meta:
        db_table = "sales_channels"
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(
                    channel_type__in=[
                        "web", "mobile", "marketplace", "social", "store", "phone", "email", "chat", "voice", "kiosk",
                    ]
                ),
                name="sales_channels_type",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["active", "inactive", "archived"]), name="sales_channels_status"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a configuration that does not fit the type of the channel."""
        stored = SalesChannel.objects.filter(pk=self.pk).values_list("configuration", flat=True).first()
        validate_configuration(self.channel_type, self.configuration, stored or {})


class ChannelProduct(ListingVerbs, models.Model):
    """A listing: one variant as one channel shows and sells it."""

    class SyncState(models.TextChoices):
        LOCAL = "local", "Sold here only"
        DUE = "due", "Change waits"
        SYNCED = "synced", "In step"
        FAILED = "failed", "Refused by the platform"
        UNLINKED = "unlinked", "Not linked"

    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.CASCADE, related_name="listings")
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="listings")
    is_available = models.BooleanField(default=True)
    publish_from = models.DateTimeField(null=True, blank=True)
    publish_until = models.DateTimeField(null=True, blank=True)
    title = models.CharField(max_length=500, blank=True, default="", help_text="Empty: the product's title")
    description = models.TextField(blank=True, default="", help_text="Empty: the product's description")
    attributes = models.JSONField(default=dict, blank=True)
    sync_state = models.CharField(max_length=10, choices=SyncState, default=SyncState.LOCAL)
    sync_error = models.CharField(max_length=500, blank=True, default="")
    synced_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    prices: RelatedManager[ListingPrice]

    class Meta:
        db_table = "channel_products"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sales_channel", "variant"], name="channel_products_one_per_variant"),
            models.CheckConstraint(
                condition=models.Q(publish_from=None)
                | models.Q(publish_until=None)
                | models.Q(publish_until__gt=models.F("publish_from")),
                name="channel_products_window",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["variant", "sales_channel"], name="channel_products_variant"),
            models.Index(fields=["id"], name="channel_products_off", condition=models.Q(is_available=False)),
            models.Index(fields=["id"], name="channel_products_failed", condition=models.Q(sync_state="failed")),
        ]

    def __str__(self) -> str:
        return f"{self.variant} on {self.sales_channel}"


class ListingPrice(models.Model):
    """The price of a listing in one currency, in place of the variant's own."""

    listing = models.ForeignKey(ChannelProduct, on_delete=models.CASCADE, related_name="prices")
    currency = models.CharField(max_length=3, validators=[CURRENCY_CODE])
    amount = models.DecimalField(max_digits=14, decimal_places=4, validators=[MinValueValidator(Decimal(0))])

    class Meta:
        db_table = "listing_prices"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["listing", "currency"], name="listing_prices_one_per_currency"),
            models.CheckConstraint(
                condition=models.Q(amount__gte=0, amount__lt=Decimal(10_000_000_000)),
                name="listing_prices_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


class DueChange(models.Model):
    """What the platform of a listing has yet to be told; one row per listing and kind, counted up by version.

    The row is due while `version` is above `settled_version`. Whoever pushes claims it, sends the newest absolute
    value, and settles the version that it claimed. `integration_id` says who tells it; nobody has to be told while it
    is null (integrations are a higher room, so it is a bare number here).
    """

    class What(models.TextChoices):
        STOCK = "stock", "Stock"
        PRICE = "price", "Price"
        CONTENT = "content", "Content"

    listing = models.ForeignKey(ChannelProduct, on_delete=models.CASCADE, related_name="due_changes")
    what = models.CharField(max_length=7, choices=What)
    version = models.BigIntegerField(default=1)
    settled_version = models.BigIntegerField(default=0)
    claimed_version = models.BigIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True, default="")
    due_since = models.DateTimeField(db_default=Now())
    integration_id = models.BigIntegerField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "due_changes"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["listing", "what"], name="due_changes_one_per_kind"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_since"],
                name="due_changes_due",
                condition=models.Q(version__gt=models.F("settled_version")),
            ),
            models.Index(
                fields=["integration_id", "due_since"],
                name="due_changes_owner",
                condition=models.Q(version__gt=models.F("settled_version"), integration_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what} of listing {self.listing_id}"
