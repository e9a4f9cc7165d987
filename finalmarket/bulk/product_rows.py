# ruff: noqa: S608 (the SQL put together here is ours, never input)
"""Storing rows of products: products, variants, pictures, options and bundles, each table in one or two statements."""

from __future__ import annotations

from finalmarket.bulk.due import mark_due
from finalmarket.bulk.stage import Stage

PRODUCT_FIELDS = ("title", "description", "brand", "status", "attributes")
VARIANT_FIELDS = (
    "barcode", "cost", "cost_currency", "weight_grams", "length_mm", "width_mm", "height_mm", "origin_country",
    "hs_code", "tax_class", "is_active",
)  # fmt: skip
OF_THE_PRODUCT = (*PRODUCT_FIELDS, "category", "images")
STORED = "new.action IN ('create', 'change')"


def write_rows(stage: Stage) -> None:
    """Store the rows to create and to change; listings that show them are due."""
    _write_products(stage)
    _write_variants(stage)
    if stage.has("images"):
        _write_images(stage)
    if stage.has("options"):
        _write_options(stage)
    if stage.has("components"):
        _write_components(stage)
    mark_due(
        stage,
        "content",
        f"""SELECT DISTINCT listing.id FROM {{stage}} new
            JOIN variants variant ON variant.product_id = new.product_id
            JOIN channel_products listing ON listing.variant_id = variant.id WHERE {STORED}""",
    )


def _write_products(stage: Stage) -> None:
    fields = [name for name in PRODUCT_FIELDS if stage.has(name)]
    fields += ["category_id"] if stage.has("category") else []
    defaults = {"title": "''", "description": "''", "brand": "''", "status": "'active'", "attributes": "'{}'"}
    given = defaults | {name: f"new.{name}" for name in fields} | {"category_id": "new.category_id"}
    stage.run(
        f"""INSERT INTO products (slug, {", ".join(given)}, options, updated_at)
            SELECT DISTINCT ON (new.slug) new.slug, {", ".join(given.values())}, '[]', now()
            FROM {{stage}} new WHERE {STORED} AND new.product_id IS NULL ORDER BY new.slug, new.line"""
    )
    stage.run(
        f"""UPDATE {{stage}} new SET product_id = product.id FROM products product
            WHERE product.slug = new.slug AND new.product_id IS NULL AND {STORED}"""
    )
    if fields:
        stage.run(
            f"""UPDATE products product SET {", ".join(f"{name} = new.{name}" for name in fields)}, updated_at = now()
                FROM {{stage}} new WHERE product.id = new.product_id AND {STORED}
                  AND ROW({", ".join(f"product.{name}" for name in fields)})
                      IS DISTINCT FROM ROW({", ".join(f"new.{name}" for name in fields)})"""
        )


def _write_variants(stage: Stage) -> None:
    source = {name: name for name in VARIANT_FIELDS} | {"title": "variant_title", "option_values": "options"}
    named = {field: column for field, column in source.items() if stage.has(column)}
    empty = dict.fromkeys(("barcode", "cost_currency", "origin_country", "hs_code", "title"), "''")
    empty |= {"option_values": "'{}'", "tax_class": "'standard'", "is_active": "true"}
    given = empty | {field: f"new.{column}" for field, column in named.items()}
    changed = "".join(f", {field} = new.{column}" for field, column in named.items())
    stage.run(
        f"""UPDATE variants variant SET product_id = new.product_id, updated_at = now(){changed}
            FROM {{stage}} new WHERE new.action = 'change' AND variant.id = new.variant_id"""
    )
    stage.run(
        f"""INSERT INTO variants (product_id, sku, updated_at, {", ".join(given)})
            SELECT new.product_id, new.sku, now(), {", ".join(given.values())}
            FROM {{stage}} new WHERE new.action = 'create' ORDER BY new.line"""
    )
    stage.run(
        """UPDATE {stage} new SET variant_id = variant.id FROM variants variant
           WHERE new.action = 'create' AND variant.sku = new.sku"""
    )


