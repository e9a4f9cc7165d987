-- Questions asked of journeys: paths, transitions, funnels, attribution. Each begins with WITH and the fragments that it
-- needs, put together in paths_asked.py. Days are days where the channel is: a journey's start channel, an order's own.
-- A person is a profile with everything merged into it.

-- name: chosen
-- The journeys asked about. A case may be about an order; it does not lead to it.
SELECT journey.id, journey.state, journey.intent, journey.started_at, journey.ended_at,
       CASE WHEN journey.intent NOT IN ('support', 'return', 'review') THEN journey.order_id END AS order_id,
       coalesce(customer.merged_into_id, customer.id) AS person
FROM cross_channel_journeys journey
JOIN omnichannel_customers customer ON customer.id = journey.customer_id
JOIN sales_channels start ON start.id = journey.start_channel_id
WHERE {conditions}

-- name: chosen_since
-- The first bound is what an index serves, the second is exact; days are said by dates, see analytics/restate.sql.
journey.started_at >= (%(since)s::date - 1)::timestamp AT TIME ZONE 'UTC'
AND (journey.started_at AT TIME ZONE start.time_zone)::date >= %(since)s::date

-- name: chosen_until
journey.started_at < (%(until)s::date + 2)::timestamp AT TIME ZONE 'UTC'
AND journey.started_at < (%(until)s::date + 1)::timestamp AT TIME ZONE start.time_zone
AND (journey.started_at AT TIME ZONE start.time_zone)::date <> %(until)s::date + 1

-- name: chosen_intent
journey.intent = %(intent)s

-- name: chosen_channel
EXISTS (SELECT FROM journey_touchpoints touch
        WHERE touch.journey_id = journey.id AND touch.sales_channel_id = %(channel)s)

-- name: chosen_segment
EXISTS (SELECT FROM omnichannel_customers canonical
        WHERE canonical.id = coalesce(customer.merged_into_id, customer.id) AND canonical.segment = %(segment)s)

-- name: stays
-- Unbroken stays on one channel: each with the channel before it in its journey, and when that one was left.
SELECT * FROM (
    SELECT touch.journey_id, touch.id, touch.sales_channel_id AS channel, touch.occurred_at AS at,
           lag(touch.sales_channel_id) OVER in_order AS before, lag(touch.occurred_at) OVER in_order AS before_left_at
    FROM chosen JOIN journey_touchpoints touch ON touch.journey_id = chosen.id
    WINDOW in_order AS (PARTITION BY touch.journey_id ORDER BY touch.occurred_at, touch.id)
) touches WHERE before IS DISTINCT FROM channel

-- name: population
-- A journey without a step (a return that came by parcel, say) has no path, and is in no other answer either.
SELECT count(*) AS journeys, count(DISTINCT person) AS persons, count(order_id) AS ordered,
       count(*) FILTER (WHERE state = 'completed' AND order_id IS NULL) AS completed,
       count(*) FILTER (WHERE state = 'abandoned' AND order_id IS NULL) AS abandoned,
       count(*) FILTER (WHERE state = 'open' AND order_id IS NULL) AS open
FROM chosen WHERE EXISTS (SELECT FROM journey_touchpoints touch WHERE touch.journey_id = chosen.id)

-- name: top_paths
-- Journeys by the channels that they went over. A path that nobody walked to its end is one all the same.
, walked AS (
    SELECT journey_id, array_agg(channel ORDER BY at, id) AS channels FROM stays GROUP BY journey_id
), paths AS (
    SELECT walked.channels, chosen.person, count(*) AS journeys, count(chosen.order_id) AS ordered,
           sum(chosen.ended_at - chosen.started_at) AS took, count(chosen.ended_at) AS ended
    FROM walked JOIN chosen ON chosen.id = walked.journey_id GROUP BY walked.channels, chosen.person
)
SELECT channels, sum(journeys)::bigint AS journeys, count(*) AS persons, sum(ordered)::bigint AS ordered,
       sum(took) / nullif(sum(ended), 0)::float8 AS mean_time, count(*) OVER () AS distinct_paths
