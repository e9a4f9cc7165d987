-- Everything that happened with one person, newest first. Each query here is one branch of a union, by one kind: it reads
-- the person's rows by an index, begins beyond the moment where the page before ended, and stops at the limit itself.
-- `profile` are the profiles of the person, `bought` their orders. A branch gives: the moment, its kind, the id of its
-- record, the channel, what of the kind it is, words for it, an amount with its currency, and the id of the order.

-- name: shared
WITH profile AS MATERIALIZED (SELECT unnest(%(profiles)s::bigint[]) AS id),
bought AS MATERIALIZED (
    SELECT o.id, o.sales_channel_id, o.number, o.currency FROM profile JOIN orders o ON o.customer_id = profile.id)

-- name: page
-- The branches asked for, put together.
SELECT at, kind, id, channel_id, what, words, amount, currency, order_id
FROM ({union}) AS entry(at, kind, id, channel_id, what, words, amount, currency, order_id)
ORDER BY at DESC, kind COLLATE "C" DESC, id DESC LIMIT %(most)s

-- name: order
SELECT o.placed_at AS at, 'order' AS kind, o.id, o.sales_channel_id AS channel_id, o.state::text AS what,
       o.number::text AS words, o.total AS amount, o.currency::text AS currency, o.id AS order_id
FROM profile CROSS JOIN LATERAL (
    SELECT * FROM orders placed WHERE placed.customer_id = profile.id AND placed.placed_at <= %(at)s
    ORDER BY placed.placed_at DESC LIMIT %(deep)s) o
WHERE (o.placed_at, 'order' COLLATE "C", o.id) < (%(at)s, %(kind)s COLLATE "C", %(id)s)
  AND (%(channel)s::bigint IS NULL OR o.sales_channel_id = %(channel)s)
ORDER BY o.placed_at DESC, o.id DESC LIMIT %(most)s

-- name: payment
SELECT payment.at, 'payment', payment.id, bought.sales_channel_id, payment.state, payment.tender, payment.amount,
       payment.currency, bought.id
FROM bought JOIN payments payment ON payment.order_id = bought.id
WHERE (payment.at, 'payment' COLLATE "C", payment.id) < (%(at)s, %(kind)s COLLATE "C", %(id)s)
  AND (%(channel)s::bigint IS NULL OR bought.sales_channel_id = %(channel)s)
ORDER BY payment.at DESC, payment.id DESC LIMIT %(most)s

-- name: refund
SELECT refund.at, 'refund', refund.id, bought.sales_channel_id, '', refund.reason, refund.amount, bought.currency,
       bought.id
FROM bought JOIN refunds refund ON refund.order_id = bought.id
WHERE (refund.at, 'refund' COLLATE "C", refund.id) < (%(at)s, %(kind)s COLLATE "C", %(id)s)
  AND (%(channel)s::bigint IS NULL OR bought.sales_channel_id = %(channel)s)
ORDER BY refund.at DESC, refund.id DESC LIMIT %(most)s

-- name: parcel
SELECT parcel.shipped_at, 'parcel', parcel.id, bought.sales_channel_id, 'shipped',
       concat_ws(' ', parcel.carrier, parcel.tracking_number), NULL::numeric, '', bought.id
FROM bought JOIN fulfilments parcel ON parcel.order_id = bought.id AND parcel.shipped_at IS NOT NULL
WHERE (parcel.shipped_at, 'parcel' COLLATE "C", parcel.id) < (%(at)s, %(kind)s COLLATE "C", %(id)s)
  AND (%(channel)s::bigint IS NULL OR bought.sales_channel_id = %(channel)s)
ORDER BY parcel.shipped_at DESC, parcel.id DESC LIMIT %(most)s

-- name: parcel_arrived
SELECT parcel.delivered_at, 'parcel_arrived', parcel.id, bought.sales_channel_id, 'delivered',
       concat_ws(' ', parcel.carrier, parcel.tracking_number), NULL::numeric, '', bought.id
