"""Named places where a test can make the program fail, to prove that nothing is lost or doubled there.

FINALMARKET_FAILPOINT="import.after_batch:kill" kills the process at that place as a power cut would;
"import.after_batch:raise" raises; "import.after_batch:kill@3" waits for the third visit. Several are parted by commas.
Unset, as always outside tests, a failpoint costs one look into an empty dictionary.
"""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from finalmarket.kernel.errors import UserError

VARIABLE = "FINALMARKET_FAILPOINT"
_WRITTEN = re.compile(r"(?P<name>[a-z0-9_.]+):(?P<action>kill|raise)(@(?P<visit>[1-9][0-9]*))?")


class FailpointHit(RuntimeError):
    """Raised at a failpoint that was told to raise."""


@dataclass
class _Failpoint:
    action: str
    visits_left: int


def _parse(text: str) -> dict[str, _Failpoint]:
    armed = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = _WRITTEN.fullmatch(part)
        if match is None:
            raise UserError(f'{VARIABLE} holds "{part}"; write name:kill, name:raise or name:kill@3')
        armed[match["name"]] = _Failpoint(match["action"], int(match["visit"] or 1))
    return armed


_armed = _parse(os.environ.get(VARIABLE, ""))


def hit(name: str) -> None:
    """Pass the place called `name`: nothing happens unless it is armed. Raises FailpointHit, or kills the process."""
    if not _armed or name not in _armed:
        return
    point = _armed[name]
    point.visits_left -= 1
    if point.visits_left:
        return
    if point.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise FailpointHit(name)


@contextmanager
def around(step: str) -> Iterator[None]:
    """Pass `room.before_step`, do what stands within, and pass `room.after_step` where that succeeded. `step` is
    written as "room.step", such as "push.claim"; a function can be decorated with it too."""
    room, _, name = step.partition(".")
    hit(f"{room}.before_{name}")
    yield
    hit(f"{room}.after_{name}")


@contextmanager
def armed(text: str) -> Iterator[None]:
    """Within it, these failpoints are armed in this process (same words as the variable)."""
    global _armed
    before, _armed = _armed, _parse(text)
    try:
        yield
    finally:
        _armed = before
