"""Where lines of the log go, and what is left out of them."""

import copy
import logging
import re
import sys
from collections.abc import Callable
from typing import Any

NOWHERE = "an address of nothing"
_ADDRESS = re.compile(r"(?<![^\s'\"])/[^\s'\"]*")
_BEHIND_A_HOST = re.compile(r"(https?://[^/\s]*)/[^\s)]*")


class Lines(logging.StreamHandler):  # type: ignore[type-arg]  # which stream it is, is not of interest here
    """Lines on the error stream. Of a line that cannot be written it says so and why, and no more: logging's own words
    would show the arguments and every exception on the way, and with them people's data and secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """What is written. A request that was refused says so in one line, without the way through the code. Where
        Django tells the address of a request, which may hold a secret, its route stands instead."""
        if record.name == "django.request" and record.levelno < logging.ERROR:
            record = copy.copy(record)
            record.exc_info = record.exc_text = None
        return super().format(_without_address(record))

    def handleError(self, record: logging.LogRecord) -> None:
        """Say which line was lost."""
        kind = sys.exc_info()[0]
        why = kind.__name__ if kind else "no reason is known"
        where = f"{record.name}, {record.filename}:{record.lineno}"
        try:
            sys.stderr.write(f"a line of the log could not be written ({why}): {where}\n")
        except (OSError, ValueError):  # there is nowhere left to say it
            return


def _without_address(record: logging.LogRecord) -> logging.LogRecord:
    """The record as it may be written, in a copy if that is another one: others may have other uses for it."""
    if record.name == "django.server":  # the server for trying things out: its requests have no routes yet
        return _reworded(record, lambda text: _ADDRESS.sub("(an address)", text))
    request = getattr(record, "request", None)
    if not hasattr(request, "path_info"):
        return record
    route, addresses = _route(request), _ways_to_write_it(request)

    def named(text: str) -> str:
        if text in addresses:
            return route
        for address in addresses:
            text = text.replace(address, route) if len(address) > 1 else text
        return _BEHIND_A_HOST.sub(r"\1", text)

    return _reworded(record, named)


def _reworded(record: logging.LogRecord, reword: Callable[[str], str]) -> logging.LogRecord:
    """A copy in other words: what is filled in, or the message into which nothing is."""
    record = copy.copy(record)
    if isinstance(record.args, tuple) and record.args:
        record.args = tuple(reword(one) if isinstance(one, str) else one for one in record.args)
    elif not record.args:
        record.msg = reword(str(record.msg))
    return record


def _route(request: Any) -> str:
    from finalmarket.operations.front_door import route_of  # not yet, while the settings are read

    try:
        route = route_of(request)
    except Exception:  # the routes are broken, and the line is about to say so
        return "an address"
    return NOWHERE if route == "none" else route


def _ways_to_write_it(request: Any) -> list[str]:
    """The address of a request as it may stand in a line, the longest first; Django escapes what is not plain."""
    plain = {request.path, request.path_info, request.get_full_path()}
    return sorted({*plain, *(one.encode("unicode_escape").decode("ascii") for one in plain)}, key=len, reverse=True)
