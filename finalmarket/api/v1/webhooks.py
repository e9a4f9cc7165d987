"""Webhook endpoints: who hears of what, their secrets, what became of each telling, and telling again.

No endpoint lies inside the house's own network: an address is looked at when it is written down, and the name behind it
each time that something is sent (integrations/outgoing/guard.py).
"""

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import AwareDatetime, BaseModel, Field

from finalmarket.api.door import Done, check_match, read, write
from finalmarket.api.paging import page
from finalmarket.api.problems import Problem
from finalmarket.api.v1.shapes import Key, Number, Paged, Said, source_of
from finalmarket.integrations.models import OutgoingDelivery, WebhookEndpoint
from finalmarket.integrations.outgoing import endpoints
from finalmarket.integrations.outgoing.announce import TOPICS
from finalmarket.integrations.outgoing.deliver import message_id

router = Router(tags=["webhooks"])
Url = Annotated[str, Field(min_length=1, max_length=500, description="http or https, and of a public address")]
Topic = Annotated[str, Field(min_length=1, max_length=40)]
Topics = Annotated[list[Topic], Field(min_length=1, max_length=50, description="order.created, order.* or *")]
About = Annotated[str, Field(max_length=200)]
MOST_AT_ONCE = 200


class Endpoint(BaseModel):
    """An address that hears of events. Its secret is told once, when it is opened or rotated."""

    id: int
    url: str
    description: str
    topics: list[str]
    is_active: bool
    disabled_reason: str = Field(description="Why it hears nothing; empty while it does")
    failing_since: AwareDatetime | None
    both_secrets_until: AwareDatetime | None = Field(description="So long deliveries are signed with the old one, too")
    created_at: AwareDatetime


class EndpointWithSecret(Endpoint):
    """An endpoint with the secret by which its deliveries are signed (Standard Webhooks): shown this once."""

    secret: str


class Endpoints(BaseModel):
    """A page of endpoints."""

    items: list[Endpoint]
    next: str | None


class TopicsOut(BaseModel):
    """What an endpoint can hear of."""

    items: list[str]


class WebhookDelivery(BaseModel):
    """The telling of one event to one endpoint."""

    id: int
    message: str = Field(description="`webhook-id` of the delivery: the same for every try")
    topic: str
    subject: int = Field(description="The number of the order, variant, alert, customer or journey")
    state: Literal["waiting", "delivered", "failed"]
    attempts: int
    last_status: int | None
    last_error: str
    next_try_at: AwareDatetime | None
    delivered_at: AwareDatetime | None
    happened_at: AwareDatetime


class WebhookDeliveries(BaseModel):
    """A page of deliveries, the newest first."""

    items: list[WebhookDelivery]
    next: str | None


class TellingsSent(BaseModel):
    """How many go out again."""

    count: int


class EndpointOpening(Said):
    """What is said to open an endpoint."""

    url: Url
    topics: Topics
    description: About = ""


class EndpointChange(Said):
    """What becomes different; what is left out stays."""

    url: Url | None = None
    topics: Topics | None = None
    description: About | None = None


class WebhookDisabling(Said):
    """Why an endpoint is to hear nothing."""

    reason: str = Field("", max_length=200)


class DeliveryFilters(Paged):
    """By what deliveries are narrowed."""

    state: Literal["waiting", "delivered", "failed"] | None = None
    topic: str = Field("", max_length=40)


class DeliveriesChosen(Said):
    """WebhookDeliveries of this endpoint that go out again."""

    deliveries: list[Number] = Field(min_length=1, max_length=MOST_AT_ONCE)


ENDPOINT = {
    "id": 2, "url": "https://erp.example/hooks/stock", "description": "our ERP", "topics": ["stock.*", "order.created"],
    "is_active": True, "disabled_reason": "", "failing_since": None, "both_secrets_until": None,
    "created_at": "2026-05-04T12:00:00Z",
}  # fmt: skip
WITH_SECRET = {**ENDPOINT, "secret": "whsec_…"}
DELIVERY = {
    "id": 91, "message": "evt_40", "topic": "stock.changed", "subject": 7, "state": "delivered", "attempts": 1,
    "last_status": 204, "last_error": "", "next_try_at": None, "delivered_at": "2026-05-04T12:00:04Z",
    "happened_at": "2026-05-04T12:00:00Z",
}  # fmt: skip


