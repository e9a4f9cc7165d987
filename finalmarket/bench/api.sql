-- name: fill_customers
INSERT INTO omnichannel_customers (name, email, phone, country, language, segment, attributes, updated_at)
SELECT 'Customer ' || n, 'c' || n || '@example.com', '', 'DE', 'de', 'regular', '{}', now()
FROM generate_series(1, %(customers)s) n

-- name: fill_orders
-- Over a year, on eight channels; one in fifty was cancelled, one in two hundred is open still.
INSERT INTO orders (number, sales_channel_id, source, external_id, customer_id, state, payment_state, problem, currency,
                    placed_at, external_version, email, phone, shipping_address, billing_address, goods, total,
                    tax_included, raw, updated_at)
SELECT 'B-' || n, first.channel + n %% 8, 'channel', 'b-' || n, first.customer + n * 7 %% %(customers)s,
       CASE WHEN n %% 50 = 0 THEN 'cancelled' WHEN n %% 200 = 1 THEN 'open' ELSE 'fulfilled' END, 'paid', '', 'EUR',
       timestamptz '2025-01-01' + n * (interval '365 days' / %(orders)s), '', '', '', '{}', '{}', 10 + n %% 90,
       10 + n %% 90, true, '{}', now()
FROM (SELECT (SELECT min(id) FROM omnichannel_customers) AS customer, (SELECT min(id) FROM sales_channels) AS channel)
     first, generate_series(%(first)s::bigint, %(last)s::bigint) n

-- name: fill_lines
-- One line or two, each of one of the variants.
INSERT INTO order_lines (order_id, position, kind, variant_id, sku, title, external_id, quantity, unit_price, discount,
                         tax, total, cancelled_quantity, fulfilled_quantity, returned_quantity, short_quantity)
SELECT orders.id, line.n, 'goods', variants.id, variants.sku, 'Bench product', '', 1, 10, 0, 0, 10, 0, 0, 0, 0
FROM orders CROSS JOIN LATERAL generate_series(1, 1 + (orders.id %% 2)::int) line(n)
JOIN variants ON variants.id = (SELECT min(id) FROM variants) + (orders.id * 7919 + line.n * 104729) %% %(variants)s
