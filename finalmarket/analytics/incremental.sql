-- Keeping the daily figures up: what triggers noted (changes.sql) becomes days of channels, and those are told anew.

-- name: is_marked
SELECT EXISTS (SELECT FROM analytics_changes)

-- name: hold
-- One worker at a time turns changes of persons and orders into days: it has to see all changes of a person at once.
SELECT pg_try_advisory_xact_lock(%(lock)s)

-- name: expand
-- What was noted of persons, orders and rates becomes days of channels, in one statement: the changes and the orders that
-- it reads are of the same moment.
--
-- When an order comes, goes or moves, another one may have been, or may become, the first of its person, here or
-- anywhere: the earliest of those that did not change. It matters only if it is not earlier than what changed.
--
-- The days are taken to be late since the first of the changes was noted.
WITH taken AS MATERIALIZED (
    DELETE FROM analytics_changes
    WHERE kind IN ('order', 'person') OR (kind = 'rates' AND sales_channel_id IS NULL)
    RETURNING kind, sales_channel_id, day, customer_id, order_id, at, noted_at
), concerned AS MATERIALIZED (
    SELECT coalesce(customer.merged_into_id, customer.id) AS person, array_agg(DISTINCT taken.order_id) AS orders,
           array_agg(DISTINCT taken.sales_channel_id) AS channels, min(taken.at) AS since
    FROM taken JOIN omnichannel_customers customer ON customer.id = taken.customer_id
    WHERE taken.kind = 'order' GROUP BY 1
), unchanged AS MATERIALIZED (
    SELECT concerned.person, concerned.channels, o.id, o.sales_channel_id, o.placed_at, concerned.since
    FROM concerned CROSS JOIN LATERAL (
        SELECT other.id, other.sales_channel_id, other.placed_at FROM orders other
        WHERE other.state <> 'cancelled' AND other.id <> ALL (concerned.orders) AND other.customer_id IN (
            SELECT concerned.person UNION ALL
            SELECT merged.id FROM omnichannel_customers merged WHERE merged.merged_into_id = concerned.person)) o
), others AS (
    SELECT * FROM (
        (SELECT DISTINCT ON (person) sales_channel_id, placed_at, since FROM unchanged ORDER BY person, placed_at, id)
        UNION ALL
        (SELECT DISTINCT ON (person, sales_channel_id) sales_channel_id, placed_at, since FROM unchanged
         WHERE sales_channel_id = ANY (channels) ORDER BY person, sales_channel_id, placed_at, id)
    ) firsts WHERE placed_at >= since
), profiles AS (
    SELECT profile.id FROM taken JOIN omnichannel_customers profile ON profile.id = taken.customer_id
    WHERE taken.kind = 'person'
    UNION
    SELECT profile.id FROM taken JOIN omnichannel_customers profile ON profile.merged_into_id = taken.customer_id
    WHERE taken.kind = 'person'
), bought AS (
    SELECT o.sales_channel_id, o.placed_at FROM profiles JOIN orders o ON o.customer_id = profiles.id
    WHERE o.state <> 'cancelled'
    UNION ALL
    SELECT sales_channel_id, placed_at FROM others
)
INSERT INTO analytics_changes (kind, sales_channel_id, day, noted_at)
SELECT told.*, (SELECT min(noted_at) FROM taken) FROM (
    SELECT 'day', bought.sales_channel_id, (bought.placed_at AT TIME ZONE channel.time_zone)::date
    FROM bought JOIN sales_channels channel ON channel.id = bought.sales_channel_id
    UNION
    SELECT 'day', sales_channel_id, day FROM taken WHERE kind = 'order'
    UNION ALL
    SELECT 'rates', channel.id, min(taken.day) FROM taken CROSS JOIN sales_channels channel
    WHERE taken.kind = 'rates' GROUP BY channel.id
) told

-- name: channels
-- The channels that have days to be told anew.
SELECT DISTINCT sales_channel_id FROM analytics_changes
WHERE kind IN ('day', 'rates', 'everything') AND sales_channel_id IS NOT NULL ORDER BY 1

-- name: take
-- What is to be told of a channel; whoever takes it holds the channel. What is noted from here on stays.
DELETE FROM analytics_changes WHERE sales_channel_id = %(channel)s AND kind IN ('day', 'rates', 'everything')
RETURNING kind, day

-- name: forget
-- A channel whose days are others now: none of the old rows stays.
DELETE FROM channel_analytics WHERE sales_channel_id = %(channel)s

-- name: fill
-- Days between the first and the present one on which nothing happened stand too: with zeros. Not beyond forty years back.
INSERT INTO channel_analytics (sales_channel_id, date, currency, orders_count, revenue, refunds, net_revenue,
    unique_customers, new_customers, returning_customers, arrived_customers, sessions, ordering_sessions, units_sold,
    units_returned, customer_count)
SELECT channel.id, series::date, channel.currency, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
FROM sales_channels channel
CROSS JOIN (SELECT min(date) AS first, max(date) AS last FROM channel_analytics
            WHERE sales_channel_id = %(channel)s) known
CROSS JOIN generate_series(greatest(known.first, %(today)s::date - 14610), greatest(known.last, %(today)s::date),
                           interval '1 day') series
WHERE channel.id = %(channel)s AND known.first IS NOT NULL AND NOT EXISTS (
    SELECT FROM channel_analytics sheet
    WHERE sheet.sales_channel_id = channel.id AND sheet.date = series::date AND sheet.currency = channel.currency)
RETURNING date

-- name: accumulate
-- The buyers to date: those who have arrived.
UPDATE channel_analytics sheet SET customer_count = counted.to_date
FROM (SELECT date, sum(sum(arrived_customers)) OVER (ORDER BY date) AS to_date FROM channel_analytics
      WHERE sales_channel_id = %(channel)s GROUP BY date) counted
WHERE sheet.sales_channel_id = %(channel)s AND sheet.date = counted.date AND sheet.customer_count <> counted.to_date

-- name: forget_strangers
-- Changes of channels that are gone.
DELETE FROM analytics_changes change WHERE change.sales_channel_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM sales_channels channel WHERE channel.id = change.sales_channel_id)
