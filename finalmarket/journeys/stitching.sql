-- Telling the journeys of many persons anew. A person is a profile with everything merged into it; rows keep the profile
-- that they arrived with, and a journey belongs to the profile of its first interaction.

-- name: gather
-- Changes that triggers noted become marks.
WITH taken AS (
    DELETE FROM journey_changes WHERE id = ANY (ARRAY(  -- looked for once, not for each row anew
        SELECT id FROM journey_changes ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED))
    RETURNING customer_id, since
)
INSERT INTO journey_marks (customer_id, since, version)
SELECT customer_id, min(since), 1 FROM taken GROUP BY customer_id ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE
SET since = least(journey_marks.since, excluded.since), version = journey_marks.version + 1

-- name: is_marked
SELECT EXISTS (SELECT FROM journey_marks) OR EXISTS (SELECT FROM journey_changes)

-- name: mark_all
-- Everybody who did anything, from the beginning.
INSERT INTO journey_marks (customer_id, since, version)
SELECT DISTINCT customer_id, %(beginning)s::timestamptz, 1 FROM (
    SELECT customer_id FROM channel_interactions UNION ALL SELECT customer_id FROM cross_channel_journeys) everybody
ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE SET since = excluded.since, version = journey_marks.version + 1

-- name: mark_passed
-- Journeys whose time has passed are told anew, which gives them up.
INSERT INTO journey_marks (customer_id, since, version)
SELECT customer_id, min(started_at), 1 FROM (
    SELECT customer_id, started_at FROM cross_channel_journeys
    WHERE state = 'open' AND is_recognised AND closes_at < %(now)s ORDER BY closes_at LIMIT %(most)s) passed
GROUP BY customer_id ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE
SET since = least(journey_marks.since, excluded.since), version = journey_marks.version + 1

-- name: forget_strangers
DELETE FROM journey_marks mark WHERE NOT EXISTS (SELECT FROM omnichannel_customers WHERE id = mark.customer_id)

-- name: marks_after
-- The next marks by their profiles.
SELECT customer_id FROM journey_marks WHERE customer_id > %(after)s ORDER BY customer_id LIMIT %(most)s

-- name: claim
-- The persons behind these marks of whom nobody else is telling, until the end of the transaction. All profiles of a
-- person are held, so that one who is being merged or parted is told by one worker at a time. The marks themselves stay
-- unlocked: whoever records something for such a person does not wait.
WITH persons AS MATERIALIZED (
    SELECT DISTINCT coalesce(customer.merged_into_id, customer.id) AS id
    FROM journey_marks mark JOIN omnichannel_customers customer ON customer.id = mark.customer_id
    WHERE mark.customer_id = ANY (%(customers)s::bigint[])
), members AS MATERIALIZED (
    SELECT profile.id, persons.id AS person FROM persons
    CROSS JOIN LATERAL (
        SELECT id FROM omnichannel_customers WHERE id = persons.id
        UNION ALL
        SELECT id FROM omnichannel_customers WHERE merged_into_id = persons.id) profile
    ORDER BY profile.id
), held AS MATERIALIZED (
    SELECT id, person, pg_try_advisory_xact_lock(hashtextextended('journeys:' || id, 0)) AS is_held FROM members
)
SELECT person, array_agg(id ORDER BY id) FROM held GROUP BY person HAVING bool_and(is_held) ORDER BY person

-- name: hold
-- Wait for whoever is telling these persons, in the order of their numbers; nobody else does until the end.
SELECT pg_advisory_xact_lock(hashtextextended('journeys:' || id, 0))
FROM (SELECT id FROM unnest(%(profiles)s::bigint[]) profile(id) ORDER BY id) profiles

-- name: marks_of
-- Read once the persons are held and before their facts are: whatever is marked from here on stays marked.
SELECT customer_id, since, version FROM journey_marks WHERE customer_id = ANY (%(members)s::bigint[])

-- name: settle
-- What was marked again meanwhile, or is being marked just now, stays.
DELETE FROM journey_marks WHERE customer_id IN (
    SELECT mark.customer_id FROM journey_marks mark
    JOIN unnest(%(customers)s::bigint[], %(versions)s::bigint[]) AS told(customer_id, version)
      ON told.customer_id = mark.customer_id AND told.version = mark.version
    ORDER BY mark.customer_id FOR UPDATE OF mark SKIP LOCKED)

