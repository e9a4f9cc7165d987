-- A big merchant, laid out set-based: %(skus)s SKUs on every channel, %(orders)s orders over a year. The same seed gives
-- the same market. Stock stands in the ledger as it stands in the balances.

-- name: channels
INSERT INTO sales_channels (name, slug, channel_type, status, is_paused, pause_reason, configuration, currency, country,
                            time_zone, updated_at)
SELECT name, kind, kind, 'active', kind = 'voice', CASE WHEN kind = 'voice' THEN 'skill in review' ELSE '' END, '{}',
       'EUR', 'DE', 'Europe/Berlin', %(now)s
FROM (VALUES ('Web shop', 'web'), ('Mobile app', 'mobile'), ('Marketplace', 'marketplace'), ('Social shop', 'social'),
             ('Store Berlin', 'store'), ('Phone orders', 'phone'), ('E-mail orders', 'email'), ('Chat', 'chat'),
             ('Voice assistant', 'voice'), ('Kiosk', 'kiosk')) kinds(name, kind)

-- name: locations
INSERT INTO stock_locations (code, name, kind, country, postcode, city, can_ship, can_hand_over, priority, is_active)
SELECT code, name, kind, 'DE', postcode, city, true, kind = 'store', priority, true
FROM (VALUES ('central', 'Central warehouse', 'warehouse', '04109', 'Leipzig', 1),
             ('north', 'Warehouse North', 'warehouse', '20095', 'Hamburg', 2),
             ('berlin', 'Store Berlin', 'store', '10117', 'Berlin', 3),
             ('partner', 'Fulfilment partner', 'partner', '50667', 'Köln', 4)) places(code, name, kind, postcode, city, priority)

-- name: categories
INSERT INTO categories (name, slug, parent_id)
SELECT name, lower(name), NULL FROM unnest(ARRAY['Kitchen', 'Garden', 'Lighting', 'Textiles', 'Toys', 'Stationery',
    'Jewellery', 'Storage', 'Seasonal', 'Outdoor']) name

-- name: subcategories
INSERT INTO categories (name, slug, parent_id)
SELECT parent.name || ' ' || part, lower(parent.name || '-' || part), parent.id
FROM categories parent CROSS JOIN unnest(ARRAY['basics', 'gifts', 'vintage', 'small', 'large']) part

-- name: products
WITH words AS (
    SELECT ARRAY['Red', 'Blue', 'Vintage', 'Regency', 'Ivory', 'Silver', 'Wooden', 'Glass', 'Paper', 'Jumbo'] AS looks,
           ARRAY['Heart', 'Star', 'Spotty', 'Rose', 'Paisley', 'Union Jack', 'Retrospot', 'Botanical'] AS patterns,
           ARRAY['Lunch Bag', 'Cake Stand', 'Lantern', 'Teacup', 'Cushion', 'Wrap', 'Frame', 'Bunting', 'Jar'] AS things,
           ARRAY(SELECT id FROM categories WHERE parent_id IS NOT NULL ORDER BY id) AS places
)
INSERT INTO products (title, slug, description, brand, category_id, options, attributes, status, updated_at)
SELECT looks[1 + n %% 10] || ' ' || patterns[1 + n / 10 %% 8] || ' ' || things[1 + n / 80 %% 9] || ' ' || n,
       'product-' || n, '', (ARRAY['Nordlicht', 'Hearth & Co', 'Tinker', 'Palette'])[1 + n %% 4],
       places[1 + n * 7 %% cardinality(places)], '[]', '{}', 'active', %(now)s
FROM words, generate_series(1, greatest(1, %(skus)s / 2)) n

-- name: variants
INSERT INTO variants (product_id, sku, barcode, title, option_values, cost_currency, origin_country, hs_code, tax_class,
                      is_active, updated_at)
SELECT products[1 + (n - 1) / 2], 'SKU-' || to_char(n * 7919 %% 1000003, 'FM0000000'), to_char(4000000000000 + n, 'FM9999999999999'),
       (ARRAY['Small', 'Large'])[1 + n %% 2], '{}', '', '', '', 'standard', true, %(now)s
