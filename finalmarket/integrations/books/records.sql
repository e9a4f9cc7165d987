-- The drain of due records, by state. The clock is the database's unless a test steers it.

-- name: drop
-- What this account is not told any more.
UPDATE due_records SET settled_version = version, is_doubtful = false, last_error = ''
WHERE integration_id = %(integration)s AND version > settled_version AND NOT what = ANY (%(told)s::text[])

-- name: next
-- Half of them the newest, half the oldest: a backlog does not hold up what happens now, nor the other way round.
WITH open AS NOT MATERIALIZED (
    SELECT due.* FROM due_records due, (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at) clock
    WHERE due.integration_id = %(integration)s AND due.version > due.settled_version AND due.next_try_at <= clock.at
      AND due.what = %(what)s
), chosen AS (
    (SELECT * FROM open ORDER BY next_try_at DESC, id DESC LIMIT %(half)s)
    UNION
    (SELECT * FROM open ORDER BY next_try_at, id LIMIT %(half)s)
)
SELECT id, local_id, version, settled_version, external_id, line_ids, digest, is_doubtful, attempts FROM chosen
ORDER BY next_try_at, id

-- name: persons
-- Whose orders these are, where the account keeps people and has no name for them yet. Whoever is not due is now.
INSERT INTO due_records AS known (integration_id, what, local_id, version, settled_version, next_try_at)
SELECT DISTINCT %(integration)s, 'customer', coalesce(buyer.merged_into_id, buyer.id), 1, 0,
       coalesce(%(now)s::timestamptz, clock_timestamp())
FROM orders o JOIN omnichannel_customers buyer ON buyer.id = o.customer_id
WHERE o.id = ANY (%(orders)s::bigint[])
  AND NOT EXISTS (
      SELECT FROM external_ids named JOIN omnichannel_customers profile ON profile.id = named.local_id
      WHERE named.integration_id = %(integration)s AND named.kind = 'customer'
        AND coalesce(profile.merged_into_id, profile.id) = coalesce(buyer.merged_into_id, buyer.id))
  AND NOT EXISTS (SELECT FROM due_records due WHERE due.integration_id = %(integration)s AND due.what = 'customer'
                  AND due.local_id = coalesce(buyer.merged_into_id, buyer.id))
ORDER BY 3
ON CONFLICT DO NOTHING

-- name: buyers
-- The people behind these orders that are due and that the account has no name for: they are told first.
SELECT due.id, due.local_id, due.version, due.settled_version, due.external_id, due.line_ids, due.digest,
       due.is_doubtful, due.attempts
FROM due_records due, (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at) clock
WHERE due.integration_id = %(integration)s AND due.what = 'customer' AND due.version > due.settled_version
  AND due.external_id = '' AND due.next_try_at <= clock.at
  AND due.local_id IN (SELECT coalesce(buyer.merged_into_id, buyer.id) FROM orders o
                       JOIN omnichannel_customers buyer ON buyer.id = o.customer_id
                       WHERE o.id = ANY (%(orders)s::bigint[]))
ORDER BY due.id

-- name: wait_for_buyer
-- Orders whose buyer is due still and has no name there wait as long as they do.
UPDATE due_records due SET next_try_at = greatest(buyer_due.next_try_at, clock.at + interval '1 second')
FROM (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at) clock, orders o
JOIN omnichannel_customers buyer ON buyer.id = o.customer_id
JOIN due_records buyer_due ON buyer_due.what = 'customer' AND buyer_due.integration_id = %(integration)s
     AND buyer_due.local_id = coalesce(buyer.merged_into_id, buyer.id)
     AND buyer_due.version > buyer_due.settled_version AND buyer_due.external_id = ''
WHERE due.id = ANY (%(records)s::bigint[]) AND o.id = due.local_id
RETURNING due.id

-- name: claim
-- Just before it is told. In doubt from now on: whoever finds it so, because we were killed, asks before telling again.
-- Nothing where somebody else has taken it up since it was read.
UPDATE due_records SET is_doubtful = true, attempts = due_records.attempts + 1,
    next_try_at = clock.at + make_interval(secs => %(seconds)s)
FROM (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at) clock,
     LATERAL (SELECT id, is_doubtful AS was_doubtful FROM due_records
              WHERE id = %(record)s AND version > settled_version AND attempts = %(attempts)s
              FOR UPDATE SKIP LOCKED) found
WHERE due_records.id = found.id
RETURNING found.was_doubtful

