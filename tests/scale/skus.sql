-- Fills a shop further, set by set: of each SKU ten thousand units lie in one place, as the ledger says too.

-- name: drop_references
-- Listings refer to what was just laid out: twenty million rows need not be looked up twice each.
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT conname FROM pg_constraint WHERE conrelid = 'channel_products'::regclass AND contype = 'f' LOOP
        EXECUTE format('ALTER TABLE channel_products DROP CONSTRAINT %I', one.conname);
    END LOOP;
END $$

-- name: fill_variants
INSERT INTO variants (product_id, sku, barcode, title, option_values, cost_currency, origin_country, hs_code, tax_class,
                      is_active, updated_at)
SELECT %(product)s, 'SCALE-' || n, '', '', '{}', '', '', '', 'standard', true, now()
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n

-- name: fill_listings
INSERT INTO channel_products (sales_channel_id, variant_id, is_available, title, description, attributes, sync_state,
                              sync_error, updated_at)
SELECT channel, id, true, '', '', '{}', 'local', '', now()
FROM variants CROSS JOIN unnest(%(channels)s::bigint[]) channel WHERE id > %(after)s ORDER BY id, channel

-- name: fill_policies
INSERT INTO channel_inventories (variant_id, sales_channel_id, buffer)
SELECT id, channel, 2 FROM variants CROSS JOIN unnest(%(with_policy)s::bigint[]) channel
WHERE id > %(after)s ORDER BY id, channel

-- name: fill_items
INSERT INTO stock_item (variant_id, location_id, on_hand)
SELECT id, %(place)s, %(units)s FROM variants WHERE id > %(after)s ORDER BY id

-- name: fill_pools
UPDATE stock_pool SET on_hand = %(units)s WHERE variant_id > %(after)s

-- name: fill_movements
INSERT INTO stock_movement (at, kind, variant_id, location_id, on_hand_delta, reserved_delta, allocated_delta, fence_delta,
                            backordered_delta, reference, actor, reason)
SELECT now(), 'receive', id, %(place)s, %(units)s, 0, 0, 0, 0, '', 'scale', 'opening stock'
FROM variants WHERE id > %(after)s ORDER BY id

-- name: scan
SELECT (SELECT sum(on_hand_delta + reserved_delta + allocated_delta) FROM stock_movement),
       (SELECT sum(on_hand + reserved + allocated) FROM stock_item), (SELECT sum(on_hand + reserved) FROM stock_pool),
       (SELECT sum(quantity) FROM reservation_line), (SELECT sum(used + fence_left) FROM channel_inventories)