@read(router, "/webhook-topics", scope="webhooks:read", answer=TopicsOut, example={"items": ["order.created"]})
def list_webhook_topics(request: HttpRequest) -> TopicsOut:
    """List what an endpoint can hear of."""
    return TopicsOut(items=list(TOPICS))


@read(
    router, "/webhooks", scope="webhooks:read", answer=Endpoints, example={"items": [ENDPOINT], "next": None},
    filters=Paged,
)  # fmt: skip
def list_webhooks(request: HttpRequest, asked: Query[Paged]) -> Endpoints:
    """List the endpoints."""
    found, following = page(WebhookEndpoint.objects.all(), ("id",), request, asked.limit, asked.cursor)
    return Endpoints(items=[_endpoint(one) for one in found], next=following)


@read(router, "/webhooks/{webhook}", scope="webhooks:read", answer=Endpoint, example=ENDPOINT)
def get_webhook(request: HttpRequest, webhook: Key) -> Endpoint:
    """Show an endpoint."""
    return _endpoint(_endpoint_or_404(webhook))


@write(
    router, "POST", "/webhooks", scope="webhooks:write", status=201, answer=EndpointWithSecret, example=WITH_SECRET,
    body={"url": "https://erp.example/hooks/stock", "topics": ["stock.*", "order.created"], "description": "our ERP"},
    is_secret=True,
)  # fmt: skip
def open_webhook(request: HttpRequest, told: EndpointOpening) -> Done:
    """Open an endpoint. Its secret is in this answer, and never shown again."""
    made, secret = endpoints.open_endpoint(told.url, told.topics, description=told.description)
    made.refresh_from_db()
    where = {"Location": f"/api/v1/webhooks/{made.pk}"}
    return Done(f"webhook {made.pk}", _with_secret(made, secret), headers=where)


@write(
    router, "PATCH", "/webhooks/{webhook}", scope="webhooks:write", status=200, answer=Endpoint, example=ENDPOINT,
    body={"topics": ["stock.*"]}, matches=True,
)  # fmt: skip
def change_webhook(request: HttpRequest, webhook: Key, told: EndpointChange) -> Done:
    """Let an endpoint hear elsewhere, or of something else."""
    endpoint = _locked(webhook)
    check_match(request, _endpoint(endpoint))
    endpoints.change_endpoint(endpoint, url=told.url, topics=told.topics, description=told.description)
    return _done(endpoint)


@write(router, "DELETE", "/webhooks/{webhook}", scope="webhooks:write", status=204, answer=None)
def delete_webhook(request: HttpRequest, webhook: Key) -> Done:
    """Delete an endpoint and the log of what it was told."""
    endpoint = _locked(webhook)
    endpoint.delete()
    return Done(f"webhook {webhook}")


@write(
    router, "POST", "/webhooks/{webhook}/rotate", scope="webhooks:write", status=200, answer=EndpointWithSecret,
    example={**WITH_SECRET, "both_secrets_until": "2026-05-06T12:00:00Z"}, is_secret=True,
)  # fmt: skip
def rotate_webhook_secret(request: HttpRequest, webhook: Key) -> Done:
    """Give an endpoint a new secret, shown this once; for two days deliveries are signed with the old one, too."""
    endpoint = _locked(webhook)
    secret = endpoints.rotate_secret(endpoint)
    return Done(f"webhook {webhook}", _with_secret(endpoint, secret))


@write(
    router, "POST", "/webhooks/{webhook}/disable", scope="webhooks:write", status=200, answer=Endpoint,
    example={**ENDPOINT, "is_active": False, "disabled_reason": "the ERP moves"}, body={"reason": "the ERP moves"},
)  # fmt: skip
def disable_webhook(request: HttpRequest, webhook: Key, told: WebhookDisabling) -> Done:
    """Let an endpoint hear nothing until it is enabled; what was on its way to it waits."""
    endpoint = _locked(webhook)
    endpoints.switch_off(endpoint, told.reason or f"switched off by {source_of(request)}")
    return _done(endpoint)


