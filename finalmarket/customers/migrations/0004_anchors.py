"""Every profile gets its anchor, the strongest of what it is known by; addresses of one mailbox become one value; what
was merged already stays merged, as a decision. `customer_persons` shows persons with the fields that survive."""

from django.db import migrations, models

MAILBOXES = """
    UPDATE customer_identities SET value = replace(split_part(split_part(value, '@', 1), '+', 1), '.', '') || '@gmail.com'
    WHERE kind = 'email' AND value ~ '^[^@+]*[^@+.][^@+]*([+][^@]*)?@(gmail|googlemail)[.]com$'
"""
DOUBLES = """
    DELETE FROM customer_identities extra USING customer_identities kept
    WHERE kept.customer_id = extra.customer_id AND kept.kind = extra.kind AND kept.value = extra.value
      AND kept.id < extra.id
"""
ANCHORS = """
    WITH strongest AS (
        SELECT DISTINCT ON (customer_id) id, customer_id, kind, value FROM customer_identities
        ORDER BY customer_id, array_position(ARRAY['email', 'phone', 'account', 'loyalty', 'payment', 'device'],
                                             kind::text), id
    ), first AS (SELECT DISTINCT ON (kind, value) id FROM strongest ORDER BY kind, value, customer_id)
    UPDATE customer_identities identity SET is_anchor = true FROM first WHERE first.id = identity.id
"""
FLAT = """
    WITH RECURSIVE chain AS (
        SELECT id, merged_into_id AS top, 1 AS depth FROM omnichannel_customers WHERE merged_into_id IS NOT NULL
        UNION ALL
        SELECT chain.id, upper.merged_into_id, chain.depth + 1
        FROM chain JOIN omnichannel_customers upper ON upper.id = chain.top
        WHERE upper.merged_into_id IS NOT NULL AND chain.depth < 1000
    ), tops AS (SELECT DISTINCT ON (id) id, top FROM chain ORDER BY id, depth DESC)
    INSERT INTO customer_merges (kind, first_id, second_id, decision, actor, reason, source, undone_by)
    SELECT DISTINCT 'join', least(id, top), greatest(id, top), gen_random_uuid(), 'system', 'merged before', 'upgrade', ''
    FROM tops WHERE id <> top
"""
MARKS = """
    INSERT INTO person_marks (customer_id)
    SELECT first_id FROM customer_merges
    UNION SELECT one.customer_id FROM customer_identities one JOIN customer_identities other
          ON other.kind = one.kind AND other.value = one.value AND other.customer_id <> one.customer_id
"""
PERSONS = """
    CREATE VIEW customer_persons AS
    SELECT person.id,
           coalesce(nullif(person.name, ''), (SELECT name FROM omnichannel_customers member
               WHERE member.merged_into_id = person.id AND name <> '' ORDER BY id LIMIT 1), '') AS name,
           coalesce(nullif(person.email, ''), (SELECT email FROM omnichannel_customers member
               WHERE member.merged_into_id = person.id AND email <> '' ORDER BY id LIMIT 1), '') AS email,
           coalesce(nullif(person.phone, ''), (SELECT phone FROM omnichannel_customers member
               WHERE member.merged_into_id = person.id AND phone <> '' ORDER BY id LIMIT 1), '') AS phone,
           coalesce(nullif(person.country, ''), (SELECT country FROM omnichannel_customers member
               WHERE member.merged_into_id = person.id AND country <> '' ORDER BY id LIMIT 1), '') AS country,
           coalesce(nullif(person.language, ''), (SELECT language FROM omnichannel_customers member
               WHERE member.merged_into_id = person.id AND language <> '' ORDER BY id LIMIT 1), '') AS language,
           (SELECT segment FROM omnichannel_customers member
               WHERE member.id = person.id OR member.merged_into_id = person.id
               ORDER BY array_position(ARRAY['vip', 'high_value', 'regular', 'new', 'prospect'], segment::text), id
               LIMIT 1) AS segment,
           least(person.first_seen_at, (SELECT min(first_seen_at) FROM omnichannel_customers member
               WHERE member.merged_into_id = person.id)) AS first_seen_at
    FROM omnichannel_customers person WHERE person.merged_into_id IS NULL
"""


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0003_one_person'),
    ]

    operations = [
        migrations.RunSQL([MAILBOXES, DOUBLES, ANCHORS, "SET CONSTRAINTS ALL IMMEDIATE"], migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='customeridentity',
            constraint=models.UniqueConstraint(fields=('customer', 'kind', 'value'), name='customer_identities_once'),
        ),
        migrations.AddConstraint(
            model_name='customeridentity',
            constraint=models.UniqueConstraint(condition=models.Q(('is_anchor', True)), fields=('kind', 'value'), name='customer_identities_one_anchor'),
        ),
        migrations.AddConstraint(
            model_name='customeridentity',
            constraint=models.UniqueConstraint(condition=models.Q(('is_anchor', True)), fields=('customer',), name='customer_identities_anchor_each'),
        ),
        migrations.RunSQL([FLAT, MARKS], migrations.RunSQL.noop),
        migrations.RunSQL(PERSONS, "DROP VIEW customer_persons"),
    ]
