-- What was asked for by variant, place and day, and what lay there: the facts behind advice about stock.
-- A day is a day of the channel that sold; the ledger's days are UTC. A place is where an order was or will be sent from;
-- what was never packed counts at the channel's first source, and so does what was sent from a place that is closed by
-- now: whoever asks for it next is served from there.

-- name: sold
-- Units by variant, place and day (0 is %(first)s); `tied` are those of channels that sell from this place alone.
WITH places AS (
    SELECT channel.id AS channel_id, channel.time_zone, location.id AS location_id,
           row_number() OVER (PARTITION BY channel.id
                              ORDER BY source.rank NULLS LAST, location.priority, location.id) AS turn,
           count(*) OVER (PARTITION BY channel.id) AS sources
    FROM sales_channels channel
    JOIN stock_locations location ON location.is_active
    LEFT JOIN channel_sources source ON source.sales_channel_id = channel.id AND source.location_id = location.id
    WHERE source.id IS NOT NULL
       OR NOT EXISTS (SELECT FROM channel_sources own WHERE own.sales_channel_id = channel.id)
), home AS (
    SELECT channel_id, time_zone, location_id, sources = 1 AS is_tied FROM places WHERE turn = 1
), wanted AS MATERIALIZED (
    SELECT line.id AS line_id, home.location_id AS home_id, home.is_tied,
           (o.placed_at AT TIME ZONE home.time_zone)::date AS day,
           coalesce(part.component_id, line.variant_id) AS variant_id,
           (line.quantity - line.cancelled_quantity) * coalesce(part.quantity, 1) AS units
    FROM orders o
    JOIN home ON home.channel_id = o.sales_channel_id
    JOIN order_lines line ON line.order_id = o.id AND line.kind = 'goods' AND line.variant_id IS NOT NULL
    LEFT JOIN bundle_components part ON part.bundle_id = line.variant_id
    WHERE o.state <> 'cancelled'
      AND o.placed_at >= (%(first)s::date - 1)::timestamp AT TIME ZONE 'UTC'
      AND o.placed_at < (%(last)s::date + 2)::timestamp AT TIME ZONE 'UTC'
), packed AS MATERIALIZED (
    SELECT line.order_line_id AS line_id, line.variant_id,
           CASE WHEN place.is_active THEN place.id END AS location_id, sum(line.quantity) AS units
    FROM fulfilment_lines line
    JOIN fulfilments parcel ON parcel.id = line.fulfilment_id AND parcel.state NOT IN ('rejected', 'cancelled')
    JOIN stock_locations place ON place.id = parcel.location_id
    WHERE line.order_line_id IN (SELECT line_id FROM wanted)
    GROUP BY 1, 2, 3
), placed AS (
    SELECT wanted.variant_id, coalesce(packed.location_id, wanted.home_id) AS location_id, wanted.day, packed.units,
           CASE WHEN wanted.is_tied AND coalesce(packed.location_id, wanted.home_id) = wanted.home_id
                THEN packed.units ELSE 0 END AS tied
    FROM wanted JOIN packed ON packed.line_id = wanted.line_id AND packed.variant_id = wanted.variant_id
    UNION ALL
    SELECT variant_id, home_id, day, units, CASE WHEN is_tied THEN units ELSE 0 END
    FROM (SELECT wanted.variant_id, wanted.home_id, wanted.day, wanted.is_tied,
                 wanted.units - coalesce(sent.units, 0) AS units
          FROM wanted LEFT JOIN (SELECT line_id, variant_id, sum(units) AS units FROM packed GROUP BY 1, 2) sent
               ON sent.line_id = wanted.line_id AND sent.variant_id = wanted.variant_id) left_over
    WHERE units > 0
)
SELECT variant_id, location_id, day - %(first)s::date AS number, sum(units)::float8, sum(tied)::float8
FROM placed WHERE day BETWEEN %(first)s AND %(last)s
GROUP BY 1, 2, 3 HAVING sum(units) > 0

-- name: shelves
-- What lies where now, and since when the ledger knows the shelf. Holds past their end are free again.
SELECT item.variant_id, item.location_id, item.on_hand,
       (item.on_hand - item.reserved - item.allocated - item.safety + coalesce(ended.units, 0))::int AS free, item.safety,
       (known.at AT TIME ZONE 'UTC')::date - %(first)s::date AS known_from
FROM stock_item item
JOIN stock_locations location ON location.id = item.location_id AND location.is_active
LEFT JOIN LATERAL (
    SELECT movement.at FROM stock_movement movement
    WHERE movement.variant_id = item.variant_id AND movement.location_id = item.location_id
    ORDER BY movement.id LIMIT 1) known ON true
