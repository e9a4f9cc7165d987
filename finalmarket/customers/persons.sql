-- Keeping `merged_into_id` in step with evidence and decisions. All but the marks is written under one advisory lock.

-- name: said_of
SELECT blocked.kind, blocked.value, blocked.is_blocked
FROM unnest(%s::text[], %s::text[]) asked(kind, value)
JOIN blocked_identities blocked ON blocked.kind = asked.kind AND blocked.value = asked.value

-- name: shared_of
SELECT shared.kind, shared.value
FROM unnest(%s::text[], %s::text[]) asked(kind, value)
JOIN shared_identities shared ON shared.kind = asked.kind AND shared.value = asked.value

-- name: mark_carriers
INSERT INTO person_marks (customer_id)
SELECT customer_id FROM customer_identities WHERE kind = %(kind)s AND value = %(value)s

-- name: mark_carriers_by_name
-- Addresses that begin with a name and an @; a tag after the name does not count.
INSERT INTO person_marks (customer_id)
SELECT DISTINCT customer_id FROM customer_identities
WHERE kind = 'email' AND (starts_with(value, %(value)s) OR starts_with(value, left(%(value)s, -1) || '+'))

-- name: mark_kind
INSERT INTO person_marks (customer_id)
SELECT DISTINCT customer_id FROM customer_identities carrier
WHERE kind = %s AND EXISTS (
    SELECT FROM customer_identities other
    WHERE other.kind = carrier.kind AND other.value = carrier.value AND other.customer_id <> carrier.customer_id)

-- name: take_marks
DELETE FROM person_marks WHERE id IN (SELECT id FROM person_marks ORDER BY id LIMIT %s) RETURNING customer_id

-- name: crowded
-- Values of these profiles that others carry too and that are not known to be shared, with the number of their
-- carriers, counted only as far as it matters. A value without others is not returned.
SELECT own.kind, own.value, carriers.number
FROM (SELECT DISTINCT identity.kind, identity.value
      FROM unnest(%(profiles)s::bigint[]) touched(id)
      JOIN customer_identities identity ON identity.customer_id = touched.id) own
CROSS JOIN LATERAL (
    SELECT count(*) AS number FROM (
        SELECT FROM customer_identities carrier WHERE carrier.kind = own.kind AND carrier.value = own.value
        LIMIT %(most)s) few) carriers
WHERE carriers.number > 1
  AND NOT EXISTS (SELECT FROM shared_identities shared WHERE shared.kind = own.kind AND shared.value = own.value)

-- name: carriers
SELECT DISTINCT carrier.customer_id FROM unnest(%(kinds)s::text[], %(values)s::text[]) asked(kind, value)
JOIN customer_identities carrier ON carrier.kind = asked.kind AND carrier.value = asked.value

-- name: note_shared
INSERT INTO shared_identities (kind, value) SELECT * FROM unnest(%(kinds)s::text[], %(values)s::text[])
ON CONFLICT DO NOTHING

-- name: neighbours
-- One step from these profiles, as pairs: along values that are not known to be shared, along what people said is one,
-- and to those who are one person with them now.
WITH front AS MATERIALIZED (SELECT unnest(%(profiles)s::bigint[]) AS id)
SELECT front.id, other.customer_id FROM front
JOIN customer_identities own ON own.customer_id = front.id
JOIN customer_identities other
  ON other.kind = own.kind AND other.value = own.value AND other.customer_id <> own.customer_id
WHERE NOT EXISTS (SELECT FROM shared_identities shared WHERE shared.kind = own.kind AND shared.value = own.value)
UNION SELECT front.id, said.second_id FROM front JOIN customer_merges said ON said.first_id = front.id
WHERE said.undone_at IS NULL AND said.kind = 'join'
UNION SELECT front.id, said.first_id FROM front JOIN customer_merges said ON said.second_id = front.id
WHERE said.undone_at IS NULL AND said.kind = 'join'
UNION SELECT front.id, profile.merged_into_id FROM front JOIN omnichannel_customers profile ON profile.id = front.id
WHERE profile.merged_into_id IS NOT NULL
UNION SELECT front.id, member.id FROM front JOIN omnichannel_customers member ON member.merged_into_id = front.id

