"""Event webhooks: their settings, their keys, and the signed deliveries."""

from __future__ import annotations

import json
import uuid
from base64 import b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from finalmarket.sandbox.platforms.sendgrid.office import Object, Office, refusal
from finalmarket.sandbox.stand_in import Reply, Request, route
from finalmarket.sandbox.webhooks import Letter

ROOT = "/v3/user/webhooks/event/settings"
SEED = 0x5A7DB0C0DE5A7DB0C0DE  # of keys that sign for nothing but the sandbox
FLAGS = (
    "group_resubscribe", "delivered", "group_unsubscribe", "spam_report", "bounce", "deferred", "unsubscribe",
    "processed", "open", "click", "dropped",
)  # fmt: skip
MOST_HOOKS = 5


def public_key(key: EllipticCurvePrivateKey) -> str:
    """The public half as SendGrid gives it out: base64 of DER."""
    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def signature(key: EllipticCurvePrivateKey, timestamp: str, body: bytes) -> str:
    """What proves a delivery: ECDSA with SHA-256 over the timestamp and the body, in base64 of DER."""
    return b64encode(key.sign(timestamp.encode() + body, ECDSA(SHA256()))).decode()


class Hooks(Office):
    """Webhooks."""

    @route("GET", f"{ROOT}/all")
    def list_hooks(self, request: Request) -> Reply:
        shown = [self._shown_hook(hook) for hook in self.state["hooks"].values()]
        return Reply(200, {"max_allowed": MOST_HOOKS, "webhooks": shown})

    @route("POST", ROOT)
    def add_hook(self, request: Request) -> Reply:
        told = self.body_of(request)
        if not str(told.get("url") or "").startswith(("https://", "http://")):
            raise refusal(400, "url is not valid", "url")
        if len(self.state["hooks"]) >= MOST_HOOKS:
            raise refusal(400, "you have as many webhooks as your plan allows", "url")
        number = self.new_number()
        hook = {"enabled": False, **dict.fromkeys(FLAGS, False), "friendly_name": None, **told}
        hook |= {"id": str(uuid.UUID(int=number)), "created_date": self.now().isoformat(), "number": number}
        self.state["hooks"][hook["id"]] = {**hook, "is_signed": False}
        self.effect("webhook", url=hook["url"])
        return Reply(201, self._shown_hook(self.state["hooks"][hook["id"]]))

    @route("PATCH", f"{ROOT}/{{name}}")
    def change_hook(self, request: Request, name: str) -> Reply:
        hook, told = self._hook(name), self.body_of(request)
        if any(hook.get(field) != value for field, value in told.items()):
            hook |= told
            self.effect("webhook", url=hook["url"])
        return Reply(200, self._shown_hook(hook))

    @route("GET", f"{ROOT}/signed/{{name}}")
    def read_key(self, request: Request, name: str) -> Reply:
        return Reply(200, self._shown_key(self._hook(name)))

    @route("PATCH", f"{ROOT}/signed/{{name}}")
    def sign(self, request: Request, name: str) -> Reply:
        hook, wanted = self._hook(name), bool(self.body_of(request).get("enabled"))
        if hook["is_signed"] != wanted:
            hook["is_signed"] = wanted
            self.effect("signing", hook=name, enabled=wanted)
        return Reply(200, self._shown_key(hook))

    def _hook(self, name: str) -> Object:
        found: Object | None = self.state["hooks"].get(name)
        if found is None:
            raise refusal(404, "webhook not found")
        return found

    def _shown_hook(self, hook: Object) -> Object:
        key = {"public_key": public_key(self.key_of(hook))} if hook["is_signed"] else {}
        return {name: value for name, value in hook.items() if name not in ("number", "is_signed")} | key

    def _shown_key(self, hook: Object) -> Object:
        return {"id": hook["id"], "public_key": public_key(self.key_of(hook)) if hook["is_signed"] else ""}

    def key_of(self, hook: Object) -> EllipticCurvePrivateKey:
        """The key that signs a webhook's deliveries."""
        return derive_private_key(SEED + hook["number"], SECP256R1())

    # The outside world.

    def tell(self, event: str, email: str, message: Object | None = None, **more: Any) -> None:
        """Tell every webhook that wants it of an event; the arguments that a mail carried come along."""
        told = {
            "email": email, "timestamp": self.seconds(), "event": event, "sg_event_id": f"e{self.new_number():020d}",
            "sg_message_id": "", **more,
        }  # fmt: skip
        if message is not None:
            told |= {"sg_message_id": message["sg_message_id"], "category": message["categories"]}
            told |= {**message["arguments"], "smtp-id": f"<{message['id']}@sandbox>"}
        body = json.dumps([told], indent=1).encode() + b"\r\n"
        flag = "spam_report" if event == "spamreport" else event
        for hook in self.state["hooks"].values():
            if hook["enabled"] and hook.get(flag):
                self.sender.send(Letter(hook["url"], self._headers(hook, body), body, event))

    def _headers(self, hook: Object, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": "SendGrid Event API"}
        if hook["is_signed"]:
            timestamp = str(self.seconds())
            headers |= {
                "X-Twilio-Email-Event-Webhook-Signature": signature(self.key_of(hook), timestamp, body),
                "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
            }  # fmt: skip
        return headers
