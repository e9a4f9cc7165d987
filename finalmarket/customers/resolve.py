"""Whose record is this? Every record lands on the profile of its anchor, the strongest valid thing it names.

E-mail goes before phone, phone before account, account before loyalty number, payment fingerprint and device; what is
nobody's own (an address such as reception@, a value that the operator blocked) goes last. So the profile of a record
depends on that record alone, not on what came before, and a record stays where it arrived whatever comes after. All
that it names besides is evidence on that profile; `persons.py` tells from the evidence which profiles are one person.

Set-based: a number of statements that does not grow up to 5,000 contacts; any number of processes may do it at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from finalmarket.customers import erased
from finalmarket.customers.known_by import (
    Contact,
    Identity,
    e164,
    folded_email,
    identities_of,
    identity,
    mailbox,
    plain_value,
)
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.persons import settle_soon
from finalmarket.customers.rules import blocked_among
from finalmarket.kernel.sql import Queries

__all__ = [
    "Contact", "Identity", "add_identities", "e164", "folded_email", "identities_of", "identity", "mailbox", "resolve",
    "resolve_many",
]  # fmt: skip

QUERIES = Queries(Path(__file__).with_name("resolve.sql"))
ROWS_PER_STATEMENT = 5_000
MOST_TRIES = 5
Segment = OmnichannelCustomer.Segment


def resolve(contact: Contact, *, country: str = "", source: str = "") -> OmnichannelCustomer | None:
    """Return the profile that a contact lands on, made now if nothing landed there yet; None if it names nothing valid.

    `country` is the channel's, `source` says where the identity was seen. The person of the profile is
    `profile.merged_into or profile`, once the transaction is committed.
    """
    customer_id = resolve_many([contact], country=country, source=source)[0]
    return None if customer_id is None else OmnichannelCustomer.objects.get(pk=customer_id)


@transaction.atomic
def resolve_many(contacts: Sequence[Contact], *, country: str = "", source: str = "") -> list[int | None]:
    """Return the ids of the profiles of many contacts, in their order; a constant number of statements per 5,000.

    Many processes may do this at once with the same contacts. Persons are computed after the commit. What is of
    somebody who was erased lands on the number that they left behind, with nothing of what it says.
    """
    seen = [_Seen(contact, country, source) for contact in contacts]
    if erased.is_anybody():
        _pass_over_the_erased(seen)
    starts = range(0, len(seen), ROWS_PER_STATEMENT)
    found: dict[Identity, int] = {}
    for start in starts:  # all anchors before any evidence: the same order of locks whatever the batches
        found |= _profiles_of(seen[start : start + ROWS_PER_STATEMENT])
    for start in starts:
        _add_evidence(seen[start : start + ROWS_PER_STATEMENT], found)
    return [one.erased if one.anchor is None else found[one.anchor] for one in seen]


@transaction.atomic
def add_identities(seen: Iterable[tuple[int, str, str]], *, source: str, country: str = "") -> None:
    """Add what profiles are known to be known by, as (profile, kind, value as given); what is not valid is left out.

    Persons are computed after the commit.
    """
    kept = ((profile, identity(kind, raw, country)) for profile, kind, raw in seen)
    rows = sorted({(profile, *one) for profile, one in kept if one is not None})
    _write_evidence([(*row, source[:100]) for row in rows])


class _Seen:
    """A contact with what it is known by and where it lands."""

    __slots__ = ("anchor", "contact", "country", "erased", "identities", "source")

    def __init__(self, contact: Contact, country: str, source: str) -> None:
        self.contact = contact
        self.country = contact.country or country
        self.source = (contact.source or source)[:100]
        self.identities = identities_of(contact, country)
        self.anchor: Identity | None = None
        self.erased: int | None = None

    def settle_on(self, blocked: frozenset[Identity]) -> None:
        """Choose the anchor: the strongest identity that is somebody's own, else the strongest of all."""
        own = (one for one in self.identities if one not in blocked)
        self.anchor = next(own, self.identities[0] if self.identities else None)


