-- The journeys behind one number of paths.sql: each finds them in `chosen` (and `stays`), of which it is a part.
-- `outcome` is "ordered" or the journey's state; none asked for is any.

-- name: newest
SELECT found.id FROM (
{found}
) found JOIN cross_channel_journeys journey ON journey.id = found.id
ORDER BY journey.started_at DESC, journey.id DESC LIMIT %(most)s

-- name: path
, walked AS (
    SELECT journey_id, array_agg(channel ORDER BY at, id) AS channels FROM stays GROUP BY journey_id
)
SELECT chosen.id FROM walked JOIN chosen ON chosen.id = walked.journey_id
WHERE walked.channels = %(channels)s::bigint[]
  AND %(outcome)s::text IN ('', CASE WHEN chosen.order_id IS NOT NULL THEN 'ordered' ELSE chosen.state END)

-- name: change
SELECT DISTINCT journey_id AS id FROM stays WHERE before = %(first)s AND channel = %(second)s

-- name: step
, placed AS (
    SELECT journey_id, row_number() OVER in_order AS step, lead(channel) OVER in_order AS next
    FROM stays WINDOW in_order AS (PARTITION BY journey_id ORDER BY at, id)
)
SELECT chosen.id FROM placed JOIN chosen ON chosen.id = placed.journey_id
WHERE placed.step = %(step)s
  AND %(outcome)s::text IN ('', CASE WHEN placed.next IS NOT NULL THEN 'on' WHEN chosen.order_id IS NOT NULL THEN 'ordered'
                                WHEN chosen.state = 'open' THEN 'open' ELSE 'ended' END)

-- name: role
, placed AS (
    SELECT journey_id, channel, row_number() OVER (PARTITION BY journey_id ORDER BY at, id) AS step,
           row_number() OVER (PARTITION BY journey_id ORDER BY at DESC, id DESC) AS back
    FROM stays
), roles AS (
    SELECT placed.journey_id, bool_or(step = 1) AS opened, bool_or(back = 1) AS closed
    FROM placed JOIN chosen ON chosen.id = placed.journey_id
    WHERE chosen.order_id IS NOT NULL AND placed.channel = %(where)s GROUP BY 1
)
SELECT journey_id AS id FROM roles
WHERE CASE %(role)s::text WHEN 'opened' THEN opened WHEN 'closed' THEN closed WHEN 'assisted' THEN NOT closed ELSE true END

-- name: ordered
SELECT chosen.id FROM chosen JOIN cross_channel_journeys began ON began.id = chosen.id
WHERE chosen.order_id IS NOT NULL AND (%(where)s::bigint IS NULL OR began.start_channel_id = %(where)s)
  AND EXISTS (SELECT FROM journey_touchpoints touch WHERE touch.journey_id = chosen.id)

-- name: loop
, twice AS (
    SELECT journey_id, channel, before AS via, lag(before) OVER (PARTITION BY journey_id ORDER BY at, id) AS earlier
    FROM stays
)
SELECT DISTINCT chosen.id FROM twice JOIN chosen ON chosen.id = twice.journey_id
WHERE twice.earlier = twice.channel AND twice.channel = %(first)s AND twice.via = %(second)s
  AND %(outcome)s::text IN ('', CASE WHEN chosen.order_id IS NOT NULL THEN 'ordered' ELSE chosen.state END)

-- name: place
, touches AS (
    SELECT touch.journey_id, touch.sales_channel_id AS channel, touch.action, chosen.state,
           lead(touch.id) OVER (PARTITION BY touch.journey_id ORDER BY touch.occurred_at, touch.id) IS NULL AS is_last
    FROM chosen JOIN journey_touchpoints touch ON touch.journey_id = chosen.id
    WHERE chosen.state <> 'open' AND touch.action <> 'cart_abandonment'
)
SELECT journey_id AS id FROM touches WHERE channel = %(where)s AND action = %(action)s
GROUP BY 1 HAVING %(role)s::text = 'came' OR bool_or(is_last AND state = 'abandoned')

-- name: any
SELECT id FROM chosen WHERE EXISTS (SELECT FROM journey_touchpoints touch WHERE touch.journey_id = chosen.id)
  AND %(outcome)s::text IN ('', CASE WHEN order_id IS NOT NULL THEN 'ordered' ELSE state END)

-- name: lost
-- As advice/lost_paths.sql counts them: decided journeys that meant to buy, of days in UTC, whatever else is asked.
, meant AS (
    SELECT journey.id, journey.state = 'abandoned' AND o.id IS NULL AS is_lost
    FROM cross_channel_journeys journey LEFT JOIN orders o ON o.id = journey.order_id AND o.state <> 'cancelled'
    WHERE journey.state <> 'open' AND journey.intent IN ('browse', 'research', 'purchase')
      AND journey.started_at >= %(first_day)s::date::timestamp AT TIME ZONE 'UTC'
      AND journey.started_at < (%(last_day)s::date + 1)::timestamp AT TIME ZONE 'UTC'
), touches AS (
    SELECT touch.journey_id, touch.sales_channel_id AS channel, touch.action, meant.is_lost,
           lead(touch.id) OVER (PARTITION BY touch.journey_id ORDER BY touch.occurred_at, touch.id) IS NULL AS is_last
    FROM meant JOIN journey_touchpoints touch ON touch.journey_id = meant.id
    WHERE touch.action <> 'cart_abandonment'
)
SELECT journey_id AS id FROM touches WHERE channel = %(where)s AND action = %(action)s
GROUP BY 1 HAVING %(role)s::text = 'came' OR bool_or(is_last AND is_lost)