FROM bought JOIN fulfilments parcel ON parcel.order_id = bought.id AND parcel.delivered_at IS NOT NULL
WHERE (parcel.delivered_at, 'parcel_arrived' COLLATE "C", parcel.id) < (%(at)s, %(kind)s COLLATE "C", %(id)s)
  AND (%(channel)s::bigint IS NULL OR bought.sales_channel_id = %(channel)s)
ORDER BY parcel.delivered_at DESC, parcel.id DESC LIMIT %(most)s

-- name: return
SELECT back.at, 'return', back.id, back.sales_channel_id, back.state, back.reason, NULL::numeric, '', back.order_id
FROM (SELECT record.* FROM bought JOIN returns record ON record.order_id = bought.id
      UNION SELECT record.* FROM profile JOIN returns record ON record.customer_id = profile.id) back
WHERE (back.at, 'return' COLLATE "C", back.id) < (%(at)s, %(kind)s COLLATE "C", %(id)s)
  AND (%(channel)s::bigint IS NULL OR back.sales_channel_id = %(channel)s)
ORDER BY back.at DESC, back.id DESC LIMIT %(most)s

-- name: interaction
SELECT did.occurred_at, 'interaction', did.id, did.sales_channel_id, did.interaction_type,
       left(concat_ws(' ', did.context ->> 'sku', did.context ->> 'query', did.context ->> 'topic',
           did.context ->> 'subject', coalesce(did.context ->> 'title', did.context ->> 'path')), 200),
       NULL::numeric, '', NULL::bigint
FROM profile CROSS JOIN LATERAL (
    SELECT * FROM channel_interactions mine
    WHERE mine.customer_id = profile.id AND mine.occurred_at <= %(at)s
      AND (%(channel)s::bigint IS NULL OR mine.sales_channel_id = %(channel)s)
    ORDER BY mine.occurred_at DESC LIMIT %(deep)s) did
WHERE (did.occurred_at, 'interaction' COLLATE "C", did.id) < (%(at)s, %(kind)s COLLATE "C", %(id)s)
ORDER BY did.occurred_at DESC, did.id DESC LIMIT %(most)s

-- name: journey
SELECT journey.started_at, 'journey', journey.id, journey.start_channel_id, 'began', journey.intent, NULL::numeric, '',
       journey.order_id
FROM profile CROSS JOIN LATERAL (
    SELECT * FROM cross_channel_journeys mine WHERE mine.customer_id = profile.id AND mine.started_at <= %(at)s
    ORDER BY mine.started_at DESC LIMIT %(deep)s) journey
WHERE (journey.started_at, 'journey' COLLATE "C", journey.id) < (%(at)s, %(kind)s COLLATE "C", %(id)s)
  AND (%(channel)s::bigint IS NULL OR journey.start_channel_id = %(channel)s)
ORDER BY journey.started_at DESC, journey.id DESC LIMIT %(most)s

-- name: journey_ended
SELECT journey.ended_at, 'journey_ended', journey.id, journey.start_channel_id, journey.state,
       concat_ws(' ', journey.intent, journey.outcome), journey.value, journey.currency, journey.order_id
FROM profile JOIN cross_channel_journeys journey ON journey.customer_id = profile.id AND journey.ended_at IS NOT NULL
WHERE (journey.ended_at, 'journey_ended' COLLATE "C", journey.id) < (%(at)s, %(kind)s COLLATE "C", %(id)s)
  AND (%(channel)s::bigint IS NULL OR journey.start_channel_id = %(channel)s)
ORDER BY journey.ended_at DESC, journey.id DESC LIMIT %(most)s

-- name: ticket
SELECT ticket.created_at, 'ticket', ticket.id, bought.sales_channel_id, ticket.priority, ticket.subject, NULL::numeric,
       '', bought.id
FROM bought JOIN tickets ticket ON ticket.order_id = bought.id
WHERE (ticket.created_at, 'ticket' COLLATE "C", ticket.id) < (%(at)s, %(kind)s COLLATE "C", %(id)s)
  AND (%(channel)s::bigint IS NULL OR bought.sales_channel_id = %(channel)s)
