"""What is compared of a person: plain words, in one spelling, whatever room or file they come from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

MOST_CHARACTERS = 100
TITLES = frozenset("dr prof mr mrs ms miss mx herr frau hr fr sir dame mme mlle sr sra".split())  # noqa: SIM905
BIRTH_DATE_NAMES = ("birth_date", "birthdate", "birthday", "date_of_birth", "dob", "geburtsdatum")
"""What the birth date may be called among a customer's attributes."""

_NO_WORD = re.compile(r"[^\w@.+&-]+|_")
_NO_CODE = re.compile(r"[\W_]+")
# Year first, or day first as most of the world writes it with dots; anything else may be read two ways.
_YEAR_FIRST = re.compile(r"(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})(?:T.*)?")
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


@dataclass(frozen=True, slots=True)
class Record:
    """One person as they are compared; None where nothing is known. `person` is the profile that stands for them."""

    person: int
    first_name: str | None = None
    surname: str | None = None
    birth_date: str | None = None
    email: str | None = None
    email_name: str | None = None
    phone: str | None = None
    postcode: str | None = None
    city: str | None = None
    street: str | None = None
    country: str | None = None


COLUMNS = tuple(field.name for field in fields(Record))


def record(person: int, given: Mapping[str, Any]) -> Record:
    """Bring words into the form that is compared.

    `given` may hold `name`, or `first_name` and `surname`; `email`, `phone` (E.164), `birth_date` (a date, 1971-06-24,
    19710624 or 24.06.1971), `postcode`, `city`, `street`, `country`. What is missing or cannot be read is None.
    """
    first_name, surname = words(given.get("first_name")), words(given.get("surname"))
    if first_name is None and surname is None:
        first_name, surname = split_name(str(given.get("name") or ""))
    email = words(given.get("email"))
    return Record(
        person=person, first_name=first_name, surname=surname, birth_date=day(given.get("birth_date")), email=email,
        email_name=email.partition("@")[0].partition("+")[0] or None if email else None,
        phone=words(given.get("phone")), postcode=code(given.get("postcode")), city=words(given.get("city")),
        street=words(given.get("street")), country=words(given.get("country")),
    )  # fmt: skip


def words(raw: Any) -> str | None:
    """Small letters without accents, single blanks, no marks: `Müller-Lüdenscheidt, ` is `muller-ludenscheidt`."""
    if raw is None:
        return None
    plain = "".join(one for one in unicodedata.normalize("NFKD", str(raw)) if not unicodedata.combining(one))
    return _NO_WORD.sub(" ", plain.casefold()).strip()[:MOST_CHARACTERS].strip(" .-") or None


def code(raw: Any) -> str | None:
    """A postcode without blanks and marks."""
    plain = words(raw)
    return (_NO_CODE.sub("", plain) or None) if plain else None


def split_name(name: str) -> tuple[str | None, str | None]:
    """Return what is called first and what comes last: of `Dr. Anna Maria Schmidt` `anna maria` and `schmidt`.

    A comma says that the last comes first. One word alone is a first name.
    """
    last, comma, first = name.partition(",")
    if comma and words(first) and words(last):
        return _untitled(first), words(last)
    parts = (_untitled(name) or "").split()
    if len(parts) < 2:
        return (parts[0] if parts else None), None
    return " ".join(parts[:-1]), parts[-1]


def _untitled(name: str) -> str | None:
    parts = (words(name) or "").split()
    while parts and parts[0].rstrip(".") in TITLES:
        del parts[0]
    return " ".join(parts) or None


def day(raw: Any) -> str | None:
    """A day as 1971-06-24; None for what could be read two ways. 1971-06-31 is kept: slips tell, too."""
    if isinstance(raw, date):
        return raw.isoformat()[:10]
    text = str(raw or "").strip()
    if match := _YEAR_FIRST.fullmatch(text):
        year, month, number = match.groups()
    elif match := _DAY_FIRST.fullmatch(text):
        number, month, year = match.groups()
    else:
        return None
    return f"{year}-{month:0>2}-{number:0>2}" if int(year) else None


def birth_date_among(attributes: Mapping[str, Any]) -> Any:
    """Return what a customer's attributes give as the birth date; None if nothing."""
    by_name = {str(name).casefold().replace("-", "_").replace(" ", "_"): value for name, value in attributes.items()}
    return next((by_name[name] for name in BIRTH_DATE_NAMES if by_name.get(name)), None)


def can_be_compared(one: Record) -> bool:
    """Whether there is enough to compare: a name, an address or a number. A mere device of a visitor has none."""
    return any((one.first_name, one.surname, one.email, one.phone))


def columns_of(records: Iterable[Record]) -> dict[str, list[Any]]:
    """The records column by column."""
    rows = [tuple(getattr(one, name) for name in COLUMNS) for one in records]
    return {name: [row[place] for row in rows] for place, name in enumerate(COLUMNS)}
