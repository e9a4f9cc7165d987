-- What happened to our orders that a platform has yet to hear of, found by looking at the records themselves. News that
-- came from the platform was marked as heard (state sent) in the transaction that took it, so it is never found here.
-- Arrays name the accounts that can be told each kind.

-- name: find
WITH touched AS MATERIALIZED (
    SELECT DISTINCT order_id FROM order_events
    WHERE kind IN ('shipped', 'delivered', 'refunded', 'cancelled', 'paid') AND at > %(since)s
), sold_there AS MATERIALIZED (  -- orders that came through an account
    SELECT o.id, o.state, account.id AS integration_id
    FROM touched JOIN orders o ON o.id = touched.order_id
    JOIN channel_integrations account ON account.id = ANY (%(accounts)s::bigint[])
         AND o.source = 'integration:' || account.id
), paid_there AS MATERIALIZED (  -- payments of such orders, and those that a payment provider keeps: it alone is told
    SELECT payment.id, payment.order_id, payment.state, sold_there.integration_id
    FROM sold_there JOIN payments payment ON payment.order_id = sold_there.id
    WHERE NOT EXISTS (
        SELECT FROM external_ids kept WHERE kept.kind = 'payment' AND kept.local_id = payment.id
        AND kept.integration_id = ANY (%(accounts)s::bigint[]) AND kept.integration_id <> sold_there.integration_id)
    UNION
    SELECT payment.id, payment.order_id, payment.state, known.integration_id
    FROM touched JOIN payments payment ON payment.order_id = touched.order_id
    JOIN external_ids known ON known.kind = 'payment' AND known.local_id = payment.id
         AND known.integration_id = ANY (%(accounts)s::bigint[])
), found AS (
    SELECT sold_there.integration_id, 'fulfilment' AS kind, parcel.id AS local_id, 'due' AS state
    FROM sold_there JOIN fulfilments parcel ON parcel.order_id = sold_there.id
    WHERE parcel.state IN ('shipped', 'delivered') AND sold_there.integration_id = ANY (%(fulfilment)s::bigint[])
    UNION ALL
    -- Parcels of orders that an account keeps in its books, once it has a name for the order.
    SELECT kept.integration_id, 'fulfilment', parcel.id, 'due'
    FROM touched JOIN due_records kept ON kept.what = 'order' AND kept.local_id = touched.order_id
         AND kept.external_id <> '' AND kept.integration_id = ANY (%(fulfilment)s::bigint[])
    JOIN fulfilments parcel ON parcel.order_id = touched.order_id
    WHERE parcel.state IN ('shipped', 'delivered')
    UNION ALL
    SELECT integration_id, 'cancellation', id, 'due' FROM sold_there
    WHERE state = 'cancelled' AND integration_id = ANY (%(cancellation)s::bigint[])
    UNION ALL
    -- Money of an order that we cancelled goes back with the cancellation that the platform is told; what pays for
    -- goods that are sent in exchange does not go back at all.
    SELECT paid_there.integration_id, 'refund', refund.id,
           CASE WHEN refund.key LIKE 'cancelled:%%' AND sold_there.id IS NOT NULL
                     AND paid_there.integration_id = ANY (%(cancellation)s::bigint[]) THEN 'sent' ELSE 'due' END
    FROM paid_there JOIN refunds refund ON refund.payment_id = paid_there.id
    LEFT JOIN sold_there ON sold_there.id = paid_there.order_id AND sold_there.integration_id = paid_there.integration_id
    WHERE paid_there.integration_id = ANY (%(refund)s::bigint[]) AND refund.key NOT LIKE 'exchange:%%'
    UNION ALL
    -- Taken here by a person, or due because all goods have left.
    SELECT paid_there.integration_id, 'capture', paid_there.id, 'due'
    FROM paid_there JOIN orders o ON o.id = paid_there.order_id
    WHERE paid_there.integration_id = ANY (%(capture)s::bigint[])
      AND (paid_there.state = 'captured' OR paid_there.state = 'authorised' AND o.state = 'fulfilled')
    UNION ALL
    -- What a parcel holds is taken when it leaves, where the rest stays authorised; elsewhere all with the last one.
    SELECT paid_there.integration_id, 'capture_part', parcel.id, 'due'
    FROM paid_there JOIN orders o ON o.id = paid_there.order_id AND o.state = 'partly_fulfilled'
    JOIN fulfilments parcel ON parcel.order_id = o.id AND parcel.state IN ('shipped', 'delivered')
    WHERE paid_there.integration_id = ANY (%(capture_part)s::bigint[]) AND paid_there.state = 'authorised'
    UNION ALL
    SELECT integration_id, 'void', id, 'due' FROM paid_there
    WHERE state = 'voided' AND integration_id = ANY (%(void)s::bigint[])
)
INSERT INTO due_notices (integration_id, kind, local_id, key, state, external_id, attempts, next_try_at, last_error,
                         found_at, sent_at, verified_at)
