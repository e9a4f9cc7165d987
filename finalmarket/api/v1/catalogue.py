"""The catalogue, to look up what can be listed, reserved and ordered: products and their variants.

A key that is bound to channels sees what is listed on them. What goods cost the merchant is told to nobody here.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import AwareDatetime, BaseModel, Field

from finalmarket.api.door import caller_of, read
from finalmarket.api.fields import is_wanted
from finalmarket.api.paging import page
from finalmarket.api.problems import Problem
from finalmarket.api.v1.goods import listed_only
from finalmarket.api.v1.shapes import Key, Number, Paged
from finalmarket.catalog.finding import has_in_title, has_sku
from finalmarket.catalog.models import Product as ProductRow
from finalmarket.catalog.models import Variant as VariantRow
from finalmarket.channels.models import ChannelProduct

router = Router(tags=["catalogue"])
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


class VariantFilters(Paged):
    """By what variants are narrowed."""

    sku: str = Field("", max_length=100, description="The whole SKU, in capital or small letters")
    barcode: str = Field("", max_length=50)
    product: Number | None = None
    is_active: bool | None = None


class ProductFilters(Paged):
    """By what products are narrowed."""

    title: str = Field("", max_length=200, description="A part of the title")
    slug: str = Field("", max_length=255)
    category: Number | None = None
    status: Status | None = None


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


@read(
    router, "/variants", scope="channels:read", answer=CatalogueVariants, example={"items": [VARIANT], "next": None},
    filters=VariantFilters,
)  # fmt: skip
def list_variants(request: HttpRequest, asked: Query[VariantFilters]) -> CatalogueVariants:
    """List variants, or look one up by its SKU or barcode."""
    rows = listed_only(request, _variants())
    if asked.sku:
        rows = rows.filter(has_sku(asked.sku))
    if asked.barcode:
        rows = rows.filter(barcode=asked.barcode)
    if asked.product is not None:
        rows = rows.filter(product=asked.product)
    if asked.is_active is not None:
        rows = rows.filter(is_active=asked.is_active)
    found, following = page(rows, ("id",), request, asked.limit, asked.cursor)
    return CatalogueVariants(items=[_variant(one) for one in found], next=following)


@read(router, "/variants/{variant}", scope="channels:read", answer=CatalogueVariant, example=VARIANT)
def get_variant(request: HttpRequest, variant: Key) -> CatalogueVariant:
    """Show one variant."""
    found = listed_only(request, _variants()).filter(pk=variant).first()
    if found is None:
        raise Problem("not-found", f"There is no variant {variant} that this key may see.")
    return _variant(found)


@read(
    router, "/products", scope="channels:read", answer=CatalogueProducts, example={"items": [PRODUCT], "next": None},
    filters=ProductFilters,
)  # fmt: skip
def list_products(request: HttpRequest, asked: Query[ProductFilters]) -> CatalogueProducts:
    """List products with their variants."""
    rows = _seen(request)
    if asked.title:
        rows = rows.filter(has_in_title(asked.title))
    for word in ("slug", "status", "category"):
        if value := getattr(asked, word):
            rows = rows.filter(**{word: value})
    found, following = page(rows.prefetch_related("images"), ("id",), request, asked.limit, asked.cursor)
    return CatalogueProducts(
        items=_products(request, found, has_variants=is_wanted(request, "variants")), next=following
    )


@read(router, "/products/{product}", scope="channels:read", answer=CatalogueProduct, example=PRODUCT)
def get_product(request: HttpRequest, product: Key) -> CatalogueProduct:
    """Show one product with its variants."""
    found = _seen(request).prefetch_related("images").filter(pk=product).first()
    if found is None:
        raise Problem("not-found", f"There is no product {product} that this key may see.")
    return _products(request, [found], has_variants=True)[0]


def _seen(request: HttpRequest) -> QuerySet[ProductRow]:
    """The products that the caller may see."""
    rows = ProductRow.objects.all()
    channels = caller_of(request).channels
    if not channels:
        return rows
    listed = ChannelProduct.objects.filter(sales_channel__in=channels, variant__product=OuterRef("pk"))
    return rows.filter(Exists(listed))


def _variants() -> QuerySet[VariantRow]:
    return VariantRow.objects.select_related("product").prefetch_related("prices", "components")


def _products(request: HttpRequest, rows: Sequence[ProductRow], *, has_variants: bool) -> list[CatalogueProduct]:
    variants: dict[int, list[CatalogueVariant]] = {}
    if has_variants:
        for one in listed_only(request, _variants()).filter(product__in=[row.pk for row in rows]).order_by("id"):
            variants.setdefault(one.product_id, []).append(_variant(one))
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


def _variant(row: VariantRow) -> CatalogueVariant:
    prices = sorted(row.prices.all(), key=lambda one: one.currency)
    return CatalogueVariant.model_validate(
        {
            **{word: getattr(row, word) for word in WORDS_OF_VARIANT}, "product": row.product_id,
            "prices": [
                {"currency": one.currency, "amount": one.amount, "compare_at": one.compare_at} for one in prices
            ],
            "components": [{"variant": one.component_id, "quantity": one.quantity} for one in row.components.all()],
        }
    )  # fmt: skip
