-- name: addressee
-- The account behind a door, with its secrets: all that it takes to prove a delivery.
SELECT account.id, account.platform_name, account.base_url, account.settings,
       ARRAY(SELECT name FROM credentials WHERE integration_id = account.id ORDER BY id) AS secret_names,
       ARRAY(SELECT encrypted FROM credentials WHERE integration_id = account.id ORDER BY id) AS secret_texts
FROM channel_integrations account
WHERE account.webhook_token = %(token)s AND account.webhook_token <> '' AND account.status <> ALL (%(closed)s)

-- name: store
-- Whether it is new, and whether a job that will work on it waits already.
WITH stored AS (
    INSERT INTO webhook_deliveries (integration_id, event_id, topic, url, headers, body, received_at, attempts, outcome)
    VALUES (%(integration)s, %(event_id)s, %(topic)s, %(url)s, %(headers)s::jsonb, %(body)s, %(now)s, 0, '')
    ON CONFLICT (integration_id, event_id) DO NOTHING RETURNING id
)
SELECT EXISTS (SELECT FROM stored),
       EXISTS (SELECT FROM procrastinate_jobs WHERE status = 'todo' AND queueing_lock = %(lock)s)

-- name: claim
-- A claim ends by itself: what a killed worker held comes back after two minutes.
UPDATE webhook_deliveries SET attempts = attempts + 1, next_try_at = %(until)s
WHERE id = ANY (ARRAY(  -- looked for once; IN may look anew for each row, and claim more
    SELECT id FROM webhook_deliveries
    WHERE integration_id = %(integration)s AND handled_at IS NULL
      AND (next_try_at IS NULL OR next_try_at <= %(now)s)
    ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED))
RETURNING *

-- name: settle
UPDATE webhook_deliveries row SET attempts = done.attempts, next_try_at = done.next_try_at, outcome = done.outcome,
    handled_at = done.handled_at
FROM unnest(%(ids)s::bigint[], %(attempts)s::int[], %(next_try_at)s::timestamptz[], %(outcome)s::text[],
            %(handled_at)s::timestamptz[]) AS done(id, attempts, next_try_at, outcome, handled_at)
WHERE row.id = done.id
