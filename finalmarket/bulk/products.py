# ruff: noqa: S608 (the SQL put together here is ours, never input)
"""Products and their variants: one row is one variant (one SKU). What is the product's stands in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from finalmarket.bulk.categories import open_categories
from finalmarket.bulk.columns import Column
from finalmarket.bulk.plan import Given, Importer, Plan, make_plan
from finalmarket.bulk.product_rows import OF_THE_PRODUCT, PRODUCT_FIELDS, VARIANT_FIELDS, write_rows
from finalmarket.bulk.stage import Stage
from finalmarket.bulk.values import (
    ADDRESSES,
    AMOUNT,
    CATEGORY,
    COMPONENTS,
    COUNTRY,
    CURRENCY,
    FLAG,
    HS_CODE,
    OBJECT,
    OPTIONS,
    PROSE,
    SKU,
    choice,
    line_of_text,
    whole_number,
)

# A category as a path of names from the root.
PATHS = """WITH RECURSIVE path(id, name) AS (
    SELECT id, name::text FROM categories WHERE parent_id IS NULL
    UNION ALL SELECT child.id, path.name || ' > ' || child.name
    FROM categories child JOIN path ON child.parent_id = path.id
) SELECT id, name FROM path"""


class Products(Importer):
    """Products, variants, options, images, categories and bundles by SKU."""

    name = "products"
    key: ClassVar = ("sku",)
    own: ClassVar = {"variant_id": "bigint", "product_id": "bigint", "slug": "text", "category_id": "bigint"}
    on: ClassVar = "old.sku = new.sku"
    columns: Sequence[Column] = (
        Column("sku", SKU, "The SKU: at most 100 printable signs, case counts.", is_required=True),
        Column(
            "product",
            line_of_text(255, r"[-\w]+", "must be letters, digits, - and _"),
            "The product's short name; rows with one name are its variants. Empty: the SKU's product, or a new one.",
        ),
        Column("title", line_of_text(500), "The product's title; needed where the product is new.", empty=""),
        Column("description", PROSE, "The product's description.", empty=""),
        Column("brand", line_of_text(200), "The product's brand.", empty=""),
        Column("category", CATEGORY, "The category as a path, Home > Kitchen; missing ones are made."),
        Column(
            "status", choice("draft", "active", "archived"), "draft, active, archived; empty: active.", empty="active"
        ),
        Column("attributes", OBJECT, "More about the product, as a JSON object.", empty="{}"),
        Column("images", ADDRESSES, "Addresses of the product's pictures, main one first, blanks between.", empty=[]),
        Column("variant_title", line_of_text(300), "What sets the variant apart: Red, M.", empty=""),
        Column("options", OPTIONS, "The variant's options: Size=M; Colour=Red.", empty="{}"),
        Column("components", COMPONENTS, "For a bundle: CUP*6; TRAY*1. Empty: no bundle.", empty="{}"),
        Column("barcode", line_of_text(50), "GTIN, EAN, UPC or ISBN.", empty=""),
        Column("cost", AMOUNT, "What a unit costs to buy."),
        Column("cost_currency", CURRENCY, "The currency of the cost, ISO 4217.", empty=""),
        Column("weight_grams", whole_number(), "Whole grams."),
        Column("length_mm", whole_number(), "Whole millimetres."),
        Column("width_mm", whole_number(), "Whole millimetres."),
        Column("height_mm", whole_number(), "Whole millimetres."),
        Column("origin_country", COUNTRY, "Where it was made, ISO 3166-1 such as DE.", empty=""),
        Column("hs_code", HS_CODE, "Harmonized System code, 6 to 12 digits.", empty=""),
        Column("tax_class", line_of_text(50), "The tax class; empty: standard.", empty="standard"),
        Column("is_active", FLAG, "no: the variant is not sold anywhere; empty: yes.", empty=True),
    )

    def current(self) -> str:
        """The variants that are stored, with what belongs to their products."""
        fields = ", ".join(
            [*(f"product.{name}" for name in PRODUCT_FIELDS), *(f"variant.{name}" for name in VARIANT_FIELDS)]
        )
        return f"""SELECT true AS found, variant.id AS variant_id, variant.sku, product.slug AS product, {fields},
                          variant.title AS variant_title, variant.option_values AS options,
                          (SELECT path.name FROM ({PATHS}) path WHERE path.id = product.category_id) AS category,
                          ARRAY(SELECT image.url::text FROM product_images image WHERE image.product_id = product.id
                                ORDER BY image.position, image.id) AS images,
                          (SELECT coalesce(jsonb_object_agg(part.sku, own.quantity), '{{}}') FROM bundle_components own
                           JOIN variants part ON part.id = own.component_id
                           WHERE own.bundle_id = variant.id) AS components
                   FROM variants variant JOIN products product ON product.id = variant.product_id"""

    def check(self, stage: Stage) -> None:
        """Find the product of every row; refuse contradictions, products without a title, and wrong bundles."""
        stage.refuse_contradictions(self.key, "SKU")
        stage.run(
            """UPDATE {stage} new SET variant_id = variant.id, product_id = variant.product_id, slug = product.slug
               FROM variants variant JOIN products product ON product.id = variant.product_id
               WHERE variant.sku = new.sku AND new.action IS NULL"""
        )
        _name_products(stage)
        said = [name for name in OF_THE_PRODUCT if stage.has(name)]
        if said:
            stage.refuse_contradictions(("slug",), "product", said)
        untitled = "coalesce(new.title, '') = ''" if stage.has("title") else "new.product_id IS NULL"
        stage.refuse("title", "'a product needs a title'", untitled)
        if stage.has("components"):
            _check_bundles(stage)

    def write(self, stage: Stage) -> None:
        """Store products, then variants, pictures and bundles; listings that show them are due."""
        if stage.has("category"):
            open_categories(stage, PATHS)
        write_rows(stage)


def _name_products(stage: Stage) -> None:
    """Fill `slug`, `product` and `product_id` from what rows say, else from the SKU (marked where signs are lost)."""
    if stage.has("product"):
        stage.run(
            """UPDATE {stage} new SET slug = new.product, product_id = (
                   SELECT product.id FROM products product WHERE product.slug = new.product)
               WHERE new.product IS NOT NULL AND new.action IS NULL"""
        )
    stage.run(
        r"""UPDATE {stage} SET slug = CASE WHEN sku ~ '^[-a-z0-9_]+$' THEN sku
                ELSE trim('-' FROM left(regexp_replace(lower(sku), '[^a-z0-9_]+', '-', 'g'), 80) || '-'
                          || left(md5(sku), 10)) END
            WHERE slug IS NULL AND action IS NULL"""
    )
    stage.refuse(
        "sku",
        "'its product would be called ' || new.slug || ', and there is one; name its product in the column product'",
        f"""new.product IS NULL AND new.product_id IS NULL AND (
                EXISTS (SELECT FROM products other WHERE other.slug = new.slug)
                OR new.slug IN (SELECT other.slug FROM {stage.table} other GROUP BY other.slug HAVING count(*) > 1))""",
    )
    stage.run("UPDATE {stage} SET product = slug WHERE product IS NULL AND action IS NULL")


def _check_bundles(stage: Stage) -> None:
    """Refuse bundles of what is not there, of bundles, of themselves, and bundles that have stock of their own."""
    parts = ", jsonb_object_keys(new.components) AS part(sku)"
    accepted = f"FROM {stage.table} other WHERE other.action IS NULL AND other.sku"
    stage.refuse("components", "'names the bundle itself'", "part.sku = new.sku", parts)
    stage.refuse(
        "components",
        "'has ' || pool.on_hand || ' units on hand; a bundle has no stock of its own'",
        """new.components <> '{}' AND pool.on_hand + pool.reserved + pool.allocated + pool.backordered > 0
           AND NOT EXISTS (SELECT FROM bundle_components own WHERE own.bundle_id = new.variant_id)""",
        "JOIN stock_pool pool ON pool.variant_id = new.variant_id",
    )
    stage.refuse(
        "components",
        "'is on its way, by a transfer or from a supplier; see to that first'",
        """new.components <> '{}'
           AND NOT EXISTS (SELECT FROM bundle_components own WHERE own.bundle_id = new.variant_id)
           AND (EXISTS (SELECT FROM transfer_lines line JOIN transfers sent ON sent.id = line.transfer_id
                        WHERE line.variant_id = new.variant_id AND sent.state IN ('draft', 'in_transit'))
                OR EXISTS (SELECT FROM expected_receipts awaited
                           WHERE awaited.variant_id = new.variant_id AND awaited.state = 'expected'))""",
    )
    stage.refuse(
        "components",
        "part.sku || ' is a bundle itself; name its components instead'",
        f"""EXISTS (SELECT {accepted} = part.sku AND other.components <> '{{}}') OR EXISTS (
            SELECT FROM variants known JOIN bundle_components own ON own.bundle_id = known.id
            WHERE known.sku = part.sku AND NOT EXISTS (SELECT {accepted} = part.sku))""",
        parts,
    )
    stage.refuse(
        "components",
        "'is a component of the bundle ' || holder.sku || ' and so no bundle itself'",
        f"new.components <> '{{}}' AND NOT EXISTS (SELECT {accepted} = holder.sku)",
        """JOIN bundle_components own ON own.component_id = new.variant_id
           JOIN variants holder ON holder.id = own.bundle_id""",
    )
    unknown = f"""NOT EXISTS (SELECT FROM variants known WHERE known.sku = part.sku)
                  AND NOT EXISTS (SELECT {accepted} = part.sku)"""
    while stage.refuse("components", "'there is no such SKU: ' || part.sku", unknown, parts):
        continue  # a refused row may have been the component of another


def plan(given: Given, **reading: Any) -> Plan:
    """Plan products from a file or from rows; see `plan.py`. Raises UserError for a file that cannot be used."""
    return make_plan(Products(), given, **reading)
