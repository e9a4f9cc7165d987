"""News of people that an account told us itself is not told back to it.

What an account knows is remembered as a digest, and what looks the same is not told again. So after its news were taken
the digest is that of the people as they stand now, unless something of ours was still to be told of them: then they
are told, news and all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db import connection

from finalmarket.connectors.records import CustomerContent
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.integrations.books import people
from finalmarket.integrations.books.finding import Books, books_of, find_people
from finalmarket.integrations.books.wares import What, digest_of
from finalmarket.integrations.models import ChannelIntegration, DueRecord
from finalmarket.kernel import clock

OURS = ("segments", "order_count", "spent", "currency", "last_order_at")
"""What no platform tells us of a person."""


@dataclass(frozen=True, slots=True)
class Listening:
    """How people stood before an account's news of them was taken; `busy` are those of whom something was due."""

    books: Books
    people: Collection[int]
    before: Mapping[int, CustomerContent]
    records: Mapping[int, DueRecord]
    busy: Collection[int]


def listen(integration: ChannelIntegration, profiles: Collection[int]) -> Listening | None:
    """To be called before news of these people is taken, in the same transaction; None where the account keeps no
    people, or there is no news."""
    books = books_of(integration)
    if books.customers is None or not profiles:
        return None
    persons, known = _persons(profiles)
    find_people(books, known)
    records = {row.local_id: row for row in _records(integration, persons)}
    busy = {pk for pk, row in records.items() if row.version > row.settled_version or row.is_doubtful}
    return Listening(books, persons, people.contents_of(integration, known), records, busy)


def hear(listening: Listening | None) -> None:
    """To be called when the news was taken: what the account told us it knows."""
    if listening is None:
        return
    books, now = listening.books, clock.now()
    after = people.contents_of(books.integration, list(listening.people))
    heard = {
        person: content
        for person, content in after.items()
        if person not in listening.busy and _is_all_theirs(listening, person, content)
    }
    DueRecord.objects.bulk_create(
        [
            DueRecord(
                integration=books.integration, what=What.CUSTOMER, local_id=person, version=1, settled_version=1,
                external_id=content.external_id, digest=_digest(books, content), told_at=now, verified_at=now,
                next_try_at=now,
            )
            for person, content in sorted(heard.items())
        ],
        update_conflicts=True, unique_fields=["integration", "what", "local_id"],
        update_fields=["digest", "external_id", "told_at", "verified_at"],
    )  # fmt: skip


def _is_all_theirs(listening: Listening, person: int, after: CustomerContent) -> bool:
    """Whether only the account's news lies between what it knew and how the person stands now."""
    before, record = listening.before.get(person), listening.records.get(person)
    if before is None:
        return True  # somebody new, whom it brought
    if any(getattr(before, name) != getattr(after, name) for name in OURS):
        return False
    return record is None or record.digest in ("", _digest(listening.books, before))


def _digest(books: Books, content: CustomerContent) -> str:
    if books.is_for_agreed and not content.accepts_email:
        content = people.withdrawn(content)
    return digest_of(content)


def _persons(profiles: Collection[int]) -> tuple[list[int], list[int]]:
    """The canonical profiles, and those among them that were there before this transaction."""
    merged = OmnichannelCustomer.objects.filter(pk__in=profiles).exclude(merged_into=None)
    canonical = dict(merged.values_list("pk", "merged_into"))
    persons = sorted({canonical.get(pk) or pk for pk in profiles})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM omnichannel_customers WHERE id = ANY (%s::bigint[]) AND created_at < now()", [persons]
        )
        return persons, [pk for (pk,) in cursor.fetchall()]


def _records(integration: ChannelIntegration, persons: Collection[int]) -> Iterable[DueRecord]:
    rows = DueRecord.objects.filter(integration=integration, what=What.CUSTOMER, local_id__in=persons)
    return rows.order_by("pk").select_for_update()
