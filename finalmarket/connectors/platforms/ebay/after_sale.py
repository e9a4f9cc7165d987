"""After the sale: parcels and refunds, each told once though eBay takes no idempotency keys, and the digital signature
that eBay wants on the refunds of sellers in the EU and the UK.

https://developer.ebay.com/develop/guides/digital-signatures-for-apis (RFC 9421 message signatures, RFC 9530 digests)
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from urllib.parse import quote, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from finalmarket.connectors.answers import fields_in, rows_in
from finalmarket.connectors.errors import NeedsAttention, Rejected
from finalmarket.connectors.http import Http
from finalmarket.connectors.moments import to_millisecond
from finalmarket.connectors.money import minor_units
from finalmarket.connectors.platforms.ebay.calls import FULFILLMENT, amount, money
from finalmarket.connectors.platforms.ebay.orders import refunds_by_name, sellers_share
from finalmarket.connectors.records import FulfilmentNotice, Raw, RefundNotice
from finalmarket.connectors.refusals import refused_as, understood
from finalmarket.kernel import clock

MOST_COMMENT_LETTERS = 100
# Carriers as eBay writes them; any other goes out as it is called, without special characters.
CARRIERS: Mapping[str, str] = {
    "dhl": "DHL", "deutsche post": "DeutschePost", "dpd": "DPD", "fedex": "FedEx", "gls": "GLS", "hermes": "Hermes",
    "royal mail": "RoyalMail", "tnt": "TNT", "ups": "UPS", "usps": "USPS",
}  # fmt: skip
# Our words for why money goes back, as eBay's ReasonForRefundEnum has them.
REASONS: Mapping[str, str] = {
    "return": "BUYER_RETURN", "cancelled": "SELLER_CANCEL", "out of stock": "SELLER_CANCEL",
    "lost": "ITEM_NOT_RECEIVED", "damaged": "ITEM_NOT_AS_DESCRIBED", "not as described": "ITEM_NOT_AS_DESCRIBED",
    "shipping": "SHIPPING_DISCOUNT",
}  # fmt: skip
COVERED = '("content-digest" "x-ebay-signature-key" "@method" "@path" "@authority")'


# Parcels.


def push_fulfilment(http: Http, notice: FulfilmentNotice) -> str:
    """See PushesFulfilments. A parcel is known by its tracking number, of which eBay takes one an order. One without is
    known by its lines; of equal ones, by how many there are: eBay gives them ids that say nothing."""
    path = f"{FULFILLMENT}/order/{quote(notice.order_id, safe='')}/shipping_fulfillment"
    tracking = "".join(letter for letter in notice.tracking_number if letter.isascii() and letter.isalnum())
    with refused_as(notice.key):
        there = rows_in(http.call("GET", path), "fulfillments")
        same = [parcel for parcel in there if _is_same(parcel, tracking, notice)]
        before = 0 if tracking else notice.alike
        if len(same) > before:
            return str(same[before].get("fulfillmentId") or tracking)
        body: dict[str, object] = {
            "lineItems": [{"lineItemId": line_id, "quantity": units} for line_id, units in notice.lines],
            "shippedDate": to_millisecond(notice.shipped_at),
        }
        if tracking:
            body |= {"trackingNumber": tracking, "shippingCarrierCode": carrier_code(notice.carrier)}
        answer = http.call("POST", path, json=body)
    return answer.header("Location").rstrip("/").rpartition("/")[2] or tracking


def _is_same(parcel: Raw, tracking: str, notice: FulfilmentNotice) -> bool:
    if tracking:
        return str(parcel.get("shipmentTrackingNumber") or "") == tracking
    lines = {(str(one.get("lineItemId")), int(one.get("quantity") or 1)) for one in parcel.get("lineItems") or []}
    return not parcel.get("shipmentTrackingNumber") and lines == set(notice.lines)


def carrier_code(carrier: str) -> str:
    """A carrier as eBay writes it."""
    known = CARRIERS.get(carrier.strip().lower())
    plain = "".join(letter for letter in carrier if letter.isascii() and (letter.isalnum() or letter in " -"))
    return known or plain.strip() or "Other"


# Refunds.


@dataclass(frozen=True, slots=True)
class Signer:
    """The key pair of eBay's Key Management API: `jwe` is its public half as eBay gave it, `private_key` the other one
    (PKCS 8, DER in base64, with or without the lines around it)."""

    jwe: str
    private_key: str

    def headers(self, method: str, path: str, authority: str, body: bytes, at: datetime) -> dict[str, str]:
        """The four headers of a signed request. Raises NeedsAttention for a key that is none."""
        digest = f"sha-256=:{b64encode(hashlib.sha256(body).digest()).decode()}:"
        covered = f"{COVERED};created={int(at.timestamp())}"
        lines = (
            f'"content-digest": {digest}', f'"x-ebay-signature-key": {self.jwe}', f'"@method": {method}',
            f'"@path": {path}', f'"@authority": {authority}', f'"@signature-params": {covered}',
        )  # fmt: skip
        signature = b64encode(self._key().sign("\n".join(lines).encode())).decode()
        return {
            "Content-Digest": digest, "x-ebay-signature-key": self.jwe, "Signature-Input": f"sig1={covered}",
            "Signature": f"sig1=:{signature}:",
        }  # fmt: skip

    def _key(self) -> Ed25519PrivateKey:
        text = re.sub(r"-----(BEGIN|END) PRIVATE KEY-----|\s", "", self.private_key)
        try:
            key = load_der_private_key(b64decode(text), None)
        except ValueError:
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise NeedsAttention("the private signing key is no Ed25519 key of eBay's Key Management API")
        return key


def push_refund(http: Http, notice: RefundNotice, signer: Signer | None, host: str) -> str:
    """See PushesRefunds. eBay takes no key: a refund of this amount, or of the seller's part of it, that is none of the
    order's `others` is this one, asked for before. Raises RetryLater while eBay still works on another refund of the
    order."""
    path = f"{FULFILLMENT}/order/{quote(notice.order_id, safe='')}"
    with understood(notice.key):
        order = fields_in(http.call("GET", path, params={"fieldGroups": "TAX_BREAKDOWN"}))
        found = _made_before(order, notice)
        if found:
            return found
        body = json.dumps(_refund_fields(notice)).encode()
        headers = {"Content-Type": "application/json"}
        if signer is not None:
            headers |= signer.headers("POST", f"{path}/issue_refund", urlsplit(host).netloc, body, clock.now())
        told = fields_in(http.call("POST", f"{path}/issue_refund", content=body, headers=headers))
        if told.get("refundStatus") == "FAILED":
            raise Rejected("the refund failed: see the order in Seller Hub")
        return str(told["refundId"])


def _made_before(order: Raw, notice: RefundNotice) -> str:
    """The name of the refund that this notice led to already, "" for none."""
    shown_as = _shown_as(order, notice)
    for name, one in refunds_by_name(order).items():
        is_whole = one.get("refundStatus") != "FAILED" and one["amount"].get("currency") == notice.currency
        if is_whole and name not in notice.others and amount(one["amount"]) in shown_as:
            return name
    return ""


def _shown_as(order: Raw, notice: RefundNotice) -> set[Decimal]:
    """What eBay may show of a refund: its amount, or the seller's share of it, rounded down or up."""
    if sellers_share(order) == 1:
        return {notice.amount}
    smallest = Decimal(1).scaleb(-minor_units(notice.currency))
    least = (notice.amount * sellers_share(order)).quantize(smallest, rounding=ROUND_DOWN)
    return {least, least + smallest, notice.amount}


def _refund_fields(notice: RefundNotice) -> dict[str, object]:
    told: dict[str, object] = {
        "reasonForRefund": REASONS.get(notice.reason.strip().lower(), "OTHER_ADJUSTMENT"),
        "orderLevelRefundAmount": money(notice.amount, notice.currency),
    }
    comment = notice.reason.strip()[:MOST_COMMENT_LETTERS]
    return {**told, "comment": comment} if comment else told
