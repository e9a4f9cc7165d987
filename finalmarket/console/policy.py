"""What a page of the console may load and run, told to the browser: nothing but what this house serves.

No script and no style stands in the pages themselves, but for style attributes of Django's own widgets on pages of
records. Alpine, which unfold's own widgets are written for, makes functions of the words of its attributes: that is
what 'unsafe-eval' is for, and nothing else needs it.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port

NAMESPACES = ("console", "admin")
HEADER = "Content-Security-Policy"


def live_address(request: HttpRequest) -> str:
    """Where this request's browser finds the live stream: an address, or "" where there is none.

    FINALMARKET_LIVE is a port of this host (":8200"), a path that a proxy brings to the stream ("/live"), or a whole
    address. A host may have many names (localhost, 127.0.0.1): the page's own is kept, for the cookie's sake.
    """
    told: str = settings.LIVE
    if not told.startswith(":"):
        return told
    name, _ = split_domain_port(request.get_host())
    return f"{request.scheme}://{name}{told}/live"


class ContentPolicy:
    """Middleware: the pages of the console and of the records get a Content-Security-Policy."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and say what the answer may load."""
        answer = self._get_response(request)
        match = request.resolver_match
        is_ours = match is not None and match.app_name in NAMESPACES
        if is_ours and HEADER not in answer.headers and answer.get("Content-Type", "").startswith("text/html"):
            has_widgets = match is not None and match.app_name == "admin"
            if match is not None and match.url_name == "logout":
                answer.headers["Clear-Site-Data"] = '"cache", "storage"'  # nothing of it stays on a shared machine
            answer.headers[HEADER] = policy(request) + ("; style-src-attr 'unsafe-inline'" if has_widgets else "")
        return answer


def policy(request: HttpRequest) -> str:
    """The policy as the header says it."""
    live = live_address(request)
    connect = f"'self' {live}" if "://" in live else "'self'"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self' 'unsafe-eval'",
            "style-src 'self'",
            "img-src 'self' data: https:",
            "font-src 'self'",
            f"connect-src {connect}",
            "form-action 'self' https: http://127.0.0.1:* http://localhost:*",  # platforms, and their stand-ins here
            "manifest-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
