"""Telling stock: the newest number that a channel may sell, in all or by the platform's locations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from psycopg.types.json import Jsonb

from finalmarket.connectors.contract import PullsStock, PushesStock
from finalmarket.connectors.errors import ONE_RECORD, Rejected, RetryLater
from finalmarket.connectors.records import ListingRef, StockLevel
from finalmarket.integrations.models import ChannelIntegration, PlaceMapping
from finalmarket.integrations.telling import Claim, Linked, Telling, key_of, linked, rows
from finalmarket.stock import atp

MOST_NUMBER = 2_000_000_000
STALE_SECONDS = 2.0
Levels = tuple[StockLevel, ...]
Units = Mapping[str, int]
"""What a listing is to show, by the platform's location; one entry where it knows only one."""


class Stock:
    """The stock of listings; `PushesStock` platforms are told of it."""

    what: ClassVar[str] = "stock"
    capability: ClassVar[type] = PushesStock

    def __init__(self) -> None:
        self._places: list[str] | None = None

    def places(self, integration: ChannelIntegration) -> list[str]:
        """The locations to tell, asked once for a run."""
        if self._places is None:
            self._places = places_of(integration)
        return self._places

    def most(self, integration: ChannelIntegration, connector: PushesStock) -> int:
        return max(1, connector.stock_batch_limit // max(1, len(self.places(integration))))

    def read(self, integration: ChannelIntegration, claims: Sequence[Claim]) -> list[Telling[Levels]]:
        links = linked(claim.listing_id for claim in claims)
        units = newest(integration, list(links.values()), self.places(integration))
        found = []
        for claim in claims:
            link = links.get(claim.listing_id)
            if link is not None:
                found.append(self._telling(integration, claim, link, units[claim.listing_id]))
        return found

    def _telling(self, integration: ChannelIntegration, claim: Claim, link: Linked, units: Units) -> Telling[Levels]:
        shown = _shown(link, units)
        levels = tuple(
            StockLevel(
                ref=link.ref, quantity=quantity, location=place, shown=shown.get(place),
                key=key_of(integration, self.what, claim.listing_id, claim.version, place, quantity),
            )
            for place, quantity in units.items()
        )  # fmt: skip
        return Telling(claim, link.ref, in_words(units), levels)

    def ask(self, connector: Any, tellings: Sequence[Telling[Levels]]) -> tuple[list[Telling[Levels]], set[int]]:
        if not isinstance(connector, PullsStock):
            return list(tellings), set()  # absolute numbers: told again, they do no harm
        try:
            shown = shown_by(connector, [level for telling in tellings for level in telling.said or ()])
        except Rejected:  # one of them cannot be asked for; telling says which
            return list(tellings), set()
        again, there = [], set()
        for telling in tellings:
            levels = telling.said or ()
            if all(shown.get((level.ref.key, level.location)) == level.quantity for level in levels):
                there.add(telling.claim.listing_id)
            else:
                again.append(replace(telling, said=tuple(_seen(level, shown) for level in levels)))
        return again, there

    def send(self, connector: Any, tellings: Sequence[Telling[Levels]]) -> Mapping[int, Rejected]:
        """Where the platform compares before it sets, a number that went stale is read anew and told again; later, if
        it goes stale again and again."""
        listing_of = {telling.ref.key: telling.claim.listing_id for telling in tellings}
        levels = [level for telling in tellings for level in telling.said or ()]
        refused: dict[str, Rejected] = {}
        for is_last in (False, False, True):
            errors = _push(connector, levels)
            levels = [] if is_last else _seen_anew(connector, [level for level in levels if level.ref.key in errors])
            again = {level.ref.key for level in levels}
            refused |= {key: error for key, error in errors.items() if key not in again}
            if not levels:
                break
        stale = [error for error in refused.values() if error.code in connector.stale_codes]
        if stale:
            words = f"what is shown changes while it is told: {stale[0]}"
            raise RetryLater(words, retry_after=STALE_SECONDS, code=ONE_RECORD)
        return {listing_of[key]: error for key, error in refused.items() if key in listing_of}

    def note(self, integration: ChannelIntegration, tellings: Sequence[Telling[Levels]]) -> None:
        told = [{level.location: level.quantity for level in telling.said or ()} for telling in tellings]
        rows(
            "told_stock",
            integration=integration.pk,
            listings=[telling.claim.listing_id for telling in tellings],
            known=[telling.ref.key for telling in tellings],
            quantities=[sum(places.values()) for places in told],
            places=[Jsonb(places if len(places) > 1 else {}) for places in told],
        )


def places_of(integration: ChannelIntegration) -> list[str]:
    """The platform's locations that are one of ours each, where it has several; none otherwise."""
    names = PlaceMapping.objects.filter(integration=integration, stock_location__isnull=False).exclude(place="")
    places = sorted(names.values_list("place", flat=True))
    return places if len(places) > 1 else []


def newest(integration: ChannelIntegration, links: Sequence[Linked], places: Sequence[str]) -> dict[int, Units]:
    """What these listings are to show at this moment: what the channel may sell, nothing while it may not be bought."""
    levels = atp.levels((link.variant_id for link in links), (link.channel_id for link in links))
    free = _free(integration, links) if places else {}
    return {link.listing_id: _split(levels[link.variant_id, link.channel_id], link, places, free) for link in links}


def _free(integration: ChannelIntegration, links: Sequence[Linked]) -> dict[tuple[int, int], list[tuple[str, int]]]:
    found: dict[tuple[int, int], list[tuple[str, int]]] = defaultdict(list)
    variants, channels = {link.variant_id for link in links}, {link.channel_id for link in links}
    answer = rows("free_at_places", integration=integration.pk, variants=sorted(variants), channels=sorted(channels))
    for variant_id, channel_id, place, units in answer:
        found[variant_id, channel_id].append((place, units))
    return found


def _split(
    level: atp.Level, link: Linked, places: Sequence[str], free: Mapping[tuple[int, int], Sequence[tuple[str, int]]]
) -> Units:
    """Spread what may be sold over the locations where it lies. What lies nowhere (a bundle, a backorder) stands at the
    listing's own location; what lies where the platform has no location is not offered there."""
    rest = min(level.offered, MOST_NUMBER)
    if not places:
        return {link.location: rest}
    units = dict.fromkeys(places, 0)
    here = free.get((link.variant_id, link.channel_id))
    for place, count in here or ():
        units[place] = min(count, rest)
        rest -= units[place]
    beyond = rest if here is None else min(rest, level.beyond)
    units[link.location if link.location in units else places[0]] += beyond
    return units


def in_words(units: Units) -> str:
    """The numbers for the audit trail."""
    total = sum(units.values())
    if len(units) < 2:
        return str(total)
    return f"{total} ({', '.join(f'{place}: {count}' for place, count in units.items())})"[:200]


def shown_by(connector: PullsStock, levels: Sequence[StockLevel]) -> dict[tuple[str, str], int]:
    """What the platform shows of these levels, by key and location; what it does not know is left out."""
    by_place: dict[str, dict[str, ListingRef]] = defaultdict(dict)
    for level in levels:
        by_place[level.location][level.ref.key] = level.ref
    found: dict[tuple[str, str], int] = {}
    for place, refs in by_place.items():
        wanted = list(refs.values())
        for start in range(0, len(wanted), connector.stock_read_limit):
            for record in connector.pull_stock(wanted[start : start + connector.stock_read_limit], place):
                found[record.key, place] = found.get((record.key, place), 0) + record.quantity
    return found


def _shown(link: Linked, units: Units) -> Units:
    """What the platform is known to show: what was seen there since we told it, else what we told it."""
    if len(units) > 1:
        return link.told_places
    number = link.shown_quantity if link.was_seen_since else link.told_quantity
    return {} if number is None else {next(iter(units)): number}


def _push(connector: PushesStock, levels: Sequence[StockLevel]) -> dict[str, Rejected]:
    refused: dict[str, Rejected] = {}
    for start in range(0, len(levels), connector.stock_batch_limit):
        batch = levels[start : start + connector.stock_batch_limit]
        for error in connector.push_stock(batch):
            refused[error.key or batch[0].ref.key] = error
    return refused


def _seen_anew(connector: Any, levels: Sequence[StockLevel]) -> list[StockLevel]:
    """Those of the refused listings that were compared with a number not shown any more, with the one that is."""
    if not isinstance(connector, PullsStock) or all(level.shown is None for level in levels):
        return []
    shown = shown_by(connector, levels)
    stale = {level.ref.key for level in levels if shown.get((level.ref.key, level.location)) != level.shown}
    return [_seen(level, shown) for level in levels if level.ref.key in stale]


def _seen(level: StockLevel, shown: Mapping[tuple[str, str], int]) -> StockLevel:
    return replace(level, shown=shown.get((level.ref.key, level.location)))