LEFT JOIN LATERAL (
    SELECT sum(line.quantity) AS units FROM reservation_line line
    WHERE line.variant_id = item.variant_id AND line.location_id = item.location_id AND line.state = 'held'
      AND line.expires_at <= statement_timestamp()) ended ON true
ORDER BY 1, 2

-- name: stock_changes
-- By how much what was free at a shelf changed, by day.
SELECT movement.variant_id, movement.location_id, (movement.at AT TIME ZONE 'UTC')::date - %(first)s::date AS number,
       sum(movement.on_hand_delta - movement.reserved_delta - movement.allocated_delta)::float8
FROM stock_movement movement
WHERE movement.location_id IS NOT NULL AND movement.at >= %(first)s::date::timestamp AT TIME ZONE 'UTC'
GROUP BY 1, 2, 3
HAVING sum(movement.on_hand_delta - movement.reserved_delta - movement.allocated_delta) <> 0

-- name: incoming
-- What is on its way to a place, and in how many days from now; what a draft will take away counts as less.
SELECT variant_id, location_id, units::float8, days FROM (
    SELECT receipt.variant_id, receipt.location_id, greatest(receipt.quantity - receipt.received_quantity, 0) AS units,
           greatest(ceil(extract(epoch FROM receipt.expected_at - %(now)s) / 86400), 0)::int AS days
    FROM expected_receipts receipt WHERE receipt.state = 'expected'
    UNION ALL
    SELECT line.variant_id, transfer.destination_id, greatest(line.quantity - line.received_quantity, 0), 0
    FROM transfer_lines line JOIN transfers transfer ON transfer.id = line.transfer_id
    WHERE transfer.state IN ('draft', 'in_transit')
    UNION ALL
    SELECT line.variant_id, transfer.source_id, -line.quantity, 0
    FROM transfer_lines line JOIN transfers transfer ON transfer.id = line.transfer_id WHERE transfer.state = 'draft'
) coming WHERE units <> 0

-- name: backordered
-- What is promised beyond stock, at the first source of the channel that promised it.
SELECT line.variant_id, coalesce(
           (SELECT source.location_id FROM channel_sources source
            JOIN stock_locations location ON location.id = source.location_id AND location.is_active
            WHERE source.sales_channel_id = line.sales_channel_id ORDER BY source.rank, location.id LIMIT 1),
           (SELECT id FROM stock_locations WHERE is_active ORDER BY priority, id LIMIT 1)) AS location_id,
       sum(line.quantity)::float8
FROM reservation_line line
WHERE line.is_backorder AND line.quantity > 0 AND line.state IN ('held', 'confirmed')
GROUP BY 1, 2

-- name: goods
-- What the advised variants are called, cost and sell for: the mean price of the last weeks in the currency that most was
-- sold in, else the variant's own price.
SELECT variant.id, variant.sku, product.title, variant.cost, variant.cost_currency,
       coalesce(sale.currency, price.currency, '') AS currency, coalesce(sale.price, price.amount) AS price,
       coalesce(delivery.supplier, '') AS supplier
FROM variants variant
JOIN products product ON product.id = variant.product_id
LEFT JOIN LATERAL (
    SELECT o.currency, sum(line.total) / sum(line.quantity) AS price
    FROM order_lines line JOIN orders o ON o.id = line.order_id
    WHERE line.variant_id = variant.id AND line.kind = 'goods' AND o.state <> 'cancelled' AND o.placed_at >= %(priced_since)s
    GROUP BY o.currency ORDER BY sum(line.quantity) DESC, o.currency LIMIT 1) sale ON true
LEFT JOIN LATERAL (
    SELECT own.currency, own.amount FROM variant_prices own WHERE own.variant_id = variant.id
    ORDER BY own.currency LIMIT 1) price ON true
LEFT JOIN LATERAL (
    SELECT receipt.supplier FROM expected_receipts receipt
    WHERE receipt.variant_id = variant.id AND receipt.supplier <> '' ORDER BY receipt.id DESC LIMIT 1) delivery ON true
WHERE variant.id = ANY (%(variants)s::bigint[])

-- name: fences
-- Ring fences of variants whose stock is fenced or asked for: what is left in each, and what its channel sold lately.
SELECT inventory.variant_id, inventory.sales_channel_id, channel.name, inventory.fence_quantity, inventory.fence_left,
       inventory.uses_pool, coalesce(sale.units, 0)::float8 AS sold
FROM channel_inventories inventory
JOIN sales_channels channel ON channel.id = inventory.sales_channel_id AND channel.status = 'active'
LEFT JOIN LATERAL (
    SELECT sum(line.quantity - line.cancelled_quantity) AS units
    FROM order_lines line JOIN orders o ON o.id = line.order_id
    WHERE line.variant_id = inventory.variant_id AND line.kind = 'goods' AND o.state <> 'cancelled'
      AND o.sales_channel_id = inventory.sales_channel_id AND o.placed_at >= %(priced_since)s) sale ON true
