"""ShipStation: the parcel desk with its carriers, labels and tracking (https://docs.shipstation.com).

Version 2 of the API. A parcel, and an order that is to be packed, is a Shipment there: it carries our key as its
external id, which also finds it again, so that a label is bought once. A Shipment cannot be changed: what is different
becomes another one under the same key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import quote

import httpx2

from finalmarket.connectors.answers import fields_in, if_there, part_in, rows_in
from finalmarket.connectors.auth import HeaderAuth
from finalmarket.connectors.books import OrderContent, OrderNames, PushesOrders
from finalmarket.connectors.contract import Checked, Connector, ReceivesWebhooks, Setting
from finalmarket.connectors.deliveries import name_of_body, read_delivery
from finalmarket.connectors.drafts import MOST_DRAFTS, drafts_of
from finalmarket.connectors.errors import (
    ConnectorError,
    NeedsAttention,
    Rejected,
    RetryLater,
    Unintelligible,
    WebhookRefused,
)
from finalmarket.connectors.http import Answer
from finalmarket.connectors.moments import utc
from finalmarket.connectors.paging import read_one
from finalmarket.connectors.platforms.shipstation import words
from finalmarket.connectors.platforms.shipstation.keys import are_keys, require_rsa_signature
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import Delivery, Event, Raw
from finalmarket.connectors.refusals import refused_as
from finalmarket.connectors.shipping import Label, Shipment, ShippingRate, Ships, TrackingRecord
from finalmarket.connectors.signing import require_recent

KEYS = "https://api.shipengine.com/jwks"
KEY_ID, SIGNATURE, SENT_AT = (
    "x-shipengine-rsa-sha256-key-id", "x-shipengine-rsa-sha256-signature", "x-shipengine-timestamp",
)  # fmt: skip


class ShipStation(Connector, PushesOrders, Ships, ReceivesWebhooks):
    """One ShipStation account."""

    # Who we are.

    slug = "shipstation"
    name = "ShipStation"
    kind = "shipping"
    docs = "https://docs.shipstation.com"
    api_version = "v2"
    base_url = "https://api.shipstation.com"
    rate = Rate(calls=200, per_seconds=60, burst=40)
    secrets = ("api_key",)
    optional_secrets = ("webhook_keys",)
    settings = (
        Setting(
            "carrier_ids", "Carriers", is_required=False,
            help="Ids (se-...), divided by commas, of those that are asked for rates; empty: all.",
        ),
        Setting(
            "warehouse_id", "Warehouse", is_required=False,
            help="Where orders are packed (se-...); empty: the account's default one.",
        ),
        Setting("store_id", "Store", help="The store that orders are shown in; empty: none.", is_required=False),
        Setting(
            "label_format", "Format of labels", help="What your label printer takes.", is_required=False, default="pdf",
            choices=(("pdf", "PDF"), ("png", "PNG"), ("zpl", "ZPL")),
        ),
    )  # fmt: skip
    described_in = ("shipstation",)
    checked_against = Checked("published description, version 2.0.0", on="2026-11-25")
    webhook_topics = ("API_TRACK",)
    webhook_secrets = ("webhook_keys",)
    consequences: ClassVar[Mapping[str, type[ConnectorError]]] = {
        "insufficient_funds": NeedsAttention, "auto_fund_not_supported": NeedsAttention,
        "subscription_inactive": NeedsAttention, "trial_expired": NeedsAttention,
        "terms_not_accepted": NeedsAttention, "invalid_billing_plan": NeedsAttention,
        "carrier_disconnected": NeedsAttention, "carrier_not_connected": NeedsAttention,
        "unauthorized": NeedsAttention, "rate_limit_exceeded": RetryLater,
    }  # fmt: skip

    # How we are let in.

    def auth(self) -> httpx2.Auth:
        """See Connector."""
        return HeaderAuth("api-key", self.account.secrets["api_key"])

    def check(self) -> str:
        """See Connector: which carriers the account has."""
        names = [read_one(raw, lambda one: str(one["friendly_name"])) for raw in self._carriers]
        return f"a ShipStation account with {', '.join(names) or 'no carriers yet'}"

    @cached_property
    def _carriers(self) -> Sequence[Raw]:
        return rows_in(self.http.call("GET", "/v2/carriers"), "carriers")

    # Rates and labels.

    def get_rates(self, shipment: Shipment) -> Sequence[ShippingRate]:
        """See Ships. Raises Rejected, with the carriers' words, where none of them takes the parcel."""
        draft = self._draft("fm-", shipment.key, words.parcel_fields(shipment))
        shipment_id = read_one(draft, _id)
        body = {"shipment_id": shipment_id, "rate_options": {"carrier_ids": self._carrier_ids(shipment.key)}}
        # Asked twice, carriers name the same prices again.
        told = part_in(self.http.call("POST", "/v2/rates", exact=body, repeatable=True), "rate_response")
        found = [read_one(raw, lambda raw: words.shipping_rate(raw, shipment_id)) for raw in rows_in(told, "rates")]
        if not found:
            raise Rejected(f"no carrier takes this parcel: {_refusals(told)}", key=shipment.key)
        return sorted(found, key=lambda rate: rate.amount)

    def _carrier_ids(self, key: str) -> list[str]:
        chosen = [name.strip() for name in self.setting("carrier_ids").split(",") if name.strip()]
        ids = chosen or [read_one(raw, lambda one: str(one["carrier_id"])) for raw in self._carriers]
        if not ids:
            raise Rejected("the ShipStation account has no carriers yet", key=key)
        return ids

    def _draft(self, prefix: str, key: str, wanted: Mapping[str, Any]) -> Raw:
        """The Shipment under a key as it is wanted now, made where there is none."""
        drafts = list(self._drafts(prefix, key))
        last = drafts[-1] if drafts else None
        if last is not None and words.is_standing(
            last, {**wanted, "create_sales_order": last.get("create_sales_order")}
        ):
            return last
        if len(drafts) >= MOST_DRAFTS:
            raise Rejected(f"this was changed {MOST_DRAFTS} times: ShipStation takes no more of it", key=key)
        made = {**wanted, "external_shipment_id": words.name_of(prefix, key, len(drafts) + 1)}
        # Made twice under one external id it does no harm: it is the external id that says which one counts.
        answer = self.http.call("POST", "/v2/shipments", exact={"shipments": [made]}, repeatable=True)
        (shown,) = rows_in(answer, "shipments") or [{}]
        if fields_in(answer).get("has_errors") or shown.get("errors"):
            raise Rejected("; ".join(map(str, shown.get("errors") or ["no reason is given"])), key=key)
        return shown

    def _drafts(self, prefix: str, key: str) -> Iterator[Raw]:
        """The Shipments made under a key, the oldest first."""
        path = "/v2/shipments/external_shipment_id"
        return drafts_of(lambda number: self._find(f"{path}/{_safe(words.name_of(prefix, key, number))}"))

    def _find(self, path: str) -> Raw | None:
        """What stands at a path; None where nothing does."""
        return if_there(lambda: fields_in(self.http.call("GET", path)))

    def buy_label(self, shipment: Shipment, rate: ShippingRate) -> Label:
        """See Ships. Raises Rejected for a rate of an older draft: then rates are to be asked for again."""
        drafts = list(self._drafts("fm-", shipment.key))
        bought = self._bought(drafts)
        if bought is not None:
            return bought
        if not drafts or read_one(drafts[-1], _id) != rate.shipment_id:
            raise Rejected("the rate is not one of this parcel's last ones: ask for rates again", key=shipment.key)
        body = {"label_format": self.setting("label_format"), "label_download_type": "url"}
        with refused_as(shipment.key):
            answer = self.http.call("POST", f"/v2/labels/rates/{_safe(rate.rate_id)}", json=body)
        return read_one(answer.data, words.label_of)

    def _bought(self, drafts: Sequence[Raw]) -> Label | None:
        """The label of these Shipments; one in force rather than one that was given back."""
        labels: list[Label] = []
        for draft in drafts:
            asked = {"shipment_id": read_one(draft, _id), "sort_by": "created_at", "sort_dir": "asc"}
            for raw in rows_in(self.http.call("GET", "/v2/labels", params=asked), "labels"):
                label = read_one(raw, words.label_of)
                labels += [label] if raw.get("status") != "error" else []
        return min(labels, key=lambda label: label.state == "voided", default=None)

    def find_label(self, key: str) -> Label | None:
        """See Ships."""
        return self._bought(list(self._drafts("fm-", key)))

    def void_label(self, label_id: str) -> Label:
        """See Ships."""
        label = self._label(label_id)
        if label.state == "voided":
            return label
        # Once given back it is refused with a reason of its own, so that asking twice does no harm.
        told = fields_in(self.http.call("PUT", f"/v2/labels/{_safe(label_id)}/void", repeatable=True))
        if not told.get("approved") and told.get("reason_code") != "label_already_voided":
            reason = str(told.get("message") or "it does not say why")
            raise Rejected(
                f"the carrier does not take this label back: {self._scrub(reason)}", key=label_id,
                code=str(told.get("reason_code") or ""),
            )  # fmt: skip
        return self._label(label_id)

    def _label(self, label_id: str) -> Label:
        shown = self._find(f"/v2/labels/{_safe(label_id)}") if label_id else None
        if shown is None:
            raise Rejected(f"ShipStation has no label {label_id}", key=label_id)
        return read_one(shown, words.label_of)

    def track(self, label_id: str, tracking_number: str, carrier: str) -> TrackingRecord | None:
        """See Ships. ShipStation follows its own labels only, also when only the number is known."""
        if not label_id and tracking_number:
            asked = {"tracking_number": tracking_number}
            labels = rows_in(self.http.call("GET", "/v2/labels", params=asked), "labels")
            label_id = read_one(labels[0], words.label_of).label_id if labels else ""
        shown = self._find(f"/v2/labels/{_safe(label_id)}/track") if label_id else None
        return None if shown is None else read_one(shown, lambda raw: words.tracking_record(raw, label_id))

    # Orders for the parcel desk.

    def push_order(self, content: OrderContent) -> OrderNames:
        """See PushesOrders. One that is packed elsewhere, or cancelled, is taken off the desk. Raises Rejected for a
        change after the desk bought its label."""
        drafts = list(self._drafts("order-", content.number))
        last = drafts[-1] if drafts else None
        if content.state != "open":
            self._take_off(last)
            return OrderNames(external_id="") if last is None else read_one(last, words.order_names)
        wanted = words.order_fields(content, self._origin(content.key), self.setting("store_id"))
        told = {name: part for name, part in wanted.items() if name in ("ship_to", "items")}
        if last is not None and read_one(last, lambda raw: words.is_standing(raw, told)):
            return read_one(last, words.order_names)
        if last is not None and last.get("shipment_status") not in ("pending", "cancelled"):
            raise Rejected("the desk has bought a label for this order: it cannot be changed there", key=content.key)
        self._take_off(last)
        return read_one(self._draft("order-", content.number, wanted), words.order_names)

    def find_order(self, number: str) -> OrderNames | None:
        """See PushesOrders."""
        drafts = list(self._drafts("order-", number))
        return read_one(drafts[-1], words.order_names) if drafts else None

    def _take_off(self, draft: Raw | None) -> None:
        """Cancel a Shipment that waits on the desk; others stay as they are."""
        if draft is not None and draft.get("shipment_status") == "pending":
            self.http.call("PUT", f"/v2/shipments/{_safe(read_one(draft, _id))}/cancel", repeatable=True)

    def _origin(self, key: str) -> Raw:
        """The address of the warehouse that orders are packed in."""
        chosen, there = self.setting("warehouse_id"), self._warehouses
        fitting = [one for one in there if one.get("warehouse_id") == chosen] if chosen else sorted(
            there, key=lambda one: not one.get("is_default")
        )  # fmt: skip
        if not fitting:
            raise Rejected("the ShipStation account has no such warehouse: choose one in the settings", key=key)
        return read_one(fitting[0], lambda one: {name: part for name, part in one["origin_address"].items() if part})

    @cached_property
    def _warehouses(self) -> Sequence[Raw]:
        return rows_in(self.http.call("GET", "/v2/warehouses"), "warehouses")

    # Webhooks.

    def subscribe(self, url: str) -> Mapping[str, str]:
        """See ReceivesWebhooks. Also fetches ShipStation's public keys, again every time: they may have changed."""
        answer = self.http.call("GET", self.address(KEYS), is_authorized=False)
        keys = json.dumps(answer.data)
        if not are_keys(keys):
            raise Unintelligible("ShipStation's public keys cannot be read")
        hooks = self.http.call("GET", "/v2/environment/webhooks").data
        known = read_one(hooks, lambda all: any(hook["url"] == url and hook["event"] == "track" for hook in all))
        if not known:
            self.http.call("POST", "/v2/environment/webhooks", json={"event": "track", "url": url})
        return {"webhook_keys": keys}

    def verify_webhook(self, delivery: Delivery) -> None:
        """See ReceivesWebhooks: what is signed is the time of sending, a point and the raw body."""
        told = delivery.header(SENT_AT)
        message = told.encode() + b"." + delivery.body
        require_rsa_signature(self.webhook_secret(), delivery.header(KEY_ID), delivery.header(SIGNATURE), message)
        try:
            sent_at = utc(told)
        except ValueError:
            raise WebhookRefused("the time of sending cannot be read") from None
        require_recent(sent_at, delivery.received_at)

    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        """See ReceivesWebhooks. An event of a parcel brings the whole of its tracking along."""
        name = name_of_body(delivery)
        return [read_delivery(delivery, lambda raw: words.event_of(raw, name, delivery.received_at))]

    # What its errors mean.

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """See Connector: `{"errors": [{"error_code", "message", "error_source"}]}`; a success may carry those of single
        carriers."""
        told = answer.data.get("errors") if isinstance(answer.data, dict) else None
        if answer.is_success or not isinstance(told, list):
            return "", ""
        errors = [one for one in told if isinstance(one, dict)]
        code = next((str(one["error_code"]) for one in errors if one.get("error_code")), "")
        said = "; ".join(f"{one.get('error_source') or ''} {one.get('message') or ''}".strip() for one in errors)
        return code, said


def _refusals(told: Raw) -> str:
    """What carriers say against a parcel."""
    said = [str(error.get("message")) for error in told.get("errors") or () if isinstance(error, dict)]
    for rate in told.get("invalid_rates") or ():
        said += [str(message) for message in rate.get("error_messages") or ()] if isinstance(rate, dict) else []
    return "; ".join(said) or "no carrier says why"


def _id(raw: Raw) -> str:
    return str(raw["shipment_id"])


def _safe(name: str) -> str:
    return quote(name, safe="")
