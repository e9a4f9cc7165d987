"""One call to a platform: time-outs and size limits on everything, the budget asked first, and each failure named by
what the caller must do (errors.py). Connections are reused; nothing secret leaves in an error."""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from datetime import UTC
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, NoReturn
from urllib.parse import quote, quote_plus

import httpx2

from finalmarket.connectors.errors import (
    ConnectorError,
    NeedsAttention,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    Unintelligible,
)
from finalmarket.connectors.exact_json import exact_json, read_json
from finalmarket.connectors.rates import Budget, Rate, Unlimited
from finalmarket.kernel import clock, failpoints, measures, tracing

TIMEOUT = httpx2.Timeout(connect=5.0, read=30.0, write=15.0, pool=10.0)
LIMITS = httpx2.Limits(max_connections=10, max_keepalive_connections=5, keepalive_expiry=60.0)
MOST_BYTES = 32 * 1024 * 1024
MOST_SECONDS = 60.0  # for one answer, however steadily it drips
LEAST_LETTERS = 4  # of a secret
MOST_SECONDS_TO_WAIT = 24 * 3600.0
MOST_FIGURES = 15  # of a number in a header
JSON = {"Content-Type": "application/json"}
ONE_A_SECOND = Rate(calls=1)
NOBODY = httpx2.Auth()  # what is sent goes as it stands
# Failures at which the request cannot have reached the platform.
NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
Explain = Callable[["Answer"], tuple[str, str]]
Heed = Callable[["Answer", str], float | None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the platform answered: `data` is its JSON, numbers with a point as Decimal; None where there is none."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    data: Any = None

    @property
    def is_success(self) -> bool:
        """Whether the status is in the two hundreds."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str:
        """The value of a header, whatever its case; "" when it is missing."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), "")

    def count(self, name: str) -> int | None:
        """The whole number in a header; None where there is none."""
        text = self.header(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_FIGURES else None


class _NoQueries(logging.Filter):
    """The library writes down each address that it calls: some platforms want their secret in the query."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Leave the address without its query."""
        if isinstance(record.args, tuple):
            record.args = tuple(_without_query(part) if isinstance(part, httpx2.URL) else part for part in record.args)
        return True


def _without_query(url: httpx2.URL) -> str:
    return str(url.copy_with(query=None))


logging.getLogger("httpx2").addFilter(_NoQueries())


class Scrubber:
    """Takes secrets out of texts, as they are and as they are written in addresses and in JSON."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets: tuple[str, ...] = ()
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Take out these too, the longest first; texts under four letters are no secrets."""
        known = set(self._secrets)
        for secret in secrets:
            if len(secret) >= LEAST_LETTERS:
                known |= {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
        self._secrets = tuple(sorted(known, key=len, reverse=True))

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def scrubber(secrets: Iterable[str]) -> Scrubber:
    """A scrubber of these secrets."""
    return Scrubber(secrets)


@dataclass(slots=True)
class Http:
    """The way to one platform, for one account.

    `explain` gives the platform's error code and its words for an answer ("" and "" where it reports none);
    `consequences` says which error a code stands for where the status alone would not tell. `heed` is shown every
    answer with its bucket: it takes over what the answer tells of the limits, and returns the seconds to wait.
    """

    base_url: str
    auth: httpx2.Auth = field(repr=False)
    scrub: Scrubber
    explain: Explain = field(repr=False)
    consequences: Mapping[str, type[ConnectorError]] = field(default_factory=dict)
    rates: Mapping[str, Rate] = field(default_factory=dict)
    budget: Budget = field(default_factory=Unlimited)
    heed: Heed = lambda answer, bucket: retry_after(answer.headers)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    transport: httpx2.BaseTransport | None = None
    timeout: httpx2.Timeout = field(default_factory=lambda: TIMEOUT)
    most_bytes: int = MOST_BYTES
    most_seconds: float = MOST_SECONDS
    platform: str = ""
    _client: httpx2.Client | None = None

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        exact: Any = None,
        form: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        bucket: str = "",
        cost: float = 1.0,
        repeatable: bool | None = None,
        is_authorized: bool = True,
    ) -> Answer:
        """Make one call and return its successful answer.

        `repeatable` says that doing it twice does no harm (a read, or a write under an idempotency key); by default
        GET and HEAD are. `exact` is a body of JSON like `json`, whose Decimals go out as numbers with just their own
        digits. Only what is not repeatable ends in OutcomeUnknown. Raises a ConnectorError otherwise.
        """
        is_repeatable = method in ("GET", "HEAD") if repeatable is None else repeatable
        if exact is not None:
            content, headers = exact_json(exact), {**JSON, **(headers or {})}
        self.budget.take(bucket, self.rates.get(bucket, ONE_A_SECOND), cost)
        request = self._open().build_request(
            method, path, params=params, json=_plain(json), data=form, content=content,
            headers={**self.headers, **(headers or {})},
        )  # fmt: skip
        failpoints.hit("http.before_send")
        answer = self._counted(request, is_repeatable, is_authorized)
        failpoints.hit("http.after_send")
        self._judge(answer, is_repeatable, self.heed(answer, bucket))
        return answer

    def close(self) -> None:
        """Give the connections back."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _open(self) -> httpx2.Client:
        if self._client is None:
            self._client = httpx2.Client(
                base_url=self.base_url, timeout=self.timeout, limits=LIMITS, transport=self.transport,
                verify=trusted(), follow_redirects=False, trust_env=False,
            )  # fmt: skip
        return self._client

    def _counted(self, request: httpx2.Request, is_repeatable: bool, is_authorized: bool) -> Answer:
        status = "no answer"
        try:
            with self._traced(request) as span:
                answer = self._send(request, is_repeatable, is_authorized)
                status = str(answer.status)
                if span is not None:
                    span.set_attribute("http.response.status_code", answer.status)
                return answer
        finally:
            measures.PLATFORM_CALLS.labels(self.platform, status).inc()

    def _traced(self, request: httpx2.Request) -> AbstractContextManager[Any]:
        if not tracing.is_on():
            return nullcontext()
        told = {"http.request.method": request.method, "url.full": self.scrub(_without_query(request.url))}
        return tracing.span(f"{request.method} {self.platform}", "client", **told)

    def _send(self, request: httpx2.Request, is_repeatable: bool, is_authorized: bool) -> Answer:
        """Send the request, and before it what its authorization asks for. Each answer is read whole, within the
        limits, before anybody looks into it: the library itself would read those of tokens without any."""
        auth = self.auth if is_authorized else NOBODY
        with closing(auth.sync_auth_flow(request)) as flow:
            asked = next(flow)
            while True:
                response, body = self._whole(asked, is_repeatable, is_of_token=asked is not request)
                try:
                    asked = flow.send(_as_read(response, body))
                except StopIteration:
                    return self._parsed(response, body, is_repeatable)

    def _whole(
        self, request: httpx2.Request, is_repeatable: bool, *, is_of_token: bool
    ) -> tuple[httpx2.Response, bytes]:  # fmt: skip
        """An answer and its body. What is lost while a token is asked for leaves no doubt about the call itself."""
        is_repeatable, about = is_repeatable or is_of_token, "no new access token: " if is_of_token else ""
        until = clock.ticks() + self.most_seconds
        try:
            with closing(self._open().send(request, stream=True, auth=NOBODY)) as response:
                return response, self._read(response, until)
        except NEVER_SENT as error:
            raise RetryLater(self.scrub(f"{about}the platform cannot be reached: {error}")) from None
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            self._lost(f"{about}the connection failed: {type(error).__name__} {error}", is_repeatable)
        except _TooLong:
            reason = f"{about}the answer is longer than {self.most_bytes} bytes"
            raise (Unintelligible if is_repeatable else OutcomeUnknown)(reason) from None
        except _TooSlow:
            self._lost(f"{about}the answer takes longer than {self.most_seconds:g} seconds", is_repeatable)

    def _read(self, response: httpx2.Response, until: float) -> bytes:
        chunks, size = [], 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > self.most_bytes:
                raise _TooLong
            if clock.ticks() > until:
                raise _TooSlow
            chunks.append(chunk)
        return b"".join(chunks)

    def _parsed(self, response: httpx2.Response, body: bytes, is_repeatable: bool) -> Answer:
        headers = dict(response.headers)
        try:
            data = read_json(body) if body.strip() else None
        except ValueError:
            if 200 <= response.status_code < 300 and "json" in headers.get("content-type", ""):
                reason = "the platform says it succeeded, but its answer is not JSON"
                raise (Unintelligible if is_repeatable else OutcomeUnknown)(
                    reason, status=response.status_code
                ) from None
            data = None
        return Answer(response.status_code, headers, body, data)

    def _lost(self, reason: str, is_repeatable: bool) -> NoReturn:
        if is_repeatable:
            raise RetryLater(self.scrub(reason)) from None
        raise OutcomeUnknown(self.scrub(reason)) from None

    def _judge(self, answer: Answer, is_repeatable: bool, seconds: float | None) -> None:
        """Raise what the status, or the platform's own code in a successful answer, stands for."""
        code, words = self.explain(answer)
        if answer.is_success and not code:
            return
        kind = self.consequences.get(code) or _consequence(answer.status, is_repeatable)
        code = self.scrub(code)
        reason = self.scrub(f"{answer.status} {code}: {words}".strip(" :"))
        if kind is OutcomeUnknown and is_repeatable:
            kind = RetryLater
        if issubclass(kind, RetryLater):
            raise kind(reason, retry_after=seconds, code=code, status=answer.status)
        raise kind(reason, code=code, status=answer.status)


@cache
def trusted() -> ssl.SSLContext:
    """The certificates that we trust, read once for the whole process: it takes longer than most calls."""
    return httpx2.create_ssl_context(trust_env=False)


def _as_read(response: httpx2.Response, body: bytes) -> httpx2.Response:
    """The answer with its body in it, unpacked already."""
    headers = httpx2.Headers(response.headers)
    headers.pop("content-encoding", None)
    return httpx2.Response(response.status_code, headers=headers, content=body, request=response.request)


class _TooLong(Exception):
    pass


class _TooSlow(Exception):
    pass


def _consequence(status: int, is_repeatable: bool) -> type[ConnectorError]:
    if status in (401, 403):
        return NeedsAttention
    if status in (408, 425, 429):
        return RetryLater
    if status >= 500:
        return RetryLater if is_repeatable else OutcomeUnknown
    if status >= 400 or 200 <= status < 300:
        return Rejected
    return Unintelligible  # a redirect: no platform's API sends one


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a `Retry-After` header asks for, given as seconds or as a date (RFC 9110, section 10.2.3)."""
    value = next((text for name, text in headers.items() if name.lower() == "retry-after"), "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
        except ValueError:
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        seconds = (at - clock.now()).total_seconds()
    return min(max(0.0, seconds), MOST_SECONDS_TO_WAIT) if seconds == seconds else None


def seconds_until(moment: int) -> float:
    """The seconds to wait until a moment in seconds since 1970, as some platforms tell when calls are taken again."""
    return min(max(0.0, moment - clock.now().timestamp()), MOST_SECONDS_TO_WAIT)


def _plain(value: Any) -> Any:
    """JSON knows no Decimal: amounts that must stay exact travel as strings, which connectors write themselves."""
    if isinstance(value, Decimal):
        raise TypeError("a Decimal would lose its digits in JSON: write it as the platform wants it")
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
