"""Why is it 47? Every receipt, hold, order, fence, buffer and rule behind what a channel may sell of a variant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.plural import plural
from finalmarket.kernel.sql import Queries
from finalmarket.stock.facts import PartFacts, facts_by_pair
from finalmarket.stock.formula import Facts, available
from finalmarket.stock.models import ChannelInventory, StockMovement, StockPool

QUERIES = Queries(Path(__file__).with_name("why.sql"))
DETAILS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Detail:
    """One receipt, hold, order or place behind a part; signed units."""

    quantity: int
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """One summand; the parts of an explanation add up to its total. `kind` is a stable word for programs."""

    kind: str
    quantity: int
    text: str
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a channel may sell `total` units of a variant.

    `reason` says why the listing cannot be bought, empty when it can. A bundle has the explanations of its components.
    """

    variant_id: int
    channel_id: int
    sku: str
    channel: str
    total: int
    reason: str
    parts: tuple[Part, ...]
    components: tuple[Explanation, ...] = field(default=())

    def __str__(self) -> str:
        """The whole explanation in words, one line for each part and detail."""
        lines = [f"{self.channel} may sell {self.total} of {self.sku}:"]
        for part in self.parts:
            lines.append(f"  {part.quantity:+d}  {part.text}")
            lines += [f"      {detail.quantity:+d}  {detail.text}" for detail in part.details]
        if self.reason:
            lines.append(f"  It cannot be bought now: {self.reason}.")
        for component in self.components:
            lines += [f"  {line}" for line in str(component).splitlines()]
        return "\n".join(lines)


def explain(variant: Variant, channel: SalesChannel) -> Explanation:
    """Return why `channel` may sell as many units of `variant` as it may; its parts add up to the total."""
    with _one_moment():
        parts = facts_by_pair([variant.pk], [channel.pk])[variant.pk, channel.pk]
        if len(parts) == 1 and parts[0].part_id == variant.pk:
            return _of_one(variant, channel, parts[0])
        return _of_bundle(variant, channel, parts)


