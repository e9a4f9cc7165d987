"""How the catalogue is told: products, their variants and categories, and which of them a caller may see.

A key that is bound to channels sees what is listed on them. What goods cost the merchant is told to nobody here.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from pydantic import AwareDatetime, BaseModel, Field

from finalmarket.api.door import caller_of
from finalmarket.api.problems import Problem
from finalmarket.api.v1.goods import listed_only
from finalmarket.catalog.models import Category as CategoryRow
from finalmarket.catalog.models import Product as ProductRow
from finalmarket.catalog.models import Variant as VariantRow
from finalmarket.channels.models import ChannelProduct

Status = Literal["draft", "active", "archived"]


class Price(BaseModel):
    """What a variant costs in one currency unless a listing says otherwise."""

    currency: str
    amount: Decimal
    compare_at: Decimal | None = Field(description="The former price")


class Component(BaseModel):
    """So many units of a variant are in one bundle."""

    variant: int
    quantity: int


class CatalogueVariant(BaseModel):
    """One sellable thing with its SKU."""

    id: int
    product: int
    sku: str
    barcode: str
    title: str = Field(description="What sets it apart")
    label: str = Field(description="The product's title and what sets this one apart")
    option_values: dict[str, Any]
    weight_grams: int | None
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    origin_country: str
    hs_code: str
    tax_class: str
    is_active: bool
    prices: list[Price]
    components: list[Component] = Field(description="What a bundle consists of; empty for what is none")
    updated_at: AwareDatetime


class CatalogueVariants(BaseModel):
    """A page of variants."""

    items: list[CatalogueVariant]
    next: str | None


class Image(BaseModel):
    """A picture, by address."""

    url: str
    alt_text: str


class CatalogueProduct(BaseModel):
    """What a customer would call one thing, with its variants and pictures."""

    id: int
    title: str
    slug: str
    description: str
    brand: str
    category: int | None
    options: list[Any]
    attributes: dict[str, Any]
    status: Status
    images: list[Image]
    variants: list[CatalogueVariant]
    created_at: AwareDatetime
    updated_at: AwareDatetime


class CatalogueProducts(BaseModel):
    """A page of products."""

    items: list[CatalogueProduct]
    next: str | None


class Category(BaseModel):
    """A node of the category tree."""

    id: int
    name: str
    slug: str
    parent: int | None = Field(description="null: it stands at the top")


class Categories(BaseModel):
    """A page of categories."""

    items: list[Category]
    next: str | None


VARIANT: dict[str, Any] = {
    "id": 7, "product": 3, "sku": "TEA-100", "barcode": "4006381333931", "title": "100 g", "label": "Tea (100 g)",
    "option_values": {"Size": "100 g"}, "weight_grams": 120, "length_mm": None, "width_mm": None, "height_mm": None,
    "origin_country": "IN", "hs_code": "090230", "tax_class": "standard", "is_active": True,
    "prices": [{"currency": "EUR", "amount": "5.0000", "compare_at": None}], "components": [],
    "updated_at": "2026-05-04T12:00:00Z",
}  # fmt: skip
PRODUCT: dict[str, Any] = {
    "id": 3, "title": "Tea", "slug": "tea", "description": "", "brand": "", "category": None, "options": [],
    "attributes": {}, "status": "active", "images": [], "variants": [VARIANT], "created_at": "2026-05-04T12:00:00Z",
    "updated_at": "2026-05-04T12:00:00Z",
}  # fmt: skip
WORDS_OF_VARIANT = tuple(
    name for name in CatalogueVariant.model_fields if name not in ("product", "prices", "components")
)  # fmt: skip
WORDS_OF_PRODUCT = tuple(
    name for name in CatalogueProduct.model_fields if name not in ("category", "images", "variants")
)  # fmt: skip
CATEGORY: dict[str, Any] = {"id": 5, "name": "Tea", "slug": "tea", "parent": None}


def variant_seen(request: HttpRequest, number: int) -> CatalogueVariant:
    """Return a variant as it is told. Raises Problem where there is none that the caller may see."""
    found = variants_seen(request).filter(pk=number).first()
    if found is None:
        raise Problem("not-found", f"There is no variant {number} that this key may see.")
    return show_variant(found)


def product_seen(request: HttpRequest, number: int) -> CatalogueProduct:
    """Return a product as it is told. Raises Problem where there is none that the caller may see."""
    found = products_seen(request).prefetch_related("images").filter(pk=number).first()
    if found is None:
        raise Problem("not-found", f"There is no product {number} that this key may see.")
    return show_products(request, [found], has_variants=True)[0]


def products_seen(request: HttpRequest) -> QuerySet[ProductRow]:
    """The products that the caller may see."""
    rows = ProductRow.objects.all()
    channels = caller_of(request).channels
    if not channels:
        return rows
    listed = ChannelProduct.objects.filter(sales_channel__in=channels, variant__product=OuterRef("pk"))
    return rows.filter(Exists(listed))


def variants_seen(request: HttpRequest) -> QuerySet[VariantRow]:
    """The variants that the caller may see, with what is told of them."""
    return listed_only(request, VariantRow.objects.select_related("product").prefetch_related("prices", "components"))


def show_products(request: HttpRequest, rows: Sequence[ProductRow], *, has_variants: bool) -> list[CatalogueProduct]:
    """Products as they are told; their variants are looked up where they are wanted."""
    variants: dict[int, list[CatalogueVariant]] = {}
    if has_variants:
        for one in variants_seen(request).filter(product__in=[row.pk for row in rows]).order_by("id"):
            variants.setdefault(one.product_id, []).append(show_variant(one))
    return [
        CatalogueProduct.model_validate(
            {
                **{word: getattr(row, word) for word in WORDS_OF_PRODUCT}, "category": row.category_id,
                "images": [
                    {"url": one.url, "alt_text": one.alt_text}
                    for one in sorted(row.images.all(), key=lambda each: (each.position, each.pk))
                ],
                "variants": variants.get(row.pk, []),
            }
        )
        for row in rows
    ]  # fmt: skip


def show_variant(row: VariantRow) -> CatalogueVariant:
    """A variant as it is told."""
    prices = sorted(row.prices.all(), key=lambda one: one.currency)
    components = sorted(row.components.all(), key=lambda one: one.component_id)
    return CatalogueVariant.model_validate(
        {
            **{word: getattr(row, word) for word in WORDS_OF_VARIANT}, "product": row.product_id,
            "prices": [
                {"currency": one.currency, "amount": one.amount, "compare_at": one.compare_at} for one in prices
            ],
            "components": [{"variant": one.component_id, "quantity": one.quantity} for one in components],
        }
    )  # fmt: skip


def show_category(row: CategoryRow) -> Category:
    """A category as it is told."""
    return Category(id=row.pk, name=row.name, slug=row.slug, parent=row.parent_id)
