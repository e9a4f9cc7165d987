"""Where buyers come back to from a platform's payment page: /pay/<token>/return and /pay/<token>/cancel, without a
log-in. Whoever asks learns nothing but whether there is such a page, and is led nowhere but to the address that was
stored when the payment was begun."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finalmarket.integrations.desk import pages

THANKS = "Thank you. You can close this page now."
NOBODY = "There is no such payment."


@never_cache
@require_http_methods(["GET"])
def came_back(request: HttpRequest, token: str) -> HttpResponse:
    """The buyer has said yes, or says so."""
    return _led_on(pages.come_back(token))


@never_cache
@require_http_methods(["GET"])
def gave_up(request: HttpRequest, token: str) -> HttpResponse:
    """The buyer has given up."""
    return _led_on(pages.come_back(token, has_given_up=True))


def _led_on(back_url: str | None) -> HttpResponse:
    answer: HttpResponse
    if back_url is None:
        answer = HttpResponse(NOBODY, status=404, content_type="text/plain; charset=utf-8")
    elif back_url:
        answer = HttpResponseRedirect(back_url)
    else:
        answer = HttpResponse(THANKS, content_type="text/plain; charset=utf-8")
    answer.headers["Referrer-Policy"] = "no-referrer"  # the token stays between the buyer and us
    return answer
