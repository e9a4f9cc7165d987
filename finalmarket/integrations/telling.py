"""What stock, prices and contents have in common when a platform is told of them: claims, and what is made of them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from django.db import connection

from finalmarket.connectors.contract import Connector
from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.records import ListingRef
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.kernel import clock
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("queries.sql"))
Said = TypeVar("Said")
KEYS = uuid.UUID("5a3a4c1e-8f0c-4f0e-9d57-2f6f3c1b7a10")


@dataclass(frozen=True, slots=True)
class Claim:
    """A due row that we work on. `was_claimed` says that somebody did before and never said how it ended: the platform
    is asked before it is told again."""

    listing_id: int
    version: int
    was_claimed: bool
    due_since: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Linked:
    """A linked listing: what the platform calls it, and what it is said to show."""

    listing_id: int
    ref: ListingRef
    location: str
    told_quantity: int | None
    told_places: Mapping[str, int]
    shown_quantity: int | None
    was_seen_since: bool
    variant_id: int
    channel_id: int
    currency: str
    shown_at: datetime | None


@dataclass(frozen=True, slots=True)
class Telling(Generic[Said]):
    """What one listing is to be told: `said` in the connector's words, `value` in a person's. `refusal` says why there
    is nothing to tell; then `said` is None."""

    claim: Claim
    ref: ListingRef
    value: str
    said: Said | None
    refusal: str = ""


class Ware(Protocol[Said]):
    """One kind of what platforms are told: stock, price or content."""

    what: ClassVar[str]
    capability: ClassVar[type]

    def most(self, integration: ChannelIntegration, connector: Any) -> int:
        """How many listings fit into one call."""

    def read(self, integration: ChannelIntegration, claims: Sequence[Claim]) -> list[Telling[Said]]:
        """Read the newest value of all these listings, now."""

    def ask(self, connector: Any, tellings: Sequence[Telling[Said]]) -> tuple[list[Telling[Said]], set[int]]:
        """Find out what became of tellings without an answer: those that must be told (again), and the listings that
        show their newest value already."""

    def send(self, connector: Any, tellings: Sequence[Telling[Said]]) -> Mapping[int, Rejected]:
        """Tell the platform; return what it refused, by listing."""

    def note(self, integration: ChannelIntegration, tellings: Sequence[Telling[Said]]) -> None:
        """Remember on the links what the platform confirmed; a link that became another meanwhile was not told it."""


def can(connector: Connector | type[Connector], ware: Ware[Any]) -> bool:
    """Whether the platform can be told this kind of thing."""
    kind = connector if isinstance(connector, type) else type(connector)
    return issubclass(kind, ware.capability)


def rows(query: str, **values: Any) -> list[tuple[Any, ...]]:
    """Run a query of queries.sql; return its rows, none where it gives none."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[query], {"now": clock.held(), **values})
        return list(cursor.fetchall()) if cursor.description else []


def linked(listing_ids: Iterable[int]) -> dict[int, Linked]:
    """The links of these listings, in one query."""
    found = {}
    for row in rows("links", listings=list(listing_ids)):
        listing_id, key, sku, ids, location, told, told_places, *rest = row
        ref = ListingRef(key=key, sku=sku, ids=from_json(ids))
        found[listing_id] = Linked(listing_id, ref, location, told, from_json(told_places), *rest)
    return found


def key_of(integration: ChannelIntegration, *parts: object) -> str:
    """The idempotency key of one telling: the same for every try of the same value under the same version, and another
    one in every other installation."""
    return str(uuid.uuid5(KEYS, "/".join(map(str, (integration.created_at.isoformat(), integration.pk, *parts)))))


def from_json(value: Any) -> Any:
    """What a JSON column holds: Django's cursors hand it out as text."""
    return json.loads(value) if isinstance(value, str) else value
