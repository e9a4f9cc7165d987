"""What belongs together in the log: every line of one request carries its id, every line of a job the job's and that of
the request that put it off, every line of a sync run the run's. A trace, where one is kept (tracing.py), goes with it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from structlog import contextvars

from finalmarket.kernel import tracing

REQUEST, RUN = "request_id", "sync_run"
CARRIED = "_trail"
"""The argument of a job in which it carries where it comes from."""
_GOOD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=@-]{0,127}")


def request_id(given: str) -> str:
    """The id of a request: the one that its caller gave it, where that fits into a line; else a new one."""
    return given if given and _GOOD_ID.fullmatch(given) else secrets.token_hex(8)


@contextmanager
def bound(**marks: object) -> Iterator[None]:
    """Within it every line of this thread carries these marks, and none that was left there before."""
    contextvars.clear_contextvars()
    contextvars.bind_contextvars(**marks)
    try:
        yield
    finally:
        contextvars.clear_contextvars()


def begin_run(number: int, integration: int, stream: str) -> None:
    """From now on every line of this thread carries the number of this sync run."""
    contextvars.bind_contextvars(sync_run=number, integration=integration, stream=stream)


def end_run(number: int) -> None:
    """The sync run has ended; one that encloses it goes on."""
    if contextvars.get_contextvars().get(RUN) == number:
        contextvars.unbind_contextvars(RUN, "integration", "stream")


def carried() -> dict[str, str]:
    """Where we are, for a job to carry along; nothing outside of requests and traces."""
    found = dict(tracing.carried())
    request = contextvars.get_contextvars().get(REQUEST)
    if request:
        found[REQUEST] = str(request)
    return found


def origin(brought: Mapping[str, str]) -> dict[str, str]:
    """The marks of a job that brought this along."""
    return {REQUEST: brought[REQUEST]} if REQUEST in brought else {}
