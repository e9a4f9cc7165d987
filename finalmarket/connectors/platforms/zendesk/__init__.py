"""Zendesk Support: tickets with all that is said in them come in; tickets are opened from orders, and agents see what
they are about; end users come in and go out with what they ordered; webhooks, signed; an API token or OAuth."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

import httpx2

from finalmarket.connectors.answers import fields_in, if_there, part_in, rows_in
from finalmarket.connectors.auth import HeaderAuth, TokenAuth, TokenRequest, basic_header, bearer
from finalmarket.connectors.code_exchange import kept_of, tokens_for_code
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
    Rejected,
    RetryLater,
    Unintelligible,
    WebhookRefused,
)
from finalmarket.connectors.http import Answer, retry_after
from finalmarket.connectors.moments import zoned
from finalmarket.connectors.own_keys import note_mark
from finalmarket.connectors.paging import all_rows, in_parts, read_cursor, read_each, read_one, walk, write_cursor
from finalmarket.connectors.platforms.zendesk import words
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import CustomerContent, CustomerRecord, Delivery, Event, Page, Raw
from finalmarket.connectors.refusals import refused_as
from finalmarket.connectors.signing import require_recent, require_signature
from finalmarket.connectors.talk import (
    AnswersConversations,
    ConversationRecord,
    OpensTickets,
    PullsConversations,
    TicketContent,
    was_said,
)
from finalmarket.connectors.vocabulary import filled
from finalmarket.kernel import clock

__all__ = ["Zendesk"]

HOST = "https://subdomain.zendesk.com"
SUBDOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*")
TOKEN = "/oauth/tokens"  # noqa: S105  an address
SCOPE = "read write"
# What is said in a ticket is asked for ticket by ticket: more than these would wait for the smallest plan's 200 calls a
# minute, while the export may be asked for ten pages in that time.
TICKETS_PAGE = 20
PAGE = 100
EXPORT_AGE = timedelta(seconds=61)  # an export begins a minute ago at the latest
HOOK = "The Final Market"


class Zendesk(
    Connector, PullsConversations, PullsCustomers, PushesCustomers, ErasesCustomers, OpensTickets,
    AnswersConversations, ReceivesWebhooks, Authorizes,
):  # fmt: skip
    """One Zendesk Support account."""

    # Who we are.

    slug = "zendesk"
    name = "Zendesk"
    kind = "chat"
    docs = "https://developer.zendesk.com/api-reference/"
    api_version = "v2"
    base_url = HOST
    rate = Rate(calls=200, per_seconds=60)  # of the smallest plan; answers tell of a higher one
    rates: ClassVar[Mapping[str, Rate]] = {"export": Rate(calls=10, per_seconds=60)}
    secrets = ()
    optional_secrets = (
        "api_token", "access_token", "refresh_token", "access_token_ends_at", "client_secret", "webhook_secret",
    )  # fmt: skip
    settings = (
        Setting("subdomain", "Subdomain", "The part of your Zendesk address before .zendesk.com."),
        Setting("email", "E-mail", "The admin whom the API token acts for; with an API token only.", False),
        Setting("client_id", "Client ID", "Unique identifier of your OAuth client; for OAuth only.", False),
        Setting("order_field", "Field of order numbers", "Id of a text field of tickets; empty: notes only.", False),
    )
    described_in = ("zendesk",)
    checked_against = Checked("published description", on="2026-11-25")
    webhook_topics = tuple(words.KINDS)
    webhook_secrets = ("webhook_secret",)

    # How we are let in.

    def address(self, url: str) -> str:
        """See Connector: every account has a host of its own."""
        if not self.account.base_url and url.startswith(HOST):
            name = self.setting("subdomain").lower().removesuffix(".zendesk.com")
            if not SUBDOMAIN.fullmatch(name):
                raise NeedsAttention("the subdomain is missing, or is none: correct it in the settings")
            return f"https://{name}.zendesk.com{url.removeprefix(HOST)}"
        return super().address(url)

    def auth(self) -> httpx2.Auth:
        """A token of OAuth (renewed where it ends), else an API token with the admin's address."""
        kept = self.account.secrets
        if kept.get("refresh_token"):
            fields = {"grant_type": "refresh_token", "refresh_token": kept["refresh_token"], **self._client()}
            request = TokenRequest(self.address(HOST + TOKEN), fields, as_json=True)
            return TokenAuth.of(request, self.account)
        if kept.get("access_token"):
            return bearer(kept["access_token"])
        user = f"{self.setting('email')}/token"
        return HeaderAuth("Authorization", basic_header(user, kept.get("api_token", "")))

    def _client(self) -> dict[str, str]:
        secret = self.account.secrets.get("client_secret", "")
        return {"client_id": self.needed_setting("client_id"), "client_secret": secret}

    def check(self) -> str:
        """See Connector. Whoever is not let in is told to be a user without a name or address."""
        user = part_in(self.http.call("GET", "/api/v2/users/me"), "user")
        if not user.get("id") or not user.get("email"):
            raise NeedsAttention("Zendesk knows nobody of that e-mail and token: correct them")
        return f"{self.setting('subdomain') or 'Zendesk'}, as {user.get('name')} ({user.get('role')})"

    def authorization_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """See Authorizes."""
        query = {
            "response_type": "code", "client_id": self._client()["client_id"], "redirect_uri": redirect_uri,
            "scope": SCOPE, "state": state,
        }  # fmt: skip
        return f"{self.address(HOST + '/oauth/authorizations/new')}?{urlencode(query, quote_via=quote)}"

    def exchange(self, query: Mapping[str, str], redirect_uri: str, verifier: str) -> Mapping[str, str]:
        """See Authorizes."""
        fields = {
            "grant_type": "authorization_code", "redirect_uri": redirect_uri, "scope": SCOPE, **self._client(),
        }  # fmt: skip
        return kept_of(tokens_for_code(self.http, query, TOKEN, fields, as_json=True))

    def heed(self, answer: Answer, bucket: str) -> float | None:
        """See Connector: the plan's calls a minute, and what is left of them."""
        most, left = answer.count("x-rate-limit"), answer.count("x-rate-limit-remaining")
        if not bucket and most and left is not None:
            self._budget.learn(bucket, per_second=most / 60, capacity=most, left=left)
        return retry_after(answer.headers)

    # What comes in.

    def pull_conversations(self, cursor: str, since: datetime | None) -> Iterator[Page[ConversationRecord]]:
        """See PullsConversations. Zendesk tells of nothing that is younger than a minute."""
        return walk(lambda place: self._conversations(place, since), cursor)

    def _conversations(self, cursor: str, since: datetime | None) -> Page[ConversationRecord]:
        rows, following, is_last = self._export("tickets", cursor, since, TICKETS_PAGE)
        said = {raw["id"]: self._comments(raw) for raw in rows if isinstance(raw.get("id"), int)}
        people = self._people(rows, said.values())
        records, unreadable = read_each(
            rows, lambda raw: words.conversation_record(raw, said[raw["id"]], people, self.setting("order_field")),
            lambda raw: raw["id"],
        )  # fmt: skip
        return Page(records, following, is_last, unreadable)

    def _export(self, what: str, cursor: str, since: datetime | None, size: int) -> tuple[list[Raw], str, bool]:
        """One page of an incremental export, the cursor behind it, and whether it is the last one for now."""
        parts = read_cursor(cursor)
        start = min(since, clock.now() - EXPORT_AGE) if since else None
        begun = parts.get("start", int(start.timestamp()) if start else 0)
        place = {"cursor": str(parts["after"])} if parts.get("after") else {"start_time": str(begun)}
        path = f"/api/v2/incremental/{what}/cursor"
        answer = self.http.call("GET", path, params={**place, "per_page": str(size)}, bucket="export")
        told = fields_in(answer, what, "end_of_stream")
        rows = rows_in(answer, what)
        after = told.get("after_cursor")
        following = write_cursor(after=str(after)) if after else write_cursor(**parts) if parts.get("after") else ""
        return rows, following or write_cursor(start=begun), told["end_of_stream"] is True or not after

    def _comments(self, ticket: Raw) -> list[Raw]:
        """All that was said in a ticket, the oldest first; nothing for one that was deleted meanwhile."""
        if ticket.get("status") == "deleted":
            return []
        return if_there(lambda: self._all(f"/api/v2/tickets/{ticket['id']}/comments", "comments")) or []

    def _all(self, path: str, name: str) -> list[Raw]:
        """All of a list that is read page by page."""

        def fetch(after: str) -> tuple[list[Raw], str]:
            params = {"page[size]": str(PAGE), **({"page[after]": after} if after else {})}
            answer = self.http.call("GET", path, params=params)
            told = fields_in(answer).get("meta")
            meta = told if isinstance(told, dict) else {}
            following = str(meta.get("after_cursor") or "") if meta.get("has_more") is True else ""
            return rows_in(answer, name), following

        return list(all_rows(fetch))

    def _people(self, tickets: Sequence[Raw], said: Any) -> dict[int, Raw]:
        """The users whom tickets and comments name, by id."""
        named = {ticket.get("requester_id") for ticket in tickets if isinstance(ticket.get("requester_id"), int)}
        named |= {one["author_id"] for comments in said for one in comments if isinstance(one.get("author_id"), int)}
        ids = sorted(number for number in named if isinstance(number, int) and number > 0)
        people: dict[int, Raw] = {}
        for some in in_parts(ids, PAGE):
            asked = ",".join(map(str, some))
            answer = self.http.call("GET", "/api/v2/users/show_many", params={"ids": asked})
            people |= {user["id"]: user for user in rows_in(answer, "users") if isinstance(user.get("id"), int)}
        return people

    def pull_conversation(self, external_id: str) -> ConversationRecord | None:
        """See PullsConversations."""
        raw = self._one("tickets", external_id, "ticket")
        if raw is None:
            return None
        said = self._comments(raw)
        people = self._people([raw], [said])
        order_field = self.setting("order_field")
        return read_one(raw, lambda raw: words.conversation_record(raw, said, people, order_field))

    def _one(self, stream: str, name: str, field: str) -> Raw | None:
        if not name.isdigit():
            return None
        return if_there(lambda: part_in(self.http.call("GET", f"/api/v2/{stream}/{name}"), field))

    def pull_customers(self, cursor: str, since: datetime | None) -> Iterator[Page[CustomerRecord]]:
        """See PullsCustomers. Agents are no customers, and left out."""
        return walk(lambda place: self._customers(place, since), cursor)

    def _customers(self, cursor: str, since: datetime | None) -> Page[CustomerRecord]:
        rows, following, is_last = self._export("users", cursor, since, PAGE)
        wanted = [raw for raw in rows if words.is_customer(raw)]
        records, unreadable = read_each(wanted, words.customer_record, lambda raw: raw["id"])
        return Page(records, following, is_last, unreadable)

    def pull_customer(self, external_id: str) -> CustomerRecord | None:
        """See PullsCustomers. A deleted user is still shown, as no longer active."""
        raw = self._one("users", external_id, "user")
        return None if raw is None or not words.is_customer(raw) else read_one(raw, words.customer_record)

    # What goes out.

    def push_customer(self, content: CustomerContent) -> str:
        """See PushesCustomers. A user is known by their e-mail address; one without it by our key."""
        with refused_as(content.key):
            values = words.user_values(content, self._fields)
            if content.external_id:
                path = f"/api/v2/users/{quote(content.external_id, safe='')}"
                return _id_of(self.http.call("PUT", path, json={"user": values}, repeatable=True), "user")
            own = {} if content.email else {"external_id": words.OURS + content.key}
            return self._make_user({**values, **own}, stranger=content.email or content.key)

    def erase_customer(self, external_id: str) -> None:
        """See ErasesCustomers: deleted, and then for good. Whoever has a ticket that is not closed Zendesk keeps."""
        name, there = quote(external_id, safe=""), self._one("users", external_id, "user")
        if there is not None and there.get("active") is not False:
            if_there(lambda: self.http.call("DELETE", f"/api/v2/users/{name}", repeatable=True))
        if_there(lambda: self.http.call("DELETE", f"/api/v2/deleted_users/{name}", repeatable=True))

    def _make_user(self, values: Mapping[str, Any], stranger: str) -> str:
        """Make or change a user by e-mail address or external id; nobody is sent a mail for it. Where we know no name,
        whoever is there keeps theirs; whoever is not, and so is refused for having none, is named as a `stranger`."""
        body = {"user": {**values, "skip_verify_email": True}}
        try:
            answer = self.http.call("POST", "/api/v2/users/create_or_update", json=body, repeatable=True)
        except Rejected as error:
            if values.get("name") or error.status != 422 or '"name"' not in error.reason:
                raise
            return self._make_user({**values, "name": stranger}, stranger)
        return _id_of(answer, "user")

    @cached_property
    def _fields(self) -> frozenset[str]:
        """The fields of users that our figures stand in: looked at once, and made where they are missing."""
        there = {raw.get("key") for raw in rows_in(self.http.call("GET", "/api/v2/user_fields"), "user_fields")}
        for key, (kind, title) in words.FIELDS.items():
            if key not in there:
                body = {"user_field": {"key": key, "type": kind, "title": title}}
                self.http.call("POST", "/api/v2/user_fields", json=body, repeatable=True)  # a key is taken once
        return frozenset(words.FIELDS)

    def open_ticket(self, content: TicketContent) -> str:
        """See OpensTickets. It bears a tag until its note is there too: then it is found, and not before."""
        with refused_as(content.key):
            return self._open_ticket(content)

    def _open_ticket(self, content: TicketContent) -> str:
        ticket = self._ticket_of(content.key) or self._create_ticket(content)
        number = read_one(ticket, lambda raw: str(int(raw["id"])))
        tags = _tags(ticket)
        if words.OPENING in tags:
            told = {
                "comment": {"body": words.note_of(content), "public": False},
                "tags": [tag for tag in tags if tag != words.OPENING],
                "updated_stamp": str(ticket.get("updated_at") or ""), "safe_update": True,
            }  # fmt: skip
            # Each try looks first whether the tag is there: nobody reads the note twice.
            try:
                answer = self.http.call("PUT", f"/api/v2/tickets/{number}", json={"ticket": told}, repeatable=True)
            except Rejected as error:
                if error.status == 404:
                    raise Unintelligible(f"ticket {number} was taken, and is not there", status=404) from None
                raise
            return _id_of(answer, "ticket")
        return number

    def _create_ticket(self, content: TicketContent) -> Raw:
        """Under an idempotency key, which Zendesk keeps for two hours; later the external id is found."""
        values = words.ticket_values(content, self._requester(content), self.setting("order_field"))
        headers = {"Idempotency-Key": words.OURS + content.key}
        answer = self.http.call("POST", "/api/v2/tickets", json={"ticket": values}, headers=headers, repeatable=True)
        _id_of(answer, "ticket")
        return part_in(answer, "ticket")

    def _requester(self, content: TicketContent) -> int | None:
        if content.customer_id.isdigit():
            return int(content.customer_id)
        if not content.email:
            return None
        return int(self._make_user(filled({"email": content.email, "name": content.name}), stranger=content.email))

    def _ticket_of(self, key: str) -> Raw | None:
        answer = self.http.call("GET", "/api/v2/tickets", params={"external_id": words.OURS + key})
        return next((raw for raw in rows_in(answer, "tickets") if raw.get("external_id") == words.OURS + key), None)

    def find_ticket(self, key: str) -> str | None:
        """See OpensTickets."""
        ticket = self._ticket_of(key)
        return None if ticket is None or words.OPENING in _tags(ticket) else str(ticket.get("id"))

    def note_ticket(self, ticket_id: str, note: str, key: str) -> None:
        """See OpensTickets. A note that was left before is known by the mark at its end."""
        path = f"/api/v2/tickets/{quote(ticket_id, safe='')}"
        with refused_as(key):
            if any(note_mark(key) in str(one.get("body")) for one in self._all(f"{path}/comments", "comments")):
                return
            comment = {"body": f"{note}\n\n{note_mark(key)}", "public": False}
            _id_of(self.http.call("PUT", path, json={"ticket": {"comment": comment}}, repeatable=True), "ticket")

    def answer_conversation(self, conversation_id: str, text: str, *, after: str, is_note: bool) -> None:
        """See AnswersConversations. What was said before is known by its words."""
        there = self.pull_conversation(conversation_id)
        if there is None:
            raise Rejected(f"Zendesk has no ticket {conversation_id}", status=404)
        if was_said(there, text, after):
            return
        path = f"/api/v2/tickets/{quote(conversation_id, safe='')}"
        comment = {"body": text, "public": not is_note}
        _id_of(self.http.call("PUT", path, json={"ticket": {"comment": comment}}, repeatable=False), "ticket")

    # Webhooks.

    def subscribe(self, url: str) -> Mapping[str, str]:
        """See ReceivesWebhooks. One webhook for our address; Zendesk makes its secret, and tells it whenever asked."""
        known = next((raw for raw in self._all("/api/v2/webhooks", "webhooks") if raw.get("endpoint") == url), None)
        wanted = {"status": "active", "subscriptions": list(self.webhook_topics)}
        if known is None:
            made = {"name": HOOK, "endpoint": url, "http_method": "POST", "request_format": "json", **wanted}
            known = part_in(self.http.call("POST", "/api/v2/webhooks", json={"webhook": made}), "webhook")
        path = f"/api/v2/webhooks/{quote(str(known.get('id') or ''), safe='')}"
        if known.get("status") != "active" or set(self.webhook_topics) - set(known.get("subscriptions") or ()):
            self.http.call("PATCH", path, json={"webhook": wanted}, repeatable=True)
        secret = part_in(self.http.call("GET", f"{path}/signing_secret"), "signing_secret").get("secret")
        if not isinstance(secret, str) or not secret:
            raise Unintelligible("Zendesk does not tell the webhook's secret")
        self._scrub.learn([secret])
        return {"webhook_secret": secret}

    def verify_webhook(self, delivery: Delivery) -> None:
        """See ReceivesWebhooks. Base64 of HMAC-SHA256 over timestamp and body
        (https://developer.zendesk.com/documentation/webhooks/verifying/)."""
        sent = delivery.header("X-Zendesk-Webhook-Signature-Timestamp")
        given = delivery.header("X-Zendesk-Webhook-Signature")
        require_signature([given], self.webhook_secret(), sent.encode() + delivery.body)
        try:
            sent_at = zoned(sent)
        except ValueError:
            raise WebhookRefused("the delivery does not say when it was signed") from None
        require_recent(sent_at, delivery.received_at)

    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        """See ReceivesWebhooks. Events are hints: ticket or user are asked for."""
        return [read_delivery(delivery, words.event_of)]

    # What its errors mean (https://developer.zendesk.com/api-reference/introduction/requests/).

    consequences: ClassVar[Mapping[str, type[ConnectorError]]] = {
        "DatabaseConflict": RetryLater, "UpdateConflict": RetryLater, "invalid_token": NeedsAttention,
    }  # fmt: skip

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """See Connector: the three shapes of errors, of Support, of its gate, and of webhooks."""
        told = answer.data
        if answer.is_success or not isinstance(told, dict):
            return "", ""
        errors = told.get("errors")
        first = errors[0] if isinstance(errors, list) and errors else told.get("error")
        if isinstance(first, dict):
            return str(first.get("code") or first.get("title") or ""), str(first.get("message") or first.get("detail"))
        details = told.get("details")
        said = [told.get("description") or told.get("error_description"), json.dumps(details) if details else ""]
        return first if isinstance(first, str) else "", "; ".join(str(part) for part in said if part)


def _id_of(answer: Answer, name: str) -> str:
    found = part_in(answer, name).get("id")
    if isinstance(found, bool) or not isinstance(found, int):
        raise Unintelligible(f"Zendesk does not say what it calls the {name}", status=answer.status)
    return str(found)


def _tags(ticket: Raw) -> list[str]:
    told = ticket.get("tags")
    return [str(tag) for tag in told] if isinstance(told, list) else []
