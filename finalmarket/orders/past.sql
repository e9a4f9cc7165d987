-- Statements of past.py and past_returns.py: orders and returns that already happened, many at once.

-- name: make_tables
CREATE TEMPORARY TABLE IF NOT EXISTS past_orders (
    ordinal int, number text, sales_channel_id bigint, source text, external_id text, customer_id bigint,
    payment_state text, currency text, placed_at timestamptz, email text, phone text, shipping_address jsonb,
    billing_address jsonb, goods numeric, discount numeric, shipping numeric, fees numeric, tip numeric, tax numeric,
    tax_included boolean, total numeric, raw jsonb
) ON COMMIT DELETE ROWS

-- name: clear
DELETE FROM past_orders

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
SELECT past.ordinal, found.id
FROM past_orders past JOIN orders found USING (sales_channel_id, source, external_id)
ORDER BY found.id, past.ordinal FOR UPDATE OF found

-- name: lines_of
SELECT order_id, position, id, kind, quantity, unit_price, discount, tax FROM order_lines WHERE order_id = ANY (%s)

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

-- name: ids
SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)

-- name: parcels
INSERT INTO fulfilments (order_id, location_id, state, carrier, tracking_number, tracking_url, reason, created_at,
                         shipped_at)
SELECT parcel.order_id, parcel.location_id, 'shipped', '', '', '', 'it left before it was booked', placed_at, placed_at
FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[]) parcel(order_id, location_id, placed_at)
RETURNING order_id, location_id, id

-- name: parcels_of
SELECT order_id, location_id, min(id) FROM fulfilments
WHERE order_id = ANY (%s) AND state IN ('shipped', 'delivered') GROUP BY 1, 2

-- name: pay
INSERT INTO payments (order_id, tender, state, amount, refunded, currency, external_id, at)
SELECT paid.order_id, tender, 'captured', amount, 0, currency, external_id, at
FROM unnest(%s::bigint[], %s::text[], %s::numeric[], %s::text[], %s::text[], %s::timestamptz[])
     paid(order_id, tender, amount, currency, external_id, at)
ON CONFLICT (order_id, tender, external_id) DO UPDATE SET amount = greatest(excluded.amount, payments.refunded)

-- name: tell
INSERT INTO order_events (order_id, kind, text, key, actor, at)
SELECT event.order_id, 'taken', %s, '', %s, event.at FROM unnest(%s::bigint[], %s::timestamptz[]) event(order_id, at)

-- name: first_seen
UPDATE omnichannel_customers customer SET first_seen_at = seen.at
FROM (SELECT id, min(at) AS at FROM unnest(%s::bigint[], %s::timestamptz[]) s(id, at) GROUP BY id ORDER BY id) seen
WHERE customer.id = seen.id AND customer.first_seen_at > seen.at

-- name: recipes
SELECT bundle_id, component_id, quantity FROM bundle_components WHERE bundle_id = ANY (%s) ORDER BY 1, 2

-- name: free
SELECT variant_id, location_id, on_hand - reserved - allocated FROM stock_item
WHERE variant_id = ANY (%s) AND location_id = ANY (%s)

-- name: warn
INSERT INTO stock_alerts AS alert (variant_id, sales_channel_id, level, quantity, threshold, opened_at)
SELECT variant, channel, 'short', sum(short), 0, statement_timestamp()
FROM unnest(%s::bigint[], %s::bigint[], %s::int[]) t(variant, channel, short) GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (variant_id, sales_channel_id, location_id) WHERE closed_at IS NULL DO UPDATE
    SET quantity = CASE WHEN alert.level = 'short' THEN alert.quantity ELSE 0 END + excluded.quantity,
        level = 'short', snoozed_until = NULL

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
