-- Statements of past.py and past_returns.py: orders and returns that already happened, many at once.

-- name: make_tables
-- Lines get their ids here, where they come in; those of lines that turn out to be known are left unused.
CREATE TEMPORARY TABLE IF NOT EXISTS past_orders (
    ordinal int, id bigint, is_new boolean, number text, sales_channel_id bigint, source text, external_id text,
    customer_id bigint, location_id bigint, payment_state text, currency text, placed_at timestamptz, email text,
    phone text, shipping_address jsonb, billing_address jsonb, goods numeric, discount numeric, shipping numeric,
    fees numeric, tip numeric, tax numeric, tax_included boolean, total numeric, raw jsonb
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS past_lines (
    ordinal int, order_ordinal int, position int, kind text, variant_id bigint, sku text, title text, external_id text,
    quantity int, unit_price numeric, discount numeric, tax numeric, tax_rate numeric, total numeric, short int DEFAULT 0,
    id bigint DEFAULT nextval('order_lines_id_seq')
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS past_parts (
    ordinal int, order_ordinal int, line_id bigint, variant_id bigint, location_id bigint, each int, quantity int,
    taken int
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS past_parcels (
    id bigint, order_id bigint, location_id bigint
) ON COMMIT DELETE ROWS;
TRUNCATE past_orders, past_lines, past_parts, past_parcels

-- name: taken_numbers
-- A number that another order bears already.
SELECT past.number, past.external_id FROM past_orders past JOIN orders other ON other.number = past.number
WHERE (other.sales_channel_id, other.source, other.external_id)
      IS DISTINCT FROM (past.sales_channel_id, past.source, past.external_id)
ORDER BY past.ordinal LIMIT 1

-- name: place
INSERT INTO orders (number, sales_channel_id, source, external_id, customer_id, state, payment_state, currency,
    placed_at, email, phone, shipping_address, billing_address, goods, discount, shipping, fees, tip, tax, tax_included,
    total, refunded, raw, problem, external_version, updated_at)
SELECT number, sales_channel_id, source, external_id, customer_id, 'fulfilled', payment_state, currency, placed_at,
       email, phone, shipping_address, billing_address, goods, discount, shipping, fees, tip, tax, tax_included, total,
       0, raw, '', '', statement_timestamp()
FROM past_orders ORDER BY ordinal
ON CONFLICT (sales_channel_id, source, external_id) DO NOTHING
RETURNING id

-- name: known
-- The orders of the batch that exist before it is written.
SELECT past.ordinal FROM past_orders past
JOIN orders known USING (sales_channel_id, source, external_id)

-- name: number
UPDATE past_orders SET number = fresh.number FROM unnest(%s::int[], %s::text[]) fresh(ordinal, number)
WHERE past_orders.ordinal = fresh.ordinal

-- name: find
-- Locks the orders of the batch in the order of their ids, as every verb that takes several does.
SELECT past.ordinal, found.id, found.currency
FROM past_orders past JOIN orders found USING (sales_channel_id, source, external_id)
ORDER BY found.id, past.ordinal FOR UPDATE OF found

-- name: mark
UPDATE past_orders SET id = found.id, is_new = found.is_new
FROM unnest(%s::int[], %s::bigint[], %s::boolean[]) found(ordinal, id, is_new)
WHERE past_orders.ordinal = found.ordinal

-- name: lines_of
SELECT order_id, position, id, kind, quantity, unit_price, discount, tax FROM order_lines WHERE order_id = ANY (%s)

-- name: drop_known
DELETE FROM past_lines new USING past_orders o, order_lines known
WHERE o.ordinal = new.order_ordinal AND NOT o.is_new AND known.order_id = o.id AND known.position = new.position

-- name: line_ids
SELECT ordinal, id FROM past_lines

-- name: parts
-- What each line takes off the stock: its variant, or the components of the bundle that it sold.
INSERT INTO past_parts (ordinal, order_ordinal, line_id, variant_id, location_id, each, quantity)
SELECT line.ordinal, line.order_ordinal, line.id, coalesce(part.component_id, line.variant_id), o.location_id,
       coalesce(part.quantity, 1), line.quantity * coalesce(part.quantity, 1)
FROM past_lines line JOIN past_orders o ON o.ordinal = line.order_ordinal
LEFT JOIN bundle_components part ON part.bundle_id = line.variant_id
WHERE line.kind = 'goods' AND line.variant_id IS NOT NULL AND o.location_id IS NOT NULL

-- name: variants
SELECT DISTINCT variant_id FROM past_parts

-- name: share
-- What is free at the location goes to the lines in their turn; nobody gets what is not there.
UPDATE past_parts SET taken = shared.taken
FROM (SELECT part.ctid AS place, greatest(0, least(part.quantity,
                 coalesce(item.on_hand - item.reserved - item.allocated, 0) - sum(part.quantity) OVER turn + part.quantity
             )) AS taken
      FROM past_parts part LEFT JOIN stock_item item USING (variant_id, location_id)
      WINDOW turn AS (PARTITION BY part.variant_id, part.location_id ORDER BY part.ordinal, part.line_id
                      ROWS UNBOUNDED PRECEDING)) shared
WHERE past_parts.ctid = shared.place

-- name: leave
-- The goods leave through the ledger, one movement for each line.
SELECT stock_post(array_agg('sale'::text), array_agg(part.variant_id), array_agg(part.location_id),
    array_agg(o.sales_channel_id), array_agg(-taken), array_agg(0), array_agg(0), array_agg(0), array_agg(0),
    array_agg(NULL::bigint), array_agg('order:' || o.id), %s, array_agg(''::text))
FROM (SELECT * FROM past_parts WHERE taken > 0 ORDER BY ordinal) part
JOIN past_orders o ON o.ordinal = part.order_ordinal HAVING count(*) > 0

-- name: trim
SELECT stock_trim_fences(ARRAY(SELECT DISTINCT variant_id FROM past_parts WHERE taken > 0), %s, 'sold elsewhere')

-- name: fall_short
UPDATE past_lines line SET short = lacking.units
FROM (SELECT ordinal, max(ceil((quantity - taken)::numeric / each))::int AS units
      FROM past_parts WHERE taken < quantity GROUP BY ordinal) lacking
WHERE line.ordinal = lacking.ordinal

-- name: warn
INSERT INTO stock_alerts AS alert (variant_id, sales_channel_id, level, quantity, threshold, opened_at)
SELECT part.variant_id, o.sales_channel_id, 'short', sum(part.quantity - part.taken), 0, statement_timestamp()
FROM past_parts part JOIN past_orders o ON o.ordinal = part.order_ordinal
WHERE part.taken < part.quantity GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (variant_id, sales_channel_id, location_id) WHERE closed_at IS NULL DO UPDATE
    SET quantity = CASE WHEN alert.level = 'short' THEN alert.quantity ELSE 0 END + excluded.quantity,
        level = 'short', snoozed_until = NULL

-- name: write_lines
INSERT INTO order_lines (id, order_id, position, kind, variant_id, sku, title, external_id, quantity, unit_price,
    discount, tax, tax_rate, total, fulfilled_quantity, short_quantity, cancelled_quantity, returned_quantity)
SELECT line.id, o.id, line.position, line.kind, line.variant_id, line.sku, line.title, line.external_id, line.quantity,
       line.unit_price, line.discount, line.tax, line.tax_rate, line.total, greatest(line.quantity, 0), line.short, 0, 0
FROM past_lines line JOIN past_orders o ON o.ordinal = line.order_ordinal ORDER BY line.ordinal

-- name: find_parcels
-- Lines that come late join the parcel that is there.
INSERT INTO past_parcels (id, order_id, location_id)
SELECT min(parcel.id), parcel.order_id, parcel.location_id
FROM past_orders o JOIN fulfilments parcel ON parcel.order_id = o.id AND parcel.location_id = o.location_id
WHERE NOT o.is_new AND parcel.state IN ('shipped', 'delivered') GROUP BY 2, 3

-- name: parcels
WITH made AS (
    INSERT INTO fulfilments (order_id, location_id, state, carrier, tracking_number, tracking_url, reason, created_at,
                             shipped_at)
    SELECT o.id, o.location_id, 'shipped', '', '', '', 'it left before it was booked', o.placed_at, o.placed_at
    FROM past_orders o
    WHERE o.ordinal IN (SELECT order_ordinal FROM past_parts) AND NOT EXISTS (
        SELECT FROM past_parcels known WHERE known.order_id = o.id AND known.location_id = o.location_id)
    ORDER BY o.ordinal RETURNING id, order_id, location_id
)
INSERT INTO past_parcels (id, order_id, location_id) SELECT id, order_id, location_id FROM made

-- name: pack
INSERT INTO fulfilment_lines (fulfilment_id, order_line_id, variant_id, quantity)
SELECT parcel.id, part.line_id, part.variant_id, part.quantity
FROM past_parts part JOIN past_orders o ON o.ordinal = part.order_ordinal
JOIN past_parcels parcel ON parcel.order_id = o.id AND parcel.location_id = part.location_id
ORDER BY part.ordinal, part.variant_id

-- name: heads_of
SELECT id, tip, tax, tax_included, currency FROM orders WHERE id = ANY (%s)

-- name: resum
UPDATE orders SET goods = new.goods, discount = new.discount, shipping = new.shipping, fees = new.fees, tax = new.tax,
    total = new.total, updated_at = statement_timestamp(),
    payment_state = CASE WHEN orders.refunded = 0 THEN new.payment_state
                         WHEN orders.refunded >= new.total THEN 'refunded' ELSE 'partly_refunded' END
FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[],
            %s::text[]) new(id, goods, discount, shipping, fees, tax, total, payment_state)
WHERE orders.id = new.id

-- name: pay
INSERT INTO payments (order_id, tender, state, amount, refunded, currency, external_id, at)
SELECT paid.order_id, tender, 'captured', amount, 0, currency, external_id, at
FROM unnest(%s::bigint[], %s::text[], %s::numeric[], %s::text[], %s::text[], %s::timestamptz[])
     paid(order_id, tender, amount, currency, external_id, at)
ON CONFLICT (order_id, tender, external_id) DO UPDATE SET amount = greatest(excluded.amount, payments.refunded)

-- name: tell
INSERT INTO order_events (order_id, kind, text, key, actor, at)
SELECT id, 'taken', %s, '', %s, placed_at FROM past_orders WHERE is_new ORDER BY ordinal

-- name: first_seen
UPDATE omnichannel_customers customer SET first_seen_at = seen.at
FROM (SELECT customer_id, min(placed_at) AS at FROM past_orders WHERE is_new AND customer_id IS NOT NULL
      GROUP BY 1 ORDER BY 1) seen
WHERE customer.id = seen.customer_id AND customer.first_seen_at > seen.at

-- name: recipes
SELECT bundle_id, component_id, quantity FROM bundle_components WHERE bundle_id = ANY (%s) ORDER BY 1, 2

-- name: lock_orders
SELECT id, currency FROM orders WHERE id = ANY (%s) ORDER BY id FOR UPDATE

-- name: open_returns
INSERT INTO returns (order_id, sales_channel_id, customer_id, key, state, reason, is_linked, at)
SELECT new.order_id, channel_id, customer_id, key, 'received', reason, new.order_id IS NOT NULL, at
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[])
     new(order_id, channel_id, customer_id, key, reason, at)
ORDER BY channel_id, key
ON CONFLICT (sales_channel_id, key) DO NOTHING RETURNING id

-- name: find_returns
SELECT asked.ordinal - 1, found.id, found.order_id
FROM unnest(%s::bigint[], %s::text[]) WITH ORDINALITY asked(channel_id, key, ordinal)
JOIN returns found ON found.sales_channel_id = asked.channel_id AND found.key = asked.key

-- name: positions_of
SELECT return_record_id, position, refund FROM return_lines WHERE return_record_id = ANY (%s)

-- name: beyond
-- An order line of which more would have come back than had left.
SELECT o.number, line.sku, line.fulfilled_quantity, line.returned_quantity + back.units
FROM (SELECT id, sum(units) AS units FROM unnest(%s::bigint[], %s::int[]) b(id, units) GROUP BY id) back
JOIN order_lines line ON line.id = back.id JOIN orders o ON o.id = line.order_id
WHERE line.returned_quantity + back.units > line.fulfilled_quantity ORDER BY line.id LIMIT 1

-- name: count_back
UPDATE order_lines line SET returned_quantity = line.returned_quantity + back.units
FROM (SELECT id, sum(units)::int AS units FROM unnest(%s::bigint[], %s::int[]) b(id, units) GROUP BY id) back
WHERE line.id = back.id

-- name: tenders_of
-- What can be given back, in the order in which it is: gift cards first, then as it was paid.
SELECT order_id, id, amount - refunded FROM payments
WHERE order_id = ANY (%s) AND state = 'captured' ORDER BY order_id, tender <> 'gift_card', at, id

-- name: refunds_of
SELECT return_record_id, count(*) FROM refunds WHERE return_record_id = ANY (%s) GROUP BY 1

-- name: refund
INSERT INTO refunds (order_id, payment_id, return_record_id, key, amount, reason, at)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::numeric[], %s::text[], %s::timestamptz[])

-- name: count_refunds
WITH back AS (
    SELECT order_id, payment_id, amount FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[]) b(order_id, payment_id, amount)
), tender AS (
    UPDATE payments SET refunded = payments.refunded + paid.amount
    FROM (SELECT payment_id, sum(amount) AS amount FROM back GROUP BY payment_id) paid
    WHERE payments.id = paid.payment_id
)
UPDATE orders SET refunded = orders.refunded + part.amount, updated_at = statement_timestamp(),
    payment_state = CASE WHEN orders.refunded + part.amount >= (
        SELECT sum(amount) FROM payments p WHERE p.order_id = orders.id AND p.state = 'captured')
        THEN 'refunded' ELSE 'partly_refunded' END
FROM (SELECT order_id, sum(amount) AS amount FROM back GROUP BY order_id) part WHERE orders.id = part.order_id

-- name: tell_back
INSERT INTO order_events (order_id, kind, text, key, actor, at)
SELECT event.order_id, 'returned', text, '', %s, at
FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[]) event(order_id, text, at)
