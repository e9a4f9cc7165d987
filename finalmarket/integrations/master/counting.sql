-- What a count is held against: what lies there by our books, the last count that was taken, and what moved here that the
-- count cannot know of.

-- name: stand
-- A line of the ledger is unheard when the account was not told of it before it was asked, and also when it happened
-- after the moment up to which the count knows. It is unclear when it is on its way at this moment, or when it happened so
-- shortly after that moment that the two clocks may be at odds. Of what happened before the account was told movements
-- (`hears_from`), and was not told to it earlier either, it will never be told: there the moment alone counts.
--
-- A transfer from another place that the account knows is told whole when it leaves: by the account's books all of it lies
-- here from then on. So the count may be ignorant not of what arrives, but of what left, came back or was lost; and it
-- may contain what is still on the road.
WITH wanted AS (
    SELECT * FROM unnest(%(variants)s::bigint[], %(counted)s::timestamptz[]) AS given(variant_id, counted_at)
), line AS MATERIALIZED (
    SELECT wanted.variant_id, wanted.counted_at, entry.kind, entry.location_id, entry.on_hand_delta AS units, entry.at,
           entry.reference, told.state, told.sent_at,
           coalesce(told.state IN ('due', 'doubtful') AND told.attempts > 0, false) AS is_under_way
    FROM wanted
    JOIN stock_movement entry ON entry.variant_id = wanted.variant_id AND entry.at >= %(since)s
         AND (entry.location_id = %(location)s AND entry.on_hand_delta <> 0 AND entry.reference <> %(ours)s
              OR entry.kind IN ('transfer_out', 'transfer_in'))
    LEFT JOIN due_events told ON told.integration_id = %(integration)s AND told.kind = 'movement'
         AND told.local_id = entry.id
), whole AS MATERIALIZED (
    -- Goods of transfers to here that are told whole when they leave.
    SELECT goods.variant_id, 'transfer:' || transfer.id AS reference, transfer.source_id, goods.discrepancy,
           CASE WHEN transfer.state = 'in_transit' THEN goods.quantity - goods.received_quantity
                ELSE 0 END AS on_the_road
    FROM wanted JOIN transfer_lines goods ON goods.variant_id = wanted.variant_id
    JOIN transfers transfer ON transfer.id = goods.transfer_id AND transfer.destination_id = %(location)s
         AND (transfer.state = 'in_transit' OR transfer.shipped_at IS NOT NULL AND transfer.closed_at >= %(since)s)
    LEFT JOIN line leaving ON leaving.variant_id = goods.variant_id AND leaving.kind = 'transfer_out'
         AND leaving.reference = 'transfer:' || transfer.id
    WHERE coalesce(leaving.state <> 'withheld', transfer.shipped_at >= %(hears_from)s::timestamptz)
      AND (SELECT count(DISTINCT stock_location_id) = 2 FROM place_mappings place
           WHERE place.integration_id = %(integration)s AND place.place <> ''
             AND place.stock_location_id IN (transfer.source_id, transfer.destination_id))
), moved AS MATERIALIZED (
    SELECT line.variant_id, line.at, line.counted_at,
           CASE WHEN whole.reference IS NULL THEN line.units
                WHEN line.location_id = whole.source_id THEN -line.units ELSE whole.discrepancy END AS units,
           CASE WHEN parcel.hears THEN parcel.sent_at
                WHEN %(hears_from)s::timestamptz IS NULL
                     OR line.at < %(hears_from)s AND coalesce(line.state, 'withheld') = 'withheld'
                THEN '-infinity'::timestamptz
                WHEN line.state = 'sent' THEN line.sent_at END AS told_at,
           line.is_under_way OR coalesce(parcel.is_under_way, false) AS is_under_way
    FROM line
    LEFT JOIN whole ON whole.variant_id = line.variant_id AND whole.reference = line.reference
         AND line.kind IN ('transfer_out', 'transfer_in')
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
    WHERE CASE WHEN whole.reference IS NULL THEN line.location_id = %(location)s AND line.units <> 0
          ELSE line.location_id = whole.source_id OR line.units = 0 END
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
       coalesce((SELECT sum(units) FROM judged WHERE judged.variant_id = wanted.variant_id AND is_unheard), 0)
           - coalesce((SELECT sum(on_the_road) FROM whole WHERE whole.variant_id = wanted.variant_id), 0),
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