FROM (SELECT ARRAY(SELECT id FROM products ORDER BY id) AS products) known, generate_series(1, %(skus)s) n
WHERE 1 + (n - 1) / 2 <= cardinality(products)

-- name: prices
INSERT INTO variant_prices (variant_id, currency, amount) SELECT id, 'EUR', 2 + id %% 60 + 0.95 FROM variants

-- name: listings
INSERT INTO channel_products (sales_channel_id, variant_id, is_available, title, description, attributes, sync_state,
                              sync_error, updated_at)
SELECT channel.id, variant.id, variant.id %% 97 <> 0, '', '', '{}',
       CASE WHEN (variant.id + channel.id) %% 5000 = 0 THEN 'failed' ELSE 'local' END, '', %(now)s
FROM variants variant CROSS JOIN sales_channels channel

-- name: policies
INSERT INTO channel_inventories (variant_id, sales_channel_id, buffer, cap)
SELECT variant.id, channel.id, CASE channel.channel_type WHEN 'marketplace' THEN 2 ELSE 0 END,
       CASE channel.channel_type WHEN 'social' THEN 20 END
FROM variants variant CROSS JOIN sales_channels channel

-- name: items
INSERT INTO stock_item (variant_id, location_id, on_hand)
SELECT variant.id, place.id,
       CASE WHEN variant.id %% 50 = 0 THEN 0 WHEN variant.id %% 21 = 0 THEN 2 ELSE 10 + (variant.id * 13 + place.id) %% 90 END
FROM variants variant CROSS JOIN LATERAL (
    SELECT id FROM stock_locations WHERE id %% 4 IN (variant.id %% 4, (variant.id + 1) %% 4)) place

-- name: pools
UPDATE stock_pool pool SET on_hand = items.units
FROM (SELECT variant_id, sum(on_hand) AS units FROM stock_item GROUP BY 1) items WHERE items.variant_id = pool.variant_id

-- name: movements
INSERT INTO stock_movement (at, kind, variant_id, location_id, on_hand_delta, reserved_delta, allocated_delta, fence_delta,
                            backordered_delta, reference, actor, reason)
SELECT %(now)s::timestamptz - interval '360 days', 'receive', variant_id, location_id, on_hand, 0, 0, 0, 0, '', 'warehouse', 'opening stock'
FROM stock_item WHERE on_hand > 0

-- name: alerts
INSERT INTO stock_alerts (variant_id, sales_channel_id, level, quantity, threshold, opened_at)
SELECT pool.variant_id, channel.id, CASE WHEN pool.on_hand = 0 THEN 'out' ELSE 'low' END, pool.on_hand, 5,
       %(now)s::timestamptz - pool.variant_id %% 700 * interval '1 hour'
FROM stock_pool pool CROSS JOIN sales_channels channel
WHERE pool.on_hand <= 5 AND channel.channel_type IN ('web', 'store', 'marketplace')

-- name: customers
INSERT INTO omnichannel_customers (name, email, phone, country, language, segment, attributes, updated_at)
SELECT (ARRAY['Anna', 'Ben', 'Chiara', 'David', 'Emre', 'Fatima', 'Grace', 'Hugo'])[1 + n %% 8] || ' '
       || (ARRAY['Schmidt', 'Rossi', 'Martin', 'Novak', 'Yilmaz', 'Jensen'])[1 + n / 8 %% 6] || ' ' || n,
       'buyer' || n || '@example.com', '', 'DE', 'de', (ARRAY['vip', 'regular', 'regular', 'new'])[1 + n %% 4], '{}', %(now)s
FROM generate_series(1, greatest(1, %(orders)s / 5)) n

-- name: identities
INSERT INTO customer_identities (customer_id, kind, value, source, evidence, is_anchor)
SELECT id, 'email', email, 'bench', '{}', true FROM omnichannel_customers

