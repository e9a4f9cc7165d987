"""How every call of the shopper's API passes: by a publishable key, from pages that may use it, not too fast.

The key is no secret, so it lets nobody see or do more than a shopper may: a cart and an order are known by tokens that
cannot be guessed, the person behind them by a session, a kiosk by the token of its device.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.security import APIKeyHeader
from pydantic import BaseModel

from finalmarket.access import idempotency, rates, shop_devices, shop_keys
from finalmarket.access.callers import address_of
from finalmarket.access.shop_models import ShopDevice, ShopKey
from finalmarket.api.door import (
    JSON,
    Done,
    at_the_door,
    check_nothing_said,
    check_query,
    check_text,
    digest_of,
    rendered,
    token_of,
    told_in_problems,
)
from finalmarket.api.problems import Problem
from finalmarket.channels.models import SalesChannel
from finalmarket.customers import sign_in
from finalmarket.customers.models import ShopperSession
from finalmarket.integrations.connect import public_address
from finalmarket.kernel import failpoints

View = TypeVar("View", bound=Callable[..., Any])
KEY, DEVICE, VISITOR = "X-Shop-Key", "X-Shop-Device", "X-Shop-Visitor"
ASKED = f"authorization, content-type, idempotency-key, {KEY.lower()}, {DEVICE.lower()}, {VISITOR.lower()}"
SHOWN = "Retry-After, Idempotent-Replayed, Location"
PREFLIGHT_SECONDS = "600"
CODES_PER_MINUTE = 10
"""From one address: sign-in codes asked for and tried, and codes of devices."""
MOST_VISITOR_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Shopper:
    """Who calls: on which channel, from which device of ours, and who they are if they signed in."""

    key: ShopKey
    channel: SalesChannel
    device: ShopDevice | None
    session: ShopperSession | None
    visitor: str

    @property
    def actor(self) -> str:
        """What the order book notes as who did it."""
        return f"device {self.device.pk}" if self.device else "customer"


class PublishableKey(APIKeyHeader):
    """A publishable key of a channel, in the header X-Shop-Key."""

    param_name = KEY

    def __init__(self, needs_device: bool = True) -> None:
        super().__init__()
        self.needs_device = needs_device

    def authenticate(self, request: HttpRequest, key: str | None) -> Shopper:
        """Return who calls. Raises Problem for a key of nobody, a page that may not use it, a caller that is too fast,
        and for a device or a session that is not known any more."""
        found = shop_keys.find(key or "")
        if found is None:
            what = "is none of ours, or was ended" if key else "is missing"
            raise _not_let_in(f"The publishable key {what}.", f"Send it as the header {KEY}.")
        _check_origin(request, found)
        _count(request, found, "calls", found.calls_per_minute)
        shopper = Shopper(
            found, found.sales_channel, self._device(request, found), _session(request, found.sales_channel),
            request.headers.get(VISITOR, "").strip()[:MOST_VISITOR_CHARACTERS],
        )  # fmt: skip
        check_text(request)
        return shopper

    def _device(self, request: HttpRequest, key: ShopKey) -> ShopDevice | None:
        if key.kind != ShopKey.Kind.DEVICE or not self.needs_device:
            return None
        found = shop_devices.find(key.sales_channel, request.headers.get(DEVICE, ""))
        if found is None:
            raise _not_let_in(
                "This device is not paired, or not any more.", "Ask for a code in the console, and pair it again."
            )
        return found


def _session(request: HttpRequest, channel: SalesChannel) -> ShopperSession | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        return None
    found = sign_in.who(channel, token.strip()) if scheme.lower() == "bearer" else None
    if found is None:
        raise _not_let_in("The session has ended.", "Sign in again, or leave the header Authorization out.")
    return found


def _not_let_in(detail: str, what_to_do: str) -> Problem:
    return Problem("not-let-in", detail, what_to_do)


def shopper_of(request: HttpRequest) -> Shopper:
    """Return who calls."""
    found: Shopper = request.auth  # type: ignore[attr-defined]
    return found


def origins_of(request: HttpRequest, key: ShopKey) -> set[str]:
    """The origins whose pages may use a key: those of this house (FINALMARKET_ORIGINS names what a proxy hides), and
    those that the key names."""
    public = urlsplit(public_address("/"))
    own = {f"{request.scheme}://{request.get_host()}", *settings.CSRF_TRUSTED_ORIGINS}
    own |= {f"{public.scheme}://{public.netloc}"} if public.netloc else set()
    return own | set(key.origins)


def _check_origin(request: HttpRequest, key: ShopKey) -> None:
    """Apps and servers send no origin; a browser sends the one of its page, and no page can forge it."""
    origin = request.headers.get("Origin")
    if origin is not None and origin not in origins_of(request, key):
        request.is_foreign_page = True  # type: ignore[attr-defined]
        raise Problem(
            "not-allowed", "Pages of this origin may not use the key.",
            "Name the origin with the key: finalmarket shopkey create --origin.",
        )  # fmt: skip


def count_code(request: HttpRequest) -> None:
    """Count a call that asks for or tries a code. Raises Problem where one address makes too many."""
    _count(request, shopper_of(request).key, "codes", CODES_PER_MINUTE)


def _count(request: HttpRequest, key: ShopKey, what: str, per_minute: int) -> None:
    left = rates.take(uuid.uuid5(key.family, f"{what} {address_of(request)}"), per_minute)
    request.calls_left = left  # type: ignore[attr-defined]
    if left.wait_seconds:
        raise Problem(
            "too-fast", f"From your address come more than {left.limit} calls a minute.",
            headers={"Retry-After": str(left.wait_seconds)},
        )  # fmt: skip


def read(
    router: Router, path: str, *, answer: type[BaseModel], example: Any, filters: type[BaseModel] | None = None
) -> Callable[[View], View]:
    """Declare a call that reads: the view returns an `answer`."""
    known = frozenset(filters.model_fields) if filters else frozenset()

    def declare(view: View) -> View:
        @wraps(view)
        def shown(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
            check_query(request, known)
            return _private(rendered(view(request, *args, **named), 200))

        _declare(router, "GET", path, shown, {200: answer}, {"example": example}, PublishableKey())
        return view

    return declare


def write(
    router: Router, method: str, path: str, *, status: int, answer: type[BaseModel] | None, example: Any = None,
    body: Any = None, once: str = "", needs_device: bool = True,
) -> Callable[[View], View]:  # fmt: skip
    """Declare a call that writes: the view returns a `Done`. `once`: it heeds an Idempotency-Key ("may"), or has to
    have one ("must"), and is one transaction with it then."""

    def declare(view: View) -> View:
        @wraps(view)
        def carried_out(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
            check_query(request, frozenset())
            if body is None:
                check_nothing_said(request)
            if once and (once == "must" or "Idempotency-Key" in request.headers):
                return _private(_once(request, status, lambda: view(request, *args, **named)))
            with failpoints.around("shop.act"):
                done: Done = view(request, *args, **named)
            return _private(rendered(done.body, done.status or status, done.headers))

        told = {"example": example, "body": body, "writes": True, "once": once}
        _declare(router, method, path, carried_out, {status: answer}, told, PublishableKey(needs_device))
        return view

    return declare


def _declare(
    router: Router, method: str, path: str, view: Callable[..., HttpResponse], answers: Mapping[int, Any],
    told: Mapping[str, Any], auth: PublishableKey,
) -> None:  # fmt: skip
    docstring = (view.__doc__ or "").strip()
    router.api_operation(
        [method], path, auth=auth, response=dict(answers), operation_id=view.__name__,
        summary=docstring.partition(".")[0], description=" ".join(docstring.split()),
        openapi_extra={"x-told": dict(told)},
    )(view)  # fmt: skip


def _private(answer: HttpResponse) -> HttpResponse:
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _once(request: HttpRequest, status: int, verb: Callable[[], Done]) -> HttpResponse:
    """Carry a write out, or answer as it was answered before: both are one transaction."""
    token, shopper = token_of(request), shopper_of(request)
    # Whoever sends it is part of it: the key is everybody's, and so might be what somebody chose as theirs.
    whose = f"{shopper.device.pk if shopper.device else ''} {request.headers.get('Authorization', '')}"
    said = f"{request.method} {request.get_full_path()}\n{whose}\n".encode() + request.body
    with told_in_problems(), failpoints.around("shop.write"), transaction.atomic():
        call = idempotency.claim(shopper.key.family, token, digest_of(said))
        if call.status:
            again = HttpResponse(call.answer, status=call.status, content_type=JSON)
            again.headers["Idempotent-Replayed"] = "true"
            return again
        done = verb()
        answer = rendered(done.body, done.status or status, done.headers)
        idempotency.keep(call, answer.status_code, answer.content.decode(), {})
        failpoints.hit("shop.before_commit")
    return answer


def for_pages(view: Callable[..., Any]) -> Callable[..., HttpResponse]:
    """Wrap an address for pages of other origins (CORS): nothing is read from a cookie, and which page may use which
    key is looked at when the key is shown."""
    inside = at_the_door(view)

    @wraps(view)
    def opened(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        if request.method == "OPTIONS":
            answer = HttpResponse(status=204)
            answer.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, DELETE"
            answer.headers["Access-Control-Allow-Headers"] = ASKED
            answer.headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
        else:
            answer = inside(request, *args, **named)
        origin = request.headers.get("Origin")
        if origin and not getattr(request, "is_foreign_page", False):
            answer.headers["Access-Control-Allow-Origin"] = origin
            answer.headers["Access-Control-Expose-Headers"] = SHOWN
        answer.headers["Vary"] = "Origin"
        return answer

    opened.csrf_exempt = True  # type: ignore[attr-defined]
    return opened
