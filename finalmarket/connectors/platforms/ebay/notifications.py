"""eBay's notifications: an address that proves itself by a challenge, subscriptions by topic, and a signature that is
checked with a public key of eBay's.

The key that signs is named in each delivery. It is asked for once and kept with the account's secrets.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from finalmarket.connectors.answers import fields_in, if_there, rows_in
from finalmarket.connectors.deliveries import read_delivery
from finalmarket.connectors.errors import NeedsAttention, NotSupported, Rejected, Unintelligible, WebhookRefused
from finalmarket.connectors.http import Answer, Http
from finalmarket.connectors.moments import utc
from finalmarket.connectors.paging import all_rows
from finalmarket.connectors.platforms.ebay.calls import NOTIFICATION
from finalmarket.connectors.records import Delivery, Event, Raw

SIGNATURE = "X-EBAY-SIGNATURE"
DELETION, REVOCATION = "MARKETPLACE_ACCOUNT_DELETION", "AUTHORIZATION_REVOCATION"
KINDS: Mapping[str, str] = {
    "ORDER_CONFIRMATION": "orders", "ITEM_MARKED_SHIPPED": "orders", DELETION: "erase", REVOCATION: "uninstalled",
}  # fmt: skip
TOPICS = tuple(KINDS)
DESTINATION_NAME = "The Final Market"
MOST_DEPTH = 6
NOT_AUTHORIZED, SUBSCRIBED_ALREADY, NO_CONFIGURATION = "195011", "195012", "195026"
DIGESTS: Mapping[str, Callable[[], hashes.HashAlgorithm]] = {"SHA1": hashes.SHA1, "SHA256": hashes.SHA256}
KEY_NAME = re.compile(r"[A-Za-z0-9-]{8,100}")


# Subscribing.


@dataclass(frozen=True, slots=True)
class Desk:
    """Who subscribes: topics of the application are its own business, topics of a seller the seller's."""

    http: Http
    application: Mapping[str, str]  # headers with the application's token

    def call(self, method: str, path: str, *, as_seller: bool = False, **more: Any) -> Answer:
        """One call, on behalf of the application or of the seller."""
        who: dict[str, Any] = {} if as_seller else {"headers": self.application, "is_authorized": False}
        return self.http.call(method, NOTIFICATION + path, bucket="notification", **who, **more)

    def all(self, path: str, name: str, *, as_seller: bool = False) -> list[Raw]:
        """A whole list, page by page."""

        def fetch(token: str) -> tuple[list[Raw], str]:
            params = {"limit": "100", **({"continuation_token": token} if token else {})}
            answer = self.call("GET", path, as_seller=as_seller, params=params)
            following = urlsplit(str(fields_in(answer).get("next") or "")).query
            return rows_in(answer, name), parse_qs(following).get("continuation_token", [""])[0]

        return list(all_rows(fetch))


def subscribe(desk: Desk, url: str, token: str, alert_email: str) -> None:
    """Have our topics sent to `url`, once. Raises NotSupported where eBay offers none of them to this application."""
    offered = {str(one.get("topicId")): one for one in desk.all("/topic", "topics")}
    wanted = [topic for topic in TOPICS if topic in offered]
    if not wanted:
        raise NotSupported("eBay offers this application none of our topics")
    _configure(desk, alert_email)
    destination_id = _destination(desk, url, token)
    for as_seller in (False, True):
        topics = [topic for topic in wanted if (offered[topic].get("scope") == "USER") is as_seller]
        if topics:
            standing = {
                str(one.get("topicId")): one for one in desk.all("/subscription", "subscriptions", as_seller=as_seller)
            }
            for topic in topics:
                _subscribe_to(desk, offered[topic], standing.get(topic), destination_id, as_seller=as_seller)


def _configure(desk: Desk, alert_email: str) -> None:
    """Name an address for eBay's alerts, which it wants before any destination."""
    known = (if_there(lambda: fields_in(desk.call("GET", "/config")), NO_CONFIGURATION) or {}).get("alertEmail")
    if alert_email and known != alert_email:
        desk.call("PUT", "/config", json={"alertEmail": alert_email}, repeatable=True)
    elif not known:
        raise NeedsAttention("eBay wants an e-mail address for its alerts: enter it in the settings")


def _destination(desk: Desk, url: str, token: str) -> str:
    """The destination of this address; eBay challenges a new one at once."""
    body = {
        "name": DESTINATION_NAME, "status": "ENABLED",
        "deliveryConfig": {"endpoint": url, "verificationToken": token},
    }  # fmt: skip
    for one in desk.all("/destination", "destinations"):
        told = one.get("deliveryConfig")
        if isinstance(told, dict) and told.get("endpoint") == url:
            name = str(one["destinationId"])
            if one.get("status") != "ENABLED" or told.get("verificationToken") != token:
                desk.call("PUT", f"/destination/{quote(name, safe='')}", json=body, repeatable=True)
            return name
    return _named(desk.call("POST", "/destination", json=body))


