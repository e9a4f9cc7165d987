"""The tracking API is answered before everything else: sessions, forms, static files and pages are no matter of it, and
passing them takes longer than reading a batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, URLResolver
from django.urls.resolvers import RegexPattern

MOST_KEPT_PATHS = 512
_resolver = URLResolver(RegexPattern(r"^/"), "finalmarket.api.track_urls")


class TrackFirst:
    """Middleware that answers the paths of tracking clients itself; all others go on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer. Raises DisallowedHost as the rest of the house does."""
        found = _tracking(request.path_info)
        if found is None:
            return self._get_response(request)
        request.get_host()
        request.resolver_match = found
        answer: HttpResponse = found.func(request, *found.args, **found.kwargs)
        answer.headers["Content-Length"] = str(len(answer.content))
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


@lru_cache(maxsize=MOST_KEPT_PATHS)
def _tracking(path: str) -> ResolverMatch | None:
    """Who of the tracking API answers on this path, if anybody."""
    try:
        return _resolver.resolve(path)
    except Resolver404:
        return None
