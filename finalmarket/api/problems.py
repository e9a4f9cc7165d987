"""What is answered when a call cannot be carried out: problem details (RFC 9457) that say what, where, and what to do.

The same shape for everything that can go wrong, also for what Django or the database have against a call; never a
traceback, and nothing of the inside of the house.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig, ValidationError
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as Misshapen
from pydantic import BaseModel, Field

from finalmarket.kernel.errors import UserError, sentence
from finalmarket.kernel.gate import Crowded
from finalmarket.kernel.refusal import refusal
from finalmarket.kernel.trouble import trouble_of

MEDIA_TYPE = "application/problem+json"
URN = "urn:finalmarket:problem:"
RETRY_SECONDS = "2"


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that can go wrong, and what to do about it when nothing better is known."""

    status: int
    title: str
    what_to_do: str


KINDS: Mapping[str, Kind] = {
    "unreadable": Kind(400, "The request cannot be read", "Send one JSON object, in UTF-8."),
    "no-idempotency-key": Kind(
        400, "A write needs an Idempotency-Key",
        "Send the header Idempotency-Key with a value of your own, a UUID say, and the same again when you repeat it.",
    ),
    "cursor": Kind(400, "The cursor does not belong here", "Begin without a cursor, or repeat the question it is of."),
    "not-let-in": Kind(
        401, "The call names no key that works", "Send the header Authorization: Bearer with an API key of this house."
    ),
    "not-allowed": Kind(403, "The key may not do this", "Use a key with that right, or ask the owner for one."),
    "not-found": Kind(404, "There is nothing here", "Look at the number and at the address."),
    "method": Kind(405, "That cannot be done here", "Use one of the methods that the header Allow names."),
    "under-way": Kind(409, "The first call is under way", "Repeat the very same call after the time in Retry-After."),
    "not-as-expected": Kind(
        409, "It is not as you expected", "Look at `stands`, decide anew, and send what you expect now."
    ),
    "not-enough": Kind(
        409, "There is not enough stock", "`stands` says how much can be had; ask for less, or for another place."
    ),
    "changed": Kind(412, "It has changed meanwhile", "Get it again, look, and send the new ETag as If-Match."),
    "too-large": Kind(413, "The request is too large", "Send less at once."),
    "media-type": Kind(415, "The body is not JSON", "Send the header Content-Type: application/json."),
    "invalid": Kind(422, "The request does not say what it should", "Mend what `errors` names and send it again."),
    "refused": Kind(422, "It cannot be done as things stand", "Read `detail`; nothing was changed."),
    "other-call": Kind(
        422, "The Idempotency-Key was used for another call", "Use a new Idempotency-Key for every new call."
    ),
    "too-fast": Kind(429, "Too many calls", "Wait as long as Retry-After says."),
    "broken": Kind(500, "An error of ours", "Repeat the call under the same key; if it stays, tell us the reference."),
    "away": Kind(503, "The house cannot answer now", "Repeat the very same call after the time in Retry-After."),
}  # fmt: skip


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    where: str = Field(description="Such as body.intent, query.limit, header.Idempotency-Key")
    what: str
    what_to_do: str


class ProblemBody(BaseModel):
    """Problem details (RFC 9457)."""

    type: str = Field(description="Names the kind of problem; stays the same for good")
    title: str
    status: int
    detail: str
    what_to_do: str
    errors: list[Fault] = Field(description="What is wrong where; empty when the call was understood")
    stands: dict[str, Any] = Field(default_factory=dict, description="What stands now, where that was the reason")


@dataclass
class Problem(Exception):
    """A call that cannot be carried out; `kind` is one of KINDS."""

    kind: str
    detail: str
    what_to_do: str = ""
    errors: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    stands: Mapping[str, Any] = field(default_factory=dict)


def fault(where: str, what: str, what_to_do: str) -> Problem:
    """A request with one thing wrong."""
    return Problem("invalid", f"{where}: {what}", errors=[Fault(where=where, what=what, what_to_do=what_to_do)])


