"""A shopping agent as a test plays it: it speaks the published protocol, whose own schemas judge all that it says and
is answered."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from finalmarket.access import keys
from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.agents import doors
from finalmarket.integrations.models import AgentDoor
from finalmarket.kernel import clock

PLACE = "https://protocol.example/"
CHECKOUT_API = "openapi/openapi.agentic_checkout.yaml#/components/schemas/"
CHECKOUT, CART, FEED = (f"json-schema/schema.{name}.json#/$defs/" for name in ("agentic_checkout", "cart", "feed"))
WEBHOOK = "openapi/openapi.agentic_checkout_webhook.yaml#/components/schemas/"
HOME = {
    "name": "Ann Lee", "line_one": "Hauptstr. 1", "city": "Berlin", "state": "BE", "country": "DE",
    "postal_code": "10115",
}  # fmt: skip
BUYER = {"first_name": "Ann", "last_name": "Lee", "email": "ann@example.com", "phone_number": "+4930123456"}


def folder() -> Path:
    """Where the published protocol lies; skips, loudly, where it does not."""
    found = Path(os.environ.get("FINALMARKET_VENDOR_APIS", "")) / "agentic-commerce-protocol"
    if not found.is_dir():
        pytest.skip("NOT CHECKED against the published protocol: FINALMARKET_VENDOR_APIS names no folder")
    return found


@cache
def _registry() -> Registry[Any]:
    """All files by their places, so that they find each other."""
    found: Registry[Any] = Registry()
    for path in sorted(folder().glob("*/*.json")) + sorted(folder().glob("openapi/*.yaml")):
        text = path.read_text(encoding="utf-8")
        content = yaml.load(text, Loader=yaml.CSafeLoader) if path.suffix == ".yaml" else json.loads(text)
        content = {name: value for name, value in content.items() if name != "$id"}
        place = f"{PLACE}{path.parent.name}/{path.name}"
        found = found.with_resource(place, Resource.from_contents(content, default_specification=DRAFT202012))
    return found


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"{PLACE}{name}"}, registry=_registry())


def judge(name: str, document: Any) -> None:
    """Let a published schema judge."""
    faults = [f"{'/'.join(map(str, one.path))}: {one.message}" for one in _validator(name).iter_errors(document)]
    assert not faults, (name, faults)


def examples(name: str) -> dict[str, Any]:
    """The published examples of that name."""
    found: dict[str, Any] = json.loads((folder() / "examples" / name).read_text(encoding="utf-8"))
    return found


@dataclass
class Answer:
    """What an agent is answered."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass
class Agent:
    """An agent with a key for one channel."""

    key: str
    secret: str = ""
    client: Client = field(default_factory=Client)

    def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, drop: str = "", **headers: str
    ) -> Answer:
        """Call an address under /acp/."""
        text = b"" if body is None else json.dumps(body).encode()
        sent = {
            "Authorization": f"Bearer {self.key}", "API-Version": "2026-04-17", "Request-Id": "r-1",
            **({} if method == "GET" else {"Idempotency-Key": str(uuid.uuid4()) if key is None else key}),
            **(self.signed(text) if self.secret else {}),
            **{name.replace("_", "-"): one for name, one in headers.items()},
        }  # fmt: skip
        sent.pop(drop, None)
        answer = self.client.generic(method, f"/acp/{path}", text, "application/json", headers=sent)
        if answer.status_code >= 400:
            judge(f"{CHECKOUT_API}Error", answer.json())
        assert answer.headers["Request-Id"] == "r-1"
        return Answer(answer.status_code, answer.json(), answer.headers)

    def signed(self, text: bytes, at: str = "") -> dict[str, str]:
        """Sign a body as the channel wants it."""
        moment = at or clock.now().isoformat()
        made = hmac.new(self.secret.encode(), moment.encode() + b"." + text, hashlib.sha256).digest()
        return {"Timestamp": moment, "Signature": base64.urlsafe_b64encode(made).decode().rstrip("=")}

    def begin(self, *skus: str, status: int = 201, **said: Any) -> Any:
        """Begin a checkout of these articles; one that is named twice is wanted twice."""
        body = {"line_items": [{"id": sku} for sku in skus], "currency": "eur", "capabilities": {}, **said}
        for schemas in (CHECKOUT, CHECKOUT_API):
            judge(f"{schemas}CheckoutSessionCreateRequest", body)
        return self._checked(self.call("POST", "checkout_sessions", body), status)

    def change(self, token: str, status: int = 200, **said: Any) -> Any:
        """Change a checkout."""
        judge(f"{CHECKOUT}CheckoutSessionUpdateRequest", said)
        return self._checked(self.call("POST", f"checkout_sessions/{token}", said), status)

    def show(self, token: str) -> Any:
        """Look at a checkout."""
        return self._checked(self.call("GET", f"checkout_sessions/{token}"), 200)

    def complete(
        self, token: str, paid: str = "test_paid", *, handler: str = "test", status: int = 200, key: str | None = None,
        **said: Any,
    ) -> Any:  # fmt: skip
        """Pay and order."""
        instrument = {"type": "card", "credential": {"type": "spt", "token": paid}}
        body = {"buyer": BUYER, "payment_data": {"handler_id": handler, "instrument": instrument}, **said}
        judge(f"{CHECKOUT}CheckoutSessionCompleteRequest", body)
        return self._checked(self.call("POST", f"checkout_sessions/{token}/complete", body, key=key), status)

    def cancel(self, token: str, status: int = 200) -> Any:
        """Give a checkout up."""
        return self._checked(self.call("POST", f"checkout_sessions/{token}/cancel", {}), status)

    def _checked(self, answer: Answer, status: int) -> Any:
        assert answer.status == status, answer.body
        if status < 400:
            kind = "CheckoutSessionWithOrder" if answer.body["status"] == "completed" else "CheckoutSession"
            judge(f"{CHECKOUT}{kind}", answer.body)
            # The other description says that a session has no order, and adds one: its parts are judged apart.
            judge(f"{CHECKOUT_API}CheckoutSession", {key: one for key, one in answer.body.items() if key != "order"})
            if "order" in answer.body:
                judge(f"{CHECKOUT_API}Order", answer.body["order"])
            sums_up(answer.body)
        return answer.body


def sums_up(body: Mapping[str, Any]) -> None:
    """Subtotal, delivery and tax are the total, in whole units of the smallest coin."""
    for totals in (body["totals"], *(line["totals"] for line in body["line_items"])):
        by_kind = {one["type"]: one["amount"] for one in totals}
        parts = sum(by_kind.get(kind, 0) for kind in ("subtotal", "fulfillment", "tax"))
        assert parts == by_kind["total"], totals


def total_of(body: Mapping[str, Any]) -> int:
    """What it comes to."""
    return int(next(one["amount"] for one in body["totals"] if one["type"] == "total"))


def let_in(channel: SalesChannel) -> tuple[Agent, AgentDoor]:
    """Let an agent in on a channel."""
    door = doors.open_door(channel)
    _, key = keys.create("assistant", [doors.SCOPE], channels=[channel.pk], calls_per_minute=6000)
    return Agent(key), door
