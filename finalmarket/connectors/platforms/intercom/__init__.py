"""Intercom: conversations and tickets with all that is said in them come in; tickets are opened from orders; contacts
come in and go out with what they ordered; webhooks, signed; an access token or OAuth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import ClassVar
from urllib.parse import quote, urlencode

import httpx2

from finalmarket.connectors.answers import fields_in, if_there
from finalmarket.connectors.auth import bearer
from finalmarket.connectors.code_exchange import tokens_for_code
from finalmarket.connectors.contract import (
    Authorizes,
    Checked,
    Connector,
    ErasesCustomers,
    PullsCustomers,
    PushesCustomers,
    ReceivesWebhooks,
    Setting,
)
from finalmarket.connectors.deliveries import read_delivery
from finalmarket.connectors.errors import (
    ConnectorError,
    NeedsAttention,
    NotSupported,
    Rejected,
    RetryLater,
    Unintelligible,
)
from finalmarket.connectors.http import Answer, retry_after, seconds_until
from finalmarket.connectors.keyset import Place, cursor_after, place_of
from finalmarket.connectors.own_keys import note_mark
from finalmarket.connectors.paging import read_each, read_one, walk
from finalmarket.connectors.platforms.intercom import words
from finalmarket.connectors.platforms.intercom.changes import Found, Search, changed_after, page_of
from finalmarket.connectors.platforms.intercom.contacts import Contacts, id_of, record_at, rows_of
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import CustomerContent, CustomerRecord, Delivery, Event, Page, Raw
from finalmarket.connectors.refusals import refused_as
from finalmarket.connectors.signing import hmac_hex, require_signature
from finalmarket.connectors.talk import (
    AnswersConversations,
    ConversationRecord,
    OpensTickets,
    PullsConversations,
    TicketContent,
    was_said,
)
from finalmarket.connectors.vocabulary import filled

__all__ = ["Intercom"]

HOST = "https://api.intercom.io"
HOSTS = {"us": HOST, "eu": "https://api.eu.intercom.io", "au": "https://api.au.intercom.io"}
CONSENT = "https://app.intercom.com/oauth"
TOKEN = "/auth/eagle/token"  # noqa: S105  an address
TALKS = {
    "conversations": Search("/conversations/search", "conversations"),
    "tickets": Search("/tickets/search", "tickets", words.TICKET),
}  # fmt: skip
CONTACTS = {"contacts": Search("/contacts/search", "data")}
LATE = timedelta(minutes=10)  # until a search finds a new contact


class Intercom(
    Connector, PullsConversations, PullsCustomers, PushesCustomers, ErasesCustomers, OpensTickets,
    AnswersConversations, ReceivesWebhooks, Authorizes,
):  # fmt: skip
    """One Intercom workspace."""

    # Who we are.

    slug = "intercom"
    name = "Intercom"
    kind = "chat"
    docs = "https://developers.intercom.com/docs/references/rest-api/api.intercom.io"
    api_version = "2.15"
    base_url = HOST
    rate = Rate(calls=1600, per_seconds=10)  # 10,000 a minute, counted in windows of ten seconds
    secrets = ("access_token",)
    optional_secrets = ("client_secret",)
    settings = (
        Setting("region", "Region", "Where your workspace is hosted.", default="us",
                choices=(("us", "United States"), ("eu", "Europe"), ("au", "Australia"))),
        Setting("client_id", "Client ID", "Of your app; for OAuth only.", is_required=False),
        Setting("ticket_type", "Ticket type", "Id of the type to open tickets as; empty: the first one.", False),
        Setting("order_attribute", "Attribute of order numbers", "Its name, in conversations and tickets.",
                default="Order number"),
    )  # fmt: skip
    described_in = ("intercom",)
    checked_against = Checked("published description", on="2026-11-25")
    webhook_topics = tuple(words.KINDS)
    webhook_secrets = ("client_secret",)

    # How we are let in.

    def address(self, url: str) -> str:
        """See Connector: every region has a host of its own."""
        if not self.account.base_url and url.startswith(HOST):
            return HOSTS.get(self.setting("region"), HOST) + url.removeprefix(HOST)
        return super().address(url)

    def headers(self) -> Mapping[str, str]:
        """See Connector."""
        return {"Intercom-Version": self.api_version}

    def auth(self) -> httpx2.Auth:
        """An access token, of an app of one's own or of OAuth; neither ends."""
        return bearer(self.account.secrets.get("access_token", ""))

    @cached_property
    def _me(self) -> Raw:
        return fields_in(self.http.call("GET", "/me"), "id", "app")

    def check(self) -> str:
        """See Connector."""
        app = self._me["app"]
        if not isinstance(app, dict) or not app.get("id_code"):
            raise Unintelligible("Intercom does not say whose workspace it is")
        return f"the workspace {app.get('name')} ({app['id_code']})"

    def authorization_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """See Authorizes. What is allowed is chosen in the app itself."""
        query = {"client_id": self.needed_setting("client_id"), "state": state, "redirect_uri": redirect_uri}
        return f"{self.address(CONSENT)}?{urlencode(query, quote_via=quote)}"

    def exchange(self, query: Mapping[str, str], redirect_uri: str, verifier: str) -> Mapping[str, str]:
        """See Authorizes."""
        secret = self.account.secrets.get("client_secret", "")
        app = {"client_id": self.needed_setting("client_id"), "client_secret": secret}
        given = tokens_for_code(self.http, query, TOKEN, app, as_json=True, token_names=("access_token", "token"))
        return {"access_token": str(given["access_token"])}

    def heed(self, answer: Answer, bucket: str) -> float | None:
        """See Connector: what is left of this window, and when the next one begins."""
        left, resets = answer.count("x-ratelimit-remaining"), answer.count("x-ratelimit-reset")
        if left is not None:
            self._budget.learn(bucket, left=left)
        asked = retry_after(answer.headers)
        if asked is None and answer.status == 429 and resets is not None:
            return min(60.0, seconds_until(resets))
        return asked

    # What comes in.

    def pull_conversations(self, cursor: str, since: datetime | None) -> Iterator[Page[ConversationRecord]]:
        """See PullsConversations. Conversations and tickets together, in the order of their last change."""
        return walk(lambda place: self._talks(place_of(place, since)), cursor)

    def _talks(self, place: Place) -> Page[ConversationRecord]:
        found, has_more, aside = changed_after(self.http, TALKS, place)
        people: dict[str, Raw] = {}
        whole = [raw for one in found if (raw := self._whole(one.name, people)) is not None]
        records, unreadable = read_each(whole, self._talk, lambda raw: raw["name"])
        cursor = cursor_after(place, _last(found), is_last=not has_more)
        return Page(records, cursor, not has_more, (*aside, *unreadable))

    def _whole(self, name: str, people: dict[str, Raw]) -> Raw | None:
        """A conversation or ticket with its parts and its contact; None for one that is gone."""
        kind, number = _named_talk(name)
        raw = record_at(self.http, f"/{kind}/{quote(number, safe='')}") if number.isdigit() else None
        if raw is None:
            return None
        listed = raw.get("contacts")
        contacts = listed.get("contacts") if isinstance(listed, dict) else None
        first = contacts[0] if isinstance(contacts, list) and contacts else None
        who = str(first.get("id") or "") if isinstance(first, dict) else ""
        if who and who not in people:
            people[who] = record_at(self.http, f"/contacts/{quote(who, safe='')}") or {"id": who}
        return {"name": name, "kind": kind, "raw": raw, "person": people.get(who, {})}

    def _talk(self, told: Raw) -> ConversationRecord:
        read = words.ticket_record if told["kind"] == "tickets" else words.conversation_record
        return read(told["raw"], told["person"], self.setting("order_attribute"))

    def pull_conversation(self, external_id: str) -> ConversationRecord | None:
        """See PullsConversations."""
        told = self._whole(external_id, {})
        return None if told is None else read_one(told, self._talk)

    def pull_customers(self, cursor: str, since: datetime | None) -> Iterator[Page[CustomerRecord]]:
        """See PullsCustomers. Who was merged or deleted is found no more: webhooks tell of those."""
        return walk(lambda place: self._customers(place_of(place, since)), cursor)

    def _customers(self, place: Place) -> Page[CustomerRecord]:
        found, has_more, aside = changed_after(self.http, CONTACTS, place)
        records, unreadable = read_each([one.raw for one in found], words.customer_record, lambda raw: raw["id"])
        cursor = cursor_after(place, _last(found), is_last=not has_more, late=LATE)
        return Page(records, cursor, not has_more, (*aside, *unreadable))

    def pull_customer(self, external_id: str) -> CustomerRecord | None:
        """See PullsCustomers."""
        raw = record_at(self.http, f"/contacts/{quote(external_id, safe='')}")
        return None if raw is None else read_one(raw, words.customer_record)

    # What goes out.

    @cached_property
    def _contacts(self) -> Contacts:
        return Contacts(self.http)

    def push_customer(self, content: CustomerContent) -> str:
        """See PushesCustomers. A contact is known by its e-mail address; one without it by our key."""
        with refused_as(content.key):
            return self._contacts.tell(content)

    def erase_customer(self, external_id: str) -> None:
        """See ErasesCustomers: for good, unlike archiving. What was said stays, without who said it."""
        path = f"/contacts/{quote(external_id, safe='')}"
        if_there(lambda: self.http.call("DELETE", path, repeatable=True))

    @cached_property
    def _ticket_type(self) -> tuple[str, dict[str, str]]:
        """The type of our tickets, and the ids of its attributes by name."""
        chosen = self.setting("ticket_type")
        types = [one for one in rows_of(self.http.call("GET", "/ticket_types").data, "data") if not one.get("archived")]
        found = next((one for one in types if chosen in ("", str(one.get("id")))), None)
        if found is None:
            raise NeedsAttention("the workspace has no such ticket type: make one, or correct it in the settings")
        listed = rows_of(found.get("ticket_type_attributes"), "ticket_type_attributes")
        there = {str(one.get("name")): str(one.get("id")) for one in listed if not one.get("archived")}
        return str(found.get("id")), there

    def _prepare_ticket_type(self) -> str:
        """Have the attributes of ours there; the name of the type."""
        name, there = self._ticket_type
        for wanted in (words.KEY, self.setting("order_attribute"), words.CONTEXT, words.PRIORITY, words.TAGS):
            if wanted not in there:
                there[wanted] = self._make_attribute(name, wanted)
        return name

    def _make_attribute(self, ticket_type: str, name: str) -> str:
        body = {
            "name": name, "description": "Filled in by The Final Market", "data_type": "string",
            "visible_to_contacts": False, "multiline": name == words.CONTEXT,
        }  # fmt: skip
        path = f"/ticket_types/{quote(ticket_type, safe='')}/attributes"
        try:
            return id_of(self.http.call("POST", path, json=body, repeatable=True), "attribute")
        except ConnectorError:
            self.__dict__.pop("_ticket_type", None)  # it may be there all the same: look anew
            raise

    def open_ticket(self, content: TicketContent) -> str:
        """See OpensTickets. Order, context and priority stand in attributes that contacts do not see."""
        with refused_as(content.key):
            kind = self._prepare_ticket_type()
            return self.find_ticket(content.key) or self._make_ticket(kind, content)

    def _make_ticket(self, kind: str, content: TicketContent) -> str:
        told = filled({"email": content.email, "name": content.name, "phone": content.phone})
        sender = content.customer_id or self._contacts.make(told, content.key)[0]
        body = {
            "ticket_type_id": kind, "contacts": [{"id": sender}],
            "ticket_attributes": words.ticket_values(content, self.setting("order_attribute")),
        }  # fmt: skip
        return words.TICKET + id_of(self.http.call("POST", "/tickets", json=body), "ticket")

    def find_ticket(self, key: str) -> str | None:
        """See OpensTickets: by the attribute that holds our key."""
        attribute = self._ticket_type[1].get(words.KEY)
        if attribute is None:  # no ticket of ours was opened yet
            return None
        query = {"field": f"ticket_attribute.{attribute}", "operator": "=", "value": key}
        body = {"query": query, "pagination": {"per_page": 5}}
        rows, _ = page_of(self.http.call("POST", "/tickets/search", json=body, repeatable=True).data, "tickets")
        for raw in rows:
            attributes = raw.get("ticket_attributes")
            if isinstance(attributes, dict) and attributes.get(words.KEY) == key:
                return f"{words.TICKET}{raw.get('id')}"
        return None

    def note_ticket(self, ticket_id: str, note: str, key: str) -> None:
        """See OpensTickets. A note that was left before is known by the mark at its end."""
        with refused_as(key):
            self._note_ticket(ticket_id, note, key)

    def _note_ticket(self, ticket_id: str, note: str, key: str) -> None:
        told = self._whole(ticket_id, {})
        if told is None:
            raise Rejected(f"Intercom has no {ticket_id}", status=404)
        if any(note_mark(key) in message.text for message in read_one(told, self._talk).messages):
            return
        kind, number = _named_talk(ticket_id)
        body = {
            "message_type": "note", "type": "admin", "admin_id": str(self._me["id"]),
            "body": words.marked_up(f"{note}\n\n{note_mark(key)}"),
        }  # fmt: skip
        id_of(self.http.call("POST", f"/{kind}/{number}/reply", json=body), "note")

    def answer_conversation(self, conversation_id: str, text: str, *, after: str, is_note: bool) -> None:
        """See AnswersConversations. What was said before is known by its words."""
        told = self._whole(conversation_id, {})
        if told is None:
            raise Rejected(f"Intercom has no {conversation_id}", status=404)
        if was_said(read_one(told, self._talk), text, after):
            return
        kind, number = _named_talk(conversation_id)
        body = {
            "message_type": "note" if is_note else "comment", "type": "admin", "admin_id": str(self._me["id"]),
            "body": words.marked_up(text),
        }  # fmt: skip
        id_of(self.http.call("POST", f"/{kind}/{number}/reply", json=body), "answer")

    # Webhooks.

    def subscribe(self, url: str) -> Mapping[str, str]:
        """See ReceivesWebhooks. Address and topics belong to the app, and there is no call for them."""
        raise NotSupported("enter this address and choose the topics in Intercom's Developer Hub, under Webhooks")

    def verify_webhook(self, delivery: Delivery) -> None:
        """See ReceivesWebhooks. `sha1=` and the HMAC-SHA1 of the body in hexadecimal digits, keyed with the secret of
        the app (https://developers.intercom.com/docs/references/webhooks/webhook-models). No time is signed."""
        given = delivery.header("X-Hub-Signature")
        require_signature([given], self.webhook_secret(), delivery.body, _signed)

    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        """See ReceivesWebhooks."""
        return [read_delivery(delivery, words.event_of)]

    # What its errors mean (https://developers.intercom.com/docs/references/rest-api/errors/error-codes).

    consequences: ClassVar[Mapping[str, type[ConnectorError]]] = {
        "rate_limit_exceeded": RetryLater, "unauthorized": NeedsAttention, "token_not_found": NeedsAttention,
        "token_revoked": NeedsAttention, "api_plan_restricted": NeedsAttention,
    }  # fmt: skip

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """See Connector: the first error of the list."""
        if answer.is_success or not isinstance(answer.data, dict):
            return "", ""
        errors = answer.data.get("errors")
        first = errors[0] if isinstance(errors, list) and errors else None
        if not isinstance(first, dict):
            return "", ""
        code = first.get("code")
        return code if isinstance(code, str) else "", str(first.get("message") or "")


def _signed(secret: bytes, message: bytes) -> bytes:
    return b"sha1=" + hmac_hex(secret, message, algorithm="sha1")


def _named_talk(name: str) -> tuple[str, str]:
    """What kind of talk it is, as addresses name it, and Intercom's number of it."""
    is_ticket = name.startswith(words.TICKET)
    return ("tickets", name.removeprefix(words.TICKET)) if is_ticket else ("conversations", name)


def _last(found: Sequence[Found]) -> Place | None:
    return found[-1].place if found else None
