"""The trail of a worker: every commit that wrote something, every call to the outside, and the failpoints between.

The database itself is asked whether a transaction wrote anything (it then has a number), so that no list of writing
statements is needed; a statement outside any transaction is put into one of its own, which changes nothing but that it
can be asked. All connections are watched, those outside Django's too, and every request that leaves by the wire.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from psycopg.pq import TransactionStatus

from finalmarket.kernel import failpoints

ROOT = Path(__file__).resolve().parents[2]
HOUSE = ROOT / "finalmarket"
LETTERS, LINES = 60, 3


@dataclass(frozen=True, slots=True)
class Point:
    """A named failpoint that was passed."""

    name: str


@dataclass(frozen=True, slots=True)
class Step:
    """Something that cannot be taken back: a commit or a call. `where` are the lines of ours that led to it."""

    what: str
    where: str
    words: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} ({self.words})"


@dataclass
class Trail:
    """What was seen on one thread, in order; and the lines of ours from which the database was spoken to."""

    seen: list[Point | Step] = field(default_factory=list)
    lines: set[tuple[str, int]] = field(default_factory=set)

    def points(self) -> list[str]:
        """The failpoints in the order in which they were passed."""
        return [one.name for one in self.seen if isinstance(one, Point)]

    def steps(self, what: str = "") -> list[Step]:
        """The commits and calls."""
        return [one for one in self.seen if isinstance(one, Step) and what in ("", one.what)]

    def bare(self) -> list[str]:
        """The steps that have no failpoint directly before or after them, as sentences."""
        found = []
        for before, step, after in zip([None, *self.seen], self.seen, [*self.seen[1:], None], strict=False):
            if not isinstance(step, Step):
                continue
            missing = [word for word, beside in (("before", before), ("after", after)) if not isinstance(beside, Point)]
            if missing:
                found.append(f"{step} has no failpoint {' and '.join(missing)} it")
        return found


@contextmanager
def watched(*others: str) -> Iterator[Trail]:
    """Within it this thread leaves a trail; `others` are names of threads that work for it while it waits."""
    trail, thread = Trail(), threading.get_ident()
    with pytest.MonkeyPatch.context() as patch:
        for kind, name, watch in (
            (psycopg.Connection, "commit", _commit),
            (psycopg.Cursor, "execute", _execute),
            (httpx2.HTTPTransport, "handle_request", _call),
            (failpoints, "hit", _hit),
        ):
            patch.setattr(kind, name, _on(thread, others, trail, getattr(kind, name), watch))
        yield trail


def _on(
    thread: int, others: Sequence[str], trail: Trail, do: Callable[..., Any], watch: Callable[..., Any]
) -> Callable[..., Any]:
    """`do`, watched on that thread and on others of these names."""

    def act(*args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() != thread and threading.current_thread().name not in others:
            return do(*args, **kwargs)
        return watch(trail, do, *args, **kwargs)

    return act


def _hit(trail: Trail, do: Callable[..., Any], name: str) -> Any:
    trail.seen.append(Point(name))
    return do(name)


def _call(trail: Trail, do: Callable[..., Any], transport: Any, request: Any) -> Any:
    trail.seen.append(Step("call", _where(), f"{request.method} {request.url.path}"[:LETTERS]))
    return do(transport, request)


def _commit(trail: Trail, do: Callable[..., Any], connection: psycopg.Connection[Any]) -> Any:
    has_written = connection.info.transaction_status == TransactionStatus.INTRANS and _wrote(connection)
    if has_written:
        trail.seen.append(Step("commit", _where(), "of a transaction"))
    return do(connection)


def _execute(trail: Trail, do: Callable[..., Any], cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
    connection = cursor.connection
    trail.lines |= {(path, line) for path, line in _frames()}
    is_alone = connection.autocommit and connection.info.transaction_status == TransactionStatus.IDLE
    if not is_alone:
        return do(cursor, query, *args, **kwargs)
    connection.pgconn.exec_(b"BEGIN")
    try:
        done = do(cursor, query, *args, **kwargs)
        if _wrote(connection):
            trail.seen.append(Step("commit", _where(), " ".join(str(query).split())[:LETTERS]))
    except BaseException:
        connection.pgconn.exec_(b"ROLLBACK")
        raise
    connection.pgconn.exec_(b"COMMIT")
    return done


def _wrote(connection: psycopg.Connection[Any]) -> bool:
    """Whether the open transaction has changed anything: only then it has a number."""
    answer = connection.pgconn.exec_(b"SELECT pg_current_xact_id_if_assigned()")
    return answer.get_value(0, 0) is not None


def _frames() -> Iterator[tuple[str, int]]:
    """The lines of ours that led here, the innermost first."""
    frame = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(str(HOUSE)):
            yield str(Path(path).relative_to(ROOT)), frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]


def _where() -> str:
    """The innermost lines of ours, without the ground on which everybody stands."""
    lines = [f"{path}:{line}" for path, line in _frames() if "/kernel/" not in path]
    return " < ".join(lines[:LINES]) or "the test itself"
