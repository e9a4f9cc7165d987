"""The tracking API: where clients of analytics platforms tell what people do, by our address in place of theirs.

Without a session and without a form's token: the write key says of which channel is told, and telling is all that it
allows. A request is answered after what it says is committed; an event that cannot be taken is set aside and never
spoils the others. The languages are in journeys/dialects/, their addresses in track_urls.py.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_exempt

from finalmarket.journeys import ingest
from finalmarket.journeys.dialects.heard import Call, Reading, TooLarge, Unreadable, fields
from finalmarket.journeys.write_keys import door
from finalmarket.kernel import clock
from finalmarket.kernel.gate import Crowded

SEGMENT_BYTES = 500 * 1024
SEGMENT_CALL_BYTES = 32 * 1024
MOST_BYTES = 5 * 1024 * 1024
MOST_FORM_BYTES = 1024 * 1024
"""Of a form, which takes far longer to read than JSON does, and is read before anybody knows whose key it names."""
GZIP = b"\x1f\x8b"
GZIP_OR_ZLIB = 47
RETRY_CROWDED_SECONDS, RETRY_AWAY_SECONDS = "1", "5"
PREFLIGHT_SECONDS = "86400"
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
Answer = Callable[[Call, Reading], HttpResponse]
View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Door:
    """One way of telling: how it is read, what is answered, how much a request may hold, and what more is too much."""

    dialect: str
    read: Callable[[Call], Reading]
    answer: Answer
    most_bytes: int = MOST_BYTES
    too_large: int = 413


def json_answer(told: Any, status: int = 200) -> HttpResponse:
    """An answer in JSON."""
    return HttpResponse(orjson.dumps(told), status=status, content_type="application/json")


def pixel() -> HttpResponse:
    """A picture of one transparent point, for clients that ask for one."""
    return HttpResponse(PIXEL, content_type="image/gif")


def for_browsers(view: View) -> View:
    """Let pages of any origin call this: nothing is read from a cookie, and nothing but a yes is answered."""

    @csrf_exempt
    @wraps(view)
    def opened(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        if request.method == "OPTIONS":
            answer = HttpResponse(status=204)
            answer.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
            asked = request.headers.get("Access-Control-Request-Headers", "")
            answer.headers["Access-Control-Allow-Headers"] = asked[:1_000] or "authorization, content-type"
            answer.headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
        elif request.method in ("POST", "GET"):
            answer = view(request, *args, **named)
        else:
            answer = HttpResponseNotAllowed(["GET", "POST", "OPTIONS"])
        answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer

    return opened


def hear(request: HttpRequest, way: Door) -> HttpResponse:
    """Take what a request says. 200 in the client's own words once it is committed; 401 for a key of nobody, 400 for
    what is no request of this kind, 413 (Segment: 400) for too much, 429 and 503 when it is to be told again."""
    try:
        call = unpacked(request, way.most_bytes)
        reading = way.read(call)
    except TooLarge as error:
        return _refused(way.too_large, str(error))
    except Unreadable as error:
        return _refused(400, str(error))
    opened = door(reading.key)
    if opened is None:
        return _refused(401, "the write key is none of ours")
    answer = way.answer(call, reading)  # which is given once it is true
    try:
        ingest.take(opened, way.dialect, reading, call.received_at)
    except Crowded as error:
        return _refused(429, str(error), RETRY_CROWDED_SECONDS)
    except ingest.Unavailable as error:
        return _refused(503, str(error), RETRY_AWAY_SECONDS)
    return answer


def _refused(status: int, reason: str, retry_after: str = "") -> HttpResponse:
    answer = json_answer({"success": False, "status": 0, "error": reason, "message": reason}, status)
    if retry_after:
        answer.headers["Retry-After"] = retry_after
    return answer


def unpacked(request: HttpRequest, most_bytes: int) -> Call:
    """The request without its packing. Raises TooLarge, Unreadable."""
    received_at = clock.now()
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isascii() and length.isdigit() and int(length) > most_bytes:
        raise TooLarge(f"a request holds at most {most_bytes} bytes")
    body = request.read(most_bytes + 1) if request.method == "POST" else b""
    if body[:2] == GZIP:  # whatever the head says: some clients send it as a form, some without a word
        body = _unzipped(body, most_bytes)
    if len(body) > most_bytes:
        raise TooLarge(f"a request holds at most {most_bytes} bytes")
    call = Call(body, received_at, _key_of(request), method=request.method or "POST")
    if request.META.get("QUERY_STRING"):
        call.query = fields(request.META["QUERY_STRING"])
    if body and body.lstrip()[:1] not in (b"{", b"["):
        if len(body) > MOST_FORM_BYTES:
            raise TooLarge(f"a form holds at most {MOST_FORM_BYTES} bytes")
        call.form = fields(body.decode("utf-8", "replace"))
    return call


def _unzipped(body: bytes, most_bytes: int) -> bytes:
    unpacker = zlib.decompressobj(GZIP_OR_ZLIB)
    try:
        return unpacker.decompress(body, most_bytes + 1)
    except zlib.error as error:
        raise Unreadable("the body is no gzip") from error


def _key_of(request: HttpRequest) -> str:
    """The write key that the head names: `Basic KEY:` or X-Write-Key."""
    given = request.META.get("HTTP_X_WRITE_KEY", "")
    if given:
        return str(given)
    scheme, _, packed = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(packed.strip(), validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return ""
