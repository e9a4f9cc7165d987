"""Bringing in orders that already happened from a file of order lines, CSV or Parquet.

The file is gone through twice: once to see whether it can be read and what it needs, and once to store it, batch by
batch. The memory does not grow with the file; an import that was interrupted goes on where it stopped, and one that is
done again changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction

from finalmarket.bulk.orders_ahead import ahead, calm_collector
from finalmarket.bulk.orders_mapping import OrderMapping, load
from finalmarket.bulk.orders_places import placed
from finalmarket.bulk.orders_reader import Reader
from finalmarket.bulk.orders_setup import (
    House,
    find_channels,
    find_location,
    make_products,
    receive_opening_stock,
    unknown_skus,
)
from finalmarket.bulk.orders_survey import SHOWN, Chooser, Survey, survey
from finalmarket.bulk.orders_writer import Writer
from finalmarket.bulk.report import Report, is_report, report_path
from finalmarket.bulk.row import Problem
from finalmarket.bulk.tables import Table, open_table
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock
from finalmarket.kernel.jobs import enqueue
from finalmarket.orders.models import OrderImport

BATCH_ROWS = 10_000  # a batch holds the locks of its SKUs for about a second; half as many take a quarter longer
VALUE = "analytics.value_customers"
Progress = Callable[[str, int, int | None], None]
"""Is told the step, the rows done, and the rows there are (None: not known)."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to import, and how. `mapping` and `location` as on the command line; None: as the mapping says."""

    file: Path
    channel: str
    mapping: str | None = None
    location: str | None = None
    opening_stock: bool = False
    batch_rows: int = BATCH_ROWS


@dataclass(slots=True)
class Outcome:
    """What an import found and did. `counts` is empty after a preview; `report` is the file of refused rows, if any."""

    survey: Survey
    currency: str
    missing_channels: list[str] = field(default_factory=list)
    missing_skus: list[str] = field(default_factory=list)
    creates_products: bool = False
    counts: dict[str, Any] = field(default_factory=dict)
    first_refused: list[tuple[int, Problem]] = field(default_factory=list)
    resumed_at: int = 0
    report: Path | None = None


