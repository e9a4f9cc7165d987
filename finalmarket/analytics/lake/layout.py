"""How the lake lies in its folder.

    lake.json                                  what it was told last, time zones, and the files without days
    days/2025-06-10.json                       the manifest of a day: each table's file, with its rows and bytes
    orders/day=2025-06-10/3f1c....parquet      the rows

A file never changes once a manifest names it. A day that changed gets new files, then its manifest is replaced by a
rename, then the old files go: whoever reads by the manifests sees each day whole, once, before or after. Files that no
manifest names are what a killed export left; the next one removes them.
"""

from __future__ import annotations

import fcntl
import filecmp
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from finalmarket.analytics.lake.tables import TABLES
from finalmarket.kernel.errors import UserError

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Part:
    """A file of the lake, by its path within the folder."""

    file: str
    rows: int
    bytes: int


@dataclass(slots=True)
class Head:
    """What lake.json says. `tokens` are what the database may know this lake by: two while an export begins."""

    tokens: list[str] = field(default_factory=list)
    zones: dict[str, str] = field(default_factory=dict)
    whole: dict[str, Part] = field(default_factory=dict)


class Lake:
    """A folder with a lake in it, or with nothing yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def exists(self) -> bool:
        """Whether something was exported to it."""
        return (self.folder / "lake.json").is_file()

    def head(self) -> Head:
        """What lake.json says; an empty one where there is none. Raises UserError where it cannot be read."""
        told = _read(self.folder / "lake.json")
        if told is None:
            return Head()
        if told.get("format") != FORMAT:
            raise UserError(f"{self.folder} holds a lake of format {told.get('format')}; this version knows {FORMAT}")
        return Head(told["tokens"], told["zones"], {name: Part(**part) for name, part in told["whole"].items()})

    def write_head(self, head: Head) -> None:
        """Replace lake.json."""
        _replace(self.folder / "lake.json", {"format": FORMAT, **asdict(head)})

    def days(self) -> dict[date, dict[str, Part]]:
        """The manifests of all days, oldest first: each day's files by table."""
        found = {}
        for file in sorted((self.folder / "days").glob("*.json")):
            told = _read(file) or {}
            found[date.fromisoformat(file.stem)] = {name: Part(**part) for name, part in told.items()}
        return found

    def day(self, day: date) -> dict[str, Part]:
        """The manifest of one day; empty where there is none."""
        told = _read(self.folder / "days" / f"{day}.json") or {}
        return {name: Part(**part) for name, part in told.items()}

    def write_day(self, day: date, parts: Mapping[str, Part]) -> None:
        """Replace the manifest of a day; it goes when the day has no rows any more."""
        path = self.folder / "days" / f"{day}.json"
        if parts:
            _replace(path, {name: asdict(part) for name, part in parts.items()})
        else:
            path.unlink(missing_ok=True)

    def new_file(self, table: str, day: date | None) -> Path:
        """A path that no file has yet, for rows of a table."""
        folder = self.folder / table / f"day={day}" if day else self.folder / table
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{secrets.token_hex(8)}.parquet"

    def part(self, path: Path, rows: int, before: Part | None = None) -> Part:
        """What a manifest says of a file that was written, when it is safe on the disk. Where it holds the same as the
        file `before`, that one stays."""
        if before is not None and filecmp.cmp(path, self.folder / before.file, shallow=False):
            path.unlink()
            return before
        settle(path)
        return Part(str(path.relative_to(self.folder)), rows, path.stat().st_size)

    def files(self, table: str) -> list[str]:
        """The paths of all files of a table, oldest day first. Raises UserError where there is no lake."""
        if not self.exists:
            raise UserError(f"there is no lake in {self.folder}; write one with: finalmarket lake export {self.folder}")
        whole = self.head().whole
        parts = [whole[table]] if table in whole else [day[table] for day in self.days().values() if table in day]
        return [str(self.folder / part.file) for part in parts]

    def rows(self) -> dict[str, int]:
        """The number of rows of each table."""
        counts = {name: part.rows for name, part in self.head().whole.items()}
        for parts in self.days().values():
            for name, part in parts.items():
                counts[name] = counts.get(name, 0) + part.rows
        return counts

    def sweep(self) -> int:
        """Remove the files that no manifest names, unless somebody reads just now; return how many went."""
        with _lock(self.folder / "reading.lock", fcntl.LOCK_EX | fcntl.LOCK_NB) as held:
            if not held:
                return 0
            named = {part.file for parts in self.days().values() for part in parts.values()}
            named |= {part.file for part in self.head().whole.values()}
            gone = 0
            for table in TABLES:
                for path in (self.folder / table).glob("**/*"):
                    if path.is_file() and str(path.relative_to(self.folder)) not in named:
                        path.unlink()
                        gone += 1
            return gone

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Within it, no file that a manifest names goes away."""
        if not self.exists:
            raise UserError(f"there is no lake in {self.folder}; write one with: finalmarket lake export {self.folder}")
        with _lock(self.folder / "reading.lock", fcntl.LOCK_SH):
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Within it, nobody else exports to this folder. Raises UserError when somebody does already, or where it
        cannot be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "days").mkdir(exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot write the lake to {self.folder}: {error.strerror}") from error
        if not self.exists and any(self.folder.glob("*.*")):
            strange = [path.name for path in self.folder.glob("*.*") if path.suffix not in {".lock", ".part"}]
            if strange:
                raise UserError(f"{self.folder} holds other files ({strange[0]}); give the lake a folder of its own")
        with _lock(self.folder / "writing.lock", fcntl.LOCK_EX | fcntl.LOCK_NB) as held:
            if not held:
                raise UserError(f"another export writes to {self.folder} just now")
            yield


def settle(path: Path) -> None:
    """Have a file safe on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from error
    return told


def _replace(path: Path, content: Mapping[str, object]) -> None:
    """Write a file so that it is there whole or as it was before, whatever happens."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
    settle(draft)
    draft.replace(path)
    settle(path.parent)


@contextmanager
def _lock(path: Path, how: int) -> Iterator[bool]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, how)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(handle)
