"""Webhooks of the audience: their secrets, which are told once, and the signed forms.

Addresses on this machine are looked at as Mailchimp does it, before they are taken; others cannot be reached from here
and are believed.
"""

from __future__ import annotations

import hmac
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2

from finalmarket.sandbox.platforms.mailchimp.office import LIST, Object, Office, invalid, missing
from finalmarket.sandbox.stand_in import Reply, Request, route
from finalmarket.sandbox.webhooks import Letter, trusted

ROOT = f"/3.0/lists/{LIST}/webhooks"
EVENTS = ("subscribe", "unsubscribe", "profile", "cleaned", "upemail", "campaign")
SOURCES = ("user", "admin", "api")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SECONDS = 5.0


def signature(secret: str, seconds: int, body: bytes) -> str:
    """The header X-Mailchimp-Signature of a body."""
    signed = hmac.new(secret.encode(), f"{seconds}.".encode() + body, "sha256").hexdigest()
    return f"t={seconds},v1={signed}"


class Hooks(Office):
    """Webhooks."""

    @route("GET", ROOT)
    def list_hooks(self, request: Request) -> Reply:
        hooks = [_shown(hook) for hook in self.state["hooks"].values()]
        return Reply(200, {"list_id": LIST, "webhooks": hooks, "total_items": len(hooks)})

    @route("POST", ROOT)
    def add_hook(self, request: Request) -> Reply:
        told = self.body_of(request)
        url = str(told.get("url") or "")
        if not url.startswith(("https://", "http://")) or not self._is_there(url):
            raise invalid(("url", "We couldn't verify the URL."))
        if any(hook["url"] == url for hook in self.state["hooks"].values()):
            raise invalid(("url", "Sorry, you can't set up multiple WebHooks for one URL."))
        number = self.new_number()
        hook = {
            "id": f"hook{number:06d}", "url": url, "list_id": LIST, "signing_enabled": True,
            "secret": f"practice-signing-secret-{number:06d}",
            "events": {event: bool((told.get("events") or {}).get(event)) for event in EVENTS},
            "sources": {source: bool((told.get("sources") or {}).get(source)) for source in SOURCES},
        }  # fmt: skip
        self.state["hooks"][hook["id"]] = hook
        self.effect("webhook", url=url)
        return Reply(200, {**_shown(hook), "signing_secret": hook["secret"]})

    def _is_there(self, url: str) -> bool:
        if urlsplit(url).hostname not in LOOPBACK:
            return True
        try:
            with httpx2.Client(verify=trusted(), timeout=SECONDS, trust_env=False) as client:
                return client.get(url).status_code == 200
        except httpx2.HTTPError:
            return False

    @route("PATCH", f"{ROOT}/{{name}}")
    def change_hook(self, request: Request, name: str) -> Reply:
        hook, told = self._hook(name), self.body_of(request)
        before = _shown(hook)
        for part in ("events", "sources"):
            hook[part] = {**hook[part], **(told.get(part) or {})}
        if _shown(hook) != before:
            self.effect("webhook changed", url=hook["url"])
        return Reply(200, _shown(hook))

    @route("DELETE", f"{ROOT}/{{name}}")
    def remove_hook(self, request: Request, name: str) -> Reply:
        hook = self._hook(name)
        del self.state["hooks"][name]
        self.effect("webhook removed", url=hook["url"])
        return Reply(204)

    def _hook(self, name: str) -> Object:
        found: Object | None = self.state["hooks"].get(name)
        if found is None:
            raise missing()
        return found

    def tell(self, event: str, source: str, **data: Any) -> None:
        """Tell of an event those webhooks that want it from that source."""
        at = self.now()
        fields = {"type": event, "fired_at": f"{at:%Y-%m-%d %H:%M:%S}"}
        fields |= {f"data[{name}]": str(value) for name, value in {**data, "list_id": LIST}.items()}
        body = urlencode(fields).encode()
        for hook in self.state["hooks"].values():
            if hook["events"].get(event) and hook["sources"].get(source):
                headers = {
                    "Content-Type": "application/x-www-form-urlencoded", "User-Agent": "MailChimp",
                    "X-Mailchimp-Signature": signature(hook["secret"], int(at.timestamp()), body),
                }  # fmt: skip
                self.sender.send(Letter(hook["url"], headers, body, event))


def _shown(hook: Object) -> Object:
    """A webhook as it is shown: never with its secret."""
    return {**{name: value for name, value in hook.items() if name != "secret"}, "events": dict(hook["events"])}