class OrderFile:
    """A file of orders that was looked through, ready to be previewed or stored.

    Raises UserError when the file or the mapping cannot be used; then nothing is stored.
    """

    def __init__(self, wish: Wish, progress: Progress | None = None) -> None:
        self.wish = wish
        self.mapping: OrderMapping = load(wish.mapping)
        find_channels(self.mapping, [], wish.channel, create=False)
        find_location(self.mapping, wish.location, create=False)
        is_ours = is_report(wish.file)
        self.table: Table = open_table(
            wish.file,
            encoding="utf-8" if is_ours else self.mapping.get("file", "encoding"),
            delimiter="," if is_ours else self.mapping.get("file", "delimiter") or None,
        )
        self.reader = Reader(self.table, self.mapping)
        self.chooser = Chooser(self.mapping, wish.channel)
        self._progress = progress or (lambda step, done, whole: None)
        self._folds = self.mapping.get("skus", "fold_case")
        with calm_collector():
            self.survey = survey(
                self.reader, self.chooser, wish.batch_rows, lambda done: self._progress("Looking through", done, None)
            )

    def preview(self) -> Outcome:
        """Tell what an import would do; nothing is stored."""
        channels = find_channels(self.mapping, self.survey.channels, self.wish.channel, create=False)
        return Outcome(
            self.survey,
            self._currency(channels),
            [name for name in self.survey.channels if name not in channels],
            unknown_skus(self.survey, folds_case=self._folds),
            self.mapping.get("products", "create"),
            first_refused=self.survey.first_refused,
        )

    def store(self) -> Outcome:
        """Store the orders, going on where an interrupted import stopped; write the report of refused rows."""
        record, house = self._begin()
        outcome = Outcome(self.survey, self._currency(house.channels), resumed_at=record.rows_done)
        writer = Writer(self.mapping, house, self.chooser, record)
        done = 0
        with calm_collector(), closing(ahead(self.reader.batches(self.wish.batch_rows))) as batches:
            for read in batches:
                done += read.rows
                if done <= record.rows_done:
                    writer.pass_over(read)
                else:
                    writer.store(read, done)
                self._progress("Storing", done, self.survey.rows)
        _finish(record)
        outcome.counts = record.counts
        outcome.first_refused = [
            (refusal.row, Problem(refusal.column, refusal.value, refusal.reason))
            for refusal in record.refusals.order_by("row")[:SHOWN]
        ]
        outcome.report = self._write_report(record)
        return outcome

    @transaction.atomic
    def _begin(self) -> tuple[OrderImport, House]:
        """Find or make the record of this import and all that its lines refer to."""
        channels = find_channels(self.mapping, self.survey.channels, self.wish.channel, create=True)
        location = find_location(self.mapping, self.wish.location, create=True)
        house = House(channels, location.pk if location else 0, self._folds)
        record = self._record(channels[self.wish.channel])
        if self.mapping.get("products", "create"):
            missing = unknown_skus(self.survey, folds_case=self._folds)
            made = make_products(self.survey, missing, self._currency(channels))
            record.counts["new_products"] = record.counts.get("new_products", 0) + made
        if self.wish.opening_stock and not record.has_opening_stock:
            units = receive_opening_stock(self.survey, house, self.wish.file.name)
            record.has_opening_stock, record.counts["opening_units"] = True, units
        record.save()
        return record, house

    def _record(self, channel: SalesChannel) -> OrderImport:
        """The record of this file; one that is done, or was begun by another mapping, begins anew."""
        rules = hashlib.sha256(repr((self.mapping.settings, self.mapping.rules)).encode()).hexdigest()
        record, is_new = OrderImport.objects.select_for_update().get_or_create(
            fingerprint=self._fingerprint(channel),
            defaults={"mapping_hash": rules, "file_name": self.wish.file.name[:300], "sales_channel": channel},
        )
        if not is_new and (record.state == OrderImport.State.DONE or record.mapping_hash != rules):
            record.refusals.all().delete()
            record.state, record.rows_done, record.counts, record.mapping_hash = "running", 0, {}, rules
            record.finished_at = None
        return record

    def _fingerprint(self, channel: SalesChannel) -> str:
        digest = hashlib.sha256(f"{channel.pk} {self.mapping.get('values', 'source')} ".encode())
        with self.wish.file.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
        return digest.hexdigest()

    def _currency(self, channels: dict[str, SalesChannel]) -> str:
        known = channels.get(self.wish.channel)
        return self.mapping.get("values", "currency") or (known.currency if known else "EUR")

    def _write_report(self, record: OrderImport) -> Path | None:
        """Write the refused rows beside the file, in a further pass that ends with the last of them."""
        refusals = record.refusals.order_by("row").values_list("row", "column", "value", "reason")
        pending = iter(refusals.iterator(chunk_size=2_000))
        wanted = next(pending, None)
        with Report(self.wish.file, self.table.header, has_places=True) as report:
            rows = placed(self.reader, self.wish.batch_rows) if wanted else iter(())
            for row, line, *place in rows:
                if wanted and row.line == wanted[0]:
                    report.refuse(line, Problem(*wanted[1:]), row.cells, place)
                    wanted = next(pending, None)
                if wanted is None:
                    break
        return report_path(self.wish.file) if report.count else None


@transaction.atomic
def _finish(record: OrderImport) -> None:
    """Mark the import as done and have customers valued anew: what it brought in happened long ago, where nobody looks
    who follows the newest events of the order book."""
    record.state, record.finished_at = OrderImport.State.DONE, clock.now()
    record.save()
    enqueue(VALUE, queueing_lock=VALUE)


def import_orders(wish: Wish, progress: Progress | None = None) -> Outcome:
    """Look through a file of orders and store it; see `OrderFile`."""
    return OrderFile(wish, progress).store()
