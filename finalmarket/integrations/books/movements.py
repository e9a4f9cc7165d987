"""Stock that moved, in a connector's words.

A transfer between two places that the account knows is told when it leaves, whole; what is lost on the way, when that
is found out. Where the account knows only one of the places, goods are gone from it or come to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection

from finalmarket.connectors.books import MovementNotice
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.integrations.telling import key_of
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("events.sql"))
KINDS = {"receive": "receive", "sale": "sale", "fulfil": "sale", "return": "return"}
LOSSES = ("damage", "lost", "loss", "stolen", "theft", "scrap", "expired", "spoil", "broken")
"""Words of reasons that say that goods are gone, and not only counted anew."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A line of the ledger. `here`, `source` and `destination` are the account's names of the places, "" for one that
    it does not know; `is_at_source` says that the line is where its transfer left from; `time_zone` is the channel's of
    its order, else the merchant's."""

    kind: str
    sku: str
    delta: int
    at: datetime
    reason: str
    reference: str
    item_id: str
    here: str
    source: str
    destination: str
    is_at_source: bool
    discrepancy: int
    order_number: str
    time_zone: str


def notices_of(integration: ChannelIntegration, due: Mapping[int, int]) -> dict[int, MovementNotice]:
    """What the account is told of these lines of the ledger, by the id of the due event; one query. A line of which
    there is nothing to tell (any more) is left out."""
    values: dict[str, Any] = {"integration": integration.pk, "events": list(due), "rows": list(due.values())}
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["movements"], values)
        found = {row[0]: Moved(*row[1:]) for row in cursor.fetchall()}
    notices = {}
    for event, moved in found.items():
        key = key_of(integration, "movement", due[event])
        notice = notice_of(moved, key) if moved.here else None
        if notice is not None:
            notices[event] = notice
    return notices


def notice_of(moved: Moved, key: str) -> MovementNotice | None:
    """A line of the ledger in a connector's words; None where it moved nothing that the account can see."""
    kind, quantity, place, to_place, reason = _said(moved)
    if not quantity:
        return None
    return MovementNotice(
        key=key, kind=kind, sku=moved.sku, quantity=quantity, at=moved.at, item_id=moved.item_id, location=place,
        to_location=to_place, reason=reason, order_number=moved.order_number,
        time_zone=moved.time_zone,
    )  # fmt: skip


def _said(moved: Moved) -> tuple[str, int, str, str, str]:
    """Kind, units, place, place it goes to, and reason."""
    if moved.kind == "transfer_out":
        if moved.destination:
            return "transfer", -moved.delta, moved.here, moved.destination, moved.reason
        return "adjust", moved.delta, moved.here, "", moved.reason or "sent to another place"
    if moved.kind == "transfer_in":
        return _arrived(moved)
    if moved.kind in KINDS:
        return KINDS[moved.kind], moved.delta, moved.here, "", moved.reason
    is_loss = moved.delta < 0 and any(word in moved.reason.casefold() for word in LOSSES)
    return "loss" if is_loss else "adjust", moved.delta, moved.here, "", moved.reason


def _arrived(moved: Moved) -> tuple[str, int, str, str, str]:
    if moved.is_at_source:  # it was called off
        if moved.destination:
            return "transfer", moved.delta, moved.destination, moved.here, moved.reason or "called off"
        return "adjust", moved.delta, moved.here, "", moved.reason or "came back"
    if moved.delta == 0:  # what was told as arrived did not, or more did
        kind = "loss" if moved.discrepancy < 0 else "adjust"
        return kind, moved.discrepancy if moved.source else 0, moved.here, "", moved.reason
    return "receive", 0 if moved.source else moved.delta, moved.here, "", moved.reason or "came from another place"