def _pass_over_the_erased(seen: Sequence[_Seen]) -> None:
    """Take away what contacts say that are of somebody who was erased; note who has done something since."""
    found = erased.known({one for contact in seen for one in contact.identities})
    if not found:
        return
    blocked = blocked_among({one for contact in seen for one in contact.identities})
    back: set[Identity] = set()
    for contact in seen:
        contact.settle_on(blocked)
        person = erased.whose(contact.contact, contact.identities, contact.anchor, found)
        if person is not None:
            contact.identities, contact.anchor, contact.erased = (), None, person.customer_id
        elif contact.contact.at is not None:
            back |= found.keys() & set(contact.identities)
    if back:
        erased.come_back(back)


def _profiles_of(seen: Sequence[_Seen]) -> dict[Identity, int]:
    """Return the profiles of the anchors of these contacts, made now where there are none."""
    blocked = blocked_among({one for contact in seen for one in contact.identities})
    first: dict[Identity, _Seen] = {}
    for contact in seen:
        contact.settle_on(blocked)
        if contact.anchor is not None:
            first.setdefault(contact.anchor, contact)
    found = _anchored(first)
    for _ in range(MOST_TRIES):
        missing = {anchor: contact for anchor, contact in first.items() if anchor not in found}
        if not missing:
            return found
        made = _make(missing)
        claimed_by_others = missing.keys() - made.keys()
        found |= made | (_anchored(claimed_by_others) if claimed_by_others else {})
    raise RuntimeError("profiles come and go: an anchor that somebody else claimed is not there")


def _anchored(anchors: Iterable[Identity]) -> dict[Identity, int]:
    rows = _rows("anchored", *_columns(sorted(anchors), 2))
    return {(kind, value): customer_id for kind, value, customer_id in rows}


def _make(missing: Mapping[Identity, _Seen]) -> dict[Identity, int]:
    """Make profiles for these anchors; return those that were ours to make. Others may be making the same."""
    claims = [(*anchor, contact.source) for anchor, contact in missing.items()]
    made = {(kind, value): customer_id for kind, value, customer_id in _rows("anchor", *_columns(claims, 3))}
    if made:
        rows = [(customer_id, *_words(missing[anchor])) for anchor, customer_id in made.items()]
        _run("profiles", *_columns(rows, 7))
        _run("mark", list(made.values()))
        settle_soon()
    return made


def _words(seen: _Seen) -> tuple[str, ...]:
    """What is written on a new profile: name, address, number, country, language, segment."""
    contact, known = seen.contact, dict(seen.identities)
    is_nameless = set(known) <= {"device"}
    return (
        plain_value(contact.name)[:300],
        folded_email(contact.email) if contact.email else "",
        known.get("phone", ""),
        plain_value(seen.country)[:2],
        plain_value(contact.language)[:12],
        str(Segment.PROSPECT if is_nameless else Segment.NEW),
    )


def _add_evidence(seen: Sequence[_Seen], found: Mapping[Identity, int]) -> None:
    rows: dict[tuple[int, str, str], str] = {}
    for contact in seen:
        if contact.anchor is not None:
            for one in contact.identities:
                if one != contact.anchor:
                    rows.setdefault((found[contact.anchor], *one), contact.source)
    _write_evidence([(*row, source) for row, source in rows.items()])


def _write_evidence(rows: Sequence[tuple[int, str, str, str]]) -> None:
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["evidence"], _columns(rows, 4))
        if cursor.rowcount:
            settle_soon()


def _columns(rows: Sequence[Sequence[object]], number: int) -> list[Any]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(number)]


def _rows(name: str, *columns: Any) -> list[tuple[str, str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[name], columns)
        return list(cursor.fetchall())


def _run(name: str, *columns: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[name], columns)
