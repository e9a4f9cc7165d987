"""A PayPal account: buyers say yes on PayPal's page, the merchant holds, captures, lets go and refunds, buyers dispute.

State, not scripts: orders with their authorisations, captures and refunds, disputes, the transaction report, events and
webhooks, each as PayPal shows them. Its floors: account.py below, till.py above it, and here the calls
(https://developer.paypal.com/api/rest/).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.paypal.account import Object, certificate, certificate_path, refusal, told
from finalmarket.sandbox.platforms.paypal.outside import Outside
from finalmarket.sandbox.platforms.paypal.till import API
from finalmarket.sandbox.stand_in import Reply, Request, part_of, route

__all__ = ["PayPal"]

MOST_DAYS_OF_REPORT = timedelta(days=31)
REPORT_KEPT = timedelta(days=3 * 365)
DISPUTES_KEPT = timedelta(days=180)
MOST_ROWS = 10_000
MOST_WEBHOOKS = 10
EVENTS_A_PAGE = 300
ORDER_FIELDS = ("intent", "purchase_units", "payer", "payment_source", "application_context")
SUMMARY = (
    "dispute_id", "create_time", "update_time", "reason", "status", "dispute_state", "dispute_amount",
    "dispute_life_cycle_stage", "dispute_channel", "links",
)  # fmt: skip


class PayPal(Outside):
    """One business account."""

    # Orders.

    @route("POST", "/v2/checkout/orders")
    def post_order(self, request: Request) -> Reply:
        asked = _object(request)
        if set(asked) - set(ORDER_FIELDS) or asked.get("intent") not in ("CAPTURE", "AUTHORIZE"):
            raise refusal(400, "INVALID_PARAMETER_VALUE", "/intent")
        units = asked.get("purchase_units")
        if not isinstance(units, list) or not 1 <= len(units) <= 10:
            raise refusal(400, "INVALID_ARRAY_MAX_ITEMS" if units else "MISSING_REQUIRED_PARAMETER", "/purchase_units")
        if asked.get("payment_source") and not request.headers.get("paypal-request-id"):
            raise refusal(400, "PAYPAL_REQUEST_ID_REQUIRED")
        return self.once(request, lambda: self.open_order(asked))

    @route("GET", "/v2/checkout/orders/{name}")
    def read_order(self, request: Request, name: str) -> Reply:
        return told(self.order(name))

    @route("POST", "/v2/checkout/orders/{name}/authorize")
    def post_authorize(self, request: Request, name: str) -> Reply:
        return self.once(request, lambda: self.hold_order(name))

    @route("POST", "/v2/checkout/orders/{name}/capture")
    def post_order_capture(self, request: Request, name: str) -> Reply:
        return self.once(request, lambda: self.take_order(name))

    # Payments.

    @route("GET", "/v2/payments/authorizations/{name}")
    def read_authorisation(self, request: Request, name: str) -> Reply:
        return told(self.shown(self.part("authorizations", name)[2]))

    @route("POST", "/v2/payments/authorizations/{name}/capture")
    def post_capture(self, request: Request, name: str) -> Reply:
        asked = _object(request)
        is_final = bool(asked.get("final_capture"))
        return self.once(request, lambda: self.shown(self.capture(name, asked.get("amount"), is_final=is_final)))

    @route("POST", "/v2/payments/authorizations/{name}/void")
    def post_void(self, request: Request, name: str) -> Reply:
        hold = self.void(name)
        if "return=representation" in request.headers.get("prefer", ""):
            return told(self.shown(hold))
        return Reply(204)

    @route("GET", "/v2/payments/captures/{name}")
    def read_capture(self, request: Request, name: str) -> Reply:
        return told(self.shown(self.part("captures", name)[2]))

    @route("POST", "/v2/payments/captures/{name}/refund")
    def post_refund(self, request: Request, name: str) -> Reply:
        asked = _object(request)
        noted = {field: asked[field] for field in ("custom_id", "invoice_id", "note_to_payer") if field in asked}
        return self.once(request, lambda: self.give_back(name, asked.get("amount"), **noted))

    @route("GET", "/v2/payments/refunds/{name}")
    def read_refund(self, request: Request, name: str) -> Reply:
        return told(self.part("refunds", name)[2])

    # The report.

    @route("GET", "/v1/reporting/balances")
    def read_balances(self, request: Request) -> Reply:
        amount = {"currency_code": "EUR", "value": "0.00"}
        balance = {"currency": "EUR", "primary": True, "total_balance": amount, "available_balance": amount}
        return told(
            {"balances": [balance], "account_id": "QYR5Z8XDVJNXR", "as_of_time": self.text(),
             "last_refresh_time": self.text()}
        )  # fmt: skip

    @route("GET", "/v1/reporting/transactions")
    def read_report(self, request: Request) -> Reply:
        start, end = _moment(request, "start_date"), _moment(request, "end_date")
        fresh = self.now() - timedelta(seconds=self.state["behind_seconds"])
        if end - start > MOST_DAYS_OF_REPORT or start < self.now() - REPORT_KEPT or start > fresh:
            raise refusal(400, "INVALID_DATE_RANGE", "start_date")
        rows = [
            row for row in self.state["rows"] if start <= _at(row["transaction_initiation_date"]) <= min(end, fresh)
        ]
        if request.query.get("balance_affecting_records_only", "Y") == "Y":
            rows = [row for row in rows if not row["transaction_event_code"].startswith("T13")]
        if len(rows) > MOST_ROWS:
            raise refusal(400, "RESULTSET_TOO_LARGE")
        size, number = _number(request, "page_size", 100, 500), _number(request, "page", 1, 2**31 - 1)
        if number > 1 and request.fault is Fault.CURSOR_EXPIRED:
            raise refusal(400, "INVALID_PARAMETER_VALUE", "page")
        page, _ = part_of(rows, (number - 1) * size, size, request.fault)
        body: Object = {
            "account_number": "QYR5Z8XDVJNXR", "start_date": self.text(start), "end_date": self.text(end),
            "last_refreshed_datetime": self.text(fresh), "page": number, "total_items": len(rows),
            "total_pages": -(-len(rows) // size), "links": [_link("/v1/reporting/transactions", "self")],
        }  # fmt: skip
        if page:
            body["transaction_details"] = [{"transaction_info": row} for row in page]
        return told(body)

    # Disputes.

    @route("GET", "/v1/customer/disputes")
    def list_disputes(self, request: Request) -> Reply:
        found = list(self.state["disputes"].values())[::-1]
        query = request.query
        if "disputed_transaction_id" in query:
            if "start_time" in query:
                raise refusal(400, "INVALID_REQUEST")
            found = [one for one in found if _disputed(one) == query["disputed_transaction_id"]]
        after = self._bound(request, "update_time_after", self.now() - DISPUTES_KEPT)
        before = self._bound(request, "update_time_before", self.now())
        found = [one for one in found if after <= _at(one["update_time"]) <= before]
        size, start = _number(request, "page_size", 10, 50), int(query.get("next_page_token", "0"))
        page, following = part_of(found, start, size, request.fault)
        links = [_link("/v1/customer/disputes", "self")]
        if following is not None:
            links.append(_link(f"/v1/customer/disputes?page_size={size}&next_page_token={following}", "next"))
        items = [{name: dispute[name] for name in SUMMARY} for dispute in page]
        return told({**({"items": items} if items else {}), "links": links})

    def _bound(self, request: Request, name: str, usual: datetime) -> datetime:
        if name not in request.query:
            return usual
        bound = _moment(request, name)
        if bound < self.now() - DISPUTES_KEPT:
            raise refusal(400, "INVALID_DATE_RANGE", name)
        return bound

    @route("GET", "/v1/customer/disputes/{name}")
    def read_dispute(self, request: Request, name: str) -> Reply:
        if name not in self.state["disputes"]:
            raise refusal(404, "INVALID_RESOURCE_ID")
        return told(self.state["disputes"][name])

    # Webhooks.

    @route("GET", "/v1/notifications/webhooks-events")
    def list_events(self, request: Request) -> Reply:
        start, end = _moment(request, "start_time"), _moment(request, "end_time")
        found = [event for event in self.state["events"][::-1] if start <= _at(event["create_time"]) <= end]
        size = _number(request, "page_size", 10, EVENTS_A_PAGE)
        links = [_link("/v1/notifications/webhooks-events", "self")]
        if len(found) > size:
            links.append(_link("/v1/notifications/webhooks-events?page=2", "next"))
        return told({"events": found[:size], "count": len(found[:size]), "links": links})

    @route("GET", "/v1/notifications/webhooks")
    def list_webhooks(self, request: Request) -> Reply:
        return told({"webhooks": list(self.state["webhooks"].values())})

    @route("POST", "/v1/notifications/webhooks")
    def post_webhook(self, request: Request) -> Reply:
        asked = _object(request)
        if urlsplit(str(asked.get("url"))).scheme not in ("http", "https") or not asked.get("event_types"):
            raise refusal(400, "INVALID_PARAMETER_VALUE", "url")
        if any(one["url"] == asked["url"] for one in self.state["webhooks"].values()):
            raise refusal(400, "WEBHOOK_URL_ALREADY_EXISTS", "url")
        if len(self.state["webhooks"]) >= MOST_WEBHOOKS:
            raise refusal(400, "WEBHOOK_NUMBER_LIMIT_EXCEEDED")
        webhook = {"id": self.new_id(), "url": asked["url"], "event_types": asked["event_types"], "links": []}
        self.state["webhooks"][webhook["id"]] = webhook
        self.effect("webhook", id=webhook["id"], url=webhook["url"])
        return told(webhook, 201)

    @route("PATCH", "/v1/notifications/webhooks/{name}")
    def patch_webhook(self, request: Request, name: str) -> Reply:
        if name not in self.state["webhooks"]:
            raise refusal(404, "INVALID_RESOURCE_ID")
        for patch in request.json():
            if patch.get("op") != "replace" or patch.get("path") not in ("/url", "/event_types"):
                raise refusal(400, "INVALID_PATCH_REQUEST")
            self.state["webhooks"][name][patch["path"][1:]] = patch["value"]
        self.effect("webhook changed", id=name)
        return told(self.state["webhooks"][name])

    @route("GET", "/v1/notifications/certs/{name}", is_open=True)
    def read_certificate(self, request: Request, name: str) -> Reply:
        if request.path != certificate_path():
            raise refusal(404)
        return Reply(200, certificate(), {"Content-Type": "application/x-pem-file"})


def _object(request: Request) -> Object:
    try:
        body = request.json()
    except ValueError:
        raise refusal(400, "MALFORMED_REQUEST_JSON") from None
    if body is not None and not isinstance(body, dict):
        raise refusal(400, "MALFORMED_REQUEST_JSON")
    return body or {}


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _moment(request: Request, name: str) -> datetime:
    try:
        return _at(request.query[name])
    except (KeyError, ValueError):
        raise refusal(400, "INVALID_PARAMETER_VALUE", name) from None


def _number(request: Request, name: str, usual: int, most: int) -> int:
    given = request.query.get(name, str(usual))
    if not given.isdigit() or not 1 <= int(given) <= most:
        raise refusal(400, "INVALID_PARAMETER_VALUE", name)
    return int(given)


def _link(path: str, rel: str) -> Object:
    return {"href": API + path, "rel": rel, "method": "GET"}


def _disputed(dispute: Any) -> str:
    return str(dispute["disputed_transactions"][0]["seller_transaction_id"])