SELECT found.integration_id, found.kind, found.local_id, found.kind || '-' || found.local_id, found.state, '', 0,
       clock.at, '', clock.at, CASE WHEN found.state = 'sent' THEN clock.at END,
       CASE WHEN found.state = 'sent' THEN clock.at END
FROM found, (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at) clock
WHERE NOT EXISTS (
    SELECT FROM due_notices known
    WHERE known.integration_id = found.integration_id AND known.kind = found.kind AND known.local_id = found.local_id)
ORDER BY found.local_id
ON CONFLICT DO NOTHING

-- name: happened
SELECT 'fulfilment', id, '' FROM fulfilments
WHERE order_id = ANY (%(orders)s) AND state IN ('shipped', 'delivered')
UNION ALL SELECT 'cancellation', id, '' FROM orders WHERE id = ANY (%(orders)s) AND state = 'cancelled'
UNION ALL SELECT 'refund', id, key FROM refunds WHERE order_id = ANY (%(orders)s)
UNION ALL SELECT CASE state WHEN 'captured' THEN 'capture' ELSE 'void' END, id, '' FROM payments
WHERE order_id = ANY (%(orders)s) AND state IN ('captured', 'voided')

-- name: claim
-- The next notice whose time has come. It is doubtful from now on: whoever finds it so, because we were killed, asks
-- the platform before telling it again. MATERIALIZED: looked for once; as a join it may be looked for anew for each row,
-- and then each of them is claimed.
WITH clock AS MATERIALIZED (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at),
found AS MATERIALIZED (
    SELECT id, state = 'doubtful' AS was_doubtful FROM due_notices
    WHERE integration_id = %(integration)s AND state IN ('due', 'doubtful') AND next_try_at <= (SELECT at FROM clock)
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE due_notices SET state = 'doubtful', attempts = attempts + 1,
    next_try_at = clock.at + make_interval(secs => %(seconds)s)
FROM found, clock WHERE due_notices.id = found.id
RETURNING due_notices.id, found.was_doubtful

-- name: put_off
UPDATE due_notices SET state = %(state)s, last_error = %(reason)s, refusals = refusals + %(refusals)s,
    next_try_at = coalesce(%(now)s::timestamptz, clock_timestamp()) + make_interval(secs => greatest(
        %(wait)s, least(%(most)s, %(first)s * power(2, least(20, attempts - 1)))))
WHERE id = %(notice)s

-- name: parcel_units
-- Units of order lines that left with each parcel of an order, in the order in which they left; a unit of a bundle has
-- left with the parcel that completed it.
WITH parts AS (
    SELECT line.id AS line_id, coalesce(promise.variant_id, line.variant_id) AS variant_id,
           coalesce(max(promise.per_unit), 1) AS per_unit
    FROM order_lines line LEFT JOIN order_promises promise ON promise.order_line_id = line.id
    WHERE line.order_id = %(order)s AND line.kind = 'goods' GROUP BY 1, 2
), parcels AS (
    SELECT id, row_number() OVER (ORDER BY shipped_at, id) AS number FROM fulfilments
    WHERE order_id = %(order)s AND state IN ('shipped', 'delivered')
), counted AS (
    SELECT parcels.number, parcels.id, parts.line_id, parts.per_unit, sum(coalesce(packed.quantity, 0)) OVER (
        PARTITION BY parts.line_id, parts.variant_id ORDER BY parcels.number) AS units
    FROM parcels CROSS JOIN parts LEFT JOIN fulfilment_lines packed ON packed.fulfilment_id = parcels.id
         AND packed.order_line_id = parts.line_id AND packed.variant_id = parts.variant_id
), whole AS (
    SELECT number, id, line_id, min(units / per_unit)::int AS units FROM counted GROUP BY 1, 2, 3
), left_with AS (
    SELECT id, line_id, units - lag(units, 1, 0) OVER (PARTITION BY line_id ORDER BY number) AS units FROM whole
)
SELECT line.id, line.external_id, left_with.units FROM left_with JOIN order_lines line ON line.id = left_with.line_id
WHERE left_with.id = %(parcel)s AND left_with.units > 0 ORDER BY line.position
