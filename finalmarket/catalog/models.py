"""What is sold: products, their variants (one variant is one SKU), prices and bundles."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from django.apps import apps
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower, Now

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

    from finalmarket.stock.models import StockItem

CURRENCY_CODE = RegexValidator(r"^[A-Z]{3}$", "A currency is three capital letters of ISO 4217, such as EUR.")
COUNTRY_CODE = RegexValidator(r"^[A-Z]{2}$", "A country is two capital letters of ISO 3166-1, such as DE.")
PRINTABLE = RegexValidator(r"^[^\x00-\x1f\x7f]+$", "Control characters are not allowed here.")


class Category(models.Model):
    """A node of the merchant's category tree."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=200, unique=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")

    class Meta:
        db_table = "categories"
        ordering: ClassVar = ["name"]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """What a customer would call one thing, whatever its sizes and colours."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        ARCHIVED = "archived", "Archived"

    title = models.CharField(max_length=500, validators=[PRINTABLE])
    slug = models.SlugField(max_length=255, unique=True, allow_unicode=True)
    description = models.TextField(blank=True, default="")
    brand = models.CharField(max_length=200, blank=True, default="")
    category = models.ForeignKey(Category, null=True, blank=True, on_delete=models.SET_NULL, related_name="products")
    options = models.JSONField(
        default=list, blank=True, help_text='In order of display: [{"name": "Size", "values": ["S", "M"]}]'
    )
    attributes = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    variants: RelatedManager[Variant]
    images: RelatedManager[ProductImage]

    class Meta:
        db_table = "products"
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            GinIndex(fields=["title"], name="products_title_trgm", opclasses=["gin_trgm_ops"]),
            models.Index(fields=["category", "id"], name="products_category"),
        ]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        """Refuse options that are not a list of named, distinct value lists."""
        seen: set[str] = set()
        for option in self.options if isinstance(self.options, list) else [None]:
            if not isinstance(option, dict) or not option.get("name") or not isinstance(option.get("values"), list):
                raise ValidationError({"options": 'Options are a list like [{"name": "Size", "values": ["S", "M"]}].'})
            if option["name"] in seen:
                raise ValidationError({"options": f"Option {option['name']!r} is named twice."})
            seen.add(option["name"])


class ProductImage(models.Model):
    """A picture of a product, by address; position 0 is the main one."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images")
    url = models.URLField(max_length=1000)
    alt_text = models.CharField(max_length=500, blank=True, default="")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "product_images"
        ordering: ClassVar = ["product", "position", "id"]

    def __str__(self) -> str:
        return self.alt_text or self.url


class Variant(models.Model):
    """One sellable thing with its own SKU: what stock is counted in."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="variants")
    sku = models.CharField(max_length=100, validators=[PRINTABLE])
    barcode = models.CharField(max_length=50, blank=True, default="", help_text="GTIN, EAN, UPC or ISBN")
    title = models.CharField(max_length=300, blank=True, default="", help_text="What sets it apart: 'Red, M'")
    option_values = models.JSONField(default=dict, blank=True, help_text='{"Size": "M"}')
    cost = models.DecimalField(
        max_digits=14, decimal_places=4, null=True, blank=True, validators=[MinValueValidator(Decimal(0))]
    )
    cost_currency = models.CharField(max_length=3, blank=True, default="", validators=[CURRENCY_CODE])
    weight_grams = models.PositiveIntegerField(null=True, blank=True)
    length_mm = models.PositiveIntegerField(null=True, blank=True)
    width_mm = models.PositiveIntegerField(null=True, blank=True)
    height_mm = models.PositiveIntegerField(null=True, blank=True)
    origin_country = models.CharField(max_length=2, blank=True, default="", validators=[COUNTRY_CODE])
    hs_code = models.CharField(
        max_length=12,
        blank=True,
        default="",
        help_text="Harmonized System code for customs",
        validators=[RegexValidator(r"^\d{6,12}$", "An HS code has 6 to 12 digits.")],
    )
    tax_class = models.CharField(max_length=50, default="standard")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    prices: RelatedManager[VariantPrice]
    components: RelatedManager[BundleComponent]
    stock_items: RelatedManager[StockItem]

    class Meta:
        db_table = "variants"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sku"], name="variants_sku_unique"),
            models.CheckConstraint(condition=models.Q(cost__isnull=True) | models.Q(cost__gte=0), name="variants_cost"),
        ]
        indexes: ClassVar = [
            GinIndex(fields=["sku"], name="variants_sku_trgm", opclasses=["gin_trgm_ops"]),
            models.Index(Lower("sku"), name="variants_sku_folded"),
            models.Index(fields=["barcode"], name="variants_barcode", condition=~models.Q(barcode="")),
        ]

    def __str__(self) -> str:
        return self.sku

    @property
    def label(self) -> str:
        """The name a person reads: the product's title and what sets this variant apart."""
        return f"{self.product.title} ({self.title})" if self.title else self.product.title

    @property
    def is_on_sale(self) -> bool:
        """Whether it is sold at all: it is switched on, and its product is neither a draft nor archived."""
        return self.is_active and self.product.status == Product.Status.ACTIVE

    @staticmethod
    def on_sale(way: str = "") -> models.Q:
        """`is_on_sale` as a condition; `way` leads to the variant from what is asked for, such as `variant__`."""
        return models.Q(**{f"{way}is_active": True, f"{way}product__status": Product.Status.ACTIVE})

    def price_in(self, currency: str) -> Decimal | None:
        """Return the variant's own price in `currency` (ISO 4217), or None; prices are never converted."""
        return next((price.amount for price in self.prices.all() if price.currency == currency), None)


