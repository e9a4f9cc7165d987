"""How a call is let in: by bearer token, by a header of the platform's own, or by OAuth 2 with tokens that end."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, Self

import httpx2
from authlib.common.security import generate_token
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from finalmarket.connectors.errors import NeedsAttention, RetryLater, Unintelligible
from finalmarket.connectors.exact_json import read_json
from finalmarket.connectors.paging import read_one
from finalmarket.kernel import clock, failpoints

Keep = Callable[[Mapping[str, str]], None]
Renewing = Callable[[], AbstractContextManager[Mapping[str, str]]]
"""Within it nobody else renews the tokens of an account. It gives the secrets that are kept by then."""
RENEW_BEFORE = timedelta(minutes=2)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
# RFC 6749, section 5.2.
TOKEN_ERRORS = frozenset(
    {
        "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
        "invalid_scope", "access_denied",
    }
)  # fmt: skip


class HeaderAuth(httpx2.Auth):
    """A secret in a header, such as `Authorization: Bearer ...` or `X-Shopify-Access-Token: ...`."""

    def __init__(self, name: str, value: str) -> None:
        self._name, self._value = name, value

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Put the header on."""
        request.headers[self._name] = self._value
        yield request


def bearer(token: str) -> HeaderAuth:
    """`Authorization: Bearer <token>`."""
    return HeaderAuth("Authorization", f"Bearer {token}")


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """Where and how new access tokens are asked for (RFC 6749, sections 4.4 and 6). `as_json` sends the fields as JSON
    instead of a form; `fresh_fields` makes those that are good for one request only, such as a signed assertion."""

    url: str
    fields: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    as_json: bool = False
    fresh_fields: Callable[[], Mapping[str, str]] = field(default=dict, repr=False)


def place_bearer(request: httpx2.Request, token: str) -> None:
    """Put a token on a request."""
    request.headers["Authorization"] = f"Bearer {token}"


def nobody_else() -> AbstractContextManager[Mapping[str, str]]:
    """Renewing, where nothing is kept that anybody else could have renewed."""
    return nullcontext({})


class HoldsTokens(Protocol):
    """An account as far as its tokens go: what is kept of them, and how (see Account)."""

    @property
    def secrets(self) -> Mapping[str, str]: ...

    @property
    def keep(self) -> Keep: ...

    @property
    def renewing(self) -> Renewing: ...


class TokenAuth(httpx2.Auth):
    """An access token that ends: asked for when there is none, when it is about to end, and once when it is refused.

    `keep` stores what the platform gives (a new refresh token replaces the old one), so that it outlives the process;
    `renewing` is for those who share an account: what another one has renewed is taken over instead of asked for, as a
    refresh token may be good once only. `place` puts the token on a request. Raises NeedsAttention when the platform
    refuses to renew.
    """

    def __init__(
        self, request: TokenRequest, place: Callable[[httpx2.Request, str], None], *, token: str = "",
        ends_at: datetime | None = None, keep: Keep = lambda secrets: None, renewing: Renewing = nobody_else,
    ) -> None:  # fmt: skip
        self._request, self._place, self._keep = request, place, keep
        self._token, self._ends_at = token, ends_at
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._renewing = renewing

    @classmethod
    def of(
        cls, request: TokenRequest, account: HoldsTokens, place: Callable[[httpx2.Request, str], None] = place_bearer
    ) -> Self:  # fmt: skip
        """With the access token that an account's secrets hold from before."""
        token, ends_at = kept_token(account.secrets)
        return cls(request, place, token=token, ends_at=ends_at, keep=account.keep, renewing=account.renewing)

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Send with a token that is good; renew it when it is not."""
        before = self._token
        yield from self._renew(before)
        used = self._token
        self._place(request, used)
        response = yield request
        if used == before and self.is_refused(response):
            yield from self._renew(before, is_refused=True)
            self._place(request, self._token)
            yield request

    def is_refused(self, response: httpx2.Response) -> bool:
        """Whether an answer says that the token is no longer good: 401, unless the platform has a way of its own."""
        return response.status_code == 401

    def _is_stale(self) -> bool:
        return not self._token or (self._ends_at is not None and clock.now() >= self._ends_at - RENEW_BEFORE)

    def _renew(self, before: str, *, is_refused: bool = False) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Ask for a new token, where the one that was there `before` will not do. One asks, the others wait for what it
        brings: those of this object by its own lock, those of the same account by the account's."""
        if not is_refused and not self._is_stale():
            return
        with self._turn:
            if self._is_renewed(before):
                return
            with self._renewing() as kept:
                self._take_over(kept)
                if self._is_renewed(before):
                    return
                failpoints.hit("auth.before_renew")
                response = yield self.renewal()
                failpoints.hit("auth.after_renew")
                self.accept(self.given(response))

    def _is_renewed(self, before: str) -> bool:
        return self._token != before and not self._is_stale()

    def _take_over(self, kept: Mapping[str, str]) -> None:
        """Be as the account is by now."""
        token, ends_at = kept_token(kept) if kept.get("access_token") else (self._token, self._ends_at)
        self._hold(token, ends_at, kept.get("refresh_token"))

    def renewal(self) -> httpx2.Request:
        """The request for a new token: a POST, unless the platform has a way of its own."""
        asked = self._request
        fields = {**asked.fields, **asked.fresh_fields()}
        body: dict[str, Any] = {"json": fields} if asked.as_json else {"data": fields}
        return httpx2.Request("POST", asked.url, headers=dict(asked.headers or {}), **body)

    def given(self, response: httpx2.Response) -> Mapping[str, Any]:
        """What the answer to that gives, in the words of the standard: see `read_token`."""
        return read_token(response)

    def accept(self, given: Mapping[str, Any]) -> None:
        """Take over a token answer: keep its tokens, and remember when the access token ends. Raises Unintelligible for
        a token that no header can hold, and for an end that cannot be read."""
        token, ends_at = str(given["access_token"]), read_one(given, end_of)
        if not token.isascii():
            raise Unintelligible("the platform's token answer holds an access token that cannot be sent")
        refresh = str(given["refresh_token"]) if given.get("refresh_token") else None
        self._hold(token, ends_at, refresh)
        kept = {"access_token": token}
        if refresh:
            kept["refresh_token"] = refresh
        if ends_at is not None:
            kept["access_token_ends_at"] = ends_at.isoformat()
        self._keep(kept)

    def _hold(self, token: str, ends_at: datetime | None, refresh: str | None) -> None:
        with self._lock:
            self._token, self._ends_at = token, ends_at
            if refresh and "refresh_token" in self._request.fields:
                fields = {**self._request.fields, "refresh_token": refresh}
                self._request = replace(self._request, fields=fields)


