"""Who is this? A plain match by e-mail address, phone number or account, safe under concurrency.

The unique constraint on (kind, value) of `CustomerIdentity` decides who was first; everybody else takes that person.
An e-mail address goes before a phone number, a phone number before an account: where they name different persons, the
first one counts and nothing is joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import phonenumbers
from django.db import connection, transaction
from email_validator import EmailNotValidError, validate_email

from finalmarket.customers.models import CustomerIdentity, OmnichannelCustomer

Identity = tuple[str, str]
"""Kind and normalised value, such as ("email", "ann@example.com")."""

STRENGTH = {"email": 0, "phone": 1, "account": 2}
MOST_VALUE_CHARACTERS = 320
ROWS_PER_STATEMENT = 5_000


@dataclass(frozen=True, slots=True)
class Contact:
    """What an order or a form says of a person. `country` (ISO 3166-1) is where a number without +49 is meant to be;
    `account` is an id that is unique by itself, such as "webshop:4711"."""

    name: str = ""
    email: str = ""
    phone: str = ""
    country: str = ""
    language: str = ""
    account: str = ""


def folded_email(raw: str) -> str:
    """Return the address in the form that identities keep (normalised, in small letters), or "" if it is none."""
    try:
        return validate_email(raw.strip(), check_deliverability=False).normalized.casefold()
    except EmailNotValidError:
        return ""


def e164(raw: str, country: str) -> str:
    """Return the number as +4930123456, or "" if it is none. `country` is assumed where the number names none."""
    try:
        number = phonenumbers.parse(raw.strip(), country or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def identities_of(contact: Contact, country: str = "") -> tuple[Identity, ...]:
    """Return what a person can be known by, strongest first; what is not valid is left out.

    `country` stands in where the contact names none.
    """
    found = (
        ("email", folded_email(contact.email) if contact.email else ""),
        ("phone", e164(contact.phone, contact.country or country) if contact.phone else ""),
        ("account", contact.account.replace("\x00", "").strip()[:MOST_VALUE_CHARACTERS]),
    )
    return tuple((kind, value) for kind, value in found if value)


def resolve(contact: Contact, *, country: str = "", source: str = "") -> OmnichannelCustomer | None:
    """Return the person of a contact, a new one if nobody is known by it, None if it names nothing valid.

    `country` is the channel's, `source` says where the identity was seen. New identities are added to the person found.
    """
    customer_id = resolve_many([contact], country=country, source=source)[0]
    return None if customer_id is None else OmnichannelCustomer.objects.get(pk=customer_id)


@transaction.atomic
def resolve_many(contacts: Sequence[Contact], *, country: str = "", source: str = "") -> list[int | None]:
    """Return the ids of the persons of many contacts, in their order; a constant number of statements per 5,000.

    Contacts that share an identity become one person. Many processes may do this at once with the same contacts.
    """
    resolved: list[int | None] = []
    for start in range(0, len(contacts), ROWS_PER_STATEMENT):
        resolved += _resolve_batch(contacts[start : start + ROWS_PER_STATEMENT], country, source)
    return resolved


def _resolve_batch(contacts: Sequence[Contact], country: str, source: str) -> list[int | None]:
    known_by = [identities_of(contact, country) for contact in contacts]
    wanted = {identity for identities in known_by for identity in identities}
    owners = _owners(wanted)
    added: dict[Identity, int] = {}
    newcomers = [
        index
        for index, identities in enumerate(known_by)
        if identities and not any(identity in owners for identity in identities)
    ]
    seats = _seats(newcomers, known_by)
    created = _create_customers([contacts[first] for first in dict.fromkeys(seats.values())], country)
    by_seat = dict(zip(dict.fromkeys(seats.values()), created, strict=True))
    for index, identities in enumerate(known_by):
        person = by_seat[seats[index]] if index in seats else _strongest(identities, owners | added)
        for identity in identities:
            if person is not None and identity not in owners:
                added.setdefault(identity, person)
    if added:
        _write_identities(added, source)
        owners = _owners(wanted)
        lost = _lost_to_others(set(created), seats, known_by, by_seat, owners)
        if lost:
            _leave_to_winners(lost)
            owners = _owners(wanted)
    return [_strongest(identities, owners) for identities in known_by]


def _seats(newcomers: Sequence[int], known_by: Sequence[tuple[Identity, ...]]) -> dict[int, int]:
    """Say for each newcomer which contact of the batch was the first to name that person."""
    first_by: dict[Identity, int] = {}
    seats: dict[int, int] = {}
    for index in newcomers:
        seat = next((first_by[identity] for identity in known_by[index] if identity in first_by), index)
        seats[index] = seat
        for identity in known_by[index]:
            first_by.setdefault(identity, seat)
    return seats


def _strongest(identities: Sequence[Identity], owners: dict[Identity, int]) -> int | None:
    return next((owners[identity] for identity in identities if identity in owners), None)


def _owners(wanted: set[Identity]) -> dict[Identity, int]:
    if not wanted:
        return {}
    kinds, values = zip(*sorted(wanted), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT identity.kind, identity.value, identity.customer_id
               FROM unnest(%s::text[], %s::text[]) wanted(kind, value)
               JOIN customer_identities identity ON identity.kind = wanted.kind AND identity.value = wanted.value""",
            [list(kinds), list(values)],
        )
        return {(kind, value): customer_id for kind, value, customer_id in cursor.fetchall()}


def _create_customers(contacts: Sequence[Contact], country: str) -> list[int]:
    people = [
        OmnichannelCustomer(
            name=contact.name.replace("\x00", "").strip()[:300],
            email=folded_email(contact.email) if contact.email else "",
            phone=e164(contact.phone, contact.country or country) if contact.phone else "",
            country=(contact.country or country)[:2],
            language=contact.language[:12],
            segment=OmnichannelCustomer.Segment.NEW,
        )
        for contact in contacts
    ]
    return [person.pk for person in OmnichannelCustomer.objects.bulk_create(people)]


def _write_identities(added: dict[Identity, int], source: str) -> None:
    """Claim identities in one order everywhere, so that two processes with the same contacts never wait in a circle."""
    CustomerIdentity.objects.bulk_create(
        [
            CustomerIdentity(kind=kind, value=value, customer_id=person, source=source[:100])
            for (kind, value), person in sorted(added.items())
        ],
        ignore_conflicts=True,
    )


def _lost_to_others(
    created: set[int],
    seats: dict[int, int],
    known_by: Sequence[tuple[Identity, ...]],
    by_seat: dict[int, int],
    owners: dict[Identity, int],
) -> dict[int, int]:
    """Return the people whom another process created first (our own row, the row that won)."""
    lost: dict[int, int] = {}
    for index, seat in seats.items():
        winner = _strongest(known_by[index], owners)
        if winner is not None and winner not in created:
            lost[by_seat[seat]] = winner
    return lost


def _leave_to_winners(lost: dict[int, int]) -> None:
    """Hand what our rows could still claim to the rows that won, and take ours back."""
    for ours, winner in lost.items():
        CustomerIdentity.objects.filter(customer_id=ours).update(customer_id=winner)
    OmnichannelCustomer.objects.filter(pk__in=lost).delete()
