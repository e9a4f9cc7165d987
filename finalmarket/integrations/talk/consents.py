"""The consent ledger as the border post writes it: what was agreed to, withdrawn, or may not be written to any more.
Whether somebody agrees is asked of customers/consents.py.

Nothing in it is changed; what was said last, by its own moment, counts. `mail` is a purpose of its own: an entry that
is not granted bars an address (or, after a complaint, the person) from every mail of ours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Q

from finalmarket.customers.consents import MAIL, NEWSLETTER, fingerprint
from finalmarket.customers.models import Consent, OmnichannelCustomer

__all__ = ["NEWSLETTER", "Ledger", "Said", "bar"]


@dataclass(frozen=True, slots=True)
class Said:
    """Who says something: on which channel, through which account (`source`), when, and what proves it."""

    channel_id: int | None
    source: str
    at: datetime
    proof: Mapping[str, Any]


Word = tuple[datetime, bool]
"""When something was said, and whether it was a yes."""


class Ledger:
    """The newest entries of some people, read in three queries; what is written meanwhile is known, too.

    Entries stand with the profile that said them, so that profiles can be parted again; a no counts for the whole
    person, whichever of their profiles it stands with.
    """

    def __init__(self, people: Collection[int]) -> None:
        self._persons = _persons(people)
        self._on_channel: dict[tuple[int, str, int | None], Word] = {}
        self._by_source: dict[tuple[int, str, str], Word] = {}
        self._newest: dict[tuple[int, str], Word] = {}
        self._last_words: dict[tuple[int, str], Word] = {}
        for entry in Consent.objects.filter(customer__in=self._persons).order_by("at", "pk"):
            self._learn(entry)

    def note(self, person: int, purpose: str, is_granted: bool, said: Said) -> bool:
        """Write an entry, unless the last one on that channel says the same; return whether it was written.

        A later no is written all the same: it ends a yes from before it that comes in late.
        """
        last = self._on_channel.get((person, purpose, said.channel_id))
        if last is not None and last[1] is is_granted and (is_granted or last[0] >= said.at):
            return False
        self._write(person, purpose, is_granted, said)
        return True

    def hear(
        self, person: int, purpose: str, is_granted: bool, said: Said, *, heard_until: datetime | None = None
    ) -> bool:
        """Take what a platform shows of a consent, without a moment of its own; return whether an entry was written.

        What it showed before is no news, and neither is a yes to what was agreed to here already. Heard for the first
        time, a yes undoes no withdrawal (it may be older), and a no to what nobody was asked for says nothing. Nor does
        a yes undo a no that was said elsewhere and that the account has not heard yet (`heard_until`; None: it has
        heard all there is): it may be the echo of an earlier yes of ours.
        """
        here = self._by_source.get((person, purpose, said.source))
        last = self._last_words.get((self._person(person), purpose))
        if here is not None:
            is_news = here[1] is not is_granted and not (is_granted and _is_unheard_no(last, here, heard_until))
        elif is_granted:
            is_news = (person, purpose) not in self._newest and (last is None or last[1])
        else:
            is_news = last is not None
        if is_news:
            self._write(person, purpose, is_granted, said)
        return is_news

    def _write(self, person: int, purpose: str, is_granted: bool, said: Said) -> None:
        self._learn(
            Consent.objects.create(
                customer_id=person, purpose=purpose, sales_channel_id=said.channel_id, is_granted=is_granted,
                source=said.source[:100], proof=dict(said.proof), at=said.at,
            )
        )  # fmt: skip

    def _learn(self, entry: Consent) -> None:
        """Keep the entry where it is the newest."""
        profile, purpose, word = entry.customer_id, entry.purpose, (entry.at, entry.is_granted)
        _keep(self._newest, (profile, purpose), word)
        _keep(self._last_words, (self._person(profile), purpose), word)
        _keep(self._on_channel, (profile, purpose, entry.sales_channel_id), word)
        _keep(self._by_source, (profile, purpose, entry.source), word)

    def _person(self, profile: int) -> int:
        return self._persons.get(profile, profile)

    def withdraw_everywhere(self, person: int, purpose: str, said: Said) -> bool:
        """Write a withdrawal on every channel on which it is granted, and on the channel that it was said on."""
        channels: set[Any] = {
            channel
            for (one, what, channel), (at, granted) in self._on_channel.items()
            if (self._person(one), what) == (self._person(person), purpose) and granted and at <= said.at
        }
        written = [
            self.note(person, purpose, False, replace(said, channel_id=channel))
            for channel in sorted(channels | {said.channel_id}, key=lambda number: number or 0)
        ]
        return any(written)


def _keep(newest: dict[Any, Word], key: tuple[object, ...], word: Word) -> None:
    if key not in newest or newest[key][0] <= word[0]:
        newest[key] = word


def _is_unheard_no(last: Word | None, here: Word, heard_until: datetime | None) -> bool:
    """Whether somebody's last word is a no that was said elsewhere, and that the account has not heard yet."""
    if last is None or last == here or heard_until is None:
        return False
    at, is_granted = last
    return not is_granted and at > heard_until


def _persons(people: Collection[int]) -> dict[int, int]:
    """The canonical profiles of all profiles of these people."""
    rows = OmnichannelCustomer.objects
    named = rows.filter(pk__in=set(people)).values_list("pk", "merged_into_id")
    persons = {merged_into or pk for pk, merged_into in named}
    profiles = rows.filter(Q(pk__in=persons) | Q(merged_into__in=persons)).values_list("pk", "merged_into_id")
    return {pk: merged_into or pk for pk, merged_into in profiles}


def bar(person: int, said: Said, *, email: str = "") -> None:
    """Write to this person no more: to that address, or, without one, to no address at all."""
    proof = {**said.proof, "address": fingerprint(email)}
    Consent.objects.create(
        customer_id=person, purpose=MAIL, sales_channel_id=said.channel_id, is_granted=False,
        source=said.source[:100], proof=proof, at=said.at,
    )  # fmt: skip
