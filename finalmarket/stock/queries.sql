-- Questions about stock, each one statement.

-- name: differences
-- Every place where a balance is not what the ledger or the open holds say. One statement, so one moment: no lock is
-- needed while selling goes on. A hold past its end that nobody released yet is still on the books, and still counted.
-- The words in braces stand for all variants, or for some of them (stock/check.py).
WITH ledger AS MATERIALIZED (
    SELECT variant_id, location_id, sales_channel_id, sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved,
           sum(allocated_delta) AS allocated, sum(fence_delta) AS fence, sum(backordered_delta) AS backordered
    FROM stock_movement
    WHERE {of_these} GROUP BY 1, 2, 3
), open_line AS MATERIALIZED (
    SELECT line.variant_id, line.location_id, line.sales_channel_id,
           CASE WHEN line.is_backorder THEN 'backordered' WHEN line.state = 'held' THEN 'reserved' ELSE 'allocated' END
               AS counter, sum(line.quantity) AS units
    FROM (SELECT * FROM reservation_line WHERE state = 'held' AND quantity > 0 AND {of_these}
          UNION ALL
          SELECT * FROM reservation_line WHERE state = 'confirmed' AND quantity > 0 AND {of_these}) line
    GROUP BY 1, 2, 3, 4
), pool AS MATERIALIZED (
    SELECT * FROM stock_pool
    WHERE {of_these}
), item AS MATERIALIZED (
    SELECT * FROM stock_item
    WHERE {of_these}
), policy AS MATERIALIZED (
    SELECT * FROM channel_inventories
    WHERE {of_these}
      AND (fence_left <> 0 OR used <> 0)
), balance AS (  -- (place, what, expected, found): expected by the ledger or the holds, found in the balance
    SELECT variant_id, NULL::bigint AS location_id, NULL::bigint AS channel_id, counter,
           'the locations together' AS source, sum(expected) AS expected, sum(found) AS found
    FROM (
        SELECT variant_id, counter, 0::numeric AS expected, units::numeric AS found
        FROM pool CROSS JOIN LATERAL (VALUES ('on hand', on_hand), ('reserved', reserved), ('allocated', allocated),
                                             ('safety', safety)) counters(counter, units)
        UNION ALL
        SELECT variant_id, counter, units, 0
        FROM item CROSS JOIN LATERAL (VALUES ('on hand', on_hand), ('reserved', reserved), ('allocated', allocated),
                                             ('safety', safety)) counters(counter, units)) sides
    GROUP BY 1, 4
    UNION ALL
    SELECT variant_id, NULL, NULL, counter, 'the ledger', sum(expected), sum(found)
    FROM (
        SELECT variant_id, counter, 0::numeric AS expected, units::numeric AS found
        FROM pool CROSS JOIN LATERAL (VALUES ('on hand', on_hand), ('reserved', reserved), ('allocated', allocated),
            ('fenced', fenced), ('backordered', backordered)) counters(counter, units)
        UNION ALL
        SELECT variant_id, counter, units, 0
        FROM ledger CROSS JOIN LATERAL (VALUES ('on hand', on_hand), ('reserved', reserved), ('allocated', allocated),
            ('fenced', fence), ('backordered', backordered)) counters(counter, units)) sides
    GROUP BY 1, 4
    UNION ALL
    SELECT variant_id, location_id, NULL, counter, 'the ledger', sum(expected), sum(found)
    FROM (
        SELECT variant_id, location_id, counter, 0::numeric AS expected, units::numeric AS found
        FROM item CROSS JOIN LATERAL (VALUES ('on hand', on_hand), ('reserved', reserved), ('allocated', allocated))
                                     counters(counter, units)
        UNION ALL
        SELECT variant_id, location_id, counter, units, 0
        FROM ledger CROSS JOIN LATERAL (VALUES ('on hand', on_hand), ('reserved', reserved), ('allocated', allocated))
                                       counters(counter, units)
        WHERE location_id IS NOT NULL) sides
    GROUP BY 1, 2, 4
    UNION ALL
    SELECT variant_id, location_id, NULL, counter, 'the open holds and promises', sum(expected), sum(found)
    FROM (
        SELECT variant_id, location_id, counter, 0::numeric AS expected, units::numeric AS found
        FROM item CROSS JOIN LATERAL (VALUES ('reserved', reserved), ('allocated', allocated)) counters(counter, units)
        UNION ALL
        SELECT variant_id, location_id, counter, units, 0 FROM open_line WHERE counter <> 'backordered') sides
    GROUP BY 1, 2, 4
    UNION ALL
    SELECT variant_id, NULL, NULL, 'backordered', 'the open backorders', sum(expected), sum(found)
    FROM (
        SELECT variant_id, 0::numeric AS expected, backordered::numeric AS found FROM pool
        UNION ALL
        SELECT variant_id, units, 0 FROM open_line WHERE counter = 'backordered') sides
    GROUP BY 1
    UNION ALL
    SELECT variant_id, NULL, NULL, 'fenced', 'the ring fences together', sum(expected), sum(found)
    FROM (
        SELECT variant_id, 0::numeric AS expected, fenced::numeric AS found FROM pool
        UNION ALL
        SELECT variant_id, fence_left, 0 FROM policy) sides
    GROUP BY 1
    UNION ALL
    SELECT variant_id, NULL, sales_channel_id, counter, 'the ledger', sum(expected), sum(found)
    FROM (
        SELECT variant_id, sales_channel_id, counter, 0::numeric AS expected, units::numeric AS found
        FROM policy CROSS JOIN LATERAL (VALUES ('fence left', fence_left), ('used', used)) counters(counter, units)
        UNION ALL
        SELECT variant_id, sales_channel_id, counter, units, 0
        FROM ledger CROSS JOIN LATERAL (VALUES ('fence left', fence), ('used', reserved + allocated))
                                       counters(counter, units)
        WHERE sales_channel_id IS NOT NULL) sides
    GROUP BY 1, 3, 4
    UNION ALL
    SELECT variant_id, NULL, sales_channel_id, 'used', 'the open holds and promises', sum(expected), sum(found)
    FROM (
        SELECT variant_id, sales_channel_id, 0::numeric AS expected, used::numeric AS found FROM policy
        UNION ALL
        SELECT variant_id, sales_channel_id, units, 0 FROM open_line WHERE counter <> 'backordered') sides
    GROUP BY 1, 3
), broken_law AS (
    SELECT variant_id, NULL::bigint AS location_id, 'reserved + allocated' AS counter, 'at most what is on hand' AS source,
           on_hand::numeric AS expected, (reserved + allocated)::numeric AS found
    FROM pool WHERE reserved + allocated > on_hand
    UNION ALL
    SELECT variant_id, location_id, 'reserved + allocated', 'at most what is on hand', on_hand, reserved + allocated
    FROM item WHERE reserved + allocated > on_hand
    UNION ALL
    SELECT variant_id, NULL, 'fenced', 'at most what is free', on_hand - reserved - allocated, fenced
    FROM pool WHERE fenced > on_hand - reserved - allocated
    UNION ALL
    SELECT variant_id, NULL, 'stock of a bundle', 'none, its components have it', 0, on_hand
    FROM pool WHERE on_hand <> 0 AND EXISTS (SELECT FROM bundle_components WHERE bundle_id = variant_id)
    UNION ALL
    SELECT line.variant_id, line.location_id,
           'open units of reservation ' || line.reservation_id || ' (' || coalesce(hold.state, 'gone') || '), position '
           || line.position || ' (' || line.state || ')', 'open in both or in none', 0, line.quantity
    FROM reservation_line line LEFT JOIN reservation hold ON hold.id = line.reservation_id
    WHERE line.quantity > 0 AND {of_these}
      AND (hold.state IS DISTINCT FROM line.state OR line.state NOT IN ('held', 'confirmed'))
    UNION ALL
    SELECT line.variant_id, line.location_id,
           'units of reservation ' || line.reservation_id || ', position ' || line.position,
           'no more open than promised, and only a hold ends by itself', line.promised, line.quantity
    FROM reservation_line line
    WHERE line.quantity > 0 AND {of_these}
      AND (line.quantity > line.promised OR (line.state = 'held') <> (line.expires_at IS NOT NULL)
           OR line.is_backorder <> (line.location_id IS NULL))
), differing AS (
    SELECT variant_id, location_id, channel_id, counter, source, expected, found FROM balance WHERE expected <> found
    UNION ALL
    SELECT variant_id, location_id, NULL, counter, source, expected, found FROM broken_law
)
SELECT differing.variant_id, coalesce(variant.sku, 'variant ' || differing.variant_id) AS sku,
       CASE WHEN differing.location_id IS NOT NULL
            THEN coalesce(location.code, 'location ' || differing.location_id)
            WHEN differing.channel_id IS NOT NULL
            THEN coalesce(channel.slug, 'channel ' || differing.channel_id) ELSE 'pool' END AS place,
       differing.counter, differing.source, differing.expected::bigint, differing.found::bigint
