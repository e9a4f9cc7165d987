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

from finalmarket.customers.consents import MAIL, NEWSLETTER, fingerprint
from finalmarket.customers.models import Consent

__all__ = ["NEWSLETTER", "Ledger", "Said", "bar"]


@dataclass(frozen=True, slots=True)
class Said:
    """Who says something: on which channel, through which account (`source`), when, and what proves it."""

    channel_id: int | None
    source: str
    at: datetime
    proof: Mapping[str, Any]


Key = tuple[int, str, object]


class Ledger:
    """The newest entries of some people, read in one query; what is written meanwhile is known, too."""

    def __init__(self, people: Collection[int]) -> None:
        self._on_channel: dict[Key, tuple[datetime, bool]] = {}
        self._by_source: dict[Key, tuple[datetime, bool]] = {}
        self._newest: dict[tuple[int, str], tuple[datetime, bool]] = {}
        for entry in Consent.objects.filter(customer__in=set(people)).order_by("at", "pk"):
            self._learn(entry)

    def note(self, person: int, purpose: str, is_granted: bool, said: Said) -> bool:
        """Write an entry, unless the last one on that channel says the same; return whether it was written."""
        last = self._on_channel.get((person, purpose, said.channel_id))
        if last is not None and last[1] is is_granted:
            return False
        self._write(person, purpose, is_granted, said)
        return True

    def hear(self, person: int, purpose: str, is_granted: bool, said: Said) -> bool:
        """Take what a platform shows of a consent, without a moment of its own; return whether an entry was written.

        What it showed before is no news, and neither is a yes to what was agreed to here already. Heard for the first
        time, a yes undoes no withdrawal (it may be older), and a no to what nobody was asked for says nothing.
        """
        here = self._by_source.get((person, purpose, said.source))
        newest = self._newest.get((person, purpose))
        if here is not None:
            is_news = here[1] is not is_granted
        else:
            is_news = newest is None if is_granted else newest is not None
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
        person, purpose, said = entry.customer_id, entry.purpose, (entry.at, entry.is_granted)
        newest = self._newest.get((person, purpose))
        if newest is None or newest[0] <= entry.at:
            self._newest[person, purpose] = said
        for known, beside in ((self._on_channel, entry.sales_channel_id), (self._by_source, entry.source)):
            last = known.get((person, purpose, beside))
            if last is None or last[0] <= entry.at:
                known[person, purpose, beside] = said

    def withdraw_everywhere(self, person: int, purpose: str, said: Said) -> bool:
        """Write a withdrawal on every channel on which it is granted, and on the channel that it was said on."""
        channels: set[Any] = {
            channel
            for (one, what, channel), (at, granted) in self._on_channel.items()
            if (one, what) == (person, purpose) and granted and at <= said.at
        }
        written = [
            self.note(person, purpose, False, replace(said, channel_id=channel))
            for channel in sorted(channels | {said.channel_id}, key=lambda number: number or 0)
        ]
        return any(written)


def bar(person: int, said: Said, *, email: str = "") -> None:
    """Write to this person no more: to that address, or, without one, to no address at all."""
    proof = {**said.proof, "address": fingerprint(email)}
    Consent.objects.create(
        customer_id=person, purpose=MAIL, sales_channel_id=said.channel_id, is_granted=False,
        source=said.source[:100], proof=proof, at=said.at,
    )  # fmt: skip
