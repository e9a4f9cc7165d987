"""Notifications: subscriptions, and how AWS carries a notification on to the merchant's address.

Amazon knows buses and queues only. That a rule or a pipe hands on what arrives there is the merchant's doing:
`connect_aws` stands for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from finalmarket.sandbox.platforms.amazon.account import Account, body_of, invalid, refusal, written
from finalmarket.sandbox.stand_in import Reply, Request, route
from finalmarket.sandbox.webhooks import Letter

BUS_TOPICS = frozenset(
    {
        "BRANDED_ITEM_CONTENT_CHANGE", "ITEM_PRODUCT_TYPE_CHANGE", "LISTINGS_ITEM_STATUS_CHANGE",
        "LISTINGS_ITEM_ISSUES_CHANGE", "LISTINGS_ITEM_MFN_QUANTITY_CHANGE", "PRODUCT_TYPE_DEFINITIONS_CHANGE",
    }
)  # fmt: skip
QUEUE_TOPICS = frozenset(
    {"ORDER_CHANGE", "FBA_INVENTORY_AVAILABILITY_CHANGES", "FEED_PROCESSING_FINISHED", "REPORT_PROCESSING_FINISHED"}
)
SMALL_TOPICS = frozenset({"FEED_PROCESSING_FINISHED", "REPORT_PROCESSING_FINISHED"})
SECRET_HEADER = "x-api-key"  # noqa: S105  a header's name


def notification(topic: str, payload: Mapping[str, Any], at: datetime, number: str) -> dict[str, Any]:
    """A notification as the published schemas have it; a few topics begin their names with small letters."""
    version = "2020-09-04" if topic in SMALL_TOPICS else "1.0"
    told: dict[str, Any] = {
        "NotificationVersion": version, "NotificationType": topic, "PayloadVersion": version, "EventTime": written(at),
        "Payload": dict(payload),
        "NotificationMetadata": {
            "ApplicationId": "amzn1.sellerapps.app.sandbox", "SubscriptionId": f"subscription-{topic}",
            "PublishTime": written(at), "NotificationId": number,
        },
    }  # fmt: skip
    return _small(told) if topic in SMALL_TOPICS else told


def _small(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name[:1].lower() + name[1:]: _small(value) if isinstance(value, dict) else value for name, value in told.items()
    }


def letter(url: str, secret: str, topic: str, payload: Mapping[str, Any], at: datetime, number: str) -> Letter:
    """A notification as it arrives over HTTPS: from the bus within an event, from the queue as it is."""
    told = notification(topic, payload, at, number)
    if topic not in QUEUE_TOPICS:
        told = {
            "version": "0", "id": f"event-{number}", "detail-type": topic,
            "source": "aws.partner/sellingpartnerapi.amazon.com/123456789012/amzn1.sellerapps.app.sandbox",
            "account": "123456789012", "time": written(at), "region": "eu-central-1", "resources": [], "detail": told,
        }  # fmt: skip
    headers = {"Content-Type": "application/json; charset=utf-8", SECRET_HEADER: secret}
    return Letter(url, headers, json.dumps(told).encode(), topic)


class Notices(Account):
    """Destinations and subscriptions."""

    @route("GET", "/notifications/v1/destinations", bucket="getDestinations")
    def destinations(self, request: Request) -> Reply:
        """All destinations of the application."""
        return Reply(200, {"payload": self.state["destinations"]})

    @route("POST", "/notifications/v1/destinations", bucket="createDestination")
    def create_destination(self, request: Request) -> Reply:
        """A bus or a queue to send to."""
        told = body_of(request)
        wanted = told.get("resourceSpecification")
        if not told.get("name") or not isinstance(wanted, dict) or len(wanted) != 1:
            raise invalid("a destination needs a name and one resource")
        kind, fields = next(iter(wanted.items()))
        if any(fields.items() <= (one["resource"].get(kind) or {}).items() for one in self.state["destinations"]):
            raise refusal(409, "Conflict", "there is a destination of this resource already")
        number = f"destination-{self.next_number()}"
        resource = {**fields, "name": f"aws.partner/{number}"} if kind == "eventBridge" else dict(fields)
        made = {"name": told["name"], "destinationId": number, "resource": {kind: resource}}
        self.state["destinations"].append(made)
        self.effect("destination", kind=kind)
        return Reply(200, {"payload": made})

    @route("GET", "/notifications/v1/subscriptions/{topic}", bucket="getSubscription")
    def subscription(self, request: Request, topic: str) -> Reply:
        """Where a topic goes."""
        found = self.state["subscriptions"].get(topic)
        if found is None or request.query.get("payloadVersion", found["payloadVersion"]) != found["payloadVersion"]:
            raise refusal(404, "NotFound", f"there is no subscription of {topic}")
        return Reply(200, {"payload": found})

    @route("POST", "/notifications/v1/subscriptions/{topic}", bucket="createSubscription")
    def create_subscription(self, request: Request, topic: str) -> Reply:
        """Have a topic sent to a destination of the right kind."""
        told = body_of(request)
        places = {one["destinationId"]: next(iter(one["resource"])) for one in self.state["destinations"]}
        kind = places.get(told.get("destinationId"))
        wanted = "eventBridge" if topic in BUS_TOPICS else "sqs" if topic in QUEUE_TOPICS else ""
        if not kind or kind != wanted:
            raise invalid(f"{topic} cannot be sent to this destination")
        if topic in self.state["subscriptions"]:
            raise refusal(409, "Conflict", f"there is a subscription of {topic} already")
        made = {
            "subscriptionId": f"subscription-{self.next_number()}", "payloadVersion": told["payloadVersion"],
            "destinationId": told["destinationId"],
        }  # fmt: skip
        self.state["subscriptions"][topic] = made
        self.effect("subscription", topic=topic)
        return Reply(200, {"payload": made})

    def connect_aws(self, url: str, secret: str) -> None:
        """The merchant's rule and pipe: what arrives at the bus and the queue is handed on to this address."""
        self.state["hook"] = {"url": url, "secret": secret}

    def notify(self, topic: str, payload: Mapping[str, Any]) -> None:
        """Send a notification, if the topic is subscribed to and AWS hands it on."""
        hook = self.state["hook"]
        number = f"notification-{self.next_number()}"
        if hook is not None and topic in self.state["subscriptions"]:
            self.sender.send(letter(hook["url"], hook["secret"], topic, payload, self.now(), number))