ORDER BY ticket.created_at DESC, ticket.id DESC LIMIT %(most)s

-- name: mail
-- Mails of ours that went out, about orders, parcels and wishes. There are few accounts, and each knows its notices by
-- kind and number.
SELECT notice.sent_at, 'mail', notice.id, about.channel_id, notice.kind, about.words, NULL::numeric, '', about.order_id
FROM (
    SELECT 'confirmation' AS kind, id AS local_id, sales_channel_id AS channel_id, number AS words, id AS order_id
    FROM bought
    UNION ALL
    SELECT 'dispatch', parcel.id, bought.sales_channel_id, bought.number, bought.id
    FROM bought JOIN fulfilments parcel ON parcel.order_id = bought.id
    UNION ALL
    SELECT 'back_in_stock', wish.id, wish.sales_channel_id, variant.sku, NULL
    FROM profile JOIN wishlists wish ON wish.customer_id = profile.id JOIN variants variant ON variant.id = wish.variant_id
) about CROSS JOIN channel_integrations account
JOIN due_notices notice ON notice.integration_id = account.id AND notice.kind = about.kind
     AND notice.local_id = about.local_id AND notice.state = 'sent' AND notice.sent_at IS NOT NULL
WHERE (notice.sent_at, 'mail' COLLATE "C", notice.id) < (%(at)s, %(kind)s COLLATE "C", %(id)s)
  AND (%(channel)s::bigint IS NULL OR about.channel_id = %(channel)s)
ORDER BY notice.sent_at DESC, notice.id DESC LIMIT %(most)s

-- name: consent
SELECT said.at, 'consent', said.id, said.sales_channel_id, CASE WHEN said.is_granted THEN 'granted' ELSE 'withdrawn' END,
       said.purpose, NULL::numeric, '', NULL::bigint
FROM profile JOIN consents said ON said.customer_id = profile.id
WHERE (said.at, 'consent' COLLATE "C", said.id) < (%(at)s, %(kind)s COLLATE "C", %(id)s)
  AND (%(channel)s::bigint IS NULL OR said.sales_channel_id = %(channel)s)
ORDER BY said.at DESC, said.id DESC LIMIT %(most)s

-- name: wish
SELECT wish.added_at, 'wish', wish.id, wish.sales_channel_id, '', variant.sku, NULL::numeric, '', NULL::bigint
FROM profile JOIN wishlists wish ON wish.customer_id = profile.id JOIN variants variant ON variant.id = wish.variant_id
WHERE (wish.added_at, 'wish' COLLATE "C", wish.id) < (%(at)s, %(kind)s COLLATE "C", %(id)s)
  AND (%(channel)s::bigint IS NULL OR wish.sales_channel_id = %(channel)s)
ORDER BY wish.added_at DESC, wish.id DESC LIMIT %(most)s

-- name: merge
-- Profiles that came to the person or left it, whether by evidence or because somebody said so.
SELECT moved.at, 'merge', moved.id, NULL::bigint, CASE WHEN moved.becomes = moved.customer_id THEN 'parted' ELSE 'joined' END,
       concat_ws(' ', moved.customer_id, said.actor), NULL::numeric, '', NULL::bigint
FROM (SELECT change.* FROM profile JOIN person_changes change ON change.customer_id = profile.id
      UNION SELECT change.* FROM profile JOIN person_changes change ON change.was = profile.id
      UNION SELECT change.* FROM profile JOIN person_changes change ON change.becomes = profile.id) moved
LEFT JOIN LATERAL (
    SELECT decision.actor FROM customer_merges decision
    WHERE moved.cause LIKE 'decision:%%' AND decision.decision = substr(moved.cause, 10)::uuid LIMIT 1) said ON true
WHERE %(channel)s::bigint IS NULL
  AND (moved.at, 'merge' COLLATE "C", moved.id) < (%(at)s, %(kind)s COLLATE "C", %(id)s)
ORDER BY moved.at DESC, moved.id DESC LIMIT %(most)s
