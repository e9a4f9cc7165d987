-- What goes out, by state and set by set. The clock is the database's unless a test steers it.
--
-- A due row is open for claiming when nobody works on it and its time has come: `claimed_until` is the end of a claim,
-- or of a pause after a telling. Whoever holds the lane may also take up what its predecessor left: a claim without a
-- word (`last_error`) of how it ended was left by a worker that was killed.

-- name: drop_untold
-- What this platform cannot be told is settled untold.
UPDATE due_changes SET settled_version = version, claimed_version = version, last_error = ''
WHERE integration_id = %(integration)s AND version > settled_version AND NOT what = ANY (%(told)s::text[])
RETURNING listing_id

-- name: claim
-- SKIP LOCKED: a row whose change is not committed yet is passed over, so the number that is read afterwards has seen
-- every change that the claimed version counts.
WITH clock AS MATERIALIZED (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at),
found AS MATERIALIZED (
    SELECT due.id, due.claimed_version > due.settled_version AS was_claimed
    FROM due_changes due
    -- One look for each row, by its key: planned while the tables were small, a join would read all links for every row.
    CROSS JOIN LATERAL (SELECT ids FROM listing_links WHERE listing_id = due.listing_id OFFSET 0) link
    WHERE due.integration_id = %(integration)s AND due.what = %(what)s AND due.version > due.settled_version
      AND (due.claimed_until IS NULL OR due.claimed_until <= (SELECT at FROM clock)
           OR (due.claimed_version > due.settled_version AND due.last_error = ''))
      AND (%(what)s = 'content' OR link.ids <> '{}')  -- what is not there yet has neither stock nor price
    ORDER BY due.due_since, due.id LIMIT %(limit)s FOR UPDATE OF due SKIP LOCKED
)
UPDATE due_changes due SET claimed_version = due.version, last_error = '',
    claimed_until = clock.at + make_interval(secs => %(seconds)s)
FROM found, clock WHERE due.id = found.id
RETURNING due.listing_id, due.version, found.was_claimed, due.due_since, due.attempts

-- name: renew
-- Just before sending: whether these claims are still ours, and if so for how much longer.
UPDATE due_changes due SET claimed_until =
    coalesce(%(now)s::timestamptz, clock_timestamp()) + make_interval(secs => %(seconds)s)
FROM unnest(%(listings)s::bigint[], %(versions)s::bigint[]) AS mine(listing_id, version)
WHERE due.listing_id = mine.listing_id AND due.what = %(what)s AND due.claimed_version = mine.version
  AND due.settled_version < mine.version AND due.integration_id = %(integration)s
RETURNING due.listing_id

-- name: lock_listings
-- Before their due rows, as whoever edits a listing and then marks it does.
SELECT FROM channel_products WHERE id = ANY (%(listings)s::bigint[]) ORDER BY id FOR NO KEY UPDATE

-- name: lock
-- In the order in which every verb of stock locks them.
SELECT FROM due_changes WHERE listing_id = ANY (%(listings)s::bigint[]) AND what = %(what)s
ORDER BY listing_id FOR UPDATE

-- name: settle
-- Where somebody else took the claim over meanwhile, what we sent may have come after what they sent: told once more.
UPDATE due_changes due SET
    settled_version = greatest(due.settled_version, CASE WHEN due.claimed_version = mine.version THEN mine.version ELSE 0 END),
    version = due.version + CASE WHEN due.claimed_version = mine.version THEN 0 ELSE 1 END,
    claimed_until = CASE WHEN due.claimed_version = mine.version THEN
        coalesce(%(now)s::timestamptz, clock_timestamp()) + make_interval(secs => %(gap)s) ELSE due.claimed_until END,
    attempts = 0, last_error = mine.reason
FROM unnest(%(listings)s::bigint[], %(versions)s::bigint[], %(reasons)s::text[]) AS mine(listing_id, version, reason)
WHERE due.listing_id = mine.listing_id AND due.what = %(what)s

-- name: give_back
-- Nothing happened: the rows are due as before, after a pause that grows with every try.
UPDATE due_changes due SET claimed_version = due.settled_version, last_error = %(reason)s,
    attempts = due.attempts + %(counts)s::boolean::int,
    claimed_until = coalesce(%(now)s::timestamptz, clock_timestamp()) + make_interval(secs => greatest(
        %(wait)s, least(%(most)s, %(first)s * power(2, least(20, due.attempts)))))
