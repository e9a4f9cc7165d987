"""Storing a batch of lines: orders first, then what takes back or corrects, each exactly once by its constraint.

Two transactions, so that no lock is waited for out of order: a verb locks rows of orders before pools of stock. The
second one moves the import on; after a crash between them the first one is gone through again and changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

from django.db import connection, transaction

from finalmarket.bulk.orders_mapping import OrderMapping
from finalmarket.bulk.orders_matching import Cancellation, Match, match
from finalmarket.bulk.orders_places import Turns
from finalmarket.bulk.orders_reader import CANCELLATION, PARTS_PER_LINE, SALE, STOCK, Head, ReadBatch, SourceLine, Who
from finalmarket.bulk.orders_setup import ACTOR, House, find_variants
from finalmarket.bulk.orders_survey import Chooser
from finalmarket.bulk.row import Problem
from finalmarket.channels.models import SalesChannel
from finalmarket.customers import erased
from finalmarket.customers.resolve import Contact, resolve_many
from finalmarket.kernel import failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import Queries
from finalmarket.orders.models import Order, OrderImport, OrderImportRefusal
from finalmarket.orders.past import HistoricOrders, PastLine, PastOrder, Tender, write
from finalmarket.orders.past_returns import HistoricReturns, PastReturn, PastReturnLine, write_returns
from finalmarket.stock import ledger

SQL = Queries(Path(__file__).with_name("orders.sql"))
REMEMBERED = 100_000
_Named: TypeAlias = tuple[Who, datetime | None]
"""Who a line names, and when, as far as the moment counts."""


@dataclass(slots=True)
class _Placed:
    """A line with what the database knows of it."""

    line: SourceLine
    channel: SalesChannel
    position: int
    variant_id: int | None
    customer_id: int | None


@dataclass(slots=True)
class _Batch:
    """The lines of a batch, sorted by what they are."""

    sales: list[_Placed] = field(default_factory=list)
    cancellations: list[_Placed] = field(default_factory=list)
    corrections: list[_Placed] = field(default_factory=list)
    refused: list[tuple[int, Problem]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    amounts: dict[str, Decimal] = field(default_factory=dict)


class Writer:
    """Stores the batches of one import, in the order of the file."""

    def __init__(self, mapping: OrderMapping, house: House, chooser: Chooser, record: OrderImport) -> None:
        self.mapping, self.house, self.chooser, self.record = mapping, house, chooser, record
        self._variants: dict[str, int | None] = {}
        self._people: dict[_Named, int | None] = {}
        self._is_by_moment = False
        self._source = mapping.get("values", "source")
        self._tenders = (Tender(mapping.get("orders", "tender")),)
        self._turns = Turns()

    def pass_over(self, read: ReadBatch) -> None:
        """Only count the rows of each order: a batch that an interrupted run has stored."""
        self._turns.before(read.turns)

    def store(self, read: ReadBatch, rows_done: int) -> None:
        """Store one batch and move the import on to `rows_done`. Raises UserError when another process imports too."""
        batch = self._store_orders(read)
        failpoints.hit("import.after_orders")
        self._store_the_rest(read, batch, rows_done)
        failpoints.hit("import.after_chunk")

    @transaction.atomic
    def _store_orders(self, read: ReadBatch) -> _Batch:
        self._hold()
        batch = self._place(read)
        history = self._history(batch)
        written = write(history, actor=ACTOR)
        self._count(
            {"new_orders": written.orders, "new_lines": written.lines, "short_units": written.short_units}, {}
        )  # fmt: skip
        return batch

    @transaction.atomic
    def _store_the_rest(self, read: ReadBatch, batch: _Batch, rows_done: int) -> None:
        self._hold()
        batch.cancellations, batch.corrections = self._unbooked(batch)
        matches = match([_cancellation(placed, self._currency(placed)) for placed in batch.cancellations])
        orders = sorted({part.order_id for found in matches for part in found.parts})
        list(Order.objects.select_for_update().filter(pk__in=orders).order_by("pk").values_list("pk"))
        moved = [*batch.cancellations, *batch.corrections]
        ledger.lock(placed.variant_id for placed in moved if placed.variant_id is not None)
        self._take_back(batch, matches)
        self._correct(batch)
        refused = [*read.refused, *batch.refused]
        OrderImportRefusal.objects.bulk_create(
            [
                OrderImportRefusal(
                    order_import=self.record, row=row, column=problem.column[:200], value=problem.value[:300],
                    reason=problem.reason[:500],
                )
                for row, problem in refused
            ],
            ignore_conflicts=True,
        )  # fmt: skip
        batch.counts["refused"] += len(refused)
        self.record.rows_done = rows_done
        self._count(batch.counts, batch.amounts)

    def _hold(self) -> None:
        """Hold the import's row: two processes never write one import."""
        done = OrderImport.objects.select_for_update().values_list("rows_done", flat=True).get(pk=self.record.pk)
        if done != self.record.rows_done:
            raise UserError(f"{self.record.file_name} is being imported by another process; wait for it")

    def _count(self, counts: Mapping[str, int], amounts: Mapping[str, Decimal]) -> None:
        known = self.record.counts
        for name, number in counts.items():
            known[name] = known.get(name, 0) + number
        for name, amount in amounts.items():
            known[name] = str(Decimal(known.get(name, "0")) + amount)
        self.record.save(update_fields=["counts", "rows_done"])

    def _place(self, read: ReadBatch) -> _Batch:
        """Find channel, variant, customer and position of every line; refuse those that cannot be placed."""
        batch = _Batch()
        before = self._turns.before(read.turns)
        self._find_variants({line.sku for line in read.lines if line.kind == "goods"})
        self._find_people(line for line in read.lines if line.use != STOCK)
        lists = {SALE: batch.sales, CANCELLATION: batch.cancellations}
        variants, people, channels = self._variants, self._people, self.house.channels
        head, channel, problem = None, None, None
        for line in read.lines:
            if line.head is not head:
                head = line.head
                channel = channels.get(self.chooser.name(head))
                problem = self._wrong_channel(head, channel)
            variant_id = variants[line.sku] if line.kind == "goods" else None
            if line.kind == "goods" and variant_id is None:
                batch.refused.append((line.row, Problem(self._column("sku"), line.sku, "there is no such SKU")))
            elif problem is not None:
                batch.refused.append((line.row, problem))
            elif channel is not None:
                position = line.position if line.position is not None else before.get(line.order, 0) + line.turn
                named = self._named(line)
                person = people.get(named) if named is not None else None
                lists.get(line.use, batch.corrections).append(_Placed(line, channel, position, variant_id, person))
        return batch

    def _wrong_channel(self, head: Head, channel: SalesChannel | None) -> Problem | None:
        if channel is None:
            return Problem(self._column("channel"), head.channel, "there is no such channel")
        if not head.currency or head.currency == channel.currency:
            return None
        reason = f"is not the currency of the channel {channel.name}, which is {channel.currency}"
        return Problem(self._column("currency"), head.currency, reason)

    def _column(self, name: str) -> str:
        return self.mapping.columns.get(name, name)

    def _find_variants(self, skus: set[str]) -> None:
        if len(self._variants) > REMEMBERED:
            self._variants.clear()
        unknown = [sku for sku in skus if sku not in self._variants]
        found = find_variants(unknown, folds_case=self.house.folds_case) if unknown else {}
        for sku in unknown:
            self._variants[sku] = found.get(sku)

    def _find_people(self, lines: Iterable[SourceLine]) -> None:
        """Find the customers of the orders, new ones among them, by account, e-mail address or phone. Where anybody was
        erased, the moment counts too: what was bought before is not theirs who are back."""
        if len(self._people) > REMEMBERED:
            self._people.clear()
        self._is_by_moment = erased.is_anybody()
        named = ((self._named(line), line.head) for line in lines)
        new = {one: head for one, head in named if one is not None and one not in self._people}
        if new:
            contacts = [self._contact(one, head.country) for one, head in new.items()]
            self._people.update(zip(new, resolve_many(contacts, source=self._source), strict=True))

    def _named(self, line: SourceLine) -> _Named | None:
        who = line.head.who
        return None if who is None else (who, line.placed_at if self._is_by_moment else None)

    def _contact(self, named: _Named, country: str) -> Contact:
        who, at = named
        space = self.mapping.get("customers", "namespace") or self._source
        account = f"{space}:{who.number}" if who.number else ""
        return Contact(who.name, who.email, who.phone, country, account=account, at=at)

    def _history(self, batch: _Batch) -> HistoricOrders:
        """The orders of the batch, each with its lines; the first line of an order says when and for whom."""
        index: dict[tuple[int, str], int] = {}
        orders: list[PastOrder] = []
        lines: list[PastLine] = []
        for placed in batch.sales:
            line = placed.line
            key = placed.channel.pk, line.order
            number = index.get(key)
            if number is None:
                number = index[key] = len(orders)
                orders.append(self._order(placed))
            lines.append(
                PastLine(
                    number, placed.position, line.quantity, line.price, line.kind, placed.variant_id, line.sku,
                    line.title, "", line.discount,
                )
            )  # fmt: skip
        return HistoricOrders(orders, lines)

    def _order(self, placed: _Placed) -> PastOrder:
        line, head = placed.line, placed.line.head
        prefix = self.mapping.get("orders", "number_prefix")
        address = {
            "country": head.country, "postcode": head.postcode, "city": head.city,
            "region": head.region if head.region and not head.country else "",
        }  # fmt: skip
        return PastOrder(
            placed.channel.pk, line.order, line.placed_at, self._currency(placed), self._source,
            f"{prefix}{line.order}"[:60] if prefix else "", placed.customer_id,
            email=head.who.email if head.who else "", phone=head.who.phone[:40] if head.who else "",
            location_id=self.house.location_id,
            shipping_address={name: value for name, value in address.items() if value}, tenders=self._tenders,
        )  # fmt: skip

    def _currency(self, placed: _Placed) -> str:
        return placed.line.head.currency or placed.channel.currency

    def _unbooked(self, batch: _Batch) -> tuple[list[_Placed], list[_Placed]]:
        """Return the cancellations and corrections that were not booked before; from now on they are."""
        lines = [*batch.cancellations, *batch.corrections]
        if not lines:
            return [], []
        keys = [(placed.channel.pk, placed.line.order, placed.position) for placed in lines]
        with connection.cursor() as cursor:
            cursor.execute(SQL["claim"], [self._source, *(list(column) for column in zip(*keys, strict=True))])
            new = set(cursor.fetchall())
        batch.counts["booked_before"] += len(lines) - len(new)
        fresh = [placed for placed, key in zip(lines, keys, strict=True) if key in new]
        return (
            [placed for placed in fresh if placed.line.use == CANCELLATION],
            [placed for placed in fresh if placed.line.use != CANCELLATION],
        )

    def _take_back(self, batch: _Batch, matches: Sequence[Match]) -> None:
        """Book the returns: one for each cancellation and order, and one for what has no known sale."""
        records: dict[tuple[int, str], int] = {}
        returns: list[PastReturn] = []
        lines: list[PastReturnLine] = []
        for placed, found in zip(batch.cancellations, matches, strict=True):
            _count_match(batch.counts, placed, found)
            line = placed.line
            parts: list[tuple[Any, int]] = [(part, part.quantity) for part in found.parts]
            parts += [(None, found.rest)] if found.rest else []
            for turn, (part, units) in enumerate(parts):
                key = line.order if part is None else f"{line.order}/{part.external_id}"[:200]
                channel_id = placed.channel.pk if part is None else part.channel_id
                number = records.setdefault((channel_id, key), len(returns))
                if number == len(returns):
                    returns.append(
                        PastReturn(
                            channel_id, key, line.placed_at, part.order_id if part else None, placed.customer_id,
                            f"cancelled by {line.order}",
                        )
                    )  # fmt: skip
                fate = self._fate(placed, is_linked=part is not None)
                lines.append(
                    PastReturnLine(
                        number, placed.position * PARTS_PER_LINE + turn, units, line.price * units,
                        part.line_id if part else None, placed.variant_id, line.sku, fate,
                        self.house.location_id if fate == "restock" else None,
                    )
                )  # fmt: skip
        if lines:
            written = write_returns(HistoricReturns(returns, lines), actor=ACTOR)
            batch.counts["returns"] += written.returns
            batch.counts["restocked_units"] += written.restocked_units
            batch.amounts |= {"refunded": written.refunded, "uncovered": written.uncovered}

    def _fate(self, placed: _Placed, *, is_linked: bool) -> str:
        if placed.variant_id is None:
            return "none"
        return str(self.mapping.get("cancellations", "disposition" if is_linked else "unlinked_disposition"))

    def _correct(self, batch: _Batch) -> None:
        """Book corrections of the stock, as far as the goods are there; the report says where they were not."""
        lines = [(placed.line, placed.variant_id) for placed in batch.corrections if placed.variant_id is not None]
        if not lines:
            return
        location_id = self.house.location_id
        with connection.cursor() as cursor:
            cursor.execute(SQL["on_hand"], [[variant_id for _, variant_id in lines], location_id])
            there = {variant_id: [on_hand, promised] for variant_id, on_hand, promised in cursor.fetchall()}
        movements: list[ledger.Movement] = []
        for line, variant_id in lines:
            on_hand, promised = there.get(variant_id, (0, 0))
            units = min(-line.quantity, on_hand)
            _count_correction(batch, line, units, on_hand, self._column("quantity"))
            if not units:
                continue
            there[variant_id] = [on_hand - units, min(promised, on_hand - units)]
            reason, reference = line.title[:200] or "stock adjustment of an import", f"import:{line.order}"[:100]
            if on_hand - units < promised:  # somebody waits for these units: the verb says who gives way
                ledger.post(movements, actor=ACTOR)
                movements = []
                ledger.adjust(variant_id, location_id, -units, reason=reason, actor=ACTOR, reference=reference)
            else:
                movements.append(
                    ledger.Movement(
                        "adjust", variant_id, location_id, on_hand=-units, reference=reference, reason=reason
                    )
                )
        ledger.post(movements, actor=ACTOR)
        with connection.cursor() as cursor:
            cursor.execute(SQL["trim"], [[variant_id for _, variant_id in lines], ACTOR])


def _cancellation(placed: _Placed, currency: str) -> Cancellation:
    line = placed.line
    return Cancellation(placed.customer_id, placed.variant_id, line.sku, currency, -line.quantity, line.placed_at)


def _count_correction(batch: _Batch, line: SourceLine, units: int, there: int, column: str) -> None:
    batch.counts["corrections"] += 1
    batch.counts["corrected_units"] += units
    if units < -line.quantity:
        batch.counts["corrections_cut"] += 1
        reason = f"takes {-line.quantity:,} away, and {there:,} were there; {units:,} were taken"
        batch.refused.append((line.row, Problem(column, str(line.quantity), reason)))


def _count_match(counts: Counter[str], placed: _Placed, found: Match) -> None:
    counts["matched"] += bool(found.parts)
    counts["matched_in_part"] += bool(found.parts and found.rest)
    counts["matched_over_several"] += len(found.parts) > 1
    counts["unlinked"] += not found.parts
    counts["unlinked_without_customer"] += not found.parts and placed.customer_id is None
