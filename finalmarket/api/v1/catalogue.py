"""The catalogue, to look up what can be listed, reserved and ordered, to make it and to change it: products, their
variants with prices and what bundles consist of, categories.

A key that is bound to channels sees what is listed on them, and changes nothing. Nothing is taken away: a product is
archived, a variant switched off. Platforms that show them are told of changes by themselves.
"""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from finalmarket.api.door import Done, check_match, read, write
from finalmarket.api.fields import is_wanted
from finalmarket.api.paging import page
from finalmarket.api.problems import Problem
from finalmarket.api.v1.catalogue_said import (
    CategoryChange,
    CategorySaid,
    ProductChange,
    ProductSaid,
    VariantChange,
    VariantSaid,
)
from finalmarket.api.v1.catalogue_shown import (
    CATEGORY,
    PRODUCT,
    VARIANT,
    CatalogueProduct,
    CatalogueProducts,
    CatalogueVariant,
    CatalogueVariants,
    Categories,
    Category,
    Status,
    product_seen,
    products_seen,
    show_category,
    show_products,
    show_variant,
    variant_seen,
    variants_seen,
)
from finalmarket.api.v1.shapes import Key, Number, Paged
from finalmarket.catalog.finding import has_in_title, has_sku
from finalmarket.catalog.models import Category as CategoryRow
from finalmarket.channels import catalogue as verbs

router = Router(tags=["catalogue"])
SCOPE = "catalogue:write"
NEW_VARIANT: dict[str, Any] = {"sku": "TEA-500", "title": "500 g", "prices": {"EUR": {"amount": "21.00"}}}


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


class CategoryFilters(Paged):
    """By what categories are narrowed."""

    slug: str = Field("", max_length=200)
    parent: Number | None = None


@read(
    router, "/variants", scope="channels:read", answer=CatalogueVariants, example={"items": [VARIANT], "next": None},
    filters=VariantFilters,
)  # fmt: skip
def list_variants(request: HttpRequest, asked: Query[VariantFilters]) -> CatalogueVariants:
    """List variants, or look one up by its SKU or barcode."""
    rows = variants_seen(request)
    if asked.sku:
        rows = rows.filter(has_sku(asked.sku))
    if asked.barcode:
        rows = rows.filter(barcode=asked.barcode)
    if asked.product is not None:
        rows = rows.filter(product=asked.product)
    if asked.is_active is not None:
        rows = rows.filter(is_active=asked.is_active)
    found, following = page(rows, ("id",), request, asked.limit, asked.cursor)
    return CatalogueVariants(items=[show_variant(one) for one in found], next=following)


@read(router, "/variants/{variant}", scope="channels:read", answer=CatalogueVariant, example=VARIANT)
def get_variant(request: HttpRequest, variant: Key) -> CatalogueVariant:
    """Show one variant."""
    return variant_seen(request, variant)


@read(
    router, "/products", scope="channels:read", answer=CatalogueProducts, example={"items": [PRODUCT], "next": None},
    filters=ProductFilters,
)  # fmt: skip
def list_products(request: HttpRequest, asked: Query[ProductFilters]) -> CatalogueProducts:
    """List products with their variants."""
    rows = products_seen(request)
    if asked.title:
        rows = rows.filter(has_in_title(asked.title))
    for word in ("slug", "status", "category"):
        if value := getattr(asked, word):
            rows = rows.filter(**{word: value})
    found, following = page(rows.prefetch_related("images"), ("id",), request, asked.limit, asked.cursor)
    return CatalogueProducts(
        items=show_products(request, found, has_variants=is_wanted(request, "variants")), next=following
    )


@read(router, "/products/{product}", scope="channels:read", answer=CatalogueProduct, example=PRODUCT)
def get_product(request: HttpRequest, product: Key) -> CatalogueProduct:
    """Show one product with its variants."""
    return product_seen(request, product)


@read(
    router, "/categories", scope="channels:read", answer=Categories, example={"items": [CATEGORY], "next": None},
    filters=CategoryFilters,
)  # fmt: skip
def list_categories(request: HttpRequest, asked: Query[CategoryFilters]) -> Categories:
    """List the categories of the merchant."""
    rows = CategoryRow.objects.all()
    if asked.slug:
        rows = rows.filter(slug=asked.slug)
    if asked.parent is not None:
        rows = rows.filter(parent=asked.parent)
    found, following = page(rows, ("id",), request, asked.limit, asked.cursor)
    return Categories(items=[show_category(one) for one in found], next=following)


