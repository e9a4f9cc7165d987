"""A transport that looks on: every request and answer between a connector and a sandbox, judged by a description."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

import httpx2

from finalmarket.connectors.http import trusted
from tests.connectors.descriptions.judge import Description


@dataclass(frozen=True)
class Exchange:
    """One request and the answer to it; `faults` are what the description does not allow in either."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    request_headers: dict[str, str]
    request_body: bytes
    status: int
    answer_body: bytes
    operation: str
    faults: tuple[str, ...]


class WatchedTransport(httpx2.BaseTransport):
    """Passes on what it sees, and judges it.

    `strip` is what the sandbox puts before the platform's own path ("/square/main", or its whole address). Paths that
    fit one of `ignore` (from their start) are not judged: token endpoints, upload addresses. While `answers_may_break`
    is set, answers are not judged: for tests in which the wire or the sandbox is told to spoil them.
    """

    def __init__(
        self,
        description: Description | None,
        *,
        strip: str,
        ignore: Sequence[str] = (),
        answers_may_break: bool = False,
    ) -> None:
        self._description = description
        self._prefix = "/" + re.sub(r"^https?://[^/]+", "", strip).strip("/")
        self._ignore = [re.compile(expression) for expression in ignore]
        self._wire = httpx2.HTTPTransport(verify=trusted())
        self.answers_may_break = answers_may_break
        self.exchanges: list[Exchange] = []
        self.operations: Counter[str] = Counter()

    @property
    def faults(self) -> list[str]:
        """What was not as described, in sentences, each once."""
        return list(dict.fromkeys(fault for exchange in self.exchanges for fault in exchange.faults))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it on; note and judge it and its answer."""
        body = request.read()
        raw_path, _, raw_query = request.url.raw_path.decode("ascii").partition("?")
        path = raw_path.removeprefix(self._prefix) if raw_path.startswith(self._prefix + "/") else raw_path
        query = tuple(parse_qsl(raw_query, keep_blank_values=True))
        is_judged = self._description is not None and not any(one.match(path) for one in self._ignore)
        faults: list[str] = []
        operation = ""
        if is_judged and self._description is not None:
            operation = self._description.operation(request.method, path, body)
            faults += self._description.request_faults(request.method, path, query, dict(request.headers), body)
        try:
            response, answer = self._passed_on(request)
            if is_judged and self._description is not None and not self.answers_may_break:
                faults += self._description.answer_faults(
                    request.method, path, body, response.status_code, dict(response.headers), answer
                )
        except httpx2.TransportError:
            self._note(request, path, query, 0, b"", operation, faults)
            raise
        self._note(request, path, query, response.status_code, answer, operation, faults)
        return response

    def _passed_on(self, request: httpx2.Request) -> tuple[httpx2.Response, bytes]:
        response = self._wire.handle_request(request)
        try:
            assert isinstance(response.stream, httpx2.SyncByteStream)
            packed = b"".join(response.stream)
        finally:
            response.close()
        status, headers = response.status_code, response.headers
        arrived = httpx2.Response(
            status, headers=headers, stream=httpx2.ByteStream(packed), extensions=response.extensions
        )
        return arrived, httpx2.Response(status, headers=headers, content=packed).content

    def _note(
        self, request: httpx2.Request, path: str, query: tuple[tuple[str, str], ...], status: int, answer: bytes,
        operation: str, faults: Sequence[str],
    ) -> None:  # fmt: skip
        if operation:
            self.operations[operation] += 1
        self.exchanges.append(
            Exchange(
                request.method, path, query, dict(request.headers), request.read(), status, answer, operation,
                tuple(faults),
            )
        )  # fmt: skip

    def close(self) -> None:
        """Give the connections back."""
        self._wire.close()
