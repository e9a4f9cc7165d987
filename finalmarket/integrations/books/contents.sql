-- Orders and people as platforms that keep books are to know them, read for many at once.

-- name: orders
SELECT o.id, o.number, o.placed_at, o.updated_at, o.currency, o.total, o.tax, o.tip, o.refunded, o.state,
       o.payment_state, channel.name, o.email, o.phone, o.shipping_address, o.billing_address,
       channel.time_zone, person.id, person.name
FROM orders o JOIN sales_channels channel ON channel.id = o.sales_channel_id
LEFT JOIN omnichannel_customers buyer ON buyer.id = o.customer_id
LEFT JOIN customer_persons person ON person.id = coalesce(buyer.merged_into_id, buyer.id)
WHERE o.id = ANY (%(orders)s::bigint[])

-- name: lines
SELECT line.order_id, line.id, line.kind, coalesce(variant.sku, line.sku), coalesce(link.external_key, ''),
       coalesce(nullif(line.title, ''), product.title, ''), line.quantity, line.cancelled_quantity, line.unit_price,
       line.discount, line.tax, o.currency
FROM order_lines line JOIN orders o ON o.id = line.order_id LEFT JOIN variants variant ON variant.id = line.variant_id
LEFT JOIN products product ON product.id = variant.product_id
LEFT JOIN LATERAL (
    SELECT item.external_key, 0 AS rank, item.id FROM item_links item
    WHERE item.variant_id = line.variant_id AND item.integration_id = %(integration)s
    UNION ALL
    SELECT link.external_key, 1, link.id FROM channel_products listing
    JOIN listing_links link ON link.listing_id = listing.id
    WHERE listing.variant_id = line.variant_id AND link.integration_id = %(integration)s AND link.ids <> '{}'
    ORDER BY rank, id LIMIT 1) link ON true
WHERE line.order_id = ANY (%(orders)s::bigint[]) ORDER BY line.order_id, line.position

-- name: parcels
-- The newest parcel of each order that can be tracked.
SELECT DISTINCT ON (order_id) order_id, carrier, tracking_number, tracking_url FROM fulfilments
WHERE order_id = ANY (%(orders)s::bigint[]) AND state IN ('shipped', 'delivered') AND tracking_number <> ''
ORDER BY order_id, shipped_at DESC NULLS LAST, id DESC

-- name: people
SELECT person.id, coalesce(shown.name, person.name), coalesce(shown.email, person.email),
       coalesce(shown.phone, person.phone), coalesce(shown.language, person.language),
       coalesce(shown.segment, person.segment), bought.shipping_address, bought.billing_address
FROM omnichannel_customers person
LEFT JOIN LATERAL (  -- OFFSET 0: each by its number, never all of them for each
    SELECT * FROM customer_persons WHERE id = person.id OFFSET 0) shown ON true
LEFT JOIN LATERAL (
    SELECT shipping_address, billing_address FROM orders
    WHERE customer_id = ANY (ARRAY(SELECT id FROM omnichannel_customers WHERE merged_into_id = person.id) || person.id)
    ORDER BY placed_at DESC, id DESC LIMIT 1) bought ON true
WHERE person.id = ANY (%(people)s::bigint[]) AND person.erased_at IS NULL

-- name: spending
SELECT person.id, o.currency, count(*), sum(o.total - o.refunded), max(o.placed_at)
FROM unnest(%(people)s::bigint[]) AS person(id)
CROSS JOIN LATERAL (
    SELECT person.id UNION ALL SELECT id FROM omnichannel_customers WHERE merged_into_id = person.id) profile
JOIN orders o ON o.customer_id = profile.id AND o.state <> 'cancelled'
GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2

-- name: names
-- What the account calls these people: as it was told or told us itself, the canonical profile before merged ones.
SELECT DISTINCT ON (person.id) person.id, known.external_id
FROM unnest(%(people)s::bigint[]) AS person(id)
CROSS JOIN LATERAL (
    SELECT person.id UNION ALL SELECT id FROM omnichannel_customers WHERE merged_into_id = person.id) profile
CROSS JOIN LATERAL (
    SELECT external_id, 0 AS rank, '' AS version, id FROM due_records
    WHERE integration_id = %(integration)s AND what = 'customer' AND local_id = profile.id AND external_id <> ''
    UNION ALL
    SELECT external_id, 1, version, id FROM external_ids
    WHERE integration_id = %(integration)s AND kind = 'customer' AND local_id = profile.id) known
ORDER BY person.id, (profile.id = person.id) DESC, known.rank, known.version DESC, known.id DESC
