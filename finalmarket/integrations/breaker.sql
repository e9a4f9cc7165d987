-- name: may_call
-- Closed (null): yes. Open: no. Over: yes for the one whose update finds it over; it has %(probe)s seconds to try.
WITH clock AS MATERIALIZED (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at),
tried AS (
    UPDATE integration_health SET breaker_open_until = clock.at + make_interval(secs => %(probe)s)
    FROM clock WHERE integration_id = %(integration)s AND breaker_open_until <= clock.at RETURNING 1
)
SELECT EXISTS (SELECT FROM tried) OR NOT EXISTS (
    SELECT FROM integration_health WHERE integration_id = %(integration)s AND breaker_open_until IS NOT NULL)

-- name: worked
-- What the platform asked to wait holds on: a call that was under way by then may well have succeeded.
UPDATE integration_health SET
    failures_in_row = 0,
    breaker_open_until = CASE WHEN asked_to_wait_until > clock.at THEN asked_to_wait_until END,
    last_good_push_at = CASE WHEN %(is_push)s THEN clock.at ELSE last_good_push_at END,
    last_good_pull_at = CASE WHEN %(is_pull)s THEN clock.at ELSE last_good_pull_at END
FROM (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at) clock WHERE integration_id = %(integration)s

-- name: failed
-- %(retry_after)s are the platform's own words, obeyed from the first time on; they count as no failure (%(counts)s),
-- and no failure of another call shortens them.
UPDATE integration_health SET
    last_failure_at = clock.at, last_failure = %(reason)s, failures_in_row = failures_in_row + %(counts)s::boolean::int,
    asked_to_wait_until = greatest(asked_to_wait_until, clock.at + make_interval(secs => %(retry_after)s::float8)),
    breaker_open_until = greatest(
        clock.at + make_interval(secs => %(retry_after)s::float8),
        CASE WHEN asked_to_wait_until > clock.at THEN asked_to_wait_until END,
        CASE WHEN NOT %(counts)s AND failures_in_row >= %(to_open)s THEN breaker_open_until END,
        CASE WHEN %(counts)s AND failures_in_row + 1 >= %(to_open)s THEN clock.at + make_interval(
            secs => %(jitter)s * least(%(most)s, %(first)s * power(2, least(20, failures_in_row + 1 - %(to_open)s))))
        END)
FROM (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at) clock WHERE integration_id = %(integration)s
