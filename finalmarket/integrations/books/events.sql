-- The drain of due events, by state. The clock is the database's unless a test steers it.

-- name: withhold_kinds
-- What this account is not told any more.
UPDATE due_events SET state = 'withheld', last_error = %(reason)s
WHERE integration_id = %(integration)s AND state IN ('due', 'doubtful') AND NOT kind = ANY (%(told)s::text[])

-- name: claim
-- In doubt from now on: a worker that is killed leaves them so, and they are told again under the same keys.
WITH clock AS MATERIALIZED (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at),
found AS MATERIALIZED (  -- once, not for each row anew: `claim` of notices.sql says why
    SELECT id, state = 'doubtful' AS was_doubtful FROM due_events
    WHERE integration_id = %(integration)s AND state IN ('due', 'doubtful') AND next_try_at <= (SELECT at FROM clock)
      AND kind = ANY (%(kinds)s::text[])
    ORDER BY next_try_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE due_events SET state = 'doubtful', attempts = due_events.attempts + 1,
    next_try_at = clock.at + make_interval(secs => %(seconds)s)
FROM found, clock WHERE due_events.id = found.id
RETURNING due_events.id, due_events.kind, due_events.local_id, due_events.key, found.was_doubtful

-- name: end
-- What became of them: sent, withheld or refused, with its reason.
UPDATE due_events event SET state = ended.state, last_error = ended.reason,
    sent_at = CASE WHEN ended.state = 'sent' THEN clock.at END
FROM (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at) clock,
     unnest(%(events)s::bigint[], %(states)s::text[], %(reasons)s::text[]) AS ended(id, state, reason)
WHERE event.id = ended.id AND event.state = 'doubtful'

-- name: put_off
-- Those of the call that failed after a pause that grows with every try; those that were not reached as if not claimed.
UPDATE due_events SET state = put.state, last_error = %(reason)s,
    attempts = due_events.attempts - CASE WHEN put.was_tried THEN 0 ELSE 1 END,
    next_try_at = coalesce(%(now)s::timestamptz, clock_timestamp()) + make_interval(secs => greatest(
        %(wait)s, CASE WHEN put.was_tried
                  THEN least(%(most)s, %(first)s * power(2, least(20, due_events.attempts - 1))) ELSE 0 END))
FROM unnest(%(events)s::bigint[], %(states)s::text[], %(tried)s::boolean[]) AS put(id, state, was_tried)
WHERE due_events.id = put.id AND due_events.state = 'doubtful'

-- name: unverified
-- Movements that were told a while ago and are to be told again: once, or more often while they were young. What is
-- older than a day was looked at, or there was nobody to look.
SELECT id, kind, local_id, key, false FROM due_events
WHERE integration_id = %(integration)s AND kind = 'movement' AND state = 'sent' AND verified_at IS NULL
  AND sent_at < %(before)s AND sent_at > %(before)s - interval '1 day'
  AND next_try_at <= coalesce(%(now)s::timestamptz, clock_timestamp())
ORDER BY sent_at LIMIT %(most)s

-- name: verify
-- A platform that said yes and did nothing may do so again: what is young is told still once more.
UPDATE due_events SET
    verified_at = CASE WHEN sent_at < %(young)s OR id = ANY (%(refused)s::bigint[])
        THEN coalesce(%(now)s::timestamptz, clock_timestamp()) END,
    next_try_at = coalesce(%(now)s::timestamptz, clock_timestamp()) + %(again_after)s,
    state = CASE WHEN id = ANY (%(refused)s::bigint[]) THEN 'refused' ELSE state END
WHERE id = ANY (%(events)s::bigint[]) AND state = 'sent'

-- name: again
-- A person wants it told once more.
UPDATE due_events SET state = 'due', attempts = 0, next_try_at = coalesce(%(now)s::timestamptz, clock_timestamp())
WHERE id = %(event)s AND integration_id = %(integration)s AND state = 'refused'

-- name: tidy
DELETE FROM due_events WHERE id IN (
    SELECT id FROM due_events WHERE found_at < %(before)s AND state IN ('sent', 'withheld')
    ORDER BY found_at LIMIT %(most)s)

-- name: movements
-- What moved, in the account's names of the places: where it lay, where a transfer goes to or came from.
SELECT event.id, moved.kind, variant.sku, moved.on_hand_delta, moved.at, moved.reason, moved.reference,
       coalesce(link.external_key, ''), coalesce(here.place, ''), coalesce(source.place, ''),
       coalesce(destination.place, ''), transfer.source_id IS NOT DISTINCT FROM moved.location_id,
       coalesce(line.discrepancy, 0), coalesce(sold.number, returned.number, ''),
       coalesce(channel.time_zone, (SELECT time_zone FROM merchant), 'UTC')
FROM unnest(%(events)s::bigint[], %(rows)s::bigint[]) AS event(id, local_id)
JOIN stock_movement moved ON moved.id = event.local_id
JOIN variants variant ON variant.id = moved.variant_id
LEFT JOIN LATERAL (
    SELECT item.external_key, 0 AS rank, item.id FROM item_links item
    WHERE item.variant_id = moved.variant_id AND item.integration_id = %(integration)s
    UNION ALL
    SELECT link.external_key, 1, link.id FROM channel_products listing
    JOIN listing_links link ON link.listing_id = listing.id
    WHERE listing.variant_id = moved.variant_id AND link.integration_id = %(integration)s AND link.ids <> '{}'
    ORDER BY rank, id LIMIT 1) link ON true
LEFT JOIN transfers transfer ON moved.kind IN ('transfer_out', 'transfer_in')
     AND transfer.id = CASE WHEN moved.reference ~ '^transfer:[0-9]+$' THEN substring(moved.reference FROM 10)::bigint END
LEFT JOIN transfer_lines line ON line.transfer_id = transfer.id AND line.variant_id = moved.variant_id
LEFT JOIN LATERAL (
    SELECT place FROM place_mappings WHERE integration_id = %(integration)s AND place <> ''
      AND stock_location_id = moved.location_id ORDER BY id LIMIT 1) here ON true
LEFT JOIN LATERAL (
    SELECT place FROM place_mappings WHERE integration_id = %(integration)s AND place <> ''
      AND stock_location_id = transfer.source_id ORDER BY id LIMIT 1) source ON true
LEFT JOIN LATERAL (
    SELECT place FROM place_mappings WHERE integration_id = %(integration)s AND place <> ''
      AND stock_location_id = transfer.destination_id ORDER BY id LIMIT 1) destination ON true
LEFT JOIN orders sold
     ON sold.id = CASE WHEN moved.reference ~ '^order:[0-9]+$' THEN substring(moved.reference FROM 7)::bigint END
LEFT JOIN returns back
     ON back.id = CASE WHEN moved.reference ~ '^return:[0-9]+$' THEN substring(moved.reference FROM 8)::bigint END
LEFT JOIN orders returned ON returned.id = back.order_id
LEFT JOIN sales_channels channel ON channel.id = coalesce(sold.sales_channel_id, returned.sales_channel_id)

-- name: interactions
SELECT event.id, seen.interaction_type, seen.occurred_at, coalesce(customer.merged_into_id, customer.id), channel.name,
       channel.currency, seen.context
FROM unnest(%(events)s::bigint[], %(rows)s::bigint[]) AS event(id, local_id)
JOIN channel_interactions seen ON seen.id = event.local_id
JOIN omnichannel_customers customer ON customer.id = seen.customer_id
JOIN sales_channels channel ON channel.id = seen.sales_channel_id

-- name: purchases
SELECT event.id, o.id, o.placed_at, coalesce(customer.merged_into_id, customer.id), channel.name, o.currency, o.number,
       o.total, o.tax, o.shipping
FROM unnest(%(events)s::bigint[], %(rows)s::bigint[]) AS event(id, local_id)
JOIN orders o ON o.id = event.local_id
JOIN sales_channels channel ON channel.id = o.sales_channel_id
LEFT JOIN omnichannel_customers customer ON customer.id = o.customer_id

-- name: refunds
SELECT event.id, o.id, refund.at, coalesce(customer.merged_into_id, customer.id), channel.name, o.currency, o.number,
       refund.amount
FROM unnest(%(events)s::bigint[], %(rows)s::bigint[]) AS event(id, local_id)
JOIN refunds refund ON refund.id = event.local_id JOIN orders o ON o.id = refund.order_id
JOIN sales_channels channel ON channel.id = o.sales_channel_id
LEFT JOIN omnichannel_customers customer ON customer.id = o.customer_id

-- name: items
SELECT line.order_id, coalesce(variant.sku, line.sku), coalesce(nullif(line.title, ''), product.title, ''),
       line.quantity, line.unit_price, coalesce(product.brand, '')
FROM order_lines line LEFT JOIN variants variant ON variant.id = line.variant_id
LEFT JOIN products product ON product.id = variant.product_id
WHERE line.order_id = ANY (%(orders)s::bigint[]) AND line.kind = 'goods' ORDER BY line.order_id, line.position

-- name: articles
-- What the catalogue knows of these SKUs, with their usual prices.
SELECT variant.sku, product.title, product.brand, price.currency, price.amount
FROM variants variant JOIN products product ON product.id = variant.product_id
LEFT JOIN variant_prices price ON price.variant_id = variant.id
WHERE variant.sku = ANY (%(skus)s::text[])
