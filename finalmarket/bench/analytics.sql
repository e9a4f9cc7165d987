-- `finalmarket bench analytics`: the questions to the lake as one would write them by hand, for DuckDB over the same
-- files and for PostgreSQL over the same rows.

-- name: duckdb_daily
WITH valid AS (
    SELECT o.*, coalesce(merged.person, o.customer) AS who FROM orders o LEFT JOIN persons merged ON merged.customer = o.customer
    WHERE o.state <> 'cancelled'
), turns AS (
    SELECT *, row_number() OVER (PARTITION BY who ORDER BY placed_at, id) = 1 AND who IS NOT NULL AS is_new FROM valid
), figures AS (
    SELECT channel, local_date, currency, count(*) AS orders_count, sum(revenue) AS revenue, sum(refunds) AS refunds,
           count(DISTINCT who) AS unique_customers, count(*) FILTER (WHERE is_new) AS new_customers,
           sum(units_sold) AS units_sold, sum(units_returned) AS units_returned
    FROM turns GROUP BY ALL
), sessions AS (
    SELECT channel, local_date, count(*) AS sessions,
           count(order_id) FILTER (WHERE intent NOT IN ('support', 'return', 'review')) AS ordering_sessions
    FROM journeys GROUP BY ALL
), bounds AS (
    SELECT channel, min(local_date) AS first FROM (
        SELECT channel, local_date FROM orders UNION ALL SELECT channel, local_date FROM journeys) GROUP BY channel
), days AS (
    SELECT channel, unnest(generate_series(first, (
        SELECT max(local_date) FROM (SELECT local_date FROM orders UNION ALL SELECT local_date FROM journeys)),
        INTERVAL 1 DAY))::date AS day FROM bounds
), arrived AS (
    SELECT channel, day, count(*) AS arrived
    FROM (SELECT channel, who, min(local_date) AS day FROM valid WHERE who IS NOT NULL GROUP BY ALL) GROUP BY ALL
), counted AS (
    SELECT days.channel, days.day, own.currency,
           sum(coalesce(arrived.arrived, 0)) OVER (PARTITION BY days.channel ORDER BY days.day) AS to_date
    FROM days JOIN channels own ON own.id = days.channel
    LEFT JOIN arrived ON arrived.channel = days.channel AND arrived.day = days.day
), sheets AS (
    SELECT channel, day, currency, true AS is_own, to_date FROM counted
    UNION ALL
    SELECT counted.channel, counted.day, figures.currency, false, counted.to_date
    FROM counted JOIN figures ON figures.channel = counted.channel AND figures.local_date = counted.day
                             AND figures.currency <> counted.currency
)
SELECT sheets.channel, sheets.day AS date, sheets.currency, coalesce(f.orders_count, 0) AS orders_count,
       coalesce(f.revenue, 0) AS revenue, coalesce(f.refunds, 0) AS refunds,
       coalesce(f.unique_customers, 0) AS unique_customers, coalesce(f.new_customers, 0) AS new_customers,
       coalesce(s.sessions, 0) AS sessions, coalesce(s.ordering_sessions, 0) AS ordering_sessions,
       coalesce(f.units_sold, 0) AS units_sold, coalesce(f.units_returned, 0) AS units_returned,
       sheets.to_date AS customer_count
FROM sheets
LEFT JOIN figures f ON f.channel = sheets.channel AND f.local_date = sheets.day AND f.currency = sheets.currency
LEFT JOIN sessions s ON s.channel = sheets.channel AND s.local_date = sheets.day AND sheets.is_own
ORDER BY 1, 2, 3

