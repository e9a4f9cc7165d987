"""Stripe: payments, refunds, disputes and customers (https://docs.stripe.com/api).

What is paid there comes in; captures, refunds and customers go out, each under an idempotency key. Version 1 of the API
takes forms with brackets and answers with JSON; the version of its objects is pinned by a header.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import quote

import httpx2

from finalmarket.connectors.answers import if_there
from finalmarket.connectors.auth import bearer
from finalmarket.connectors.contract import (
    ChargesTokens,
    Checked,
    Connector,
    ErasesCustomers,
    PullsCustomers,
    PullsPayments,
    PushesCustomers,
    PushesRefunds,
    ReceivesWebhooks,
    Setting,
    TakesPayments,
)
from finalmarket.connectors.deliveries import read_delivery
from finalmarket.connectors.errors import NeedsAttention, NotSupported, Rejected, RetryLater
from finalmarket.connectors.http import Answer, Http
from finalmarket.connectors.moments import from_seconds
from finalmarket.connectors.paging import READING_ERRORS, read_each
from finalmarket.connectors.platforms.stripe import words
from finalmarket.connectors.platforms.stripe.lists import Ask, Change, Read, Stream, items_of, read_list
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import (
    CustomerContent,
    CustomerRecord,
    Delivery,
    Event,
    Page,
    PaymentRecord,
    Raw,
    RefundNotice,
    TokenCharge,
    Unreadable,
)
from finalmarket.connectors.refusals import taken, understood
from finalmarket.connectors.signing import hmac_hex, require_sent_recently, require_signature, timed_parts
from finalmarket.kernel import clock

__all__ = ["Stripe"]

TEST_KEYS = ("sk_test_", "rk_test_")
TEST_RATE = Rate(calls=25)
CHARGES = ("ch_", "py_")
FEW = 3  # payments that are asked for one by one rather than found in the list
# Shared payment tokens are known to this version and later previews alone
# (https://docs.stripe.com/changelog/dahlia/2026-04-22/shared-payment-granted-token).
TOKENS_VERSION = "2026-04-22.preview"
REFUNDS = "latest_charge.refunds"
MOST_LETTERS_OF_ORDER = 500


class Stripe(
    Connector, PullsCustomers, PullsPayments, PushesRefunds, PushesCustomers, ErasesCustomers, TakesPayments,
    ChargesTokens, ReceivesWebhooks,
):  # fmt: skip
    """One Stripe account."""

    # Who we are.

    slug = "stripe"
    name = "Stripe"
    kind = "payment"
    docs = "https://docs.stripe.com/api"
    api_version = "2026-05-27.dahlia"
    base_url = "https://api.stripe.com"
    # https://docs.stripe.com/rate-limits: of the whole account, of one kind of call, of searches.
    rate = Rate(calls=100)
    rates = {"payment": Rate(calls=25), "search": Rate(calls=20)}
    secrets = ("secret_key",)
    optional_secrets = ("webhook_secret", "webhook_endpoint_id")
    settings = (
        Setting(
            "order_field", "Metadata field of the order",
            help="The metadata field in which your shop writes the order's number on a payment.",
            is_required=False, default="order_id",
        ),
    )  # fmt: skip
    described_in = ("stripe",)
    checked_against = Checked("published description, version 2026-05-27.dahlia", on="2026-11-25")
    webhook_topics = (*words.PAYMENT_TOPICS, *words.CUSTOMER_TOPICS)
    webhook_secrets = ("webhook_secret",)

    # How we are let in.

    def auth(self) -> httpx2.Auth:
        """See Connector. Raises NeedsAttention for the publishable key, which opens nothing."""
        key = self.account.secrets.get("secret_key", "")
        if key.startswith("pk_"):
            raise NeedsAttention("that is the publishable key: enter the secret key (sk_) or a restricted key (rk_)")
        return bearer(key)

    def headers(self) -> Mapping[str, str]:
        """See Connector."""
        return {"Stripe-Version": self.api_version}

    @cached_property
    def http(self) -> Http:
        """See Connector. Test keys have a slower pace."""
        way = super().http
        is_test = self.account.secrets.get("secret_key", "").startswith(TEST_KEYS)
        return replace(way, rates={**way.rates, "": TEST_RATE}) if is_test else way

    def check(self) -> str:
        """See Connector."""
        balance = self._get("/v1/balance", {})
        with understood():
            mode = "live" if balance["livemode"] else "test"
            currencies = ", ".join(sorted({part["currency"].upper() for part in balance["available"]}))
        return f"a Stripe account in {mode} mode" + (f", with a balance in {currencies}" if currencies else "")

    def _get(self, path: str, query: Mapping[str, Any], bucket: str = "") -> Any:
        return self.http.call("GET", path, params=words.form_fields(query), bucket=bucket).data

    def _post(self, path: str, fields: Mapping[str, Any], key: str) -> Any:
        """Post under an idempotency key: sent again with the same key, Stripe gives the first answer again."""
        headers = {"Idempotency-Key": key}
        return self.http.call("POST", path, form=words.form_fields(fields), headers=headers, repeatable=True).data

    def _asking(self, path: str, **chosen: Any) -> Ask:
        return lambda query: self._get(path, {**chosen, **query})

    # What comes in.

    def pull_payments(self, cursor: str, since: datetime | None) -> Iterator[Page[PaymentRecord]]:
        """See PullsPayments. Charges made without a payment intent come in when they change."""
        stream = Stream(
            ask_list=self._asking("/v1/payment_intents", expand=[f"data.{REFUNDS}"]),
            ask_events=self._asking("/v1/events", types=words.PAYMENT_TOPICS),
            subject_of=words.payment_of,
            read_list=lambda raws: read_each(raws, self._payment_record, _name),
            read_changes=self._changed_payments,
        )
        return stream.pull(cursor, since)

    def pull_payment(self, external_id: str) -> PaymentRecord | None:
        """See PullsPayments. A charge is answered with the payment that it belongs to."""
        with understood():
            raw = self._find_payment(external_id)
            return None if raw is None else self._payment_record(raw)

    def pull_customers(self, cursor: str, since: datetime | None) -> Iterator[Page[CustomerRecord]]:
        """See PullsCustomers."""
        reading: dict[str, Callable[[Raw], CustomerRecord]] = {}

        def ask(query: Mapping[str, Any]) -> Any:
            read = self._reading_customers()
            page = self._get("/v1/customers", query)
            reading.update((raw["id"], read) for raw in items_of(page))
            return page

        stream = Stream(
            ask_list=ask,
            ask_events=self._asking("/v1/events", types=words.CUSTOMER_TOPICS),
            subject_of=words.customer_of,
            read_list=lambda raws: read_each(raws, lambda raw: reading.pop(raw["id"])(raw), _name),
            read_changes=_changed_customers,
        )
        return stream.pull(cursor, since)

    def pull_customer(self, external_id: str) -> CustomerRecord | None:
        """See PullsCustomers."""
        read = self._reading_customers()
        with understood():
            raw = self._find(f"/v1/customers/{quote(external_id, safe='')}", {})
            return None if raw is None else read(raw)

    def _reading_customers(self) -> Callable[[Raw], CustomerRecord]:
        """How to read a customer that is asked for from now on."""
        page = self._get("/v1/events", {"types": words.CUSTOMER_TOPICS, "limit": 100})
        events = items_of(page)
        are_all, now = not (events and page.get("has_more")), int(clock.now().timestamp())
        return lambda raw: words.customer_among(raw, events, are_all=are_all, now=now)

    def _find(self, path: str, query: Mapping[str, Any], bucket: str = "") -> Raw | None:
        """One object; None where there is none."""
        found: Raw | None = if_there(lambda: self._get(path, query, bucket))
        return found

    def _find_payment(self, payment_id: str) -> Raw | None:
        """A payment intent with its charge and refunds, or a charge that has none; None for what is not there."""
        is_charge = payment_id.startswith(CHARGES)
        path = f"/v1/{'charges' if is_charge else 'payment_intents'}/{quote(payment_id, safe='')}"
        raw = self._find(path, {"expand": ["refunds" if is_charge else REFUNDS]}, bucket="payment")
        if is_charge and raw is not None and raw.get("payment_intent"):
            return self._find_payment(words.id_of(raw["payment_intent"]))
        return raw

    def _payment_record(self, raw: Raw) -> PaymentRecord:
        """The record of a payment; what its object does not hold, more refunds and the disputes, is asked for."""
        charge = words.charge_of(raw)
        if charge is not None and (charge.get("refunds") or {}).get("has_more"):
            refunds = read_list(self._asking("/v1/refunds", charge=charge["id"])) or ()
            charge = {**charge, "refunds": {**charge["refunds"], "data": refunds, "has_more": False}}
            raw = charge if raw["object"] == "charge" else {**raw, "latest_charge": charge}
        disputes: Sequence[Raw] = ()
        if charge is not None and charge["disputed"]:
            disputes = read_list(self._asking("/v1/disputes", charge=charge["id"])) or ()
        return words.payment_record(raw, disputes, self.setting("order_field"))

    def _changed_payments(self, changes: Sequence[Change]) -> Read[PaymentRecord]:
        """Payments as they stand now: fresh ones from the list, a hundred at a call, the others one by one."""
        made = [seconds for change in changes if (seconds := words.made_at(change.event))]
        found: dict[str, Raw] = {}
        if len(made) > FEW:
            query = {"created": {"gte": min(made), "lte": max(made)}, "limit": 100, "expand": [f"data.{REFUNDS}"]}
            found = {raw["id"]: raw for raw in items_of(self._get("/v1/payment_intents", query))}
        raws = [(change.subject, found.get(change.subject) or self._find_payment(change.subject)) for change in changes]
        missing = [Unreadable(payment_id, "told of, but not there", {}) for payment_id, raw in raws if raw is None]
        records, unreadable = read_each([raw for _, raw in raws if raw is not None], self._payment_record, _name)
        return records, (*unreadable, *missing)

    # What goes out.

    def push_refund(self, notice: RefundNotice) -> str:
        """See PushesRefunds.

        An idempotency key lives for 24 hours; a refund of ours is found by its metadata for good, so it is looked for
        first.
        """
        tag = words.tag_of(notice.key)
        with understood(notice.key):
            raw = self._payment_of_currency(notice.payment_id, notice.currency)
            known = words.refunds_of(words.charge_of(self._payment_record(raw).raw))
            refund = next((one for one in known if (one.get("metadata") or {}).get(words.TAG) == tag), None)
            if refund is None:
                fields = {
                    "charge" if raw["object"] == "charge" else "payment_intent": raw["id"],
                    "amount": taken(lambda: words.minor_of(notice.amount, notice.currency)),
                    "reason": words.REFUND_REASONS.get(notice.reason.strip().lower()),
                    "metadata": {words.TAG: tag, "order_id": notice.order_id[:MOST_LETTERS_OF_ORDER] or None},
                }
                refund = self._post("/v1/refunds", fields, key=f"refund-{tag}")
            if refund.get("status") in words.REFUNDS_THAT_FAILED:
                raise Rejected(f"the refund {refund['status']}: {refund.get('failure_reason') or 'nobody says why'}")
            return str(refund["id"])

    def push_customer(self, content: CustomerContent) -> str:
        """See PushesCustomers. A customer that we made is found again by its metadata."""
        tag = words.tag_of(content.key)
        with understood(content.key):
            fields = taken(lambda: words.customer_fields(content))
            known = content.external_id or self._find_tagged_customer(tag)
            if known:
                return str(self._post(f"/v1/customers/{quote(known, safe='')}", fields, f"update-{tag}")["id"])
            return str(self._post("/v1/customers", {**fields, "metadata": {words.TAG: tag}}, f"customer-{tag}")["id"])

    def erase_customer(self, external_id: str) -> None:
        """See ErasesCustomers. Payments stay as they are; subscriptions end."""
        path = f"/v1/customers/{quote(external_id, safe='')}"
        if_there(lambda: self.http.call("DELETE", path, repeatable=True))

    def capture_payment(self, payment_id: str, amount: Decimal, currency: str, key: str) -> PaymentRecord:
        """See TakesPayments. What is not captured is let go by Stripe; what is captured already stays so."""
        with understood(key):
            minor = taken(lambda: words.minor_of(amount, currency))
            raw = self._payment_of_currency(payment_id, currency)
            before = self._payment_record(raw)
            if before.captured:
                return before
            path, field, expand = f"/v1/payment_intents/{raw['id']}/capture", "amount_to_capture", REFUNDS
            if raw["object"] == "charge":
                path, field, expand = f"/v1/charges/{raw['id']}/capture", "amount", "refunds"
            fields = {field: minor, "expand": [expand]}
            # What is due may be less at the next try: an idempotency key is bound to its amount.
            return self._payment_record(self._post(path, fields, key=f"capture-{words.tag_of(key)}-{minor}"))

    def cancel_payment(self, payment_id: str, key: str) -> PaymentRecord:
        """See TakesPayments. What is let go already stays so."""
        with understood(key):
            raw = self._payment(payment_id)
            before = self._payment_record(raw)
            if before.state == "voided":
                return before
            if raw["object"] == "charge":
                raise NotSupported("a charge without a payment intent cannot be let go: Stripe does it after 7 days")
            path, fields = f"/v1/payment_intents/{raw['id']}/cancel", {"expand": [REFUNDS]}
            return self._payment_record(self._post(path, fields, key=f"cancel-{words.tag_of(key)}"))

    def charge_token(self, charge: TokenCharge) -> PaymentRecord:
        """See ChargesTokens. The token is a shared payment token that an agent granted
        (https://docs.stripe.com/agentic-commerce/concepts/shared-payment-tokens)."""
        with understood(charge.key):
            fields = {
                "amount": taken(lambda: words.minor_of(charge.amount, charge.currency)),
                "currency": charge.currency.lower(), "capture_method": "manual", "confirm": True,
                "payment_method_data": {"shared_payment_granted_token": charge.token},
                "receipt_email": charge.email or None,
                "metadata": {self.setting("order_field"): charge.order_id[:MOST_LETTERS_OF_ORDER]},
            }  # fmt: skip
            headers = {"Idempotency-Key": f"token-{words.tag_of(charge.key)}", "Stripe-Version": TOKENS_VERSION}
            form = words.form_fields(fields)
            made = self.http.call("POST", "/v1/payment_intents", form=form, headers=headers, repeatable=True).data
            record = self._payment_record(self._payment(str(made["id"])))
            if record.state not in ("authorised", "captured"):
                raise Rejected(f"the payment is {record.state}", code="payment_intent_unexpected_state")
            return record

    def _payment(self, payment_id: str) -> Raw:
        raw = self._find_payment(payment_id)
        if raw is None:
            raise Rejected(f"Stripe knows no payment {payment_id!r}", code="resource_missing", status=404)
        return raw

    def _payment_of_currency(self, payment_id: str, currency: str) -> Raw:
        """A payment. Raises Rejected where it is not of this currency: the amount would mean something else."""
        raw = self._payment(payment_id)
        if raw["currency"].upper() != currency.upper():
            raise Rejected(f"the payment is in {raw['currency'].upper()}, not in {currency.upper()}")
        return raw

    def _find_tagged_customer(self, tag: str) -> str:
        """The id of the customer that we made under this tag; "" where there is none. The index is up to a minute
        behind; that long, the idempotency key keeps a customer from being made twice."""
        query = {"query": f"metadata['{words.TAG}']:'{tag}'", "limit": 1}
        try:
            found = items_of(self._get("/v1/customers/search", query, bucket="search"))
        except Rejected:  # accounts in India have no search
            return ""
        return str(found[0]["id"]) if found else ""

    # Webhooks.

    def subscribe(self, url: str) -> Mapping[str, str]:
        """See ReceivesWebhooks. Stripe tells the secret of an endpoint once, when it is made: one at our address whose
        secret we do not hold, or that speaks another version, is replaced."""
        secrets = self.account.secrets
        with understood():
            listed = read_list(self._asking("/v1/webhook_endpoints")) or ()
            ours = {endpoint["id"]: endpoint for endpoint in listed if endpoint["url"] == url}
            kept = ours.get(secrets.get("webhook_endpoint_id", "")) if secrets.get("webhook_secret") else None
            if kept is not None and kept.get("api_version") != self.api_version:
                kept = None
            standing = kept or self._make_endpoint(url)
            if kept is not None:
                self._adjust(kept)
            for other in ours.keys() - {standing["id"]}:
                self._remove(other)
            return {} if kept else {"webhook_secret": standing["secret"], "webhook_endpoint_id": standing["id"]}

    def verify_webhook(self, delivery: Delivery) -> None:
        """See ReceivesWebhooks. `Stripe-Signature: t=<seconds>,v1=<hex>`, several v1 while a secret is rolled
        (https://docs.stripe.com/webhooks/signature)."""
        seconds, given = timed_parts(delivery.header("Stripe-Signature"))
        require_signature(given, self.webhook_secret(), seconds.encode() + b"." + delivery.body, hmac_hex)
        require_sent_recently(seconds, delivery.received_at)

    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        """See ReceivesWebhooks. The record comes along only where the event tells all of it: a payment without a charge
        yet. With a charge, refunds and disputes count, and those have to be asked for."""
        return [read_delivery(delivery, self._event)]

    def _event(self, raw: Raw) -> Event:
        (kind, subject), made = words.concern_of(raw), raw.get("created")
        return Event(
            event_id=str(raw["id"]), topic=str(raw["type"]), kind=kind, external_id=subject,
            occurred_at=from_seconds(made) if isinstance(made, int) else None,
            record=self._told_payment(raw) if kind == "payments" else None,
        )  # fmt: skip

    def _told_payment(self, event: Raw) -> PaymentRecord | None:
        about = event["data"]["object"]
        is_ours = about.get("object") == "payment_intent" and event.get("api_version") == self.api_version
        if not is_ours or about.get("latest_charge", "untold") is not None:
            return None
        try:
            return self._payment_record(about)
        except READING_ERRORS:
            return None

    def _make_endpoint(self, url: str) -> Raw:
        """An endpoint with its secret. Under the same key the one that was just made is told again; where that is gone
        meanwhile, another one is made."""
        fields = {"url": url, "enabled_events": self.webhook_topics, "api_version": self.api_version}
        key = f"endpoint-{words.tag_of(json.dumps(fields))}"
        made: Raw = self._post("/v1/webhook_endpoints", fields, key)
        if self._find(f"/v1/webhook_endpoints/{made['id']}", {}) is None:
            made = self._post("/v1/webhook_endpoints", fields, f"endpoint-{uuid.uuid4()}")
        return made

    def _adjust(self, endpoint: Raw) -> None:
        """Have an endpoint that stands already send what we want, and nothing else."""
        if endpoint["status"] == "enabled" and set(endpoint["enabled_events"]) == set(self.webhook_topics):
            return
        fields = {"enabled_events": self.webhook_topics, "disabled": False}
        self._post(f"/v1/webhook_endpoints/{endpoint['id']}", fields, f"endpoint-{uuid.uuid4()}")

    def _remove(self, endpoint_id: str) -> None:
        if_there(lambda: self.http.call("DELETE", f"/v1/webhook_endpoints/{endpoint_id}", repeatable=True))

    # What its errors mean (https://docs.stripe.com/error-codes, https://docs.stripe.com/error-handling).

    consequences = {
        # The same may be asked again, under the same key.
        "rate_limit": RetryLater, "lock_timeout": RetryLater, "idempotency_key_in_use": RetryLater,
        "conflict": RetryLater, "dependency_failed": RetryLater,
        # A person has to look at the account or its keys.
        "api_key_expired": NeedsAttention, "platform_api_key_expired": NeedsAttention,
        "secret_key_required": NeedsAttention, "account_invalid": NeedsAttention,
        "testmode_charges_only": NeedsAttention, "livemode_mismatch": NeedsAttention,
        # This payment, refund or customer is refused. All other 4xx are, too.
        "card_error": Rejected, "card_declined": Rejected, "expired_card": Rejected, "idempotency_error": Rejected,
        "amount_too_large": Rejected, "amount_too_small": Rejected, "balance_insufficient": Rejected,
        "charge_already_captured": Rejected, "charge_already_refunded": Rejected, "charge_disputed": Rejected,
        "charge_expired_for_capture": Rejected, "payment_intent_unexpected_state": Rejected,
        "resource_missing": Rejected,
    }  # fmt: skip

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """See Connector: the error's code, where it has none its type; api_error is judged by the status."""
        if answer.is_success:
            return "", ""
        by_status = STATUS_CODES.get(answer.status, "")
        error = answer.data.get("error") if isinstance(answer.data, dict) else None
        if not isinstance(error, dict):
            return by_status, ""
        code = _word(error.get("code")) or by_status or _word(error.get("type"))
        told = [error.get("decline_code"), error.get("param"), answer.headers.get("stripe-rate-limited-reason")]
        details = ", ".join(str(word) for word in told if word)
        message = str(error.get("message") or "")
        return code, f"{message} ({details})" if details else message


STATUS_CODES: Mapping[int, str] = {409: "conflict", 424: "dependency_failed", 429: "rate_limit"}


def _word(code: object) -> str:
    """A code of Stripe's; "" for what does not look like one."""
    return code if isinstance(code, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,99}", code) else ""


# From its words to ours: the rest is in words.py.


def _changed_customers(changes: Sequence[Change]) -> Read[CustomerRecord]:
    """Customers as their latest events show them."""
    counts = {change.event["id"]: change.count for change in changes}

    def read(event: Raw) -> CustomerRecord:
        return words.customer_at(event, words.customer_version(event["created"], counts[event["id"]]))

    return read_each([change.event for change in changes], read, lambda event: words.customer_of(event))


def _name(raw: Raw) -> object:
    return raw["id"]
