-- name: store
INSERT INTO webhook_deliveries (integration_id, event_id, topic, url, headers, body, received_at, attempts, outcome)
VALUES (%(integration)s, %(event_id)s, %(topic)s, %(url)s, %(headers)s::jsonb, %(body)s, %(now)s, 0, '')
ON CONFLICT (integration_id, event_id) DO NOTHING

-- name: claim
-- A claim ends by itself: what a killed worker held comes back after two minutes.
UPDATE webhook_deliveries SET attempts = attempts + 1, next_try_at = %(until)s
WHERE id IN (
    SELECT id FROM webhook_deliveries
    WHERE integration_id = %(integration)s AND handled_at IS NULL
      AND (next_try_at IS NULL OR next_try_at <= %(now)s)
    ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED)
RETURNING id