FROM unnest(%(listings)s::bigint[], %(versions)s::bigint[]) AS mine(listing_id, version)
WHERE due.listing_id = mine.listing_id AND due.what = %(what)s AND due.claimed_version = mine.version

-- name: doubt
-- Something may have happened: the claim stays, so that whoever takes the row up next asks before telling.
UPDATE due_changes due SET attempts = due.attempts + 1, last_error = %(reason)s,
    claimed_until = coalesce(%(now)s::timestamptz, clock_timestamp()) + make_interval(secs => least(
        %(most)s, %(first)s * power(2, least(20, due.attempts))))
FROM unnest(%(listings)s::bigint[], %(versions)s::bigint[]) AS mine(listing_id, version)
WHERE due.listing_id = mine.listing_id AND due.what = %(what)s AND due.claimed_version = mine.version

-- name: note_links
UPDATE listing_links link SET is_doubtful = %(doubtful)s WHERE listing_id = ANY (%(listings)s::bigint[])
    AND link.is_doubtful <> %(doubtful)s

-- name: told_stock
-- Here and below: only of the link that was read, by its account and what it was called then (%(known)s). One that was
-- made another's meanwhile, or means another listing there, was told nothing of it.
UPDATE listing_links link SET told_quantity = told.quantity, told_places = told.places, told_at = clock.at,
    shown_quantity = told.quantity, shown_at = clock.at, is_doubtful = false
FROM unnest(%(listings)s::bigint[], %(known)s::text[], %(quantities)s::int[], %(places)s::jsonb[])
     AS told(listing_id, known, quantity, places),
     (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at) clock
WHERE link.listing_id = told.listing_id AND link.integration_id = %(integration)s AND link.external_key = told.known

-- name: told_prices
UPDATE listing_links link SET told_price = told.amount
FROM unnest(%(listings)s::bigint[], %(known)s::text[], %(amounts)s::numeric[]) AS told(listing_id, known, amount)
WHERE link.listing_id = told.listing_id AND link.integration_id = %(integration)s AND link.external_key = told.known

-- name: taken_keys
-- Which of these listings the platform calls by a key that is another listing's in the same account.
SELECT told.listing_id, told.key
FROM unnest(%(listings)s::bigint[], %(keys)s::text[]) AS told(listing_id, key)
JOIN listing_links mine ON mine.listing_id = told.listing_id
JOIN listing_links other ON other.integration_id = mine.integration_id AND other.external_key = told.key
     AND other.listing_id <> told.listing_id

-- name: told_refs
-- A listing that the platform did not have is known by its SKU until it is made there.
UPDATE listing_links link SET external_key = told.key, external_sku = CASE WHEN told.sku = '' THEN external_sku ELSE told.sku END,
    ids = told.ids, is_doubtful = false
FROM unnest(%(listings)s::bigint[], %(known)s::text[], %(keys)s::text[], %(skus)s::text[], %(ids)s::jsonb[])
     AS told(listing_id, known, key, sku, ids)
WHERE link.listing_id = told.listing_id AND link.integration_id = %(integration)s AND link.external_key = told.known

-- name: show_state
-- What the listing says of itself: refused (and why), waiting, or in step.
UPDATE channel_products listing SET sync_state = now.state, sync_error = now.error,
    synced_at = CASE WHEN now.state = 'synced' THEN coalesce(%(now)s::timestamptz, clock_timestamp()) ELSE listing.synced_at END
FROM (
    SELECT due.listing_id,
           CASE WHEN bool_or(due.version <= due.settled_version AND due.last_error <> '') THEN 'failed'
                WHEN bool_or(due.version > due.settled_version) THEN 'due' ELSE 'synced' END AS state,
           coalesce(max(due.last_error) FILTER (WHERE due.version <= due.settled_version), '') AS error
    FROM due_changes due WHERE due.listing_id = ANY (%(listings)s::bigint[]) GROUP BY due.listing_id
) now
WHERE listing.id = now.listing_id AND (now.state = 'synced' OR (listing.sync_state, listing.sync_error) <> (now.state, now.error))

-- name: links
SELECT link.listing_id, link.external_key, link.external_sku, link.ids, link.location, link.told_quantity,
       link.told_places, link.shown_quantity, coalesce(link.shown_at > link.told_at, link.shown_at IS NOT NULL),
       listing.variant_id, listing.sales_channel_id, channel.currency, link.shown_at
FROM listing_links link JOIN channel_products listing ON listing.id = link.listing_id
JOIN sales_channels channel ON channel.id = listing.sales_channel_id
WHERE link.listing_id = ANY (%(listings)s::bigint[])

