"""EasyPost: what carriers ask for a parcel, labels, and where parcels are (https://docs.easypost.com/docs).

A parcel is a Shipment there: it is made with our key as its reference, which also finds it again, so that a label is
bought once. Nothing of a Shipment can be changed: a parcel that turns out heavier gets another draft under the key.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar
from urllib.parse import quote

import httpx2

from finalmarket.connectors.answers import fields_in, if_there, rows_in
from finalmarket.connectors.auth import HeaderAuth, basic_header
from finalmarket.connectors.contract import Checked, Connector, ReceivesWebhooks, Setting
from finalmarket.connectors.deliveries import read_delivery
from finalmarket.connectors.drafts import MOST_DRAFTS, drafts_of
from finalmarket.connectors.errors import ConnectorError, NeedsAttention, OutcomeUnknown, Rejected
from finalmarket.connectors.http import Answer
from finalmarket.connectors.paging import read_one
from finalmarket.connectors.platforms.easypost import words
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import Delivery, Event, Raw
from finalmarket.connectors.shipping import Label, Shipment, ShippingRate, Ships, TrackingRecord
from finalmarket.connectors.signing import hmac_hex, require_signature

SIGNED = "hmac-sha256-hex="


class EasyPost(Connector, Ships, ReceivesWebhooks):
    """One EasyPost account."""

    # Who we are.

    slug = "easypost"
    name = "EasyPost"
    kind = "shipping"
    docs = "https://docs.easypost.com/docs"
    api_version = "v2"
    base_url = "https://api.easypost.com"
    # Lists may be asked for five times a second; all else is limited by load, of which no figure is published.
    rate = Rate(calls=10)
    rates = {"list": Rate(calls=5)}
    secrets = ("api_key",)
    optional_secrets = ("webhook_secret",)
    settings = (
        Setting(
            "label_format", "Format of labels", help="What your label printer takes.", is_required=False,
            default="PDF", choices=(("PDF", "PDF"), ("PNG", "PNG"), ("ZPL", "ZPL"), ("EPL2", "EPL2")),
        ),
        Setting(
            "carrier_accounts", "Carrier accounts",
            help="Ids (ca_...), divided by commas, of those that are asked for rates; empty: all.", is_required=False,
        ),
    )  # fmt: skip
    described_in = ("easypost",)
    checked_against = Checked(
        "derived: the vendor's documented requests, answers and recorded traffic", on="2026-11-25"
    )
    webhook_topics = ("tracker.created", "tracker.updated")
    webhook_secrets = ("webhook_secret",)
    consequences: ClassVar[Mapping[str, type[ConnectorError]]] = {
        "PAYMENT_REQUIRED": NeedsAttention,  # our own word for a 402: the account has no means to pay
        "SHIPMENT.PURCHASE.IN_PROGRESS": OutcomeUnknown,
        "SHIPMENT.POSTAGE.TIMED_OUT": OutcomeUnknown,
        "SHIPMENT.POSTAGE.NO_RESPONSE": OutcomeUnknown,
    }

    # How we are let in.

    def auth(self) -> httpx2.Auth:
        """See Connector."""
        return HeaderAuth("Authorization", basic_header(self.account.secrets["api_key"], ""))

    def check(self) -> str:
        """See Connector. A test key buys no real postage, so the answer says which it is."""
        read_one(self._webhooks(), list)
        is_test = self.account.secrets["api_key"].startswith("EZTK")
        return "an EasyPost account, with a test key" if is_test else "an EasyPost account"

    # Rates and labels.

    def get_rates(self, shipment: Shipment) -> Sequence[ShippingRate]:
        """See Ships. Raises Rejected, with the carriers' words, where none of them takes the parcel."""
        draft, rates = self._priced_draft(shipment)
        found = [read_one(raw, words.shipping_rate) for raw in rates]
        if not found:
            said = read_one(draft, words.carrier_words) or "no carrier says why"
            raise Rejected(f"no carrier takes this parcel: {said}", key=shipment.key)
        return sorted(found, key=lambda rate: rate.amount)

    def _priced_draft(self, shipment: Shipment) -> tuple[Raw, Sequence[Raw]]:
        """The draft of a parcel as it is now, made where there is none, and its rates of this hour."""
        wanted = words.shipment_fields(shipment, self.account.settings)
        drafts = list(self._drafts(shipment.key))
        last = drafts[-1] if drafts else None
        if last is not None and read_one(last, lambda raw: words.is_draft_of(raw, wanted)):
            if last.get("postage_label"):
                return last, rows_in(last, "rates")
            path = f"/v2/shipments/{_safe(read_one(last, _id))}/rerate"
            return last, rows_in(self.http.call("POST", path, json={}, repeatable=True), "rates")
        if len(drafts) >= MOST_DRAFTS:
            raise Rejected(f"this parcel was changed {MOST_DRAFTS} times: send it under another key", key=shipment.key)
        body = {"shipment": {**wanted, "reference": words.reference_of(shipment.key, len(drafts) + 1)}}
        # Made twice it does no harm: a draft costs nothing, and it is the reference that says which one counts.
        made = fields_in(self.http.call("POST", "/v2/shipments", json=body, repeatable=True))
        return made, rows_in(made, "rates")

    def _drafts(self, key: str) -> Iterator[Raw]:
        """What was made under a key, the oldest first."""
        return drafts_of(lambda number: self._find(words.reference_of(key, number)))

    def _find(self, name: str) -> Raw | None:
        """A Shipment by its id or reference; None where there is none."""
        path = f"/v2/shipments/{_safe(name)}"
        return if_there(lambda: fields_in(self.http.call("GET", path))) if name else None

    def buy_label(self, shipment: Shipment, rate: ShippingRate) -> Label:
        """See Ships. Raises Rejected for a rate of an older draft: then rates are to be asked for again."""
        drafts = list(self._drafts(shipment.key))
        bought = _bought(drafts)
        if bought is None:
            if not drafts or read_one(drafts[-1], _id) != rate.shipment_id:
                raise Rejected("the rate is not one of this parcel's last ones: ask for rates again", key=shipment.key)
            bought = self._buy(shipment.key, rate)
        return read_one(bought, words.label_of)

    def _buy(self, key: str, rate: ShippingRate) -> Raw:
        path = f"/v2/shipments/{_safe(rate.shipment_id)}/buy"
        try:
            return fields_in(self.http.call("POST", path, json={"rate": {"id": rate.rate_id}}))
        except Rejected as error:
            there = self._find(rate.shipment_id) if error.code == "SHIPMENT.POSTAGE.EXISTS" else None
            if there is None:
                error.key = key
                raise
            return there

    def find_label(self, key: str) -> Label | None:
        """See Ships."""
        bought = _bought(self._drafts(key))
        return None if bought is None else read_one(bought, words.label_of)

    def void_label(self, label_id: str) -> Label:
        """See Ships. EasyPost takes it back at once; the carrier says yes or no within days (`voiding`)."""
        shown = self._find(label_id)
        if shown is None or not shown.get("postage_label"):
            raise Rejected(f"EasyPost has no label {label_id}", key=label_id)
        if shown.get("refund_status") == "rejected":
            raise Rejected("the carrier does not take this label back", key=label_id)
        if shown.get("refund_status") not in ("submitted", "refunded"):
            shown = fields_in(self.http.call("POST", f"/v2/shipments/{_safe(label_id)}/refund", json={}))
        return read_one(shown, words.label_of)

    # Tracking.

    def track(self, label_id: str, tracking_number: str, carrier: str) -> TrackingRecord | None:
        """See Ships. To follow a parcel whose label was bought elsewhere costs a fee at EasyPost, once."""
        if label_id:
            shown = self._find(label_id)
            tracker = shown.get("tracker") if shown else None
            return None if tracker is None else read_one(tracker, words.tracking_record)
        asked = {"tracking_code": tracking_number, **({"carrier": carrier} if carrier else {})}
        try:
            # The same number and carrier give the same Tracker again.
            answer = self.http.call("POST", "/v2/trackers", json={"tracker": asked}, repeatable=True)
        except Rejected as error:
            if error.status in (404, 422):  # a number that no carrier could have given
                return None
            raise
        record = read_one(answer.data, words.tracking_record)
        return None if record.state == "unknown" and not record.steps else record

    # Webhooks.

    def subscribe(self, url: str) -> Mapping[str, str]:
        """See ReceivesWebhooks. Every event goes to every address; EasyPost signs with the secret that we choose."""
        secret = self.account.secrets.get("webhook_secret", "")
        known = read_one(self._webhooks(), lambda hooks: [_id(hook) for hook in hooks if hook["url"] == url])
        if known and secret:
            return {"webhook_secret": secret}
        secret = secret or secrets.token_urlsafe(32)
        self._scrub.learn([secret])
        if known:  # whoever made it did not leave us the secret
            self.http.call("PATCH", f"/v2/webhooks/{_safe(known[0])}", json={"webhook_secret": secret}, repeatable=True)
        else:
            self.http.call("POST", "/v2/webhooks", json={"webhook": {"url": url, "webhook_secret": secret}})
        return {"webhook_secret": secret}

    def _webhooks(self) -> Sequence[Raw]:
        return rows_in(self.http.call("GET", "/v2/webhooks", bucket="list"), "webhooks")

    def verify_webhook(self, delivery: Delivery) -> None:
        """See ReceivesWebhooks. The secret is normalised (NFKD) before it signs the raw body."""
        names = [unicodedata.normalize("NFKD", secret) for secret in self.webhook_secret()]
        require_signature(
            [delivery.header("X-Hmac-Signature")], names, delivery.body,
            lambda secret, message: SIGNED.encode() + hmac_hex(secret, message),
        )  # fmt: skip

    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        """See ReceivesWebhooks. An event of a parcel brings the whole of its tracking along."""
        return [read_delivery(delivery, lambda raw: words.event_of(raw, self.webhook_topics))]

    # What its errors mean.

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """See Connector: `{"error": {"code", "message", "errors"}}`."""
        told = answer.data.get("error") if isinstance(answer.data, dict) else None
        if isinstance(told, str):
            return ("ERROR", told)
        code = str(told.get("code") or "ERROR") if isinstance(told, dict) else ""
        said = _said(told) if isinstance(told, dict) else ""
        return ("PAYMENT_REQUIRED" if answer.status == 402 else code, said)


def _bought(drafts: Iterable[Raw]) -> Raw | None:
    return next((draft for draft in drafts if draft.get("postage_label")), None)


def _id(raw: Raw) -> str:
    return str(raw["id"])


def _safe(name: str) -> str:
    return quote(name, safe="")


def _said(told: Raw) -> str:
    """An error's message, with what it says of single fields."""
    parts = [str(told.get("message") or "")]
    for one in told.get("errors") or () if isinstance(told.get("errors"), list) else ():
        parts.append(f"{one.get('field')} {one.get('message')}" if isinstance(one, dict) else str(one))
    return "; ".join(part for part in parts if part)
