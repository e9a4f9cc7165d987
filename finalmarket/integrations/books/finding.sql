-- What platforms that keep books have yet to be told, found by looking at our own records: changed within a window.
-- Arrays name the accounts, and for each from when on what happens is its business (`begun`).
--
-- The version of a record is no moment: moments of different rows come in any order. It is a sum of parts of which none
-- ever falls and one grows with every change, whoever commits first.

-- name: orders
-- An order that is known to an account is followed for good; others when they were placed after its beginning. With
-- `is_thorough` also what was changed without an entry in the order's history, and what a look may have missed.
WITH clock AS MATERIALIZED (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at),
account AS MATERIALIZED (
    SELECT id, begun, 'integration:' || id AS source
    FROM unnest(%(accounts)s::bigint[], %(begun)s::timestamptz[]) AS given(id, begun)
), touched AS MATERIALIZED (
    SELECT order_id FROM order_events
    WHERE kind IN ('shipped', 'delivered', 'refunded', 'cancelled', 'paid') AND at > %(since)s
    UNION SELECT order_id FROM order_events WHERE kind IN ('taken', 'updated', 'returned') AND at > %(since)s
    UNION SELECT id FROM orders WHERE %(is_thorough)s AND updated_at > %(since)s
), changed AS MATERIALIZED (
    SELECT o.id, o.source, o.placed_at, o.updated_at, history.version
    FROM touched JOIN orders o ON o.id = touched.order_id
    CROSS JOIN LATERAL (
        SELECT greatest(1, (extract(epoch FROM max(event.at)) * 1000000)::bigint + count(*)) AS version
        FROM order_events event WHERE event.order_id = o.id) history
)
INSERT INTO due_records AS known (integration_id, what, local_id, version, settled_version, next_try_at)
SELECT account.id, 'order', changed.id, greatest(changed.version, coalesce(due.version, 0)), 0, clock.at
FROM changed CROSS JOIN account CROSS JOIN clock
LEFT JOIN due_records due ON due.integration_id = account.id AND due.what = 'order' AND due.local_id = changed.id
WHERE changed.source <> account.source
  AND CASE WHEN due.id IS NULL THEN changed.placed_at >= account.begun
      ELSE changed.version > due.version
           OR %(is_thorough)s AND changed.updated_at > due.told_at AND due.version = due.settled_version END
ORDER BY account.id, changed.id
ON CONFLICT (integration_id, what, local_id) DO UPDATE
SET version = greatest(known.version, excluded.version),
    settled_version = CASE WHEN excluded.version > known.version THEN known.settled_version
                           ELSE least(known.settled_version, known.version - 1) END

