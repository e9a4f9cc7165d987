"""Who was erased, known again by digests, so that what comes late does not bring the person back.

Of everything that an erased person was known by, and of what platforms call their orders, an HMAC under the secret of
this installation is kept for three years (`KEPT_DAYS`): longer than platforms, backups and files of old orders go back.
What was done before the erasure, or has no moment (a platform's list of customers), lands on the nameless number that
the person left behind. What a person does afterwards begins anew, with a profile of its own.

An erasure waits for everybody who is resolving people at that moment, and they for it: nobody resolves with the
knowledge of before and commits after.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from finalmarket.customers.known_by import Contact, Identity, identity
from finalmarket.customers.models import ErasedIdentity, OmnichannelCustomer
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError

KEPT_DAYS = 3 * 365
LOCK = 0x6572_6173_6564  # "erased"
TELLING = frozenset({"email", "account", "loyalty"})
"""What names one person for sure; the others count where they are the anchor."""
MOST_TOKENS = 2_000
ADDRESS = re.compile(r"[^\s@<>\"'(),:;\[\]\\=&?/]{1,64}@[A-Za-z0-9.-]{3,255}")
ORDER = "order"
"""Not an identity: what a platform calls an order of an erased person, as `integration:5:4711`."""


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody who was erased: the number they left behind, and whether they have done something since."""

    customer_id: int
    erased_at: datetime
    is_back: bool


def digest(kind: str, value: str) -> str:
    """What is kept of an identity: an HMAC-SHA-256 under SECRET_KEY, in hexadecimal."""
    message = f"finalmarket.erased:{kind}:{value}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), message, "sha256").hexdigest()


def is_anybody() -> bool:
    """Whether anybody was erased; within a transaction no erasure begins from now on until its end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT somebody_was_erased(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def alone() -> None:
    """Wait until nobody is resolving people, and keep them from it until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def known(values: Collection[Identity]) -> dict[Identity, Known]:
    """Return those of the values by which somebody was known who was erased."""
    by_digest = {digest(*value): value for value in values}
    rows = ErasedIdentity.objects.filter(digest__in=list(by_digest))
    return {by_digest[row.digest]: Known(row.customer_id, row.erased_at, row.came_back_at is not None) for row in rows}


def whose(contact: Contact, identities: Iterable[Identity], anchor: Identity | None,
          found: Mapping[Identity, Known]) -> Known | None:  # fmt: skip
    """Return the erased person whose record this is, None where it is nobody's, or was done after the erasure."""
    for one in identities:
        person = found.get(one)
        if person is None or not (one == anchor or one[0] in TELLING):
            continue
        if contact.at is None and not person.is_back:
            return person
        if contact.at is not None and contact.at <= person.erased_at:
            return person
    return None


def come_back(values: Collection[Identity]) -> None:
    """Note that somebody who was erased has done something since: what platforms list of them is taken again."""
    rows = ErasedIdentity.objects.filter(digest__in=[digest(*value) for value in values], came_back_at=None)
    rows.update(came_back_at=clock.now())


def remember(customer_id: int, values: Collection[Identity], at: datetime) -> None:
    """Keep digests of these values; the caller erases the person in the same transaction."""
    ErasedIdentity.objects.bulk_create(
        [ErasedIdentity(digest=digest(*one), customer_id=customer_id, erased_at=at) for one in sorted(set(values))],
        update_conflicts=True, unique_fields=["digest"], update_fields=["customer", "erased_at", "came_back_at"],
        batch_size=2_000,
    )  # fmt: skip


def among(profiles: Collection[int | None]) -> frozenset[int]:
    """Return those of the profiles that are numbers without a person."""
    return frozenset(moments(profiles))


def moments(profiles: Collection[int | None]) -> dict[int, datetime]:
    """Return those of the profiles that are numbers without a person, with the moment since when they are."""
    ids = {one for one in profiles if one is not None}
    if not ids:
        return {}
    rows = OmnichannelCustomer.objects.filter(pk__in=ids).exclude(erased_at=None)
    return {number: at for number, at in rows.values_list("pk", "erased_at") if at is not None}


def refuse(profiles: Collection[int]) -> None:
    """Raises UserError where one of the profiles is a number without a person."""
    if among(profiles):
        raise UserError("this person was erased")


def names_one(given: Any, *, integration_id: int | None = None, country: str = "") -> bool:
    """Say whether a payload (JSON, or a text) names somebody who was erased and has not come back: by an address or a
    number in it, or by what the account calls them or an order of theirs."""
    if not is_anybody():
        return False
    values: set[Identity] = set()
    for token in _tokens(given):
        values |= {("email", one[1]) for text in ADDRESS.findall(token) if (one := identity("email", text))}
        number = identity("phone", token, country) if sum(map(str.isdigit, token)) > 6 and len(token) < 30 else None
        values |= {number} if number else set()
        if integration_id is not None and 0 < len(token) <= 200:
            named = f"integration:{integration_id}:{token}"
            values |= {("account", named), (ORDER, named)}
    return any(not one.is_back for one in known(values).values())


def _tokens(given: Any) -> set[str]:
    """The plain values in a payload, at most two thousand of them."""
    found: set[str] = set()
    waiting = [given]
    while waiting and len(found) < MOST_TOKENS:
        one = waiting.pop()
        if isinstance(one, Mapping):
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one
        elif isinstance(one, str | int) and not isinstance(one, bool):
            found.add(str(one).strip())
    return found


@transaction.atomic
def tidy() -> int:
    """Forget digests that are older than three years; returns how many."""
    gone, _ = ErasedIdentity.objects.filter(erased_at__lt=clock.days_ago(KEPT_DAYS)).delete()
    return gone
