"""What can go wrong with a call, each by a name of its own: problem details (RFC 9457) as exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

URN = "urn:finalmarket:problem:"


class ConnectionLost(Exception):
    """The house was not reached, or did not answer, however often it was tried. What became of a write is not known:
    send it again under the same `idempotency_key`, which this names."""

    def __init__(self, message: str, idempotency_key: str = "") -> None:
        super().__init__(message)
        self.idempotency_key = idempotency_key


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with what was said."""

    where: str
    what: str
    what_to_do: str


class ApiProblem(Exception):
    """A call that was not carried out. `kind` stays the same for good; `stands` is what stands now, where that was the
    reason; `retry_after_seconds` is when it may be tried again, None where the house did not say."""

    def __init__(self, status: int, body: Mapping[str, Any], retry_after_seconds: float | None = None) -> None:
        self.status = status
        self.kind = str(body.get("type", "")).removeprefix(URN)
        self.title = str(body.get("title", ""))
        self.detail = str(body.get("detail", ""))
        self.what_to_do = str(body.get("what_to_do", ""))
        self.errors = tuple(_fault(one) for one in body.get("errors", ()))
        self.stands: Mapping[str, Any] = body.get("stands", {})
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"{status} {self.kind or 'no words of the house'}: {self.detail or self.title}".strip(": "))


def _fault(one: Mapping[str, Any]) -> Fault:
    return Fault(str(one.get("where", "")), str(one.get("what", "")), str(one.get("what_to_do", "")))


class Unreadable(ApiProblem):
    """The request could not be read."""


class NoIdempotencyKey(ApiProblem):
    """A write came without an Idempotency-Key; not from this client."""


class BadCursor(ApiProblem):
    """The cursor belongs to another question, or is none."""


class NotLetIn(ApiProblem):
    """The key opens nothing: it is wrong, has expired or was ended."""


class NotAllowed(ApiProblem):
    """The key may not do this, or not on this channel."""


class NotFound(ApiProblem):
    """There is nothing under this number."""


class NotHere(ApiProblem):
    """The address does not know the method."""


class UnderWay(ApiProblem):
    """The first call under this key has still not ended, however long it was waited for."""


class NotAsExpected(ApiProblem):
    """It is not as you expected; `stands` says how it is."""


class NotEnough(ApiProblem):
    """There is not enough stock; `stands` says how much can be had."""


class Changed(ApiProblem):
    """It has changed since you saw it: get it again, look, and say `if_match` anew."""


class TooLarge(ApiProblem):
    """More was said than a call may hold."""


class NotJson(ApiProblem):
    """The body was no JSON."""


class Invalid(ApiProblem):
    """What was said is not what it should be; `errors` say where."""


class Refused(ApiProblem):
    """It cannot be done as things stand; nothing was changed."""


class OtherCall(ApiProblem):
    """The idempotency key was used for another call before."""


class TooFast(ApiProblem):
    """The key makes too many calls, and waiting was not worth it any more."""


class Broken(ApiProblem):
    """An error of the house's own; `detail` names the reference."""


class Away(ApiProblem):
    """The house cannot answer now, however often it was tried."""


class Kinds:
    """Which exception is raised for which kind of problem."""

    BY_NAME: ClassVar[Mapping[str, type[ApiProblem]]] = {
        "unreadable": Unreadable,
        "no-idempotency-key": NoIdempotencyKey,
        "cursor": BadCursor,
        "not-let-in": NotLetIn,
        "not-allowed": NotAllowed,
        "not-found": NotFound,
        "method": NotHere,
        "under-way": UnderWay,
        "not-as-expected": NotAsExpected,
        "not-enough": NotEnough,
        "changed": Changed,
        "too-large": TooLarge,
        "media-type": NotJson,
        "invalid": Invalid,
        "refused": Refused,
        "other-call": OtherCall,
        "too-fast": TooFast,
        "broken": Broken,
        "away": Away,
    }


def problem(status: int, body: Mapping[str, Any], retry_after_seconds: float | None = None) -> ApiProblem:
    """Return the exception for an answer; ApiProblem itself for a kind that this version does not know."""
    kind = str(body.get("type", "")).removeprefix(URN)
    return Kinds.BY_NAME.get(kind, ApiProblem)(status, body, retry_after_seconds)