-- name: customers
-- People are told under their canonical profile. `agreed` accounts hear of those who agreed to the newsletter, and
-- afterwards also that they do not any more.
WITH clock AS MATERIALIZED (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at),
account AS MATERIALIZED (
    SELECT * FROM unnest(%(accounts)s::bigint[], %(begun)s::timestamptz[], %(agreed)s::boolean[])
        AS given(id, begun, is_for_agreed)
), touched AS MATERIALIZED (
    SELECT id AS customer_id, updated_at AS at FROM omnichannel_customers WHERE updated_at > %(since)s
    UNION ALL SELECT customer_id, at FROM consents WHERE at > %(since)s
    UNION ALL SELECT person, at FROM person_changes CROSS JOIN LATERAL (VALUES (was), (becomes)) AS concerned(person)
    WHERE at > %(since)s
    UNION ALL SELECT o.customer_id, event.at FROM order_events event JOIN orders o ON o.id = event.order_id
    WHERE event.kind IN ('shipped', 'delivered', 'refunded', 'cancelled', 'paid') AND event.at > %(since)s
    UNION ALL SELECT o.customer_id, event.at FROM order_events event JOIN orders o ON o.id = event.order_id
    WHERE event.kind IN ('taken', 'updated', 'returned') AND event.at > %(since)s
), person AS MATERIALIZED (
    SELECT coalesce(customer.merged_into_id, customer.id) AS id, max(touched.at) AS changed_at
    FROM touched JOIN omnichannel_customers customer ON customer.id = touched.customer_id
    WHERE %(only)s::bigint[] IS NULL OR coalesce(customer.merged_into_id, customer.id) = ANY (%(only)s::bigint[])
    GROUP BY 1
), counted AS MATERIALIZED (
    SELECT person.id, person.changed_at,
           sum(profile.version)::bigint + sum(said.entries)::bigint + sum(bought.version)::bigint
               + 100000000000000 * min(moved.times) AS version  -- more than what leaves with a profile that moves away
    FROM person
    CROSS JOIN LATERAL (
        SELECT count(*) AS times FROM person_changes WHERE was = person.id OR becomes = person.id) moved
    CROSS JOIN LATERAL (
        SELECT id, (extract(epoch FROM updated_at) * 1000)::bigint - 1577836800000 AS version
        FROM omnichannel_customers WHERE id = person.id
        UNION ALL
        SELECT id, (extract(epoch FROM updated_at) * 1000)::bigint - 1577836800000
        FROM omnichannel_customers WHERE merged_into_id = person.id) profile
    CROSS JOIN LATERAL (SELECT count(*) AS entries FROM consents WHERE customer_id = profile.id) said
    CROSS JOIN LATERAL (
        SELECT coalesce(sum((extract(epoch FROM updated_at) * 1000)::bigint - 1577836800000), 0) AS version
        FROM orders WHERE customer_id = profile.id) bought
    GROUP BY 1, 2
)
INSERT INTO due_records AS known (integration_id, what, local_id, version, settled_version, next_try_at)
SELECT account.id, 'customer', counted.id, greatest(counted.version, coalesce(due.version, 0)), 0, clock.at
FROM counted CROSS JOIN account CROSS JOIN clock
LEFT JOIN due_records due ON due.integration_id = account.id AND due.what = 'customer' AND due.local_id = counted.id
WHERE CASE WHEN due.id IS NULL THEN counted.changed_at >= account.begun
      ELSE counted.version > due.version
           OR %(is_thorough)s AND counted.changed_at > due.told_at AND due.version = due.settled_version END
  AND (NOT account.is_for_agreed OR due.id IS NOT NULL OR EXISTS (
      SELECT FROM consents WHERE customer_id = counted.id AND purpose = 'newsletter' AND is_granted)
      OR EXISTS (
      SELECT FROM omnichannel_customers profile JOIN consents ON consents.customer_id = profile.id
      WHERE profile.merged_into_id = counted.id AND purpose = 'newsletter' AND is_granted))
ORDER BY account.id, counted.id
ON CONFLICT (integration_id, what, local_id) DO UPDATE
SET version = greatest(known.version, excluded.version),
    settled_version = CASE WHEN excluded.version > known.version THEN known.settled_version
                           ELSE least(known.settled_version, known.version - 1) END

-- name: past_orders
-- All orders that were placed since a moment and that the account does not know yet.
INSERT INTO due_records (integration_id, what, local_id, version, settled_version, next_try_at)
SELECT %(integration)s, 'order', o.id, (
    SELECT greatest(1, (extract(epoch FROM max(event.at)) * 1000000)::bigint + count(*))
    FROM order_events event WHERE event.order_id = o.id), 0, coalesce(%(now)s::timestamptz, clock_timestamp())
FROM orders o WHERE o.placed_at >= %(begun)s AND o.source <> 'integration:' || %(integration)s
  AND NOT EXISTS (SELECT FROM due_records due
                  WHERE due.integration_id = %(integration)s AND due.what = 'order' AND due.local_id = o.id)
ORDER BY o.id
ON CONFLICT DO NOTHING

-- name: past_customers
-- All people who were here since a moment (seen first, changed, or bought) and whom the account does not know yet. Their
-- version is the least: the next change of any kind is above it.
INSERT INTO due_records (integration_id, what, local_id, version, settled_version, next_try_at)
SELECT DISTINCT %(integration)s, 'customer', coalesce(customer.merged_into_id, customer.id), 1, 0,
       coalesce(%(now)s::timestamptz, clock_timestamp())
FROM omnichannel_customers customer
WHERE (customer.first_seen_at >= %(begun)s OR customer.updated_at >= %(begun)s
       OR EXISTS (SELECT FROM orders o WHERE o.customer_id = customer.id AND o.placed_at >= %(begun)s))
  AND (NOT %(is_for_agreed)s OR EXISTS (
      SELECT FROM consents WHERE customer_id = customer.id AND purpose = 'newsletter' AND is_granted))
  AND NOT EXISTS (SELECT FROM due_records due WHERE due.integration_id = %(integration)s AND due.what = 'customer'
                  AND due.local_id = coalesce(customer.merged_into_id, customer.id))
ORDER BY 3
ON CONFLICT DO NOTHING