FROM paths GROUP BY channels ORDER BY journeys DESC, channels LIMIT %(most)s

-- name: transitions
-- From channel to channel: how often, and how long nobody was anywhere between.
SELECT before AS source, channel AS target, count(*) AS times, count(DISTINCT journey_id) AS journeys,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY at - before_left_at) AS median_time,
       avg(at - before_left_at) AS mean_time
FROM stays WHERE before IS NOT NULL GROUP BY 1, 2 ORDER BY times DESC, 1, 2 LIMIT %(most)s

-- name: flows
-- What followed each step: the next channel, or how the journey stands when there is none. Steps count from 1.
, placed AS (
    SELECT journey_id, channel, row_number() OVER in_order AS step, lead(channel) OVER in_order AS next
    FROM stays WINDOW in_order AS (PARTITION BY journey_id ORDER BY at, id)
)
SELECT step, channel, next, CASE WHEN next IS NOT NULL THEN 'on' WHEN chosen.order_id IS NOT NULL THEN 'ordered'
       ELSE chosen.state END AS outcome, count(*) AS journeys
FROM placed JOIN chosen ON chosen.id = placed.journey_id WHERE step <= %(steps)s
GROUP BY 1, 2, 3, 4 ORDER BY step, journeys DESC, channel, next, outcome

-- name: time_to_convert
-- From the first touch to the order, by the channel where the journey began (null: all of them).
SELECT touched.channel, count(*) AS journeys,
       percentile_cont(0.25) WITHIN GROUP (ORDER BY took) AS quarter, percentile_cont(0.5) WITHIN GROUP (ORDER BY took) AS half,
       percentile_cont(0.9) WITHIN GROUP (ORDER BY took) AS nine_tenths, avg(took) AS mean_time
FROM (SELECT journey.start_channel_id AS channel, placed.placed_at - chosen.started_at AS took
      FROM chosen JOIN cross_channel_journeys journey ON journey.id = chosen.id
      JOIN orders placed ON placed.id = chosen.order_id
      WHERE EXISTS (SELECT FROM journey_touchpoints touch WHERE touch.journey_id = chosen.id)) touched
GROUP BY GROUPING SETS ((touched.channel), ()) ORDER BY journeys DESC, touched.channel NULLS FIRST

-- name: assisted
-- Of the journeys with an order: on how many a channel was there, the first, the last, and there but not the last.
, placed AS (
    SELECT journey_id, channel, row_number() OVER (PARTITION BY journey_id ORDER BY at, id) AS step,
           row_number() OVER (PARTITION BY journey_id ORDER BY at DESC, id DESC) AS back
    FROM stays
), roles AS (
    SELECT placed.channel, placed.journey_id, bool_or(step = 1) AS opened, bool_or(back = 1) AS closed
    FROM placed JOIN chosen ON chosen.id = placed.journey_id WHERE chosen.order_id IS NOT NULL GROUP BY 1, 2
)
SELECT channel, count(*) AS present, count(*) FILTER (WHERE opened) AS opened,
       count(*) FILTER (WHERE closed) AS closed, count(*) FILTER (WHERE NOT closed) AS assisted
FROM roles GROUP BY 1 ORDER BY present DESC, channel

-- name: abandonment
-- Where abandoned journeys ended: their last touch, beside all decided journeys that came by there. That a cart was
-- left is noted afterwards and nothing that somebody did.
, touches AS (
    SELECT touch.journey_id, touch.sales_channel_id AS channel, touch.action, chosen.state,
           lead(touch.id) OVER (PARTITION BY touch.journey_id ORDER BY touch.occurred_at, touch.id) IS NULL AS is_last
    FROM chosen JOIN journey_touchpoints touch ON touch.journey_id = chosen.id
    WHERE chosen.state <> 'open' AND touch.action <> 'cart_abandonment'
), came AS (
    SELECT journey_id, channel, action, bool_or(is_last AND state = 'abandoned') AS left_here
    FROM touches GROUP BY 1, 2, 3
)
SELECT channel, action, count(*) AS came_by, count(*) FILTER (WHERE left_here) AS abandoned
FROM came GROUP BY 1, 2 HAVING bool_or(left_here) ORDER BY abandoned DESC, channel, action LIMIT %(most)s

