"""SendGrid (Twilio): an audience with its consents and segments, mails to single persons, and what they do with them
(https://www.twilio.com/docs/sendgrid/api-reference).

A contact is known by its e-mail address, and that is what we call it. Contacts are taken in later than they are told;
suppressions at once, which is why a withdrawn consent goes to the suppressions first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

import httpx2

from finalmarket.connectors.answers import fields_in, rows_in
from finalmarket.connectors.auth import bearer
from finalmarket.connectors.contract import (
    Checked,
    Connector,
    ErasesCustomers,
    PushesCustomers,
    ReceivesWebhooks,
    Setting,
)
from finalmarket.connectors.errors import NotSupported, Unintelligible
from finalmarket.connectors.http import Answer, retry_after, seconds_until
from finalmarket.connectors.paging import read_one
from finalmarket.connectors.platforms.sendgrid.audience import Audience
from finalmarket.connectors.platforms.sendgrid.events import FLAGS, TOPICS, events_of, require_genuine
from finalmarket.connectors.platforms.sendgrid.suppressions import pull_suppressions
from finalmarket.connectors.platforms.sendgrid.words import message_body
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import CustomerContent, Delivery, Event, Page, Raw
from finalmarket.connectors.refusals import refused_as
from finalmarket.connectors.talk import InteractionRecord, MessageContent, PullsInteractions, SendsMessages

HOSTS = {"global": "https://api.sendgrid.com", "eu": "https://api.eu.sendgrid.com"}
HOOKS = "/v3/user/webhooks/event/settings"
NEEDED_RIGHTS = ("mail.send",)


class SendGrid(Connector, PullsInteractions, PushesCustomers, ErasesCustomers, SendsMessages, ReceivesWebhooks):
    """One SendGrid account."""

    # Who we are.

    slug = "sendgrid"
    name = "SendGrid"
    kind = "email"
    docs = "https://www.twilio.com/docs/sendgrid/api-reference"
    api_version = "v3"
    base_url = HOSTS["global"]
    # SendGrid publishes no figures: each answer tells what is left, and a 429 when it goes on.
    rate = Rate(calls=5)
    rates: ClassVar[Mapping[str, Rate]] = {"mail": Rate(calls=50), "contacts": Rate(calls=1, burst=3)}
    secrets = ("api_key",)
    optional_secrets = ("webhook_public_key",)
    settings = (
        Setting("from_email", "Sender's address", "A verified sender, or of an authenticated domain."),
        Setting("from_name", "Sender's name", is_required=False),
        Setting("reply_to", "Replies go to", "Empty: to the sender.", is_required=False),
        Setting(
            "region", "Where the account is kept", is_required=False, default="global",
            choices=(("global", "Global"), ("eu", "European Union (regional subuser)")),
        ),
        Setting(
            "list_name", "Name of the list", "All who agreed; each segment has a list of its own behind a colon.",
            is_required=False, default="The Final Market",
        ),
        Setting(
            "unsubscribe_group", "Unsubscribe group",
            "The number of the group that your newsletters use. Empty: who withdraws is put on the global list.",
            is_required=False,
        ),
    )  # fmt: skip
    former_names = ("Twilio SendGrid",)
    described_in = ("sendgrid",)
    checked_against = Checked("published description, of 2026-01-22", on="2026-11-25")
    webhook_topics = tuple(TOPICS)
    webhook_secrets = ("webhook_public_key",)

    # How we are let in.

    def auth(self) -> httpx2.Auth:
        """An API key as a bearer token."""
        return bearer(self.account.secrets["api_key"])

    def check(self) -> str:
        """What the key may do; SendGrid does not say whose it is."""
        scopes = read_one(self._call("GET", "/v3/scopes").data, lambda raw: [str(scope) for scope in raw["scopes"]])
        missing = [right for right in NEEDED_RIGHTS if right not in scopes]
        without = f", but not {', '.join(missing)}" if missing else ""
        return f"a SendGrid key with {len(scopes)} rights{without}, for mails from {self.setting('from_email')}"

    def _call(self, method: str, path: str, **how: Any) -> Answer:
        host = HOSTS.get(self.setting("region"), self.base_url)
        return self.http.call(method, self.address(host + path), **how)

    def _group(self) -> int | None:
        """The unsubscribe group of the newsletters; None where the global list is used."""
        given = self.setting("unsubscribe_group")
        return int(given) if given.isascii() and given.isdigit() else None

    def heed(self, answer: Answer, bucket: str) -> float | None:
        """Where there were too many calls: the moment from which on more are taken (`X-RateLimit-Reset`)."""
        asked = retry_after(answer.headers)
        if asked is not None or answer.status != 429:
            return asked
        reset = answer.count("x-ratelimit-reset")
        return None if reset is None else seconds_until(reset)

    # What comes in.

    def pull_interactions(self, cursor: str, since: datetime | None) -> Iterator[Page[InteractionRecord]]:
        """Who unsubscribed, complained, or could not be reached: from the lists that SendGrid keeps of them, for what
        no webhook told. What else people did with mails, webhooks alone tell."""
        return pull_suppressions(self._call, self._group(), cursor, since)

    # What goes out.

    def push_customer(self, content: CustomerContent) -> str:
        """See PushesCustomers: the contact, its lists, and what the person said of mail. Returns the address."""
        with refused_as(content.key):
            return Audience(self._call, self.setting("list_name"), self._group()).tell(content)

    def erase_customer(self, external_id: str) -> None:
        """See ErasesCustomers. A contact is known by its address."""
        Audience(self._call, self.setting("list_name"), self._group()).erase(external_id)

    def send_message(self, content: MessageContent) -> str:
        """See SendsMessages. SendGrid takes a message as often as it is told: nothing is repeated."""
        names = {name: self.setting(name) for name in ("from_email", "from_name", "reply_to")}
        with refused_as(content.key):
            answer = self._call("POST", "/v3/mail/send", json=message_body(content, **names), bucket="mail")
        return answer.header("X-Message-Id")

    def find_message(self, key: str) -> str | None:
        """Not to be asked: the feed of what was sent is an extra that SendGrid sells, and published nowhere."""
        raise NotSupported("SendGrid cannot be asked for a message by our key: look in its activity feed")

    # Webhooks.

    def subscribe(self, url: str) -> Mapping[str, str]:
        """Have events sent to `url`, signed; an own webhook for it, which leaves others alone. Who looks first makes
        none twice, so that all of it may be repeated."""
        wanted = {"enabled": True, "url": url, **dict.fromkeys(FLAGS.values(), True)}
        found = rows_in(self._call("GET", f"{HOOKS}/all"), "webhooks")
        known = next((hook for hook in found if hook.get("url") == url), None)
        if known is None:
            made = {**wanted, "friendly_name": "The Final Market"}
            known = fields_in(self._call("POST", HOOKS, json=made, repeatable=True))
        elif any(known.get(name) != value for name, value in wanted.items()):
            self._call("PATCH", f"{HOOKS}/{_name(known)}", json=wanted, repeatable=True)
        return {"webhook_public_key": self._public_key(_name(known))}

    def _public_key(self, hook: str) -> str:
        """The key that proves a webhook's deliveries; signing is switched on where it was not."""
        path = f"{HOOKS}/signed/{hook}"
        key = fields_in(self._call("GET", path)).get("public_key")
        if not key:
            key = fields_in(self._call("PATCH", path, json={"enabled": True}, repeatable=True)).get("public_key")
        if not isinstance(key, str) or not key:
            raise Unintelligible("SendGrid gives no key to prove its webhooks by")
        return key

    def verify_webhook(self, delivery: Delivery) -> None:
        """See events.py."""
        require_genuine(delivery, self.webhook_secret())

    def read_webhook(self, delivery: Delivery) -> list[Event]:
        """See events.py."""
        return events_of(delivery.body, self._group())

    # What its errors mean.

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """`{"errors": [{"message", "field", "error_id"}]}`; some answers hold the one error without the list."""
        if answer.is_success or not isinstance(answer.data, dict):
            return "", ""
        listed = answer.data.get("errors")
        errors = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        if not errors:
            errors = [listed if isinstance(listed, dict) else answer.data]
        code = errors[0].get("error_id") or errors[0].get("field") or ""
        return str(code), "; ".join(str(one["message"]) for one in errors if one.get("message"))


def _name(hook: Raw) -> str:
    if not isinstance(hook.get("id"), str) or not hook["id"]:
        raise Unintelligible("SendGrid does not say what a webhook is called")
    return str(hook["id"])


# From our words to its own, and back: words.py, audience.py, suppressions.py, events.py.
