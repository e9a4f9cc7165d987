"""On which profile an event lands: the one of the strongest thing that it names (customers/resolve.py).

What was resolved once is remembered by this process, so that a visitor's next thousand events cost a look into a
dictionary. Remembering is safe: what is known as evidence stays evidence, and a profile whose anchor is gone, because
the person was erased, is noticed within the transaction that stores the events (`GONE`).
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from finalmarket.customers import erased
from finalmarket.customers.resolve import Contact, add_identities, resolve_many
from finalmarket.journeys.dialects.heard import Unreadable, Who
from finalmarket.journeys.write_keys import Place

Named: TypeAlias = tuple[Place, Who]
MOST_REMEMBERED = 200_000
ERASED = 0
"""In place of a profile: nothing of it is kept. It is never remembered, for the person may begin anew."""
GONE = """
SELECT given.id FROM unnest(%(customers)s::bigint[]) AS given(id)
WHERE NOT EXISTS (SELECT FROM customer_identities known WHERE known.customer_id = given.id AND known.is_anchor)
"""
"""Which of some profiles have no anchor any more, or are not there at all: nothing may be kept under them."""

known: dict[Named, int] = {}
"""The profiles that are remembered; to be read by anybody, written by this file alone."""
_mutex = threading.Lock()


def resolve(named: Mapping[Named, datetime]) -> dict[Named, int]:
    """Return the profiles of these, made now where there are none, and keep as evidence all that each names. Commits by
    itself outside of a transaction. `named` says when each did something last: ERASED for somebody who was erased after
    that. Raises Unreadable where one names nobody."""
    found: dict[Named, int] = {}
    by_place: dict[Place, list[Who]] = defaultdict(list)
    for place, who in named:
        by_place[place].append(who)
    for place, people in by_place.items():
        source = f"channel:{place.channel_id}"
        contacts = [replace(_contact(place, who), at=named[place, who]) for who in people]
        profiles = resolve_many(contacts, country=place.country, source=source)
        gone = erased.among(profiles)
        for who, profile in zip(people, profiles, strict=True):
            if profile is None:
                raise Unreadable("it names nobody")
            found[place, who] = ERASED if profile in gone else profile
        there = [who for who in people if found[place, who] != ERASED]
        add_identities(_others(place, there, found), source=source, country=place.country)
    return found


def remember(found: Mapping[Named, int]) -> None:
    """Remember these, once they are committed; the oldest are forgotten for them."""
    with _mutex:
        known.update({named: profile for named, profile in found.items() if profile != ERASED})
        for _ in range(len(known) - MOST_REMEMBERED):
            del known[next(iter(known))]


def forget(profiles: Collection[int] | None = None) -> None:
    """Forget these profiles, or all."""
    with _mutex:
        if profiles is None:
            known.clear()
            return
        for named in [named for named, profile in known.items() if profile in profiles]:
            del known[named]


def _contact(place: Place, who: Who) -> Contact:
    return Contact(
        name=who.name,
        email=who.email,
        phone=who.phone,
        language=who.language,
        account=_in(place, who.account),
        device=_in(place, who.device),
        loyalty=who.loyalty,
    )


def _others(place: Place, people: Iterable[Who], found: Mapping[Named, int]) -> Iterable[tuple[int, str, str]]:
    """Second ids of the same person: an account's or a browser's, the client does not say which, so it is kept as both:
    as what it is not, nobody carries it."""
    for who in people:
        if who.other:
            yield found[place, who], "account", _in(place, who.other)
            yield found[place, who], "device", _in(place, who.other)


def _in(place: Place, given: str) -> str:
    """An id with whose it is in front: user ids of two shops are two people's."""
    return f"{place.space}:{given}" if given else ""
