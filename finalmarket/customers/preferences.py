"""What a person prefers, channel by channel, and as one view over all of them.

Precedence, for every key: what they said on this channel > what they said on another channel, the newest first (only
keys that follow a person) > what a platform shows > the default (the profile's language and country, the channel's
currency). All profiles of the person count. Whether they want the newsletter is no preference but a consent: it is
read from the ledger and written to it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from django.db import transaction

from finalmarket.channels.models import SalesChannel
from finalmarket.customers import consents
from finalmarket.customers.models import ChannelPreference, OmnichannelCustomer
from finalmarket.customers.persons import members
from finalmarket.customers.survivorship import Shown, shown
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError

FOLLOW = frozenset({"language", "currency", "size", "shoe_size", "units", "delivery", "pickup_store", "accessibility"})
"""Keys that follow a person from channel to channel. All others (a layout, a frequency of pushes) stay where they were
said."""
NEWSLETTER, LEDGER = consents.NEWSLETTER, "the consent ledger"
PLATFORM = "integration:"
MOST_KEYS = 100
MOST_KEY_CHARACTERS, MOST_VALUE_CHARACTERS = 50, 500


@dataclass(frozen=True, slots=True)
class Preference:
    """One preference as it counts, and why: "said here", "said on <channel>", "shown by a platform", "default"."""

    value: Any
    why: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Views:
    """What a person prefers over all channels (`overall`), and on every channel where they said something, by its name:
    what was said as it counts there, without defaults and the newsletter."""

    overall: dict[str, Preference]
    channels: dict[str, dict[str, Preference]]


@dataclass(frozen=True, slots=True)
class _Word:
    """One thing that was said on one channel."""

    key: str
    value: Any
    channel: SalesChannel
    at: datetime
    is_platforms: bool

    def rank(self, channel_id: int | None) -> tuple[bool, bool, datetime, int]:
        """The greater counts: an explicit word before a platform's, here before elsewhere, the newer."""
        return (not self.is_platforms, self.channel.pk == channel_id, self.at, self.channel.pk)


def view(customer_id: int, channel_id: int | None = None) -> dict[str, Preference]:
    """Return what the person of a profile prefers on a channel; without one, what holds over all channels. Raises
    OmnichannelCustomer.DoesNotExist."""
    channel = SalesChannel.objects.filter(pk=channel_id).first() if channel_id is not None else None
    found = _defaults(shown(customer_id), channel)
    found |= _said(list(chain.from_iterable(_words(members(customer_id)).values())), channel_id)
    return found | _newsletter(customer_id, channel_id)


def views_of(people: Iterable[Shown], agreed: Collection[int]) -> dict[int, Views]:
    """Return what each of these persons prefers, as `view` would, in one query. `agreed` are those whose last word on
    the newsletter is yes."""
    persons = list(people)
    words = _words({profile for person in persons for profile in person.profiles})
    found: dict[int, Views] = {}
    for person in persons:
        said = [word for profile in person.profiles for word in words.get(profile, ())]
        newsletter = {NEWSLETTER: Preference(person.id in agreed, LEDGER)}
        channels = {word.channel.pk: word.channel.name for word in said}
        found[person.id] = Views(
            _defaults(person, None) | _said(said, None) | newsletter,
            {name: _said(said, number) for number, name in sorted(channels.items())},
        )
    return found


def _said(words: Iterable[_Word], channel_id: int | None) -> dict[str, Preference]:
    """What was said, as it counts on a channel; without one, over all of them."""
    best: dict[str, _Word] = {}
    for word in words:
        if word.channel.pk != channel_id and word.key not in FOLLOW:
            continue
        if word.key not in best or best[word.key].rank(channel_id) < word.rank(channel_id):
            best[word.key] = word
    found: dict[str, Preference] = {}
    for key, word in best.items():
        why = "said here" if word.channel.pk == channel_id else f"said on {word.channel.name}"
        found[key] = Preference(word.value, "shown by a platform" if word.is_platforms else why, word.at)
    return found