FROM differing
LEFT JOIN variants variant ON variant.id = differing.variant_id
LEFT JOIN stock_locations location ON location.id = differing.location_id
LEFT JOIN sales_channels channel ON channel.id = differing.channel_id
ORDER BY differing.variant_id, place, counter, source

-- name: proved
SELECT (SELECT count(*) FROM stock_pool), (SELECT count(*) FROM stock_item), (SELECT count(*) FROM stock_movement),
       (SELECT count(*) FROM reservation_line WHERE state IN ('held', 'confirmed') AND quantity > 0),
       (SELECT count(*) FROM channel_inventories)

-- name: counted
-- What was counted and what the books said at that moment: what they say now, less what moved since.
SELECT line.variant_id, variant.sku, line.counted_quantity, line.counted_at,
       (coalesce(item.on_hand, 0) - coalesce(since.units, 0))::int AS booked, coalesce(item.on_hand, 0) AS on_hand
FROM stock_count_lines line
JOIN stock_counts stock_take ON stock_take.id = line.count_id
JOIN variants variant ON variant.id = line.variant_id
LEFT JOIN stock_item item ON item.variant_id = line.variant_id AND item.location_id = stock_take.location_id
LEFT JOIN LATERAL (
    SELECT sum(movement.on_hand_delta) AS units FROM stock_movement movement
    WHERE movement.variant_id = line.variant_id AND movement.location_id = stock_take.location_id
      AND movement.at > line.counted_at
) since ON true
WHERE line.count_id = %(count)s ORDER BY line.variant_id

