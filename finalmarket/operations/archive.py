"""The file of a backup: a tar of `manifest.json` and `database.dump`, and behind it a line with the checksum of both.

Anybody can open it without us (`tar xf FILE`, then `pg_restore`). With us, a file of which a byte is missing or differs
is refused before anything is done with it.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import orjson

from finalmarket.kernel.errors import UserError

FORMAT = 1
MANIFEST, DUMP = "manifest.json", "database.dump"
MARK = b"finalmarket-backup sha256:"
FOOTER_BYTES = len(MARK) + 64 + 1
CHUNK_BYTES = 1024 * 1024
MOST_MANIFEST_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is of: `rows` are the rows of every table, `marks` sums over the whole rows of the books, both at
    the moment of the backup; `missing` is what it does not hold."""

    format: int
    version: str
    server_version: int
    at: str
    migrations: list[list[str]]
    rows: dict[str, int]
    marks: dict[str, str]
    missing: list[str]


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class _Summing:
    """Writes on, and sums up what was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sum = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Write on."""
        self.sum.update(data)
        return self._file.write(data)


def write(target: Path, manifest: Manifest, dump: Path) -> None:
    """Write the file; it gets its name when it is whole and on the disk. Its owner alone may read it."""
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            summing = _Summing(file)
            with tarfile.open(fileobj=summing, mode="w|") as tar:  # type: ignore[call-overload]  # it writes, no more
                _add(tar, MANIFEST, io.BytesIO(orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2)))
                with dump.open("rb") as content:
                    _add(tar, DUMP, content)
            file.write(MARK + summing.sum.hexdigest().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)


def _add(tar: tarfile.TarFile, name: str, content: IO[bytes]) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = content.seek(0, os.SEEK_END), 0o600
    content.seek(0)
    tar.addfile(entry, content)


def prove(file: Path) -> None:
    """Read all of the file once. Raises UserError where it is no backup, or not the one that was made."""
    try:
        size = file.stat().st_size
        with file.open("rb") as content:
            found, left = hashlib.sha256(), size - FOOTER_BYTES
            while left > 0:
                chunk = content.read(min(CHUNK_BYTES, left))
                if not chunk:
                    break
                found.update(chunk)
                left -= len(chunk)
            footer = content.read()
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from error
    if left != 0 or not footer.startswith(MARK) or len(footer) != FOOTER_BYTES:
        raise UserError(f"{file} is cut off, or is no backup of The Final Market; nothing was changed")
    if footer[len(MARK) :].strip() != found.hexdigest().encode():
        raise UserError(f"{file} was altered or damaged since it was made; nothing was changed")


@contextmanager
def opened(file: Path) -> Iterator[tuple[Manifest, _Readable]]:
    """What a proved file holds: its manifest, and the dump to be read once."""
    with tarfile.open(file, mode="r:") as tar:
        first, dump = tar.extractfile(MANIFEST), tar.extractfile(DUMP)
        if first is None or dump is None:
            raise UserError(f"{file} does not hold what a backup holds")
        told: dict[str, Any] = orjson.loads(first.read(MOST_MANIFEST_BYTES))
        if told.get("format") != FORMAT:
            raise UserError(f"{file} is of a form that this version does not know: {told.get('format')}")
        yield Manifest(**told), dump
