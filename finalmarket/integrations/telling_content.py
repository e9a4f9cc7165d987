"""Telling contents: what a listing says, and whether it can be bought. A listing that the platform does not have yet is
made there, and never a second time: when its making ended without an answer, the platform is looked through first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from psycopg.types.json import Jsonb

from finalmarket.connectors.contract import PullsListings, PushesListings
from finalmarket.connectors.errors import Rejected, Unintelligible
from finalmarket.connectors.records import ListingContent, ListingRef
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.integrations.telling import Claim, Telling, from_json, key_of, linked, rows
from finalmarket.kernel.money import quantize

LOOK_THERE = "it may have been made there without an answer; look on the platform, then link it or tell it again"


class Contents:
    """The contents of listings; `PushesListings` platforms are told of them."""

    what: ClassVar[str] = "content"
    capability: ClassVar[type] = PushesListings

    def __init__(self) -> None:
        self._made: dict[int, ListingRef] = {}
        self._known: dict[int, str] = {}

    def most(self, integration: ChannelIntegration, connector: PushesListings) -> int:
        return max(1, connector.listing_batch_limit)

    def read(self, integration: ChannelIntegration, claims: Sequence[Claim]) -> list[Telling[ListingContent]]:
        listings = [claim.listing_id for claim in claims]
        links = linked(listings)
        facts = {row[0]: row[1:] for row in rows("contents", listings=listings)}
        self._known |= {listing_id: link.ref.key for listing_id, link in links.items()}
        return [
            self._telling(integration, claim, links[claim.listing_id].ref, facts[claim.listing_id])
            for claim in claims
            if claim.listing_id in links
        ]

    def _telling(
        self, integration: ChannelIntegration, claim: Claim, ref: ListingRef, facts: tuple[Any, ...]
    ) -> Telling[ListingContent]:
        sku, barcode, brand, title, description, attributes, is_available, amount, currency = facts
        content = ListingContent(
            ref=ref if ref.sku else replace(ref, sku=sku), title=title, description=description, barcode=barcode,
            brand=brand, price=None if amount is None else quantize(amount, currency), currency=currency,
            is_available=is_available, attributes=from_json(attributes),
            key=key_of(integration, self.what, claim.listing_id, claim.version),
        )  # fmt: skip
        return Telling(claim, ref, f"{title}"[:190] + ("" if is_available else " (off)"), content)

    def ask(
        self, connector: Any, tellings: Sequence[Telling[ListingContent]]
    ) -> tuple[list[Telling[ListingContent]], set[int]]:
        made = [telling for telling in tellings if not telling.ref.ids]
        if not made:
            return list(tellings), set()
        if not isinstance(connector, PullsListings):
            return [replace(one, said=None, refusal=LOOK_THERE) if one in made else one for one in tellings], set()
        there = _by_sku(connector, {one.said.ref.sku for one in made if one.said is not None})
        return [_found(one, there) if one in made else one for one in tellings], set()

    def send(self, connector: PushesListings, tellings: Sequence[Telling[ListingContent]]) -> Mapping[int, Rejected]:
        results = connector.push_listings([telling.said for telling in tellings if telling.said is not None])
        if len(results) != len(tellings):
            raise Unintelligible("the connector did not say of each listing what became of it")
        refused: dict[int, Rejected] = {}
        for telling, result in zip(tellings, results, strict=True):
            if isinstance(result, Rejected):
                refused[telling.claim.listing_id] = result
            else:
                self._made[telling.claim.listing_id] = result
        made = list(self._made.items())
        for listing_id, key in rows(
            "taken_keys", listings=[number for number, _ in made], keys=[ref.key for _, ref in made]
        ):
            del self._made[listing_id]
            refused[listing_id] = Rejected(f"the platform calls it {key}, which is linked to another listing", key=key)
        return refused

    def note(self, integration: ChannelIntegration, tellings: Sequence[Telling[ListingContent]]) -> None:
        listings = [one.claim.listing_id for one in tellings]
        refs = [self._made.pop(one.claim.listing_id, one.ref) for one in tellings]
        rows(
            "told_refs", integration=integration.pk, listings=listings,
            known=[self._known[listing_id] for listing_id in listings], keys=[ref.key for ref in refs],
            skus=[ref.sku for ref in refs], ids=[Jsonb(dict(ref.ids)) for ref in refs],
        )  # fmt: skip


def _by_sku(connector: PullsListings, skus: set[str]) -> dict[str, ListingRef]:
    """The platform's listings of these SKUs, found by going through all of them."""
    found: dict[str, ListingRef] = {}
    for page in connector.pull_listings(""):
        found |= {record.ref.sku: record.ref for record in page.records if record.ref.sku in skus}
        if len(found) == len(skus):
            break
    return found


def _found(telling: Telling[ListingContent], there: Mapping[str, ListingRef]) -> Telling[ListingContent]:
    """The telling, of the listing that stands there already if one does."""
    content = telling.said
    ref = there.get(content.ref.sku) if content is not None else None
    if content is None or ref is None:
        return telling
    return replace(telling, ref=ref, said=replace(content, ref=ref))
