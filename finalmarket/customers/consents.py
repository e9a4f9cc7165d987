"""Whether a person agrees to a purpose now: the one place that every send and every export asks.

What counts is the last word of any profile of the person, on that channel or said without a channel; of two words of
one moment the withdrawal counts. What was said of another channel is no answer. Nothing in the ledger is changed: a
withdrawal is a new line.

Some purposes need no consent, because the person asked for the thing itself; their owner may still say no to most.
`mail` is the bar: an entry that is not granted keeps an address (or, after a complaint, the person) from every mail.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q

from finalmarket.customers.known_by import folded_email, mailbox
from finalmarket.customers.models import Consent, CustomerIdentity, OmnichannelCustomer
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError

NEWSLETTER = "newsletter"
MAIL = "mail"
BACK_IN_STOCK = "back_in_stock"
ANALYTICS = "analytics"
ADS = "ads"
NEEDS_NO_CONSENT: Mapping[str, str] = {
    "order_confirmed": "the contract: who orders is told what they ordered",
    "shipped": "the contract: who waits for a parcel is told that it left",
    BACK_IN_STOCK: "a wish is the question itself: answered once, unless they said no to that very purpose",
    MAIL: "the bar: open until an address bounces or its owner complains",
}
"""Purposes to which a person agrees as long as they did not say no, and why. All others need a yes."""
CANNOT_BE_REFUSED = frozenset({"order_confirmed", "shipped"})
"""What the contract demands; only the bar on the address stops it."""
MOST_PURPOSE_CHARACTERS = 50

LAST_WORD = """
SELECT said.is_granted FROM consents said
WHERE said.customer_id = ANY (%(people)s::bigint[]) AND said.purpose = %(purpose)s AND said.at <= %(now)s
  AND (%(channel)s::bigint IS NULL OR said.sales_channel_id IS NULL OR said.sales_channel_id = %(channel)s)
ORDER BY said.at DESC, said.is_granted, said.id DESC LIMIT 1
"""
WORDS = """
SELECT DISTINCT ON (person.id, said.purpose) person.id, said.purpose, said.is_granted
FROM unnest(%(people)s::bigint[]) AS person(id)
JOIN omnichannel_customers profile ON profile.id = person.id OR profile.merged_into_id = person.id
JOIN consents said ON said.customer_id = profile.id AND said.at <= %(now)s
ORDER BY person.id, said.purpose, said.at DESC, said.is_granted, said.id DESC
"""


def agrees(customer_id: int | None, purpose: str, channel_id: int | None = None, *, email: str = "") -> bool:
    """Say whether the person of a profile agrees to a purpose on a channel now; without a channel their last word on
    any counts. With `email` it is asked for a mail to that address, too: nothing goes to one that is barred.

    Nobody (None) agrees to what the contract demands, and to nothing else.
    """
    if email and is_barred(email, customer_id):
        return False
    if purpose in CANNOT_BE_REFUSED:
        return True
    if customer_id is None:
        return False
    values = {
        "people": sorted(known_as("", customer_id)), "purpose": purpose, "channel": channel_id, "now": clock.now(),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(LAST_WORD, values)
        row = cursor.fetchone()
    return purpose in NEEDS_NO_CONSENT if row is None else bool(row[0])


def words_of(people: Sequence[int]) -> Mapping[int, Mapping[str, bool]]:
    """Return the last word of these people on each purpose, whatever the channel, by their canonical profiles: one
    query. What nobody said is not there: it is no yes."""
    found: dict[int, dict[str, bool]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(WORDS, {"people": list(people), "now": clock.now()})
        for person, purpose, is_granted in cursor.fetchall():
            found[person][purpose] = is_granted
    return found


def say(
    customer_id: int, purpose: str, is_granted: bool, *, channel_id: int | None = None, source: str,
    proof: Mapping[str, Any] | None = None, at: datetime | None = None,
) -> Consent:  # fmt: skip
    """Write that a person agrees to a purpose, or withdraws; without a channel it is meant for all of them.

    `source` says where it was said, `proof` what proves it (the text that was shown, an address, a form). Raises
    UserError without a purpose or a source, for a moment to come, and for somebody who was erased.
    """
    moment = at or clock.now()
    if not purpose.strip() or len(purpose) > MOST_PURPOSE_CHARACTERS or not source.strip():
        raise UserError("a consent has a purpose of at most 50 characters, and says where it was given")
    if moment > clock.now():
        raise UserError("nobody agrees in time to come")
    if OmnichannelCustomer.objects.filter(pk=customer_id).exclude(erased_at=None).exists():
        raise UserError("this person was erased")
    return Consent.objects.create(
        customer_id=customer_id, purpose=purpose.strip(), sales_channel_id=channel_id, is_granted=is_granted,
        source=source.strip()[:100], proof=dict(proof or {}), at=moment,
    )  # fmt: skip


def is_barred(email: str, customer_id: int | None) -> bool:
    """Say whether no mail may go to that address: it bounced, or its owner complained."""
    people = known_as(email, customer_id)
    entries = Consent.objects.filter(customer__in=people, purpose=MAIL).order_by("at", "-is_granted", "pk")
    standing = {proof.get("address", ""): granted for proof, granted in entries.values_list("proof", "is_granted")}
    return not standing.get("", True) or not standing.get(fingerprint(email), True)


def known_as(email: str, customer_id: int | None) -> set[int]:
    """All profiles of the persons behind a profile and an address: those that were merged count as one."""
    named = {customer_id} if customer_id else set()
    address = folded_email(email) if email else ""
    if address:
        owners = CustomerIdentity.objects.filter(kind=CustomerIdentity.Kind.EMAIL, value=mailbox(address))
        named |= set(owners.values_list("customer_id", flat=True))
    pairs = OmnichannelCustomer.objects.filter(pk__in=named).values_list("pk", "merged_into_id")
    persons = {merged_into or pk for pk, merged_into in pairs}
    rows = OmnichannelCustomer.objects.filter(Q(pk__in=persons) | Q(merged_into__in=persons))
    return set(rows.values_list("pk", flat=True))


def fingerprint(email: str) -> str:
    """What stands for an address where no address may stand; "" for none."""
    address = folded_email(email) if email else ""
    return hashlib.sha256(address.encode()).hexdigest()[:32] if address else ""
