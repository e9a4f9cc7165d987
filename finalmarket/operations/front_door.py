"""What every request passes first: it gets its id, its place in the figures and in the trace, and a line in the log.

Probes are answered here, before hosts, sessions and the database are looked at: who asks them comes from within, by
whatever name. The line of a request (level INFO) names its route, never its address: addresses may hold secrets.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from finalmarket.kernel import measures, tracing, trail
from finalmarket.operations import readiness

HEADER = "X-Request-Id"
MOST_KEPT_PATHS = 1_024
POOL_SECONDS = 5.0
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
PROBES: Mapping[str, Callable[[HttpRequest], HttpResponse]] = {
    "/healthz": readiness.lives,
    "/readyz": readiness.is_ready,
}
log = structlog.get_logger(__name__)
_lines = logging.getLogger(__name__)


class FrontDoor:
    """Middleware that stands before all other."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._pool_seen_at = 0.0

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        probe = PROBES.get(request.path_info)
        if probe is not None:
            return probe(request)
        request_id = trail.request_id(request.META.get("HTTP_X_REQUEST_ID", ""))
        began, status = time.perf_counter(), 500
        measures.UNDER_WAY.inc()
        with trail.bound(request_id=request_id), _traced(request) as span:
            try:
                answer = self._get_response(request)
                status = answer.status_code
                answer.headers[HEADER] = request_id
                return answer
            finally:
                measures.UNDER_WAY.dec()
                self._note(request, status, time.perf_counter() - began, span)

    def _note(self, request: HttpRequest, status: int, seconds: float, span: Any) -> None:
        method = request.method if request.method in METHODS else "other"
        route = route_of(request)
        measures.count_request(method, route, status, seconds)
        if _lines.isEnabledFor(logging.INFO):
            log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 2))
        if span is not None:
            span.update_name(f"{method} {route}")
            span.set_attributes({"http.route": route, "http.response.status_code": status})
        if time.monotonic() - self._pool_seen_at > POOL_SECONDS:
            self._pool_seen_at = time.monotonic()
            _look_at_pool()


def _traced(request: HttpRequest) -> AbstractContextManager[Any]:
    if not tracing.is_on():
        return nullcontext()
    brought = {name: request.headers[name] for name in ("traceparent", "tracestate") if name in request.headers}
    return tracing.resumed(brought, "request", "server", **{"http.request.method": request.method or ""})


def route_of(request: HttpRequest) -> str:
    """Where a request went, without what is particular to it: there are only so many routes."""
    if request.resolver_match is not None:
        return f"/{request.resolver_match.route}"
    return _route(request.path_info)


@lru_cache(maxsize=MOST_KEPT_PATHS)
def _route(path: str) -> str:
    """The route of what was answered before anybody looked for one."""
    if path.startswith(f"/{settings.STATIC_URL.lstrip('/')}"):
        return "static"
    try:
        return f"/{resolve(path).route}"
    except Resolver404:
        return "none"


def _look_at_pool() -> None:
    """Count the pooled connections of this process, if it has a pool."""
    from django.db import connections

    if not settings.DATABASES["default"]["OPTIONS"].get("pool"):
        return
    pool = getattr(connections["default"], "pool", None)
    if pool is None:
        return
    found = pool.get_stats()
    measures.POOL.labels("open").set(found.get("pool_size", 0))
    measures.POOL.labels("idle").set(found.get("pool_available", 0))
    measures.POOL.labels("waited for").set(found.get("requests_waiting", 0))
