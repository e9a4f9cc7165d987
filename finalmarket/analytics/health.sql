-- How channels are doing, held against their own past. Each question is asked for all channels at once.

-- name: orders
-- Orders of the last day, and of the same day of each of some weeks before: how many, and how many need a person.
SELECT channel.id AS channel, week, count(o.id) AS orders, count(o.id) FILTER (WHERE o.problem <> '') AS troubled
FROM unnest(%(channels)s::bigint[]) channel(id) CROSS JOIN generate_series(0, %(weeks)s) week
LEFT JOIN orders o ON o.sales_channel_id = channel.id AND o.state <> 'cancelled'
    AND o.placed_at > %(now)s::timestamptz - week * interval '7 days' - interval '1 day'
    AND o.placed_at <= %(now)s::timestamptz - week * interval '7 days'
GROUP BY 1, 2

-- name: since
-- Since when each channel has orders.
SELECT channel.id AS channel, (SELECT min(placed_at) FROM orders WHERE sales_channel_id = channel.id) AS since
FROM unnest(%(channels)s::bigint[]) channel(id)

-- name: stock
-- What was sold beyond stock, and what has run out: open alerts that are not put off, up to a bound, and which of them
-- are of the last day.
SELECT sales_channel_id AS channel, count(*) FILTER (WHERE level = 'short') AS short,
       count(*) FILTER (WHERE level = 'out') AS ran_out,
       count(*) FILTER (WHERE opened_at > %(now)s::timestamptz - interval '1 day') AS fresh
FROM (SELECT sales_channel_id, level, opened_at FROM stock_alerts
      WHERE closed_at IS NULL AND level IN ('short', 'out')
        AND (snoozed_until IS NULL OR snoozed_until <= %(now)s) LIMIT %(most)s) open
WHERE sales_channel_id = ANY (%(channels)s::bigint[]) GROUP BY 1

-- name: listings
-- What is offered, counted up to a bound.
SELECT channel.id AS channel,
       (SELECT count(*) FROM (SELECT FROM channel_products listing
                              WHERE listing.sales_channel_id = channel.id LIMIT %(most)s) counted) AS listings
FROM unnest(%(channels)s::bigint[]) channel(id)
