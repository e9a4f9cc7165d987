-- Questions that the console asks of several rooms at once. Each reads a bounded number of rows by an index.

-- name: variants_found
-- By SKU (whole, then a part of it), barcode, or a part of the product's title; the best matches first.
SELECT id FROM (
    SELECT id, 1 AS rank FROM variants WHERE lower(sku) = lower(%(text)s)
    UNION ALL
    SELECT id, 1 FROM variants WHERE barcode = %(text)s AND barcode <> ''
    UNION ALL
    (SELECT id, 2 FROM variants WHERE sku ILIKE %(part)s LIMIT %(most)s)
    UNION ALL
    SELECT variant.id, 3
    FROM (SELECT id FROM products WHERE title ILIKE %(part)s LIMIT %(most)s) product
    JOIN variants variant ON variant.product_id = product.id
) found GROUP BY id ORDER BY min(rank), id LIMIT %(most)s

-- name: products_found
SELECT id FROM (
    SELECT product_id AS id, 1 AS rank FROM variants WHERE lower(sku) = lower(%(text)s)
    UNION ALL
    (SELECT id, 2 FROM products WHERE title ILIKE %(part)s LIMIT %(most)s)
    UNION ALL
    (SELECT product_id, 3 FROM variants WHERE sku ILIKE %(part)s LIMIT %(most)s)
) found GROUP BY id ORDER BY min(rank), id LIMIT %(most)s

-- name: customers_found
-- By a whole e-mail address, phone number, other identity or order number, or a part of the name: all profiles of the
-- persons found.
SELECT id FROM (
    SELECT coalesce(profile.merged_into_id, profile.id) AS person, min(found.rank) AS rank FROM (
        SELECT customer_id AS id, 1 AS rank FROM customer_identities
        WHERE kind = ANY(%(kinds)s) AND value IN (%(text)s, lower(%(text)s), %(mailbox)s, %(phone)s)
        UNION ALL
        SELECT customer_id, 1 FROM orders WHERE number = %(text)s AND customer_id IS NOT NULL
        UNION ALL
        (SELECT id, 2 FROM omnichannel_customers WHERE name ILIKE %(part)s LIMIT %(most)s)
    ) found JOIN omnichannel_customers profile ON profile.id = found.id GROUP BY 1
) persons CROSS JOIN LATERAL (
    SELECT persons.person AS id UNION ALL
    SELECT member.id FROM omnichannel_customers member WHERE member.merged_into_id = persons.person
) members ORDER BY rank, person, id LIMIT %(most)s

-- name: orders_found
-- By the beginning or a part of the number, the whole external id, e-mail address, phone number or other identity, or
-- the whole SKU.
-- `accounts` walks over the few pairs of channel and source, so that the unique index on external ids can be used.
WITH RECURSIVE accounts AS (
    (SELECT sales_channel_id, source FROM orders ORDER BY 1, 2 LIMIT 1)
    UNION ALL
    SELECT following.* FROM accounts CROSS JOIN LATERAL (
        SELECT sales_channel_id, source FROM orders
        WHERE (sales_channel_id, source) > (accounts.sales_channel_id, accounts.source)
        ORDER BY 1, 2 LIMIT 1) following
), persons AS (
    SELECT coalesce(profile.merged_into_id, profile.id) AS person FROM customer_identities identity
    JOIN omnichannel_customers profile ON profile.id = identity.customer_id
    WHERE %(by_buyer)s AND identity.kind = ANY(%(kinds)s)
      AND identity.value IN (%(text)s, lower(%(text)s), %(mailbox)s, %(phone)s)
), profiles AS (
    SELECT person AS id FROM persons
    UNION SELECT member.id FROM persons JOIN omnichannel_customers member ON member.merged_into_id = persons.person
)
SELECT id FROM (
    (SELECT id, 1 AS rank FROM orders WHERE number = %(text)s)
    UNION ALL
    SELECT found.id, 1 FROM accounts CROSS JOIN LATERAL (
        SELECT id FROM orders o
        WHERE o.sales_channel_id = accounts.sales_channel_id AND o.source = accounts.source
          AND o.external_id = %(text)s) found
    UNION ALL
    (SELECT id, 2 FROM orders WHERE %(by_buyer)s AND email IN (%(text)s, lower(%(text)s)) AND email <> '' LIMIT %(most)s)
    UNION ALL
    (SELECT o.id, 2 FROM profiles JOIN orders o ON o.customer_id = profiles.id
     ORDER BY o.placed_at DESC LIMIT %(most)s)
    UNION ALL
    (SELECT line.order_id, 2 FROM variants variant JOIN order_lines line ON line.variant_id = variant.id
     WHERE lower(variant.sku) = lower(%(text)s) ORDER BY line.order_id DESC LIMIT %(most)s)
    UNION ALL
    (SELECT id, 3 FROM orders WHERE number LIKE %(beginning)s LIMIT %(most)s)
    UNION ALL
    -- Numbers begin alike: a part is looked for only when nothing begins so.
    (SELECT id, 4 FROM orders WHERE length(%(text)s) > 3 AND number ILIKE %(part)s
        AND NOT EXISTS (SELECT FROM orders WHERE number LIKE %(beginning)s) LIMIT %(most)s)
) found GROUP BY id ORDER BY min(rank), id DESC LIMIT %(most)s

