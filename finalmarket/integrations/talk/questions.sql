-- What people have yet to be told by mail, found by looking at the records themselves: each once, by the first account
-- whose duty it was when it happened. `accounts` and `moments` say which accounts have the duty, and since when; `every`
-- are all accounts, so that what one was told no other is. A channel may forbid mails of our own.

-- name: find_confirmations
SELECT o.id, min(account.id)
FROM orders o
JOIN sales_channels channel ON channel.id = o.sales_channel_id
LEFT JOIN omnichannel_customers person ON person.id = o.customer_id
JOIN unnest(%(accounts)s::bigint[], %(moments)s::timestamptz[]) AS account(id, since) ON o.placed_at >= account.since
WHERE o.placed_at > %(since)s AND o.state <> 'cancelled'
  AND coalesce(nullif(o.email, ''), person.email, '') <> ''
  AND coalesce(channel.configuration ->> 'own_mails', 'true') <> 'false'
  AND NOT EXISTS (SELECT FROM due_notices known WHERE known.integration_id = ANY (%(every)s::bigint[])
                    AND known.kind = 'confirmation' AND known.local_id = o.id)
GROUP BY o.id ORDER BY o.id LIMIT %(most)s

-- name: find_dispatches
-- What a buyer took along left and arrived at one moment: no mail says so.
WITH touched AS MATERIALIZED (
    SELECT DISTINCT order_id FROM order_events WHERE kind = 'shipped' AND at > %(since)s
)
SELECT parcel.id, min(account.id)
FROM touched
JOIN orders o ON o.id = touched.order_id
JOIN fulfilments parcel ON parcel.order_id = o.id AND parcel.state IN ('shipped', 'delivered')
     AND parcel.shipped_at IS DISTINCT FROM parcel.delivered_at
JOIN sales_channels channel ON channel.id = o.sales_channel_id
LEFT JOIN omnichannel_customers person ON person.id = o.customer_id
JOIN unnest(%(accounts)s::bigint[], %(moments)s::timestamptz[]) AS account(id, since) ON parcel.shipped_at >= account.since
WHERE coalesce(nullif(o.email, ''), person.email, '') <> ''
  AND coalesce(channel.configuration ->> 'own_mails', 'true') <> 'false'
  AND NOT EXISTS (SELECT FROM due_notices known WHERE known.integration_id = ANY (%(every)s::bigint[])
                    AND known.kind = 'dispatch' AND known.local_id = parcel.id)
GROUP BY parcel.id ORDER BY parcel.id LIMIT %(most)s

-- name: find_back_in_stock
SELECT wish.id, min(account.id)
FROM wished_stock stock
JOIN wishlists wish ON wish.variant_id = stock.variant_id
     AND (wish.sales_channel_id IS NULL OR wish.sales_channel_id = stock.sales_channel_id)
     AND wish.added_at <= stock.back_at
JOIN sales_channels channel ON channel.id = stock.sales_channel_id
JOIN unnest(%(accounts)s::bigint[], %(moments)s::timestamptz[]) AS account(id, since) ON stock.back_at >= account.since
WHERE stock.out_since IS NULL AND stock.back_at > %(since)s
  AND coalesce(channel.configuration ->> 'own_mails', 'true') <> 'false'
  AND NOT EXISTS (SELECT FROM due_notices known WHERE known.integration_id = ANY (%(every)s::bigint[])
                    AND known.kind = 'back_in_stock' AND known.local_id = wish.id)
GROUP BY wish.id ORDER BY wish.id LIMIT %(most)s

-- name: wished
-- Pairs of variant and channel on which a wish may come true that nobody was written about yet.
SELECT pair.variant_id, pair.channel_id FROM (
    SELECT DISTINCT wish.variant_id, listing.sales_channel_id AS channel_id
    FROM wishlists wish
    JOIN channel_products listing ON listing.variant_id = wish.variant_id
         AND (wish.sales_channel_id IS NULL OR wish.sales_channel_id = listing.sales_channel_id)
    JOIN sales_channels channel ON channel.id = listing.sales_channel_id
         AND channel.status = 'active' AND NOT channel.is_paused
    WHERE NOT EXISTS (SELECT FROM due_notices known JOIN channel_integrations account ON account.id = known.integration_id
                      WHERE known.kind = 'back_in_stock' AND known.local_id = wish.id)
) pair LEFT JOIN wished_stock seen ON seen.variant_id = pair.variant_id AND seen.sales_channel_id = pair.channel_id
ORDER BY seen.looked_at NULLS FIRST, pair.variant_id, pair.channel_id LIMIT %(most)s

-- name: note_wished
INSERT INTO wished_stock AS known (variant_id, sales_channel_id, out_since, back_at, looked_at)
SELECT seen.variant_id, seen.channel_id, CASE WHEN seen.is_out THEN %(now)s::timestamptz END, NULL, %(now)s::timestamptz
FROM unnest(%(variants)s::bigint[], %(channels)s::bigint[], %(outs)s::boolean[]) AS seen(variant_id, channel_id, is_out)
ORDER BY seen.variant_id, seen.channel_id
ON CONFLICT (variant_id, sales_channel_id) DO UPDATE SET
    back_at = CASE WHEN excluded.out_since IS NULL AND known.out_since IS NOT NULL
                        AND known.looked_at >= %(begun)s::timestamptz
                   THEN excluded.looked_at ELSE known.back_at END,
    out_since = CASE WHEN excluded.out_since IS NULL THEN NULL ELSE coalesce(known.out_since, excluded.out_since) END,
    looked_at = excluded.looked_at

-- name: changed_tickets
-- Tickets that were opened at a platform about orders that something happened to since; not those that agents closed.
SELECT ticket.id FROM tickets ticket
JOIN due_notices notice ON notice.integration_id = ticket.integration_id AND notice.kind = 'ticket'
     AND notice.local_id = ticket.id AND notice.state = 'sent'
WHERE ticket.integration_id = ANY (%(accounts)s::bigint[]) AND ticket.external_id <> ''
  AND ticket.created_at > %(opened)s
  AND EXISTS (SELECT FROM order_events event WHERE event.order_id = ticket.order_id AND event.at > %(since)s)
  AND NOT EXISTS (
      SELECT FROM external_ids known JOIN cross_channel_journeys journey ON journey.id = known.local_id
      WHERE known.integration_id = ticket.integration_id AND known.kind = 'conversation'
        AND known.external_id = ticket.external_id AND journey.state <> 'open')
ORDER BY ticket.id LIMIT %(most)s
