-- Statistics over all channels at once.

-- name: journeys
-- Journeys that began in a period, by channel and intent: how many, and what became of them. A case may be about an order;
-- it has not led to it. Days are those of the start channel: the first bounds are what an index serves.
SELECT journey.start_channel_id AS channel, journey.intent, count(*) AS journeys,
       count(journey.order_id) FILTER (WHERE journey.intent NOT IN ('support', 'return', 'review')) AS ordered,
       count(*) FILTER (WHERE journey.state = 'completed' AND NOT (
           journey.order_id IS NOT NULL AND journey.intent NOT IN ('support', 'return', 'review'))) AS completed,
       count(*) FILTER (WHERE journey.state = 'abandoned' AND NOT (
           journey.order_id IS NOT NULL AND journey.intent NOT IN ('support', 'return', 'review'))) AS abandoned,
       count(*) FILTER (WHERE journey.state = 'open' AND NOT (
           journey.order_id IS NOT NULL AND journey.intent NOT IN ('support', 'return', 'review'))) AS open,
       avg(journey.ended_at - journey.started_at) AS mean_time
FROM cross_channel_journeys journey JOIN sales_channels channel ON channel.id = journey.start_channel_id
WHERE journey.started_at >= (%(first)s::date - 1)::timestamp AT TIME ZONE 'UTC'
  AND journey.started_at < (%(last)s::date + 2)::timestamp AT TIME ZONE 'UTC'
  AND (journey.started_at AT TIME ZONE channel.time_zone)::date BETWEEN %(first)s AND %(last)s
  AND (%(channel)s::bigint IS NULL OR journey.start_channel_id = %(channel)s)
GROUP BY 1, 2 ORDER BY 1, 2
