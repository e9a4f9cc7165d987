"""How every call of an agent passes: its key, the version of the protocol, its signature where one is wanted, each
write once; and whatever happens, the answer is one of the protocol's.

- `Authorization: Bearer`: an API key with the scope agents:buy that is bound to one channel, on which agents buy.
- `API-Version`: 2026-04-17.
- `Idempotency-Key` on every write, for one address: the same again is answered with what came of it the first time,
  another body with 422, and one whose first call has not ended with 409.
- `Signature` and `Timestamp`, where the channel demands them: the base64url of HMAC-SHA256 with the channel's secret
  over the timestamp, a full stop and the body as it is sent; no older than five minutes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from pydantic import BaseModel, ValidationError

from finalmarket.access import audit, idempotency, keys, rates
from finalmarket.access.models import IdempotentCall
from finalmarket.api.acp.shapes import first_fault
from finalmarket.api.door import digest_of
from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.agents import doors
from finalmarket.integrations.agents.session_words import VERSION
from finalmarket.integrations.models import AgentDoor
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.trouble import trouble_of

MOST_BYTES = 256 * 1024
MOST_KEY_CHARACTERS = 255
FRESH = timedelta(minutes=5)
ShapeType = TypeVar("ShapeType", bound=BaseModel)
log = structlog.get_logger(__name__)


class Refused(Exception):
    """A call that is not carried out: what is answered."""

    def __init__(self, status: int, code: str, message: str, *, param: str = "", **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.param = status, code, param
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was let in."""

    request: HttpRequest
    caller: keys.Caller
    channel: SalesChannel
    door: AgentDoor
    digest: str = ""
    """Of a write: the same for the same call alone, with its Idempotency-Key and what it says."""

    def body(self, shape: type[ShapeType]) -> ShapeType:
        """Return what is said. Raises Refused for what is no JSON, or not of that shape."""
        try:
            return shape.model_validate(_json(self.request.body or b"{}"))
        except ValidationError as error:
            param, words = first_fault(error)
            raise Refused(400, "invalid", words, param=param) from None


@dataclass(frozen=True, slots=True)
class Told:
    """What is answered, and what was touched."""

    status: int
    body: dict[str, Any]
    subject: str = ""


Verb = Callable[..., Told]


def agents(**verbs: Verb) -> Callable[..., HttpResponse]:
    """Return the view of an address that answers these verbs, by method: `agents(GET=..., POST=...)`. A verb that is
    marked by `outside` asks a platform and commits by itself; the other writes are one transaction each."""

    @csrf_exempt
    def view(request: HttpRequest, **named: Any) -> HttpResponse:
        try:
            verb = verbs.get(request.method or "")
            if verb is None:
                allowed = ", ".join(sorted(verbs))
                raise Refused(405, "method_not_allowed", f"Here are {allowed}.", Allow=allowed)
            call = _let_in(request)
            answer = _read(verb, call, named) if request.method == "GET" else _once(verb, call, named)
        except Refused as refused:
            answer = _refusal(refused)
        except Exception as error:
            answer = _failure(request, error)
        for name in ("Request-Id", "Idempotency-Key"):
            if echoed := _echo(request.headers.get(name, "")):
                answer.headers[name] = echoed
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return view


def _failure(request: HttpRequest, error: Exception) -> HttpResponse:
    trouble = trouble_of(error)
    if trouble is not None:
        return _refusal(Refused(503, "unavailable", trouble.sentence, Retry_After=str(trouble.retry_seconds)))
    log.error("a call of an agent failed", path=request.path, exc_info=error)
    return _error(500, "processing_error", "internal", "Something went wrong here; ask again.")


def outside(verb: Verb) -> Verb:
    """Mark a verb that asks a platform, and commits by itself."""
    verb.is_outside = True  # type: ignore[attr-defined]
    return verb


def _echo(text: str) -> str:
    return text[:MOST_KEY_CHARACTERS] if text.isascii() and text.isprintable() else ""


def _let_in(request: HttpRequest) -> Call:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()) or int(length) > MOST_BYTES:
        raise Refused(413, "too_large", f"A call has at most {MOST_BYTES:,} bytes, and says how many.")
    caller, channel, door = _who(request)
    version = request.headers.get("API-Version", "")
    if version != VERSION:
        what = f"API-Version {version[:30]!r} is not spoken here" if version else "API-Version is missing"
        raise Refused(400, "unsupported_api_version", f"{what}; say {VERSION}.")
    _check_signature(request, door)
    if int(length) and request.content_type != "application/json":
        raise Refused(415, "unsupported_media_type", "Say it as application/json.")
    return Call(request, caller, channel, door)


