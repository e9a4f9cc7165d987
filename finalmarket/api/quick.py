"""Writes that are once by themselves, on the shortest way: the verb keeps the Idempotency-Key as its own, so that no
transaction, no row of the call and no line of the audit stand around it (what it writes says who asked).

They are declared beside all others, and described with them. A request for one is answered before sessions, forms,
pages and Ninja have looked at it; the key, its scope, its limit and the body are looked at as everywhere.

Calls that come at once pass together where the verb has a way for many: one of their threads looks at all keys and
carries all of them out, while the others sleep. Threads that wake each other cost more than what they do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

import orjson
import pydantic
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel

from finalmarket.access import keys
from finalmarket.access.keys import Caller
from finalmarket.api.door import ApiKey, at_the_door, caller_of, check_query, declare_call, rendered, token_of
from finalmarket.api.problems import Problem, faults
from finalmarket.kernel.gate import Gate

API = "/api/v1"
BEARER = "Bearer "
LANES = 3
"""While one crowd waits for its stock, others are read and let in."""
Said = TypeVar("Said", bound=BaseModel)
Verb = Callable[[Caller, str, Said], "Given"]
View = Callable[[HttpRequest], HttpResponse]


@dataclass(frozen=True, slots=True)
class Given:
    """What is answered; `is_again`: it was done before under this key. `location` is where what was made is."""

    body: BaseModel
    is_again: bool = False
    location: str = ""


Asked: TypeAlias = tuple[Caller, str, Said]
"""Who calls, under which Idempotency-Key, and what they say."""
VerbForMany = Callable[[Sequence[Asked[Said]]], Sequence["Given | Exception"]]
_views: dict[str, View] = {}


def quick(
    router: Router, path: str, *, scope: str, status: int, said: type[Said], answer: type[BaseModel], example: Any,
    body: Any, may_be: Sequence[str] = (), for_many: VerbForMany[Said] | None = None,
) -> Callable[[Verb[Said]], Verb[Said]]:  # fmt: skip
    """Declare a POST that is once by itself: the verb gets the caller, the Idempotency-Key and what was said.
    `for_many` does the same for calls that come at once: what is answered to each, or why it is refused."""

    def declared(verb: Verb[Said]) -> Verb[Said]:
        def view(request: HttpRequest, told: Any) -> HttpResponse:
            check_query(request, frozenset())
            return _answer(verb(caller_of(request), token_of(request), told), status)

        view.__name__, view.__doc__ = verb.__name__, verb.__doc__
        view.__annotations__ = {"request": HttpRequest, "told": said}
        told = {"example": example, "body": body, "writes": True, "may_be": list(may_be)}
        declare_call(router, "POST", path, view, scope, {status: answer}, told)
        door = ApiKey(scope)
        way = _short_way(verb, door, said, status) if for_many is None else _way_for_many(for_many, door, said, status)
        _views[API + path] = at_the_door(way)
        return verb

    return declared


def _short_way(verb: Verb[Said], door: ApiKey, said: type[Said], status: int) -> View:
    def passed(request: HttpRequest) -> HttpResponse:
        caller = door.authenticate(request, _key_shown(request))
        check_query(request, frozenset())
        return _answer(verb(caller, token_of(request), _read(said, request.body)), status)

    return passed


class _Call(Generic[Said]):
    """A call that passes with others: which key it shows, what it says, and what became of it."""

    __slots__ = ("outcome", "request", "said", "shown", "token")

    def __init__(self, request: HttpRequest, shown: str, token: str, said: Said) -> None:
        self.request = request
        self.shown = shown
        self.token = token
        self.said = said
        self.outcome: Given | Exception | None = None


def _way_for_many(verb: VerbForMany[Said], door: ApiKey, said: type[Said], status: int) -> View:
    gate: Gate[_Call[Said]] = Gate(partial(_carry_out, verb, door), lanes=LANES)

    def passed(request: HttpRequest) -> HttpResponse:
        shown = _key_shown(request)
        try:
            check_query(request, frozenset())
            call = _Call(request, shown, token_of(request), _read(said, request.body))
        except Problem:
            door.authenticate(request, shown)  # whoever may not come in is told nothing else
            raise
        gate.pass_through(call, 1)
        if isinstance(call.outcome, Given):
            return _answer(call.outcome, status)
        raise call.outcome or RuntimeError("a call was passed over")

    return passed


def _carry_out(verb: VerbForMany[Said], door: ApiKey, calls: Sequence[_Call[Said]]) -> None:
    """Let in who may come, and carry out what they say."""
    asked: list[Asked[Said]] = []
    within: list[_Call[Said]] = []
    for call, caller in zip(calls, keys.admit_each([call.shown.strip() for call in calls]), strict=True):
        try:
            asked.append((door.let_in(call.request, caller), call.token, call.said))
            within.append(call)
        except Problem as error:
            call.outcome = error
    for call, outcome in zip(within, verb(asked), strict=True):
        call.outcome = outcome


def _key_shown(request: HttpRequest) -> str:
    shown: str = request.META.get("HTTP_AUTHORIZATION", "")
    if not shown.lower().startswith("bearer "):
        raise Problem("not-let-in", "No API key was shown.", headers={"WWW-Authenticate": "Bearer"})
    return shown[len(BEARER) :]


def _read(said: type[Said], text: bytes) -> Said:
    try:
        return said.model_validate(orjson.loads(text))
    except pydantic.ValidationError as error:
        found = faults(error.errors(), "body")
        detail = f"{found[0].where}: {found[0].what}" if len(found) == 1 else f"{len(found)} things are not right."
        raise Problem("invalid", detail, errors=found) from error
    except ValueError as error:
        raise Problem("unreadable", "The body is no JSON, or not in UTF-8.") from error


def _answer(given: Given, status: int) -> HttpResponse:
    headers: Mapping[str, str] = {"Location": given.location} if given.location else {}
    if given.is_again:
        headers = {**headers, "Idempotent-Replayed": "true"}
    return rendered(given.body, status, headers)


class QuickFirst:
    """Middleware that answers quick writes itself; all else goes on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer. Raises DisallowedHost as the rest of the house does."""
        view = _views.get(request.path_info) if request.method == "POST" else None
        if view is None:
            return self._get_response(request)
        request.get_host()
        answer = view(request)
        answer.headers["Content-Length"] = str(len(answer.content))
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer
