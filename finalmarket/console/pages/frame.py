"""What every page shares: who may see it, and the frame with the sidebar around it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from finalmarket.access.roles import places_of
from finalmarket.console.policy import live_address
from finalmarket.kernel import failpoints
from finalmarket.kernel.errors import UserError, sentence
from finalmarket.kernel.refusal import refusal

LIVE_HEADER = "X-Live"

View = Callable[..., HttpResponse | StreamingHttpResponse]


def page(permission: str, *methods: str, is_of_places: bool = False) -> Callable[[View], View]:
    """Let only those see a page who are logged in to the console and have `permission` ("room.verb_model"; of several
    that are parted by | any one will do).

    Who is bound to stores (access/roles.py) comes only to pages that are `is_of_places`: those look at `places` and
    show nothing else. `methods` are the HTTP methods that it answers, GET by default. Posts are checked for their CSRF
    token.
    """

    def guard(view: View) -> View:
        @require_http_methods([*(methods or ("GET", "HEAD"))])
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | StreamingHttpResponse:
            if not any(request.user.has_perm(one) for one in permission.split("|")):
                raise PermissionDenied(f"{request.user} may not {permission}")
            if not is_of_places and places(request) is not None:
                raise PermissionDenied(f"{request.user} is bound to stores, and this page shows more than these")
            return view(request, *args, **kwargs)

        entered: View = admin.site.admin_view(checked)
        entered.is_looked_at = not methods or "GET" in methods  # type: ignore[attr-defined]  # else it is a verb
        return entered

    return guard


def places(request: HttpRequest) -> frozenset[int] | None:
    """Return the ids of the stock locations that whoever asks is bound to, or None when they see all."""
    return places_of(request.user)


def show(
    request: HttpRequest, template: str, title: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render a page inside the frame: sidebar, header, messages. An open page that fetches what changed of it
    (static/console/live.js) gets it without."""
    request.current_app = admin.site.name
    if request.headers.get(LIVE_HEADER):
        framed = {"title": title, "above": "console/bare.html", **context}
    else:
        around = {"above": "admin/base_site.html", "live": live_address(request), "title": title}
        framed = {**admin.site.each_context(request), **around, **context}
    return render(request, f"console/{template}", framed, status=status)


def part(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Render a part of a page, to be put into one that is shown already."""
    return render(request, f"console/{template}", context, status=status)


def back(request: HttpRequest, otherwise: str) -> HttpResponse:
    """Return to the page that the form was on (`next`), or to `otherwise`."""
    wanted = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        wanted = otherwise
    return HttpResponseRedirect(wanted)


def actor(request: HttpRequest) -> str:
    """Return who stands behind a verb, for the ledger and the history."""
    return request.user.get_username()[:100]


def attempt(request: HttpRequest, verb: Callable[[], str], *, is_whole: bool = True) -> bool:
    """Run a verb that returns what to tell the operator; tell them, also when it refuses. True when it was done.

    It is done as a whole or not at all, but for a verb that asks a platform (not `is_whole`): that commits by itself
    what it is about to ask, and what came of it.
    """
    try:
        with failpoints.around("console.write"), transaction.atomic() if is_whole else nullcontext():
            told = verb()
    except UserError as error:
        messages.error(request, sentence(str(error)))
        return False
    except ValidationError as error:
        messages.error(request, refusal(error))
        return False
    messages.success(request, told)
    return True
