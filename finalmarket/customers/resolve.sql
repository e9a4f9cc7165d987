-- Whose record is this: profiles by their anchors.

-- name: anchored
SELECT wanted.kind, wanted.value, identity.customer_id
FROM unnest(%s::text[], %s::text[]) wanted(kind, value)
JOIN customer_identities identity
  ON identity.kind = wanted.kind AND identity.value = wanted.value AND identity.is_anchor

-- name: anchor
-- Claim anchors for profiles that do not exist yet; the unique index decides between those who claim at once, in one
-- order everywhere. The foreign key is looked at when the transaction ends.
INSERT INTO customer_identities (customer_id, kind, value, source, evidence, is_anchor)
SELECT nextval(pg_get_serial_sequence('omnichannel_customers', 'id')), claimed.kind, claimed.value, claimed.source, '{}',
       true
FROM (SELECT * FROM unnest(%s::text[], %s::text[], %s::text[]) given(kind, value, source) ORDER BY kind, value) claimed
ON CONFLICT (kind, value) WHERE is_anchor DO NOTHING
RETURNING kind, value, customer_id

-- name: profiles
INSERT INTO omnichannel_customers (id, name, email, phone, country, language, segment, attributes, updated_at)
SELECT given.id, given.name, given.email, given.phone, given.country, given.language, given.segment, '{}', now()
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
    given(id, name, email, phone, country, language, segment)
ORDER BY given.id

-- name: evidence
-- Add what profiles were seen with, and mark those for whom it is new. A profile that has no anchor yet gets its first
-- identity as one only through `anchor`.
WITH fresh AS (
    INSERT INTO customer_identities (customer_id, kind, value, source, evidence, is_anchor)
    SELECT given.customer_id, given.kind, given.value, given.source, '{}', false
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) given(customer_id, kind, value, source)
    WHERE NOT EXISTS (
        SELECT FROM customer_identities known
        WHERE known.customer_id = given.customer_id AND known.kind = given.kind AND known.value = given.value)
    ORDER BY given.kind, given.value, given.customer_id
    ON CONFLICT (customer_id, kind, value) DO NOTHING
    RETURNING customer_id
)
INSERT INTO person_marks (customer_id) SELECT DISTINCT customer_id FROM fresh

-- name: mark
INSERT INTO person_marks (customer_id) SELECT unnest(%s::bigint[])
