"""Webhooks: Amazon notifies an event bus or a queue of the merchant's, and AWS carries that on to us over HTTPS.

Amazon calls nobody by HTTPS itself. Topics about listings go to an EventBridge bus, all others to an SQS queue (the
Notifications guide says which); a rule on the bus and a pipe from the queue hand them to an API destination, which puts
a secret of the merchant's choosing into a header. That secret is the whole proof: it says who sends, not that the body
is unaltered. So no notification is taken at its word; each only says what to ask Amazon for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from finalmarket.connectors.answers import if_there
from finalmarket.connectors.errors import NotSupported, Rejected, Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.platforms.amazon import calls
from finalmarket.connectors.platforms.amazon.calls import Seller
from finalmarket.connectors.platforms.amazon.orders import moment
from finalmarket.connectors.records import Delivery, Event, Raw
from finalmarket.connectors.signing import require_signature

SECRET_HEADER = "x-api-key"  # noqa: S105  a header's name
DESTINATION_NAME = "The Final Market"
MOST_WRAPPINGS = 4  # a batch of a pipe, a message of a queue, its body, the notification
# The payload version of each topic, and the stream it concerns.
BUS_TOPICS: Mapping[str, str] = {
    "LISTINGS_ITEM_STATUS_CHANGE": "1.0",
    "LISTINGS_ITEM_ISSUES_CHANGE": "1.0",
    "LISTINGS_ITEM_MFN_QUANTITY_CHANGE": "1.0",
}
QUEUE_TOPICS: Mapping[str, str] = {
    "ORDER_CHANGE": "1.0",
    "FBA_INVENTORY_AVAILABILITY_CHANGES": "1.0",
    "FEED_PROCESSING_FINISHED": "2020-09-04",
}
KINDS: Mapping[str, str] = {
    "ORDER_CHANGE": "orders",
    "LISTINGS_ITEM_STATUS_CHANGE": "listings",
    "LISTINGS_ITEM_STATUS_CHANGED": "listings",  # the published schema's word for it, unlike its own example
    "LISTINGS_ITEM_ISSUES_CHANGE": "listings",
    "LISTINGS_ITEM_MFN_QUANTITY_CHANGE": "stock",
    "FBA_INVENTORY_AVAILABILITY_CHANGES": "stock",
    "FEED_PROCESSING_FINISHED": "stock",
}


# Subscribing.


def subscribe(seller: Seller, grantless: Mapping[str, str], settings: Mapping[str, str]) -> None:
    """Have notifications sent to the merchant's bus and queue, once. `grantless` are the headers for calls that belong
    to the application and not to a seller. Raises NotSupported where neither a bus nor a queue is set."""
    wanted = _resources(settings)
    if not wanted:
        raise NotSupported("Amazon notifies through AWS only: enter the AWS account and region, or the queue's ARN")
    known = seller.call(calls.GET_DESTINATIONS, headers=grantless, is_authorized=False)
    for resource, topics in wanted:
        destination_id = _destination(seller, grantless, _payload(known) or [], resource)
        for topic, version in topics.items():
            _subscribe_to(seller, topic, version, destination_id)


def _resources(settings: Mapping[str, str]) -> list[tuple[dict[str, Any], Mapping[str, str]]]:
    found: list[tuple[dict[str, Any], Mapping[str, str]]] = []
    account, region, queue = (settings.get(name, "") for name in ("aws_account_id", "aws_region", "sqs_queue_arn"))
    if account and region:
        found.append(({"eventBridge": {"accountId": account, "region": region}}, BUS_TOPICS))
    if queue:
        found.append(({"sqs": {"arn": queue}}, QUEUE_TOPICS))
    return found


def _destination(seller: Seller, grantless: Mapping[str, str], known: Sequence[Raw], resource: dict[str, Any]) -> str:
    for destination in known:
        if _is_same(destination.get("resource") or {}, resource):
            return str(destination["destinationId"])
    kind = next(iter(resource))
    body = {"name": f"{DESTINATION_NAME} {kind}", "resourceSpecification": resource}
    made = _payload(seller.call(calls.CREATE_DESTINATION, json=body, headers=grantless, is_authorized=False))
    return str(made["destinationId"])


def _is_same(told: Raw, wanted: Mapping[str, Any]) -> bool:
    """Whether a destination's resource is this one; Amazon adds fields of its own."""
    return all(
        (told.get(kind) or {}).get(name) == value for kind, fields in wanted.items() for name, value in fields.items()
    )


