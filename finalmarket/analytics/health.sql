-- How channels are doing, held against their own past. Each question is asked for all channels at once.

-- name: orders
-- Orders of the last day, and of the same day of each of some weeks before: how many, how many need a person, and since
-- when the channel has orders.
SELECT channel.id AS channel, week, day.orders, day.troubled,
       (SELECT min(placed_at) FROM orders WHERE sales_channel_id = channel.id) AS since
FROM unnest(%(channels)s::bigint[]) channel(id) CROSS JOIN generate_series(0, %(weeks)s) week
CROSS JOIN LATERAL (  -- one look into the index for each day, never a join over all that was ever ordered
    SELECT count(*) AS orders, count(*) FILTER (WHERE problem <> '') AS troubled FROM orders
    WHERE sales_channel_id = channel.id AND state <> 'cancelled'
      AND placed_at > %(now)s::timestamptz - week * interval '7 days' - interval '1 day'
      AND placed_at <= %(now)s::timestamptz - week * interval '7 days') day

-- name: stock
-- What was sold beyond stock, and what has run out: open alerts that are not put off, and which of them are of the last
-- day; and what is offered. All of it is counted up to a bound.
SELECT channel.id AS channel, count(*) FILTER (WHERE level = 'short') AS short,
       count(*) FILTER (WHERE level = 'out') AS ran_out,
       count(*) FILTER (WHERE opened_at > %(now)s::timestamptz - interval '1 day') AS fresh,
       (SELECT count(*) FROM (SELECT FROM channel_products listing
                              WHERE listing.sales_channel_id = channel.id LIMIT %(most)s) counted) AS listings
FROM unnest(%(channels)s::bigint[]) channel(id)
JOIN (SELECT sales_channel_id, level, opened_at FROM stock_alerts
      WHERE closed_at IS NULL AND level IN ('short', 'out')
        AND (snoozed_until IS NULL OR snoozed_until <= %(now)s) LIMIT %(most)s) open
     ON open.sales_channel_id = channel.id
GROUP BY channel.id
