-- Persons as they are compared, and what people have said of pairs of them.

-- name: persons
-- The persons after a number, in the order of their numbers. Visitors of whom nothing but a device is known are left
-- out. Of attributes, the oldest profile that has a name gives it, as everywhere.
SELECT person.id, person.name, person.email,
       coalesce(nullif(person.phone, ''), (
           SELECT min(identity.value) FROM customer_identities identity
           WHERE identity.kind = 'phone' AND identity.customer_id = person.id), ''),
       person.country,
       ARRAY(SELECT member.attributes::text FROM omnichannel_customers member
             WHERE (member.id = person.id OR member.merged_into_id = person.id) AND member.attributes <> '{}'
             ORDER BY member.id)
FROM customer_persons person
WHERE person.id > %s AND (person.name <> '' OR person.email <> '' OR person.phone <> '')
ORDER BY person.id LIMIT %s

-- name: apart
-- Persons of whom somebody said that they are two, or that it is not enough to hold them for one.
SELECT DISTINCT least(one.person, other.person), greatest(one.person, other.person)
FROM (SELECT first_id, second_id FROM customer_merges WHERE kind = 'part' AND undone_at IS NULL
      UNION SELECT first_id, second_id FROM merge_suggestions WHERE state = 'rejected') said
CROSS JOIN LATERAL (
    SELECT coalesce(merged_into_id, id) AS person FROM omnichannel_customers WHERE id = said.first_id) one
CROSS JOIN LATERAL (
    SELECT coalesce(merged_into_id, id) AS person FROM omnichannel_customers WHERE id = said.second_id) other
WHERE one.person <> other.person

-- name: suggest
-- Pairs of two who are still persons of their own; who was decided on since is left alone, and what somebody else
-- suggests stays theirs. Returns whether each is new.
INSERT INTO merge_suggestions AS known (first_id, second_id, source, score, evidence, state, suggested_at, decided_by)
SELECT found.one, found.other, %(source)s, found.score, found.evidence, 'open', %(now)s, ''
FROM unnest(%(one)s::bigint[], %(other)s::bigint[], %(score)s::numeric[], %(evidence)s::jsonb[])
    WITH ORDINALITY found(one, other, score, evidence, place)
WHERE 2 = (SELECT count(*) FROM omnichannel_customers
           WHERE id IN (found.one, found.other) AND merged_into_id IS NULL)
ORDER BY found.place
ON CONFLICT (first_id, second_id) DO UPDATE SET score = excluded.score, evidence = excluded.evidence
WHERE known.state = 'open' AND known.source = excluded.source
RETURNING xmax = 0

-- name: withdraw
-- What was suggested by us before, is still open, and is not found any more.
DELETE FROM merge_suggestions known
WHERE known.state = 'open' AND known.source = %(source)s AND NOT EXISTS (
    SELECT FROM unnest(%(one)s::bigint[], %(other)s::bigint[]) found(one, other)
    WHERE found.one = known.first_id AND found.other = known.second_id)
