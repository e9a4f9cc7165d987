"""The words by which a person is known, and the pattern that finds them in payloads that nobody owns.

A payload may hold a word as it is, or escaped: as JSON, in an address of the web, in HTML or, in bytes, by octal codes.
Only what names a person is looked for: addresses, numbers, full names, streets, ids; never a first name or a city.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

from django.db import connection

from finalmarket.customers.known_by import account_space

LEAST_CHARACTERS = 6
MOST_WORDS = 3_000
BEFORE = r"(^|[^[:alnum:]]|\\[nrtbf]|%[0-9a-f][0-9a-f])"
AFTER = r"([^[:alnum:]]|$)"
KNOWN_BY = """
SELECT kind, value FROM customer_identities WHERE customer_id = ANY (%(profiles)s)
UNION SELECT 'name', name FROM omnichannel_customers WHERE id = ANY (%(profiles)s)
UNION SELECT 'email', email FROM omnichannel_customers WHERE id = ANY (%(profiles)s)
UNION SELECT 'phone', phone FROM omnichannel_customers WHERE id = ANY (%(profiles)s)
UNION SELECT 'email', email FROM orders WHERE id = ANY (%(orders)s)
UNION SELECT 'phone', phone FROM orders WHERE id = ANY (%(orders)s)
UNION SELECT 'email', account.email FROM auth_user account JOIN omnichannel_customers profile
    ON profile.user_id = account.id WHERE profile.id = ANY (%(profiles)s) AND NOT account.is_staff
UNION SELECT 'id', external_id FROM external_ids WHERE kind = 'customer' AND local_id = ANY (%(profiles)s)
UNION SELECT 'id', external_id FROM (
    SELECT external_id FROM external_ids WHERE kind = 'order' AND local_id = ANY (%(orders)s)
    ORDER BY id DESC LIMIT 500) newest
UNION SELECT part.kind, address ->> part.key
FROM (SELECT shipping_address FROM orders WHERE id = ANY (%(orders)s)
      UNION ALL SELECT billing_address FROM orders WHERE id = ANY (%(orders)s)) given(address),
     (VALUES ('name', 'name'), ('street', 'street'), ('phone', 'phone')) part(kind, key)
UNION SELECT 'told', value FROM channel_interactions, jsonb_each_text(context) said(key, value)
    WHERE customer_id = ANY (%(profiles)s) AND said.key IN ('email', 'name', 'phone', 'conversation')
"""


def words_of(profiles: Sequence[int], orders: Sequence[int]) -> list[str]:
    """Return the words by which a person is known, the longest first."""
    with connection.cursor() as cursor:
        cursor.execute(KNOWN_BY, {"profiles": list(profiles), "orders": list(orders)})
        found = {word for kind, value in cursor.fetchall() for word in _telling(kind, value or "")}
    return sorted(found, key=lambda word: (-len(word), word))[:MOST_WORDS]


def _telling(kind: str, value: str) -> Iterable[str]:
    """The words that an identity can be found by; none where it could be anybody's."""
    text = value.strip()
    if kind in ("name", "street"):
        is_telling = len(text) >= LEAST_CHARACTERS and (" " in text or "-" in text or len(text) > 10)
        return [text] if is_telling else []
    if kind in ("account", "device", "loyalty", "payment"):
        space = account_space(text)
        bare = text.removeprefix(f"{space}:") if space else text
        return [word for word in (text, bare) if len(word) >= LEAST_CHARACTERS]
    if kind == "phone" and len(text) >= LEAST_CHARACTERS:
        return [text, *([re.sub(r"\D", "", text)] if sum(map(str.isdigit, text)) > 7 else [])]
    return [text] if len(text) >= LEAST_CHARACTERS else []


def pattern(words: Sequence[str]) -> str:
    """Return a regular expression of PostgreSQL that finds any of the words, written in any of the ways."""
    written = dict.fromkeys(form for word in words for form in _forms(word))
    return BEFORE + "(" + "|".join(re.sub(r"([^\w\s])", r"\\\1", form) for form in written) + ")" + AFTER


def _forms(word: str) -> Iterable[str]:
    said = [word, json.dumps(word)[1:-1], json.dumps(word, ensure_ascii=False)[1:-1], quote(word, safe=""),
            quote_plus(word), html.escape(word)]  # fmt: skip
    yield from said
    yield from (_as_bytes(one) for one in said)


def _as_bytes(form: str) -> str:
    """As PostgreSQL writes bytes (`escape`): a backslash twice, what is not ASCII by its octal codes."""
    codes = (f"\\{one:03o}" if one > 126 or one == 0 else "\\\\" if one == 92 else chr(one) for one in form.encode())
    return "".join(codes)


def as_text(column: str, kind: str) -> str:
    """A column as text to be searched: bytes with octal codes for all that is not ASCII."""
    return f"encode({column}, 'escape')" if kind == "bytea" else f"{column}::text"


def kinds_of_columns() -> dict[tuple[str, str], str]:
    """The type of every column of text, JSON or bytes in the database, by table and column; partitions are left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT class.relname, attribute.attname, format_type(attribute.atttypid, NULL)
               FROM pg_attribute attribute JOIN pg_class class ON class.oid = attribute.attrelid
               WHERE class.relnamespace = 'public'::regnamespace AND class.relkind IN ('r', 'p')
                 AND NOT class.relispartition AND attribute.attnum > 0 AND NOT attribute.attisdropped
                 AND (format_type(attribute.atttypid, NULL) IN ('text', 'character varying', 'character', 'jsonb',
                      'json', 'bytea', 'inet', 'text[]', 'character varying[]'))"""
        )
        rows: Any = cursor.fetchall()
        return {(table, column): kind for table, column, kind in rows}
