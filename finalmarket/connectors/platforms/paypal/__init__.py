"""PayPal: a buyer pays on PayPal's page; what was held is captured or let go, money goes back, disputes come in.

Published source: PayPal's REST API specifications (github.com/paypal/paypal-rest-api-specifications): Orders v2,
Payments v2, Webhooks v1, Disputes v1, Transaction Search v1. Beside this file: words.py (from its words to ours),
changes.py (which payments changed), certificates.py (whose webhook it is).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

import httpx2

from finalmarket.connectors.answers import fields_in, if_there
from finalmarket.connectors.auth import TokenAuth, TokenRequest, basic_header
from finalmarket.connectors.contract import (
    Checked,
    Connector,
    PullsPayments,
    PushesRefunds,
    ReceivesWebhooks,
    Setting,
    StartsPayments,
    TakesPaymentsInParts,
)
from finalmarket.connectors.deliveries import read_delivery
from finalmarket.connectors.errors import ConnectorError, NeedsAttention, Rejected, RetryLater, WebhookRefused
from finalmarket.connectors.http import Answer
from finalmarket.connectors.paging import read_each
from finalmarket.connectors.platforms.paypal import certificates, changes, words
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import (
    Delivery,
    Event,
    Page,
    PaymentRecord,
    PaymentRequest,
    PaymentStart,
    Raw,
    RefundNotice,
    Unreadable,
)
from finalmarket.connectors.refusals import taken, understood

__all__ = ["PayPal"]

WEBHOOKS = "/v1/notifications/webhooks"
WHOLE = {"Prefer": "return=representation"}
MOST_CERTIFICATES = 20
MOST_LETTERS_OF_NOTE = 255


class PayPal(Connector, PullsPayments, PushesRefunds, TakesPaymentsInParts, StartsPayments, ReceivesWebhooks):
    """One PayPal business account, by an app of its own."""

    # Who we are.

    slug = "paypal"
    name = "PayPal"
    kind = "payment"
    docs = "https://developer.paypal.com/docs/api/orders/v2/"
    api_version = "Orders v2, Payments v2"
    base_url = "https://api-m.paypal.com"
    # PayPal publishes no figures (https://developer.paypal.com/api/rest/rate-limiting/): a 429 is waited out.
    rate = Rate(calls=10)
    rates: ClassVar[Mapping[str, Rate]] = {"certificates": Rate(calls=10, per_seconds=60)}
    secrets = ("client_id", "client_secret")
    optional_secrets = ("access_token", "access_token_ends_at", "webhook_id")
    settings = (
        Setting(
            "order_field", "Field of the order", help="Where your shop writes the order's number on a payment.",
            is_required=False, default="custom_id",
            choices=(("custom_id", "Custom ID"), ("invoice_id", "Invoice ID")),
        ),
    )  # fmt: skip
    described_in = ("paypal",)
    checked_against = Checked("published description", on="2026-11-25")
    webhook_topics = words.PAYMENT_TOPICS
    webhook_secrets = ("webhook_id",)

    # How we are let in.

    def auth(self) -> httpx2.Auth:
        """A bearer token by client credentials; it lives for some hours and is kept."""
        secrets = self.account.secrets
        basic = basic_header(secrets.get("client_id", ""), secrets.get("client_secret", ""))
        asked = TokenRequest(
            self.address(f"{self.base_url}/v1/oauth2/token"), {"grant_type": "client_credentials"},
            {"Authorization": basic, "Accept": "application/json"},
        )  # fmt: skip
        return TokenAuth.of(asked, self.account)

    def check(self) -> str:
        """See Connector. The balances are asked for: an app without the right to search transactions is told so."""
        told = self._ask("/v1/reporting/balances", {})
        with understood():
            currencies = ", ".join(sorted({part["currency"] for part in told["balances"]}))
            name = str(told.get("account_id") or "of this app")
        return f"the PayPal account {name}" + (f", with a balance in {currencies}" if currencies else "")

    def _ask(self, path: str, query: Mapping[str, Any]) -> Any:
        return self.http.call("GET", path, params=query or None).data

    def _tell(self, path: str, body: Any, key: str) -> Raw:
        """Post under a PayPal-Request-Id: sent again with it, PayPal does nothing twice (orders: for 6 hours, payments:
        for 45 days)."""
        headers = {**WHOLE, "PayPal-Request-Id": key}
        return fields_in(self.http.call("POST", path, json=body, headers=headers, repeatable=True))

    # What comes in.

    def pull_payments(self, cursor: str, since: datetime | None) -> Iterator[Page[PaymentRecord]]:
        """See PullsPayments."""
        for step in changes.pull(self._ask, cursor, since):
            raws: dict[str, Raw] = {}
            missing = []
            for change in step.changes:
                raw = self._find_payment(change.subject)
                if raw is None:
                    missing.append(Unreadable(change.subject, "told of, but the Payments API does not have it", {}))
                else:
                    raws[str(raw.get("id"))] = raw
            records, unreadable = read_each(raws.values(), self._payment_record, lambda raw: raw["id"])
            yield Page(records, step.cursor, step.is_last, (*step.unreadable, *unreadable, *missing))

    def pull_payment(self, external_id: str) -> PaymentRecord | None:
        """See PullsPayments. A capture or an authorisation is answered with the order that it belongs to."""
        with understood():
            raw = self._find_payment(external_id)
            return None if raw is None else self._payment_record(raw)

    def _find_payment(self, name: str) -> Raw | None:
        """The order of that id, or that a capture or authorisation of that id belongs to; where there is none, the
        part dressed as one. None where there is nothing."""
        order = self._find("/v2/checkout/orders", name)
        if order is not None:
            return order
        for path, kind in (("captures", "captures"), ("authorizations", "authorizations")):
            part = self._find(f"/v2/payments/{path}", name)
            if part is not None:
                known = words.order_of(part)
                order = self._find("/v2/checkout/orders", known) if known else None
                return order or words.dressed(part, kind)
        return None

    def _find(self, path: str, name: str) -> Raw | None:
        return if_there(lambda: fields_in(self._ask(f"{path}/{quote(name, safe='')}", {}), "id"))

    def _payment_record(self, raw: Raw) -> PaymentRecord:
        """The record of an order; the disputes of what was taken are asked for."""
        found: list[Raw] = []
        for capture in words.captures_of(raw):
            if capture.get("status") in words.TAKEN:
                for summary in changes.disputes(self._ask, disputed_transaction_id=capture["id"]):
                    is_over = summary.get("status") == "RESOLVED"  # only the whole dispute tells who won it
                    name = quote(str(summary["dispute_id"]), safe="")
                    found.append(self._ask(f"{changes.DISPUTES}/{name}", {}) if is_over else summary)
        return words.payment_record(raw, found, self.setting("order_field"))

    # What goes out.

    def start_payment(self, request: PaymentRequest) -> PaymentStart:
        """See StartsPayments."""
        with understood(request.key):
            fields = taken(lambda: words.order_fields(request))
            raw = self._tell("/v2/checkout/orders", fields, f"order-{words.tag_of(request.key)}")
            return PaymentStart(external_id=raw["id"], approve_url=words.approval_of(raw))

    def finish_payment(self, payment_id: str, key: str) -> PaymentRecord:
        """See StartsPayments."""
        with understood(key):
            raw = self._payment(payment_id)
            if raw.get("status") in words.NOT_APPROVED:
                raise Rejected("the buyer has not agreed to the payment yet", code="ORDER_NOT_APPROVED")
            if raw.get("status") == "APPROVED":
                verb = "authorize" if raw.get("intent") == "AUTHORIZE" else "capture"
                self._finish(str(raw["id"]), verb, f"{verb}-{words.tag_of(key)}")
                raw = self._payment(str(raw["id"]))
            return self._payment_record(raw)

    def _finish(self, order_id: str, verb: str, key: str) -> None:
        """Hold or take what the buyer agreed to, unless somebody else did so a moment ago."""
        try:
            self._tell(f"/v2/checkout/orders/{quote(order_id, safe='')}/{verb}", {}, key)
        except Rejected as error:
            if error.code not in ("ORDER_ALREADY_AUTHORIZED", "ORDER_ALREADY_CAPTURED"):
                raise

    def capture_payment(self, payment_id: str, amount: Decimal, currency: str, key: str) -> PaymentRecord:
        """See TakesPayments. What is not taken stays held until it is taken, let go, or ends (after 29 days)."""
        with understood(key):
            told = taken(lambda: words.money(amount, currency))
            raw = self._payment_of_currency(payment_id, told["currency_code"])
            holds = words.authorisations_of(raw)
            if not holds:
                raise Rejected("nothing of this payment is held", code="NOTHING_HELD")
            # One that is taken already answers the same key as before, and another one with the reason.
            hold = next(filter(words.is_held, holds), holds[-1])
            path = f"/v2/payments/authorizations/{quote(str(hold['id']), safe='')}/capture"
            self._tell(path, {"amount": told}, f"capture-{words.tag_of(key)}")
            return self._payment_record(self._payment(payment_id))

    def cancel_payment(self, payment_id: str, key: str) -> PaymentRecord:
        """See TakesPayments. What is held is let go, though a part was taken; what is let go already stays so."""
        with understood(key):
            raw = self._payment(payment_id)
            parts = words.authorisations_of(raw)
            holds = list(filter(words.is_held, parts))
            before = self._payment_record(raw)
            was_let_go = before.state == "voided" or any(one.get("status") == "VOIDED" for one in parts)
            if not holds and not was_let_go:
                raise Rejected(f"nothing of this payment is held: it is {before.state}", code="NOTHING_HELD")
            for hold in holds:
                path = f"/v2/payments/authorizations/{quote(str(hold['id']), safe='')}/void"
                self._void(path)
            return self._payment_record(self._payment(payment_id)) if holds else before

    def _void(self, path: str) -> None:
        try:
            self.http.call("POST", path, headers=WHOLE, repeatable=True)
        except Rejected as error:
            if error.code != "PREVIOUSLY_VOIDED":
                raise

    def push_refund(self, notice: RefundNotice) -> str:
        """See PushesRefunds. The payment may be named by its order or by the capture. Our mark is written on the
        refund, so one that was made is found for good."""
        tag = words.tag_of(notice.key)
        with understood(notice.key):
            told = taken(lambda: words.money(notice.amount, notice.currency))
            raw = self._payment_of_currency(notice.payment_id, told["currency_code"])
            known = next((one for one in words.refunds_of(raw) if one.get("custom_id") == tag), None)
            if known is None:
                capture = _capture_to_refund(raw, notice)
                note = {"note_to_payer": notice.reason[:MOST_LETTERS_OF_NOTE]} if notice.reason.strip() else {}
                path = f"/v2/payments/captures/{quote(str(capture['id']), safe='')}/refund"
                known = self._tell(path, {"amount": told, "custom_id": tag, **note}, f"refund-{tag}")
            if known.get("status") not in words.GIVEN_BACK:
                raise Rejected(f"the refund is {known.get('status')}", code=str(known.get("status")))
            return str(known["id"])

    def _payment(self, payment_id: str) -> Raw:
        raw = self._find_payment(payment_id)
        if raw is None:
            raise Rejected(f"PayPal knows no payment {payment_id!r}", code="RESOURCE_NOT_FOUND", status=404)
        return raw

    def _payment_of_currency(self, payment_id: str, currency: str) -> Raw:
        """A payment. Raises Rejected where it is not of this currency: the amount would mean something else."""
        raw = self._payment(payment_id)
        (own,) = {unit["amount"]["currency_code"] for unit in raw["purchase_units"]}
        if own != currency:
            raise Rejected(f"the payment is in {own}, not in {currency}", code="CURRENCY_MISMATCH")
        return raw

    # Webhooks.

    def subscribe(self, url: str) -> Mapping[str, str]:
        """See ReceivesWebhooks. An app has ten webhooks at most, one for each address; ours is found by it."""
        wanted = [{"name": topic} for topic in self.webhook_topics]
        with understood():
            listed = self._ask(WEBHOOKS, {}).get("webhooks") or ()
            known = next((one for one in listed if one["url"] == url), None)
            if known is None:
                body = {"url": url, "event_types": wanted}
                known = self.http.call("POST", WEBHOOKS, json=body).data
            elif {one["name"] for one in known["event_types"]} not in ({"*"}, set(self.webhook_topics)):
                patch = [{"op": "replace", "path": "/event_types", "value": wanted}]
                path = f"{WEBHOOKS}/{quote(str(known['id']), safe='')}"
                self.http.call("PATCH", path, json=patch, repeatable=True)
            return {"webhook_id": str(known["id"])}

    def verify_webhook(self, delivery: Delivery) -> None:
        """See ReceivesWebhooks. The webhook's id is part of what is signed: it takes the place of a secret."""
        ids = self.webhook_secret()
        if not ids:
            raise WebhookRefused("no webhook ID is set for this account: subscribe to webhooks, or enter it")
        told = certificates.transmission_of(delivery)
        address = self._address_of_certificate(told.certificate_url)
        with _fetching:
            known = _fetched.get(address)
        pem = known or self._fetch(address)
        key = certificates.key_of(pem, delivery.received_at)
        if known is None:
            _remember(address, pem)
        certificates.require_signed(told, key, ids, delivery.body)

    def _address_of_certificate(self, url: str) -> str:
        """Where an address of PayPal's is asked for: itself, or the stand-in that takes PayPal's place."""
        is_stand_in = self.account.base_url and urlsplit(self.account.base_url).hostname not in certificates.HOSTS
        return self.address(url) if is_stand_in else url

    def _fetch(self, address: str) -> bytes:
        """What is at the address of a certificate. Raises WebhookRefused where nothing comes."""
        told = {"Accept": "*/*"}
        try:
            return self.http.call("GET", address, headers=told, bucket="certificates", is_authorized=False).body
        except ConnectorError as error:
            raise WebhookRefused(f"the certificate does not come: {error.reason}") from None

    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        """See ReceivesWebhooks. Events are hints only: of the body, no more than a checksum is signed."""
        return [read_delivery(delivery, words.event_of)]

    # What its errors mean (https://developer.paypal.com/api/rest/responses/).

    consequences: ClassVar[Mapping[str, type[ConnectorError]]] = {
        "RATE_LIMIT_REACHED": RetryLater, "RESOURCE_CONFLICT": RetryLater, "PREVIOUS_REQUEST_IN_PROGRESS": RetryLater,
        "PERMISSION_DENIED": NeedsAttention, "NOT_AUTHORIZED": NeedsAttention, "AUTHENTICATION_FAILURE": NeedsAttention,
        "PAYEE_ACCOUNT_LOCKED_OR_CLOSED": NeedsAttention, "PAYEE_ACCOUNT_RESTRICTED": NeedsAttention,
    }  # fmt: skip

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """See Connector: the issue, where an error has one, else its name."""
        if answer.is_success:
            return "", ""
        told = answer.data if isinstance(answer.data, dict) else {}
        details = told.get("details")
        issues = [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []
        first = issues[0] if issues else {}
        code = str(first.get("issue") or told.get("name") or told.get("error") or "")
        said = [first.get("description") or told.get("message") or told.get("error_description"), first.get("field")]
        return code, ", ".join(str(word) for word in said if word)


# PayPal's certificates by their addresses, for as long as the process lives: a new certificate has a new address.
_fetched: dict[str, bytes] = {}
_fetching = threading.Lock()


def _remember(address: str, pem: bytes) -> None:
    with _fetching:
        if len(_fetched) >= MOST_CERTIFICATES:
            _fetched.clear()
        _fetched[address] = pem


def _capture_to_refund(raw: Raw, notice: RefundNotice) -> Raw:
    """The capture to give money back of: the one that is named, else the first that has so much left. Raises Rejected
    where none has."""
    captured = [one for one in words.captures_of(raw) if one.get("status") in words.TAKEN]
    named = [one for one in captured if one["id"] == notice.payment_id]
    if not captured:
        raise Rejected("nothing of this payment was taken, so that there is nothing to give back", code="NOTHING_TAKEN")
    left = {str(one["id"]): words.left_of(one, raw) for one in named or captured}
    fitting = next((one for one in named or captured if left[one["id"]] >= notice.amount), None)
    if fitting is None:
        shown = ", ".join(f"{amount} of {name}" for name, amount in left.items())
        raise Rejected(f"so much cannot be given back at once: there are {shown}", code="REFUND_AMOUNT_EXCEEDED")
    return fitting