-- name: movements
-- What moved at locations that the account knows. Not what came from the account itself, and not goods of an order whose
-- parcels it is told (`parcels`): a parcel lowers the stock in the books by itself. A transfer is told when it leaves a
-- known place, and when it arrives only where it left from one that is not known there.
INSERT INTO due_events (integration_id, kind, local_id, key, found_at, next_try_at)
SELECT account.id, 'movement', moved.id, 'movement-' || moved.id, clock.at, clock.at
FROM (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at) clock
CROSS JOIN unnest(%(accounts)s::bigint[], %(begun)s::timestamptz[], %(parcels)s::boolean[])
    AS account(id, begun, hears_parcels)
JOIN stock_movement moved ON moved.at > %(since)s AND moved.at >= account.begun
     AND (moved.on_hand_delta <> 0 OR moved.kind = 'transfer_in')
LEFT JOIN transfers transfer ON moved.kind = 'transfer_in'
     AND transfer.id = CASE WHEN moved.reference ~ '^transfer:[0-9]+$' THEN substring(moved.reference FROM 10)::bigint END
LEFT JOIN orders sold ON moved.kind IN ('fulfil', 'sale')
     AND sold.id = CASE WHEN moved.reference ~ '^order:[0-9]+$' THEN substring(moved.reference FROM 7)::bigint END
WHERE EXISTS (SELECT FROM place_mappings place WHERE place.integration_id = account.id AND place.place <> ''
              AND place.stock_location_id = moved.location_id)
  AND moved.actor <> 'integration:' || account.id
  AND moved.reference NOT IN ('opening:' || account.id, 'master:' || account.id)
  AND CASE WHEN transfer.id IS NULL OR moved.location_id = transfer.source_id THEN moved.on_hand_delta <> 0
      ELSE (moved.on_hand_delta = 0) = EXISTS (
          SELECT FROM place_mappings place WHERE place.integration_id = account.id AND place.place <> ''
          AND place.stock_location_id = transfer.source_id) END
  AND NOT coalesce(account.hears_parcels AND (sold.source = 'integration:' || account.id OR EXISTS (
      SELECT FROM due_records due WHERE due.integration_id = account.id AND due.what = 'order'
      AND due.local_id = sold.id)), false)
  AND NOT EXISTS (SELECT FROM due_events known WHERE known.integration_id = account.id AND known.kind = 'movement'
                  AND known.local_id = moved.id)
ORDER BY account.id, moved.id
ON CONFLICT DO NOTHING

-- name: interactions
-- What customers did. Who completes a checkout is told as the purchase that the order is.
INSERT INTO due_events (integration_id, kind, local_id, key, found_at, next_try_at)
SELECT account.id, 'interaction', seen.id, 'interaction-' || seen.id, clock.at, clock.at
FROM (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at) clock
CROSS JOIN unnest(%(accounts)s::bigint[], %(begun)s::timestamptz[]) AS account(id, begun)
JOIN channel_interactions seen ON seen.received_at > %(since)s AND seen.occurred_at >= account.begun
WHERE seen.interaction_type <> 'checkout_complete'
  AND NOT starts_with(seen.message_id, 'integration:' || account.id || ':')
  AND NOT EXISTS (SELECT FROM due_events known WHERE known.integration_id = account.id
                  AND known.kind = 'interaction' AND known.local_id = seen.id)
ORDER BY account.id, seen.id
ON CONFLICT DO NOTHING

-- name: purchases
WITH account AS (
    SELECT * FROM unnest(%(accounts)s::bigint[], %(begun)s::timestamptz[]) AS given(id, begun)
), found AS (
    SELECT 'purchase' AS kind, o.id, o.placed_at AS at FROM order_events event JOIN orders o ON o.id = event.order_id
    WHERE event.kind IN ('taken', 'updated', 'returned') AND event.kind = 'taken' AND event.at > %(since)s
    UNION
    SELECT 'refund', refund.id, refund.at FROM order_events event JOIN refunds refund ON refund.order_id = event.order_id
    WHERE event.kind IN ('shipped', 'delivered', 'refunded', 'cancelled', 'paid')
      AND event.kind IN ('refunded', 'cancelled') AND event.at > %(since)s
)
INSERT INTO due_events (integration_id, kind, local_id, key, found_at, next_try_at)
SELECT account.id, found.kind, found.id, found.kind || '-' || found.id, clock.at, clock.at
FROM (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at) clock
CROSS JOIN account JOIN found ON found.at >= account.begun
WHERE NOT EXISTS (SELECT FROM due_events known WHERE known.integration_id = account.id AND known.kind = found.kind
                  AND known.local_id = found.id)
ORDER BY account.id, found.kind, found.id
ON CONFLICT DO NOTHING
