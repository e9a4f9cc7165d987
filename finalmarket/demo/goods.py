"""The catalogue: products with their variants, prices in three currencies, barcodes, and a few bundles."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from django.utils.text import slugify

from finalmarket.catalog.models import BundleComponent, Category, Product, Variant, VariantPrice
from finalmarket.demo.sources import ProductRow, product_rows

CATEGORIES = {
    "Home": {"lighting": "Lighting", "textiles": "Textiles", "decoration": "Decoration", "storage": "Storage"},
    "Kitchen": {
        "cookware": "Cookware",
        "tableware": "Tableware",
        "coffee-tea": "Coffee and tea",
        "baking": "Baking",
    },
    "Garden": {"tools": "Tools", "pots": "Pots and planters", "watering": "Watering", "seeds": "Seeds and bulbs"},
    "Outdoor": {"furniture": "Furniture", "camping": "Camping", "barbecue": "Barbecue"},
}
# What a euro's worth costs elsewhere; American prices come without sales tax.
FACTORS = {"EUR": Decimal(1), "GBP": Decimal("0.88"), "USD": Decimal("1.02")}

# title, category, season, description, what is in it: (title of the product, units)
BUNDLES: tuple[tuple[str, str, str, str, tuple[tuple[str, int], ...]], ...] = (
    (
        "Picnic Set for Four", "camping", "summer", "A blanket and a mug for everyone.",
        (("Picnic Blanket Wool", 1), ("Enamel Mug", 4)),
    ),
    (
        "First Bread Set", "baking", "winter", "Basket, tin and a towel to cover the dough.",
        (("Sourdough Basket", 1), ("Loaf Tin Blue Steel", 1), ("Kitchen Towel Trio", 1)),
    ),
    (
        "Balcony Starter Set", "pots", "spring", "Three pots, a trowel and gloves.",
        (("Terracotta Pot Siena", 3), ("Hand Trowel Ash", 1), ("Garden Gloves", 1)),
    ),
    (
        "Slow Coffee Set", "coffee-tea", "gift", "Dripper, grinder and beans.",
        (("Pour-Over Dripper", 1), ("Hand Grinder Mill", 1), ("Filter Coffee Yirga", 2)),
    ),
    (
        "Table for Two Set", "tableware", "gift", "Two plates, two bowls, two tumblers.",
        (("Dinner Plate Reef", 2), ("Breakfast Bowl Reef", 2), ("Tumbler Ripple", 2)),
    ),
    (
        "Grill Master Set", "barbecue", "summer", "Tongs, chimney and the spices.",
        (("Grill Tongs Long", 1), ("Charcoal Chimney", 1), ("Spice Rub Trio", 1)),
    ),
)  # fmt: skip


@dataclass(slots=True)
class Item:
    """One sellable thing, as the other parts of the demo see it. `parts` are a bundle's components: (item, units)."""

    variant_id: int
    sku: str
    title: str
    product: int
    category: str
    season: str
    tax_class: str
    prices: dict[str, Decimal]
    parts: list[tuple[Item, int]] = field(default_factory=list)

    def contents(self) -> list[tuple[Item, int]]:
        """Return what one unit takes off the shelf."""
        return self.parts or [(self, 1)]


def build() -> list[Item]:
    """Write the catalogue and return its items, bundles last."""
    categories = _categories()
    rows = product_rows()
    products = Product.objects.bulk_create(_product(row, categories[row.category]) for row in rows)
    drafts: list[tuple[int, Variant, Decimal]] = []
    for number, (row, product) in enumerate(zip(rows, products, strict=True)):
        for label, values, more in _combinations(row):
            sku = f"{_code(row.category, 2)}{number + 1:03}-{'-'.join(_code(value, 4) for value in values.values())}"
            variant = _variant(row, product, sku, label, values, row.price + more, len(drafts))
            drafts.append((number, variant, row.price + more))
    Variant.objects.bulk_create(variant for _, variant, _ in drafts)
    items = [
        Item(
            variant.pk, variant.sku, f"{rows[n].title} ({variant.title})", n, rows[n].category, rows[n].season,
            rows[n].tax_class, prices_of(price),
        )
        for n, variant, price in drafts
    ]  # fmt: skip
    items += _bundles(items, categories, len(rows))
    VariantPrice.objects.bulk_create(
        VariantPrice(variant_id=item.variant_id, currency=currency, amount=amount)
        for item in items
        for currency, amount in item.prices.items()
    )
    return items


