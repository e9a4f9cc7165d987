-- Where journeys that meant to buy are lost, and what those that ordered did instead. Days are UTC here: a period of
-- months does not turn on the hour at which it begins.

-- name: lost
-- By channel and step: decided journeys that came by, those that ended there without an order, those that went on and
-- ordered, what their orders were worth (in the currency that most of them have), and what they did next after they were
-- last there. That a cart was left is noted afterwards and nothing that somebody did.
WITH chosen AS MATERIALIZED (
    SELECT journey.id, journey.state, o.currency, o.goods - o.discount AS value
    FROM cross_channel_journeys journey
    LEFT JOIN orders o ON o.id = journey.order_id AND o.state <> 'cancelled'
    WHERE journey.state <> 'open' AND journey.intent IN ('browse', 'research', 'purchase')
      AND journey.started_at >= %(since)s::date::timestamp AT TIME ZONE 'UTC'
      AND journey.started_at < (%(until)s::date + 1)::timestamp AT TIME ZONE 'UTC'
), touches AS (
    SELECT touch.journey_id, touch.id, touch.occurred_at, touch.sales_channel_id AS channel, touch.action,
           lead(touch.sales_channel_id) OVER in_order AS next_channel, lead(touch.action) OVER in_order AS next_action
    FROM chosen JOIN journey_touchpoints touch ON touch.journey_id = chosen.id
    WHERE touch.action <> 'cart_abandonment'
    WINDOW in_order AS (PARTITION BY touch.journey_id ORDER BY touch.occurred_at, touch.id)
), came AS MATERIALIZED (
    SELECT DISTINCT ON (touches.journey_id, touches.channel, touches.action) touches.channel, touches.action,
           touches.next_channel, touches.next_action, chosen.currency, chosen.value,
           chosen.state = 'abandoned' AND chosen.value IS NULL AND touches.next_action IS NULL AS left_here
    FROM touches JOIN chosen ON chosen.id = touches.journey_id
    ORDER BY touches.journey_id, touches.channel, touches.action, touches.occurred_at DESC, touches.id DESC
), places AS (
    SELECT channel, action, count(*) AS came_by, count(*) FILTER (WHERE left_here) AS left_here, count(value) AS ordered
    FROM came GROUP BY 1, 2 HAVING count(*) FILTER (WHERE left_here) >= %(least)s AND count(value) > 0
), worth AS (
    SELECT DISTINCT ON (channel, action) channel, action, currency, round(avg(value), 4) AS average
    FROM came WHERE value IS NOT NULL GROUP BY channel, action, currency
    ORDER BY channel, action, count(*) DESC, currency
), next AS (
    SELECT channel, action, next_channel, next_action, count(*) AS journeys,
           row_number() OVER (PARTITION BY channel, action
                              ORDER BY count(*) DESC, next_channel NULLS LAST, next_action) AS turn
    FROM came WHERE value IS NOT NULL GROUP BY 1, 2, 3, 4
), instead AS (
    SELECT channel, action, jsonb_agg(jsonb_build_object('channel', next_channel, 'action', coalesce(next_action, ''),
           'journeys', journeys) ORDER BY turn) AS steps
    FROM next WHERE turn <= 3 GROUP BY 1, 2
)
SELECT places.channel, places.action, places.came_by, places.left_here, places.ordered, worth.currency, worth.average,
       instead.steps
FROM places JOIN worth USING (channel, action) JOIN instead USING (channel, action)
ORDER BY places.left_here * worth.average * places.ordered / greatest(places.came_by - places.left_here, 1) DESC,
         places.channel, places.action
LIMIT %(most)s

-- name: keep
INSERT INTO lost_steps AS kept (sales_channel_id, action, since, until, came_by, "left", ordered, chance, low, high,
    average_value, currency, lost_value, lost_low, lost_high, instead, reason, computed_at, decided_by)
SELECT new.sales_channel_id, new.action, %(since)s, %(until)s, new.came_by, new."left", new.ordered, new.chance, new.low,
       new.high, new.average_value, new.currency, new.lost_value, new.lost_low, new.lost_high, new.instead, new.reason,
       %(now)s, ''
FROM jsonb_to_recordset(%(steps)s::jsonb) new(sales_channel_id bigint, action text, came_by int, "left" int, ordered int,
    chance float8, low float8, high float8, average_value numeric, currency text, lost_value numeric, lost_low numeric,
    lost_high numeric, instead jsonb, reason text)
ON CONFLICT (sales_channel_id, action) DO UPDATE SET since = excluded.since, until = excluded.until,
    came_by = excluded.came_by, "left" = excluded."left", ordered = excluded.ordered, chance = excluded.chance,
    low = excluded.low, high = excluded.high, average_value = excluded.average_value, currency = excluded.currency,
    lost_value = excluded.lost_value, lost_low = excluded.lost_low, lost_high = excluded.lost_high,
    instead = excluded.instead, reason = excluded.reason, computed_at = excluded.computed_at

-- name: drop_old
DELETE FROM lost_steps WHERE computed_at < %(now)s
