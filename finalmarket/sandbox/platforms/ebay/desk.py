"""Notifications: configuration, destinations that have to answer a challenge, subscriptions, and signed deliveries.

Addresses on this machine are challenged as eBay does it; others cannot be reached from here and are believed.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from finalmarket.sandbox.platforms.ebay.account import Account, body_of, compact, refusal, written
from finalmarket.sandbox.stand_in import Reply, Request, route
from finalmarket.sandbox.webhooks import Letter, trusted

ROOT = "/commerce/notification/v1"
DOMAIN = "API_NOTIFICATION"
TOPICS: Mapping[str, str] = {
    "ORDER_CONFIRMATION": "USER", "ITEM_MARKED_SHIPPED": "USER", "MARKETPLACE_ACCOUNT_DELETION": "APPLICATION",
    "AUTHORIZATION_REVOCATION": "APPLICATION", "PRIORITY_LISTING_REVISION": "USER",
}  # fmt: skip
KEY_NAME = "5b1c1d7e-0000-4000-8000-5a7db0c0ffee"
KEY = ec.derive_private_key(0x5A7DB0C5A7DB0C5A7DB0C, ec.SECP256R1())  # signs for nothing but the sandbox
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SECONDS = 5.0
LEAST_TOKEN_LETTERS, MOST_TOKEN_LETTERS = 32, 80


def public_key(key: ec.EllipticCurvePrivateKey) -> str:
    """The public half as eBay gives it out: one line between its marks."""
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"-----BEGIN PUBLIC KEY-----{b64encode(der).decode()}-----END PUBLIC KEY-----"


def signature(body: bytes, key: ec.EllipticCurvePrivateKey, name: str) -> str:
    """The header X-EBAY-SIGNATURE of a body."""
    signed = key.sign(body, ec.ECDSA(hashes.SHA1()))  # noqa: S303  eBay's digest
    told = {"alg": "ecdsa", "kid": name, "signature": b64encode(signed).decode(), "digest": "SHA1"}
    return b64encode(compact(told)).decode()


class Desk(Account):
    """The Notification API."""

    @route("GET", f"{ROOT}/config", bucket="notification")
    def config(self, request: Request) -> Reply:
        """The address for alerts."""
        if not self.state["config"]:
            raise refusal(404, 195026, "Configuration Not Found.", DOMAIN)
        return Reply(200, self.state["config"])

    @route("PUT", f"{ROOT}/config", bucket="notification")
    def set_config(self, request: Request) -> Reply:
        """Name an address for alerts."""
        email = str(body_of(request, DOMAIN).get("alertEmail") or "")
        if "@" not in email:
            raise refusal(400, 195025, "Invalid or missing email.", DOMAIN)
        self.state["config"] = {"alertEmail": email}
        return Reply(204)

    @route("GET", f"{ROOT}/topic", bucket="notification")
    def topics(self, request: Request) -> Reply:
        """What can be subscribed to."""
        payload = {"schemaVersion": "1.0", "format": ["JSON"], "deliveryProtocol": "HTTPS", "deprecated": False}
        listed = [
            {
                "topicId": name, "description": name, "status": "ENABLED", "context": "API", "scope": scope,
                "authorizationScopes": ["https://api.ebay.com/oauth/api_scope"], "supportedPayloads": [payload],
            }
            for name, scope in TOPICS.items()
        ]  # fmt: skip
        return self._page(request, "topics", listed)

    @route("GET", f"{ROOT}/public_key/{{name}}", bucket="notification")
    def key(self, request: Request, name: str) -> Reply:
        """The key that signs."""
        if name != KEY_NAME:
            raise refusal(404, 195001, "The specified key id is invalid.", DOMAIN)
        return Reply(200, {"key": public_key(KEY), "algorithm": "ECDSA", "digest": "SHA1"})

    @route("GET", f"{ROOT}/destination", bucket="notification")
    def destinations(self, request: Request) -> Reply:
        """All destinations."""
        return self._page(request, "destinations", list(self.state["destinations"].values()))

    @route("POST", f"{ROOT}/destination", bucket="notification")
    def create_destination(self, request: Request) -> Reply:
        """An address to send to; it is challenged."""
        told = self._told_destination(request)
        endpoint = told["deliveryConfig"]["endpoint"]
        if any(one["deliveryConfig"]["endpoint"] == endpoint for one in self.state["destinations"].values()):
            raise refusal(409, 195021, "Destination exists for this endpoint", DOMAIN)
        name = f"destination-{self.next_number()}"
        self.state["destinations"][name] = {"destinationId": name, **told}
        self.effect("destination", url=endpoint)
        return Reply(201, {}, {"Location": f"https://api.ebay.com{ROOT}/destination/{name}"})

    @route("PUT", f"{ROOT}/destination/{{name}}", bucket="notification")
    def update_destination(self, request: Request, name: str) -> Reply:
        """Change a destination; it is challenged again."""
        if name not in self.state["destinations"]:
            raise refusal(404, 195022, "Invalid or missing destination id.", DOMAIN)
        self.state["destinations"][name] |= self._told_destination(request)
        return Reply(204)

    def _told_destination(self, request: Request) -> dict[str, Any]:
        if not self.state["config"]:
            raise refusal(409, 195003, "Please provide configurations required for notifications.", DOMAIN)
        told = body_of(request, DOMAIN)
        config = told.get("deliveryConfig") or {}
        endpoint, token = str(config.get("endpoint") or ""), str(config.get("verificationToken") or "")
        if not endpoint.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise refusal(400, 195017, "Invalid or missing endpoint.", DOMAIN)
        if told.get("status") not in ("ENABLED", "DISABLED"):
            raise refusal(400, 195018, "Invalid or missing destination status.", DOMAIN)
        is_plain = all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in token)
        if not LEAST_TOKEN_LETTERS <= len(token) <= MOST_TOKEN_LETTERS or not is_plain:
            raise refusal(400, 195019, "Invalid or missing verification token for this endpoint.", DOMAIN)
        self._challenge(endpoint, token)
        return {
            "name": told.get("name", ""), "status": told["status"],
            "deliveryConfig": {"endpoint": endpoint, "verificationToken": token},
        }  # fmt: skip

    def _challenge(self, endpoint: str, token: str) -> None:
        if urlsplit(endpoint).hostname not in LOOPBACK:
            return
        code = f"sandbox-challenge-{self.next_number()}"
        expected = hashlib.sha256((code + token + endpoint).encode()).hexdigest()
        try:
            with httpx2.Client(verify=trusted(), timeout=SECONDS, trust_env=False) as client:
                answer = client.get(endpoint, params={"challenge_code": code})
            is_answered = answer.status_code == 200 and answer.json() == {"challengeResponse": expected}
        except (httpx2.HTTPError, ValueError):
            is_answered = False
        if not is_answered:
            raise refusal(409, 195020, "Challenge verification failed for requested endpoint", DOMAIN)

    @route("GET", f"{ROOT}/subscription", bucket="notification")
    def subscriptions(self, request: Request) -> Reply:
        """The subscriptions of whoever asks."""
        who = self._who(request)
        mine = [one for one in self.state["subscriptions"].values() if TOPICS[one["topicId"]] == who]
        return self._page(request, "subscriptions", mine)

    @route("POST", f"{ROOT}/subscription", bucket="notification")
    def create_subscription(self, request: Request) -> Reply:
        """Have a topic sent to a destination."""
        told = body_of(request, DOMAIN)
        topic = str(told.get("topicId") or "")
        if topic not in TOPICS:
            raise refusal(400, 195027, "Invalid or missing topic id.", DOMAIN)
        if TOPICS[topic] != self._who(request):
            raise refusal(403, 195011, "Not authorized for this topic.", DOMAIN)
        if any(one["topicId"] == topic for one in self.state["subscriptions"].values()):
            raise refusal(409, 195012, "Subscription already exists", DOMAIN)
        name = f"subscription-{self.next_number()}"
        self.state["subscriptions"][name] = {
            "subscriptionId": name, "topicId": topic, "creationDate": written(self.now()),
            **self._told_subscription(told),
        }  # fmt: skip
        self.effect("subscription", topic=topic)
        return Reply(201, {}, {"Location": f"https://api.ebay.com{ROOT}/subscription/{name}"})

    @route("PUT", f"{ROOT}/subscription/{{name}}", bucket="notification")
    def update_subscription(self, request: Request, name: str) -> Reply:
        """Send a topic elsewhere."""
        if name not in self.state["subscriptions"]:
            raise refusal(404, 195013, "Invalid subscription Id.", DOMAIN)
        self.state["subscriptions"][name] |= self._told_subscription(body_of(request, DOMAIN))
        return Reply(204)

    def _told_subscription(self, told: Mapping[str, Any]) -> dict[str, Any]:
        destination = self.state["destinations"].get(told.get("destinationId"))
        if destination is None:
            raise refusal(400, 195007, "Invalid or missing destination id.", DOMAIN)
        if told.get("status") not in ("ENABLED", "DISABLED"):
            raise refusal(400, 195006, "Invalid or missing subscription status.", DOMAIN)
        payload = told.get("payload") or {}
        if payload.get("schemaVersion") != "1.0":
            raise refusal(400, 195008, "Invalid or missing schema version.", DOMAIN)
        if (payload.get("format"), payload.get("deliveryProtocol")) != ("JSON", "HTTPS"):
            raise refusal(400, 195010, "Invalid or missing protocol", DOMAIN)
        return {"status": told["status"], "payload": dict(payload), "destinationId": destination["destinationId"]}

    def _who(self, request: Request) -> str:
        token = self.state["tokens"][request.headers["authorization"].removeprefix("Bearer ")]
        return "USER" if token["who"] == "seller" else "APPLICATION"

    def _page(self, request: Request, name: str, listed: list[Any]) -> Reply:
        limit, start = int(request.query.get("limit", "20")), int(request.query.get("continuation_token", "0"))
        if not 10 <= limit <= 100:
            raise refusal(400, 195004, "Invalid limit. Supported ranges 10 - 100.", DOMAIN)
        told = {"total": len(listed), "href": request.path, "limit": limit, name: listed[start : start + limit]}
        if start + limit < len(listed):
            told["next"] = f"https://api.ebay.com{request.path}?limit={limit}&continuation_token={start + limit}"
        return Reply(200, told)

    def notify(self, topic: str, data: Mapping[str, Any]) -> None:
        """Tell whoever subscribed to a topic."""
        for one in self.state["subscriptions"].values():
            destination = self.state["destinations"].get(one["destinationId"], {})
            if one["topicId"] != topic or one["status"] != "ENABLED" or destination.get("status") != "ENABLED":
                continue
            at = written(self.now())
            told = {
                "metadata": {"topic": topic, "schemaVersion": "1.0", "deprecated": False},
                "notification": {
                    "notificationId": f"notification-{self.next_number()}", "eventDate": at, "publishDate": at,
                    "publishAttemptCount": 1, "data": dict(data),
                },
            }  # fmt: skip
            body = compact(told)
            headers = {"Content-Type": "application/json", "X-EBAY-SIGNATURE": signature(body, KEY, KEY_NAME)}
            self.sender.send(Letter(destination["deliveryConfig"]["endpoint"], headers, body, topic))