-- name: free_at_places
-- What lies free at our locations that the platform knows, in the order in which the channel would take it.
SELECT item.variant_id, source.sales_channel_id, place.place, greatest(0, item.on_hand - item.reserved - item.allocated - item.safety)
FROM place_mappings place
JOIN stock_locations location ON location.id = place.stock_location_id AND location.is_active
JOIN stock_item item ON item.location_id = location.id AND item.variant_id = ANY (%(variants)s::bigint[])
CROSS JOIN unnest(%(channels)s::bigint[]) AS source(sales_channel_id)
LEFT JOIN channel_sources ranked ON ranked.location_id = location.id
     AND ranked.sales_channel_id = source.sales_channel_id
WHERE place.integration_id = %(integration)s
  AND (ranked.id IS NOT NULL OR NOT EXISTS (
      SELECT FROM channel_sources own WHERE own.sales_channel_id = source.sales_channel_id))
ORDER BY item.variant_id, source.sales_channel_id, coalesce(ranked.rank, location.priority), location.id

-- name: prices
SELECT listing.id, coalesce(own.amount, usual.amount), channel.currency
FROM channel_products listing JOIN sales_channels channel ON channel.id = listing.sales_channel_id
LEFT JOIN listing_prices own ON own.listing_id = listing.id AND own.currency = channel.currency
LEFT JOIN variant_prices usual ON usual.variant_id = listing.variant_id AND usual.currency = channel.currency
WHERE listing.id = ANY (%(listings)s::bigint[])

-- name: contents
SELECT listing.id, variant.sku, variant.barcode, product.brand,
       coalesce(nullif(listing.title, ''), product.title || CASE WHEN variant.title = '' THEN '' ELSE ' (' || variant.title || ')' END),
       coalesce(nullif(listing.description, ''), product.description),
       product.attributes || variant.option_values || listing.attributes,
       listing.is_available AND variant.is_active AND channel.status = 'active' AND product.status = 'active'
       AND coalesce(listing.publish_from <= statement_timestamp(), true)
       AND coalesce(listing.publish_until > statement_timestamp(), true),
       coalesce(own.amount, usual.amount), channel.currency
FROM channel_products listing JOIN variants variant ON variant.id = listing.variant_id
JOIN products product ON product.id = variant.product_id
JOIN sales_channels channel ON channel.id = listing.sales_channel_id
LEFT JOIN listing_prices own ON own.listing_id = listing.id AND own.currency = channel.currency
LEFT JOIN variant_prices usual ON usual.variant_id = listing.variant_id AND usual.currency = channel.currency
WHERE listing.id = ANY (%(listings)s::bigint[])

-- name: begin_records
INSERT INTO push_records (integration_id, listing_id, what, version, value, due_since, sent_at, outcome, reason)
SELECT %(integration)s, listing_id, %(what)s, version, value, due_since, coalesce(%(now)s::timestamptz, clock_timestamp()), '', ''
FROM unnest(%(listings)s::bigint[], %(versions)s::bigint[], %(values)s::text[], %(due_since)s::timestamptz[])
     AS told(listing_id, version, value, due_since)
RETURNING id

-- name: end_records
UPDATE push_records record SET answered_at = coalesce(%(now)s::timestamptz, clock_timestamp()), outcome = told.outcome,
    reason = told.reason
FROM unnest(%(records)s::bigint[], %(outcomes)s::text[], %(reasons)s::text[]) AS told(id, outcome, reason)
WHERE record.id = told.id

-- name: waits
SELECT 1 FROM due_changes due CROSS JOIN LATERAL (
    SELECT ids FROM listing_links WHERE listing_id = due.listing_id OFFSET 0) link
WHERE due.integration_id = %(integration)s AND due.what = %(what)s AND due.version > due.settled_version
  AND (due.claimed_until IS NULL OR due.claimed_until <= coalesce(%(now)s::timestamptz, clock_timestamp())
       OR (due.claimed_version > due.settled_version AND due.last_error = ''))
  AND (due.what = 'content' OR link.ids <> '{}')
LIMIT 1

