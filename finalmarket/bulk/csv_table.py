"""Reading CSV strictly: what is wrong is told with its line and column, and nothing is ever guessed.

What makes the rest of a file unreadable raises UserError: a byte that is not of the encoding, a NUL, a quote that is
never closed, text behind a closing quote, a cell above the limit, a file that ends in the middle of a row. A row that
merely has too many or too few cells is given out with its problem, so that the reader of the table can refuse it.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import TextIOWrapper
from pathlib import Path

from finalmarket.bulk.row import CELL_LIMIT, Problem, place
from finalmarket.kernel.errors import UserError

LINE_LIMIT = 16 * CELL_LIMIT  # characters; more than this in one line is no table
DELIMITERS = (",", ";", "\t", "|")
CHUNK_BYTES = 1 << 16

csv.field_size_limit(CELL_LIMIT)  # the module knows one limit for the whole process; it is set once, here


@dataclass(frozen=True, slots=True)
class Cell:
    """Where one cell stands in a piece of text: its index in the row and the lines before it, both from 0."""

    index: int
    line: int
    start: int
    end: int
    is_quoted: bool
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Record:
    """One row as read: the line it begins in, its cells, and what is wrong with their number."""

    line: int
    cells: list[str]
    problem: Problem | None


def scan(text: str, delimiter: str) -> Iterator[Cell]:
    """Yield the cells of `text` one by one; only used to say where a fault is."""
    ends = re.compile(f"[{re.escape(delimiter)}\r\n]")
    index = line = position = 0
    while position <= len(text):
        start, is_quoted = position, text.startswith('"', position)
        closing = _closing_quote(text, position + 1) if is_quoted else position
        end = ends.search(text, closing) if closing >= 0 else None
        position = end.start() if end else len(text)
        yield Cell(index, line, start, position, is_quoted, closing >= 0)
        line += text.count("\n", start, position)
        if position < len(text) and text[position] in "\r\n":
            position += text.startswith("\r\n", position)
            index, line = -1, line + 1
        index, position = index + 1, position + 1


def _closing_quote(text: str, position: int) -> int:
    """Where the quote closes that was opened before `position`; -1 if it never does."""
    while (position := text.find('"', position)) >= 0 and text.startswith('""', position):
        position += 2
    return position


class CsvTable:
    """A CSV file with its header read. Raises UserError when the file cannot be a table."""

    unit = "line"

    def __init__(self, path: Path, encoding: str = "utf-8", delimiter: str | None = None) -> None:
        self.path = path
        self.encoding = _codec(encoding)
        self.header: list[str] = []
        first = self._first_line()
        self.delimiter = delimiter or _sniff(first)
        if len(self.delimiter) != 1:
            raise UserError(f"the delimiter is one character, not {self.delimiter!r}")
        self.header = [name.strip() for name in next(csv.reader([first], delimiter=self.delimiter), [])]
        records = self._records()
        header = next(records, None)
        if header is None:
            raise UserError(f"{path} is empty; its first line must hold the names of the columns")
        self.header = [name.strip() for name in header.cells]

    def records(self) -> Iterator[Record]:
        """Yield the rows below the header, in order."""
        records = self._records()
        next(records, None)
        return records

    def fault(self, line: int, column: str | None, reason: str) -> UserError:
        """The error for a fault of the file itself."""
        return UserError(f"{place(self.path, line, column)}: {reason}")

    def _first_line(self) -> str:
        with self.path.open("rb") as raw:
            chunk = raw.read(CHUNK_BYTES)
        if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not self.encoding.startswith("utf-16"):
            raise UserError(f"{self.path} is UTF-16 text; say so with --encoding utf-16, or save it as UTF-8")
        text = chunk.decode(self.encoding, errors="replace")
        return next((line for line in text.splitlines() if line.strip()), "")

    def _column(self, index: int) -> str:
        return self.header[index] if index < len(self.header) else f"number {index + 1}"

    def _records(self) -> Iterator[Record]:
        pending: list[str] = []
        with self.path.open("r", encoding=self.encoding, newline="") as file:
            reader = csv.reader(self._lines(file, pending), delimiter=self.delimiter, strict=True)
            width = 0
            while True:
                line = reader.line_num + 1
                pending.clear()
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    raise self._syntax_fault(line, "".join(pending), str(error)) from None
                if not cells:
                    continue
                width = width or len(cells)
                if len(cells) == width:
                    yield Record(line, cells, None)
                else:
                    yield Record(line, cells, self._misfit(line, cells, width, pending[-1]))

    def _lines(self, file: TextIOWrapper, pending: list[str]) -> Iterator[str]:
        """Yield the lines of the file and keep those of the row being read in `pending`."""
        number = 1
        try:
            for text in iter(partial(file.readline, LINE_LIMIT), ""):
                pending.append(text)
                if "\0" in text:
                    before = "".join(pending)[: len("".join(pending)) - len(text) + text.index("\0")]
                    raise self.fault(
                        number,
                        self._column(_last(before, self.delimiter).index),
                        "holds a NUL character; the file is damaged, or it is UTF-16: save it as UTF-8",
                    )
                if len(text) >= LINE_LIMIT:
                    raise self.fault(number, None, f"the line is longer than {LINE_LIMIT:,} characters")
                yield text
                number += 1
        except UnicodeDecodeError:
            raise self._encoding_fault(number - len(pending)) from None

    def _encoding_fault(self, row_line: int) -> UserError:
        """Find the byte that does not fit; `row_line` is the line in which the row before it begins."""
        decoder = codecs.getincrementaldecoder(self.encoding)()
        line, kept = 1, ""
        with self.path.open("rb") as raw:
            while chunk := raw.read(CHUNK_BYTES):
                state = decoder.getstate()
                try:
                    text = decoder.decode(chunk)
                except UnicodeDecodeError:
                    decoder.setstate(state)
                    text = _decodable(decoder, chunk)
                    line, kept = _from_line(line, kept + text, row_line)
                    break
                line, kept = _from_line(line, kept + text, row_line)
        cell = _last(kept, self.delimiter)
        return self.fault(
            line + kept.count("\n"),
            self._column(cell.index),
            f"a byte here is not {self.encoding.removesuffix('-sig')} text;"
            " save the file as UTF-8, or name its encoding with --encoding (cp1252, say)",
        )

    def _syntax_fault(self, line: int, text: str, message: str) -> UserError:
        for cell in scan(text, self.delimiter):
            at, column = line + cell.line, self._column(cell.index)
            spans = "\n" in text[cell.start : cell.end]
            if not cell.is_closed and (spans or "unexpected end" in message):
                return self.fault(at, column, "a quote opens here and is never closed; the file may be cut off")
            if cell.end - cell.start > CELL_LIMIT:
                return self.fault(at, column, f"the cell is longer than {CELL_LIMIT:,} characters")
            if cell.is_quoted and text[cell.end - 1] != '"':
                return self.fault(at, column, "text follows a closing quote; write a quote inside a cell twice")
        return self.fault(line, None, f"is not CSV ({message})")

    def _misfit(self, line: int, cells: list[str], width: int, last_line: str) -> Problem:
        """What to say of a row of the wrong width; raises UserError when it is where a cut-off file ends."""
        if len(cells) < width and not last_line.endswith(("\n", "\r")):
            raise self.fault(
                line, self._column(len(cells) - 1), "the file ends in the middle of this row; it seems to be cut off"
            )
        column = self._column(min(len(cells), width - 1))
        value = cells[width] if len(cells) > width else ""
        return Problem(column, value, f"has {len(cells)} cells, the header has {width}")


def _codec(encoding: str) -> str:
    """The name of the codec to read with; UTF-8 may begin with a byte order mark."""
    try:
        codec = codecs.lookup(encoding)
        "".encode(encoding)
    except (LookupError, ValueError) as error:
        raise UserError(f"{encoding!r} is no text encoding; utf-8, cp1252 and utf-16 are some") from error
    return "utf-8-sig" if codec.name == "utf-8" else codec.name


def _sniff(first_line: str) -> str:
    """The delimiter that stands most often outside quotes in the first line; a comma when there is none."""
    bare = "".join(first_line.split('"')[::2])
    best = max(DELIMITERS, key=bare.count)
    return best if best in bare else ","


def _last(text: str, delimiter: str) -> Cell:
    """The cell in which `text` ends."""
    *_, cell = scan(text, delimiter)
    return cell


def _decodable(decoder: codecs.IncrementalDecoder, chunk: bytes) -> str:
    """The text of `chunk` up to the byte that cannot be decoded."""
    text: list[str] = []
    try:
        for position in range(len(chunk)):
            text.append(decoder.decode(chunk[position : position + 1]))
    except UnicodeDecodeError:
        pass
    return "".join(text)


def _from_line(line: int, text: str, wanted: int) -> tuple[int, str]:
    """Drop the lines of `text` (which begins in `line`) that stand before the line `wanted`."""
    while line < wanted and "\n" in text:
        text = text.partition("\n")[2]
        line += 1
    return line, text
