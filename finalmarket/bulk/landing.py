"""Writing a file so that it is there whole or not at all, and cells that no spreadsheet takes for a formula."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from finalmarket.kernel.errors import UserError

# What Excel, LibreOffice and Google Sheets may run as a formula when a cell begins with it (OWASP, "CSV Injection").
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


@contextmanager
def landing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path` to write to; it takes the name `path` when the block ends well.

    Otherwise it is removed and a file that stood there before stays as it was. Raises UserError where it cannot be
    written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        yield draft
        handle = os.open(draft, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        draft.replace(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)


def safe(cell: str) -> str:
    """The cell with an apostrophe before it where a spreadsheet would run it; plain numbers stay as they are."""
    return "'" + cell if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def unsafe(cell: str) -> str:
    """The cell as it was before `safe`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
