-- Sorting persons into segments: all of them, or a few ({whose}). {sorting} and {condition} are compiled rules
-- (segments_rules.py); what they ask for is in parameters.

-- name: mark
-- From which value on somebody is among the highest part of all buyers: equal ones are in together or not at all, and
-- there are never more of them than that part, rounded up. Nobody is among the highest with nothing.
WITH counted AS (
    SELECT {measure} AS measure, count(*) AS number FROM customer_values v GROUP BY 1
), above AS (
    SELECT measure, sum(number) OVER (ORDER BY measure DESC NULLS LAST) AS number, sum(number) OVER () AS everybody
    FROM counted
)
SELECT min(measure) FROM above WHERE measure > 0 AND number <= ceil(everybody * %(part)s::numeric)

-- name: moves
-- Who belongs to another segment than their profiles say.
CREATE TEMPORARY TABLE segment_moves ON COMMIT DROP AS
SELECT found.person, found.was, found.becomes FROM (
    SELECT p.id AS person, p.segment AS was, CASE {sorting} ELSE 'prospect' END AS becomes
    FROM omnichannel_customers p LEFT JOIN customer_values v ON v.person_id = p.id
    WHERE p.merged_into_id IS NULL AND p.erased_at IS NULL {whose}) found
WHERE found.was <> found.becomes
   OR EXISTS (SELECT FROM omnichannel_customers m WHERE m.merged_into_id = found.person AND m.segment <> found.becomes)

-- name: moved
SELECT person, was, becomes FROM segment_moves WHERE was <> becomes ORDER BY person

-- name: nobody_moves
CREATE TEMPORARY TABLE segment_moves (person bigint, was text, becomes text) ON COMMIT DROP

-- name: move
-- All profiles of a person say the same. That they changed wakes what platforms are told, and so it does for those whose
-- membership changed. All of them in one run in the order of ids, for others lock customers in that order too.
WITH concerned AS MATERIALIZED (
    SELECT id, max(becomes) AS becomes FROM (
        SELECT profile.id, moved.becomes
        FROM segment_moves moved
        JOIN omnichannel_customers profile ON profile.id = moved.person OR profile.merged_into_id = moved.person
        WHERE profile.segment <> moved.becomes
        UNION ALL
        SELECT touched.id, NULL FROM unnest(%(touched)s::bigint[]) touched(id)) one
    GROUP BY id
), wanted AS MATERIALIZED (
    SELECT profile.id, concerned.becomes FROM concerned JOIN omnichannel_customers profile ON profile.id = concerned.id
    ORDER BY profile.id FOR NO KEY UPDATE OF profile
)
UPDATE omnichannel_customers profile SET segment = coalesce(wanted.becomes, profile.segment), updated_at = %(now)s
FROM wanted WHERE wanted.id = profile.id

-- name: note_all
INSERT INTO segment_changes (person_id, was, becomes, cause, reason, at)
SELECT person, was, becomes, %(cause)s, %(reason)s, %(now)s FROM segment_moves WHERE was <> becomes ORDER BY person

-- name: wanted
-- Who fulfils a rule. Who moves between the built-in segments (`moved`) is not written yet.
CREATE TEMPORARY TABLE segment_wanted ON COMMIT DROP AS
SELECT p.id AS person
FROM omnichannel_customers p LEFT JOIN customer_values v ON v.person_id = p.id
LEFT JOIN segment_moves moved ON moved.person = p.id
WHERE p.merged_into_id IS NULL AND p.erased_at IS NULL AND {condition} {whose}

-- name: join
INSERT INTO segment_members (segment_id, person_id, since)
SELECT %(segment)s, wanted.person, %(now)s FROM segment_wanted wanted ORDER BY wanted.person
ON CONFLICT (segment_id, person_id) DO NOTHING RETURNING person_id

-- name: leave
DELETE FROM segment_members member
WHERE member.segment_id = %(segment)s {whose_member}
  AND NOT EXISTS (SELECT FROM segment_wanted wanted WHERE wanted.person = member.person_id)
RETURNING member.person_id

-- name: note
INSERT INTO segment_changes (person_id, was, becomes, cause, reason, at)
SELECT moved.person, moved.was, moved.becomes, %(cause)s, moved.reason, %(now)s
FROM unnest(%(persons)s::bigint[], %(was)s::text[], %(becomes)s::text[], %(reasons)s::text[])
    moved(person, was, becomes, reason)

-- name: count
SELECT count(*) FROM omnichannel_customers p LEFT JOIN customer_values v ON v.person_id = p.id
WHERE p.merged_into_id IS NULL AND p.erased_at IS NULL AND {condition}

-- name: explain
SELECT p.id, {columns} FROM omnichannel_customers p LEFT JOIN customer_values v ON v.person_id = p.id
WHERE p.id = ANY (%(persons)s::bigint[]) AND p.merged_into_id IS NULL

-- name: in_figures
-- Each built-in segment: persons, buyers among them, what they brought and are expected to bring.
SELECT p.segment, count(*), count(v.person_id), coalesce(sum(v.value), 0), coalesce(sum(v.expected_value), 0),
       coalesce(sum(v.lifetime_value), 0)
FROM omnichannel_customers p LEFT JOIN customer_values v ON v.person_id = p.id
WHERE p.merged_into_id IS NULL AND p.erased_at IS NULL
GROUP BY p.segment

-- name: members_in_figures
SELECT segment.id, count(member.id), coalesce(sum(v.value), 0), coalesce(sum(v.expected_value), 0),
       coalesce(sum(v.lifetime_value), 0)
FROM segments segment JOIN segment_members member ON member.segment_id = segment.id
LEFT JOIN customer_values v ON v.person_id = member.person_id
GROUP BY segment.id

-- name: moves_counted
SELECT was, becomes, count(*) FROM segment_changes
WHERE at > %(since)s AND was <> '' AND becomes <> '' AND cause <> 'first' GROUP BY was, becomes ORDER BY count(*) DESC, was, becomes

-- name: keys_of
SELECT member.person_id, segment.key FROM segment_members member JOIN segments segment ON segment.id = member.segment_id
WHERE member.person_id = ANY (%(people)s::bigint[]) ORDER BY member.person_id, segment.key