-- name: pools_with_alerts_due
-- Takes variants whose alerts are to be looked at, and takes the mark off them; those that another transaction holds are
-- left. A shortfall may be given up without a movement: variants with a `short` alert that nothing stands behind count too.
WITH due AS (
    SELECT pool.variant_id FROM stock_pool pool WHERE pool.alerts_due ORDER BY pool.variant_id
    LIMIT %(most)s FOR UPDATE SKIP LOCKED
), met AS (
    SELECT pool.variant_id FROM stock_pool pool
    WHERE NOT pool.alerts_due AND pool.variant_id IN (
        SELECT alert.variant_id FROM stock_alerts alert
        WHERE alert.closed_at IS NULL AND alert.level = 'short' AND NOT EXISTS (
            SELECT FROM reservation_line line
            WHERE line.variant_id = alert.variant_id AND line.short > 0 AND line.state IN ('held', 'confirmed')
              AND (line.sales_channel_id = alert.sales_channel_id OR line.location_id = alert.location_id)))
    ORDER BY pool.variant_id LIMIT %(most)s FOR UPDATE SKIP LOCKED
), marked AS (
    UPDATE stock_pool SET alerts_due = false WHERE variant_id IN (SELECT variant_id FROM due) RETURNING variant_id
)
SELECT variant_id FROM marked UNION SELECT variant_id FROM met ORDER BY 1

-- name: watched_channels
SELECT inventory.variant_id, inventory.sales_channel_id
FROM channel_inventories inventory JOIN sales_channels channel ON channel.id = inventory.sales_channel_id
WHERE inventory.low_stock_threshold IS NOT NULL AND channel.status = 'active'
  AND inventory.variant_id = ANY (%(variants)s::bigint[] || ARRAY(
      SELECT bundle_id FROM bundle_components WHERE component_id = ANY (%(variants)s::bigint[])))
ORDER BY 1, 2

-- name: watched_shelves
SELECT item.variant_id, item.location_id,
       (item.on_hand - item.reserved - item.allocated + coalesce(ended.units, 0))::int AS free, item.low_stock_threshold
FROM stock_item item JOIN stock_locations location ON location.id = item.location_id
LEFT JOIN LATERAL (
    SELECT sum(line.quantity) AS units FROM reservation_line line
    WHERE line.variant_id = item.variant_id AND line.location_id = item.location_id AND line.state = 'held'
      AND line.expires_at <= statement_timestamp()
) ended ON true
WHERE item.variant_id = ANY (%(variants)s::bigint[]) AND item.low_stock_threshold IS NOT NULL AND location.is_active
ORDER BY 1, 2

