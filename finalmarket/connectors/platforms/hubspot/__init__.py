"""HubSpot: contacts come in and go out with consent, segment and spending; orders go out as orders or deals; tickets
are opened; webhooks tell of contacts that changed, were merged, deleted or have to be forgotten.

The sections that are not the class lie beside it: objects (how records of all kinds are read and written), custom (the
properties of our own), orders, words (from its words to ours).
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

import httpx2

from finalmarket.connectors.answers import fields_in, if_there, rows_in
from finalmarket.connectors.auth import TokenAuth, TokenRequest, bearer
from finalmarket.connectors.books import OrderContent, OrderNames, PushesOrders
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
    NotSupported,
    Rejected,
    RetryLater,
    Unintelligible,
)
from finalmarket.connectors.http import Answer, retry_after
from finalmarket.connectors.keyset import Place, cursor_after, place_of
from finalmarket.connectors.moments import to_millisecond, zoned
from finalmarket.connectors.own_keys import note_mark
from finalmarket.connectors.paging import read_each, read_one, walk
from finalmarket.connectors.platforms.hubspot import orders, words
from finalmarket.connectors.platforms.hubspot.custom import KEY, NUMBER, make_properties, missing_properties
from finalmarket.connectors.platforms.hubspot.objects import Objects, next_of
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import CustomerContent, CustomerRecord, Delivery, Event, Page, Raw
from finalmarket.connectors.refusals import refused_as
from finalmarket.connectors.signing import require_sent_recently, require_signature
from finalmarket.connectors.talk import OpensTickets, TicketContent
from finalmarket.kernel import clock

__all__ = ["HubSpot"]

PAGE = 100
TICK = timedelta(milliseconds=1)  # the finest that HubSpot tells moments by
CONSENT = "https://app.hubspot.com/oauth/authorize"
TOKEN = "/oauth/v1/token"  # noqa: S105  an address
# What is decoded in an address before it is signed, and nothing else (validating requests, version 3).
DECODED = {f"%{ord(letter):02X}": letter for letter in ":/?@!$'()*,;"}
WAITS = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0, "DAILY": 3600.0}  # the limits by name, and a while to wait
BY_STATUS = {423: "LOCKED", 477: "MIGRATION_IN_PROGRESS"}


class HubSpot(
    Connector, PullsCustomers, PushesCustomers, ErasesCustomers, PushesOrders, OpensTickets, ReceivesWebhooks,
    Authorizes,
):  # fmt: skip
    """One HubSpot account."""

    # Who we are.

    slug = "hubspot"
    name = "HubSpot"
    kind = "crm"
    docs = "https://developers.hubspot.com/docs/api/overview"
    api_version = "v3 (associations v4)"
    base_url = "https://api.hubapi.com"
    rate = Rate(calls=100, per_seconds=10)  # of the smallest plan; answers tell of a higher one
    rates: ClassVar[Mapping[str, Rate]] = {"search": Rate(calls=4)}
    secrets = ("access_token",)
    optional_secrets = ("refresh_token", "access_token_ends_at", "client_secret", "developer_api_key")
    settings = (
        Setting("record", "Orders become", default="orders", choices=(("orders", "Orders"), ("deals", "Deals"))),
        Setting("pipeline", "Pipeline of orders", "Its id; empty: the one that is there from the start", False),
        Setting("stage_open", "Stage of open orders", "Its id, in that pipeline", False),
        Setting("stage_fulfilled", "Stage of fulfilled orders", "Its id, in that pipeline", False),
        Setting("stage_cancelled", "Stage of cancelled orders", "Its id, in that pipeline", False),
        Setting("subscription", "Type of e-mail", "Id of the subscription type that consent to e-mail is for", False),
        Setting("ticket_pipeline", "Pipeline of tickets", "Its id", False, "0"),
        Setting("ticket_stage", "Stage of new tickets", "Its id, in that pipeline", False, "1"),
        Setting("client_id", "Client ID", "Of your app; for connecting in the browser", False),
        Setting("app_id", "App ID", "Of your app; for webhooks", False),
    )  # fmt: skip
    described_in = ("hubspot",)
    checked_against = Checked("vendor's client library", on="2026-11-25")
    webhook_topics = tuple(words.TOPICS)
    webhook_secrets = ("client_secret",)

    # How we are let in.

    def auth(self) -> httpx2.Auth:
        """The token of a private app, which does not end, or one of OAuth, renewed every half hour."""
        kept = self.account.secrets
        if not kept.get("refresh_token"):
            return bearer(kept.get("access_token", ""))
        form = {"grant_type": "refresh_token", "refresh_token": kept["refresh_token"], **self._app()}
        return TokenAuth.of(TokenRequest(self.address(self.base_url + TOKEN), form), self.account)

    def _app(self) -> dict[str, str]:
        secret = self.account.secrets.get("client_secret", "")
        return {"client_id": self.needed_setting("client_id"), "client_secret": secret}

    def check(self) -> str:
        """See Connector."""
        told = fields_in(self.http.call("GET", "/account-info/v3/details"), "portalId")
        return f"HubSpot account {told['portalId']} ({told.get('accountType') or 'of unknown type'})"

    def authorization_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """See Authorizes."""
        query = {
            "client_id": self._app()["client_id"], "redirect_uri": redirect_uri, "state": state,
            "scope": " ".join(scopes(self.setting("record"))), "optional_scope": OPTIONAL_SCOPE,
        }  # fmt: skip
        return f"{self.address(CONSENT)}?{urlencode(query, quote_via=quote)}"

    def exchange(self, query: Mapping[str, str], redirect_uri: str, verifier: str) -> Mapping[str, str]:
        """See Authorizes."""
        form = {"grant_type": "authorization_code", "redirect_uri": redirect_uri, **self._app()}
        return kept_of(fields_in(tokens_for_code(self.http, query, TOKEN, form), "refresh_token"))

    @cached_property
    def _objects(self) -> Objects:
        return Objects(self.http)

    def heed(self, answer: Answer, bucket: str) -> float | None:
        """See Connector: the limit of the plan, and what is left of it. Searches are limited otherwise."""
        most, every, left = (
            answer.count(f"x-hubspot-ratelimit-{part}") for part in ("max", "interval-milliseconds", "remaining")
        )
        if not bucket and most and every and left is not None:
            self._budget.learn(bucket, per_second=most * 1000 / every, capacity=most, left=left)
        asked = retry_after(answer.headers)
        if asked is None and answer.status == 429 and isinstance(answer.data, dict):
            return WAITS.get(str(answer.data.get("policyName")))
        return asked

    # What comes in.

    def pull_customers(self, cursor: str, since: datetime | None) -> Iterator[Page[CustomerRecord]]:
        """See PullsCustomers. A search shows no contact that was deleted: webhooks tell of those."""
        return walk(lambda place: self._customers(place_of(place, since)), cursor)

    def _customers(self, place: Place) -> Page[CustomerRecord]:
        """Contacts in the order of their change. A search is sorted by one property only: of a page with more behind
        it, those of the last moment are left for the next; a page of one moment only is read by id instead."""
        if place.after:
            return self._customers_of_a_moment(place)
        rows, has_more = self._search([{**_CHANGED, "operator": "GTE", "value": words.millis(place.at)}], words.CHANGED)
        moments = [read_one(row, _changed_at) for row in rows]
        if has_more and moments[0] == moments[-1]:
            return self._customers_of_a_moment(Place(moments[0], "0"))
        whole = [row for row, at in zip(rows, moments, strict=True) if not has_more or at < moments[-1]]
        records, unreadable = read_each(whole, self._customer, lambda raw: raw["id"])
        last = Place(moments[-1]) if moments else None
        return Page(records, cursor_after(place, last, is_last=not has_more), not has_more, unreadable)

    def _customers_of_a_moment(self, place: Place) -> Page[CustomerRecord]:
        at = words.millis(place.at)
        filters = [{**_CHANGED, "operator": operator, "value": at} for operator in ("GTE", "LTE")]
        by_id = {"propertyName": "hs_object_id", "operator": "GT", "value": place.after}
        rows, has_more = self._search([*filters, by_id], "hs_object_id")
        records, unreadable = read_each(rows, self._customer, lambda raw: raw["id"])
        behind = Place(place.at, str(rows[-1]["id"])) if has_more else Place(place.at + TICK)
        return Page(records, cursor_after(place, behind, is_last=False), False, unreadable)

    def _search(self, filters: Sequence[Mapping[str, str]], sort: str) -> tuple[list[Raw], bool]:
        """One page of contacts, and whether there is more."""
        body = {
            "filterGroups": [{"filters": list(filters)}], "sorts": [sort], "limit": PAGE,
            "properties": [*words.CONTACT, *filter(None, [self._optout])],
        }  # fmt: skip
        path = "/crm/v3/objects/contacts/search"
        answer = self.http.call("POST", path, json=body, bucket="search", repeatable=True)
        rows = rows_in(answer, "results")
        return rows, bool(next_of(answer)) and bool(rows)

    @property
    def _optout(self) -> str:
        chosen = self.setting("subscription")
        return f"hs_email_optout_{chosen}" if chosen else ""

    def _customer(self, raw: Raw) -> CustomerRecord:
        return words.customer_record(raw, self._optout)

    def pull_customer(self, external_id: str) -> CustomerRecord | None:
        """See PullsCustomers. One that was deleted is still known for a while; one that was merged comes under the name
        of what it was merged into."""
        properties = [*words.CONTACT, *filter(None, [self._optout])]
        for is_archived in (False, True):
            raw = self._objects.read("contacts", external_id, properties, is_archived=is_archived)
            if raw is not None:
                return read_one(raw, self._customer)
        return None

    # What goes out.

    def _prepare(self, *kinds: str) -> None:
        """Have our own properties of these kinds of records there; looked at once."""
        for kind in kinds:
            if kind not in self._prepared:
                make_properties(self.http, kind)
                self._prepared.add(kind)

    @cached_property
    def _prepared(self) -> set[str]:
        return set()

    def _ours(self, kind: str, by: str, value: str) -> Raw | None:
        """A record of ours by its unique property; None also where the account does not have that property yet."""
        if kind not in self._prepared:
            missing = [one["name"] for one in missing_properties(self.http, kind)]
            if by in missing:
                return None
            self._prepared |= set() if missing else {kind}
        return self._objects.read(kind, value, (by,), by=by)

    def push_customer(self, content: CustomerContent) -> str:
        """See PushesCustomers. A contact is known by its e-mail address; one without is known by our key."""
        with refused_as(content.key):
            return self._push_customer(content)

    def _push_customer(self, content: CustomerContent) -> str:
        self._prepare("contacts")
        values = words.contact_values(content)
        if content.external_id:
            name = self._objects.update("contacts", content.external_id, values)
        elif content.email:
            name = _only_one(self._objects.upsert("contacts", "email", {content.email: values}))
        elif content.key:
            name = _only_one(self._objects.upsert("contacts", KEY, {content.key: {**values, KEY: content.key}}))
        else:
            raise Rejected("a contact without an e-mail address needs a key to be known by")
        if content.email and content.accepts_email is not None and self.setting("subscription"):
            self._tell_consent(content.email, agrees=content.accepts_email)
        return name

    def _tell_consent(self, email: str, *, agrees: bool) -> None:
        """Subscribe to, or unsubscribe from, our type of e-mail. Who left at HubSpot has to come back by themselves:
        HubSpot takes no subscription from us then, and their own word stands."""
        chosen = self.setting("subscription")
        told = fields_in(self.http.call("GET", f"/communication-preferences/v3/status/email/{quote(email, safe='')}"))
        listed = told.get("subscriptionStatuses")
        now = [one for one in listed if str(one.get("id")) == chosen] if isinstance(listed, list) else []
        if not now:
            raise Rejected(f"HubSpot has no subscription type {chosen}: correct it in the settings")
        if (now[0].get("status") == "SUBSCRIBED") is agrees:
            return
        body = {"emailAddress": email, "subscriptionId": chosen}
        if agrees:
            body |= {"legalBasis": "CONSENT_WITH_NOTICE", "legalBasisExplanation": "Agreed in the shop"}
        path = f"/communication-preferences/v3/{'subscribe' if agrees else 'unsubscribe'}"
        with suppress(*([Rejected] if agrees else [])):
            self.http.call("POST", path, json=body, repeatable=True)

    def erase_customer(self, external_id: str) -> None:
        """See ErasesCustomers: gone for good within 30 days, by the law on data protection, and never made anew."""
        asked = {"objectId": external_id}
        path = "/crm/v3/objects/contacts/gdpr-delete"
        if_there(lambda: self.http.call("POST", path, json=asked, repeatable=True))

    def push_order(self, content: OrderContent) -> OrderNames:
        """See PushesOrders. The lines come first, and the order last with all that it is linked to: it is there whole,
        or not at all."""
        kind = self.setting("record")
        with refused_as(content.key):
            self._prepare(kind, "line_items")
            there = self._ours(kind, NUMBER, content.number)
            return orders.tell(self._objects, kind, content, there, self._stages(kind))

    def _stages(self, kind: str) -> Mapping[str, str]:
        chosen = {name: self.setting(f"stage_{name}") for name in ("open", "fulfilled", "cancelled")}
        told = {"pipeline": self.setting("pipeline"), **chosen}
        return {**words.DEFAULT_STAGES[kind], **{name: value for name, value in told.items() if value}}

    def find_order(self, number: str) -> OrderNames | None:
        """See PushesOrders."""
        kind = self.setting("record")
        there = self._ours(kind, NUMBER, number)
        return None if there is None else orders.names_of(self._objects, kind, str(there["id"]), number)

    def open_ticket(self, content: TicketContent) -> str:
        """See OpensTickets. The contact is the customer's, or the one of the address that wrote."""
        with refused_as(content.key):
            return self._open_ticket(content)

    def _open_ticket(self, content: TicketContent) -> str:
        self._prepare("tickets")
        there = self._ours("tickets", KEY, content.key)
        if there is not None:
            return str(there["id"])
        sender = content.customer_id
        if not sender and content.email:
            known = self._objects.read("contacts", content.email, by="email")
            sender = str(known["id"]) if known else ""
        values = words.ticket_values(content, self.setting("ticket_pipeline"), self.setting("ticket_stage"))
        return self._objects.create("tickets", values, [("contacts", sender)] if sender else [])

    def find_ticket(self, key: str) -> str | None:
        """See OpensTickets."""
        there = self._ours("tickets", KEY, key)
        return str(there["id"]) if there is not None else None

    def note_ticket(self, ticket_id: str, note: str, key: str) -> None:
        """See OpensTickets. A note that was left before is known by the mark at its end."""
        if self._objects.read("tickets", ticket_id) is None:
            raise Rejected(f"HubSpot has no ticket {ticket_id}", key=key, status=404)
        mark = note_mark(key)
        notes = self._objects.linked("tickets", ticket_id, "notes")
        known = self._objects.read_many("notes", notes, ["hs_note_body"])
        if any(mark in str((one.get("properties") or {}).get("hs_note_body") or "") for one in known):
            return
        text = html.escape(note).replace("\n", "<br>")
        values = {"hs_note_body": f"{text}<br><br>{mark}", "hs_timestamp": to_millisecond(clock.now())}
        self._objects.create("notes", values, [("tickets", ticket_id)], is_unique=False)

    # Webhooks.

    def subscribe(self, url: str) -> Mapping[str, str]:
        """See ReceivesWebhooks. Subscriptions belong to an app, for all accounts that it is in, and so does the one
        address; an app of one account (a private app) is set up by hand."""
        app, key = self.setting("app_id"), self.account.secrets.get("developer_api_key", "")
        if not app or not key:
            raise NotSupported(
                "enter the app ID and the developer API key; webhooks of a private app are set up in HubSpot itself"
            )
        path, params = f"/webhooks/v3/{quote(app, safe='')}", {"hapikey": key}
        self._call_app("PUT", f"{path}/settings", params, {"targetUrl": url, "throttling": THROTTLING})
        answer = self.http.call("GET", f"{path}/subscriptions", params=params, is_authorized=False)
        there = {(one.get("eventType"), one.get("propertyName") or ""): one for one in rows_in(answer, "results")}
        for topic in self.webhook_topics:
            for watched in words.WATCHED if topic.endswith("propertyChange") else ("",):
                known = there.get((topic, watched))
                if known is None:
                    told = {"eventType": topic, "active": True, **({"propertyName": watched} if watched else {})}
                    self._call_app("POST", f"{path}/subscriptions", params, told)
                elif not known.get("active"):
                    one = quote(str(known.get("id")), safe="")
                    self._call_app("PATCH", f"{path}/subscriptions/{one}", params, {"active": True})
        return {}

    def _call_app(self, method: str, path: str, params: Mapping[str, str], body: Mapping[str, Any]) -> None:
        """Change something of the app. What is made is looked for first, and never made again unasked."""
        self.http.call(method, path, params=params, json=body, repeatable=method != "POST", is_authorized=False)

    def verify_webhook(self, delivery: Delivery) -> None:
        """See ReceivesWebhooks. `X-HubSpot-Signature-v3`: base64 of HMAC-SHA256, keyed with the app's client secret,
        over method, address, body and timestamp (https://developers.hubspot.com/docs/api/webhooks/validating-requests)."""
        sent = delivery.header("X-HubSpot-Request-Timestamp")
        signed = f"POST{decoded(delivery.url)}".encode() + delivery.body + sent.encode()
        require_signature([delivery.header("X-HubSpot-Signature-v3")], self.webhook_secret(), signed)
        require_sent_recently(sent, delivery.received_at, per_second=1000)

    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        """See ReceivesWebhooks. Events are hints: the contact itself is asked for."""
        return read_delivery(
            delivery, lambda told: [words.event_of(raw) for raw in (told if isinstance(told, list) else [told])]
        )

    # What its errors mean (https://developers.hubspot.com/docs/api/error-handling).

    consequences: ClassVar[Mapping[str, type[ConnectorError]]] = {
        "LOCKED": RetryLater, "MIGRATION_IN_PROGRESS": RetryLater, "RATE_LIMITS": RetryLater,
        "INVALID_AUTHENTICATION": NeedsAttention, "EXPIRED_AUTHENTICATION": NeedsAttention,
        "MISSING_SCOPES": NeedsAttention,
    }  # fmt: skip

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """See Connector: the error's category, and its words."""
        if answer.is_success:
            return "", ""
        by_status = BY_STATUS.get(answer.status, "")
        if not isinstance(answer.data, dict):
            return by_status, ""
        told = answer.data.get("category")
        code = told if isinstance(told, str) and told.isupper() else by_status
        return code, str(answer.data.get("message") or "")


OPTIONAL_SCOPE = "communication_preferences.read_write"
THROTTLING = {"maxConcurrentRequests": 5}
_CHANGED = {"propertyName": words.CHANGED}


def scopes(record: str) -> list[str]:
    """What the account's owner is asked to allow, where orders become records of that kind."""
    kinds = ("contacts", record, "line_items")
    found = [
        f"crm.{what}.{kind}.{how}" for kind in kinds for what in ("objects", "schemas") for how in ("read", "write")
    ]
    return ["oauth", *found, "tickets"]


def decoded(address: str) -> str:
    """An address as it is signed: some signs are decoded."""
    for code, letter in DECODED.items():
        address = address.replace(code, letter).replace(code.lower(), letter)
    return address


def _changed_at(raw: Raw) -> datetime:
    return zoned(raw["properties"][words.CHANGED])


def _only_one(raws: Sequence[Raw]) -> str:
    if len(raws) != 1 or not raws[0].get("id"):
        raise Unintelligible("HubSpot does not say what it calls the contact")
    return str(raws[0]["id"])
