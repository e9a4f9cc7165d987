"""Where Alexa calls a skill: POST /voice/alexa/<token>/. A request that is not proved genuine is answered 400, as
Amazon wants it, and whoever asks learns nothing else."""

from __future__ import annotations

import json

import structlog
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from finalmarket.api.alexa import genuine
from finalmarket.api.alexa.envelope import Asked, Reply
from finalmarket.api.alexa.talk import Turn, reply_to
from finalmarket.integrations.models import VoiceSkill
from finalmarket.integrations.voice.skills import application_id
from finalmarket.kernel import failpoints

MOST_BYTES = 256 * 1024
PATIENCE_MS = 5_000
"""A device waits for eight seconds in all; what the database has not answered by then is given up."""
log = structlog.get_logger(__name__)


@csrf_exempt
@require_POST
def alexa(request: HttpRequest, token: str) -> HttpResponse:
    """Answer one request of Alexa's. 404 for a token of nobody, 400 for what is not genuine."""
    skill = VoiceSkill.objects.select_related("sales_channel").filter(token=token, is_active=True).first()
    if skill is None:
        return HttpResponse(status=404)
    length = request.headers.get("Content-Length") or "0"
    if not (length.isascii() and length.isdigit()) or int(length) > MOST_BYTES:
        return HttpResponse(status=413)
    try:
        asked = _genuine(request, skill)
    except genuine.NotGenuine as error:
        log.info("a request to a skill was refused", skill=skill.pk, reason=str(error))
        return HttpResponse(status=400)
    return JsonResponse(_answer(Turn(skill, asked)).envelope())


def _genuine(request: HttpRequest, skill: VoiceSkill) -> Asked:
    """Return what Alexa asks. Raises NotGenuine."""
    url, signature = request.headers.get("SignatureCertChainUrl", ""), request.headers.get("Signature-256", "")
    genuine.require_genuine(url, signature, request.body, TRANSPORT)
    try:
        told = json.loads(request.body)
    except (ValueError, RecursionError):
        raise genuine.NotGenuine("the body is no JSON") from None
    asked = Asked(told if isinstance(told, dict) else {})
    genuine.require_recent(asked.timestamp, is_event=asked.is_event)
    if not asked.application_id or asked.application_id != application_id(skill):
        raise genuine.NotGenuine("the request is for another skill")
    return asked


def _answer(turn: Turn) -> Reply:
    """What is said; where something of ours fails, that it does, so that the device does not hang up on somebody."""
    try:
        with failpoints.around("voice.answer"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = {PATIENCE_MS}")
            return reply_to(turn)
    except DatabaseError:
        log.exception("a skill could not answer", skill=turn.skill.pk)
        return Reply() if turn.asked.is_event else Reply(turn.say("trouble"))


TRANSPORT: genuine.Transport = genuine.guarded
"""By what the chain of certificates is fetched."""