def _named(answer: Answer) -> str:
    """The id of what was made, which the header Location ends in."""
    name = answer.header("Location").rstrip("/").rpartition("/")[2]
    if not name:
        raise Unintelligible("eBay does not say what the new destination is called", status=answer.status)
    return name


def _subscribe_to(
    desk: Desk, topic: Raw, standing: Raw | None, destination_id: str, *, as_seller: bool
) -> None:  # fmt: skip
    payloads = [one for one in topic.get("supportedPayloads") or [] if not one.get("deprecated")]
    version = str(max((str(one.get("schemaVersion") or "") for one in payloads), default="") or "1.0")
    body = {
        "status": "ENABLED", "destinationId": destination_id,
        "payload": {"format": "JSON", "schemaVersion": version, "deliveryProtocol": "HTTPS"},
    }  # fmt: skip
    try:
        if standing is None:
            made = {**body, "topicId": str(topic["topicId"])}
            desk.call("POST", "/subscription", as_seller=as_seller, json=made)
        elif standing.get("destinationId") != destination_id or standing.get("status") != "ENABLED":
            name = quote(str(standing["subscriptionId"]), safe="")
            desk.call("PUT", f"/subscription/{name}", as_seller=as_seller, json=body, repeatable=True)
    except Rejected as error:
        if error.code not in (NOT_AUTHORIZED, SUBSCRIBED_ALREADY):
            raise


# Proving.


def challenge_answer(url: str, code: str, token: str) -> tuple[str, str]:
    """What proves that the address `url` is ours: SHA-256 of the code, the verification token and the address."""
    digest = hashlib.sha256((code + token + url).encode()).hexdigest()
    return "application/json", json.dumps({"challengeResponse": digest})


def kept_key(name: str, told: Raw) -> str:
    """A public key as it is kept: its name, its digest and its bytes in base64. Raises WebhookRefused for none."""
    text = re.sub(r"-----(BEGIN|END) PUBLIC KEY-----|\s", "", str(told.get("key") or ""))
    digest = str(told.get("digest") or "SHA1").upper().replace("-", "")
    if not text or digest not in DIGESTS:
        raise WebhookRefused("eBay gave no public key that can be used")
    return f"{name} {digest} {text}"


def verify(delivery: Delivery, keys: Sequence[str], fetch: Callable[[str], str]) -> None:
    """Raise WebhookRefused unless the body is signed by the key that the delivery names: one of `keys` (see
    `kept_key`), or one that eBay has, which `fetch` asks for."""
    try:
        told = json.loads(b64decode(delivery.header(SIGNATURE).encode("ascii"), validate=True))
        name, signature = str(told["kid"]), b64decode(str(told["signature"]), validate=True)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise WebhookRefused("the delivery carries no signature of eBay's form") from None
    if not signature or not KEY_NAME.fullmatch(name):
        raise WebhookRefused("the delivery carries no signature of eBay's form")
    known = next((key for key in keys if key.partition(" ")[0] == name), "") or fetch(name)
    _, digest, text = known.split(" ")
    try:
        key = load_der_public_key(b64decode(text))
        if not isinstance(key, EllipticCurvePublicKey):
            raise WebhookRefused("the public key is of another kind than eBay's")
        key.verify(signature, delivery.body, ECDSA(DIGESTS[digest]()))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, KeyError):
        raise WebhookRefused("the signature does not fit the body") from None


# Reading.


def read(delivery: Delivery, seller: str) -> list[Event]:
    """The event of a delivery. That another seller took their consent back is none of ours: its kind is unknown."""
    return [read_delivery(delivery, partial(_event, seller=seller))]


def _event(told: Any, seller: str) -> Event:
    topic, notification = str(told["metadata"]["topic"]), told["notification"]
    data = notification.get("data") or {}
    name = str(notification["notificationId"])
    at = utc(notification["eventDate"]) if notification.get("eventDate") else None
    people = [str(data[field]) for field in ("username", "userId") if data.get(field)]
    kind = KINDS.get(topic, "unknown")
    if topic == REVOCATION and seller not in people:
        kind = "unknown"
    subject = people[0] if people and kind in ("erase", "uninstalled") else _order_id(data)
    return Event(event_id=name, topic=topic, kind=kind, external_id=subject, occurred_at=at)


def _order_id(data: Any, depth: int = 0) -> str:
    """The order that a notification is about, wherever its topic puts it."""
    if depth > MOST_DEPTH or not isinstance(data, (dict, list)):
        return ""
    if isinstance(data, dict) and isinstance(data.get("orderId"), str):
        return str(data["orderId"])
    inner = data.values() if isinstance(data, dict) else data
    return next((found for one in inner if (found := _order_id(one, depth + 1))), "")