-- name: rows_estimated
SELECT reltuples::bigint FROM pg_class WHERE oid = %(table)s::regclass

-- name: open_alerts
-- Alerts that are open and not put off, by channel (null: a location's own); counted up to a bound.
SELECT sales_channel_id AS channel, count(*) AS alerts
FROM (SELECT sales_channel_id FROM stock_alerts
      WHERE closed_at IS NULL AND (snoozed_until IS NULL OR snoozed_until <= %(now)s) LIMIT %(most)s) open
GROUP BY 1

-- name: listings_counted
-- Listings of each channel, counted up to a bound.
SELECT channel.id AS channel,
       (SELECT count(*) FROM (SELECT FROM channel_products listing WHERE listing.sales_channel_id = channel.id
                              LIMIT %(most)s) counted) AS listings
FROM sales_channels channel

-- name: running_out
-- Variants of which so many units are free at all locations together, or that have an open alert of these levels.
-- A bundle has no stock of its own and is found by its alerts.
SELECT pool.variant_id AS id FROM stock_pool pool
WHERE pool.on_hand - pool.reserved - pool.allocated - pool.safety BETWEEN %(lowest)s AND %(highest)s
  AND NOT EXISTS (SELECT FROM bundle_components part WHERE part.bundle_id = pool.variant_id)
UNION
SELECT alert.variant_id FROM stock_alerts alert WHERE alert.closed_at IS NULL AND alert.level = ANY(%(levels)s)
LIMIT %(most)s

-- name: listings_sold
-- Units, revenue and units returned of the last days on one channel: of the best sellers, by rank, and of the variants
-- given.
SELECT variant, units, revenue, returned, rank FROM (
    SELECT line.variant_id AS variant, sum(line.quantity - line.cancelled_quantity) AS units,
           sum(CASE WHEN line.quantity > 0
                    THEN line.total * (line.quantity - line.cancelled_quantity) / line.quantity ELSE 0 END
               - CASE WHEN o.tax_included THEN line.tax ELSE 0 END) AS revenue,
           sum(line.returned_quantity) AS returned,
           row_number() OVER (ORDER BY sum(line.quantity - line.cancelled_quantity) DESC, line.variant_id) AS rank
    FROM orders o JOIN order_lines line ON line.order_id = o.id AND line.kind = 'goods'
    WHERE o.sales_channel_id = %(channel)s AND o.placed_at >= %(since)s AND o.state <> 'cancelled'
      AND line.variant_id IS NOT NULL
    GROUP BY line.variant_id
) sold WHERE rank <= %(best)s OR variant = ANY(%(variants)s) ORDER BY rank

-- name: orders_waiting
-- Orders that wait for units of a variant, among its newest order lines.
SELECT o.id, o.number, o.placed_at, channel.name AS channel, channel.time_zone AS zone,
       line.quantity - line.cancelled_quantity - line.fulfilled_quantity AS units, line.short_quantity AS short
FROM (SELECT order_id, id FROM order_lines WHERE variant_id = %(variant)s ORDER BY order_id DESC LIMIT 500) newest
JOIN order_lines line ON line.id = newest.id AND line.kind = 'goods'
    AND line.quantity > line.cancelled_quantity + line.fulfilled_quantity
JOIN orders o ON o.id = newest.order_id AND o.state IN ('open', 'partly_fulfilled')
JOIN sales_channels channel ON channel.id = o.sales_channel_id
ORDER BY o.placed_at DESC, o.id DESC LIMIT %(most)s

-- name: orders_at
-- Orders that have to do with some locations: parcels, pick ups, and goods that came back there.
SELECT order_id FROM fulfilments WHERE location_id = ANY(%(places)s)
UNION SELECT order_id FROM pickups WHERE location_id = ANY(%(places)s)
UNION SELECT found.order_id FROM return_lines line JOIN returns found ON found.id = line.return_record_id
      WHERE line.location_id = ANY(%(places)s) AND found.order_id IS NOT NULL