def _who(request: HttpRequest) -> tuple[keys.Caller, SalesChannel, AgentDoor]:
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise keys.NotLetIn("Show a key as Authorization: Bearer")
        caller = keys.admit(shown.strip())
    except keys.NotLetIn as error:
        raise Refused(401, "unauthorized", f"{error}.", WWW_Authenticate="Bearer") from None
    left = rates.take(caller.family, caller.calls_per_minute)
    if left.wait_seconds:
        limit = f"This key makes {left.limit} calls a minute."
        raise Refused(429, "rate_limited", limit, Retry_After=str(left.wait_seconds))
    if doors.SCOPE not in caller.scopes or len(caller.channels) != 1:
        raise Refused(403, "forbidden", f"The key must have the scope {doors.SCOPE} and be bound to one channel.")
    found = AgentDoor.objects.select_related("sales_channel", "payment").filter(
        sales_channel__in=caller.channels, is_active=True
    )
    door = found.first()
    if door is None or door.sales_channel.status != SalesChannel.Status.ACTIVE:
        raise Refused(403, "forbidden", "Agents do not buy on the channel of this key.")
    return caller, door.sales_channel, door


def _check_signature(request: HttpRequest, door: AgentDoor) -> None:
    secret = doors.request_secret(door)
    if not secret:
        return
    at, given = request.headers.get("Timestamp", ""), request.headers.get("Signature", "")
    signed = hmac.new(secret.encode(), at.encode() + b"." + request.body, hashlib.sha256).digest()
    try:
        moment = datetime.fromisoformat(at)
        shown = base64.urlsafe_b64decode(given + "=" * (-len(given) % 4))
        is_fresh = abs(clock.now() - moment) <= FRESH
    except (ValueError, TypeError, binascii.Error):
        raise Refused(401, "invalid_signature", "Signature or Timestamp is missing, or cannot be read.") from None
    if not is_fresh or not hmac.compare_digest(shown, signed):
        raise Refused(401, "invalid_signature", "The signature does not fit, or was not made just now.")


def _read(verb: Verb, call: Call, named: dict[str, Any]) -> HttpResponse:
    told = verb(call, **named)
    return JsonResponse(told.body, status=told.status)


def _once(verb: Verb, call: Call, named: dict[str, Any]) -> HttpResponse:
    """Carry a write out, or answer as it was answered before."""
    key = call.request.headers.get("Idempotency-Key", "")
    if not 1 <= len(key) <= MOST_KEY_CHARACTERS or not key.isprintable():
        what = "is required" if not key else f"has at most {MOST_KEY_CHARACTERS} printable characters"
        raise Refused(400, "idempotency_key_required", f"Idempotency-Key header {what}")
    head = f"{call.request.method} {call.request.path}\n"
    token = f"acp {hashlib.sha256((head + key).encode()).hexdigest()}"
    said = json.dumps(_json(call.request.body or b"{}"), sort_keys=True)
    digest = digest_of((head + said).encode())
    call = replace(call, digest=digest_of(f"{token}\n{digest}".encode()))
    try:
        return (_outside if getattr(verb, "is_outside", False) else _inside)(verb, call, named, token, digest)
    except idempotency.UnderWay:
        words = "A request with this Idempotency-Key is currently being processed"
        raise Refused(409, "idempotency_in_flight", words, Retry_After="1") from None
    except idempotency.OtherCall:
        words = "Idempotency-Key has already been used with a different request body"
        raise Refused(422, "idempotency_conflict", words) from None


def _inside(verb: Verb, call: Call, named: dict[str, Any], token: str, digest: str) -> HttpResponse:
    with failpoints.around("acp.write"), transaction.atomic():
        claimed = idempotency.claim(call.caller.family, token, digest)
        return _again(claimed) if claimed.status else _kept(verb, call, claimed, verb(call, **named))


def _outside(verb: Verb, call: Call, named: dict[str, Any], token: str, digest: str) -> HttpResponse:
    with idempotency.alone(call.caller.family, token, digest) as before:
        if before is not None:
            return _again(before)
        told = verb(call, **named)
        with failpoints.around("acp.keep"), transaction.atomic():
            return _kept(verb, call, idempotency.claim(call.caller.family, token, digest), told)


def _kept(verb: Verb, call: Call, claimed: IdempotentCall, told: Told) -> HttpResponse:
    answer = JsonResponse(told.body, status=told.status)
    audit.note(call.caller.key_id, f"acp_{verb.__name__}", told.subject, told.status)
    idempotency.keep(claimed, told.status, answer.content.decode(), {})
    failpoints.hit("acp.before_commit")
    return answer


def _again(before: IdempotentCall) -> HttpResponse:
    answer = HttpResponse(before.answer, status=before.status, content_type="application/json")
    answer.headers["Idempotent-Replayed"] = "true"
    return answer


def _json(text: bytes) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Refused(400, "invalid_json", "The body is no JSON.") from None


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _refusal(refused: Refused) -> HttpResponse:
    kind = "service_unavailable" if refused.status >= 500 else "invalid_request"
    answer = _error(refused.status, kind, refused.code, str(refused), refused.param)
    for name, value in refused.headers.items():
        answer.headers[name] = value
    return answer


def _error(status: int, kind: str, code: str, message: str, param: str = "") -> HttpResponse:
    told = {"type": kind, "code": code, "message": message} | ({"param": param} if param else {})
    return JsonResponse(told, status=status)