class VariantPrice(models.Model):
    """What a variant costs in one currency unless a listing says otherwise."""

    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="prices")
    currency = models.CharField(max_length=3, validators=[CURRENCY_CODE])
    amount = models.DecimalField(max_digits=14, decimal_places=4, validators=[MinValueValidator(Decimal(0))])
    compare_at = models.DecimalField(
        max_digits=14, decimal_places=4, null=True, blank=True, help_text="The former price, shown struck through"
    )

    class Meta:
        db_table = "variant_prices"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["variant", "currency"], name="variant_prices_one_per_currency"),
            models.CheckConstraint(
                condition=models.Q(amount__gte=0, amount__lt=Decimal(10_000_000_000)),
                name="variant_prices_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


class BundleComponent(models.Model):
    """One component of a bundle; a bundle has no stock of its own and sells what its components allow."""

    bundle = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="components")
    component = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="bundled_in")
    quantity = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1)])

    class Meta:
        db_table = "bundle_components"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bundle", "component"], name="bundle_components_once"),
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="bundle_components_quantity"),
            models.CheckConstraint(condition=~models.Q(bundle=models.F("component")), name="bundle_not_in_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.component}"

    def clean(self) -> None:
        """Refuse bundles of bundles, for a component is always something that lies on a shelf; and a bundle that lies
        on one itself."""
        if BundleComponent.objects.filter(bundle=self.component).exists():
            raise ValidationError({"component": f"{self.component} is a bundle itself; name its components instead."})
        if self.bundle._state.adding:  # it is made together with its components
            return
        if BundleComponent.objects.filter(component=self.bundle).exists():
            raise ValidationError(f"{self.bundle} is a component of another bundle.")
        if self.bundle.components.exists():
            return
        if self._is_on_its_way():
            raise ValidationError(f"{self.bundle} is on its way, by a transfer or from a supplier; see to that first.")
        pool = getattr(self.bundle, "stock_pool", None)  # the row is stock's; there is none where nothing ever lay
        if pool is not None and pool.on_hand + pool.reserved + pool.allocated + pool.backordered > 0:
            raise ValidationError(f"{self.bundle} has {pool.on_hand} units on hand; a bundle has no stock of its own.")

    def _is_on_its_way(self) -> bool:
        """Whether units of it are to arrive somewhere, which is stock's to say."""
        sent = apps.get_model("stock", "TransferLine").objects.filter(variant=self.bundle_id)
        awaited = apps.get_model("stock", "ExpectedReceipt").objects.filter(variant=self.bundle_id, state="expected")
        return bool(sent.filter(transfer__state__in=("draft", "in_transit")).exists() or awaited.exists())
