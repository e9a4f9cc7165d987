# ruff: noqa: S608 (the SQL put together here is ours, never input)
"""Stock: what is on hand of a SKU at a location, how much of it is kept back, and when it counts as low."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from finalmarket.bulk.columns import Column
from finalmarket.bulk.naming import find_variants
from finalmarket.bulk.plan import Given, Importer, Plan, make_plan
from finalmarket.bulk.stage import Stage
from finalmarket.bulk.values import SKU, line_of_text, whole_number
from finalmarket.stock import ledger

ACTOR = "import"
REASON = "stock import"
ROWS_AT_ONCE = 5_000
MOST_UNITS = 100_000_000  # of one SKU at one place; so the sum over twenty places fits the database's integer
UNITS = whole_number(MOST_UNITS, "a whole number of units from 0")


class StockLevels(Importer):
    """On hand, safety stock and low-stock threshold by SKU and location. The ledger gets the difference."""

    name = "stock"
    key: ClassVar = ("sku", "location")
    own: ClassVar = {"variant_id": "bigint", "location_id": "bigint"}
    on: ClassVar = "old.variant_id = new.variant_id AND old.location = new.location"
    columns: Sequence[Column] = (
        Column("sku", SKU, "The SKU of a variant that exists and is no bundle.", is_required=True),
        Column(
            "location",
            line_of_text(50, r"[-a-zA-Z0-9_]+", "must be letters, digits, - and _"),
            "The code of a stock location.",
            is_required=True,
        ),
        Column("on_hand", UNITS, "Units there now.", is_required=True),
        Column("safety", UNITS, "Units there that are never promised; empty: 0.", empty=0),
        Column("low_stock_threshold", UNITS, "Units at or below which stock counts as low; empty: none."),
    )

    def __init__(self, *, create_locations: bool = False) -> None:
        self.create_locations = create_locations

    def current(self) -> str:
        """The stock items that are stored."""
        return """SELECT true AS found, item.variant_id, variant.sku, location.code AS location, item.on_hand,
                         item.safety, item.low_stock_threshold
                  FROM stock_item item JOIN variants variant ON variant.id = item.variant_id
                  JOIN stock_locations location ON location.id = item.location_id"""

    def check(self, stage: Stage) -> None:
        """Refuse unknown SKUs and locations, bundles, and two numbers for one SKU at one location."""
        find_variants(stage)
        stage.refuse(
            "sku",
            "'is a bundle and has no stock of its own; import the stock of its components'",
            "EXISTS (SELECT FROM bundle_components part WHERE part.bundle_id = new.variant_id)",
        )
        stage.run(
            """UPDATE {stage} new SET location_id = place.id FROM stock_locations place
               WHERE place.code = new.location AND new.action IS NULL"""
        )
        if not self.create_locations:
            stage.refuse(
                "location",
                "'there is no such location; make it first, or use --create-locations'",
                "new.location_id IS NULL",
            )
        stage.refuse_contradictions(self.key, "SKU at the same location")

    def write(self, stage: Stage) -> None:
        """Make locations, let the ledger book the differences, set safety stock and thresholds."""
        self._open_locations(stage)
        variants = [
            row[0] for row in stage.rows("SELECT DISTINCT variant_id FROM {stage} WHERE action IN ('create', 'change')")
        ]
        ledger.lock(variants)
        _book(stage)
        _set_rules(stage)

    def _open_locations(self, stage: Stage) -> None:
        stage.run(
            """INSERT INTO stock_locations (code, name, kind, country, postcode, city, can_ship, can_hand_over,
                                            priority, is_active)
               SELECT DISTINCT location, location, 'warehouse', '', '', '', true, false, 100, true FROM {stage}
               WHERE location_id IS NULL AND action IN ('create', 'change') ORDER BY 1 ON CONFLICT DO NOTHING"""
        )
        stage.run(
            """UPDATE {stage} new SET location_id = place.id FROM stock_locations place
               WHERE place.code = new.location AND new.location_id IS NULL AND new.action IN ('create', 'change')"""
        )


def _book(stage: Stage) -> None:
    """Let the ledger book the differences; the pools are locked. `ledger.adjust` takes what reaches into promises.

    A change of safety stock moves nothing: the ledger's line says it in words.
    """
    stage.run(
        """INSERT INTO stock_item (variant_id, location_id) SELECT variant_id, location_id FROM {stage}
           WHERE action = 'create' ORDER BY 1, 2 ON CONFLICT DO NOTHING"""
    )
    safety = "new.safety" if stage.has("safety") else "item.safety"
    differences = stage.rows(
        f"""SELECT new.variant_id, new.location_id, new.on_hand - item.on_hand,
                   item.reserved + item.allocated - new.on_hand,
                   CASE WHEN {safety} = item.safety THEN '{REASON}'
                        ELSE '{REASON}, safety stock ' || item.safety || ' -> ' || {safety} END
            FROM {{stage}} new
            JOIN stock_item item ON item.variant_id = new.variant_id AND item.location_id = new.location_id
            WHERE new.action IN ('create', 'change') AND (item.on_hand <> new.on_hand OR item.safety <> {safety})
            ORDER BY new.variant_id, new.location_id"""
    )
    covered = [row for row in differences if row[3] <= 0]
    movements = [ledger.Movement("adjust", row[0], row[1], on_hand=row[2], reason=row[4]) for row in covered]
    for start in range(0, len(movements), ROWS_AT_ONCE):
        ledger.post(movements[start : start + ROWS_AT_ONCE], actor=ACTOR)
    for variant, location, difference, missing, reason in differences:
        if missing > 0:
            ledger.adjust(variant, location, difference, reason=reason, actor=ACTOR)
    less = [row[0] for row in covered if row[2] < 0]
    more = [row[0] for row in covered if row[2] > 0]
    stage.rows("SELECT stock_trim_fences(%s::bigint[], %s, %s)", [less, ACTOR, REASON])
    stage.rows("SELECT stock_backfill(%s::bigint[], %s)", [more, ACTOR])


def _set_rules(stage: Stage) -> None:
    """Set safety stock and thresholds where they differ; the alerts of these variants are to be looked at."""
    rules = [name for name in ("safety", "low_stock_threshold") if stage.has(name)]
    if not rules:
        return
    touched = stage.rows(
        f"""UPDATE stock_item item SET {", ".join(f"{name} = new.{name}" for name in rules)} FROM {{stage}} new
            WHERE item.variant_id = new.variant_id AND item.location_id = new.location_id
              AND new.action IN ('create', 'change')
              AND ({" OR ".join(f"item.{name} IS DISTINCT FROM new.{name}" for name in rules)})
            RETURNING item.variant_id"""
    )
    variants = sorted({variant for (variant,) in touched})
    stage.rows(
        """UPDATE stock_pool pool SET safety = held.units, alerts_due = true
           FROM (SELECT variant_id, sum(safety) AS units FROM stock_item
                 WHERE variant_id = ANY (%s) GROUP BY variant_id) held
           WHERE held.variant_id = pool.variant_id RETURNING 1""",
        [variants],
    )
    if stage.has("safety"):
        stage.rows("SELECT stock_mark_due(%s::bigint[])", [variants])


def plan(given: Given, *, create_locations: bool = False, **reading: Any) -> Plan:
    """Plan stock levels from a file or from rows; see `plan.py`. Raises UserError for a file that cannot be used."""
    return make_plan(StockLevels(create_locations=create_locations), given, **reading)
