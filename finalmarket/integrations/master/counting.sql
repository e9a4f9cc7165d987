-- What a count is held against: what lies there by our books, the last count that was taken, and what moved here that the
-- count cannot know of.

-- name: stand
-- A line of the ledger is unheard when the account was not told of it before it was asked, and also when it happened
-- after the moment up to which the count knows. It is unclear when it is on its way at this moment, or when it happened so
-- shortly after that moment that the two clocks may be at odds.
WITH wanted AS (
    SELECT * FROM unnest(%(variants)s::bigint[], %(counted)s::timestamptz[]) AS given(variant_id, counted_at)
), moved AS MATERIALIZED (
    SELECT wanted.variant_id, line.id, line.on_hand_delta AS units, line.at, wanted.counted_at,
           CASE WHEN parcel.hears THEN parcel.sent_at
                WHEN %(hears_movements)s THEN CASE WHEN told.state = 'sent' THEN told.sent_at END
                ELSE '-infinity'::timestamptz END AS told_at,
           coalesce(told.state IN ('due', 'doubtful') AND told.attempts > 0, false) OR coalesce(parcel.is_under_way, false) AS is_under_way
    FROM wanted
    JOIN stock_movement line ON line.variant_id = wanted.variant_id AND line.location_id = %(location)s
         AND line.on_hand_delta <> 0 AND line.at >= %(since)s AND line.reference <> %(ours)s
    LEFT JOIN due_events told ON told.integration_id = %(integration)s AND told.kind = 'movement'
         AND told.local_id = line.id
    LEFT JOIN LATERAL (
        -- Goods of an order whose parcels the account is told: when the last parcel of it was.
        SELECT true AS hears, bool_or(notice.state IN ('due', 'doubtful') AND notice.attempts > 0) AS is_under_way,
               CASE WHEN bool_and(coalesce(notice.state = 'sent', false)) THEN max(notice.sent_at) END AS sent_at
        FROM fulfilments sent LEFT JOIN due_notices notice ON notice.integration_id = %(integration)s
             AND notice.kind = 'fulfilment' AND notice.local_id = sent.id
        WHERE %(hears_parcels)s AND line.kind IN ('fulfil', 'sale') AND line.reference ~ '^order:[0-9]+$'
          AND sent.order_id = CASE WHEN line.reference ~ '^order:[0-9]+$' THEN substring(line.reference FROM 7)::bigint END
          AND sent.state IN ('shipped', 'delivered')
          AND EXISTS (SELECT FROM due_records kept WHERE kept.integration_id = %(integration)s
                      AND kept.what = 'order' AND kept.local_id = sent.order_id)
        HAVING count(*) > 0) parcel ON true
), judged AS (
    SELECT variant_id, units,
           is_under_way
           OR told_at IS NOT NULL AND at > counted_at AND at <= counted_at + %(slack)s::interval
              AND %(asked)s::timestamptz - counted_at < %(patience)s::interval AS is_unclear,
           told_at IS NULL OR told_at > %(asked)s::timestamptz
           OR coalesce(at > counted_at, at > %(asked)s::timestamptz) AS is_unheard
    FROM moved
)
SELECT wanted.variant_id, coalesce(item.on_hand, 0), known.quantity, known.counted_at,
       coalesce((SELECT sum(units) FROM judged WHERE judged.variant_id = wanted.variant_id AND is_unheard), 0),
       coalesce((SELECT bool_or(is_unclear) FROM judged WHERE judged.variant_id = wanted.variant_id), false)
FROM wanted
LEFT JOIN stock_item item ON item.variant_id = wanted.variant_id AND item.location_id = %(location)s
LEFT JOIN master_counts known ON known.integration_id = %(integration)s AND known.variant_id = wanted.variant_id
     AND known.location_id = %(location)s

-- name: remember
INSERT INTO master_counts (integration_id, variant_id, location_id, quantity, counted_at, taken_at)
SELECT %(integration)s, count.variant_id, %(location)s, count.quantity, count.counted_at, clock_timestamp()
FROM unnest(%(variants)s::bigint[], %(quantities)s::int[], %(counted)s::timestamptz[])
    AS count(variant_id, quantity, counted_at)
ON CONFLICT (integration_id, variant_id, location_id) DO UPDATE
SET quantity = excluded.quantity, counted_at = excluded.counted_at, taken_at = excluded.taken_at

-- name: moment
SELECT coalesce(%(now)s::timestamptz, clock_timestamp())