@write(
    router, "POST", "/webhooks/{webhook}/enable", scope="webhooks:write", status=200, answer=Endpoint, example=ENDPOINT
)
def enable_webhook(request: HttpRequest, webhook: Key) -> Done:
    """Let an endpoint hear again; what waited goes out."""
    endpoint = _locked(webhook)
    endpoints.switch_on(endpoint)
    return _done(endpoint)


@read(
    router, "/webhooks/{webhook}/deliveries", scope="webhooks:read", answer=WebhookDeliveries,
    example={"items": [DELIVERY], "next": None}, filters=DeliveryFilters,
)  # fmt: skip
def list_webhook_deliveries(request: HttpRequest, webhook: Key, asked: Query[DeliveryFilters]) -> WebhookDeliveries:
    """List what an endpoint was told, or is to be."""
    rows = OutgoingDelivery.objects.filter(endpoint=_endpoint_or_404(webhook))
    if asked.state is not None:
        rows = rows.filter(state=asked.state)
    if asked.topic:
        rows = rows.filter(event__topic=asked.topic)
    rows = rows.select_related("event").defer("event__data")
    found, following = page(rows, ("-id",), request, asked.limit, asked.cursor)
    return WebhookDeliveries(items=[_delivery(one) for one in found], next=following)


@write(
    router, "POST", "/webhooks/{webhook}/deliveries/replay", scope="webhooks:write", status=200, answer=TellingsSent,
    example={"count": 1}, body={"deliveries": [91]},
)  # fmt: skip
def replay_webhook_deliveries(request: HttpRequest, webhook: Key, told: DeliveriesChosen) -> Done:
    """Send what an endpoint was told, or missed, once more, under the same message ids."""
    endpoint = _endpoint_or_404(webhook)
    own = OutgoingDelivery.objects.filter(endpoint=endpoint, pk__in=told.deliveries)
    count = endpoints.send_again(list(own.values_list("pk", flat=True)))
    return Done(f"webhook {webhook}", TellingsSent(count=count))


def _endpoint_or_404(number: int) -> WebhookEndpoint:
    return _found(WebhookEndpoint.objects.filter(pk=number).first(), number)


def _locked(number: int) -> WebhookEndpoint:
    return _found(WebhookEndpoint.objects.select_for_update().filter(pk=number).first(), number)


def _found(endpoint: WebhookEndpoint | None, number: int) -> WebhookEndpoint:
    if endpoint is None:
        raise Problem("not-found", f"There is no webhook endpoint {number}.")
    return endpoint


def _done(endpoint: WebhookEndpoint) -> Done:
    return Done(f"webhook {endpoint.pk}", _endpoint(endpoint))


def _endpoint(endpoint: WebhookEndpoint) -> Endpoint:
    return Endpoint(
        id=endpoint.pk, url=endpoint.url, description=endpoint.description, topics=endpoint.topics,
        is_active=endpoint.is_active, disabled_reason=endpoint.disabled_reason, failing_since=endpoint.failing_since,
        both_secrets_until=endpoint.previous_until, created_at=endpoint.created_at,
    )  # fmt: skip


def _with_secret(endpoint: WebhookEndpoint, secret: str) -> EndpointWithSecret:
    return EndpointWithSecret(**_endpoint(endpoint).model_dump(), secret=secret)


def _delivery(delivery: OutgoingDelivery) -> WebhookDelivery:
    waits = delivery.state == OutgoingDelivery.State.WAITING
    return WebhookDelivery(
        id=delivery.pk, message=message_id(delivery.event_id), topic=delivery.event.topic,
        subject=delivery.event.subject_id, state=delivery.state,  # type: ignore[arg-type]
        attempts=delivery.attempts, last_status=delivery.last_status, last_error=delivery.last_error,
        next_try_at=delivery.next_try_at if waits else None, delivered_at=delivery.delivered_at,
        happened_at=delivery.event.at,
    )  # fmt: skip
