-- The figures of channels, computed from the order book.
-- An order's day is its day in the channel's time zone; a person is a profile with everything merged into it.
--
-- Where clocks go back over midnight (Azores, Havana), AT TIME ZONE takes the second midnight. So a day is said by the
-- date; the bounds beside it are what an index serves. Its end is said by <>, for of two bounds of an expression the
-- planner expects next to no rows.

-- name: restate
-- Figures of one channel: a row a day in its own currency, and one for every other currency that was used that day.
WITH placed AS (
    SELECT o.id, o.currency, o.goods - o.discount AS sales, o.shipping + o.fees AS services, o.tax, o.tax_included,
           o.total, o.refunded, (o.placed_at AT TIME ZONE %(zone)s)::date AS day,
           coalesce(customer.merged_into_id, customer.id) AS person
    FROM orders o LEFT JOIN omnichannel_customers customer ON customer.id = o.customer_id
    WHERE o.sales_channel_id = %(channel)s AND o.state <> 'cancelled'
      AND o.placed_at >= (%(first)s::timestamp AT TIME ZONE %(zone)s) - interval '6 hours'
      AND o.placed_at < ((%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s)
      AND (o.placed_at AT TIME ZONE %(zone)s)::date >= %(first)s::date
      AND (o.placed_at AT TIME ZONE %(zone)s)::date <> %(last)s::date + 1
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
    -- A person's first order of all, and the first on this channel.
    SELECT first.anywhere, first.here FROM (SELECT DISTINCT person FROM placed WHERE person IS NOT NULL) persons
    CROSS JOIN LATERAL (
        SELECT (array_agg(o.id ORDER BY o.placed_at, o.id))[1] AS anywhere,
               (array_agg(o.id ORDER BY o.placed_at, o.id) FILTER (WHERE o.sales_channel_id = %(channel)s))[1] AS here
        FROM orders o WHERE o.state <> 'cancelled' AND o.customer_id IN (
            SELECT persons.person UNION ALL
            SELECT merged.id FROM omnichannel_customers merged WHERE merged.merged_into_id = persons.person)) first
), figures AS (
    SELECT worth.day, worth.currency, count(*) AS orders_count, sum(worth.revenue) AS revenue,
           sum(round(coalesce(worth.refunded * worth.revenue / nullif(worth.total, 0), 0), 4)) AS refunds,
           sum(worth.sold) AS sold, sum(worth.returned) AS returned,
           count(DISTINCT worth.person) AS unique_customers, count(first_orders.anywhere) AS new_customers
    FROM worth LEFT JOIN first_orders ON first_orders.anywhere = worth.id
    GROUP BY worth.day, worth.currency
), arrivals AS (
    SELECT worth.day, count(*) AS arrived FROM worth JOIN first_orders ON first_orders.here = worth.id GROUP BY worth.day
), sessions AS (
    SELECT (journey.started_at AT TIME ZONE %(zone)s)::date AS day, count(*) AS started,
           count(journey.order_id) FILTER (WHERE journey.intent NOT IN ('support', 'return', 'review')) AS ordering
    FROM cross_channel_journeys journey
    WHERE journey.start_channel_id = %(channel)s
      AND journey.started_at >= (%(first)s::timestamp AT TIME ZONE %(zone)s) - interval '6 hours'
      AND journey.started_at < ((%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s)
      AND (journey.started_at AT TIME ZONE %(zone)s)::date >= %(first)s::date
      AND (journey.started_at AT TIME ZONE %(zone)s)::date <> %(last)s::date + 1
    GROUP BY 1
), sheets AS (
    SELECT series::date AS day, channel.currency, true AS is_own
    FROM sales_channels channel, generate_series(%(first)s::date, %(last)s::date, interval '1 day') series
    WHERE channel.id = %(channel)s
    UNION ALL
    SELECT figures.day, figures.currency, false
    FROM figures JOIN sales_channels channel ON channel.id = %(channel)s WHERE figures.currency <> channel.currency
)
INSERT INTO channel_analytics (sales_channel_id, date, currency, orders_count, revenue, refunds, net_revenue,
    average_order_value, unique_customers, new_customers, returning_customers, arrived_customers, sessions,
    ordering_sessions, conversion_rate, units_sold, units_returned, return_rate, customer_count)
SELECT %(channel)s, sheet.day, sheet.currency, coalesce(f.orders_count, 0), coalesce(f.revenue, 0),
       coalesce(f.refunds, 0), coalesce(f.revenue - f.refunds, 0), f.revenue / f.orders_count,
       coalesce(f.unique_customers, 0), coalesce(f.new_customers, 0), coalesce(f.unique_customers - f.new_customers, 0),
       coalesce(a.arrived, 0), coalesce(s.started, 0), coalesce(s.ordering, 0),
       round(s.ordering::numeric / s.started, 6), coalesce(f.sold, 0), coalesce(f.returned, 0),
       round(f.returned::numeric / nullif(f.sold, 0), 6), 0
FROM sheets sheet
LEFT JOIN figures f ON f.day = sheet.day AND f.currency = sheet.currency
LEFT JOIN arrivals a ON a.day = sheet.day AND sheet.is_own
LEFT JOIN sessions s ON s.day = sheet.day AND sheet.is_own

-- name: convert
-- The amounts of some days in the merchant's currency, and what turns other currencies into the channel's: by the rate of
-- the day. Days without orders are worth nothing in any currency.
UPDATE channel_analytics sheet
SET channel_rate = told.channel_rate, merchant_currency = told.currency, merchant_rate = told.merchant_rate,
    merchant_revenue = told.revenue, merchant_refunds = told.refunds, merchant_net_revenue = told.revenue - told.refunds,
    merchant_average_order_value = told.revenue / nullif(told.orders_count, 0)
FROM (SELECT known.id, known.orders_count, merchant.currency, round(own.rate, 12) AS channel_rate,
             round(home.rate, 12) AS merchant_rate,
             CASE WHEN known.orders_count = 0 THEN 0 ELSE round(known.revenue * round(home.rate, 12), 4) END AS revenue,
             CASE WHEN known.orders_count = 0 THEN 0 ELSE round(known.refunds * round(home.rate, 12), 4) END AS refunds
      FROM channel_analytics known
      JOIN sales_channels channel ON channel.id = known.sales_channel_id
      CROSS JOIN (SELECT merchant_currency() AS currency) merchant
      CROSS JOIN LATERAL exchange_rate(known.currency::text, merchant.currency, known.date) home
      CROSS JOIN LATERAL exchange_rate(known.currency::text, channel.currency::text, known.date) own
      WHERE known.sales_channel_id = %(channel)s AND known.date BETWEEN %(first)s AND %(last)s) told
WHERE sheet.id = told.id
  AND (sheet.channel_rate, sheet.merchant_currency, sheet.merchant_rate, sheet.merchant_revenue, sheet.merchant_refunds)
      IS DISTINCT FROM (told.channel_rate, told.currency, told.merchant_rate, told.revenue, told.refunds)

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

-- name: buyers
-- Who bought over a whole period, each person once, and the merchant's currency.
SELECT count(DISTINCT coalesce(customer.merged_into_id, customer.id)), merchant_currency()
FROM orders o JOIN omnichannel_customers customer ON customer.id = o.customer_id
WHERE o.sales_channel_id = %(channel)s AND o.state <> 'cancelled'
  AND o.placed_at >= (%(first)s::timestamp AT TIME ZONE %(zone)s) - interval '6 hours'
  AND o.placed_at < ((%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s)
  AND (o.placed_at AT TIME ZONE %(zone)s)::date >= %(first)s::date
  AND (o.placed_at AT TIME ZONE %(zone)s)::date <> %(last)s::date + 1

-- name: first_and_last
-- The days of the channel's first order or session, and of the last order.
SELECT (least((SELECT min(placed_at) FROM orders WHERE sales_channel_id = %(channel)s),
              (SELECT min(started_at) FROM cross_channel_journeys WHERE start_channel_id = %(channel)s))
        AT TIME ZONE %(zone)s)::date,
       ((SELECT max(placed_at) FROM orders WHERE sales_channel_id = %(channel)s) AT TIME ZONE %(zone)s)::date
