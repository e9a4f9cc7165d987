"""Webhooks of our own: who hears of what, how it goes, and sending again."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import never_cache

from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import attempt, back, page, show
from finalmarket.integrations.models import OutgoingDelivery, WebhookEndpoint
from finalmarket.integrations.outgoing import endpoints
from finalmarket.integrations.outgoing.announce import TOPICS

GROUPS = tuple(dict.fromkeys(f"{topic.partition('.')[0]}.*" for topic in TOPICS))
CHANGE = "integrations.change_webhookendpoint"


class DeliveryFilters(asked.Filters):
    """What the log of an endpoint can be narrowed by."""

    state = asked.choice("State", "Every state", list(OutgoingDelivery.State.choices))
    topic = asked.choice("Topic", "Every topic", [(topic, topic) for topic in TOPICS])


@page("integrations.view_webhookendpoint")
def webhooks(request: HttpRequest) -> HttpResponse:
    """The endpoints, and a form for one more."""
    waiting = Count("deliveries", filter=Q(deliveries__state=OutgoingDelivery.State.WAITING))
    counted = WebhookEndpoint.objects.annotate(waiting=waiting, last=Max("deliveries__delivered_at"))
    return show(request, "webhooks.html", "Webhooks", {"endpoints": counted, "topics": (*GROUPS, *TOPICS)})


@never_cache
@page(CHANGE, "POST")
def open_webhook(request: HttpRequest) -> HttpResponse:
    """Make an endpoint and show its secret."""
    made: list[tuple[WebhookEndpoint, str]] = []

    def verb() -> str:
        url, about = request.POST.get("url", "").strip(), request.POST.get("description", "").strip()[:200]
        made.append(endpoints.open_endpoint(url, request.POST.getlist("topic"), description=about))
        return f"{url} hears from now on."

    return _secret_shown(request, *made[0]) if attempt(request, verb) else back(request, reverse("console:webhooks"))


def _secret_shown(request: HttpRequest, endpoint: WebhookEndpoint, secret: str) -> HttpResponse:
    """Show a secret this once: in this answer, not in a message that would wait in a cookie."""
    return show(request, "webhook_secret.html", "Webhook", {"endpoint": endpoint, "secret": secret})


@page("integrations.view_webhookendpoint")
def webhook(request: HttpRequest, key: int) -> HttpResponse:
    """One endpoint and what it was told, newest first."""
    endpoint = get_object_or_404(WebhookEndpoint, pk=key)
    filters = DeliveryFilters(request)
    log = OutgoingDelivery.objects.filter(endpoint=endpoint).select_related("event").defer("event__data")
    if state := filters.given.get("state"):
        log = log.filter(state=state)
    if topic := filters.given.get("topic"):
        log = log.filter(event__topic=topic)
    context = {"endpoint": endpoint, "filters": filters, "slice": cut(log, ("-id",), request.GET, asked.PAGE_SIZE)}
    return show(request, "webhook.html", "Webhook", context)


@never_cache
@page(CHANGE, "POST")
def rotate_webhook(request: HttpRequest, key: int) -> HttpResponse:
    """Give an endpoint a new secret and show it."""
    endpoint = get_object_or_404(WebhookEndpoint, pk=key)
    made: list[str] = []

    def verb() -> str:
        made.append(endpoints.rotate_secret(endpoint))
        return f"{endpoint} has a new secret."

    home = reverse("console:webhook", args=[key])
    return _secret_shown(request, endpoint, made[0]) if attempt(request, verb) else back(request, home)


@page(CHANGE, "POST")
def change_webhook(request: HttpRequest, key: int, verb: str) -> HttpResponse:
    """Carry out one of VERBS on an endpoint."""
    endpoint = get_object_or_404(WebhookEndpoint, pk=key)
    attempt(request, lambda: VERBS[verb](request, endpoint) if verb in VERBS else _unknown(verb))
    home = reverse("console:webhooks") if verb == "delete" else reverse("console:webhook", args=[key])
    return back(request, home)


def _switch_on(request: HttpRequest, endpoint: WebhookEndpoint) -> str:
    return f"{endpoint} hears again; {endpoints.switch_on(endpoint)} tellings that waited go out now."


def _switch_off(request: HttpRequest, endpoint: WebhookEndpoint) -> str:
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(is_active=False, disabled_reason="switched off by hand")
    return f"{endpoint} hears nothing until it is switched on."


def _delete(request: HttpRequest, endpoint: WebhookEndpoint) -> str:
    endpoint.delete()
    return f"{endpoint} and its log are deleted."


def _send_again(request: HttpRequest, endpoint: WebhookEndpoint) -> str:
    chosen = [int(text) for text in request.POST.getlist("delivery") if text.isascii() and text.isdigit()]
    if not chosen:
        raise ValidationError("Choose what to send again first.")
    own = OutgoingDelivery.objects.filter(endpoint=endpoint, pk__in=chosen[: asked.PAGE_SIZE])
    return f"{endpoints.send_again(list(own.values_list('pk', flat=True)))} go out again under their message ids."


def _unknown(verb: str) -> str:
    raise ValidationError(f"A webhook cannot be told to {verb}.")


VERBS = {
    "switch-on": _switch_on,
    "switch-off": _switch_off,
    "delete": _delete,
    "send-again": _send_again,
}
