"""A worker that is killed on its way, in a process of its own, at its so manieth visit of one failpoint."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from django.db import connection

from finalmarket.kernel import failpoints
from tests.doses import some_of
from tests.integrations.racers import fork

SESSIONS = "fm-cut-off"
MILLISECONDS = 5_000
DOSE = os.environ.get("FINALMARKET_PROOF_CUTS", "")
EVERYWHERE = DOSE == "all"
ONE_IN = 1 if EVERYWHERE else int(DOSE or 12)
Way = TypeVar("Way")


def in_this_dose(places: Sequence[str], path: object) -> list[str]:
    """Of the places where a worker can be killed every so manieth, and at least one; FINALMARKET_PROOF_CUTS names
    another dose than twelve, or "all"."""
    return some_of(places, path, ONE_IN)


def ways_of_this_dose(ways: Sequence[Way], whose: str) -> list[Way]:
    """Of the ways on which workers are killed every second; all where FINALMARKET_PROOF_CUTS names a dose."""
    return list(ways) if DOSE else some_of(ways, whose, one_in=2)


def cut_off(do: Callable[[], object], cut: str) -> str:
    """Let another process do it and be killed at `cut` ("push.after_send@2"); return "" when it was, else how it ended.
    What its sessions held is free again when this returns."""
    ours, theirs = os.pipe()
    process = fork(partial(_go, do, cut, theirs))
    os.close(theirs)
    with os.fdopen(ours, "rb") as end:
        words = end.read().decode(errors="replace")
    os.waitpid(process, 0)
    _end_sessions()
    return words


def _go(do: Callable[[], object], cut: str, theirs: int) -> None:
    """The short life of the worker. Who outlives the cut says why."""
    name, _, visit = cut.partition("@")
    os.environ["PGAPPNAME"] = SESSIONS
    words = f"{cut} was not passed"
    try:
        with failpoints.armed(f"{name}:kill@{visit}"):
            do()
    except BaseException:
        words = f"{cut} was not passed: {traceback.format_exc()}"
    os.write(theirs, words.encode())


def _end_sessions() -> None:
    """Wait until the database has noticed that its client is gone: only then its locks are free."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity"
            " WHERE application_name = %s AND datname = current_database()",
            [MILLISECONDS, SESSIONS],
        )