-- name: wake
-- Accounts with something to be told that nobody is telling, and for which no job waits: `push` for due rows, `notices`
-- for single events, `records` and `events` for accounts that keep books. A lane that is held shows in pg_locks.
WITH clock AS MATERIALIZED (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at),
held AS MATERIALIZED (
    SELECT classid::bigint AS lane, objid::bigint AS account FROM pg_locks
    WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT account.id, work.name
FROM clock, channel_integrations account
LEFT JOIN integration_health health ON health.integration_id = account.id
CROSS JOIN unnest(%(names)s::text[], %(lanes)s::bigint[]) AS work(name, lane)
WHERE account.status = 'active' AND account.push_from <= clock.at
  AND (health.breaker_open_until IS NULL OR health.breaker_open_until <= clock.at)
  AND NOT EXISTS (SELECT FROM held WHERE held.lane = work.lane AND held.account = account.id)
  AND NOT EXISTS (SELECT FROM procrastinate_jobs job
                  WHERE job.status = 'todo' AND job.queueing_lock = 'integrations.' || work.name || ':' || account.id)
  AND CASE work.name
      WHEN 'push' THEN EXISTS (
          SELECT FROM due_changes due CROSS JOIN LATERAL (
              SELECT ids FROM listing_links WHERE listing_id = due.listing_id OFFSET 0) link
          WHERE due.integration_id = account.id AND due.version > due.settled_version
            AND (due.claimed_until IS NULL OR due.claimed_until <= clock.at
                 OR (due.claimed_version > due.settled_version AND due.last_error = ''))
            AND (due.what = 'content' OR link.ids <> '{}'))
      WHEN 'records' THEN EXISTS (
          SELECT FROM due_records record WHERE record.integration_id = account.id
            AND record.version > record.settled_version AND record.what IN ('order', 'customer')
            AND record.next_try_at <= clock.at)
      WHEN 'events' THEN EXISTS (
          SELECT FROM due_events event WHERE event.integration_id = account.id
            AND event.state IN ('due', 'doubtful') AND event.next_try_at <= clock.at)
      ELSE EXISTS (
          SELECT FROM due_notices notice WHERE notice.integration_id = account.id
            AND notice.state IN ('due', 'doubtful') AND notice.next_try_at <= clock.at) END

-- name: tidy
DELETE FROM push_records WHERE id IN (
    SELECT id FROM push_records WHERE sent_at < %(before)s ORDER BY id LIMIT %(most)s)

-- name: moment
SELECT coalesce(%(now)s::timestamptz, clock_timestamp())

-- name: sweep
-- The linked listings that were looked at longest ago; those that are to be looked at anew come first.
SELECT listing_id FROM listing_links
WHERE integration_id = %(integration)s AND ids <> '{}' AND (shown_at IS NULL OR shown_at < %(begun)s)
ORDER BY shown_at NULLS FIRST, id LIMIT %(limit)s

-- name: seen
-- What the platform shows, unless it was told something since it was asked; null for what it does not know.
UPDATE listing_links link SET shown_quantity = seen.quantity, shown_at = %(asked)s
FROM unnest(%(listings)s::bigint[], %(quantities)s::int[]) AS seen(listing_id, quantity)
WHERE link.listing_id = seen.listing_id AND coalesce(link.told_at < %(asked)s, true)

-- name: looked_at
-- Whatever came of it, this sweep does not look at them again.
UPDATE listing_links SET shown_at = %(asked)s
WHERE listing_id = ANY (%(listings)s::bigint[]) AND coalesce(shown_at < %(asked)s, true)

-- name: explained
-- Listings whose number is on its way, was told while we looked, or is refused: what they show is no drift.
SELECT link.listing_id FROM listing_links link
JOIN due_changes due ON due.listing_id = link.listing_id AND due.what = 'stock'
WHERE link.listing_id = ANY (%(listings)s::bigint[])
  AND (due.version > due.settled_version OR due.last_error <> '' OR link.told_at >= %(asked)s
       OR link.integration_id <> %(integration)s)

-- name: open_and_close
-- Listings whose time to be shown began or ended within a day, and that were not told since: their stock and content.
WITH clock AS MATERIALIZED (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at),
passed AS MATERIALIZED (
    SELECT listing.id, listing.publish_from AS edge FROM channel_products listing, clock
    WHERE listing.publish_from > clock.at - interval '1 day' AND listing.publish_from <= clock.at
    UNION ALL
    SELECT listing.id, listing.publish_until FROM channel_products listing, clock
    WHERE listing.publish_until > clock.at - interval '1 day' AND listing.publish_until <= clock.at
)
SELECT DISTINCT passed.id FROM passed JOIN listing_links link ON link.listing_id = passed.id
WHERE coalesce(link.told_at < passed.edge, true)
  AND NOT EXISTS (SELECT FROM due_changes due WHERE due.listing_id = passed.id AND due.last_error <> '')