def _words(profiles: Collection[int]) -> dict[int, list[_Word]]:
    """All that was said, by profile."""
    found: dict[int, list[_Word]] = defaultdict(list)
    for row in ChannelPreference.objects.filter(customer__in=profiles).select_related("sales_channel").order_by("pk"):
        for key, value in row.preferences.items():
            said = row.said.get(key) or {}
            at = datetime.fromisoformat(said["at"]) if "at" in said else row.updated_at
            is_platforms = str(said.get("source", "")).startswith(PLATFORM)
            found[row.customer_id].append(_Word(key, value, row.sales_channel, at, is_platforms))
    return found


def _defaults(person: Shown, channel: SalesChannel | None) -> dict[str, Preference]:
    given = {"language": person.language, "country": person.country, "currency": channel.currency if channel else ""}
    return {key: Preference(value, "default") for key, value in given.items() if value}


def _newsletter(customer_id: int, channel_id: int | None) -> dict[str, Preference]:
    agreed = consents.agrees(customer_id, NEWSLETTER, channel_id)
    return {NEWSLETTER: Preference(agreed, LEDGER)}


@transaction.atomic
def set_preference(
    customer_id: int, channel_id: int, key: str, value: Any, *, source: str = "customer", at: datetime | None = None
) -> None:
    """Write what a person said on a channel (None takes it back). `source` is "integration:5" for a platform's word,
    which changes nothing that was said explicitly; of two words the newer stays, whatever comes in first.

    The language is put on the profile, too, where CRM and mailing platforms are told it; the newsletter goes into the
    consent ledger, and so to them. Raises UserError for a key or value that is none, for a moment to come, and for
    somebody who was erased.
    """
    _check(key, value)
    moment = at or clock.now()
    if moment > clock.now():
        raise UserError("nobody prefers anything in time to come")
    if OmnichannelCustomer.objects.filter(pk=customer_id).exclude(erased_at=None).exists():
        raise UserError("this person was erased")
    if key == NEWSLETTER:
        consents.say(customer_id, NEWSLETTER, value is True, channel_id=channel_id, source=source, at=moment)
        return
    ChannelPreference.objects.bulk_create(
        [ChannelPreference(customer_id=customer_id, sales_channel_id=channel_id)], ignore_conflicts=True
    )
    row = ChannelPreference.objects.select_for_update().get(customer=customer_id, sales_channel=channel_id)
    if not _counts(row, key, moment, source):
        return
    if value is None:
        row.preferences.pop(key, None)
    else:
        row.preferences[key] = value
    if len(row.preferences) > MOST_KEYS:
        raise UserError(f"a person has at most {MOST_KEYS} preferences on a channel")
    row.said[key] = {"at": moment.isoformat(), "source": source[:100]}
    row.save()
    if key == "language" and isinstance(value, str):
        profile = OmnichannelCustomer.objects.select_for_update().get(pk=customer_id)
        profile.language = value[:12]
        profile.save(update_fields=["language", "updated_at"])


def _check(key: str, value: Any) -> None:
    if not key.strip() or len(key) > MOST_KEY_CHARACTERS:
        raise UserError(f"a preference has a name of at most {MOST_KEY_CHARACTERS} characters")
    if value is not None and not isinstance(value, str | int | bool):
        raise UserError("a preference is a text, a whole number, or yes or no")
    if isinstance(value, str) and len(value) > MOST_VALUE_CHARACTERS:
        raise UserError(f"a preference has at most {MOST_VALUE_CHARACTERS} characters")


def _counts(row: ChannelPreference, key: str, at: datetime, source: str) -> bool:
    """Whether this word goes before the one that stands: a platform's never before an explicit one, an older never."""
    said = row.said.get(key)
    if said is None:
        return not (source.startswith(PLATFORM) and key in row.preferences)
    if str(said["source"]).startswith(PLATFORM) != source.startswith(PLATFORM):
        return not source.startswith(PLATFORM)
    return at >= datetime.fromisoformat(said["at"])
