"""A Stripe account: shoppers pay, the merchant captures, refunds and lets go, banks dispute; events tell of all of it.

State, not scripts: intents, charges, refunds, disputes, customers, events and webhook endpoints, each as Stripe shows
them. Forms with unknown fields are refused, idempotency keys are heeded for a day, lists are newest first. Its floors:
account.py below, till.py above it, outside.py on top of that, and here the calls (https://docs.stripe.com/api).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from finalmarket.sandbox.platforms.stripe.account import PREVIEWS, told
from finalmarket.sandbox.platforms.stripe.forms import (
    Object,
    expansions,
    fields_of,
    metadata_of,
    missing,
    query_of,
    refusal,
    whole,
)
from finalmarket.sandbox.platforms.stripe.objects import new_endpoint
from finalmarket.sandbox.platforms.stripe.outside import Outside
from finalmarket.sandbox.stand_in import Reply, Request, route

__all__ = ["Stripe"]

MOST_ENDPOINTS = 16
INTENT_EXPANDS = ("latest_charge", "latest_charge.refunds")
CUSTOMER_TEXTS = {"name": 256, "email": 512, "phone": 20, "description": 5000}
ADDRESS_FIELDS = ("city", "country", "line1", "line2", "postal_code", "state")
INTENT_FIELDS = (
    "amount",
    "currency",
    "capture_method",
    "payment_method_types",
    "customer",
    "receipt_email",
    "metadata",
    "payment_method",
    "confirm",
    "expand",
)
TOKEN_FIELD = "payment_method_data"  # noqa: S105  the name of a field  # fmt: skip
CAPTURE_METHODS = ("automatic", "automatic_async", "manual")
TEST_CARD = "pm_card_visa"  # https://docs.stripe.com/testing: a card whose bank always agrees
REFUND_FIELDS = ("charge", "payment_intent", "amount", "reason", "metadata", "expand")
REFUND_REASONS = ("duplicate", "fraudulent", "requested_by_customer")
CANCEL_REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")
SEARCH = re.compile(r"(?:metadata\['(?P<field>[^']+)'\]|(?P<text>email|name|phone)):'(?P<value>[^']*)'")


class Stripe(Outside):
    """One account in test mode."""

    slug = "stripe"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {
        "": (25.0, 25.0), "payment": (25.0, 25.0), "search": (20.0, 20.0),
    }  # fmt: skip

    @route("GET", "/v1/balance")
    def read_balance(self, request: Request) -> Reply:
        query_of(request, ("expand",))
        held: Counter[str] = Counter()
        for charge in self.state["charges"].values():
            held[charge["currency"]] += charge["amount_captured"] - charge["amount_refunded"]
        for dispute in self.state["disputes"].values():
            is_withdrawn = dispute["status"] in ("needs_response", "under_review", "lost")
            held[dispute["currency"]] -= dispute["amount"] if is_withdrawn else 0
        amounts = [
            {"amount": amount, "currency": currency} for currency, amount in sorted((held or {"eur": 0}).items())
        ]
        pending = [{**part, "amount": 0} for part in amounts]
        return told({"object": "balance", "available": amounts, "livemode": self.is_live, "pending": pending})

    # Payments.

    @route("GET", "/v1/payment_intents")
    def list_intents(self, request: Request) -> Reply:
        return self.listed(
            request, "payment_intents", known=("customer",), expands=INTENT_EXPANDS, show=self.show_intent,
            keep=lambda intent, query: query.get("customer") in (None, intent["customer"]),
        )  # fmt: skip

    @route("POST", "/v1/payment_intents")
    def post_intent(self, request: Request) -> Reply:
        """What a shop's own server does: begin a payment, and confirm it at once with the test card."""
        is_preview = request.headers.get("stripe-version", "") in PREVIEWS
        known = (*INTENT_FIELDS, TOKEN_FIELD) if is_preview else INTENT_FIELDS
        fields = fields_of(request, known, ("amount", "currency"))
        method, card = fields.get("capture_method", "automatic_async"), fields.get("payment_method")
        token = (fields.get(TOKEN_FIELD) or {}).get("shared_payment_granted_token")
        if method not in CAPTURE_METHODS:
            raise refusal(400, f"Invalid capture_method: {method}", param="capture_method")
        if card not in (None, TEST_CARD):
            raise missing("PaymentMethod", str(card), "payment_method", 400)
        if (fields.get("confirm") == "true") is not ((card or token) is not None):
            words = "In this sandbox a card, or a token, is given with confirm=true, and only then."
            raise refusal(400, words, param="confirm")
        if fields.get("customer"):
            self.one("customers", fields["customer"], "customer", 400)
        expand, amount = expansions(fields, INTENT_EXPANDS), whole(fields, "amount") or 0
        return self.once(request, lambda: self.show_intent(self._begun(fields, amount, token), expand))

    def _begun(self, fields: Mapping[str, Any], amount: int, token: str | None) -> Object:
        if token is not None:
            self.use_token(token, amount, fields["currency"])
        name = self.begin(
            amount, fields["currency"], capture=fields.get("capture_method") != "manual",
            customer=fields.get("customer", ""), email=fields.get("receipt_email", ""),
            metadata=metadata_of({}, fields.get("metadata")),
        )  # fmt: skip
        if fields.get("confirm") == "true":
            self.confirm(name)
        return self.one("payment_intents", name)

    @route("GET", "/v1/payment_intents/{name}", bucket="payment")
    def read_intent(self, request: Request, name: str) -> Reply:
        expand = expansions(query_of(request, ("expand", "client_secret")), INTENT_EXPANDS)
        return told(self.show_intent(self.one("payment_intents", name, "intent"), expand))

    @route("POST", "/v1/payment_intents/{name}/capture")
    def post_capture(self, request: Request, name: str) -> Reply:
        fields = fields_of(request, ("amount_to_capture", "final_capture", "metadata", "expand"))
        amount, expand = whole(fields, "amount_to_capture"), expansions(fields, INTENT_EXPANDS)
        return self.once(request, lambda: self.show_intent(self.capture(name, amount), expand))

    @route("POST", "/v1/payment_intents/{name}/cancel")
    def post_cancel(self, request: Request, name: str) -> Reply:
        fields = fields_of(request, ("cancellation_reason", "expand"))
        reason, expand = fields.get("cancellation_reason"), expansions(fields, INTENT_EXPANDS)
        if reason is not None and reason not in CANCEL_REASONS:
            raise refusal(400, f"Invalid cancellation_reason: {reason}", param="cancellation_reason")
        return self.once(request, lambda: self.show_intent(self.cancel(name, reason), expand))

    @route("GET", "/v1/charges")
    def list_charges(self, request: Request) -> Reply:
        return self.listed(
            request, "charges", known=("payment_intent", "customer"), expands=("refunds",), show=self.show_charge,
            keep=lambda charge, query: _fits(charge, query, "payment_intent", "customer"),
        )  # fmt: skip

    @route("GET", "/v1/charges/{name}", bucket="payment")
    def read_charge(self, request: Request, name: str) -> Reply:
        expand = expansions(query_of(request, ("expand",)), ("refunds",))
        return told(self.show_charge(self.one("charges", name, "charge"), expand))

    @route("POST", "/v1/charges/{name}/capture")
    def post_charge_capture(self, request: Request, name: str) -> Reply:
        fields = fields_of(request, ("amount", "expand"))
        amount, expand = whole(fields, "amount"), expansions(fields, ("refunds",))
        return self.once(request, lambda: self.show_charge(self.capture_charge(name, amount), expand))

    @route("GET", "/v1/refunds")
    def list_refunds(self, request: Request) -> Reply:
        return self.listed(
            request, "refunds", known=("charge", "payment_intent"),
            keep=lambda refund, query: _fits(refund, query, "charge", "payment_intent"),
        )  # fmt: skip

    @route("GET", "/v1/refunds/{name}")
    def read_refund(self, request: Request, name: str) -> Reply:
        query_of(request, ("expand",))
        return told(self.one("refunds", name, "refund"))

    @route("POST", "/v1/refunds")
    def post_refund(self, request: Request) -> Reply:
        fields = fields_of(request, REFUND_FIELDS)
        amount, reason = whole(fields, "amount"), fields.get("reason")
        of_what = [fields[name] for name in ("charge", "payment_intent") if fields.get(name)]
        if len(of_what) != 1:
            raise refusal(400, "One of the following params should be provided: payment_intent or charge.")
        if reason is not None and reason not in REFUND_REASONS:
            raise refusal(400, f"Invalid reason: {reason}", param="reason")
        metadata = metadata_of({}, fields.get("metadata"))
        return self.once(request, lambda: self.give_back(of_what[0], amount, reason=reason, metadata=metadata))

    @route("GET", "/v1/disputes")
    def list_disputes(self, request: Request) -> Reply:
        return self.listed(
            request, "disputes", known=("charge", "payment_intent"),
            keep=lambda dispute, query: _fits(dispute, query, "charge", "payment_intent"),
        )  # fmt: skip

    @route("GET", "/v1/disputes/{name}")
    def read_dispute(self, request: Request, name: str) -> Reply:
        query_of(request, ("expand",))
        return told(self.one("disputes", name, "dispute"))

    # Customers.

    @route("GET", "/v1/customers")
    def list_customers(self, request: Request) -> Reply:
        return self.listed(
            request, "customers", known=("email",), keep=lambda customer, query: _fits(customer, query, "email")
        )

    @route("GET", "/v1/customers/search", bucket="search")
    def search_customers(self, request: Request) -> Reply:
        query = query_of(request, ("query", "limit", "page", "expand"), ("query",))
        asked = SEARCH.fullmatch(query["query"])
        if asked is None:
            raise refusal(400, f"The search query cannot be parsed: {query['query']}", param="query")
        found = [
            customer
            for customer in reversed(self.state["customers"].values())
            if asked["value"]
            == (customer["metadata"].get(asked["field"]) if asked["field"] else customer[asked["text"]])
        ]
        limit = whole(query, "limit") or 10
        page = {"object": "search_result", "url": "/v1/customers/search", "has_more": len(found) > limit}
        return told({**page, "data": found[:limit], "next_page": None})

    @route("GET", "/v1/customers/{name}")
    def read_customer(self, request: Request, name: str) -> Reply:
        query_of(request, ("expand",))
        return told(self.state["deleted"].get(name) or self.one("customers", name, "customer"))

    @route("POST", "/v1/customers")
    def post_customer(self, request: Request) -> Reply:
        given = _customer_fields(request, {})
        return self.once(request, lambda: self.sign_up(given))

    @route("POST", "/v1/customers/{name}")
    def post_customer_change(self, request: Request, name: str) -> Reply:
        given = _customer_fields(request, self.one("customers", name, "customer")["metadata"])
        return self.once(request, lambda: self.change_customer(name, given))

    @route("DELETE", "/v1/customers/{name}")
    def remove_customer(self, request: Request, name: str) -> Reply:
        return told(self.delete_customer(name))

    # Events and webhooks.

    @route("GET", "/v1/events")
    def list_events(self, request: Request) -> Reply:
        return self.listed(
            request, "events", known=("type", "types", "delivery_success"),
            keep=lambda event, query: self.events_kept(event) and _is_of_type(event["type"], query),
        )  # fmt: skip

    @route("GET", "/v1/events/{name}")
    def read_event(self, request: Request, name: str) -> Reply:
        event = self.one("events", name)
        if not self.events_kept(event):
            raise missing("event", name, "id")
        return told(event)

    @route("GET", "/v1/webhook_endpoints")
    def list_endpoints(self, request: Request) -> Reply:
        return self.listed(request, "webhook_endpoints")

    @route("GET", "/v1/webhook_endpoints/{name}")
    def read_endpoint(self, request: Request, name: str) -> Reply:
        return told(self.one("webhook_endpoints", name, "webhook_endpoint"))

    @route("POST", "/v1/webhook_endpoints")
    def post_endpoint(self, request: Request) -> Reply:
        known = ("url", "enabled_events", "api_version", "description", "metadata", "connect", "expand")
        fields = fields_of(request, known, ("url", "enabled_events"))
        if urlsplit(fields["url"]).scheme not in ("http", "https"):
            raise refusal(400, "Invalid URL: an explicit scheme (such as https) must be provided.", code="url_invalid")
        return self.once(request, lambda: self._add_endpoint(fields))

    def _add_endpoint(self, fields: Mapping[str, Any]) -> Object:
        if len(self.state["webhook_endpoints"]) >= MOST_ENDPOINTS:
            raise refusal(400, f"You have reached the maximum of {MOST_ENDPOINTS} test webhook endpoints.")
        name = self.new_id("webhook_endpoints")
        topics, version = fields["enabled_events"], fields.get("api_version")
        endpoint = new_endpoint(name, self.seconds(), fields["url"], topics, version, live=self.is_live)
        self.state["webhook_endpoints"][name] = endpoint
        secret = self.roll_secret(name)
        self.effect("webhook endpoint", id=name, url=fields["url"])
        return {**endpoint, "secret": secret}

    @route("POST", "/v1/webhook_endpoints/{name}")
    def post_endpoint_change(self, request: Request, name: str) -> Reply:
        fields = fields_of(request, ("url", "enabled_events", "disabled", "description", "metadata", "expand"))
        return self.once(request, lambda: self._change_endpoint(name, fields))

    def _change_endpoint(self, name: str, fields: Mapping[str, Any]) -> Object:
        endpoint = self.one("webhook_endpoints", name, "webhook_endpoint")
        endpoint |= {field: fields[field] for field in ("url", "enabled_events") if field in fields}
        if "disabled" in fields:
            endpoint["status"] = "disabled" if fields["disabled"] == "true" else "enabled"
        self.effect("webhook endpoint changed", id=name)
        return endpoint

    @route("DELETE", "/v1/webhook_endpoints/{name}")
    def remove_endpoint(self, request: Request, name: str) -> Reply:
        self.one("webhook_endpoints", name, "webhook_endpoint")
        del self.state["webhook_endpoints"][name]
        self.effect("webhook endpoint deleted", id=name)
        return told({"id": name, "object": "webhook_endpoint", "deleted": True})