-- name: write_alerts
-- Opens what is wanted and not open, updates what is, closes the rest of these variants and of the bundles with them.
-- A `short` alert stays as long as units of its channel, or at its location, are short.
WITH wanted AS (
    SELECT * FROM unnest(%(variant)s::bigint[], %(channel)s::bigint[], %(location)s::bigint[], %(level)s::text[],
                         %(quantity)s::int[], %(threshold)s::int[])
                  a(variant_id, channel_id, location_id, level, quantity, threshold)
), lacking AS (
    SELECT alert.id, (
        SELECT sum(line.short) FROM reservation_line line
        WHERE line.variant_id = alert.variant_id AND line.short > 0 AND line.state IN ('held', 'confirmed')
          AND (line.sales_channel_id = alert.sales_channel_id OR line.location_id = alert.location_id))::int AS units
    FROM stock_alerts alert
    WHERE alert.closed_at IS NULL AND alert.level = 'short' AND alert.variant_id = ANY (%(variants)s::bigint[])
), still_short AS (
    UPDATE stock_alerts alert SET quantity = lacking.units FROM lacking
    WHERE alert.id = lacking.id AND lacking.units > 0 RETURNING alert.id
), closed AS (
    UPDATE stock_alerts alert SET closed_at = statement_timestamp()
    WHERE alert.closed_at IS NULL
      AND alert.variant_id = ANY (%(variants)s::bigint[] || ARRAY(
          SELECT bundle_id FROM bundle_components WHERE component_id = ANY (%(variants)s::bigint[])))
      AND NOT EXISTS (SELECT FROM lacking WHERE lacking.id = alert.id AND lacking.units > 0)
      AND NOT EXISTS (SELECT FROM wanted WHERE wanted.variant_id = alert.variant_id
                      AND wanted.channel_id IS NOT DISTINCT FROM alert.sales_channel_id
                      AND wanted.location_id IS NOT DISTINCT FROM alert.location_id)
)
INSERT INTO stock_alerts AS alert (variant_id, sales_channel_id, location_id, level, quantity, threshold, opened_at)
SELECT wanted.variant_id, wanted.channel_id, wanted.location_id, wanted.level, wanted.quantity, wanted.threshold,
       statement_timestamp()
FROM wanted WHERE NOT EXISTS (
    SELECT FROM stock_alerts short JOIN lacking ON lacking.id = short.id AND lacking.units > 0
    WHERE short.variant_id = wanted.variant_id AND short.sales_channel_id IS NOT DISTINCT FROM wanted.channel_id
      AND short.location_id IS NOT DISTINCT FROM wanted.location_id)
ORDER BY 1, 2, 3
ON CONFLICT (variant_id, sales_channel_id, location_id) WHERE closed_at IS NULL DO UPDATE
    SET level = excluded.level, quantity = excluded.quantity, threshold = excluded.threshold,
        snoozed_until = CASE WHEN alert.level = 'low' AND excluded.level = 'out' THEN NULL ELSE alert.snoozed_until END

-- name: history
-- One page of a variant's movements, the newest first.
SELECT movement.id, movement.at, movement.kind, coalesce(location.code, '') AS place, coalesce(channel.name, '') AS channel,
       movement.on_hand_delta, movement.reserved_delta, movement.allocated_delta, movement.fence_delta,
       movement.backordered_delta, movement.reservation_id, movement.reference, movement.actor, movement.reason
FROM stock_movement movement
LEFT JOIN stock_locations location ON location.id = movement.location_id
LEFT JOIN sales_channels channel ON channel.id = movement.sales_channel_id
WHERE movement.variant_id = %(variant)s AND (%(before)s::bigint IS NULL OR movement.id < %(before)s)
  AND (%(location)s::bigint IS NULL OR movement.location_id = %(location)s)
  AND (%(kinds)s::text[] IS NULL OR movement.kind = ANY (%(kinds)s::text[]))
ORDER BY movement.id DESC LIMIT %(limit)s

-- name: touch_looking_ahead
-- Variants with a delivery to come that a channel looks ahead to: what they may sell changes as the day comes nearer.
SELECT DISTINCT expected.variant_id FROM expected_receipts expected
WHERE expected.state = 'expected' AND EXISTS (
    SELECT FROM channel_inventories inventory
    WHERE inventory.variant_id = expected.variant_id AND inventory.incoming_horizon_days > 0)
ORDER BY 1
