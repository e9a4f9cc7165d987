-- The token bucket of an account. The level is what was left at refilled_at and what has trickled in since; below zero
-- are calls that were promised to callers who wait for their turn. Numbers that the platform told (is_learned) go
-- before those that the connector declares. The headroom is not kept in the bucket, but a call that costs the whole of
-- what the platform's bucket holds is paid in full.

-- name: take
INSERT INTO rate_budgets AS bucket (integration_id, bucket, tokens, capacity, per_second, refilled_at, is_learned)
VALUES (%(integration)s, %(bucket)s, %(capacity)s - least(%(cost)s::float8, %(capacity)s::float8 + %(per_second)s * %(headroom)s::float8), %(capacity)s,
        %(per_second)s, coalesce(%(now)s::timestamptz, clock_timestamp()), false)
ON CONFLICT (integration_id, bucket) DO UPDATE SET
    capacity = CASE WHEN bucket.is_learned THEN bucket.capacity ELSE excluded.capacity END,
    per_second = CASE WHEN bucket.is_learned THEN bucket.per_second ELSE excluded.per_second END,
    tokens = least(bucket.capacity, bucket.tokens + bucket.per_second
                   * greatest(0, extract(epoch FROM excluded.refilled_at - bucket.refilled_at)::float8))
             - least(%(cost)s::float8, bucket.capacity + bucket.per_second * %(headroom)s::float8),
    refilled_at = greatest(bucket.refilled_at, excluded.refilled_at)
WHERE least(bucket.capacity, bucket.tokens + bucket.per_second
            * greatest(0, extract(epoch FROM excluded.refilled_at - bucket.refilled_at)::float8))
      - least(%(cost)s::float8, bucket.capacity + bucket.per_second * %(headroom)s::float8) >= -bucket.per_second * %(patience)s::float8
RETURNING greatest(0, -tokens / per_second)

-- name: seconds_until
SELECT greatest(0, (least(%(cost)s::float8, capacity + per_second * %(headroom)s::float8) - tokens) / per_second
                   - greatest(0, extract(epoch FROM coalesce(%(now)s::timestamptz, clock_timestamp()) - refilled_at)::float8))
FROM rate_budgets WHERE integration_id = %(integration)s AND bucket = %(bucket)s

-- name: learn
-- A bucket that nothing was taken from yet is only made when its pace and its size are both told.
WITH told AS (
    UPDATE rate_budgets bucket SET
        is_learned = is_learned OR %(capacity)s::float8 IS NOT NULL OR %(per_second)s::float8 IS NOT NULL,
        capacity = coalesce(%(capacity)s::float8, capacity),
        per_second = coalesce(%(per_second)s::float8, per_second),
        tokens = least(coalesce(%(capacity)s::float8, capacity), CASE  -- those who wait for their turn keep it
            WHEN tokens < 0 THEN least(level, coalesce(%(left)s::float8, level)) ELSE coalesce(%(left)s::float8, level) END),
        refilled_at = greatest(refilled_at, moment)
    FROM (SELECT id AS same, moment, tokens + per_second
                 * greatest(0, extract(epoch FROM moment - refilled_at)::float8) AS level
          FROM rate_budgets, (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS moment) clock
          WHERE integration_id = %(integration)s AND rate_budgets.bucket = %(bucket)s FOR UPDATE OF rate_budgets) now
    WHERE bucket.id = same RETURNING bucket.id
)
INSERT INTO rate_budgets (integration_id, bucket, tokens, capacity, per_second, refilled_at, is_learned)
SELECT %(integration)s, %(bucket)s, coalesce(%(left)s::float8, %(capacity)s::float8), %(capacity)s::float8,
       %(per_second)s::float8, coalesce(%(now)s::timestamptz, clock_timestamp()), true
WHERE NOT EXISTS (SELECT FROM told) AND %(capacity)s::float8 IS NOT NULL AND %(per_second)s::float8 IS NOT NULL
ON CONFLICT DO NOTHING
