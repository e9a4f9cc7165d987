"""API keys: made, rotated, ended, and what each did. For the owner alone: a key can do what no role may."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache

from finalmarket.access import keys, roles
from finalmarket.access.models import ApiKey, AuditEntry
from finalmarket.channels.models import SalesChannel
from finalmarket.console.pages.frame import actor, attempt, back, page, show
from finalmarket.kernel import clock

CHANGE = "access.change_apikey"
MOST_KEYS, MOST_DONE = 200, 50
MOST_DIGITS = 9


@never_cache
@page(CHANGE)
def api_keys(request: HttpRequest) -> HttpResponse:
    """The keys, what programs did last, and a form for one more."""
    _owner_only(request)
    return _shown(request)


@never_cache
@page(CHANGE, "POST")
def make_key(request: HttpRequest) -> HttpResponse:
    """Make a key and show it this once: in this answer, not in a message that would wait in a cookie."""
    _owner_only(request)
    made: list[str] = []
    attempt(request, lambda: _make(request, made))
    return _shown(request, made[0]) if made else back(request, reverse("console:api_keys"))


@never_cache
@page(CHANGE, "POST")
def rotate_key(request: HttpRequest, key: int) -> HttpResponse:
    """Make a key in the place of another and show it this once."""
    _owner_only(request)
    made: list[str] = []
    attempt(request, lambda: _rotate(request, key, made))
    return _shown(request, made[0]) if made else back(request, reverse("console:api_keys"))


@page(CHANGE, "POST")
def end_key(request: HttpRequest, key: int) -> HttpResponse:
    """End a key now."""
    _owner_only(request)
    attempt(request, lambda: f"{keys.revoke(key)} is of no use any more.")
    return back(request, reverse("console:api_keys"))


def _owner_only(request: HttpRequest) -> None:
    if not roles.is_owner(request.user):
        raise PermissionDenied(f"{request.user} is not the owner")


def _shown(request: HttpRequest, made: str = "") -> HttpResponse:
    names = dict(SalesChannel.objects.order_by("name").values_list("pk", "name"))
    rows = [_row(one, names) for one in ApiKey.objects.order_by("-id")[:MOST_KEYS]]
    context = {
        "made": made, "keys": rows, "scopes": keys.SCOPES.items(), "channels": names.items(),
        "calls_per_minute": keys.CALLS_PER_MINUTE, "grace_days": keys.GRACE.days,
        "done": AuditEntry.objects.select_related("key").order_by("-id")[:MOST_DONE],
    }  # fmt: skip
    return show(request, "keys.html", "API keys", context)


def _row(one: ApiKey, names: dict[int, str]) -> dict[str, Any]:
    state = keys.state_of(one)
    channels = [names.get(number, f"channel {number}, which is gone") for number in one.channel_ids]
    ends = min((at for at in (one.ends_at, one.expires_at) if at), default=None)
    return {"key": one, "state": state, "channels": channels, "ends": ends, "works": state in ("works", "replaced")}


def _make(request: HttpRequest, made: list[str]) -> str:
    days, channels = _number(request, "days"), [int(one) for one in request.POST.getlist("channel") if _is_number(one)]
    row, shown = keys.create(
        request.POST.get("name", ""), request.POST.getlist("scope"), channels=channels, actor=actor(request),
        expires_at=clock.now() + timedelta(days=days) if days else None,
        calls_per_minute=_number(request, "calls") or keys.CALLS_PER_MINUTE,
    )  # fmt: skip
    made.append(shown)
    return f"{row} is made."


def _rotate(request: HttpRequest, key: int, made: list[str]) -> str:
    row, shown = keys.rotate(key, actor=actor(request))
    made.append(shown)
    return f"{row} takes its place; the key before works for {keys.GRACE.days} more days."


def _number(request: HttpRequest, name: str) -> int:
    given = request.POST.get(name, "").strip()
    if given and not _is_number(given):
        raise ValidationError(f"{name.capitalize()} is a whole number.")
    if name == "days" and given and int(given) > 3650:
        raise ValidationError("A key works for ten years at most.")
    return int(given) if given else 0


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
