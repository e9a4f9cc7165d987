-- `finalmarket bench history`: a history of journeys laid out set-based, and the questions of journeys/paths.sql as one
-- would write them by hand for DuckDB.

-- name: fill_channels
INSERT INTO sales_channels (name, slug, channel_type, status, is_paused, pause_reason, configuration, currency, country,
                            time_zone, updated_at)
SELECT name, kind, kind, 'active', false, '', '{}', 'EUR', 'DE', 'Europe/Berlin', now()
FROM (VALUES ('Web shop', 'web'), ('Mobile app', 'mobile'), ('Marketplace', 'marketplace'), ('Social shop', 'social'),
             ('Store', 'store'), ('Phone', 'phone'), ('E-mail', 'email'), ('Chat', 'chat')) kinds(name, kind)

-- name: fill_customers
INSERT INTO omnichannel_customers (name, email, phone, country, language, segment, attributes, updated_at)
SELECT 'Customer ' || n, '', '', 'DE', 'de', (ARRAY['vip', 'regular', 'regular', 'new'])[1 + n %% 4], '{}', now()
FROM generate_series(1, %(customers)s) n

-- name: fill_merges
-- One in twenty profiles is merged into another one.
UPDATE omnichannel_customers SET merged_into_id = id - 19
WHERE (id - (SELECT min(id) FROM omnichannel_customers)) %% 20 = 19

-- name: fill_orders
INSERT INTO orders (number, sales_channel_id, source, external_id, customer_id, state, payment_state, problem, currency,
                    placed_at, external_version, email, phone, shipping_address, billing_address, goods, total, tax_included,
                    raw, updated_at)
SELECT 'B-' || n, 1 + n %% 8 + (SELECT min(id) - 1 FROM sales_channels), 'channel', 'b-' || n, person.first + n * 7 %% %(customers)s,
       CASE WHEN n %% 50 = 0 THEN 'cancelled' ELSE 'fulfilled' END, 'paid', '', 'EUR',
       timestamptz '2025-01-01' + n * (interval '365 days' / %(orders)s), '', '', '', '{}', '{}', 10 + n %% 90, 10 + n %% 90, true,
       '{}', now()
FROM (SELECT min(id) AS first FROM omnichannel_customers) person, generate_series(1, %(orders)s) n

-- name: fill_journeys
-- One in eight leads to an order.
INSERT INTO cross_channel_journeys (customer_id, start_channel_id, intent, state, outcome, order_id, started_at, ended_at,
                                    is_recognised, reason, step, visits, score, currency)
SELECT first.customer + n * 7 %% %(customers)s, first.channel + n %% 8,
       (ARRAY['browse', 'research', 'purchase', 'purchase', 'support'])[1 + n %% 5],
       CASE WHEN n %% 8 = 0 THEN 'completed' WHEN n %% 31 = 0 THEN 'open' ELSE 'abandoned' END, '',
       CASE WHEN n %% 8 = 0 THEN first.placed + n / 8 - 1 END,
       timestamptz '2025-01-01' + n * (interval '360 days' / %(journeys)s),
       timestamptz '2025-01-01' + n * (interval '360 days' / %(journeys)s) + interval '2 days', false, '', '', 0, 0, ''
FROM (SELECT (SELECT min(id) FROM omnichannel_customers) AS customer, (SELECT min(id) FROM sales_channels) AS channel,
             (SELECT min(id) FROM orders) AS placed) first, generate_series(1, %(journeys)s) n

-- name: fill_touches
-- One to nine steps, five on average; people stay where they are three times of five.
INSERT INTO journey_touchpoints (journey_id, sales_channel_id, action, data, occurred_at, visit)
SELECT journey.id, CASE WHEN random() < 0.6 THEN journey.start_channel_id
                        ELSE first.channel + floor(power(random(), 2) * 8)::int END,
       (ARRAY['page_view', 'page_view', 'product_view', 'product_view', 'search', 'add_to_cart', 'checkout_start',
              'checkout_complete'])[1 + floor(power(random(), 1.3) * 8)::int], '{}',
       journey.started_at + places.number * random() * interval '5 hours', 1
FROM (SELECT min(id) AS channel FROM sales_channels) first, cross_channel_journeys journey,
     generate_series(1, 1 + (journey.id * 7919 %% 9)::int) places(number)

-- name: duckdb_top_paths
WITH stays AS (
    SELECT * FROM (
        SELECT journey_id, id, sales_channel_id AS channel, occurred_at AS moment,
               lag(sales_channel_id) OVER (PARTITION BY journey_id ORDER BY occurred_at, id) AS before
        FROM journey_touchpoints) WHERE before IS DISTINCT FROM channel
), walked AS (
    SELECT journey_id, list(channel ORDER BY moment, id) AS channels FROM stays GROUP BY journey_id
)
SELECT channels, count(*) AS journeys, count(DISTINCT coalesce(customer.merged_into_id, customer.id)) AS persons,
       count(order_id) FILTER (WHERE intent NOT IN ('support', 'return', 'review')) AS ordered