-- name: orders
WITH known AS (
    SELECT ARRAY(SELECT id FROM sales_channels ORDER BY id) AS channels,
           ARRAY(SELECT id FROM omnichannel_customers ORDER BY id) AS customers
)
INSERT INTO orders (number, sales_channel_id, source, external_id, customer_id, state, payment_state, problem, currency,
                    placed_at, external_version, email, phone, shipping_address, billing_address, goods, shipping, total, tax,
                    tax_included, raw, updated_at)
SELECT 'FM-' || to_char(n, 'FM0000000'), channels[1 + (n * 31 %% 97) %% cardinality(channels)], 'channel', 'ext-' || n,
       customers[1 + n * 17 %% cardinality(customers)],
       CASE WHEN n %% 100 < 3 THEN 'open' WHEN n %% 100 < 5 THEN 'cancelled' WHEN n %% 100 = 5 THEN 'partly_fulfilled'
            ELSE 'fulfilled' END,
       CASE WHEN n %% 1000 = 7 THEN 'unpaid' WHEN n %% 1000 = 8 THEN 'authorised' WHEN n %% 50 = 9 THEN 'refunded' ELSE 'paid' END,
       CASE WHEN n %% 2000 = 11 THEN 'unknown SKU: OLD-' || n ELSE '' END, 'EUR',
       %(now)s::timestamptz - (%(orders)s - n) * (interval '365 days' / %(orders)s),
       '', 'buyer' || (1 + n * 17 %% cardinality(customers)) || '@example.com', '', '{"city": "Leipzig", "country": "DE"}', '{}',
       20 + n %% 80, 4.90, 24.90 + n %% 80, 0, true, '{}', %(now)s
FROM known, generate_series(1, %(orders)s) n

-- name: order_lines
WITH known AS (SELECT ARRAY(SELECT id FROM variants ORDER BY id) AS variants)
INSERT INTO order_lines (order_id, position, kind, variant_id, sku, title, external_id, quantity, unit_price, total,
                         fulfilled_quantity, cancelled_quantity)
SELECT o.id, position, 'goods', variant.id, variant.sku, 'Item', '', 1 + o.id %% 3, 10, 10 * (1 + o.id %% 3),
       CASE o.state WHEN 'fulfilled' THEN 1 + o.id %% 3 ELSE 0 END, CASE o.state WHEN 'cancelled' THEN 1 + o.id %% 3 ELSE 0 END
FROM known, orders o CROSS JOIN generate_series(1, 2) position
JOIN LATERAL (  -- a few SKUs sell most
    SELECT id, sku FROM variants WHERE id = variants[1 + floor(cardinality(variants)
        * power((o.id * 7919 + position * 104729) %% 10007 / 10007.0, 3))::int]) variant ON true

-- name: payments
INSERT INTO payments (order_id, tender, state, amount, refunded, currency, external_id, at)
SELECT id, 'card', CASE payment_state WHEN 'unpaid' THEN 'failed' WHEN 'authorised' THEN 'authorised' ELSE 'captured' END,
       total, CASE payment_state WHEN 'refunded' THEN total ELSE 0 END, currency, 'pay-' || id, placed_at FROM orders

-- name: fulfilments
INSERT INTO fulfilments (order_id, location_id, state, carrier, tracking_number, tracking_url, reason, created_at, shipped_at)
SELECT o.id, 1 + (SELECT min(id) FROM stock_locations) + o.id %% 3, CASE o.state WHEN 'fulfilled' THEN 'shipped' ELSE 'pending' END,
       CASE o.state WHEN 'fulfilled' THEN 'DHL' ELSE '' END, '', '', 'nearest location with all units', o.placed_at,
       CASE o.state WHEN 'fulfilled' THEN o.placed_at + interval '1 day' END
FROM orders o WHERE o.state <> 'cancelled'

-- name: parcels
INSERT INTO fulfilment_lines (fulfilment_id, order_line_id, variant_id, quantity)
SELECT parcel.id, line.id, line.variant_id, line.quantity
FROM fulfilments parcel JOIN order_lines line ON line.order_id = parcel.order_id