def _fits(item: Object, query: Mapping[str, Any], *names: str) -> bool:
    return all(query.get(name) in (None, item[name]) for name in names)


def _is_of_type(topic: str, query: Mapping[str, Any]) -> bool:
    """Whether an event is among the `types` of a query, or of its one `type`, in which * stands for the rest."""
    if "types" in query and "type" in query:
        raise refusal(400, "You may only specify one of these parameters: type, types.", param="type")
    types = query.get("types")
    if types is not None:
        if not isinstance(types, list) or len(types) > 20:
            raise refusal(400, "types is an array of up to 20 event names.", param="types")
        return topic in types
    pattern = query.get("type")
    return pattern is None or (topic.startswith(pattern[:-1]) if pattern.endswith("*") else topic == pattern)


def _customer_fields(request: Request, metadata: Mapping[str, str]) -> Object:
    """What a form tells of a customer; "" empties a field."""
    fields = fields_of(request, (*CUSTOMER_TEXTS, "preferred_locales", "address", "metadata", "expand"))
    given: Object = {}
    for name, most in CUSTOMER_TEXTS.items():
        if name in fields:
            if len(fields[name]) > most:
                raise refusal(400, f"Invalid string: {name} must be at most {most} characters", param=name)
            given[name] = fields[name] or None
    if fields.get("email") and "@" not in fields["email"]:
        raise refusal(400, f"Invalid email address: {fields['email']}", code="email_invalid", param="email")
    if "address" in fields:
        lines = fields["address"] or {}
        if set(lines) - set(ADDRESS_FIELDS):
            raise refusal(400, "Received unknown parameter: address", code="parameter_unknown", param="address")
        given["address"] = {name: lines.get(name) for name in ADDRESS_FIELDS} if lines else None
    if "preferred_locales" in fields:
        given["preferred_locales"] = fields["preferred_locales"] or []
    if "metadata" in fields:
        given["metadata"] = metadata_of(metadata, fields["metadata"])
    return given
