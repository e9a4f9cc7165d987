"""Webhooks from Square. They are hints: what they are about is asked for.

Square signs the address that it sends to together with the body, and no time: a repetition is known by its event id.
Event bodies are not in the published API file; their form follows the vendor's SDK (types of 2025-08-20).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from finalmarket.connectors.answers import fields_in, part_in
from finalmarket.connectors.contract import ReceivesWebhooks
from finalmarket.connectors.deliveries import read_delivery
from finalmarket.connectors.errors import Unintelligible
from finalmarket.connectors.moments import to_millisecond, utc
from finalmarket.connectors.paging import all_rows
from finalmarket.connectors.platforms.square.calls import Located, items, name_of
from finalmarket.connectors.records import CustomerRecord, Delivery, Event, Raw
from finalmarket.connectors.signing import require_signature

SIGNATURE = "x-square-hmacsha256-signature"
KINDS: Mapping[str, str] = {
    "order.created": "orders",
    "order.updated": "orders",
    "order.fulfillment.updated": "orders",
    "payment.updated": "orders",
    "refund.created": "orders",
    "refund.updated": "orders",
    "inventory.count.updated": "stock",
    "catalog.version.updated": "listings",
    "customer.created": "customers",
    "customer.updated": "customers",
    "customer.deleted": "customers",
    "oauth.authorization.revoked": "uninstalled",
}


class Hooks(Located, ReceivesWebhooks):
    """Subscribing, verifying, reading."""

    webhook_topics: ClassVar[tuple[str, ...]] = tuple(KINDS)
    webhook_secrets: ClassVar[tuple[str, ...]] = ("webhook_signature_key",)

    def subscribe(self, url: str) -> Mapping[str, str]:
        """Have the topics sent to `url`: by the subscription that is there, else by a new one.

        Subscriptions belong to the application: an account connected by OAuth needs the application's own token too.
        """
        known = next((one for one in self._subscriptions() if one.get("notification_url") == url), None)
        if known is None:
            wanted = {
                "name": "The Final Market", "event_types": list(self.webhook_topics), "notification_url": url,
                "api_version": self.api_version, "enabled": True,
            }  # fmt: skip
            body = {"idempotency_key": name_of("webhooks", url), "subscription": wanted}
            made = self._ask("POST", "/v2/webhooks/subscriptions", body)
        else:
            path = f"/v2/webhooks/subscriptions/{quote(str(known['id']), safe='')}"
            topics = set(known.get("event_types") or ())
            if not known.get("enabled") or not topics.issuperset(self.webhook_topics):
                wanted = {"event_types": sorted({*topics, *self.webhook_topics}), "enabled": True}
                self._ask("PUT", path, {"subscription": wanted})
            made = self._ask("GET", path)
        key = part_in(made, "subscription").get("signature_key")
        if not key:
            raise Unintelligible("the platform gave no key that deliveries are signed with")
        return {"webhook_signature_key": str(key)}

    def _subscriptions(self) -> list[Raw]:

        def fetch(cursor: str) -> tuple[list[Raw], str]:
            params = {"include_disabled": "true", "limit": 100, **({"cursor": cursor} if cursor else {})}
            data = self._ask("GET", "/v2/webhooks/subscriptions", params=params)
            return items(data, "subscriptions"), str(data.get("cursor") or "")

        return list(all_rows(fetch))

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, params: Mapping[str, Any] | None = None
    ) -> Raw:
        token = self.account.secrets.get("application_token", "")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return fields_in(
            self.http.call(
                method, path, json=body, params=params, headers=headers, is_authorized=not token, repeatable=True
            )
        )

    def verify_webhook(self, delivery: Delivery) -> None:
        """Base64 HMAC-SHA256 of the notification address followed by the body, under the subscription's key."""
        require_signature([delivery.header(SIGNATURE)], self.webhook_secret(), delivery.url.encode() + delivery.body)

    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        """What happened. Subscriptions belong to the application, so what happened to other merchants comes too and is
        left out."""
        return read_delivery(delivery, self._events)

    def _events(self, raw: Raw) -> tuple[Event, ...]:
        mine = self.account.secrets.get("merchant_id")
        return () if mine and raw.get("merchant_id") not in (None, "", mine) else events(raw)


def events(raw: Raw) -> tuple[Event, ...]:
    """The events of a delivery: one, but for stock, where it may be about several variations."""
    topic = str(raw["type"])
    data: Raw = raw.get("data") or {}
    about: Mapping[str, Any] = data.get("object") or {}
    kind = KINDS.get(topic, "unknown")
    names = _names(topic, data, about)
    at = utc(raw["created_at"]) if raw.get("created_at") else None
    return tuple(
        Event(
            event_id=str(raw["event_id"]) if not number else f"{raw['event_id']}/{number + 1}", topic=topic, kind=kind,
            external_id=name, occurred_at=at, record=_deleted(name, at) if topic == "customer.deleted" else None,
        )
        for number, name in enumerate(names)
    )  # fmt: skip


def _names(topic: str, data: Raw, about: Mapping[str, Any]) -> list[str]:
    """The ids of what an event is about: payments and refunds are news of their order."""
    if topic == "inventory.count.updated":
        counted = [str(count.get("catalog_object_id") or "") for count in about.get("inventory_counts") or ()]
        return list(dict.fromkeys(counted)) or [""]
    for name in ("payment", "refund"):
        if topic.startswith(f"{name}.") and isinstance(about.get(name), dict):
            return [str(about[name].get("order_id") or "")]
    if topic == "catalog.version.updated":
        return [""]
    return [str(data.get("id") or "")]


def _deleted(name: str, at: datetime | None) -> CustomerRecord | None:
    """A customer who is not there any more: there is nothing left to ask for."""
    return CustomerRecord(external_id=name, version=to_millisecond(at), is_deleted=True) if name and at else None