FROM walked JOIN cross_channel_journeys journey ON journey.id = walked.journey_id
JOIN omnichannel_customers customer ON customer.id = journey.customer_id
GROUP BY channels ORDER BY journeys DESC, channels LIMIT 50

-- name: duckdb_transitions
WITH touches AS (
    SELECT journey_id, sales_channel_id AS channel, occurred_at AS moment, lag(sales_channel_id) OVER steps AS before,
           lag(occurred_at) OVER steps AS before_left_at
    FROM journey_touchpoints WINDOW steps AS (PARTITION BY journey_id ORDER BY occurred_at, id)
)
SELECT before, channel, count(*) AS times, count(DISTINCT journey_id) AS journeys,
       median(epoch(moment - before_left_at)) AS half, avg(epoch(moment - before_left_at)) AS mean
FROM touches WHERE before <> channel GROUP BY 1, 2 ORDER BY times DESC, 1, 2 LIMIT 100

-- name: duckdb_flows
WITH stays AS (
    SELECT * FROM (
        SELECT journey_id, id, sales_channel_id AS channel, occurred_at AS moment,
               lag(sales_channel_id) OVER (PARTITION BY journey_id ORDER BY occurred_at, id) AS before
        FROM journey_touchpoints) WHERE before IS DISTINCT FROM channel
), placed AS (
    SELECT journey_id, channel, row_number() OVER steps AS step, lead(channel) OVER steps AS next
    FROM stays WINDOW steps AS (PARTITION BY journey_id ORDER BY moment, id)
)
SELECT step, channel, next, CASE WHEN next IS NOT NULL THEN 'on'
            WHEN order_id IS NOT NULL AND intent NOT IN ('support', 'return', 'review') THEN 'ordered' ELSE state END AS outcome,
       count(*) AS journeys
FROM placed JOIN cross_channel_journeys journey ON journey.id = placed.journey_id WHERE step <= 5 GROUP BY 1, 2, 3, 4

-- name: duckdb_abandonment
WITH touches AS (
    SELECT journey_id, sales_channel_id AS channel, action, state,
           lead(touch.id) OVER (PARTITION BY journey_id ORDER BY occurred_at, touch.id) IS NULL AS is_last
    FROM journey_touchpoints touch JOIN cross_channel_journeys journey ON journey.id = touch.journey_id 
    WHERE state <> 'open' AND action <> 'cart_abandonment'
), came AS (
    SELECT journey_id, channel, action, bool_or(is_last AND state = 'abandoned') AS left_here FROM touches GROUP BY 1, 2, 3
)
SELECT channel, action, count(*) AS came_by, count(*) FILTER (WHERE left_here) AS abandoned FROM came
GROUP BY 1, 2 HAVING bool_or(left_here)

-- name: duckdb_funnel
WITH touches AS (
    SELECT coalesce(customer.merged_into_id, customer.id) AS person, occurred_at AS moment, touch.id, action
    FROM journey_touchpoints touch JOIN cross_channel_journeys journey ON journey.id = touch.journey_id
    JOIN omnichannel_customers customer ON customer.id = journey.customer_id
    WHERE action IN ('product_view', 'add_to_cart', 'checkout_start', 'checkout_complete')
), one AS (
    SELECT *, CASE WHEN action = 'product_view' THEN moment END AS first FROM touches
), two AS (
    SELECT *, max(first) OVER steps AS begun_2 FROM one
    WINDOW steps AS (PARTITION BY person ORDER BY moment, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), three AS (
    SELECT *, max(CASE WHEN action = 'add_to_cart' AND moment - begun_2 <= INTERVAL 30 DAY THEN begun_2 END) OVER steps AS begun_3
    FROM two WINDOW steps AS (PARTITION BY person ORDER BY moment, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), four AS (
    SELECT *, max(CASE WHEN action = 'checkout_start' AND moment - begun_3 <= INTERVAL 30 DAY THEN begun_3 END) OVER steps AS begun_4
    FROM three WINDOW steps AS (PARTITION BY person ORDER BY moment, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), runs AS (
    SELECT person, bool_or(action = 'product_view') AS r1,
           bool_or(action = 'add_to_cart' AND moment - begun_2 <= INTERVAL 30 DAY) AS r2,
           bool_or(action = 'checkout_start' AND moment - begun_3 <= INTERVAL 30 DAY) AS r3,
           bool_or(action = 'checkout_complete' AND moment - begun_4 <= INTERVAL 30 DAY) AS r4
    FROM four GROUP BY person
)
SELECT count(*) FILTER (WHERE r1), count(*) FILTER (WHERE r2), count(*) FILTER (WHERE r3), count(*) FILTER (WHERE r4) FROM runs
