"""From the rows of a file to order lines with a meaning, by the rules of the mapping; batch by batch, no database.

Every distinct value of a column is read once and remembered, so that the price of a careful look is paid a few thousand
times and not with every row.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from babel import Locale

from finalmarket.bulk.landing import unsafe
from finalmarket.bulk.orders_mapping import OrderMapping
from finalmarket.bulk.orders_places import CARRIED, carried, restored
from finalmarket.bulk.orders_schema import KINDS, OF_THE_LINE, OF_THE_ORDER, REQUIRED
from finalmarket.bulk.row import Batch, Problem, Row, shorten
from finalmarket.bulk.tables import Table
from finalmarket.bulk.values import MOST_UNITS, SKU, line_of_text
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import check_currency, parse

REMEMBERED = 100_000  # values of one column
MOST_PRICE = Decimal(10) ** 10
PARTS_PER_LINE = 100  # positions in a return that one line of a cancellation may take
MOST_CANCELLED_POSITION = MOST_UNITS // PARTS_PER_LINE - 1
SALE, CANCELLATION, STOCK = "sale", "cancellation", "stock adjustment"
NOTHING = Decimal(0)
_ORDER = line_of_text(90)
_TEXT = line_of_text(300)
_COUNTRIES = {name: code for code, name in Locale("en").territories.items() if len(code) == 2 and code.isalpha()}


class Wrong(NamedTuple):
    """What stands where a value should be that could not be read."""

    reason: str


class Who(NamedTuple):
    """What a line says of its customer."""

    number: str
    name: str = ""
    email: str = ""
    phone: str = ""


class Head(NamedTuple):
    """What a line says of its order. `by` is what the field holds that the rules for channels look at."""

    currency: str
    who: Who | None
    country: str
    region: str
    postcode: str
    city: str
    channel: str
    by: str


class SourceLine(NamedTuple):
    """One line of the file. `use` says what it is: a line of an order, a cancellation, or a change of stock.

    `turn` is its turn within its order in this batch, from 0, `position` what the file says of it (None: nothing).
    """

    row: int
    order: str
    turn: int
    position: int | None
    use: str
    kind: str
    sku: str
    title: str
    quantity: int
    price: Decimal
    discount: Decimal
    placed_at: datetime
    head: Head


@dataclass(slots=True)
class ReadBatch:
    """What a batch of rows says: its lines, what is refused, and how many rows each order has in it."""

    rows: int = 0
    lines: list[SourceLine] = field(default_factory=list)
    refused: list[tuple[int, Problem]] = field(default_factory=list)
    turns: Counter[str] = field(default_factory=Counter)


class _Memory(dict[Any, Any]):
    """Values of one column that were read before."""

    def __init__(self, read: Callable[[Any], Any], *, default: Any) -> None:
        self._read, self._default = read, default
        self.met_wrong = False

    def __missing__(self, cell: Any) -> Any:
        if len(self) >= REMEMBERED:
            self.clear()
        try:
            value = self._default if self._is_empty(cell) else self._read(cell)
        except (ValueError, UserError) as error:
            value = Wrong(str(error))
        self.met_wrong = self.met_wrong or isinstance(value, Wrong)
        self[cell] = value
        return value

    def _is_empty(self, cell: Any) -> bool:
        """Whether nothing stands there; where nothing may stand, not-a-number is nothing, as in tables of numbers."""
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            return True
        return bool(cell != cell) and not isinstance(self._default, Wrong)


class Reader:
    """Reads the lines of one table by one mapping. Raises UserError when the file lacks a column of the mapping."""

    def __init__(self, table: Table, mapping: OrderMapping) -> None:
        self.table, self.mapping = table, mapping
        self.columns = mapping.columns_in(table.header, table.path)
        self._report = carried(table.header, self.columns, table.path)
        self._lost = "" if "position" in self.columns or self._report else _MEND_THE_REPORT
        self.columns |= self._report
        self._memories = {name: self._memory(name) for name in self.columns}
        self._moves_stock = mapping.get("stock_adjustments", "negative_lines")
        self._cancels = mapping.get("cancellations", "prefix")
        self._adjusts = mapping.get("adjustments", "prefix")
        self._by = mapping.get("channels", "by")

    def batches(self, size: int) -> Iterator[ReadBatch]:
        """Yield what the rows say in batches of at most `size`, from the first one on with every call."""
        for batch in self.table.batches(list(dict.fromkeys(self.columns.values())), size):
            yield self.read(batch)

    def read(self, batch: Batch) -> ReadBatch:
        """Read one batch. What cannot be read is refused with its column, value and reason."""
        result = ReadBatch(batch.rows)
        between = self._misfits(batch, result)
        columns, wrong = self._values(batch)
        empty = [""] * len(batch.lines)
        rows = zip(*(columns.get(name, empty) for name in OF_THE_LINE), strict=True)
        tops = zip(*(columns.get(name, empty) for name in OF_THE_ORDER), strict=True)
        turns, lines, top, head = result.turns, result.lines, None, _NO_HEAD
        for index, (row, upper) in enumerate(zip(rows, tops, strict=True)):
            order = row[0]
            if between and index in between:
                turns.update(between[index])
            if wrong and index in wrong:
                result.refused.append((batch.lines[index], wrong[index]))
                if isinstance(order, str):
                    turns[order] += 1
                continue
            if upper != top:
                top, head = upper, self._head(upper)
            turn = turns.get(order, 0)
            turns[order] = turn + 1
            made = self._line(batch.lines[index], turn, row, head)
            if made.__class__ is SourceLine:
                lines.append(made)
            else:
                result.refused.append((batch.lines[index], self._shown(made, batch, index)))
        turns.update(between.get(len(batch.lines), ()))
        return result

    def orders(self, rows: Sequence[Row]) -> list[str]:
        """The order that each row belongs to, "" where that cannot be read. A row with too many or too few cells is of
        the order whose number stands in its place."""
        column = self.columns["order"]
        cells = [row[column] if row.columns[column] < len(row.cells) else None for row in rows]
        return [order if isinstance(order, str) else "" for order in self._column("order", cells)]

    def _misfits(self, batch: Batch, result: ReadBatch) -> dict[int, list[str]]:
        """Refuse the rows with too many or too few cells; return their orders by the row that they stand before."""
        between: dict[int, list[str]] = defaultdict(list)
        for row, order in zip(batch.misfits, self.orders(batch.misfits), strict=True):
            if order:
                between[bisect(batch.lines, row.line)].append(order)
            if row.problem:
                reason = row.problem.reason + ("" if order else self._lost)
                result.refused.append((row.line, Problem(row.problem.column, row.problem.value, reason)))
        return between

    def _values(self, batch: Batch) -> tuple[dict[str, list[Any]], dict[int, Problem]]:
        """What stands in each column, the positions of a report's rows among it, and which rows cannot be read."""
        columns = {name: self._column(name, batch.columns[column]) for name, column in self.columns.items()}
        wrong = self._wrong(columns, batch)
        if self._report:
            own, report = columns.get("position", [""] * len(batch.lines)), [columns[name] for name in CARRIED]
            columns["position"] = restored(columns["order"], own, report)
        return columns, wrong

    def _column(self, name: str, cells: Sequence[Any]) -> list[Any]:
        memory = self._memories[name]
        try:
            return list(map(memory.__getitem__, cells))
        except TypeError:  # a list or a mapping, which Parquet can hold
            return [
                memory[cell if cell is None or isinstance(cell, (str, int, float)) else str(cell)] for cell in cells
            ]

    def _wrong(self, columns: Mapping[str, list[Any]], batch: Batch) -> dict[int, Problem]:
        found: dict[int, Problem] = {}
        for name, values in columns.items():
            if self._memories[name].met_wrong:
                cells = batch.columns[self.columns[name]]
                lost = self._lost if name == "order" else ""
                for index, value in enumerate(values):
                    if isinstance(value, Wrong):
                        reason = value.reason + lost
                        found.setdefault(index, Problem(self.columns[name], shorten(cells[index]), reason))
        return found

    def _shown(self, problem: Problem, batch: Batch, index: int) -> Problem:
        """The problem with the name of its column in the file, and the cell that stands there."""
        if problem.column not in self.columns:
            return problem
        column = self.columns[problem.column]
        return Problem(column, shorten(batch.columns[column][index]), problem.reason)

    def _line(self, number: int, turn: int, row: Sequence[Any], head: Head) -> Any:
        """The line that a row makes, or the Problem that keeps it from being one."""
        order, (code, kind), quantity, price, at, title, discount, position = row
        use = SALE
        if self._adjusts and order.startswith(self._adjusts):
            kind = "adjustment"
        elif quantity < 0:
            if self._cancels and order.startswith(self._cancels):
                use = CANCELLATION
            elif kind == "goods":
                if not self._moves_stock or price:
                    return Problem("quantity", "", self._below_zero(price))
                use = STOCK
        if quantity == 0:
            return Problem("quantity", "", "is no quantity: a line has units")
        if price < 0 and kind == "goods":
            return Problem("unit_price", "", "is negative; goods cost 0 or more")
        if position == "":
            position = None
        elif use == CANCELLATION and position > MOST_CANCELLED_POSITION:
            return Problem("position", "", _BEYOND_CANCELLING)
        return SourceLine(
            number, order, turn, position, use, kind, code, title, quantity, price, discount or NOTHING, at, head
        )

    def _head(self, upper: Sequence[Any]) -> Head:
        currency, customer, name, email, phone, country, postcode, city, channel = upper
        who = Who(customer, name, email, phone) if customer or email or phone else None
        code, region = country or ("", "")
        values = dict(zip(OF_THE_ORDER, upper, strict=True)) | {"country": region}
        return Head(currency, who, code, region, postcode, city, channel, values.get(self._by, ""))

    def _below_zero(self, price: Decimal) -> str:
        if self._moves_stock:
            return f"is negative on an order that is no cancellation, and the price is {price} and not 0"
        return "is negative on an order that is no cancellation; see [cancellations] and [stock_adjustments]"

    def _memory(self, name: str) -> _Memory:
        readers: dict[str, Callable[[Any], Any]] = {
            "order": lambda cell: _ORDER.read(_plain(cell)),
            "sku": self._read_sku,
            "quantity": self._read_quantity,
            "unit_price": self._read_amount,
            "discount": self._read_amount,
            "placed_at": self._read_moment,
            "title": lambda cell: " ".join(_printable(str(cell)).split())[:500],
            "currency": lambda cell: check_currency(str(cell).strip()),
            "position": self._read_position,
            "country": self._read_country,
            "refused_line": self._read_position,
            "refused_order": lambda cell: _ORDER.read(_plain(cell)),
            "refused_position": self._read_position,
        }
        read = readers.get(name, lambda cell: _TEXT.read(_plain(cell)))
        default: Any = Wrong("is empty") if name in (*REQUIRED, "refused_line", "refused_position") else ""
        if self._report:  # what a spreadsheet might run stands there behind an apostrophe
            return _Memory(lambda cell: read(unsafe(cell) if isinstance(cell, str) else cell), default=default)
        return _Memory(read, default=default)

    def _read_sku(self, cell: Any) -> tuple[str, str]:
        """The SKU and its kind: goods, or what its pattern in the mapping says."""
        sku = str(SKU.read(_plain(cell)))
        folds = self.mapping.get("skus", "fold_case")
        sku = sku.upper() if folds else sku
        for kind in KINDS:
            for pattern in self.mapping.get("lines", kind):
                if fnmatchcase(sku, pattern.upper() if folds else pattern):
                    return sku, kind
        return sku, "goods"

    def _read_quantity(self, cell: Any) -> int:
        try:
            amount = self._read_decimal(cell)
        except ValueError as error:
            raise ValueError(str(error).replace("an amount", "a whole number of units")) from None
        if amount != amount.to_integral_value():
            raise ValueError("is no whole number of units")
        if abs(amount) > MOST_UNITS:
            raise ValueError(f"is beyond any quantity: at most {MOST_UNITS:,}")
        return int(amount)

    def _read_amount(self, cell: Any) -> Decimal:
        amount = self._read_decimal(cell)
        if abs(amount) >= MOST_PRICE:
            raise ValueError("is beyond any price: at most ten digits stand before the point")
        if amount != amount.quantize(Decimal("0.0001")):
            raise ValueError("has more than four digits after the point")
        return amount

    def _read_decimal(self, cell: Any) -> Decimal:
        text = repr(cell) if isinstance(cell, float) else str(cell).strip()
        if self.mapping.get("file", "decimal_comma"):
            text = text.replace(",", ".")
        try:
            return parse(text)
        except UserError as error:
            hint = "; write decimal_comma = true below [file]" if re.fullmatch(r"-?\d+,\d+", text) else ""
            raise ValueError(f"{str(error).split(';')[0]}{hint}") from None

    def _read_moment(self, cell: Any) -> datetime:
        moment = cell if isinstance(cell, datetime) else None
        if moment is None and isinstance(cell, date):
            moment = datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001  its zone follows
        formats = self.mapping.get("dates", "formats")
        if moment is None:
            moment = _moment(str(cell).strip(), formats)
        if moment is None:
            known = " or ".join(formats) if formats else "2026-12-24 18:00"
            raise ValueError(f"is no date of the form {known}")
        try:
            return (moment if moment.tzinfo else moment.replace(tzinfo=self.mapping.zone)).astimezone(UTC)
        except OverflowError:
            raise ValueError("is beyond the calendar") from None

    def _read_position(self, cell: Any) -> int:
        number = self._read_quantity(cell)
        if number < 0:
            raise ValueError("is negative; positions count from 0 or 1")
        return number

    def _read_country(self, cell: Any) -> tuple[str, str]:
        """The code of a country, "" for one that has none, and its name as it stands in the file."""
        name = str(_TEXT.read(_plain(cell)))
        told = self.mapping.settings["countries"].get(name)
        if told is not None:
            return told, name
        code = name.upper() if name.upper() in _COUNTRIES.values() else _COUNTRIES.get(name, "")
        return code, name


_BEYOND_CANCELLING = (
    f"is beyond any line of a cancellation: at most {MOST_CANCELLED_POSITION:,}; where the mapping names no position, a"
    " line counts by its turn"
)
_MEND_THE_REPORT = (
    "; mend this row in the report and import that, not in the file: it has no turn in an order that is not known, and"
    " the lines after it would count anew"
)
_NO_HEAD = Head("", None, "", "", "", "", "", "")


def _plain(cell: Any) -> str:
    """A code as text: a number column of a spreadsheet gives 13085.0 for 13085."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(sign if sign.isprintable() else " " for sign in text)


def _moment(text: str, formats: Sequence[str]) -> datetime | None:
    for form in formats:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007  its zone follows
        except ValueError:
            continue
    try:
        return None if formats else datetime.fromisoformat(text)
    except ValueError:
        return None
