"""The first look through a file of orders: what is in it, what it needs, and whether it can be read to its end.

Nothing is stored before the whole file has passed it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from finalmarket.bulk.orders_mapping import OrderMapping
from finalmarket.bulk.orders_reader import NOTHING, SALE, STOCK, Head, Reader, SourceLine
from finalmarket.bulk.row import Problem

SHOWN = 5  # refused rows that are shown; all of them stand in the report
Progress = Callable[[int], None]


@dataclass(slots=True)
class SkuNote:
    """What the file says of one SKU of goods: its first title, its last price, and the units that leave the shelf."""

    title: str = ""
    price: Decimal | None = None
    currency: str = ""
    units: int = 0


@dataclass(slots=True)
class Survey:
    """What is in a file. Amounts are by (what, currency); the currency is "" where the channel's is meant."""

    rows: int = 0
    refused: int = 0
    first_refused: list[tuple[int, Problem]] = field(default_factory=list)
    lines: Counter[tuple[str, str]] = field(default_factory=Counter)  # by use and kind
    adjustments: int = 0  # lines of financial adjustments
    amounts: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(lambda: NOTHING))
    channels: Counter[str] = field(default_factory=Counter)
    skus: dict[str, SkuNote] = field(default_factory=dict)
    first_at: datetime | None = None
    last_at: datetime | None = None

    def units(self) -> int:
        """The units that leave the shelf in all."""
        return sum(note.units for note in self.skus.values())


class Chooser:
    """Says to which channel an order belongs: a rule of the mapping, the line's own word, or the default."""

    def __init__(self, mapping: OrderMapping, default: str) -> None:
        self._by_value = {value: rule.channel for rule in mapping.rules for value in rule.values}
        self._default = default

    def name(self, head: Head) -> str:
        """The name of the channel."""
        return self._by_value.get(head.by) or head.channel or self._default


def survey(reader: Reader, chooser: Chooser, size: int, progress: Progress | None = None) -> Survey:
    """Read the whole file and note what is in it. Raises UserError where the file cannot be read."""
    found = Survey()
    for batch in reader.batches(size):
        found.rows += batch.rows
        found.refused += len(batch.refused)
        if len(found.first_refused) < SHOWN:
            found.first_refused += sorted(batch.refused, key=lambda refusal: refusal[0])[:SHOWN]
        _note_lines(found, chooser, batch.lines, reader.mapping)
        if progress:
            progress(found.rows)
    del found.first_refused[SHOWN:]
    return found


def _note_lines(found: Survey, chooser: Chooser, lines: list[SourceLine], mapping: OrderMapping) -> None:
    lines_of, amounts, skus = found.lines, found.amounts, found.skus
    adjusts = mapping.get("adjustments", "prefix")
    head, currency = None, ""
    for line in lines:
        if line.head is not head:
            head = line.head
            currency = head.currency or mapping.get("values", "currency")
            found.channels[chooser.name(head)] += 1
        lines_of[line.use, line.kind] += 1
        amount = line.quantity * line.price - line.discount
        what = line.use if line.use != SALE else "charged" if amount >= 0 else "taken off"
        amounts[what, currency] += amount
        if adjusts and line.order.startswith(adjusts):
            found.adjustments += 1
        if line.kind == "goods":
            _note_sku(skus, line, currency)
    if lines:
        times = [line.placed_at for line in lines]
        found.first_at = min(min(times), found.first_at or times[0])
        found.last_at = max(max(times), found.last_at or times[0])


def _note_sku(skus: dict[str, SkuNote], line: SourceLine, currency: str) -> None:
    note = skus.get(line.sku)
    if note is None:
        note = skus[line.sku] = SkuNote()
    if line.use == SALE:
        note.units += line.quantity
        if line.price > 0:
            if not note.title or note.price is None:
                note.title = line.title or note.title
            note.price, note.currency = line.price, currency
    elif line.use == STOCK:
        note.units -= line.quantity
