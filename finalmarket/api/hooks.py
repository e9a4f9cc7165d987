"""Where platforms deliver their webhooks: /hooks/<token>/, without a session and without a form's token; what proves a
delivery is its signature."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from finalmarket.integrations import challenges, inbox
from finalmarket.integrations.connect import public_address

TOO_LARGE = 413


@csrf_exempt
@require_http_methods(["GET", "POST"])
def hook(request: HttpRequest, token: str) -> HttpResponse:
    """200 once the delivery is stored, 404 for a token of nobody, 401 for a delivery that is not genuine, 413 for one
    of more than 2 MiB. Nothing else is told to whoever asks, but to a platform that asks whether the address is ours
    (GET)."""
    if request.method == "GET":
        return _challenge(request, token)
    length = request.headers.get("Content-Length") or "0"
    if length.isascii() and length.isdigit() and int(length) > inbox.MOST_BYTES:
        return HttpResponse(status=TOO_LARGE)
    body = request.read(inbox.MOST_BYTES + 1)
    if len(body) > inbox.MOST_BYTES:
        return HttpResponse(status=TOO_LARGE)
    url = public_address(request.get_full_path()) or request.build_absolute_uri()
    return HttpResponse(status=inbox.receive(token, url, dict(request.headers), body))


def _challenge(request: HttpRequest, token: str) -> HttpResponse:
    url = public_address(request.path) or request.build_absolute_uri(request.path)
    answer = challenges.answer(token, url, request.GET.dict())
    if answer is None:
        return HttpResponseNotAllowed(["POST"])
    content_type, text = answer
    return HttpResponse(text, content_type=content_type)