-- name: loops
-- Back to a channel after one other: how often, on how many journeys, and how many of those led to an order.
, twice AS (
    SELECT journey_id, channel, before AS via, lag(before) OVER (PARTITION BY journey_id ORDER BY at, id) AS earlier
    FROM stays
)
SELECT twice.channel, twice.via, count(*) AS times, count(DISTINCT twice.journey_id) AS journeys,
       count(DISTINCT twice.journey_id) FILTER (WHERE chosen.order_id IS NOT NULL) AS ordered
FROM twice JOIN chosen ON chosen.id = twice.journey_id WHERE twice.earlier = twice.channel
GROUP BY 1, 2 ORDER BY times DESC, 1, 2 LIMIT %(most)s

-- name: funnel_touches
-- Touches that are a step of the funnel. `unit` is within what the steps have to lie: a person or a journey.
SELECT {unit} AS unit, chosen.person, touch.occurred_at AS at, touch.id, {steps}
FROM chosen JOIN journey_touchpoints touch ON touch.journey_id = chosen.id
WHERE {is_any_step}

-- name: funnel_begun_first
SELECT *, CASE WHEN is_1 THEN at END AS start_1 FROM touches

-- name: funnel_begun
-- The latest beginning from which a touch is step `number` of a run, from the beginnings at the step before.
SELECT *, CASE WHEN is_{number} AND at - {before} <= %(window)s THEN {before} END AS start_{number}
FROM begun_{earlier}

-- name: funnel_before
max(start_{earlier}) OVER (PARTITION BY unit ORDER BY at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)

-- name: funnel_runs
, runs AS (
    SELECT unit, min(person) AS person, {took} FROM begun_{count} GROUP BY unit
), fastest AS (
    SELECT person, {fastest} FROM runs GROUP BY person
)

-- name: funnel_counts
SELECT {counts} FROM fastest

-- name: funnel_persons
SELECT person FROM fastest WHERE took_{number} IS NOT NULL ORDER BY person DESC LIMIT %(most)s

-- name: actions
-- The words for what is done on journeys, the most frequent first; read from a sample of the newest.
SELECT action, count(*) AS times FROM (
    SELECT touch.action FROM (SELECT id FROM cross_channel_journeys ORDER BY started_at DESC, id DESC LIMIT 2000) newest
    JOIN journey_touchpoints touch ON touch.journey_id = newest.id) sample
GROUP BY action ORDER BY times DESC, action LIMIT %(most)s

-- name: currencies
SELECT o.currency, count(*) AS orders FROM orders o JOIN sales_channels own ON own.id = o.sales_channel_id
WHERE o.state <> 'cancelled' AND {conditions} GROUP BY 1 ORDER BY orders DESC, 1

-- name: order_since
o.placed_at >= (%(since)s::date - 1)::timestamp AT TIME ZONE 'UTC'
AND (o.placed_at AT TIME ZONE own.time_zone)::date >= %(since)s::date

-- name: order_until
o.placed_at < (%(until)s::date + 2)::timestamp AT TIME ZONE 'UTC'
AND o.placed_at < (%(until)s::date + 1)::timestamp AT TIME ZONE own.time_zone
AND (o.placed_at AT TIME ZONE own.time_zone)::date <> %(until)s::date + 1

-- name: order_segment
EXISTS (SELECT FROM omnichannel_customers customer
        JOIN omnichannel_customers canonical ON canonical.id = coalesce(customer.merged_into_id, customer.id)
        WHERE customer.id = o.customer_id AND canonical.segment = %(segment)s)

-- name: order_intent
EXISTS (SELECT FROM cross_channel_journeys journey WHERE journey.order_id = o.id AND journey.intent = %(intent)s
        AND journey.intent NOT IN ('support', 'return', 'review'))

