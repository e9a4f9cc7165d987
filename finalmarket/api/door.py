"""How every call of the REST API passes: who calls and may they; reading with ETags; each write once, noted, whole.

A resource declares its calls by `read` and `write`. What stands here is the same for all of them:

- a read is answered with the ETag of what is shown, and with 304 where the caller has that already;
- a write is one transaction: the row of its Idempotency-Key, what it does, the line of the audit. A verb that asks a
  platform, or commits by itself, and may be done again (`outside`) is no part of it: the two rows follow it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

import orjson
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.crypto import salted_hmac
from ninja import Router
from ninja.security import HttpBearer
from pydantic import BaseModel

from finalmarket.access import audit, idempotency, keys, rates
from finalmarket.access.models import MOST_TOKEN_CHARACTERS, IdempotentCall
from finalmarket.api.fields import asked_fields, set_aside
from finalmarket.api.problems import Fault, Problem, answered, fault, problem_of
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import failpoints, secrets

MOST_BYTES = 5 * 1024 * 1024
TOKEN = re.compile(rf"[\x21-\x7e]{{1,{MOST_TOKEN_CHARACTERS}}}")
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # escaped by JSON, and not a text about it
JSON = "application/json"
NO_CONTENT = 204
DIGEST_SALT = "finalmarket.api.calls"  # nothing of a body, a password say, can be found again by trying
ANY_SCOPE = "any"
"""What a key may ask that works, whatever its scopes are."""
View = TypeVar("View", bound=Callable[..., Any])


class ApiKey(HttpBearer):
    """An API key with a scope, shown as `Authorization: Bearer fm_...`."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> keys.Caller:
        """Return who calls. Raises Problem for a key that opens nothing, is too fast, or may not do this."""
        (caller,) = keys.admit_each([token.strip()])
        return self.let_in(request, caller)

    def let_in(self, request: HttpRequest, caller: keys.Caller | keys.NotLetIn) -> keys.Caller:
        """Return who calls, whose key was looked at already; raises as `authenticate` does."""
        if isinstance(caller, keys.NotLetIn):
            headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise Problem("not-let-in", f"{caller}.", headers=headers) from caller
        left = rates.take(caller.family, caller.calls_per_minute)
        request.calls_left = left  # type: ignore[attr-defined]
        if left.wait_seconds:
            raise Problem(
                "too-fast",
                f"This key makes {left.limit} calls a minute.",
                headers={"Retry-After": str(left.wait_seconds)},
            )
        if self.scope != ANY_SCOPE and self.scope not in caller.scopes:
            raise Problem("not-allowed", f"The key does not have the scope {self.scope}.")
        check_text(request)
        return caller


def caller_of(request: HttpRequest) -> keys.Caller:
    """Return who calls."""
    found: keys.Caller = request.auth  # type: ignore[attr-defined]
    return found