@contextmanager
def _one_moment() -> Iterator[None]:
    """Let all questions see one state of the books while others sell; in a caller's transaction, as that sees them."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def _of_bundle(bundle: Variant, channel: SalesChannel, parts: list[PartFacts]) -> Explanation:
    variants = Variant.objects.in_bulk([part.part_id for part in parts])
    components = tuple(_of_one(variants[part.part_id], channel, part) for part in parts)
    sets = [component.total // part.each for component, part in zip(components, parts, strict=True)]
    scarce = sets.index(min(sets))
    said = f"{components[scarce].total} of {components[scarce].sku} make {sets[scarce]} at {parts[scarce].each} each"
    summand = Part("bundle", sets[scarce], f"what its components allow: {said}")
    return Explanation(
        bundle.pk, channel.pk, bundle.sku, channel.name, sets[scarce], parts[0].reason, (summand,), components
    )


def _of_one(variant: Variant, channel: SalesChannel, part: PartFacts) -> Explanation:
    facts = part.facts
    total = 0 if part.closed else available(facts)
    summands = [*_on_hand(variant.pk), *_promised(variant.pk, part), *_withheld(variant.pk, channel.pk, facts)]
    for limit in (_fence_only, _sources, _floor, _beyond, _cap, _percentage, _floor):
        summands += limit(variant.pk, channel.pk, facts, sum(summand.quantity for summand in summands))
    if part.closed:
        running = sum(summand.quantity for summand in summands)
        summands.append(Part("closed", -running, part.reason))
    return Explanation(variant.pk, channel.pk, variant.sku, channel.name, total, part.reason, tuple(summands))


def _on_hand(variant_id: int) -> list[Part]:
    """Every way in which goods came and went, from the ledger; together what is on hand."""
    parts = []
    for row in _rows("on_hand_by_kind", variant=variant_id):
        latest = _rows("latest_movements", variant=variant_id, kind=row["kind"], most=DETAILS_SHOWN)
        details = [Detail(movement["on_hand_delta"], _movement_text(movement)) for movement in latest]
        rest = row["units"] - sum(detail.quantity for detail in details)
        if row["movements"] > len(details):
            details.append(Detail(rest, f"{row['movements'] - len(details)} earlier ones"))
        label = StockMovement.Kind(row["kind"]).label
        parts.append(Part(f"ledger_{row['kind']}", row["units"], f"{label.lower()}", tuple(details)))
    return parts


def _movement_text(movement: dict[str, Any]) -> str:
    why = ", ".join(filter(None, [movement["place"], movement["reference"], movement["reason"]]))
    return f"{_day(movement['at'])} by {movement['actor']}" + (f" ({why})" if why else "")


def _promised(variant_id: int, part: PartFacts) -> list[Part]:
    """Open holds and promises to orders."""
    rows = [row for row in _rows("open_lines", variant=variant_id, most=DETAILS_SHOWN) if not row["is_backorder"]]
    parts = []
    for state, kind, units, said in (
        ("held", "reserved", part.facts.reserved, "held for carts and checkouts"),
        ("confirmed", "allocated", part.facts.allocated, "promised to orders"),
    ):
        if units:
            parts.append(Part(kind, -units, said, tuple(_line_details([row for row in rows if row["state"] == state]))))
    if part.expired:
        parts.append(Part("expired", 0, f"{plural(part.expired, 'unit')} of holds that have ended: free"))
    return parts


def _line_details(rows: list[dict[str, Any]]) -> list[Detail]:
    details = []
    for row in rows:
        until = f", until {_moment(row['expires_at'])}" if row["expires_at"] else ""
        place = f" at {row['place']}" if row["place"] else ""
        details.append(Detail(-row["quantity"], f"{row['key']} on {row['channel']}{place}{until}"))
    if rows and rows[0]["lines"] > len(rows):
        rest = int(rows[0]["units"]) + sum(detail.quantity for detail in details)
        details.append(Detail(-rest, f"{rows[0]['lines'] - len(rows)} more"))
    return details


def _withheld(variant_id: int, channel_id: int, facts: Facts) -> list[Part]:
    """Safety stock, the fences of others, the buffer; and, adding nothing, what may be lent."""
    parts = []
    if facts.safety:
        places = _rows("safety_by_place", variant=variant_id)
        details = tuple(Detail(-row["safety"], f"at {row['code']}") for row in places)
        parts.append(Part("safety", -facts.safety, "safety stock", details))
    others = [row for row in _rows("fences", variant=variant_id) if row["id"] != channel_id]
    borrows = facts.lendable > 0
    closed = [row for row in others if not (borrows and row["lends"])]
    if facts.foreign_fences:
        details = tuple(Detail(-row["fence"], f"for {row['name']}") for row in closed)
        parts.append(Part("fences", -facts.foreign_fences, "fenced for other channels", details))
    if borrows:
        lenders = ", ".join(f"{row['fence']} from {row['name']}" for row in others if row["lends"])
        parts.append(Part("lendable", 0, f"may be borrowed when its own runs out: {lenders}"))
    if facts.buffer:
        parts.append(Part("buffer", -facts.buffer, "buffer withheld from this channel"))
    return parts


def _fence_only(variant_id: int, channel_id: int, facts: Facts, running: int) -> list[Part]:
    reach = facts.own_fence + facts.lendable
    if facts.uses_pool or running <= reach:
        return []
    lent = f" and {facts.lendable} lent to it" if facts.lendable else ""
    return [Part("fence_only", reach - running, f"sells its own fence of {facts.own_fence}{lent} only, not the pool")]


def _sources(variant_id: int, channel_id: int, facts: Facts, running: int) -> list[Part]:
    if running <= facts.at_sources:
        return []
    shelves = _rows("shelves", variant=variant_id, channel=channel_id)
    details = tuple(
        Detail(0, f"{row['free']} free at {row['code']}, which it does not sell from")
        for row in shelves
        if not row["is_source"] and row["free"] > 0
    )
    said = f"only {facts.at_sources} lie free where it sells from"
    return [Part("sources", facts.at_sources - running, said, details)]


def _floor(variant_id: int, channel_id: int, facts: Facts, running: int) -> list[Part]:
    return [Part("floor", -running, "nobody sells less than nothing")] if running < 0 else []


def _beyond(variant_id: int, channel_id: int, facts: Facts, running: int) -> list[Part]:
    """Backorder room and what is expected, less what is promised of it already."""
    if not facts.beyond:
        return []
    pool = StockPool.objects.get(pk=variant_id)
    policy = ChannelInventory.objects.get(variant_id=variant_id, sales_channel_id=channel_id)
    details = []
    if policy.allows_backorder and pool.backorder_limit:
        details.append(Detail(pool.backorder_limit, "backorder limit"))
    if policy.incoming_horizon_days > 0:
        for row in _rows("expected", variant=variant_id, days=policy.incoming_horizon_days):
            who = " ".join(filter(None, [row["supplier"], row["reference"]]))
            when = f"expected {_day(row['expected_at'])} at {row['code']}"
            details.append(Detail(row["units"], f"{when} ({who})" if who else when))
    promised = facts.beyond - sum(detail.quantity for detail in details)
    if promised:
        details.append(Detail(promised, "promised beyond stock already"))
    return [Part("beyond", facts.beyond, "may be promised beyond what is here", tuple(details))]


def _cap(variant_id: int, channel_id: int, facts: Facts, running: int) -> list[Part]:
    if facts.cap is None or running <= facts.cap - facts.used:
        return []
    said = f"may have {facts.cap} open units at most and has {facts.used}"
    return [Part("cap", facts.cap - facts.used - running, said)]


def _percentage(variant_id: int, channel_id: int, facts: Facts, running: int) -> list[Part]:
    if facts.percent is None:
        return []
    share = facts.percent * facts.on_hand // 100
    if running <= share - facts.used:
        return []
    said = f"may have {facts.percent}% of {facts.on_hand} on hand open, {plural(share, 'unit')}, and has {facts.used}"
    return [Part("percent", share - facts.used - running, said)]


def _rows(name: str, **parameters: Any) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[name], parameters)
        columns = [column.name for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