-- name: sold
-- Orders that stand, with their net revenue: goods after discount, without tax and shipping, less the part of refunds
-- that falls on them; the same figure as analytics/restate.sql.
SELECT id, sales_channel_id, placed_at,
       revenue - round(coalesce(refunded * revenue / nullif(total, 0), 0), 4) AS net
FROM (
    SELECT o.id, o.sales_channel_id, o.placed_at, o.total, o.refunded, round(o.goods - o.discount - CASE
               WHEN NOT o.tax_included THEN 0
               WHEN contents.tax <> 0 THEN o.tax - contents.tax_of_services
               ELSE coalesce(o.tax * (o.goods - o.discount)
                             / nullif(o.goods - o.discount + o.shipping + o.fees, 0), 0) END, 4) AS revenue
    FROM orders o JOIN sales_channels own ON own.id = o.sales_channel_id
    LEFT JOIN LATERAL (
        SELECT sum(line.tax) AS tax,
               coalesce(sum(line.tax) FILTER (WHERE line.kind NOT IN ('goods', 'discount')), 0) AS tax_of_services
        FROM order_lines line WHERE line.order_id = o.id) contents ON true
    WHERE o.state <> 'cancelled' AND o.currency = %(currency)s AND {conditions}
) worth

-- name: attribution_paths
-- Paths with what came of them. An order is told of by the newest journey that led to it, or else its own channel is
-- its path. A journey that meant to buy, has ended and led to no order that stands, ended in nothing.
, led AS (
    SELECT DISTINCT ON (journey.order_id) journey.id, journey.order_id
    FROM sold JOIN cross_channel_journeys journey ON journey.order_id = sold.id
    WHERE journey.intent NOT IN ('support', 'return', 'review') AND {led_conditions}
    ORDER BY journey.order_id, journey.started_at DESC, journey.id DESC
), failed AS (
    SELECT chosen.id FROM chosen LEFT JOIN orders o ON o.id = chosen.order_id AND o.state <> 'cancelled'
    WHERE chosen.state <> 'open' AND chosen.intent IN ('browse', 'research', 'purchase') AND o.id IS NULL
), departures AS (
    SELECT * FROM (
        SELECT touch.journey_id, touch.id, touch.sales_channel_id AS channel, touch.occurred_at AS at,
               lead(touch.sales_channel_id) OVER (PARTITION BY touch.journey_id ORDER BY touch.occurred_at, touch.id) AS next
        FROM (SELECT id FROM led UNION ALL SELECT id FROM failed) told
        JOIN journey_touchpoints touch ON touch.journey_id = told.id
    ) touches WHERE next IS DISTINCT FROM channel
), walked AS (
    SELECT journey_id, array_agg(channel ORDER BY at, id) AS channels, array_agg(at ORDER BY at, id) AS times
    FROM departures GROUP BY journey_id
), told AS (
    SELECT coalesce(walked.channels, ARRAY[sold.sales_channel_id]) AS channels,
           CASE WHEN walked.times IS NULL THEN ARRAY[0] ELSE ARRAY(
               SELECT floor(greatest(extract(epoch FROM sold.placed_at - at), 0) / 3600)::int
               FROM unnest(walked.times) WITH ORDINALITY AS moments(at, place) ORDER BY place) END AS hours,
           1 AS conversions, sold.net AS value, 0 AS nulls
    FROM sold LEFT JOIN led ON led.order_id = sold.id LEFT JOIN walked ON walked.journey_id = led.id
    UNION ALL
    SELECT walked.channels, NULL, 0, 0, 1 FROM failed JOIN walked ON walked.journey_id = failed.id
)
SELECT channels, hours, sum(conversions)::bigint AS conversions, sum(value) AS value, sum(nulls)::bigint AS nulls
FROM told WHERE %(channel)s::bigint IS NULL OR %(channel)s = ANY(channels)
GROUP BY channels, hours ORDER BY channels, hours