-- name: settle
-- Where somebody else took it up meanwhile, what we told may have come after what they told: it stays due.
UPDATE due_records SET external_id = %(external_id)s, line_ids = %(line_ids)s::jsonb, digest = %(digest)s,
    echoes = %(echoes)s::jsonb,
    settled_version = CASE WHEN attempts = %(attempts)s AND NOT %(is_again)s
                           THEN greatest(settled_version, %(version)s) ELSE settled_version END,
    is_doubtful = attempts <> %(attempts)s, attempts = CASE WHEN attempts = %(attempts)s THEN 0 ELSE attempts END,
    last_error = '', told_at = clock.at, verified_at = CASE WHEN %(is_sure)s THEN verified_at END,
    next_try_at = clock.at + make_interval(secs => CASE WHEN %(is_again)s THEN 0 ELSE %(gap)s END)
FROM (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at) clock
WHERE id = %(record)s

-- name: settle_quietly
-- Looked at, and nothing of it is to be told.
UPDATE due_records due SET settled_version = greatest(due.settled_version, mine.version), last_error = '', attempts = 0,
    is_doubtful = false, told_at = coalesce(%(now)s::timestamptz, clock_timestamp())
FROM unnest(%(records)s::bigint[], %(versions)s::bigint[]) AS mine(id, version)
WHERE due.id = mine.id

-- name: refuse
UPDATE due_records SET settled_version = greatest(settled_version, %(version)s), is_doubtful = false, attempts = 0,
    last_error = %(reason)s, digest = ''
WHERE id = %(record)s

-- name: put_off
UPDATE due_records SET is_doubtful = %(is_doubtful)s, last_error = %(reason)s,
    next_try_at = coalesce(%(now)s::timestamptz, clock_timestamp()) + make_interval(secs => greatest(
        %(wait)s, least(%(most)s, %(first)s * power(2, least(20, attempts - 1)))))
WHERE id = %(record)s

-- name: parcels
-- Parcels that left before the account had a name for their order; one that was refused is told to the order that has
-- got a new name.
INSERT INTO due_notices (integration_id, kind, local_id, key, state, external_id, attempts, next_try_at, last_error,
                         found_at)
SELECT %(integration)s, 'fulfilment', parcel.id, 'fulfilment-' || parcel.id, 'due', '', 0, clock.at, '', clock.at
FROM fulfilments parcel, (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at) clock
WHERE parcel.order_id = %(order)s AND parcel.state IN ('shipped', 'delivered')
ORDER BY parcel.id
ON CONFLICT (integration_id, kind, local_id) DO UPDATE
SET state = 'due', attempts = 0, next_try_at = excluded.next_try_at, last_error = ''
WHERE due_notices.state = 'refused'

-- name: try_orders_again
-- Orders of a person that were refused are tried once more when the person has got a (new) name there.
UPDATE due_records due SET settled_version = due.version - 1, attempts = 0,
    next_try_at = coalesce(%(now)s::timestamptz, clock_timestamp())
FROM orders o JOIN omnichannel_customers buyer ON buyer.id = o.customer_id
WHERE (buyer.id = %(person)s OR buyer.merged_into_id = %(person)s)
  AND due.integration_id = %(integration)s AND due.what = 'order' AND due.local_id = o.id
  AND due.version = due.settled_version AND due.last_error <> ''

-- name: unverified
-- Told a while ago, and not asked for since.
SELECT id, what, local_id, external_id FROM due_records
WHERE integration_id = %(integration)s AND external_id <> '' AND verified_at IS NULL AND told_at < %(before)s
  AND version = settled_version AND last_error = ''
ORDER BY told_at LIMIT %(most)s

-- name: verify
-- What is not there is told anew, under another name if need be; what is there once more.
UPDATE due_records SET verified_at = CASE WHEN %(is_there)s THEN coalesce(%(now)s::timestamptz, clock_timestamp()) END,
    external_id = CASE WHEN %(is_there)s THEN external_id ELSE '' END,
    digest = CASE WHEN %(is_there)s THEN %(sure)s ELSE '' END,
    settled_version = least(settled_version, version - 1)
WHERE id = %(record)s

-- name: again
-- A person wants it told once more; one that is gone there is made anew.
UPDATE due_records SET settled_version = least(settled_version, version - 1), digest = '', attempts = 0, last_error = '',
    external_id = CASE WHEN %(is_gone)s THEN '' ELSE external_id END,
    next_try_at = coalesce(%(now)s::timestamptz, clock_timestamp())
WHERE id = %(record)s AND integration_id = %(integration)s
