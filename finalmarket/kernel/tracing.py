"""Traces (OpenTelemetry): which request, which call to a platform, which job took how long, across processes.

Off unless OTEL_EXPORTER_OTLP_ENDPOINT says where a collector listens; then nothing is imported and a span costs a look
at a variable. On, it needs the extra `otel` (`pip install finalmarket[otel]`). What a span says of itself holds no
secret and no personal data: routes instead of addresses, hosts and paths without their queries.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Literal

from finalmarket.kernel.errors import UserError

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES_VARIABLE = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
Kind = Literal["server", "client", "producer", "consumer", "internal"]

_mutex = threading.Lock()
_tracer: Tracer | None = None
_is_wanted: bool = bool(os.environ.get(VARIABLE) or os.environ.get(TRACES_VARIABLE))
_pid = 0
_provider: Any = None


def flush() -> None:
    """Send what was kept, now."""
    if _provider is not None:
        _provider.force_flush()


def is_on() -> bool:
    """Whether spans are kept."""
    return _is_wanted


def use(provider: Any) -> None:
    """Keep the spans of this process with this provider (None: keep none); for tests and for other exporters."""
    global _tracer, _is_wanted, _pid
    _is_wanted, _pid = provider is not None, os.getpid()
    _tracer = provider.get_tracer("finalmarket") if provider is not None else None


def span(name: str, kind: Kind = "internal", **attributes: str | int) -> AbstractContextManager[Span | None]:
    """Within it a span is open, a child of the one around it. An error that leaves it is noted by its kind alone: its
    words may hold anything."""
    if not _is_wanted:
        return nullcontext()
    return _open(name, kind, attributes, None)


def resumed(brought: Mapping[str, str], name: str, kind: Kind, **attributes: str | int) -> AbstractContextManager[Any]:
    """As `span`, of the trace that was brought from elsewhere (`carried`, or the header `traceparent`)."""
    if not _is_wanted:
        return nullcontext()
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return _open(name, kind, attributes, TraceContextTextMapPropagator().extract(dict(brought)))


def carried() -> dict[str, str]:
    """The trace and span that are open, as W3C Trace Context writes them; nothing where none is."""
    if not _is_wanted:
        return {}
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    found: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(found)
    return found


@contextmanager
def _open(name: str, kind: Kind, attributes: Mapping[str, str | int], context: Any) -> Iterator[Span]:
    from opentelemetry.trace import SpanKind, Status, StatusCode

    opened = _ready().start_as_current_span(
        name, context=context, kind=SpanKind[kind.upper()], attributes=dict(attributes), record_exception=False,
        set_status_on_exception=False,
    )  # fmt: skip
    with opened as found:
        try:
            yield found
        except Exception as error:
            found.set_attribute("error.type", type(error).__qualname__)
            found.set_status(Status(StatusCode.ERROR))
            raise


def _ready() -> Tracer:
    """The tracer of this process; a process that was forked makes one of its own, with a thread of its own."""
    global _tracer, _pid
    if _tracer is not None and _pid == os.getpid():
        return _tracer
    with _mutex:
        if _tracer is None or _pid != os.getpid():
            _tracer, _pid = _made(), os.getpid()
    return _tracer


def _made() -> Tracer:
    global _provider
    import atexit

    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise UserError(
            f"{VARIABLE} is set and the packages that keep traces are missing: install finalmarket[otel], or unset it"
        ) from error
    from finalmarket import __version__

    named = {"service.name": os.environ.get("OTEL_SERVICE_NAME", "finalmarket"), "service.version": __version__}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    atexit.register(provider.shutdown)
    _provider = provider
    return provider.get_tracer("finalmarket")
