"""Products, variants, prices and bundles made and changed from outside. Each is one transaction; the listings that show
them are due afterwards. Nothing is taken away: a product is archived, a variant switched off."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.text import slugify

from finalmarket.catalog.models import BundleComponent, Category, Product, ProductImage, Variant, VariantPrice
from finalmarket.channels.due import EVERYTHING, What, mark_due
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.refusal import by_field

Row = TypeVar("Row", bound=models.Model)
SOLD = frozenset({"is_active"})
"""What, changed on a variant, changes whether it can be bought, and with it the stock that is shown."""


class Priced(NamedTuple):
    """A price and the former one, which is shown struck through; or the former one stays what it is."""

    amount: Decimal
    compare_at: Decimal | None = None
    keeps_former: bool = False


class VariantTold(NamedTuple):
    """A variant as it is to be: its fields; prices by currency, None to take one away; and the units of each component
    by variant where it is a bundle (empty: it is none; None: as it was)."""

    fields: Mapping[str, Any]
    prices: Mapping[str, Priced | None]
    components: Mapping[int, int] | None = None


class Picture(NamedTuple):
    """A picture, by address."""

    url: str
    alt_text: str = ""


@transaction.atomic
def open_category(fields: Mapping[str, Any]) -> Category:
    """Make a category; its slug is made from its name where none is said. Raises UserError for fields that do not fit,
    and a slug that another one has."""
    return _stored(Category(**{**fields, "slug": fields.get("slug") or _slug(fields["name"], 200)}))


@transaction.atomic
def change_category(category_id: int, fields: Mapping[str, Any]) -> Category:
    """Change a category. Raises UserError for an unknown one, for a place below itself, for fields that do not fit."""
    rows = lock_categories()
    if category_id not in rows:
        raise UserError(f"there is no category {category_id}")
    category = rows[category_id]
    for name, value in fields.items():
        setattr(category, name, value)
    above = category.parent_id
    while above is not None:
        if above == category_id:
            raise UserError(f"category {category_id} cannot lie below itself")
        above = rows[above].parent_id if above in rows else None
    return _stored(category)


def lock_categories() -> dict[int, Category]:
    """Return all categories by number; until the end of the transaction nobody else moves one below another."""
    return {one.pk: one for one in Category.objects.select_for_update().order_by("pk")}


@transaction.atomic
def open_product(
    fields: Mapping[str, Any], pictures: Sequence[Picture] = (), variants: Sequence[VariantTold] = ()
) -> Product:  # fmt: skip
    """Make a product with its pictures and variants; its slug is made from its title where none is said. Raises
    UserError for fields that do not fit, for a slug or SKU that is taken, for a bundle that cannot be."""
    lock_variants({part for told in variants for part in told.components or ()})
    slug = fields.get("slug") or _slug(fields["title"], 255, allow_unicode=True)
    if not fields.get("slug") and Product.objects.filter(slug=slug).exists():
        raise UserError(
            f"another product has the slug {slug!r} already, which was made of the title; say one as `slug`"
        )
    product = _stored(Product(**{**fields, "slug": slug}))
    _show(product, pictures)
    for told in variants:
        _write_variant(Variant(product=product), told)
    _name_options(product)
    return product


@transaction.atomic
def change_product(
    product_id: int, fields: Mapping[str, Any], pictures: Sequence[Picture] | None = None
) -> Product:  # fmt: skip
    """Change fields of a product, and its pictures where they are given. Raises UserError for an unknown product
    and for fields that do not fit."""
    product = lock_product(product_id)
    changed = {name for name, value in fields.items() if _differs(getattr(product, name), value)}
    for name in changed:
        setattr(product, name, fields[name])
    if changed:
        _stored(product)
    if pictures is not None and _show(product, pictures):
        changed.add("images")
    if changed:
        mark_due("products", [product.pk], *(EVERYTHING if "status" in changed else ("content",)))
    return product


@transaction.atomic
def add_variant(product_id: int, told: VariantTold) -> Variant:
    """Add a variant to a product. Raises UserError for an unknown product, for a bundle that cannot be, for
    fields that do not fit and for a SKU that is taken."""
    product = lock_product(product_id)
    lock_variants(told.components or ())
    variant = _write_variant(Variant(product=product), told)
    _name_options(product)
    return variant


@transaction.atomic
def change_variant(variant_id: int, told: VariantTold) -> Variant:
    """Change fields, prices and components of a variant; what platforms show of them is due. Raises UserError for an
    unknown variant, for a bundle that cannot be, for what does not fit."""
    variant = lock_variant(variant_id, told)
    product = variant.product
    _write_variant(variant, told)
    _name_options(product)
    return variant


def lock_product(product_id: int) -> Product:
    """Return a product that nobody else changes until the end of the transaction. Raises UserError for an unknown
    one."""
    product = Product.objects.select_for_update(no_key=True).filter(pk=product_id).first()
    if product is None:
        raise UserError(f"there is no product {product_id}")
    return product


def lock_variant(variant_id: int, told: VariantTold) -> Variant:
    """Return a variant that nobody else changes until the end of the transaction, nor its product, nor what it is to
    consist of. Raises UserError for unknown ones."""
    product = Product.objects.filter(variants=variant_id).values_list("pk", flat=True).first()
    if product is None:
        raise UserError(f"there is no variant {variant_id}")
    row = lock_product(product)
    variant = lock_variants({variant_id, *(told.components or ())})[variant_id]
    variant.product = row
    return variant


def lock_variants(variant_ids: Iterable[int]) -> dict[int, Variant]:
    """Return these variants by number, locked in the order of their numbers, so that nobody waits for each other.
    Raises UserError for an unknown one."""
    wanted = set(variant_ids)
    rows = {one.pk: one for one in Variant.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")}
    if missing := wanted - rows.keys():
        raise UserError(f"there is no variant {min(missing)}")
    return rows


def _slug(words: str, most_characters: int, *, allow_unicode: bool = False) -> str:
    made = slugify(words, allow_unicode=allow_unicode)[:most_characters]
    if not made:
        raise UserError(f"no slug can be made of {words[:100]!r}; say one as `slug`")
    return made


def _differs(stands: Any, told: Any) -> bool:
    """Whether they are not the same: in JSON 1 and true are two things, and Python calls them equal."""
    if isinstance(told, (dict, list)):
        return json.dumps(stands, sort_keys=True) != json.dumps(told, sort_keys=True)
    return bool(stands != told)


def _stored(row: Row) -> Row:
    """Store a row. Raises UserError that names the row and the field of what does not fit."""
    named = f"{row._meta.verbose_name} {str(row)[:100]!r}"
    try:
        row.full_clean()
    except ValidationError as error:
        faults = (f"{named}, {field}: {words}" if field else f"{named}: {words}" for field, words in by_field(error))
        raise UserError("; ".join(faults)) from error
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:  # somebody was quicker by a moment
        raise UserError(f"{named}: another has just taken its name; look it up") from error
    row.refresh_from_db()
    return row


def _write_variant(variant: Variant, told: VariantTold) -> Variant:
    """Store a variant with all that hangs on it, and mark what changed of it."""
    is_new = variant.pk is None
    changed = {name for name, value in told.fields.items() if is_new or _differs(getattr(variant, name), value)}
    for name in changed:
        setattr(variant, name, told.fields[name])
    if changed or is_new:
        _stored(variant)
    is_priced_anew = _price(variant, told.prices)
    is_made_anew = told.components is not None and _make_of(variant, told.components)
    whats: set[What] = {"content"} if changed else set()
    whats |= {"price", "stock"} if is_priced_anew else set()
    whats |= {"stock"} if is_made_anew or changed & SOLD else set()
    if whats and not is_new:
        mark_due("variants", [variant.pk], *sorted(whats))
    return variant


def _price(variant: Variant, prices: Mapping[str, Priced | None]) -> bool:
    """Write these prices, each in its currency; return whether anything changed."""
    known = {one.currency: one for one in variant.prices.all()}
    is_changed = False
    for currency, told in prices.items():
        row = known.get(currency)
        if told is None:
            is_changed |= row is not None and row.delete()[0] > 0
            continue
        row = row or VariantPrice(variant=variant, currency=currency)
        former = row.compare_at if told.keeps_former else told.compare_at
        if (row.amount, row.compare_at) != (told.amount, former):
            row.amount, row.compare_at = told.amount, former
            _stored(row)
            is_changed = True
    return is_changed


def _make_of(variant: Variant, components: Mapping[int, int]) -> bool:
    """Make the variant a bundle of these, or none; return whether anything changed."""
    known = {one.component_id: one.quantity for one in variant.components.all()}
    if known == dict(components):
        return False
    if variant.pk in components:
        raise UserError(f"{variant.sku} cannot be a component of itself")
    variant.components.all().delete()
    for component_id, quantity in sorted(components.items()):
        _stored(BundleComponent(bundle=variant, component_id=component_id, quantity=quantity))
    return True


def _show(product: Product, pictures: Sequence[Picture]) -> bool:
    """Make the pictures of the product these, the first of them the main one; return whether anything changed."""
    if len({one.url for one in pictures}) < len(pictures):
        raise UserError("images: a picture is named twice")
    if [(one.url, one.alt_text) for one in product.images.order_by("position", "pk")] == list(pictures):
        return False
    product.images.all().delete()
    for position, one in enumerate(pictures):
        _stored(ProductImage(product=product, url=one.url, alt_text=one.alt_text, position=position))
    return True


def _name_options(product: Product) -> None:
    """Add what its variants are told apart by to the lists of the product, behind what stands there."""
    lists: dict[str, list[str]] = {one["name"]: list(one["values"]) for one in product.options}
    for values in product.variants.order_by("pk").values_list("option_values", flat=True):
        for name, value in values.items():
            if value not in lists.setdefault(name, []):
                lists[name].append(value)
    options = [{"name": name, "values": values} for name, values in lists.items()]
    if options != product.options:
        product.options = options
        product.save(update_fields=["options", "updated_at"])