-- name: under_way
-- Of these persons, from when on a journey was under way just before a moment, or at it.
SELECT member.person, min(journey.started_at)
FROM unnest(%(members)s::bigint[], %(persons)s::bigint[], %(since)s::timestamptz[]) AS member(id, person, since)
CROSS JOIN LATERAL (
    SELECT started_at FROM cross_channel_journeys
    WHERE customer_id = member.id AND started_at < member.since
      AND (closes_at IS NULL OR closes_at >= member.since)) journey
GROUP BY member.person

-- name: interactions
-- What persons did since a moment, but for what a call made a touchpoint of. Only what the rules ask for is read of
-- their context: of an address only its path.
SELECT member.person, did.id, did.customer_id, did.sales_channel_id, did.interaction_type, did.occurred_at,
       did.value_score, did.message_id, left(coalesce(did.context ->> 'sku', did.context ->> 'product_id', ''), 100),
       left(lower(concat_ws(' / ', did.context ->> 'event', did.context ->> 'topic', did.context ->> 'reason',
           did.context ->> 'subject', did.context ->> 'query', did.context ->> 'campaign', did.context ->> 'title',
           did.context ->> 'path', substring(did.context ->> 'url' FROM '^(?:[A-Za-z]+://[^/?#]*)?([^?#]*)'))), 500)
FROM unnest(%(members)s::bigint[], %(persons)s::bigint[], %(since)s::timestamptz[]) AS member(id, person, since)
CROSS JOIN LATERAL (
    SELECT * FROM channel_interactions WHERE customer_id = member.id AND occurred_at >= member.since) did
WHERE NOT EXISTS (SELECT FROM journey_touchpoints pinned
                  WHERE pinned.interaction_id = did.id AND pinned.id < %(recognised)s)

-- name: orders
-- What they ordered; what came in exchange for a return was not bought.
SELECT member.person, o.id, o.placed_at, o.number, o.goods - o.discount, o.currency, o.state = 'cancelled'
FROM unnest(%(members)s::bigint[], %(persons)s::bigint[], %(since)s::timestamptz[]) AS member(id, person, since)
CROSS JOIN LATERAL (
    SELECT * FROM orders WHERE customer_id = member.id AND placed_at >= member.since) o
WHERE NOT EXISTS (SELECT FROM returns WHERE exchange_order_id = o.id)

-- name: returns
-- What they gave back; a return that names nobody is of whoever placed its order.
SELECT DISTINCT member.person, back.id, back.at, back.order_id
FROM unnest(%(members)s::bigint[], %(persons)s::bigint[], %(since)s::timestamptz[]) AS member(id, person, since)
CROSS JOIN LATERAL (
    SELECT id, at, order_id, state FROM returns WHERE customer_id = member.id
    UNION ALL
    SELECT back.id, back.at, back.order_id, back.state FROM orders o JOIN returns back ON back.order_id = o.id
    WHERE o.customer_id = member.id AND back.customer_id IS NULL) back
WHERE back.at >= member.since AND back.state <> 'cancelled'

-- name: called
-- Journeys that were started by a call.
SELECT member.person, journey.id, journey.intent, journey.started_at, journey.ended_at, journey.state, journey.outcome,
       journey.last_touch_at, journey.closes_at
FROM unnest(%(members)s::bigint[], %(persons)s::bigint[], %(since)s::timestamptz[]) AS member(id, person, since)
CROSS JOIN LATERAL (
    SELECT * FROM cross_channel_journeys
    WHERE customer_id = member.id AND started_at >= member.since AND NOT is_recognised) journey

-- name: told_journeys
-- Recognised journeys as they were told before, in the order of their columns.
SELECT id, customer_id, start_channel_id, intent, state, outcome, order_id, started_at, ended_at, reason, step, visits,
       score, value, currency, last_touch_at, closes_at
FROM unnest(%(members)s::bigint[], %(persons)s::bigint[], %(since)s::timestamptz[]) AS member(member_id, person, since)
CROSS JOIN LATERAL (
    SELECT * FROM cross_channel_journeys
    WHERE customer_id = member.member_id AND started_at >= member.since AND is_recognised) journey

-- name: these_orders
SELECT id, placed_at, number, goods - discount, currency, state = 'cancelled' FROM orders
WHERE id = ANY (%(orders)s::bigint[])