WHERE inventory.fence_left > 0 OR (inventory.fence_quantity > 0 AND NOT inventory.uses_pool)
ORDER BY 1, 2

-- name: pools
SELECT variant_id, on_hand - reserved - allocated - safety - fenced AS unfenced FROM stock_pool
WHERE variant_id = ANY (%(variants)s::bigint[])

-- name: write_forecasts
INSERT INTO demand_forecasts AS kept (variant_id, location_id, last_day, rate, slope, week_sd, growth, profile, method, mase,
    known_days, silent_days, computed_at)
SELECT new.variant_id, new.location_id, %(last)s, new.rate, new.slope, new.week_sd, new.growth, new.profile, new.method,
       nullif(new.mase, 'NaN'), new.known_days, new.silent_days, %(now)s
FROM unnest(%(variant)s::bigint[], %(location)s::bigint[], %(rate)s::float8[], %(slope)s::float8[], %(week_sd)s::float8[],
            %(growth)s::float8[], %(profile)s::jsonb[], %(method)s::text[], %(mase)s::float8[], %(known_days)s::int[],
            %(silent_days)s::int[])
     new(variant_id, location_id, rate, slope, week_sd, growth, profile, method, mase, known_days, silent_days)
ON CONFLICT (variant_id, location_id) DO UPDATE SET last_day = excluded.last_day, rate = excluded.rate,
    slope = excluded.slope, week_sd = excluded.week_sd, growth = excluded.growth, profile = excluded.profile,
    method = excluded.method, mase = excluded.mase, known_days = excluded.known_days,
    silent_days = excluded.silent_days, computed_at = excluded.computed_at

-- name: drop_old_forecasts
DELETE FROM demand_forecasts WHERE computed_at < %(now)s

-- name: open_advice
SELECT id FROM stock_advice WHERE state = 'open'

-- name: lock_advice
-- In the order of ids, as whoever decides about several does; who is just deciding is waited for.
SELECT id FROM stock_advice WHERE state = 'open' ORDER BY id FOR UPDATE

-- name: write_advice
-- New advice is added, open advice that still holds is brought up to date, what a person dismissed is left alone, and so
-- is what was accepted since the computation began: it did not know yet what is on its way by that.
WITH new AS (
    SELECT * FROM jsonb_to_recordset(%(pieces)s::jsonb) piece(kind text, variant_id bigint, location_id bigint,
        source_id bigint, sales_channel_id bigint, quantity int, worth numeric, currency text, rank float8, reason text,
        numbers jsonb)
)
INSERT INTO stock_advice AS kept (kind, variant_id, location_id, source_id, sales_channel_id, quantity, worth, currency,
    rank, reason, numbers, state, computed_at, decided_by, outcome)
SELECT new.kind, new.variant_id, new.location_id, new.source_id, new.sales_channel_id, new.quantity, new.worth,
       new.currency, new.rank, new.reason, new.numbers, 'open', %(now)s, '', ''
FROM new
WHERE NOT EXISTS (
    SELECT FROM stock_advice muted
    WHERE muted.state = 'dismissed' AND muted.muted_until > %(now)s AND muted.kind = new.kind
      AND muted.variant_id = new.variant_id AND muted.location_id IS NOT DISTINCT FROM new.location_id
      AND muted.source_id IS NOT DISTINCT FROM new.source_id
      AND muted.sales_channel_id IS NOT DISTINCT FROM new.sales_channel_id)
  AND NOT EXISTS (
    SELECT FROM stock_advice taken
    WHERE taken.id = ANY (%(were_open)s::bigint[]) AND taken.state = 'accepted' AND taken.kind = new.kind
      AND taken.variant_id = new.variant_id AND taken.location_id IS NOT DISTINCT FROM new.location_id
      AND taken.source_id IS NOT DISTINCT FROM new.source_id
      AND taken.sales_channel_id IS NOT DISTINCT FROM new.sales_channel_id)
ON CONFLICT (kind, variant_id, location_id, source_id, sales_channel_id) WHERE state = 'open' DO UPDATE
    SET quantity = excluded.quantity, worth = excluded.worth, currency = excluded.currency, rank = excluded.rank,
        reason = excluded.reason, numbers = excluded.numbers, computed_at = excluded.computed_at

-- name: close_advice
-- What was not advised again is not so any more.
UPDATE stock_advice SET state = 'gone', decided_at = %(now)s WHERE state = 'open' AND computed_at < %(now)s