-- name: duckdb_funnel
WITH touches AS (
    SELECT coalesce(merged.person, journey.customer) AS person, touch.occurred_at AS moment, touch.id, touch.action
    FROM touchpoints touch JOIN journeys journey ON journey.id = touch.journey
    LEFT JOIN persons merged ON merged.customer = journey.customer
    WHERE touch.action IN ('product_view', 'add_to_cart', 'checkout_start', 'checkout_complete')
), one AS (
    SELECT *, CASE WHEN action = 'product_view' THEN moment END AS begun_1 FROM touches
), two AS (
    SELECT *, max(begun_1) OVER earlier AS begun_2 FROM one
    WINDOW earlier AS (PARTITION BY person ORDER BY moment, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), three AS (
    SELECT *, max(CASE WHEN action = 'add_to_cart' AND moment <= begun_2 + INTERVAL 30 DAY THEN begun_2 END) OVER earlier AS begun_3
    FROM two
    WINDOW earlier AS (PARTITION BY person ORDER BY moment, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), four AS (
    SELECT *, max(CASE WHEN action = 'checkout_start' AND moment <= begun_3 + INTERVAL 30 DAY THEN begun_3 END) OVER earlier AS begun_4
    FROM three
    WINDOW earlier AS (PARTITION BY person ORDER BY moment, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), runs AS (
    SELECT person, min(date_diff('microsecond', begun_1, moment)) AS took_1,
           min(date_diff('microsecond', begun_2, moment)) FILTER (WHERE action = 'add_to_cart' AND moment <= begun_2 + INTERVAL 30 DAY) AS took_2,
           min(date_diff('microsecond', begun_3, moment)) FILTER (WHERE action = 'checkout_start' AND moment <= begun_3 + INTERVAL 30 DAY) AS took_3,
           min(date_diff('microsecond', begun_4, moment)) FILTER (WHERE action = 'checkout_complete' AND moment <= begun_4 + INTERVAL 30 DAY) AS took_4
    FROM four GROUP BY person
)
SELECT count(took_1) AS persons_1, count(took_2) AS persons_2, count(took_3) AS persons_3, count(took_4) AS persons_4,
       median(took_1) AS median_1, median(took_2) AS median_2, median(took_3) AS median_3, median(took_4) AS median_4
FROM runs

-- name: duckdb_paths
WITH stays AS (
    SELECT * FROM (
        SELECT journey, id, channel, occurred_at,
               lag(channel) OVER (PARTITION BY journey ORDER BY occurred_at, id) AS before
        FROM touchpoints) WHERE before IS DISTINCT FROM channel
), walked AS (
    SELECT journey, list(channel ORDER BY occurred_at, id) AS channels FROM stays GROUP BY journey
), paths AS (
    SELECT walked.channels, count(*) AS journeys, count(DISTINCT coalesce(merged.person, journey.customer)) AS persons,
           count(order_id) FILTER (WHERE intent NOT IN ('support', 'return', 'review')) AS ordered,
           sum(date_diff('microsecond', started_at, ended_at)) AS took, count(ended_at) AS ended
    FROM walked JOIN journeys journey ON journey.id = walked.journey
    LEFT JOIN persons merged ON merged.customer = journey.customer
    GROUP BY walked.channels
)
SELECT channels, journeys, persons, ordered, took, ended, count(*) OVER () AS distinct_paths
FROM paths ORDER BY journeys DESC, channels LIMIT 50

-- name: duckdb_retention
WITH valid AS (
    SELECT coalesce(merged.person, o.customer) AS person, o.local_date
    FROM orders o LEFT JOIN persons merged ON merged.customer = o.customer
    WHERE o.state <> 'cancelled' AND o.customer IS NOT NULL
), firsts AS (
    SELECT person, local_date, min(local_date) OVER (PARTITION BY person) AS first FROM valid
), cells AS (
    SELECT date_trunc('month', first)::date AS cohort,
           (year(local_date) - year(first)) * 12 + month(local_date) - month(first) AS months_after,
           count(DISTINCT person) AS persons, count(*) AS orders
    FROM firsts GROUP BY ALL
)
SELECT cohort, months_after, persons, orders, max(persons) OVER (PARTITION BY cohort) AS of FROM cells ORDER BY 1, 2

-- name: duckdb_rfm
WITH people AS (
    SELECT coalesce(merged.person, o.customer) AS person, max(local_date) AS last,
           count(DISTINCT local_date) AS days, count(*) AS orders,
           coalesce(sum(revenue - refunds) FILTER (WHERE currency = 'EUR'), 0) AS net
    FROM orders o LEFT JOIN persons merged ON merged.customer = o.customer
    WHERE state <> 'cancelled' AND o.customer IS NOT NULL GROUP BY 1
), scored AS (
    SELECT *, 1 + (rank() OVER (ORDER BY last) - 1) * 5 // count(*) OVER () AS recency,
           1 + (rank() OVER (ORDER BY days) - 1) * 5 // count(*) OVER () AS frequency,
           1 + (rank() OVER (ORDER BY net) - 1) * 5 // count(*) OVER () AS monetary
    FROM people
)
SELECT recency, frequency, monetary, count(*) AS persons, sum(orders) AS orders, sum(net) AS net_revenue
FROM scored GROUP BY 1, 2, 3 ORDER BY 1, 2, 3

-- name: duckdb_activity
SELECT told.channel, told.local_date AS date, told.interaction_type, count(*) AS interactions,
       count(DISTINCT coalesce(merged.person, told.customer)) AS persons
FROM interactions told LEFT JOIN persons merged ON merged.customer = told.customer
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3

-- name: postgresql_retention
WITH valid AS (
    SELECT coalesce(customer.merged_into_id, customer.id) AS person,
           (o.placed_at AT TIME ZONE channel.time_zone)::date AS local_date
    FROM orders o JOIN omnichannel_customers customer ON customer.id = o.customer_id
    JOIN sales_channels channel ON channel.id = o.sales_channel_id WHERE o.state <> 'cancelled'
), firsts AS (
    SELECT person, local_date, min(local_date) OVER (PARTITION BY person) AS first FROM valid
), cells AS (
    SELECT date_trunc('month', first)::date AS cohort,
           ((extract(year FROM local_date) - extract(year FROM first)) * 12
            + extract(month FROM local_date) - extract(month FROM first))::int AS months_after,
           count(DISTINCT person) AS persons, count(*) AS orders
    FROM firsts GROUP BY 1, 2
)
SELECT cohort, months_after, persons, orders, max(persons) OVER (PARTITION BY cohort) AS of FROM cells ORDER BY 1, 2

-- name: postgresql_rfm
WITH people AS (
    SELECT coalesce(customer.merged_into_id, customer.id) AS person,
           max((o.placed_at AT TIME ZONE channel.time_zone)::date) AS last,
           count(DISTINCT (o.placed_at AT TIME ZONE channel.time_zone)::date) AS days, count(*) AS orders,
           coalesce(sum(o.goods - o.discount - o.tax - CASE WHEN o.refunded > 0 THEN o.goods - o.discount - o.tax ELSE 0 END)
                    FILTER (WHERE o.currency = 'EUR'), 0) AS net
    FROM orders o JOIN omnichannel_customers customer ON customer.id = o.customer_id
    JOIN sales_channels channel ON channel.id = o.sales_channel_id WHERE o.state <> 'cancelled' GROUP BY 1
), scored AS (
    SELECT *, 1 + (rank() OVER (ORDER BY last) - 1) * 5 / count(*) OVER () AS recency,
           1 + (rank() OVER (ORDER BY days) - 1) * 5 / count(*) OVER () AS frequency,
           1 + (rank() OVER (ORDER BY net) - 1) * 5 / count(*) OVER () AS monetary
    FROM people
)
SELECT recency, frequency, monetary, count(*) AS persons, sum(orders)::bigint AS orders, sum(net) AS net_revenue
FROM scored GROUP BY 1, 2, 3 ORDER BY 1, 2, 3

-- name: postgresql_activity
SELECT told.sales_channel_id AS channel, (told.occurred_at AT TIME ZONE channel.time_zone)::date AS date,
       told.interaction_type, count(*) AS interactions,
       count(DISTINCT coalesce(customer.merged_into_id, customer.id)) AS persons
FROM channel_interactions told JOIN sales_channels channel ON channel.id = told.sales_channel_id
JOIN omnichannel_customers customer ON customer.id = told.customer_id
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3

-- name: load_channels
INSERT INTO sales_channels (id, name, slug, channel_type, status, is_paused, pause_reason, configuration, currency, country,
                            time_zone, updated_at)
SELECT id, name, slug, channel_type, 'active', false, '', '{}', currency, '', time_zone, now() FROM told_channels

-- name: load_customers
INSERT INTO omnichannel_customers (id, name, email, phone, country, language, segment, attributes, updated_at)
SELECT n, '', '', '', '', '', 'regular', '{}', now() FROM generate_series(1, (
    SELECT greatest(max(customer), (SELECT max(customer) FROM told_persons)) FROM told_journeys)) n

-- name: load_persons
UPDATE omnichannel_customers profile SET merged_into_id = told.person FROM told_persons told WHERE told.customer = profile.id

-- name: load_orders
INSERT INTO orders (id, number, sales_channel_id, source, external_id, customer_id, state, payment_state, problem, currency,
                    placed_at, external_version, email, phone, shipping_address, billing_address, goods, discount, shipping,
                    fees, tip, tax, tax_included, total, refunded, raw, updated_at)
SELECT id, 'B-' || id, channel, 'channel', 'b-' || id, customer, state, payment_state, '', currency,
       placed_at AT TIME ZONE 'UTC', '', '', '', '{}', '{}', goods, discount, shipping, fees, tip, tax, tax_included, total,
       refunded, '{}', now()
FROM told_orders

-- name: load_order_lines
INSERT INTO order_lines (order_id, position, kind, sku, title, external_id, quantity, unit_price, discount, tax, total,
                         cancelled_quantity, fulfilled_quantity, returned_quantity, short_quantity)
SELECT order_id, position, kind, sku, '', '', quantity, unit_price, discount, tax, total, 0, quantity, returned_quantity, 0
FROM told_order_lines

-- name: load_journeys
INSERT INTO cross_channel_journeys (id, customer_id, start_channel_id, intent, state, outcome, order_id, started_at,
                                    ended_at, is_recognised, reason, step, visits, score, currency)
SELECT id, customer, channel, intent, state, '', order_id, started_at AT TIME ZONE 'UTC', ended_at AT TIME ZONE 'UTC',
       false, '', '', visits, score, '' FROM told_journeys

-- name: load_touchpoints
INSERT INTO journey_touchpoints (id, journey_id, sales_channel_id, action, data, occurred_at, visit)
SELECT id, journey, channel, action, '{}', occurred_at AT TIME ZONE 'UTC', visit FROM told_touchpoints

-- name: load_interactions
INSERT INTO channel_interactions (id, customer_id, sales_channel_id, interaction_type, value_score, context, message_id,
                                  occurred_at, received_at)
SELECT id, customer, channel, interaction_type, value_score, '{}', '', occurred_at AT TIME ZONE 'UTC',
       received_at AT TIME ZONE 'UTC' FROM told_interactions
