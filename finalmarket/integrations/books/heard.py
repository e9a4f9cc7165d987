"""News of people that an account told us itself is not told back to it.

What an account knows is remembered as a digest, and what looks the same is not told again. So after its news were taken
the digest is that of the people as they stand now, unless something of ours was still to be told of them: then they
are told, news and all.

What it only repeats is no news either: a name that it says as it last heard or said it does not undo a name that was
given here meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import connection

from finalmarket.connectors.records import CustomerContent
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.integrations.books import people
from finalmarket.integrations.books.finding import Books, books_of, find_people
from finalmarket.integrations.books.wares import ECHOED, What, digest_of, echoes_of
from finalmarket.integrations.models import ChannelIntegration, DueRecord
from finalmarket.kernel import clock

NEVER = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST_TELLING = timedelta(minutes=5)
"""What is told was read so long ago at most."""
OURS = ("segments", "order_count", "spent", "currency", "last_order_at")
"""What no platform tells us of a person."""


@dataclass(frozen=True, slots=True)
class Listening:
    """How people stood before an account's news of them was taken; `busy` are those of whom something was due,
    `persons` the canonical profiles of all profiles, `said` what it called people."""

    books: Books
    persons: Mapping[int, int]
    people: Collection[int]
    before: Mapping[int, CustomerContent]
    records: Mapping[int, DueRecord]
    busy: Collection[int]
    said: dict[int, dict[str, str]] = field(default_factory=dict)

    def heard_until(self, profile: int) -> datetime | None:
        """Up to when the account has heard for sure what we know of the person; None: it has heard all there is."""
        person = self.persons[profile]
        if person not in self.busy:
            return None
        return (self.records[person].told_at or NEVER) - LONGEST_TELLING

    def news(self, profile: int, words: Mapping[str, str]) -> dict[str, str]:
        """Those of the words about a person that are not an echo of what the account was told, or told us, last."""
        person = self.persons[profile]
        record, digests = self.records.get(person), echoes_of({name: words[name] for name in ECHOED})
        known = record.echoes if record is not None else {}
        self.said[person] = {**known, **digests}
        return {name: word for name, word in words.items() if name not in digests or digests[name] != known.get(name)}


def listen(integration: ChannelIntegration, profiles: Collection[int]) -> Listening | None:
    """To be called before news of these people is taken, in the same transaction; None where the account keeps no
    people, or there is no news."""
    books = books_of(integration)
    if books.customers is None or not profiles:
        return None
    persons = _persons(profiles)
    known = _there_before(persons.values())
    find_people(books, known)
    records = {row.local_id: row for row in _records(integration, set(persons.values()))}
    busy = {pk for pk, row in records.items() if row.version > row.settled_version or row.is_doubtful}
    contents = people.contents_of(integration, known)
    return Listening(books, persons, sorted(set(persons.values())), contents, records, busy)


def hear(listening: Listening | None) -> None:
    """To be called when the news was taken: what the account told us it knows."""
    if listening is None:
        return
    _remember_echoes(listening)
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
                external_id=content.external_id, digest=_digest(books, content),
                echoes=listening.said.get(person, {}), told_at=now, verified_at=now, next_try_at=now,
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


def _remember_echoes(listening: Listening) -> None:
    """Keep what the account called people of whom it was told before, whatever else becomes of its news."""
    changed = []
    for person, row in listening.records.items():
        if listening.said.get(person, row.echoes) != row.echoes:
            row.echoes = listening.said[person]
            changed.append(row)
    DueRecord.objects.bulk_update(changed, ["echoes"])


def _persons(profiles: Collection[int]) -> dict[int, int]:
    """The canonical profiles by profile."""
    merged = OmnichannelCustomer.objects.filter(pk__in=profiles).exclude(merged_into=None)
    canonical = dict(merged.values_list("pk", "merged_into"))
    return {pk: canonical.get(pk) or pk for pk in profiles}


def _there_before(persons: Collection[int]) -> list[int]:
    """Those who were there before this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM omnichannel_customers WHERE id = ANY (%s::bigint[]) AND created_at < now()",
            [sorted(set(persons))],
        )
        return [pk for (pk,) in cursor.fetchall()]


def _records(integration: ChannelIntegration, persons: Collection[int]) -> Iterable[DueRecord]:
    rows = DueRecord.objects.filter(integration=integration, what=What.CUSTOMER, local_id__in=persons)
    return rows.order_by("pk").select_for_update()
