"""How a call goes over the wire: written as JSON, repeated where that is safe, read into what it answers.

Repeated are a call whose answer was lost, and one that is answered "under way" (409), "too fast" (429) or "away" (502,
503, 504): reads change nothing, and a write goes under the same Idempotency-Key each time, so that it is carried out
once. Everything else is told at once.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx2
import orjson
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from finalmarket.client.errors import URN, ConnectionLost, problem

AGENT = "finalmarket-client"
AWAY = frozenset({502, 503, 504})
TOO_FAST, CONFLICT, NOT_CHANGED, NO_CONTENT = 429, 409, 304, 204
FIRST_PAUSE_SECONDS, MOST_PAUSE_SECONDS = 0.2, 10.0
UNSAID: Any = type("Unsaid", (), {"__repr__": lambda self: "UNSAID", "__bool__": lambda self: False})()
"""What is left out of a body: it stays as it is, or is as the description says. None is said as null."""
SHOWN: Any = Field(default=None)
"""A field of an answer; None where only some fields were asked for and this is none of them."""
What = TypeVar("What")


class Answer(BaseModel):
    """What the house answers. What it tells besides, and a later version may, is kept as well."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())
    _etag: str = PrivateAttr(default="")

    @property
    def etag(self) -> str:
        """The ETag of what is shown: say it as `if_match` to change nothing that has changed meanwhile."""
        return self._etag


class NotChanged(Exception):
    """What was asked for `if_none_match` is still what it was."""


@dataclass(frozen=True)
class Operation(Generic[What]):
    """A call of the API: its method, its address, and what it answers by status."""

    method: str
    path: str
    answers: Mapping[int, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """What is said with a call."""

    path: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None
    idempotency_key: str = ""


class Caller:
    """Calls the house. `patience_seconds` is how long a call is repeated at most, its answers not counted."""

    def __init__(
        self, address: str, key: str, *, timeout_seconds: float, patience_seconds: float,
        transport: httpx2.BaseTransport | None, sleep: Callable[[float], None],
    ) -> None:  # fmt: skip
        self._http = httpx2.Client(
            base_url=address.rstrip("/"), timeout=timeout_seconds, transport=transport,
            headers={"Authorization": f"Bearer {key}", "Accept": "application/json", "User-Agent": AGENT},
        )  # fmt: skip
        self._patience_seconds, self._sleep = patience_seconds, sleep

    def __repr__(self) -> str:
        return f"<Caller of {self._http.base_url}>"  # never with the key

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def call(self, operation: Operation[What], said: Said) -> What:
        """Make a call and return what it answers. Raises ApiProblem, ConnectionLost and NotChanged."""
        answer = self._sent(self._request(operation, said), said.idempotency_key)
        if answer.status_code == NOT_CHANGED:
            raise NotChanged(operation.path)
        if not answer.is_success:
            raise problem(answer.status_code, _read(answer), _retry_after(answer))
        kind = operation.answers.get(answer.status_code)
        if kind is None or answer.status_code == NO_CONTENT:
            return None  # type: ignore[return-value]  # and so it is declared
        told = kind.model_validate_json(answer.content)
        told._etag = answer.headers.get("ETag", "")
        return told  # type: ignore[no-any-return]

    def _request(self, operation: Operation[What], said: Said) -> httpx2.Request:
        address = operation.path.format(**{name: quote(_word(value), safe="") for name, value in said.path.items()})
        query = {name: _word(value) for name, value in said.query.items() if value not in (None, ())}
        headers = {name: value for name, value in (said.headers or {}).items() if value}
        content: bytes | None = None
        if said.body is not None:
            plain = {name: value for name, value in said.body.items() if value is not UNSAID}
            content = orjson.dumps(plain, default=_json, option=orjson.OPT_NON_STR_KEYS)
            headers["Content-Type"] = "application/json"
        if said.idempotency_key:
            headers["Idempotency-Key"] = said.idempotency_key
        return self._http.build_request(operation.method, address, params=query, content=content, headers=headers)

    def _sent(self, request: httpx2.Request, idempotency_key: str) -> httpx2.Response:
        waited, tries = 0.0, 0
        while True:
            tries += 1
            lost: httpx2.TransportError | None = None
            answer: httpx2.Response | None = None
            try:
                answer = self._http.send(request)
                if not _is_to_be_repeated(answer):
                    return answer
            except httpx2.TransportError as error:
                lost = error
            pause = _pause(tries, answer)
            if waited + pause > self._patience_seconds:
                if answer is not None:
                    return answer
                raise ConnectionLost(f"{request.method} {request.url.path}: {lost!r}", idempotency_key) from lost
            self._sleep(pause)
            waited += pause


def new_idempotency_key(given: str) -> str:
    """Return what a write goes under: what the caller gave, else a value of its own."""
    return given or str(uuid.uuid4())


def waits() -> Callable[[float], None]:
    """Return how a client waits by itself."""
    return time.sleep


def _is_to_be_repeated(answer: httpx2.Response) -> bool:
    if answer.status_code == CONFLICT:
        return bool(_read(answer).get("type") == f"{URN}under-way")
    return answer.status_code == TOO_FAST or answer.status_code in AWAY


def _pause(tries: int, answer: httpx2.Response | None) -> float:
    """As long as the house says, and a moment at least, or its patience would never end; else longer each time, and not
    at the same moment as others."""
    said = _retry_after(answer) if answer is not None else None
    if said is not None:
        return max(said, FIRST_PAUSE_SECONDS)
    longest = min(MOST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** (tries - 1))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  no secret


def _retry_after(answer: httpx2.Response) -> float | None:
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isascii() and said.isdigit() else None


def _read(answer: httpx2.Response) -> Mapping[str, Any]:
    try:
        found = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _word(value: Any) -> str:
    """As it stands in an address."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return ",".join(_word(one) for one in value)
    return str(value)


def _json(value: Any) -> Any:
    """What JSON has no word for: amounts go as text, so that none is rounded."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_unset=True)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