def kept_token(secrets: Mapping[str, str]) -> tuple[str, datetime | None]:
    """The access token among secrets, and when it ends; where that is not told, it is good until it is refused. A
    moment that cannot be read has passed."""
    text = secrets.get("access_token_ends_at", "")
    token = secrets.get("access_token", "")
    return token, _read_end(text) if text else None


def _read_end(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return LONG_AGO
    return at if at.tzinfo else LONG_AGO


def end_of(given: Mapping[str, Any]) -> datetime | None:
    """When a given access token ends: `expires_in` seconds from now (RFC 6749, section 5.1), or at `expires_at`, an ISO
    8601 moment, as some platforms write; None where nothing is said."""
    if given.get("expires_in"):
        return clock.now() + timedelta(seconds=int(given["expires_in"]))
    try:
        ends_at = datetime.fromisoformat(str(given.get("expires_at") or ""))
    except ValueError:
        return None
    return ends_at if ends_at.tzinfo else ends_at.replace(tzinfo=UTC)


def read_token(response: httpx2.Response) -> Mapping[str, Any]:
    """The fields of a token answer (RFC 6749, section 5). Raises NeedsAttention, RetryLater or Unintelligible."""
    response.read()
    try:
        given = read_json(response.content)
    except ValueError:
        given = None
    if response.status_code in (408, 425, 429) or response.status_code >= 500:
        raise RetryLater(
            f"no new access token: the platform answers {response.status_code}", status=response.status_code
        )
    if response.status_code >= 400:
        said = given.get("error") if isinstance(given, dict) else None
        code = said if isinstance(said, str) and said in TOKEN_ERRORS else ""  # other words might hold secrets
        raise NeedsAttention(
            f"the platform gives no access token ({response.status_code} {code}): connect the account anew".replace(
                " )", ")"
            ),
            code=code, status=response.status_code,
        )  # fmt: skip
    if not isinstance(given, dict) or not isinstance(given.get("access_token"), str):
        raise Unintelligible("the platform's token answer holds no access token", status=response.status_code)
    return given


def new_state() -> str:
    """A value that ties an OAuth round trip to the person who began it."""
    return str(generate_token(40))


def new_verifier() -> str:
    """The secret half of PKCE (RFC 7636)."""
    return str(generate_token(64))


def challenge(verifier: str) -> str:
    """The half of PKCE that is told to the platform (RFC 7636, S256)."""
    return str(create_s256_code_challenge(verifier))  # type: ignore[no-untyped-call]


def basic_header(user: str, password: str) -> str:
    """The value of `Authorization` for HTTP Basic (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