def channel_of(request: HttpRequest, number: int, where: str = "body.channel") -> SalesChannel:
    """Return a sales channel that the caller may touch. Raises Problem for another, and for one that is not there."""
    if not caller_of(request).may_touch(number):
        raise Problem("not-allowed", f"{where}: the key is not for sales channel {number}.")
    found = SalesChannel.objects.filter(pk=number).first()
    if found is None:
        raise fault(where, f"there is no sales channel {number}", "Use the number of one of your channels.")
    return found


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a write: what is answered (None: nothing), and what was touched, by its number."""

    subject: str
    body: BaseModel | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def read(
    router: Router, path: str, *, scope: str, answer: type[BaseModel], example: Any,
    filters: type[BaseModel] | None = None,
) -> Callable[[View], View]:  # fmt: skip
    """Declare a call that reads. The view returns an `answer`; `filters` are the words that its address may hold.
    `fields` narrows what is shown of it (see fields.py)."""
    known = frozenset(filters.model_fields) if filters else frozenset()

    def declare(view: View) -> View:
        @wraps(view)
        def shown(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
            check_query(request, known)
            chosen = asked_fields(request, answer)
            return _conditional(request, _in_part(view(request, *args, **named), chosen))

        declare_call(router, "GET", path, shown, scope, {200: answer}, {"example": example})
        return view

    return declare


def write(
    router: Router, method: str, path: str, *, scope: str, status: int, answer: type[BaseModel] | None,
    example: Any = None, body: Any = None, also: Mapping[int, type[BaseModel]] | None = None, matches: bool = False,
    outside: bool = False, is_secret: bool = False, may_be: Sequence[str] = (),
) -> Callable[[View], View]:  # fmt: skip
    """Declare a call that writes: the view returns a `Done`. `body` and `example` are shown in the description; `also`
    are further ways in which it may end; `matches`: it heeds If-Match. `outside`: the verb asks a platform or commits
    by itself, and may be done again; `is_secret`: the answer tells a secret, and is kept encrypted. `may_be`: problems
    of its own (see KINDS)."""
    how = _How(status, outside, is_secret)

    def declare(view: View) -> View:
        @wraps(view)
        def carried_out(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
            check_query(request, frozenset())
            if body is None:
                check_nothing_said(request)
            return _once(request, view.__name__, how, lambda: view(request, *args, **named))

        told = {"example": example, "body": body, "writes": True, "matches": matches, "may_be": list(may_be)}
        declare_call(router, method, path, carried_out, scope, {status: answer, **(also or {})}, told)
        return view

    return declare


def declare_call(
    router: Router, method: str, path: str, view: Callable[..., HttpResponse], scope: str, answers: Mapping[int, Any],
    told: Mapping[str, Any],
) -> None:  # fmt: skip
    """Put a call on the router as it is described."""
    docstring = (view.__doc__ or "").strip()
    summary = docstring.partition(".")[0]
    router.api_operation(
        [method], path, auth=ApiKey(scope), response=dict(answers), operation_id=view.__name__, summary=summary,
        description=" ".join(docstring.split()), openapi_extra={"x-scope": scope, "x-told": dict(told)},
    )(view)  # fmt: skip


def check_query(request: HttpRequest, known: frozenset[str]) -> None:
    """Refuse words in the address that are not `known`, or stand twice. Raises Problem."""
    for name, values in request.GET.lists():
        where = f"query.{name[:50]}"
        if name not in known:
            words = f"Leave it out; known are {', '.join(sorted(known))}." if known else "Leave it out."
            raise fault(where, "there is no such filter", words)
        if len(values) > 1:
            raise fault(where, "it is given twice", "Give it once.")
        if "\x00" in values[0]:
            raise fault(where, "it holds a NUL character", "Take it out.")


def check_nothing_said(request: HttpRequest) -> None:
    """Refuse a body of a call that takes none, but for an empty object. Raises Problem.

    What is sent is meant: who says something that nobody reads has to hear of it, as with fields that are not known.
    """
    if not request.body:
        return
    try:
        said = orjson.loads(request.body)
    except ValueError as error:
        raise Problem(
            "unreadable", "body: it is no JSON, and this call takes none.", "Leave the body out, or send {}.",
            errors=[Fault(where="body", what="it is no JSON", what_to_do="Leave it out: this call takes none.")],
        ) from error  # fmt: skip
    if said not in ({}, None):
        raise fault("body", "this call takes none", "Leave it out, or send {}.")


@dataclass(frozen=True, slots=True)
class _How:
    """How a write is carried out and answered."""

    status: int
    is_outside: bool
    is_secret: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """A write as it was asked for: by whom, under which Idempotency-Key, and what, in a word."""

    caller: keys.Caller
    operation: str
    token: str
    digest: str


def token_of(request: HttpRequest) -> str:
    """Return the Idempotency-Key of a write. Raises Problem for one that is missing, or no word."""
    token = str(request.META.get("HTTP_IDEMPOTENCY_KEY", ""))  # Django's headers would be built for this alone
    if not TOKEN.fullmatch(token):
        what = (
            "it is missing" if not token else f"it is no word of 1 to {MOST_TOKEN_CHARACTERS} visible ASCII characters"
        )
        raise Problem("no-idempotency-key", f"header.Idempotency-Key: {what}.")
    return token


def _once(request: HttpRequest, operation: str, how: _How, verb: Callable[[], Done]) -> HttpResponse:
    """Carry a write out, or answer as it was answered before."""
    token = token_of(request)
    head = f"{request.method} {request.get_full_path()}\n".encode()
    asked = _Asked(caller_of(request), operation, token, digest_of(head + request.body))
    with told_in_problems():
        return _outside(asked, how, verb) if how.is_outside else _within(asked, how, verb)


def digest_of(said: bytes) -> str:
    """Return what is kept of a write to know it again; nobody finds out from it what was said."""
    return salted_hmac(DIGEST_SALT, said, algorithm="sha256").hexdigest()


@contextmanager
def told_in_problems() -> Iterator[None]:
    """Within it a write that cannot be claimed under its Idempotency-Key is a Problem."""
    try:
        yield
    except idempotency.UnderWay as error:
        raise Problem("under-way", f"{str(error).capitalize()}.", headers={"Retry-After": "1"}) from error
    except idempotency.OtherCall as error:
        raise Problem("other-call", "The key came before with another address or body.") from error


def _within(asked: _Asked, how: _How, verb: Callable[[], Done]) -> HttpResponse:
    with failpoints.around("api.write"), transaction.atomic():
        call = idempotency.claim(asked.caller.family, asked.token, asked.digest)
        return _again(call, how) if call.status else _kept(asked, how, call, verb())


def _outside(asked: _Asked, how: _How, verb: Callable[[], Done]) -> HttpResponse:
    with idempotency.alone(asked.caller.family, asked.token, asked.digest) as before:
        if before is not None:
            return _again(before, how)
        done = verb()
        with failpoints.around("api.keep"), transaction.atomic():
            return _kept(asked, how, idempotency.claim(asked.caller.family, asked.token, asked.digest), done)


def _kept(asked: _Asked, how: _How, call: IdempotentCall, done: Done) -> HttpResponse:
    answer = rendered(done.body, done.status or how.status, done.headers)
    audit.note(asked.caller.key_id, asked.operation, done.subject, answer.status_code)
    kept = {name: answer.headers[name] for name in ("ETag", "Location") if name in answer.headers}
    text = answer.content.decode()
    idempotency.keep(call, answer.status_code, secrets.encrypt(text) if how.is_secret and text else text, kept)
    failpoints.hit("api.before_commit")
    if how.is_secret:
        answer.headers["Cache-Control"] = "no-store"
    return answer


def _again(call: IdempotentCall, how: _How) -> HttpResponse:
    text = secrets.decrypt(call.answer) if how.is_secret and call.answer else call.answer
    body = b"" if call.status == NO_CONTENT else text or "{}"
    answer = HttpResponse(body, status=call.status, content_type=JSON)
    for name, value in {**call.headers, "Idempotent-Replayed": "true"}.items():
        answer.headers[name] = value
    if how.is_secret:
        answer.headers["Cache-Control"] = "no-store"
    return answer


def rendered(body: BaseModel | None, status: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return the answer that shows `body`, with its ETag."""
    text = b"" if body is None else body.model_dump_json().encode()
    answer = HttpResponse(text, status=status, content_type=JSON)
    if body is not None:
        answer.headers["ETag"] = etag(text)
    for name, value in (headers or {}).items():
        answer.headers[name] = value
    return answer


