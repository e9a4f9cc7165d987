"""Telling prices: a listing's own, else its variant's, in the channel's currency; never converted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from finalmarket.connectors.contract import PushesPrices
from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.records import PriceLevel
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.integrations.telling import Claim, Telling, key_of, linked, rows
from finalmarket.kernel.money import quantize


class Prices:
    """The prices of listings; `PushesPrices` platforms are told of them."""

    what: ClassVar[str] = "price"
    capability: ClassVar[type] = PushesPrices

    def most(self, integration: ChannelIntegration, connector: PushesPrices) -> int:
        return max(1, connector.price_batch_limit)

    def read(self, integration: ChannelIntegration, claims: Sequence[Claim]) -> list[Telling[PriceLevel]]:
        listings = [claim.listing_id for claim in claims]
        links = linked(listings)
        amounts = {row[0]: row[1:] for row in rows("prices", listings=listings)}
        found: list[Telling[PriceLevel]] = []
        for claim in claims:
            link = links.get(claim.listing_id)
            if link is None:
                continue
            amount, currency = amounts[claim.listing_id]
            if amount is None:
                found.append(Telling(claim, link.ref, "", None, f"it has no price in {currency}"))
                continue
            whole = quantize(amount, currency)
            key = key_of(integration, self.what, claim.listing_id, claim.version, whole, currency)
            level = PriceLevel(ref=link.ref, amount=whole, currency=currency, key=key)
            found.append(Telling(claim, link.ref, f"{whole} {currency}", level))
        return found

    def ask(
        self, connector: Any, tellings: Sequence[Telling[PriceLevel]]
    ) -> tuple[list[Telling[PriceLevel]], set[int]]:
        return list(tellings), set()  # absolute amounts: told again, they do no harm

    def send(self, connector: PushesPrices, tellings: Sequence[Telling[PriceLevel]]) -> Mapping[int, Rejected]:
        listing_of = {telling.ref.key: telling.claim.listing_id for telling in tellings}
        first = tellings[0].ref.key
        refused = connector.push_prices([telling.said for telling in tellings if telling.said is not None])
        return {listing_of[error.key or first]: error for error in refused if (error.key or first) in listing_of}

    def note(self, integration: ChannelIntegration, tellings: Sequence[Telling[PriceLevel]]) -> None:
        levels = [(telling.claim.listing_id, telling.said) for telling in tellings if telling.said is not None]
        rows(
            "told_prices", integration=integration.pk, listings=[listing_id for listing_id, _ in levels],
            known=[level.ref.key for _, level in levels], amounts=[level.amount for _, level in levels],
        )  # fmt: skip
