-- The figures of channels, computed from the order book. At 500,000 orders on 8 channels two days of one channel take
-- 0.15 s, most of it for the buyers to date, and 400 days 1.5 s.
-- An order's day is its day in the channel's time zone; a person is a profile with everything merged into it.

-- name: restate
-- Figures of one channel: a row a day in its own currency, and one for every other currency that was used that day.
WITH placed AS (
    SELECT o.id, o.currency, o.goods - o.discount AS sales, o.shipping + o.fees AS services, o.tax, o.tax_included,
           o.total, o.refunded, (o.placed_at AT TIME ZONE %(zone)s)::date AS day,
           coalesce(customer.merged_into_id, customer.id) AS person
    FROM orders o LEFT JOIN omnichannel_customers customer ON customer.id = o.customer_id
    WHERE o.sales_channel_id = %(channel)s AND o.state <> 'cancelled'
      AND o.placed_at >= (%(first)s::timestamp AT TIME ZONE %(zone)s)
      AND o.placed_at < ((%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s)
), contents AS (
    SELECT line.order_id, sum(line.tax) AS tax,
           coalesce(sum(line.tax) FILTER (WHERE line.kind NOT IN ('goods', 'discount')), 0) AS tax_of_services,
           coalesce(sum(line.quantity - line.cancelled_quantity) FILTER (WHERE line.kind = 'goods'), 0) AS sold,
           coalesce(sum(line.returned_quantity) FILTER (WHERE line.kind = 'goods'), 0) AS returned
    FROM placed JOIN order_lines line ON line.order_id = placed.id
    GROUP BY line.order_id
), worth AS (
    -- A tax that only the order knows is shared between goods and services by amount.
    SELECT placed.id, placed.day, placed.currency, placed.person, placed.refunded, placed.total,
           coalesce(contents.sold, 0) AS sold, coalesce(contents.returned, 0) AS returned,
           round(placed.sales - CASE
               WHEN NOT placed.tax_included THEN 0
               WHEN contents.tax <> 0 THEN placed.tax - contents.tax_of_services
               ELSE coalesce(placed.tax * placed.sales / nullif(placed.sales + placed.services, 0), 0) END, 4) AS revenue
    FROM placed LEFT JOIN contents ON contents.order_id = placed.id
), first_orders AS MATERIALIZED (
    SELECT (SELECT o.id FROM orders o
            WHERE o.state <> 'cancelled' AND o.customer_id IN (
                SELECT persons.person UNION ALL
                SELECT merged.id FROM omnichannel_customers merged WHERE merged.merged_into_id = persons.person)
            ORDER BY o.placed_at, o.id LIMIT 1) AS id
    FROM (SELECT DISTINCT person FROM placed WHERE person IS NOT NULL) persons
), figures AS (
    SELECT worth.day, worth.currency, count(*) AS orders_count, sum(worth.revenue) AS revenue,
           sum(round(coalesce(worth.refunded * worth.revenue / nullif(worth.total, 0), 0), 4)) AS refunds,
           sum(worth.sold) AS sold, sum(worth.returned) AS returned,
           count(DISTINCT worth.person) AS unique_customers, count(first_orders.id) AS new_customers
    FROM worth LEFT JOIN first_orders ON first_orders.id = worth.id
    GROUP BY worth.day, worth.currency
), sessions AS (
    SELECT (journey.started_at AT TIME ZONE %(zone)s)::date AS day, count(*) AS started,
           count(journey.order_id) FILTER (WHERE journey.intent NOT IN ('support', 'return', 'review')) AS ordering
    FROM cross_channel_journeys journey
    WHERE journey.start_channel_id = %(channel)s
      AND journey.started_at >= (%(first)s::timestamp AT TIME ZONE %(zone)s)
      AND journey.started_at < ((%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s)
    GROUP BY 1
), arrivals AS (
    SELECT greatest((min(o.placed_at) AT TIME ZONE %(zone)s)::date, %(first)s::date - 1) AS day
    FROM orders o JOIN omnichannel_customers customer ON customer.id = o.customer_id
    WHERE o.sales_channel_id = %(channel)s AND o.state <> 'cancelled'
      AND o.placed_at < ((%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s)
    GROUP BY coalesce(customer.merged_into_id, customer.id)
), buyers AS (
    SELECT day, sum(arrived) OVER (ORDER BY day) AS to_date
    FROM (SELECT series::date AS day, count(arrivals.day) AS arrived
          FROM generate_series(%(first)s::date - 1, %(last)s::date, interval '1 day') series
          LEFT JOIN arrivals ON arrivals.day = series::date GROUP BY series) daily
), sheets AS (
    SELECT buyers.day, channel.currency, true AS is_own, buyers.to_date
    FROM buyers JOIN sales_channels channel ON channel.id = %(channel)s
    WHERE buyers.day >= %(first)s::date
    UNION ALL
    SELECT figures.day, figures.currency, false, buyers.to_date
    FROM figures JOIN buyers ON buyers.day = figures.day JOIN sales_channels channel ON channel.id = %(channel)s
    WHERE figures.currency <> channel.currency
)
INSERT INTO channel_analytics (sales_channel_id, date, currency, orders_count, revenue, refunds, net_revenue,
    average_order_value, unique_customers, new_customers, returning_customers, sessions, ordering_sessions,
    conversion_rate, units_sold, units_returned, return_rate, customer_count)
SELECT %(channel)s, sheet.day, sheet.currency, coalesce(f.orders_count, 0), coalesce(f.revenue, 0),
       coalesce(f.refunds, 0), coalesce(f.revenue - f.refunds, 0), f.revenue / f.orders_count,
       coalesce(f.unique_customers, 0), coalesce(f.new_customers, 0), coalesce(f.unique_customers - f.new_customers, 0),
       coalesce(s.started, 0), coalesce(s.ordering, 0), round(s.ordering::numeric / s.started, 6),
       coalesce(f.sold, 0), coalesce(f.returned, 0), round(f.returned::numeric / nullif(f.sold, 0), 6), sheet.to_date
FROM sheets sheet
LEFT JOIN figures f ON f.day = sheet.day AND f.currency = sheet.currency
LEFT JOIN sessions s ON s.day = sheet.day AND sheet.is_own

-- name: recount
-- The buyers to date of every day that stands from a day on.
WITH arrivals AS (
    SELECT (min(o.placed_at) AT TIME ZONE %(zone)s)::date AS day
    FROM orders o JOIN omnichannel_customers customer ON customer.id = o.customer_id
    WHERE o.sales_channel_id = %(channel)s AND o.state <> 'cancelled'
    GROUP BY coalesce(customer.merged_into_id, customer.id)
), arrived AS (
    SELECT day, count(*) AS number FROM arrivals GROUP BY day
), counted AS (
    SELECT known.date, coalesce(sum(known.number) OVER (ORDER BY known.date), 0) AS to_date FROM (
        SELECT coalesce(sheet.date, arrived.day) AS date, arrived.number
        FROM (SELECT DISTINCT date FROM channel_analytics WHERE sales_channel_id = %(channel)s) sheet
        FULL JOIN arrived ON arrived.day = sheet.date) known
)
UPDATE channel_analytics sheet SET customer_count = counted.to_date FROM counted
WHERE sheet.sales_channel_id = %(channel)s AND sheet.date >= %(first)s AND counted.date = sheet.date
  AND sheet.customer_count <> counted.to_date

-- name: days_of_persons
-- The days on which these persons bought, by channel; a profile that was or became part of one counts with it.
SELECT DISTINCT o.sales_channel_id, (o.placed_at AT TIME ZONE channel.time_zone)::date
FROM omnichannel_customers profile
JOIN orders o ON o.customer_id = profile.id AND o.state <> 'cancelled'
JOIN sales_channels channel ON channel.id = o.sales_channel_id
WHERE profile.id = ANY (%(persons)s::bigint[]) OR profile.merged_into_id = ANY (%(persons)s::bigint[])

-- name: buyers
-- Persons over a whole period: who bought, and who of them for the first time anywhere.
WITH placed AS (
    SELECT o.id, coalesce(customer.merged_into_id, customer.id) AS person
    FROM orders o JOIN omnichannel_customers customer ON customer.id = o.customer_id
    WHERE o.sales_channel_id = %(channel)s AND o.state <> 'cancelled'
      AND o.placed_at >= (%(first)s::timestamp AT TIME ZONE %(zone)s)
      AND o.placed_at < ((%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s)
), first_orders AS MATERIALIZED (
    SELECT (SELECT o.id FROM orders o
            WHERE o.state <> 'cancelled' AND o.customer_id IN (
                SELECT persons.person UNION ALL
                SELECT merged.id FROM omnichannel_customers merged WHERE merged.merged_into_id = persons.person)
            ORDER BY o.placed_at, o.id LIMIT 1) AS id
    FROM (SELECT DISTINCT person FROM placed) persons
)
SELECT (SELECT count(DISTINCT person) FROM placed), (SELECT count(*) FROM first_orders JOIN placed USING (id))

-- name: first_day
-- The day of the channel's first order or session.
SELECT (least((SELECT min(placed_at) FROM orders WHERE sales_channel_id = %(channel)s),
              (SELECT min(started_at) FROM cross_channel_journeys WHERE start_channel_id = %(channel)s))
        AT TIME ZONE %(zone)s)::date