def body_of(problem: Problem) -> ProblemBody:
    """Return a problem as it is told."""
    kind = KINDS[problem.kind]
    return ProblemBody(
        type=f"{URN}{problem.kind}", title=kind.title, status=kind.status, detail=problem.detail,
        what_to_do=problem.what_to_do or kind.what_to_do, errors=list(problem.errors), stands=dict(problem.stands),
    )  # fmt: skip


def answered(problem: Problem) -> HttpResponse:
    """Return what is answered to a problem."""
    kind = KINDS[problem.kind]
    answer = HttpResponse(body_of(problem).model_dump_json(), status=kind.status, content_type=MEDIA_TYPE)
    for name, value in problem.headers.items():
        answer.headers[name] = value
    answer.headers["Cache-Control"] = "no-store"
    return answer


def problem_of(error: Exception) -> Problem:
    """Return the problem that an error of any kind is; one that nobody foresaw is logged with its reference."""
    trouble = trouble_of(error)
    if trouble is not None:
        reason = type(error.__cause__ or error).__name__  # a deadlock, a lock that took too long, a lost connection
        structlog.get_logger(__name__).warning("the database did not take a call", reason=reason)
        return Problem("away", trouble.sentence, headers={"Retry-After": str(trouble.retry_seconds)})
    match error:
        case Problem():
            return error
        case Misshapen():
            return _misshapen(error)
        case AuthenticationError():
            return Problem("not-let-in", "No API key was shown.", headers={"WWW-Authenticate": "Bearer"})
        case UserError():
            return Problem("refused", sentence(str(error)))
        case ValidationError():
            return Problem("refused", refusal(error))
        case RequestDataTooBig():
            return Problem("too-large", "The body is larger than a call may be.")
        case Http404():
            return Problem("not-found", sentence(str(error)))
        case HttpError() if error.status_code == 400:
            return Problem("unreadable", "The body is no JSON, or not in UTF-8.")
        case DataError():
            return Problem("refused", "A number or a text in it is beyond what can be kept.")
        case Crowded():
            return Problem("away", "Too many calls wait already.", headers={"Retry-After": RETRY_SECONDS})
    reference = uuid.uuid4().hex[:12]
    structlog.get_logger(__name__).error("api call broke", reference=reference, exc_info=error)
    return Problem("broken", f"The call could not be carried out; our log has it under the reference {reference}.")


def handle(request: HttpRequest, error: Any) -> HttpResponse:
    """As Ninja's handler of every error."""
    return answered(problem_of(error))


def faults(errors: Sequence[Mapping[str, Any]], *before: str) -> list[Fault]:
    """Return what pydantic has against a request in our shape."""
    return [_fault(one, before) for one in errors]


def _misshapen(error: Misshapen) -> Problem:
    found = faults(error.errors)
    count = len(found)
    detail = f"{found[0].where}: {found[0].what}" if count == 1 else f"{count} things in the request are not right."
    return Problem("invalid", detail, errors=found)


def _fault(error: Mapping[str, Any], before: Sequence[str]) -> Fault:
    path = [str(part) for part in (*before, *error["loc"]) if part not in ("told", "asked")]
    words = error.get("ctx", {})
    what = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        what, to_do = "there is no such field", "Leave it out, or look for its name in /api/v1/openapi.json."
    elif error["type"] == "missing":
        what, to_do = "it is missing", "Add it."
    elif error["type"] in ("literal_error", "enum"):
        what, to_do = "it is none of the words that are known here", f"Use one of {words.get('expected', 'them')}."
    elif error["type"] == "timezone_aware":
        to_do = "Add the time zone, such as Z or +02:00."
    else:
        to_do = "Give it as the description of the API says: /api/v1/openapi.json."
    return Fault(where=".".join(path), what=what, what_to_do=to_do)
