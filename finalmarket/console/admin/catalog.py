"""Products, variants, prices, bundles, categories."""

from typing import ClassVar

from django.contrib import admin

from finalmarket.catalog.models import BundleComponent, Category, Product, ProductImage, Variant, VariantPrice
from finalmarket.console import finding
from finalmarket.console.admin.records import KeptAdmin, RecordAdmin, RecordTable, pilled
from finalmarket.console.admin.telling import TellsPlatforms


@admin.register(Category)
class CategoryAdmin(RecordAdmin):
    """The category tree."""

    list_display = ("name", "slug", "parent")
    list_select_related = ("parent",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    autocomplete_fields = ("parent",)


class ImageTable(RecordTable):
    """The pictures of a product."""

    model = ProductImage


class VariantTable(RecordTable):
    """The SKUs of a product; everything else about them stands on their own pages."""

    model = Variant
    fields = ("sku", "title", "option_values", "barcode", "is_active")
    show_change_link = True
    can_delete = False


@admin.register(Product)
class ProductAdmin(TellsPlatforms, KeptAdmin):
    """Products with their variants and pictures."""

    due_listings = ("products", "pk")
    list_display = ("title", "brand", "category", "state", "created_at")
    list_select_related = ("category",)
    list_filter = ("status", "category")
    search_fields = ("title", "variants__sku")
    search_help_text = "Title or SKU"
    finds = finding.within("pk", finding.products)
    ordering = ("-id",)
    prepopulated_fields = {"slug": ("title",)}
    autocomplete_fields = ("category",)
    inlines = (VariantTable, ImageTable)

    state = pilled("status")


class PriceTable(RecordTable):
    """What a variant costs, one row a currency."""

    model = VariantPrice


class ComponentTable(RecordTable):
    """What a bundle is made of."""

    model = BundleComponent
    fk_name = "bundle"
    autocomplete_fields = ("component",)
    verbose_name_plural = "bundle components"


@admin.register(Variant)
class VariantAdmin(TellsPlatforms, KeptAdmin):
    """SKUs with their prices, measures and bundle components."""

    due_listings = ("variants", "pk")
    list_display = ("sku", "label", "barcode", "is_active", "created_at")
    list_filter = ("is_active",)
    search_fields = ("sku", "barcode", "product__title")
    search_help_text = "SKU, barcode or product title"
    finds = finding.within("pk", finding.variants)
    list_select_related = ("product",)
    ordering = ("-id",)
    autocomplete_fields = ("product",)
    inlines = (PriceTable, ComponentTable)
    fieldsets = (
        (None, {"fields": ("product", "sku", "barcode", "title", "option_values", "is_active")}),
        ("Cost and tax", {"fields": ("cost", "cost_currency", "tax_class")}),
        (
            "Measures and customs",
            {"fields": ("weight_grams", "length_mm", "width_mm", "height_mm", "origin_country", "hs_code")},
        ),
    )

    @admin.display(description="name")
    def label(self, variant: Variant) -> str:
        """The product's title and what sets the variant apart."""
        return variant.label


class _OfVariant(RecordAdmin):
    list_select_related = ("variant",)
    autocomplete_fields: ClassVar[tuple[str, ...]] = ("variant",)
    search_fields = ("variant__sku",)
    search_help_text = "SKU, barcode or product title"
    finds = finding.within("variant", finding.variants)
    ordering = ("-id",)


@admin.register(VariantPrice)
class VariantPriceAdmin(TellsPlatforms, _OfVariant):
    """Prices of variants by currency."""

    due_listings = ("variants", "variant_id")
    list_display = ("variant", "currency", "amount", "compare_at")


@admin.register(BundleComponent)
class BundleComponentAdmin(TellsPlatforms, RecordAdmin):
    """Which variants are bundles, and of what."""

    due_listings = ("variants", "bundle_id")
    list_display = ("bundle", "component", "quantity")
    list_select_related = ("bundle", "component")
    autocomplete_fields = ("bundle", "component")
    search_fields = ("bundle__sku", "component__sku")
    search_help_text = "SKU of the bundle or of a component"
    finds = finding.either(finding.within("bundle", finding.variants), finding.within("component", finding.variants))
    ordering = ("-id",)


@admin.register(ProductImage)
class ProductImageAdmin(RecordAdmin):
    """Pictures of products, by address."""

    list_display = ("url", "product", "position", "alt_text")
    list_select_related = ("product",)
    autocomplete_fields = ("product",)
    search_fields = ("product__title",)
    search_help_text = "Product title or SKU"
    finds = finding.within("product", finding.products)
    ordering = ("-id",)
