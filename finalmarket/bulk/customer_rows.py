# ruff: noqa: S608 (the SQL put together here is ours, never input)
"""Storing rows of customers: persons, identities, preferences and consents, each table in one or two statements."""

from __future__ import annotations

from finalmarket.bulk.customer_stored import consents, preferences, profiles_of
from finalmarket.bulk.stage import Stage
from finalmarket.customers.known_by import MAILBOX_SQL, STRENGTH
from finalmarket.customers.persons import settle_soon

STORED = "new.action IN ('create', 'change')"
FIELDS = ("name", "email", "phone", "country", "language", "attributes")
SOURCE = "import"
SAID_NOW = f"jsonb_build_object('at', now(), 'source', '{SOURCE}')"


def write_rows(stage: Stage) -> None:
    """Store the rows to create and to change."""
    _write_persons(stage)
    _write_identities(stage)
    if stage.has("preferences"):
        _write_preferences(stage)
    if stage.has("consents"):
        _write_consents(stage)


def _write_persons(stage: Stage) -> None:
    empty = {"attributes": "'{}'::jsonb"} | {name: "''" for name in FIELDS if name != "attributes"}
    given = {name: f"coalesce(new.{name}, {empty[name]})" for name in FIELDS if stage.has(name)}
    filled = empty | given
    stage.run(
        """UPDATE {stage} SET customer_id = nextval(pg_get_serial_sequence('omnichannel_customers', 'id'))
           WHERE action = 'create'"""
    )
    stage.run(
        f"""INSERT INTO omnichannel_customers (id, segment, updated_at, {", ".join(filled)})
            SELECT new.customer_id, 'prospect', now(), {", ".join(filled.values())}
            FROM {{stage}} new WHERE new.action = 'create' ORDER BY new.line"""
    )
    stage.run(
        f"""UPDATE omnichannel_customers person
            SET updated_at = now(){"".join(f", {field} = {value}" for field, value in given.items())}
            FROM {{stage}} new WHERE new.action = 'change' AND person.id = new.customer_id"""
    )


def _write_identities(stage: Stage) -> None:
    """Add what is new. The strongest of a new customer's becomes the anchor, unless somebody else is anchored there."""
    named = f"""SELECT new.line, new.customer_id, named.kind, named.value
                FROM {{stage}} new, LATERAL (
                    SELECT 'email', {MAILBOX_SQL.format("new.email")} UNION ALL SELECT 'phone', new.phone
                    UNION ALL SELECT 'account', unnest(new.accounts)
                    UNION ALL SELECT 'loyalty', unnest(new.loyalty_numbers)) named(kind, value)
                WHERE {STORED} AND named.value IS NOT NULL"""
    order = ", ".join(f"'{kind}'" for kind in STRENGTH)
    columns = "customer_id, kind, value, source, evidence, is_anchor"
    stage.run(
        f"""INSERT INTO customer_identities ({columns})
            SELECT customer_id, kind, value, '{SOURCE}', '{{}}', true FROM (
                SELECT DISTINCT ON (named.line) named.* FROM ({named} AND new.action = 'create') named
                ORDER BY named.line, array_position(ARRAY[{order}], named.kind), named.value) anchor
            ORDER BY kind, value ON CONFLICT DO NOTHING"""
    )
    stage.run(
        f"""INSERT INTO customer_identities ({columns})
            SELECT customer_id, kind, value, '{SOURCE}', '{{}}', false FROM ({named}) named
            ORDER BY kind, value, customer_id ON CONFLICT DO NOTHING"""
    )
    stage.run(f"INSERT INTO person_marks (customer_id) SELECT new.customer_id FROM {{stage}} new WHERE {STORED}")
    settle_soon()


def _write_preferences(stage: Stage) -> None:
    """Write what a row says of each channel of which something else counts; what is new of it is said now."""
    stage.run(
        f"""INSERT INTO channel_preferences (customer_id, sales_channel_id, preferences, said, updated_at)
            SELECT new.customer_id, channel.id, said.value, fresh.words, now()
            FROM {{stage}} new CROSS JOIN LATERAL (
                SELECT {preferences(profiles_of("new.customer_id"))} AS words OFFSET 0) stored
            CROSS JOIN jsonb_each(new.preferences) said JOIN sales_channels channel ON channel.slug = said.key
            CROSS JOIN LATERAL (
                SELECT coalesce(jsonb_object_agg(word.key, {SAID_NOW}), '{{}}') AS words
                FROM jsonb_each(said.value) word
                WHERE stored.words #> ARRAY[said.key, word.key] IS DISTINCT FROM word.value) fresh
            WHERE {STORED} AND stored.words -> said.key IS DISTINCT FROM said.value ORDER BY 1, 2
            ON CONFLICT (customer_id, sales_channel_id) DO UPDATE
                SET preferences = excluded.preferences, said = channel_preferences.said || excluded.said,
                    updated_at = now()"""
    )


def _write_consents(stage: Stage) -> None:
    """Add an entry for every purpose of which something else holds on all channels, or nothing."""
    stage.run(
        f"""INSERT INTO consents (customer_id, purpose, is_granted, source, proof)
            SELECT new.customer_id, said.key, said.value::boolean, '{SOURCE}', '{{}}'
            FROM {{stage}} new CROSS JOIN LATERAL (
                SELECT {consents(profiles_of("new.customer_id"))} AS words OFFSET 0) stored
            CROSS JOIN jsonb_each(new.consents) said
            WHERE {STORED} AND stored.words -> said.key IS DISTINCT FROM said.value
            ORDER BY new.line, said.key"""
    )
