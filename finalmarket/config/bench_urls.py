"""Two addresses that do nothing, for `finalmarket bench api` to hold the others against: one behind all middleware as
every page and call is, one that is answered before it, as a reservation is."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from finalmarket.config.urls import urlpatterns as usual

NOTHING, NOTHING_FIRST = "/bench/nothing", "/bench/nothing-first"
BODY = b'{"nothing": true}'


@csrf_exempt
def nothing(request: HttpRequest) -> HttpResponse:
    """Answer."""
    return HttpResponse(BODY, content_type="application/json")


class NothingFirst:
    """Middleware that answers one address itself; all else goes on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        if request.path_info != NOTHING_FIRST:
            return self._get_response(request)
        answer = nothing(request)
        answer.headers["Content-Length"] = str(len(answer.content))
        return answer


urlpatterns = [path(NOTHING.lstrip("/"), nothing), *usual]
