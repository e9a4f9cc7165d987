-- Notices to operators: what is so now, against what was told.

-- name: keep
-- Opens what is new, brings up to date what is open still; `changed_at` moves when it becomes urgent.
INSERT INTO notices AS kept (kind, key, urgency, title, text, about, opened_at, changed_at)
SELECT %(kind)s, new.key, new.urgency, new.title, new.text, new.about, %(now)s, %(now)s
FROM unnest(%(key)s::text[], %(urgency)s::text[], %(title)s::text[], %(text)s::text[], %(about)s::text[])
     new(key, urgency, title, text, about)
ON CONFLICT (kind, key) WHERE closed_at IS NULL DO UPDATE
    SET urgency = excluded.urgency, title = excluded.title, text = excluded.text, about = excluded.about,
        changed_at = CASE WHEN kept.urgency <> excluded.urgency THEN excluded.changed_at ELSE kept.changed_at END
    WHERE (kept.urgency, kept.title, kept.text, kept.about)
          IS DISTINCT FROM (excluded.urgency, excluded.title, excluded.text, excluded.about)
RETURNING (xmax = 0) AS is_new

-- name: close
UPDATE notices SET closed_at = %(now)s WHERE kind = %(kind)s AND closed_at IS NULL AND NOT (key = ANY (%(key)s::text[]))

-- name: read
INSERT INTO notice_readings (notice_id, user_id, at)
SELECT notice.id, %(user)s, %(now)s FROM notices notice
WHERE notice.closed_at IS NULL AND notice.kind = ANY (%(kinds)s::text[])
  AND (%(chosen)s::bigint[] IS NULL OR notice.id = ANY (%(chosen)s::bigint[]))
ON CONFLICT (user_id, notice_id) DO NOTHING

-- name: days
-- Orders by channel and day where the channel is, of the last weeks: of the whole day, and until the present time of day.
-- `age` is the channel's first day among them, so that days before it are no days without orders.
WITH placed AS (
    SELECT o.sales_channel_id AS channel, o.placed_at AT TIME ZONE channel.time_zone AS at,
           %(now)s::timestamptz AT TIME ZONE channel.time_zone AS here
    FROM orders o JOIN sales_channels channel ON channel.id = o.sales_channel_id AND channel.status = 'active'
    WHERE o.placed_at > %(now)s::timestamptz - make_interval(days => %(days)s + 2) AND o.placed_at <= %(now)s
)
SELECT placed.channel, channel.name, here::date - at::date AS back, count(*) AS whole,
       count(*) FILTER (WHERE at::time <= here::time) AS until_now,
       max(max(here::date - at::date)) OVER (PARTITION BY placed.channel) AS age, min(here::date) AS today
FROM placed JOIN sales_channels channel ON channel.id = placed.channel
WHERE here::date - at::date <= %(days)s
GROUP BY placed.channel, channel.name, here::date - at::date
ORDER BY placed.channel, back
