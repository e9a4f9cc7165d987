"""What a person can be known by, in the one form in which it is kept and compared.

- E-mail: checked and normalised by email-validator, then in small letters throughout (the part before the @ too: no
  provider of note tells them apart). One provider rule: at gmail.com and googlemail.com, which are one, dots do not
  count and what follows a + is left out. Everywhere else dots and tags stay: there they may be another mailbox.
- Phone: E.164; a number without +49 is dialled in the country of the contact, else of the channel.
- Account, loyalty number, payment fingerprint, device: as given, without NUL and surrounding blanks. They are unique by
  themselves only with the name of who gave them out in front: "integration:5:4711", "webshop:4711".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import phonenumbers
from email_validator import EmailNotValidError, validate_email

Identity = tuple[str, str]
"""Kind and normalised value, such as ("email", "ann@example.com")."""

STRENGTH = {"email": 0, "phone": 1, "account": 2, "loyalty": 3, "payment": 4, "device": 5}
"""The strongest valid identity of what arrives is its anchor: it lands on the profile of that one."""

MOST_VALUE_CHARACTERS = 320
GOOGLE = ("gmail.com", "googlemail.com")
# The same rule for addresses that stand in a column, folded: {0} is the column.
MAILBOX_SQL = """CASE WHEN {0} ~ '^[^@+]*[^@+.][^@+]*([+][^@]*)?@(gmail|googlemail)[.]com$'
    THEN replace(split_part(split_part({0}, '@', 1), '+', 1), '.', '') || '@gmail.com' ELSE {0} END"""
# Names of desks rather than of people; `info+tag@` counts as `info@`.
DESK_NAMES = """
    abuse accounting accounts admin administrator anfrage billing bestellung bestellungen bookings buchhaltung
    contact customerservice desk einkauf empfang enquiries facturation finance frontdesk hello help helpdesk
    hostmaster hotel info information invoice invoices it kontakt kundenservice mail mailbox marketing office order
    orders pos post postmaster purchasing rechnung rechnungen reception rezeption sales secretariat sekretariat service
    shop store support team vertrieb verwaltung webmaster welcome noreply no-reply donotreply do-not-reply
"""
DESKS = frozenset(DESK_NAMES.split())


@dataclass(frozen=True, slots=True)
class Contact:
    """What an order, an event or a form says of a person.

    `country` (ISO 3166-1) is where a number without +49 is meant to be. `account` is an id that is unique by itself,
    such as "webshop:4711"; so are `loyalty`, `payment` (the fingerprint of a card, never its number) and `device`.
    `source` says where it was seen, where that is not the same for all that are resolved together. `at` is when the
    person did what is told; None where nothing was done (a platform's list of customers).
    """

    name: str = ""
    email: str = ""
    phone: str = ""
    country: str = ""
    language: str = ""
    account: str = ""
    loyalty: str = ""
    payment: str = ""
    device: str = ""
    source: str = ""
    at: datetime | None = None


def folded_email(raw: str) -> str:
    """Return the address as it is written to and shown (normalised, in small letters), or "" if it is none."""
    try:
        return validate_email(raw.strip(), check_deliverability=False).normalized.casefold()
    except EmailNotValidError:
        return ""


def mailbox(address: str) -> str:
    """Return the identity of a folded address: itself, but for Google's, where several addresses are one mailbox.

    >>> mailbox("ann.lee+shop@googlemail.com")
    'annlee@gmail.com'
    """
    name, _, host = address.rpartition("@")
    if host not in GOOGLE:
        return address
    plain = name.partition("+")[0].replace(".", "")
    return f"{plain}@gmail.com" if plain else address


def e164(raw: str, country: str) -> str:
    """Return the number as +4930123456, or "" if it is none. `country` is assumed where the number names none."""
    try:
        number = phonenumbers.parse(raw.strip(), country or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def plain_value(raw: str) -> str:
    """Return an id as it is kept: without NUL and surrounding blanks, at most 320 characters."""
    return raw.replace("\x00", "").strip()[:MOST_VALUE_CHARACTERS] if raw else ""


def identity(kind: str, raw: str, country: str = "") -> Identity | None:
    """Return what `raw` is kept as, None if it is nothing valid of its kind."""
    if kind == "email":
        value = mailbox(folded_email(raw)) if raw else ""
    elif kind == "phone":
        value = e164(raw, country) if raw else ""
    else:
        value = plain_value(raw)
    return (kind, value) if value else None


def identities_of(contact: Contact, country: str = "") -> tuple[Identity, ...]:
    """Return what a person can be known by, strongest first; what is not valid is left out.

    `country` stands in where the contact names none.
    """
    where = contact.country or country
    found = (identity(kind, getattr(contact, kind), where) for kind in STRENGTH)
    return tuple(one for one in found if one is not None)


def looks_like_a_desk(kind: str, value: str) -> bool:
    """Say whether the value is an address such as reception@ or info@, which many people write from."""
    return kind == "email" and value.partition("@")[0].partition("+")[0] in DESKS


def account_space(value: str) -> str:
    """Return who gave an account id out: "integration:5" of "integration:5:4711"; "" where the id does not say."""
    space, separator, rest = value.partition(":")
    if space == "integration":
        number, separator, rest = rest.partition(":")
        space = f"{space}:{number}"
    return space if separator and rest else ""