def _in_part(body: BaseModel, chosen: Mapping[str, Any] | None) -> HttpResponse:
    """The answer that shows `chosen` of the body (None: all), with the ETag of the whole."""
    answer = rendered(body, 200)
    if chosen is not None:
        answer.content = body.model_dump_json(include=chosen).encode()
    return answer


def etag(text: bytes) -> str:
    """Return the ETag of what is shown."""
    return f'"{hashlib.sha256(text).hexdigest()[:32]}"'


def check_match(request: HttpRequest, now: BaseModel) -> None:
    """Compare what a writer has seen (If-Match, if they say) with what stands now. Raises Problem where it differs.

    To be called within the write, once the row is locked.
    """
    seen = request.headers.get("If-Match")
    if seen is not None and not _names(seen, etag(now.model_dump_json().encode())):
        raise Problem("changed", "header.If-Match: what stands now has another ETag.")


def _conditional(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    answer.headers["Cache-Control"] = "private, no-cache"
    seen = request.headers.get("If-None-Match")
    if seen is not None and _names(seen, answer.headers["ETag"]):
        unchanged = HttpResponse(status=304)
        del unchanged.headers["Content-Type"]
        unchanged.headers["ETag"] = answer.headers["ETag"]
        return unchanged
    return answer


def _names(seen: str, tag: str) -> bool:
    given = [one.strip().removeprefix("W/") for one in seen.split(",")]
    return "*" in given or tag in given


def at_the_door(view: Callable[..., Any]) -> Callable[..., HttpResponse]:
    """Wrap an address of the API: what is too large or no JSON goes no further, and whatever happens behind it, the
    answer is one of ours, with what the key has left."""

    @wraps(view)
    def passed(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        try:
            _check_body(request)
            set_aside(request)
            answer: HttpResponse = view(request, *args, **named)
        except Exception as error:
            answer = answered(problem_of(error))
        if isinstance(answer, HttpResponseNotAllowed):
            allowed = answer.headers["Allow"]
            answer = answered(Problem("method", f"Here are {allowed}.", headers={"Allow": allowed}))
        left = getattr(request, "calls_left", None)
        if left is not None:
            answer.headers["RateLimit-Policy"] = f'"key";q={left.limit};w={rates.SECONDS}'
            answer.headers["RateLimit"] = f'"key";r={left.remaining};t={left.full_in_seconds}'
        return answer

    passed.csrf_exempt = True  # type: ignore[attr-defined]
    return passed


def _check_body(request: HttpRequest) -> None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()) or int(length) > MOST_BYTES:
        raise Problem("too-large", f"A call has at most {MOST_BYTES:,} bytes, and says how many.")
    if int(length) and request.content_type != JSON:
        raise Problem("media-type", f"It came as {(request.content_type or 'nothing')[:100]}.")


def check_text(request: HttpRequest) -> None:
    """Refuse a body that holds what no text may; asked once it is known who calls. Raises Problem."""
    if NUL.search(request.body):
        raise fault("body", "it holds a NUL character", "Take it out: no text that is kept may hold one.")
