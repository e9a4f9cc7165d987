"""A trace leads from the caller through a request into the job that it put off, and to the platform that was called."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from finalmarket.connectors.http import Http, scrubber
from finalmarket.kernel import jobs, tracing
from finalmarket.operations.front_door import FrontDoor
from tests.conftest import TestDatabase
from tests.operations.carrying import carry_out

pytest.importorskip("opentelemetry.sdk", reason="no OpenTelemetry: install finalmarket[otel]")
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans() -> Iterator[Any]:
    """The spans of this process, kept in memory."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracing.use(provider)
    yield kept
    tracing.use(None)


def _call(path: str, secret: str) -> None:
    wire = httpx2.MockTransport(lambda request: httpx2.Response(200, json={}))
    platform = Http(
        "https://shop.example", httpx2.Auth(), scrubber([secret]), lambda answer: ("", ""), transport=wire,
        platform="etsy",
    )  # fmt: skip
    platform.call("GET", path)
    platform.close()


def test_from_the_caller_through_the_request_into_its_job_and_to_the_platform(
    committed_database: TestDatabase, spans: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "s3cret-token"
    monkeypatch.setattr(jobs, "_declared", dict(jobs.declared()))
    jobs.job("test.call")(lambda: _call(f"/shops/{secret}/orders?key={secret}", secret))

    def page(request: HttpRequest) -> HttpResponse:
        jobs.enqueue("test.call")
        return HttpResponse()

    FrontDoor(page)(RequestFactory().get("/health", headers={"traceparent": CALLER}))
    carry_out("test.call")

    found = {span.name: span for span in spans.get_finished_spans()}
    request, job, call = found["GET /health"], found["job test.call"], found["GET etsy"]
    assert {format(span.context.trace_id, "032x") for span in (request, job, call)} == {CALLER.split("-")[1]}
    assert format(request.parent.span_id, "016x") == CALLER.split("-")[2]
    assert job.parent.span_id == request.context.span_id
    assert call.parent.span_id == job.context.span_id
    assert secret not in call.to_json()


def test_an_error_is_told_by_its_kind_alone(spans: Any) -> None:
    with pytest.raises(ValueError), tracing.span("work"):
        raise ValueError("ann@example.com")
    (span,) = spans.get_finished_spans()
    assert span.attributes["error.type"] == "ValueError"
    assert "ann@example.com" not in span.to_json()


def test_spans_reach_a_collector_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv(tracing.VARIABLE, f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setattr(tracing, "_is_wanted", True)
    monkeypatch.setattr(tracing, "_tracer", None)
    try:
        with tracing.span("a span of ours"):
            pass
        tracing.flush()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        tracing.use(None)
    assert [path for path, _ in got] == ["/v1/traces"]
    assert b"a span of ours" in got[0][1]


def test_without_a_collector_nothing_is_kept_and_nothing_carried() -> None:
    assert not tracing.is_on()
    assert tracing.carried() == {}
