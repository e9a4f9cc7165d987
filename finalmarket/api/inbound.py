"""Where mail services deliver: /inbound/mail/<secret>/, without a session and without a form's token; what lets them in
is the secret in the address."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from finalmarket.kernel.errors import UserError
from finalmarket.orders.mailed import doors, forms
from finalmarket.orders.mailed.requests import take_in

NOBODY, BAD, TOO_LARGE = 404, 400, 413


@csrf_exempt
@require_http_methods(["POST"])
def take_mail(request: HttpRequest, secret: str) -> HttpResponse:
    """200 once the message is a request that a person confirms, the first time and every time again; 404 for a secret
    of nobody, 400 for what is no message, 413 for one of more than 20 MiB."""
    channel = doors.channel_of(secret)
    if channel is None:
        return HttpResponse(status=NOBODY)
    length = request.headers.get("Content-Length") or "0"
    if length.isascii() and length.isdigit() and int(length) > forms.MOST_BYTES:
        return HttpResponse(status=TOO_LARGE)
    body = request.read(forms.MOST_BYTES + 1)
    if len(body) > forms.MOST_BYTES:
        return HttpResponse(status=TOO_LARGE)
    try:
        taken, is_new = take_in(channel, forms.message_of(request.headers.get("Content-Type", ""), body))
    except UserError as error:
        return JsonResponse({"error": str(error)}, status=BAD)
    return JsonResponse({"request": taken.pk, "is_new": is_new})
