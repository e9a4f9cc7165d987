"""Histories: what the buyers of one SKU asked, were told and found, as they wrote it down themselves.

In JSON Lines, with the nanoseconds of one monotonic clock:

    {"kind": "stock", "units": 3}                                              first: what was there
    {"kind": "invoke", "op": 1, "at": 100, "verb": "reserve", "units": 1}      somebody asks
    {"kind": "ok", "op": 1, "at": 180}                                         and is granted (or has given back)
    {"kind": "fail", "op": 2, "at": 190}                                       or refused: surely nothing was taken
    {"kind": "unknown", "op": 3, "at": 200}                                    or never learns what became of it
    {"kind": "found", "op": 3, "outcome": "ok"}                                until it is looked up in the books
    {"kind": "invoke", "op": 4, "at": 210, "verb": "release", "of": 1}         a hold is given back
    {"kind": "booked", "op": 1, "place": 1}                                    where it stands in the books, if known
    {"kind": "left", "units": 2}                                               last: what the books say is left

Whether it is right is judged by linearizable.py.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

RESERVE, RELEASE = "reserve", "release"
OK, FAIL, UNKNOWN = "ok", "fail", "unknown"


class Unreadable(ValueError):
    """This is no history; the sentence says where and why."""


@dataclass(slots=True)
class Operation:
    """One question and what came of it. `answered` is infinite while nobody was told; `outcome` is "" then, until it is
    found in the books."""

    number: int
    verb: str
    units: int
    invoked: int
    of: int = 0
    answered: float = math.inf
    told: str = ""
    found: list[str] = field(default_factory=list)
    place: int | None = None

    @property
    def outcome(self) -> str:
        """What became of it in the end: ok or fail."""
        return self.told if self.told != UNKNOWN else self.found[0]

    @property
    def took_effect(self) -> bool:
        """Whether units were taken or given back."""
        return self.outcome == OK

    @property
    def was_refused(self) -> bool:
        """Whether the caller was told no. Where nobody was told, it does not count: nothing was done, nothing said."""
        return self.verb == RESERVE and self.told == FAIL


@dataclass(slots=True)
class History:
    """What was there, what was asked and answered, what is left by the books (None: nobody looked)."""

    units: int
    operations: dict[int, Operation] = field(default_factory=dict)
    left: int | None = None

    @property
    def grants(self) -> list[Operation]:
        """The reservations that took units."""
        return [one for one in self.operations.values() if one.verb == RESERVE and one.took_effect]

    @property
    def releases(self) -> list[Operation]:
        """The releases that gave units back."""
        return [one for one in self.operations.values() if one.verb == RELEASE and one.took_effect]

    @property
    def refusals(self) -> list[Operation]:
        """The reservations that were told no."""
        return [one for one in self.operations.values() if one.was_refused]


# Reading.


def read(lines: Iterable[str]) -> History:
    """The history that these lines hold; raises Unreadable with the number of the line and what is wrong with it."""
    history: History | None = None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        event = _parsed(number, line)
        if history is None:
            if event["kind"] != "stock":
                raise Unreadable(f"line {number}: a history begins with what was there, not with {event['kind']!r}")
            history = History(_whole(number, event, "units"))
        else:
            _take_up(history, number, event)
    if history is None:
        raise Unreadable("the history is empty: it proves nothing")
    if not history.operations:
        raise Unreadable("nobody asked for anything: the history proves nothing")
    return history


def _parsed(number: int, line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError as error:
        raise Unreadable(f"line {number} is not JSON, perhaps it was cut off: {error}") from None
    if not isinstance(event, dict) or not isinstance(event.get("kind"), str):
        raise Unreadable(f'line {number} is no event: it has no "kind"')
    return event


def _take_up(history: History, number: int, event: dict[str, Any]) -> None:
    match event["kind"]:
        case "invoke":
            _invoke(history, number, event)
        case "ok" | "fail" | "unknown":
            one = _known(history, number, event)
            if one.told:
                raise Unreadable(f"line {number}: operation {one.number} was answered before, with {one.told!r}")
            at = _whole(number, event, "at")
            one.told, one.answered = event["kind"], math.inf if event["kind"] == UNKNOWN else at
            if at < one.invoked:
                raise Unreadable(f"line {number}: operation {one.number} was answered before it was asked")
        case "found":
            outcome = event.get("outcome")
            if outcome not in (OK, FAIL):
                raise Unreadable(f"line {number}: in the books an operation is found ok or fail, not {outcome!r}")
            _known(history, number, event).found.append(outcome)
        case "booked":
            _known(history, number, event).place = _whole(number, event, "place")
        case "left":
            history.left = _whole(number, event, "units")
        case kind:
            raise Unreadable(f"line {number}: there is no event of kind {kind!r}")


def _invoke(history: History, number: int, event: dict[str, Any]) -> None:
    op, verb = _whole(number, event, "op"), event.get("verb")
    if op in history.operations:
        raise Unreadable(f"line {number}: operation {op} was asked before")
    if verb not in (RESERVE, RELEASE):
        raise Unreadable(f"line {number}: there is no verb {verb!r}; known are reserve and release")
    of = _whole(number, event, "of") if verb == RELEASE else 0
    units = history.operations[of].units if of in history.operations else 1
    units = _whole(number, event, "units") if verb == RESERVE else units
    history.operations[op] = Operation(op, str(verb), units, _whole(number, event, "at"), of)


def _known(history: History, number: int, event: dict[str, Any]) -> Operation:
    op = _whole(number, event, "op")
    if op not in history.operations:
        raise Unreadable(f"line {number}: operation {op} was answered before it was asked, or never asked")
    return history.operations[op]


def _whole(number: int, event: dict[str, Any], name: str) -> int:
    value = event.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Unreadable(f'line {number}: "{name}" is {value!r}, it has to be a whole number')
    return value