-- name: load
-- Profiles with their present person and their identities; one row each, also for those without any identity. Whose
-- erasure has begun is known by nothing any more, although the identities go when it is carried out.
SELECT profile.id, coalesce(profile.merged_into_id, profile.id), identity.kind, identity.value, identity.is_anchor
FROM unnest(%(profiles)s::bigint[]) wanted(id)
JOIN omnichannel_customers profile ON profile.id = wanted.id
LEFT JOIN customer_identities identity ON identity.customer_id = profile.id AND profile.erased_at IS NULL

-- name: lifted
-- Parts among these profiles that a join among them has undone: without the join they count again.
SELECT DISTINCT part.first_id, part.second_id
FROM customer_merges said JOIN customer_merges part ON part.undone_for = said.decision AND part.kind = 'part'
WHERE said.kind = 'join' AND said.undone_at IS NULL AND said.first_id = ANY (%(profiles)s::bigint[])
  AND said.second_id = ANY (%(profiles)s::bigint[])

-- name: decisions
SELECT said.kind, said.first_id, said.second_id FROM customer_merges said
WHERE said.undone_at IS NULL AND said.first_id = ANY (%(profiles)s::bigint[])
  AND said.second_id = ANY (%(profiles)s::bigint[])

-- name: move
-- In the order of ids, for others lock customers in that order too.
WITH wanted AS MATERIALIZED (
    SELECT profile.id, moved.person
    FROM unnest(%(profiles)s::bigint[], %(persons)s::bigint[]) moved(id, person)
    JOIN omnichannel_customers profile ON profile.id = moved.id
    ORDER BY profile.id FOR NO KEY UPDATE OF profile
)
UPDATE omnichannel_customers profile SET merged_into_id = nullif(wanted.person, profile.id)
FROM wanted WHERE wanted.id = profile.id

-- name: note_changes
INSERT INTO person_changes (customer_id, was, becomes, cause)
SELECT moved.id, moved.was, moved.becomes, %(cause)s
FROM unnest(%(profiles)s::bigint[], %(was)s::bigint[], %(persons)s::bigint[]) moved(id, was, becomes)
ORDER BY moved.id

-- name: members
SELECT id FROM omnichannel_customers
WHERE id = (SELECT coalesce(merged_into_id, id) FROM omnichannel_customers WHERE id = %(profile)s)
   OR merged_into_id = (SELECT coalesce(merged_into_id, id) FROM omnichannel_customers WHERE id = %(profile)s)
ORDER BY id

-- name: before_removal
-- Those who share a value with profiles that are about to go: their persons are computed anew, and the values are
-- counted again.
WITH values_lost AS MATERIALIZED (
    SELECT DISTINCT kind, value FROM customer_identities WHERE customer_id = ANY (%(profiles)s::bigint[])
), counted_again AS (
    DELETE FROM shared_identities shared USING values_lost lost
    WHERE shared.kind = lost.kind AND shared.value = lost.value
)
INSERT INTO person_marks (customer_id)
SELECT DISTINCT carrier.customer_id FROM values_lost lost
JOIN customer_identities carrier ON carrier.kind = lost.kind AND carrier.value = lost.value
WHERE carrier.customer_id <> ALL (%(profiles)s::bigint[])
UNION SELECT id FROM omnichannel_customers
WHERE merged_into_id = ANY (%(profiles)s::bigint[]) AND id <> ALL (%(profiles)s::bigint[])
UNION SELECT merged_into_id FROM omnichannel_customers
WHERE id = ANY (%(profiles)s::bigint[]) AND merged_into_id IS NOT NULL
  AND merged_into_id <> ALL (%(profiles)s::bigint[])