def _subscribe_to(seller: Seller, topic: str, version: str, destination_id: str) -> None:
    params = {"payloadVersion": version}
    standing = if_there(lambda: _payload(seller.call(calls.GET_SUBSCRIPTION, topic=topic, params=params)))
    if standing is None:
        body = {"payloadVersion": version, "destinationId": destination_id}
        seller.call(calls.CREATE_SUBSCRIPTION, topic=topic, json=body)
        return
    if standing["destinationId"] != destination_id:
        raise Rejected(
            f"{topic} goes to destination {standing['destinationId']} already; end that subscription first", key=topic
        )


def _payload(answer: Answer) -> Any:
    if not isinstance(answer.data, dict) or "payload" not in answer.data:
        raise Unintelligible("the answer has no payload", status=answer.status)
    return answer.data["payload"]


# Receiving.


def verify(delivery: Delivery, secrets: Sequence[str]) -> None:
    """Raise WebhookRefused unless the header carries one of the secrets."""
    require_signature([delivery.header(SECRET_HEADER)], secrets, delivery.body, lambda secret, body: secret)


def read(delivery: Delivery, seller_id: str) -> list[Event]:
    """The events of a delivery: an EventBridge event, a notification as it is, or records of a queue, one or several.
    Notifications for another seller of the same application are none of ours: their kind is unknown."""
    try:
        told = json.loads(delivery.body)
    except (ValueError, RecursionError):
        raise Unintelligible("the notification is not JSON") from None
    return [_event(notification, seller_id) for notification in _notifications(told)]


def _notifications(told: Any, depth: int = 0) -> Iterator[Raw]:
    if depth > MOST_WRAPPINGS:
        raise Unintelligible("the notification is wrapped too often")
    if isinstance(told, str):  # the body of a queue's message, still a text
        try:
            told = json.loads(told)
        except (ValueError, RecursionError):
            raise Unintelligible("the queue's message is not JSON") from None
    if isinstance(told, list):
        for one in told:
            yield from _notifications(one, depth + 1)
    elif not isinstance(told, dict):
        raise Unintelligible("the notification is no object")
    elif "detail" in told and "detail-type" in told:
        detail = told["detail"] if isinstance(told["detail"], dict) else {}
        yield {"NotificationType": told["detail-type"], "Envelope": told, **_capitalized(detail)}
    elif "body" in told and "messageId" in told:
        yield from _notifications(told["body"], depth + 1)
    else:
        yield _capitalized(told)


def _capitalized(raw: Raw, depth: int = 0) -> dict[str, Any]:
    """Names as the published schemas write them, all but one: FEED_PROCESSING_FINISHED begins them small."""
    return {
        name[:1].upper() + name[1:]: _capitalized(value, depth + 1)
        if isinstance(value, dict) and depth < MOST_WRAPPINGS
        else value
        for name, value in raw.items()
    }


def _event(raw: Raw, seller_id: str) -> Event:
    topic = str(raw.get("NotificationType") or "")
    metadata, envelope = _object(raw, "NotificationMetadata"), _object(raw, "Envelope")
    facts = _facts(_object(raw, "Payload"))
    seller = facts.get("SellerId")
    is_ours = not seller or not seller_id or seller == seller_id
    event_id = metadata.get("NotificationId") or envelope.get("id") or ""
    return Event(
        event_id=str(event_id),
        topic=topic,
        kind=KINDS.get(topic, "unknown") if is_ours else "unknown",
        external_id=str(facts.get("AmazonOrderId") or facts.get("Sku") or facts.get("SKU") or ""),
        occurred_at=_moment(raw.get("EventTime") or metadata.get("PublishTime") or envelope.get("time")),
    )


def _facts(payload: Raw) -> Raw:
    """What a payload tells: some topics put it into an object of the topic's own name."""
    inner = [value for name, value in payload.items() if name.endswith("Notification") and isinstance(value, dict)]
    return inner[0] if inner else payload


def _object(raw: Raw, name: str) -> Raw:
    value = raw.get(name)
    return value if isinstance(value, dict) else {}


def _moment(text: Any) -> Any:
    try:
        return moment(text) if isinstance(text, str) else None
    except ValueError:
        return None