def prices_of(euros: Decimal) -> dict[str, Decimal]:
    """Return the merchant's prices in every currency; they end in ten cents, as on the price tags."""
    step = Decimal("0.10")
    return {
        currency: (euros * factor).quantize(step, ROUND_HALF_UP).quantize(Decimal("0.01"))
        for currency, factor in FACTORS.items()
    }


def ean13(number: int) -> str:
    """Return the number as a GTIN-13 with its check digit, in the range that GS1 leaves to everyone's own use (29)."""
    digits = f"29{number:010}"
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-weighted % 10}"


def _categories() -> dict[str, Category]:
    found = {}
    for name, children in CATEGORIES.items():
        parent = Category.objects.create(name=name, slug=slugify(name))
        for slug, title in children.items():
            found[slug] = Category.objects.create(name=title, slug=slug, parent=parent)
    return found


def _product(row: ProductRow, category: Category) -> Product:
    return Product(
        title=row.title,
        slug=slugify(row.title, allow_unicode=True),
        brand=row.brand,
        description=row.description,
        category=category,
        options=[{"name": name, "values": [label for label, _ in values]} for name, values in row.options],
        attributes={"season": row.season},
    )


def _combinations(row: ProductRow) -> list[tuple[str, dict[str, str], Decimal]]:
    """Return every combination of option values: its label, the values by option, and what it adds to the price."""
    names = [name for name, _ in row.options]
    return [
        (
            ", ".join(label for label, _ in chosen),
            dict(zip(names, (label for label, _ in chosen), strict=True)),
            sum((more for _, more in chosen), Decimal(0)),
        )
        for chosen in itertools.product(*(values for _, values in row.options))
    ]


def _variant(
    row: ProductRow, product: Product, sku: str, label: str, values: dict[str, str], price: Decimal, number: int
) -> Variant:
    length, width, height = row.size_mm
    return Variant(
        product=product, sku=sku, title=label, option_values=values, barcode=ean13(10_000 + number),
        cost=(price * row.cost_percent / 100 / Decimal("1.19")).quantize(Decimal("0.01")), cost_currency="EUR",
        weight_grams=int(row.grams * price / row.price), length_mm=length, width_mm=width, height_mm=height,
        origin_country=row.origin, hs_code=row.hs_code, tax_class=row.tax_class,
    )  # fmt: skip


def _code(text: str, most: int) -> str:
    """Shorten a word for a SKU: numbers whole, words by their first letters."""
    plain = slugify(text).replace("-", "").upper()
    return plain if re.match(r"\d", plain) else plain[:most]


def _bundles(items: list[Item], categories: dict[str, Category], first: int) -> list[Item]:
    """Write the bundles: each takes the first variant of its products, at an eighth less than they cost alone."""
    by_product: dict[str, Item] = {}
    for item in items:
        by_product.setdefault(product_rows()[item.product].title, item)
    found = []
    for number, (title, category, season, description, contents) in enumerate(BUNDLES):
        parts = [(by_product[name], units) for name, units in contents]
        euros = sum((part.prices["EUR"] * units for part, units in parts), Decimal(0)) * Decimal("0.875")
        product = Product.objects.create(
            title=title, slug=slugify(title), brand="The Final Market", description=description,
            category=categories[category], options=[],
        )  # fmt: skip
        variant = Variant.objects.create(
            product=product, sku=f"SET{number + 1:02}-{slugify(title).upper()[:20].strip('-')}",
            barcode=ean13(20_000 + number), tax_class="standard",
        )  # fmt: skip
        BundleComponent.objects.bulk_create(
            BundleComponent(bundle=variant, component_id=part.variant_id, quantity=units) for part, units in parts
        )
        found.append(
            Item(
                variant.pk, variant.sku, title, first + number, category, season, "standard",
                prices_of(euros.quantize(Decimal("0.1")) - Decimal("0.1")), parts,
            )
        )  # fmt: skip
    return found
