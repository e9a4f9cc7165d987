-- Statements of the order import.

-- name: open_sales
-- Order lines of a customer with units that have left and not come back, the latest sale first. The OFFSETs keep the
-- planner to one look into an index for each order, whatever it believes of the size of the tables.
SELECT asked.number, o.id, o.external_id, o.sales_channel_id, line.id, o.placed_at,
       line.fulfilled_quantity - line.returned_quantity
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[])
     WITH ORDINALITY asked(customer_id, variant_id, sku, currency, latest, number)
CROSS JOIN LATERAL (
    SELECT id, external_id, sales_channel_id, placed_at FROM orders
    WHERE customer_id = asked.customer_id AND placed_at < asked.latest AND currency = asked.currency OFFSET 0
) o
CROSS JOIN LATERAL (
    (SELECT id, position, fulfilled_quantity, returned_quantity FROM order_lines
     WHERE asked.variant_id IS NOT NULL AND variant_id = asked.variant_id AND order_id = o.id OFFSET 0)
    UNION ALL
    (SELECT id, position, fulfilled_quantity, returned_quantity FROM order_lines
     WHERE asked.variant_id IS NULL AND order_id = o.id AND variant_id IS NULL AND sku = asked.sku OFFSET 0)
) line
WHERE line.fulfilled_quantity > line.returned_quantity
ORDER BY asked.number, o.placed_at DESC, o.id DESC, line.position DESC

-- name: make_turns
CREATE TEMPORARY TABLE IF NOT EXISTS import_turns (name text PRIMARY KEY, turns int NOT NULL)

-- name: clear_turns
TRUNCATE import_turns

-- name: count_turns
-- Counts the rows of each order; returns how many were counted before.
INSERT INTO import_turns AS known (name, turns) SELECT * FROM unnest(%s::text[], %s::int[]) counted(name, turns)
ON CONFLICT (name) DO UPDATE SET turns = known.turns + excluded.turns RETURNING name, turns

-- name: claim
-- Lines that were not booked yet; the constraint decides.
INSERT INTO imported_lines (sales_channel_id, source, external_id, position)
SELECT channel_id, %s, external_id, position
FROM unnest(%s::bigint[], %s::text[], %s::int[]) line(channel_id, external_id, position)
ORDER BY 1, 3, 4 ON CONFLICT DO NOTHING RETURNING sales_channel_id, external_id, position

-- name: on_hand
SELECT variant_id, on_hand, reserved + allocated FROM stock_item WHERE variant_id = ANY (%s) AND location_id = %s

-- name: trim
SELECT stock_trim_fences(%s::bigint[], %s, 'stock adjustment')