-- name: touches
-- Touchpoints of these journeys as they were told before.
SELECT id, journey_id, sales_channel_id, interaction_id, action, coalesce(data ->> 'sku', ''), occurred_at,
       switched_from_id, visit
FROM journey_touchpoints WHERE journey_id = ANY (%(journeys)s::bigint[])

-- name: write_journeys
INSERT INTO cross_channel_journeys (id, customer_id, start_channel_id, intent, state, outcome, order_id, started_at,
    ended_at, reason, step, visits, score, value, currency, last_touch_at, closes_at, is_recognised)
SELECT told.*, true FROM unnest(%(id)s::bigint[], %(customer_id)s::bigint[], %(start_channel_id)s::bigint[],
    %(intent)s::text[], %(state)s::text[], %(outcome)s::text[], %(order_id)s::bigint[], %(started_at)s::timestamptz[],
    %(ended_at)s::timestamptz[], %(reason)s::text[], %(step)s::text[], %(visits)s::int[], %(score)s::int[],
    %(value)s::numeric[], %(currency)s::text[], %(last_touch_at)s::timestamptz[], %(closes_at)s::timestamptz[]) AS told
ON CONFLICT (id) DO UPDATE SET
    customer_id = excluded.customer_id, start_channel_id = excluded.start_channel_id, intent = excluded.intent,
    state = excluded.state, outcome = excluded.outcome, order_id = excluded.order_id, started_at = excluded.started_at,
    ended_at = excluded.ended_at, reason = excluded.reason, step = excluded.step, visits = excluded.visits,
    score = excluded.score, value = excluded.value, currency = excluded.currency,
    last_touch_at = excluded.last_touch_at, closes_at = excluded.closes_at

-- name: write_touches
INSERT INTO journey_touchpoints (id, journey_id, sales_channel_id, interaction_id, action, data, occurred_at,
    switched_from_id, visit)
SELECT told.id, told.journey_id, told.sales_channel_id, told.interaction_id, told.action,
       CASE WHEN told.sku = '' THEN '{}'::jsonb ELSE jsonb_build_object('sku', told.sku) END, told.occurred_at,
       told.switched_from_id, told.visit
FROM unnest(%(id)s::bigint[], %(journey_id)s::bigint[], %(sales_channel_id)s::bigint[], %(interaction_id)s::bigint[],
    %(action)s::text[], %(sku)s::text[], %(occurred_at)s::timestamptz[], %(switched_from_id)s::bigint[],
    %(visit)s::int[]) AS told(id, journey_id, sales_channel_id, interaction_id, action, sku, occurred_at,
    switched_from_id, visit)
ON CONFLICT (id) DO UPDATE SET
    journey_id = excluded.journey_id, sales_channel_id = excluded.sales_channel_id,
    interaction_id = excluded.interaction_id, action = excluded.action, data = excluded.data,
    occurred_at = excluded.occurred_at, switched_from_id = excluded.switched_from_id, visit = excluded.visit

-- name: drop_touches
-- Those that belong to nothing any more, unless another person's telling has given them a place meanwhile.
DELETE FROM journey_touchpoints WHERE id IN (
    SELECT id FROM journey_touchpoints
    WHERE id = ANY (%(touches)s::bigint[]) AND journey_id = ANY (%(journeys)s::bigint[]) ORDER BY id FOR UPDATE)

-- name: drop_journeys
DELETE FROM cross_channel_journeys WHERE id = ANY (%(journeys)s::bigint[]) AND is_recognised

-- name: note_called
-- What is noted on journeys that were started by a call. One that somebody has ended or added to meanwhile is marked.
UPDATE cross_channel_journeys journey SET last_touch_at = told.last_touch_at, closes_at = told.closes_at
FROM unnest(%(id)s::bigint[], %(last_touch_at)s::timestamptz[], %(closes_at)s::timestamptz[])
    AS told(id, last_touch_at, closes_at)
WHERE journey.id = told.id AND NOT journey.is_recognised

-- name: note_switches
UPDATE journey_touchpoints touch SET switched_from_id = told.switched_from_id, visit = told.visit
FROM unnest(%(id)s::bigint[], %(switched_from_id)s::bigint[], %(visit)s::int[]) AS told(id, switched_from_id, visit)
WHERE touch.id = told.id AND touch.id < %(recognised)s
