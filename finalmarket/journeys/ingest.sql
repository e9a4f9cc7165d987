-- The ingest: what many events of many channels write, each by one statement.

-- name: numbers
-- So many numbers for interactions: the first and the last, and all of them where others took some in between. Whoever
-- erases a person waits for the batches that hold this lock, and they for it (ingest.hold_back).
WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(%s)),
     taken AS MATERIALIZED (SELECT nextval('interaction_ids') AS number FROM held, generate_series(1, %s))
SELECT min(number), max(number), CASE WHEN max(number) - min(number) >= count(*) THEN array_agg(number) END FROM taken

-- name: claim_at_once
COPY interaction_keys (sales_channel_id, message_digest, interaction_id, occurred_at) FROM STDIN (FORMAT BINARY)

-- name: claim_new_ones
-- Which messages are new, and the numbers of their interactions (none for what is no interaction). Numbers follow the
-- order in which it was told; rows are written in one order everywhere, so that two writers of the same messages never
-- wait in a circle.
WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(%s))
INSERT INTO interaction_keys (sales_channel_id, message_digest, interaction_id, occurred_at)
SELECT channel, digest, number, at FROM (
    SELECT told.channel, told.digest, CASE WHEN told.counts THEN nextval('interaction_ids') END AS number, told.at
    FROM held, unnest(%s::bigint[], %s::uuid[], %s::bool[], %s::timestamptz[]) AS told(channel, digest, counts, at)
) numbered
ORDER BY channel, digest
ON CONFLICT DO NOTHING
RETURNING sales_channel_id, message_digest, interaction_id

-- name: store
COPY channel_interactions (id, customer_id, sales_channel_id, interaction_type, value_score, received_at, occurred_at,
                           message_id, context) FROM STDIN (FORMAT BINARY)

-- name: count_names
-- Names that are none of the sixteen. A channel has a thousand of them at most: who tells of more cannot fill the table.
INSERT INTO event_names (sales_channel_id, name, becomes, count, first_seen_at, last_seen_at)
SELECT told.channel, told.name, '', told.number, %(now)s, %(now)s
FROM unnest(%(channels)s::bigint[], %(names)s::text[], %(numbers)s::bigint[]) AS told(channel, name, number)
WHERE EXISTS (SELECT FROM event_names known WHERE known.sales_channel_id = told.channel AND known.name = told.name)
   OR (SELECT count(*) FROM event_names known WHERE known.sales_channel_id = told.channel) < %(most)s
ORDER BY told.channel, told.name
ON CONFLICT (sales_channel_id, name) DO UPDATE
SET count = event_names.count + excluded.count, last_seen_at = excluded.last_seen_at