@read(router, "/categories/{category}", scope="channels:read", answer=Category, example=CATEGORY)
def get_category(request: HttpRequest, category: Key) -> Category:
    """Show one category."""
    found = CategoryRow.objects.filter(pk=category).first()
    if found is None:
        raise Problem("not-found", f"There is no category {category}.")
    return show_category(found)


@write(
    router, "POST", "/categories", scope=SCOPE, status=201, answer=Category, example=CATEGORY, body={"name": "Tea"},
)  # fmt: skip
def open_category(request: HttpRequest, told: CategorySaid) -> Done:
    """Make a category."""
    row = verbs.open_category(told.fields_said())
    headers = {"Location": f"/api/v1/categories/{row.pk}"}
    return Done(f"category {row.pk}", show_category(row), headers=headers)


@write(
    router, "PATCH", "/categories/{category}", scope=SCOPE, status=200, answer=Category, example=CATEGORY,
    body={"name": "Tea"}, matches=True,
)  # fmt: skip
def change_category(request: HttpRequest, category: Key, told: CategoryChange) -> Done:
    """Change a category; null as `parent` puts it at the top."""
    rows = verbs.lock_categories()
    if category not in rows:
        raise Problem("not-found", f"There is no category {category}.")
    check_match(request, show_category(rows[category]))
    return Done(f"category {category}", show_category(verbs.change_category(category, told.fields_said())))


@write(
    router, "POST", "/products", scope=SCOPE, status=201, answer=CatalogueProduct, example=PRODUCT,
    body={"title": "Assam", "brand": "Hill & Leaf", "variants": [NEW_VARIANT]},
)  # fmt: skip
def open_product(request: HttpRequest, told: ProductSaid) -> Done:
    """Make a product, with its variants and their prices. It is sold where its variants are listed."""
    made = verbs.open_product(told.fields_said(), told.pictures() or (), [one.told() for one in told.variants])
    headers = {"Location": f"/api/v1/products/{made.pk}"}
    return Done(f"product {made.pk}", product_seen(request, made.pk), headers=headers)


@write(
    router, "PATCH", "/products/{product}", scope=SCOPE, status=200, answer=CatalogueProduct, example=PRODUCT,
    body={"title": "Tea", "status": "active"}, matches=True,
)  # fmt: skip
def change_product(request: HttpRequest, product: Key, told: ProductChange) -> Done:
    """Change a product, and its pictures where they are said. One that is archived is sold nowhere."""
    _match_product(request, product)
    verbs.change_product(product, told.fields_said(), told.pictures())
    return Done(f"product {product}", product_seen(request, product))


@write(
    router, "POST", "/products/{product}/variants", scope=SCOPE, status=201, answer=CatalogueVariant, example=VARIANT,
    body=NEW_VARIANT, matches=True,
)  # fmt: skip
def add_variant(request: HttpRequest, product: Key, told: VariantSaid) -> Done:
    """Add a variant to a product. It is sold where it is listed."""
    _match_product(request, product)
    made = verbs.add_variant(product, told.told())
    headers = {"Location": f"/api/v1/variants/{made.pk}"}
    return Done(f"variant {made.pk}", variant_seen(request, made.pk), headers=headers)


@write(
    router, "PATCH", "/variants/{variant}", scope=SCOPE, status=200, answer=CatalogueVariant, example=VARIANT,
    body={"weight_grams": 120, "prices": {"EUR": {"amount": "5.50", "compare_at": "6.00"}}}, matches=True,
)  # fmt: skip
def change_variant(request: HttpRequest, variant: Key, told: VariantChange) -> Done:
    """Change a variant, its prices by currency, and what it consists of where it is a bundle."""
    variant_seen(request, variant)
    change = told.told()
    verbs.lock_variant(variant, change)
    check_match(request, variant_seen(request, variant))
    verbs.change_variant(variant, change)
    return Done(f"variant {variant}", variant_seen(request, variant))


def _match_product(request: HttpRequest, number: int) -> None:
    """See to it that nobody else changes a product until the end of the call, and that it is as the caller saw it."""
    product_seen(request, number)
    verbs.lock_product(number)
    check_match(request, product_seen(request, number))
