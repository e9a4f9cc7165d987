# ruff: noqa: S608 (the SQL put together here is ours, never input)
"""What is stored of customers, as an export writes it and an import compares it: each person once, as they are shown.

What a person is called and known by is chosen from all their profiles as in customers/survivorship.py: the oldest that
has it gives it. What they prefer on a channel is their newest word there, as in customers/preferences.py.

Everything is asked for each person by itself, by the index on the customer. While a table has no statistics yet,
PostgreSQL would rather go through it by another index for every person, wherever one serves: so the kind of an identity
and the channel of a preference are named in a way that none serves, and an array stands in place of LIMIT 1.
"""

from __future__ import annotations

from finalmarket.customers.preferences import PLATFORM


def persons() -> str:
    """A query of all persons who were not erased, with a column for each of the import, and `found`."""
    profiles = profiles_of("person.id")
    return f"""SELECT true AS found, person.id AS customer, {_first("name", "''")} AS name,
                      {_first("email")} AS email, {_first("phone")} AS phone,
                      {_first("country", "''")} AS country, {_first("language", "''")} AS language,
                      {_ATTRIBUTES} AS attributes, {_known_by("account")} AS accounts,
                      {_known_by("loyalty")} AS loyalty_numbers, {preferences(profiles)} AS preferences,
                      {consents(profiles)} AS consents
               FROM omnichannel_customers person WHERE person.merged_into_id IS NULL AND person.erased_at IS NULL"""


def profiles_of(person: str) -> str:
    """The profiles of a person as an array; `person` is an expression for the one that stands for them."""
    return f"""({person} || ARRAY(
        SELECT member.id FROM omnichannel_customers member WHERE member.merged_into_id = {person}))"""


def preferences(profiles: str) -> str:
    """What counts on each channel of what these profiles prefer, as an object by channel: an explicit word before a
    platform's, the newest of them."""
    return f"""(SELECT coalesce(jsonb_object_agg(
            (SELECT channel.slug FROM sales_channels channel WHERE channel.id = there.channel_id), there.words), '{{}}')
        FROM (
            SELECT chosen.sales_channel_id + 0 AS channel_id, coalesce(jsonb_object_agg(word.key, word.value ORDER BY
                       NOT starts_with(coalesce(chosen.said #>> ARRAY[word.key, 'source'], ''), '{PLATFORM}'),
                       coalesce((chosen.said #>> ARRAY[word.key, 'at'])::timestamptz, chosen.updated_at), chosen.id DESC
                   ) FILTER (WHERE word.key IS NOT NULL), '{{}}') AS words
            FROM channel_preferences chosen LEFT JOIN LATERAL jsonb_each(chosen.preferences) word ON true
            WHERE chosen.customer_id = ANY {profiles} GROUP BY 1) there)"""


def consents(profiles: str) -> str:
    """To what these profiles said yes or no for all channels, as an object by purpose: the last word without a channel.
    A purpose of which they said something else on a channel since is not in it: of all channels that is no yes, and no
    no either. Of two words of one moment the withdrawal is the last."""
    return f"""(SELECT coalesce(jsonb_object_agg(word.purpose, word.is_granted), '{{}}') FROM (
            SELECT last.purpose, bool_and(last.is_granted) FILTER (WHERE last.sales_channel_id IS NULL) AS is_granted,
                   max(last.at) FILTER (WHERE last.sales_channel_id IS NULL) AS at,
                   max(last.at) FILTER (WHERE last.is_granted) AS yes_at,
                   max(last.at) FILTER (WHERE NOT last.is_granted) AS no_at
            FROM (SELECT DISTINCT ON (said.purpose, said.sales_channel_id) said.* FROM consents said
                  WHERE said.customer_id = ANY {profiles}
                  ORDER BY said.purpose, said.sales_channel_id, said.at DESC, said.is_granted, said.id DESC) last
            GROUP BY last.purpose) word
        WHERE CASE WHEN word.is_granted THEN word.no_at IS NULL OR word.no_at < word.at
                   WHEN NOT word.is_granted THEN word.yes_at IS NULL OR word.yes_at <= word.at END)"""


def _first(name: str, nothing: str = "NULL") -> str:
    """A field of the oldest profile that has it."""
    return f"""coalesce(nullif(person.{name}, ''), (ARRAY(
        SELECT member.{name} FROM omnichannel_customers member
        WHERE member.merged_into_id = person.id AND member.{name} <> '' ORDER BY member.id))[1], {nothing})"""


# Of a name that stands in several profiles the last one counts, which is the oldest.
_ATTRIBUTES = """(coalesce(
                      (SELECT jsonb_object_agg(one.key, one.value ORDER BY member.id DESC)
                       FROM omnichannel_customers member, jsonb_each(member.attributes) one
                       WHERE member.merged_into_id = person.id), '{}') || person.attributes)"""


def _known_by(kind: str) -> str:
    """The values of a kind that all profiles of a person are known by."""
    return f"""ARRAY(SELECT own.value FROM (
                         SELECT DISTINCT own.value::text COLLATE "C" AS value FROM customer_identities own
                         WHERE own.kind || '' = '{kind}' AND own.customer_id = ANY {profiles_of("person.id")}) own
                     ORDER BY own.value)"""