def _write_images(stage: Stage) -> None:
    """Make the pictures of the products those of the rows; a picture that stays keeps its description."""
    wanted = f"""SELECT said.product_id, image.url, image.position - 1 AS position
                 FROM (SELECT DISTINCT ON (new.product_id) new.product_id, new.images FROM {{stage}} new WHERE {STORED}
                       ORDER BY new.product_id, new.line) said,
                      unnest(said.images) WITH ORDINALITY image(url, position)"""
    stage.run(
        f"""DELETE FROM product_images gone USING {{stage}} new
            WHERE gone.product_id = new.product_id AND {STORED} AND NOT gone.url = ANY (new.images)"""
    )
    stage.run(
        f"""UPDATE product_images kept SET position = wanted.position FROM ({wanted}) wanted
            WHERE kept.product_id = wanted.product_id AND kept.url = wanted.url AND kept.position <> wanted.position"""
    )
    stage.run(
        f"""INSERT INTO product_images (product_id, url, alt_text, position)
            SELECT wanted.product_id, wanted.url, '', wanted.position FROM ({wanted}) wanted
            WHERE NOT EXISTS (SELECT FROM product_images kept
                              WHERE kept.product_id = wanted.product_id AND kept.url = wanted.url) ORDER BY 1, 3"""
    )


def _write_options(stage: Stage) -> None:
    """Add option names and values that the products' lists do not hold yet, in the order of their first use."""
    stage.run(
        f"""WITH known AS (
                SELECT product.id AS product_id, choice.value ->> 'name' AS name, choice.ordinality AS place,
                       word.value, word.ordinality AS turn, 0 AS is_new
                FROM products product, jsonb_array_elements(product.options) WITH ORDINALITY choice,
                     jsonb_array_elements_text(choice.value -> 'values') WITH ORDINALITY word
                WHERE product.id IN (SELECT new.product_id FROM {{stage}} new WHERE {STORED})
            ), said AS (
                SELECT variant.product_id, pair.key AS name, 0::bigint AS place, pair.value, variant.id AS turn,
                       1 AS is_new
                FROM variants variant, jsonb_each_text(variant.option_values) pair
                WHERE variant.product_id IN (SELECT new.product_id FROM {{stage}} new WHERE {STORED})
            ), worth AS (
                SELECT product_id, name, value, min(is_new) AS is_new,
                       min(turn) FILTER (WHERE is_new = 0) AS known_turn, min(turn) AS turn, max(place) AS place
                FROM (SELECT * FROM known UNION ALL SELECT * FROM said) every GROUP BY product_id, name, value
            ), lists AS (
                SELECT product_id, name, max(place) AS place, min(turn) AS turn,
                       jsonb_agg(value ORDER BY is_new, coalesce(known_turn, turn), value) AS values
                FROM worth GROUP BY product_id, name
            )
            UPDATE products product SET options = merged.options
            FROM (SELECT product_id, jsonb_agg(jsonb_build_object('name', name, 'values', values)
                             ORDER BY place = 0, place, turn, name) AS options FROM lists GROUP BY product_id) merged
            WHERE product.id = merged.product_id AND product.options IS DISTINCT FROM merged.options"""
    )


def _write_components(stage: Stage) -> None:
    wanted = f"""SELECT new.variant_id AS bundle_id, part.id AS component_id, said.value::int AS quantity
                 FROM {{stage}} new, jsonb_each_text(new.components) said JOIN variants part ON part.sku = said.key
                 WHERE {STORED}"""
    stage.run(
        f"""DELETE FROM bundle_components gone USING {{stage}} new
            WHERE gone.bundle_id = new.variant_id AND {STORED} AND NOT EXISTS (
                SELECT FROM variants part WHERE part.id = gone.component_id AND new.components ? part.sku)"""
    )
    stage.run(
        f"""INSERT INTO bundle_components (bundle_id, component_id, quantity)
            SELECT bundle_id, component_id, quantity FROM ({wanted}) wanted ORDER BY 1, 2
            ON CONFLICT (bundle_id, component_id) DO UPDATE SET quantity = excluded.quantity"""
    )
    stage.rows(f"SELECT stock_mark_due(ARRAY(SELECT new.variant_id FROM {{stage}} new WHERE {STORED}))")
