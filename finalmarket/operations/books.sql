-- What the books say at this moment, for whoever watches the house: one question, whatever there is of accounts and
-- jobs. Every part goes by an index of what is open, and counts up to %(most)s.

-- name: all
WITH accounts AS (
    SELECT id, status, push_from,
           name || CASE WHEN count(*) OVER (PARTITION BY name) > 1 OR name ~ ' #[0-9]+$' THEN ' #' || id ELSE '' END
               AS name  -- no two accounts have one: their figures would pass for those of a single account
    FROM (SELECT *, concat_ws(' ', platform_name, nullif(account_label, '')) AS name
          FROM channel_integrations) named),
waiting(lane, integration_id, changes, since) AS (
    SELECT 'push', integration_id, count(*), min(due_since) FROM due_changes
    WHERE integration_id IS NOT NULL AND version > settled_version GROUP BY 2
    UNION ALL
    SELECT 'records', integration_id, count(*), min(next_try_at) FROM due_records
    WHERE version > settled_version GROUP BY 2
    UNION ALL
    SELECT 'events', integration_id, count(*), min(found_at) FROM due_events
    WHERE state IN ('due', 'doubtful') GROUP BY 2
    UNION ALL
    SELECT 'notices', integration_id, count(*), min(found_at) FROM due_notices
    WHERE state IN ('due', 'doubtful') GROUP BY 2
    UNION ALL
    SELECT 'inbox', integration_id, count(*), min(received_at) FROM webhook_deliveries
    WHERE handled_at IS NULL GROUP BY 2),
jobs AS (
    SELECT queue_name, coalesce(scheduled_at, (
               SELECT max(at) FROM procrastinate_events e WHERE e.job_id = j.id AND e.type = 'deferred')) AS since
    FROM procrastinate_jobs j WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now() LIMIT %(most)s)
SELECT 'integration_waiting', ARRAY[accounts.name, waiting.lane], changes::float8
FROM waiting JOIN accounts ON accounts.id = waiting.integration_id
UNION ALL
SELECT 'integration_oldest', ARRAY[accounts.name, waiting.lane],
       greatest(0, extract(epoch FROM now() - waiting.since))::float8
FROM waiting JOIN accounts ON accounts.id = waiting.integration_id
UNION ALL
SELECT 'breaker_open', ARRAY[accounts.name], (coalesce(breaker_open_until, '-infinity') > now())::int::float8
FROM accounts LEFT JOIN integration_health pulse ON pulse.integration_id = accounts.id
WHERE status IN ('active', 'needs_attention')
UNION ALL
SELECT 'failures_in_row', ARRAY[accounts.name], failures_in_row::float8
FROM integration_health pulse JOIN accounts ON accounts.id = pulse.integration_id
UNION ALL
SELECT 'needs_attention', ARRAY[accounts.name], (status = 'needs_attention')::int::float8 FROM accounts
UNION ALL
SELECT 'pulled_ago', ARRAY[accounts.name, stream], extract(epoch FROM now() - pulled_at)::float8
FROM stream_cursors JOIN accounts ON accounts.id = integration_id
WHERE status = 'active' AND pulled_at IS NOT NULL AND stream NOT LIKE 'backfill%%'
UNION ALL
SELECT 'dead_letters', ARRAY[accounts.name], count(*)::float8
FROM dead_letters JOIN accounts ON accounts.id = integration_id WHERE settled_at IS NULL GROUP BY 2
UNION ALL
SELECT 'jobs_waiting', ARRAY[queue_name], count(*)::float8 FROM jobs GROUP BY 2
UNION ALL
SELECT 'jobs_oldest', ARRAY[queue_name], greatest(0, extract(epoch FROM now() - min(since)))::float8
FROM jobs GROUP BY 2
UNION ALL
SELECT 'jobs_failed', ARRAY[]::text[], count(DISTINCT job_id)::float8 FROM (
    SELECT job_id FROM procrastinate_events WHERE type = 'failed' AND at > now() - interval '1 hour' AND job_id IN (
        SELECT id FROM procrastinate_jobs WHERE status = 'failed') LIMIT %(most)s) failed
UNION ALL
SELECT 'workers', ARRAY[]::text[], count(*)::float8 FROM procrastinate_workers
WHERE last_heartbeat > now() - interval '1 minute'
UNION ALL
SELECT 'heartbeat_ago', ARRAY[]::text[], extract(epoch FROM now() - max(last_heartbeat))::float8
FROM procrastinate_workers HAVING count(*) > 0
UNION ALL
SELECT 'holds', ARRAY[]::text[], count(*)::float8 FROM (
    SELECT FROM reservation_line WHERE state = 'held' LIMIT %(most)s) held
UNION ALL
SELECT 'short', ARRAY[]::text[], count(*)::float8 FROM (
    SELECT FROM reservation_line WHERE short > 0 LIMIT %(most)s) short
UNION ALL
SELECT 'rollup_lag', ARRAY[]::text[], greatest(0, extract(epoch FROM now() - (SELECT min(noted_at) FROM (
    SELECT noted_at FROM analytics_changes ORDER BY id LIMIT %(most)s) changes)))::float8
UNION ALL
SELECT 'set_aside', ARRAY[]::text[], count(*)::float8 FROM (
    SELECT FROM events_set_aside WHERE received_at > now() - interval '1 hour' LIMIT %(most)s) events
UNION ALL
SELECT 'connections', ARRAY[coalesce(state, 'other')], count(*)::float8
FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' GROUP BY 2
UNION ALL
SELECT 'most_connections', ARRAY[]::text[], current_setting('max_connections')::float8
UNION ALL
SELECT 'database_bytes', ARRAY[]::text[], pg_database_size(current_database())::float8
ORDER BY 1, 2
