-- The rows of the lake, as COPY reads them: the day in UTC first, in the order of days. {days} is the condition on the
-- moment that a table is laid out by. Revenue is what analytics/restate.sql says: goods after discount, without tax and
-- shipping; a tax that only the order knows is shared between goods and services by amount. A refund takes revenue back
-- in the proportion that revenue has in the total.

-- name: orders
WITH placed AS MATERIALIZED (
    SELECT o.*, (o.placed_at AT TIME ZONE channel.time_zone)::date AS local_date
    FROM orders o JOIN sales_channels channel ON channel.id = o.sales_channel_id WHERE {days}
), contents AS (
    SELECT line.order_id, sum(line.tax) AS tax,
           coalesce(sum(line.tax) FILTER (WHERE line.kind NOT IN ('goods', 'discount')), 0) AS tax_of_services,
           coalesce(sum(line.quantity - line.cancelled_quantity) FILTER (WHERE line.kind = 'goods'), 0) AS sold,
           coalesce(sum(line.returned_quantity) FILTER (WHERE line.kind = 'goods'), 0) AS returned
    FROM placed JOIN order_lines line ON line.order_id = placed.id
    GROUP BY line.order_id
), worth AS (
    SELECT placed.*, coalesce(contents.sold, 0) AS sold, coalesce(contents.returned, 0) AS returned,
           round(placed.goods - placed.discount - CASE
               WHEN NOT placed.tax_included THEN 0
               WHEN contents.tax <> 0 THEN placed.tax - contents.tax_of_services
               ELSE coalesce(placed.tax * (placed.goods - placed.discount) / nullif(
                   placed.goods - placed.discount + placed.shipping + placed.fees, 0), 0) END, 4) AS revenue
    FROM placed LEFT JOIN contents ON contents.order_id = placed.id
)
SELECT (placed_at AT TIME ZONE 'UTC')::date AS day, id, sales_channel_id, customer_id, state, payment_state, currency,
       placed_at AT TIME ZONE 'UTC', local_date, goods, discount, shipping, fees, tip, tax, tax_included, total, refunded,
       revenue, round(coalesce(refunded * revenue / nullif(total, 0), 0), 4), sold, returned
FROM worth ORDER BY 1, id

-- name: order_lines
SELECT (o.placed_at AT TIME ZONE 'UTC')::date AS day, line.id, line.order_id, line.position, line.kind, line.variant_id,
       line.sku, line.quantity, line.unit_price, line.discount, line.tax, line.total, line.cancelled_quantity,
       line.returned_quantity, o.placed_at AT TIME ZONE 'UTC'
FROM orders o JOIN order_lines line ON line.order_id = o.id WHERE {days} ORDER BY 1, line.order_id, line.position

-- name: interactions
SELECT (o.occurred_at AT TIME ZONE 'UTC')::date AS day, o.id, o.sales_channel_id, o.customer_id, o.interaction_type,
       o.value_score, o.occurred_at AT TIME ZONE 'UTC', o.received_at AT TIME ZONE 'UTC',
       (o.occurred_at AT TIME ZONE channel.time_zone)::date
FROM channel_interactions o JOIN sales_channels channel ON channel.id = o.sales_channel_id
WHERE {days} ORDER BY 1, o.id

-- name: journeys
SELECT (o.started_at AT TIME ZONE 'UTC')::date AS day, o.id, o.start_channel_id, o.customer_id, o.intent, o.state,
       o.order_id, o.started_at AT TIME ZONE 'UTC', o.ended_at AT TIME ZONE 'UTC',
       (o.started_at AT TIME ZONE channel.time_zone)::date, o.visits, o.score
FROM cross_channel_journeys o JOIN sales_channels channel ON channel.id = o.start_channel_id
WHERE {days} ORDER BY 1, o.id

-- name: touchpoints
SELECT (o.occurred_at AT TIME ZONE 'UTC')::date AS day, o.id, o.journey_id, o.sales_channel_id, o.action,
       o.occurred_at AT TIME ZONE 'UTC', o.visit
FROM journey_touchpoints o WHERE {days} ORDER BY 1, o.journey_id, o.occurred_at, o.id

-- name: days
o.{moment} >= %(first)s::date::timestamp AT TIME ZONE 'UTC'
AND o.{moment} < (%(last)s::date + 1)::timestamp AT TIME ZONE 'UTC'
AND (o.{moment} AT TIME ZONE 'UTC')::date = ANY (%(days)s::date[])

-- name: channels
SELECT current_date AS day, id, name, slug, channel_type, currency, time_zone FROM sales_channels ORDER BY id

-- name: persons
-- Profiles that are part of another one; who is not here stands for itself.
SELECT current_date AS day, id, merged_into_id FROM omnichannel_customers WHERE merged_into_id IS NOT NULL ORDER BY id

-- name: everything_is_due
INSERT INTO lake_changes (stream, day)
SELECT stream, day FROM (
    SELECT 'orders' AS stream, (placed_at AT TIME ZONE 'UTC')::date AS day FROM orders
    UNION SELECT 'journeys', (started_at AT TIME ZONE 'UTC')::date FROM cross_channel_journeys
    UNION SELECT 'touchpoints', (occurred_at AT TIME ZONE 'UTC')::date FROM journey_touchpoints
    UNION SELECT 'interactions', (occurred_at AT TIME ZONE 'UTC')::date FROM channel_interactions
    UNION SELECT told.stream, told_days.day
    FROM unnest(%(streams)s::text[]) AS told(stream) CROSS JOIN unnest(%(days)s::date[]) AS told_days(day)
) everything ORDER BY day, stream

-- name: new_interactions_are_due
INSERT INTO lake_changes (stream, day)
SELECT DISTINCT 'interactions', (occurred_at AT TIME ZONE 'UTC')::date FROM channel_interactions WHERE id > %(safe)s

-- name: due_days
-- The oldest days that are due among the changes up to `last`.
SELECT DISTINCT day FROM lake_changes WHERE id <= %(last)s ORDER BY day LIMIT %(most)s

-- name: due_of_days
SELECT id, stream, day FROM lake_changes WHERE id <= %(last)s AND day = ANY (%(days)s::date[])

-- name: written
DELETE FROM lake_changes WHERE id = ANY (%(ids)s::bigint[])

-- name: compact
-- Many changes of one day become one, newer than all of them: an export that is under way and has seen some of them
-- does not take it away.
WITH often AS (
    SELECT stream, day FROM lake_changes GROUP BY stream, day HAVING count(*) > 1
), gone AS (
    DELETE FROM lake_changes USING often
    WHERE lake_changes.stream = often.stream AND lake_changes.day = often.day
    RETURNING lake_changes.stream, lake_changes.day
)
INSERT INTO lake_changes (stream, day) SELECT DISTINCT stream, day FROM gone
