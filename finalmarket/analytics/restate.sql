-- The figures of one channel, one row a day and currency.
WITH day_orders AS (
    SELECT o.id, o.currency, o.goods - o.discount - CASE WHEN o.tax_included THEN o.tax ELSE 0 END AS revenue, o.refunded,
           (o.placed_at AT TIME ZONE %(zone)s)::date AS day, o.placed_at,
           coalesce(customer.merged_into_id, customer.id) AS person
    FROM orders o LEFT JOIN omnichannel_customers customer ON customer.id = o.customer_id
    WHERE o.sales_channel_id = %(channel)s AND o.state <> 'cancelled'
      AND o.placed_at >= (%(first)s::timestamp AT TIME ZONE %(zone)s)
      AND o.placed_at < ((%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s)
), units AS (
    SELECT d.day, d.currency, sum(line.quantity - line.cancelled_quantity) AS sold, sum(line.returned_quantity) AS returned
    FROM day_orders d JOIN order_lines line ON line.order_id = d.id AND line.kind = 'goods'
    GROUP BY 1, 2
), first_orders AS (
    SELECT persons.person, first_order.placed_at
    FROM (SELECT DISTINCT person FROM day_orders WHERE person IS NOT NULL) persons
    CROSS JOIN LATERAL (
        SELECT min(o.placed_at) AS placed_at FROM orders o
        WHERE o.state <> 'cancelled' AND o.customer_id IN (
            SELECT persons.person UNION ALL SELECT id FROM omnichannel_customers WHERE merged_into_id = persons.person)
    ) first_order
), figures AS (
    SELECT d.day, d.currency, count(*) AS orders_count, sum(d.revenue) AS revenue, sum(d.refunded) AS refunds,
           count(DISTINCT d.person) AS unique_customers,
           count(DISTINCT d.person) FILTER (WHERE (f.placed_at AT TIME ZONE %(zone)s)::date = d.day) AS new_customers
    FROM day_orders d LEFT JOIN first_orders f ON f.person = d.person
    GROUP BY 1, 2
), sessions AS (
    SELECT (journey.started_at AT TIME ZONE %(zone)s)::date AS day, count(*) AS all_sessions,
           count(*) FILTER (WHERE journey.order_id IS NOT NULL) AS ordering
    FROM cross_channel_journeys journey
    WHERE journey.start_channel_id = %(channel)s
      AND journey.started_at >= (%(first)s::timestamp AT TIME ZONE %(zone)s)
      AND journey.started_at < ((%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s)
    GROUP BY 1
), first_here AS (
    SELECT coalesce(customer.merged_into_id, customer.id) AS person,
           (min(o.placed_at) AT TIME ZONE %(zone)s)::date AS day
    FROM orders o JOIN omnichannel_customers customer ON customer.id = o.customer_id
    WHERE o.sales_channel_id = %(channel)s AND o.state <> 'cancelled'
    GROUP BY 1
), arrivals AS (
    SELECT day, sum(count(*)) OVER (ORDER BY day) AS to_date FROM first_here GROUP BY day
)
INSERT INTO channel_analytics (sales_channel_id, date, currency, orders_count, revenue, refunds, net_revenue,
    average_order_value, unique_customers, new_customers, returning_customers, sessions, ordering_sessions,
    conversion_rate, units_sold, units_returned, return_rate, customer_count)
SELECT %(channel)s, days.day, coalesce(f.currency, channel.currency), coalesce(f.orders_count, 0),
       coalesce(f.revenue, 0), coalesce(f.refunds, 0), coalesce(f.revenue - f.refunds, 0),
       f.revenue / f.orders_count,
       coalesce(f.unique_customers, 0), coalesce(f.new_customers, 0), coalesce(f.unique_customers - f.new_customers, 0),
       coalesce(s.all_sessions, 0), coalesce(s.ordering, 0), round(s.ordering::numeric / s.all_sessions, 6),
       coalesce(u.sold, 0), coalesce(u.returned, 0), round(u.returned::numeric / nullif(u.sold, 0), 6),
       coalesce((SELECT max(to_date) FROM arrivals WHERE arrivals.day <= days.day), 0)
FROM (SELECT generate_series(%(first)s::date, %(last)s::date, '1 day')::date AS day) days
JOIN sales_channels channel ON channel.id = %(channel)s
LEFT JOIN figures f ON f.day = days.day
LEFT JOIN units u ON u.day = f.day AND u.currency = f.currency
LEFT JOIN sessions s ON s.day = days.day
