"""What buyers, the merchant and PayPal do with money; every step moves the order, the report and the events."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from finalmarket.sandbox.platforms.paypal.account import Account, Object, refusal

API = "https://api-m.paypal.com"
PAYER = {"name": {"given_name": "A.", "surname": "Buyer"}, "payer_id": "QYR5Z8XDVJNXQ"}
HOLD_LASTS = timedelta(days=29)
NO_FRACTIONS = ("HUF", "JPY", "TWD")
OPEN_HOLDS = ("CREATED", "PARTIALLY_CAPTURED")
TAKEN = ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")


def amount_in(told: Any, field: str = "amount") -> Decimal:
    """The amount that is told. Refuses what PayPal refuses."""
    amount = Decimal(told["value"])
    digits = -int(amount.as_tuple().exponent)
    if told["currency_code"] in NO_FRACTIONS and digits > 0:
        raise refusal(422, "DECIMALS_NOT_SUPPORTED", f"/{field}/value")
    if digits > 2:
        raise refusal(422, "DECIMAL_PRECISION", f"/{field}/value")
    if amount <= 0:
        raise refusal(422, "CANNOT_BE_ZERO_OR_NEGATIVE", f"/{field}/value")
    return amount


class Till(Account):
    """The first floor of the stand-in."""

    # Buyers.

    def open_order(self, asked: Object, at: datetime | None = None) -> Object:
        """Somebody is sent to PayPal's page; nothing is paid yet."""
        for unit in asked["purchase_units"]:
            amount_in(unit["amount"], "purchase_units/0/amount")
        name = self.new_id()
        source = asked.get("payment_source")
        href = f"https://www.paypal.com/checkoutnow?token={name}"
        order = {
            "id": name, "status": "PAYER_ACTION_REQUIRED" if source else "CREATED", "intent": asked["intent"],
            "purchase_units": [{"reference_id": "default", **unit} for unit in asked["purchase_units"]],
            "create_time": self.text(at), "update_time": self.text(at),
            "links": [
                {"href": f"{API}/v2/checkout/orders/{name}", "rel": "self", "method": "GET"},
                {"href": href, "rel": "payer-action" if source else "approve", "method": "GET"},
            ],
        }  # fmt: skip
        self.state["orders"][name] = order
        self.effect("order", id=name)
        return order

    def approve(self, name: str, email: str = "buyer@example.com", at: datetime | None = None) -> None:
        """The buyer says yes on PayPal's page."""
        order = self.order(name)
        order |= {
            "status": "APPROVED", "update_time": self.text(at), "payer": {**PAYER, "email_address": email},
            "payment_source": {"paypal": {"email_address": email, "account_id": PAYER["payer_id"]}},
        }  # fmt: skip
        self.tell("CHECKOUT.ORDER.APPROVED", "checkout-order", order, at)

    def pay(
        self, amount: str, currency: str = "EUR", *, capture: bool = True, order_number: str = "", email: str =
        "buyer@example.com", at: datetime | None = None,
    ) -> str:  # fmt: skip
        """A buyer pays, or has the amount held (`capture=False`). Returns the order's id."""
        unit: Object = {"amount": {"currency_code": currency, "value": amount}}
        unit |= {"custom_id": order_number} if order_number else {}
        intent = "CAPTURE" if capture else "AUTHORIZE"
        name = str(self.open_order({"intent": intent, "purchase_units": [unit]}, at)["id"])
        self.approve(name, email, at)
        self.take_order(name, at) if capture else self.hold_order(name, at)
        return name

    # The merchant.

    def hold_order(self, name: str, at: datetime | None = None) -> Object:
        """Hold what the buyer agreed to."""
        order = self._agreed(name, "AUTHORIZE", "ORDER_ALREADY_AUTHORIZED")
        for unit in order["purchase_units"]:
            hold = self._part(order, unit, "authorizations", unit["amount"], at)
            hold |= {"status": "CREATED", "expiration_time": self.text((at or self.now()) + HOLD_LASTS)}
            self.effect("authorisation", order=name, id=hold["id"], amount=hold["amount"]["value"])
            self._row(hold, "T1300", "ODR", name, at)
            self.tell("PAYMENT.AUTHORIZATION.CREATED", "authorization", self.shown(hold), at)
        return self._done(order, at)

    def take_order(self, name: str, at: datetime | None = None) -> Object:
        """Take what the buyer agreed to."""
        order = self._agreed(name, "CAPTURE", "ORDER_ALREADY_CAPTURED")
        for unit in order["purchase_units"]:
            self._take(order, unit, unit["amount"], "ODR", name, at)
        return self._done(order, at)

    def capture(self, hold_id: str, told: Object | None = None, *, is_final: bool = False) -> Object:
        """Take a held amount, or a part of it; the rest stays held, unless this is the final one."""
        order, unit, hold = self.part("authorizations", hold_id)
        if hold["status"] not in OPEN_HOLDS:
            closed = "AUTHORIZATION_VOIDED" if hold["status"] == "VOIDED" else "AUTHORIZATION_ALREADY_CAPTURED"
            raise refusal(422, closed)
        taken = sum((Decimal(one["amount"]["value"]) for one in unit["payments"].get("captures", ())), Decimal(0))
        left = Decimal(hold["amount"]["value"]) - taken
        wanted = told or {**hold["amount"], "value": str(left)}
        if wanted["currency_code"] != hold["amount"]["currency_code"]:
            raise refusal(422, "CURRENCY_MISMATCH", "/amount/currency_code")
        if amount_in(wanted) > left:
            raise refusal(422, "MAX_CAPTURE_AMOUNT_EXCEEDED", "/amount/value")
        capture = self._take(order, unit, wanted, "TXN", hold_id, None)
        is_whole = is_final or amount_in(wanted) == left
        hold |= {"status": "CAPTURED" if is_whole else "PARTIALLY_CAPTURED", "update_time": self.text()}
        order["update_time"] = self.text()
        return capture

    def void(self, hold_id: str, at: datetime | None = None) -> Object:
        """Let a held amount go."""
        order, _, hold = self.part("authorizations", hold_id)
        if hold["status"] not in OPEN_HOLDS:
            raise refusal(422, "PREVIOUSLY_VOIDED" if hold["status"] == "VOIDED" else "PREVIOUSLY_CAPTURED")
        hold |= {"status": "VOIDED", "update_time": self.text(at)}
        order["update_time"] = self.text(at)
        self.effect("void", order=order["id"], id=hold_id)
        self.tell("PAYMENT.AUTHORIZATION.VOIDED", "authorization", self.shown(hold), at)
        return hold

    def give_back(self, capture_id: str, told: Object | None = None, **noted: str) -> Object:
        """Give money back of a capture: so much, or all that is left."""
        order, unit, capture = self.part("captures", capture_id)
        if capture["status"] == "PENDING":
            raise refusal(422, "PENDING_CAPTURE")
        if capture["status"] not in ("COMPLETED", "PARTIALLY_REFUNDED"):
            raise refusal(422, "CAPTURE_FULLY_REFUNDED")
        left = Decimal(capture["amount"]["value"]) - self._given(unit, capture_id)
        wanted = told or {**capture["amount"], "value": str(left)}
        if wanted["currency_code"] != capture["amount"]["currency_code"]:
            raise refusal(422, "REFUND_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code")
        if amount_in(wanted) > left:
            raise refusal(422, "REFUND_AMOUNT_EXCEEDED", "/amount/value")
        refund = self._part(order, unit, "refunds", wanted, None)
        refund |= {"status": "COMPLETED", **noted}
        refund["links"].append({"href": f"{API}/v2/payments/captures/{capture_id}", "rel": "up", "method": "GET"})
        is_whole = amount_in(wanted) == left
        capture |= {"status": "REFUNDED" if is_whole else "PARTIALLY_REFUNDED", "update_time": self.text()}
        order["update_time"] = self.text()
        self.effect("refund", order=order["id"], id=refund["id"], amount=wanted["value"])
        self._row(refund, "T1107", "TXN", capture_id, None, sign="-")
        self.tell("PAYMENT.CAPTURE.REFUNDED", "refund", refund)
        return refund

    def _agreed(self, name: str, intent: str, done: str) -> Object:
        order = self.order(name)
        if order["intent"] != intent:
            raise refusal(422, "ACTION_DOES_NOT_MATCH_INTENT")
        if order["status"] == "COMPLETED":
            raise refusal(422, done)
        if order["status"] != "APPROVED":
            raise refusal(422, "ORDER_NOT_APPROVED")
        return order

    def _done(self, order: Object, at: datetime | None) -> Object:
        order |= {"status": "COMPLETED", "update_time": self.text(at)}
        order["links"] = order["links"][:1]
        return order

    def _take(
        self, order: Object, unit: Object, amount: Object, kind: str, reference: str, at: datetime | None
    ) -> Object:
        capture = self._part(order, unit, "captures", amount, at)
        capture |= {"status": "COMPLETED", "final_capture": kind == "ODR"}
        self.effect("capture", order=order["id"], id=capture["id"], amount=amount["value"])
        self._row(capture, "T0006", kind, reference, at)
        self.tell("PAYMENT.CAPTURE.COMPLETED", "capture", self.shown(capture), at)
        return capture

    def _part(self, order: Object, unit: Object, kind: str, amount: Object, at: datetime | None) -> Object:
        name = self.new_id()
        href = f"{API}/v2/payments/{kind}/{name}"
        part: Object = {
            "id": name, "amount": dict(amount), "create_time": self.text(at), "update_time": self.text(at),
            "links": [{"href": href, "rel": "self", "method": "GET"}],
            **{field: unit[field] for field in ("custom_id", "invoice_id") if field in unit and kind != "refunds"},
        }  # fmt: skip
        unit.setdefault("payments", {}).setdefault(kind, []).append(part)
        self.state["owners"][name] = order["id"]
        return part

    def _given(self, unit: Object, capture_id: str) -> Decimal:
        given = [one for one in unit["payments"].get("refunds", ()) if one["links"][-1]["href"].endswith(capture_id)]
        return sum((Decimal(one["amount"]["value"]) for one in given if one["status"] == "COMPLETED"), Decimal(0))

    def _row(self, part: Object, code: str, kind: str, reference: str, at: datetime | None, *, sign: str = "") -> None:
        """A row of the report."""
        amount = {**part["amount"], "value": sign + part["amount"]["value"]}
        self.state["rows"].append(
            {
                "transaction_id": part["id"], "paypal_reference_id": reference, "paypal_reference_id_type": kind,
                "transaction_event_code": code, "transaction_initiation_date": self.text(at),
                "transaction_updated_date": self.text(at), "transaction_amount": amount, "transaction_status": "S",
            }
        )  # fmt: skip

    def add_row(self, code: str, amount: str, currency: str = "EUR", at: datetime | None = None) -> None:
        """Something else moves money: a fee, a payout."""
        name = self.new_id()
        part = {"id": name, "amount": {"currency_code": currency, "value": amount}}
        self._row(part, code, "PAP", name, at)

    # PayPal.

    def dispute(self, order_id: str, reason: str = "MERCHANDISE_OR_SERVICE_NOT_RECEIVED") -> str:
        """A buyer disputes what was taken. Returns the dispute's id."""
        capture = self.order(order_id)["purchase_units"][0]["payments"]["captures"][0]
        name = f"PP-D-{self.next()}"
        dispute = {
            "dispute_id": name, "create_time": self.text(), "update_time": self.text(), "reason": reason,
            "status": "OPEN", "dispute_state": "REQUIRED_ACTION", "dispute_amount": capture["amount"],
            "dispute_life_cycle_stage": "INQUIRY", "dispute_channel": "INTERNAL",
            "disputed_transactions": [{"seller_transaction_id": capture["id"], "gross_amount": capture["amount"]}],
            "links": [{"href": f"{API}/v1/customer/disputes/{name}", "rel": "self", "method": "GET"}],
        }  # fmt: skip
        self.state["disputes"][name] = dispute
        self.effect("dispute", id=name, order=order_id)
        self.tell("CUSTOMER.DISPUTE.CREATED", "dispute", dispute)
        return name

    def settle_dispute(self, name: str, outcome: str) -> None:
        """PayPal decides: RESOLVED_BUYER_FAVOUR or RESOLVED_SELLER_FAVOUR."""
        dispute = self.state["disputes"][name]
        dispute |= {
            "status": "RESOLVED", "dispute_state": "RESOLVED", "update_time": self.text(),
            "dispute_outcome": {"outcome_code": outcome},
        }  # fmt: skip
        self.effect("dispute settled", id=name, outcome=outcome)
        self.tell("CUSTOMER.DISPUTE.RESOLVED", "dispute", dispute)

    # To look into.

    def order(self, name: str) -> Object:
        """An order; refuses a name that is none."""
        found: Object | None = self.state["orders"].get(name)
        if found is None:
            raise refusal(404, "INVALID_RESOURCE_ID")
        return found

    def part(self, kind: str, name: str) -> tuple[Object, Object, Object]:
        """A part of a payment, with its order and its unit; refuses a name that is none."""
        order = self.state["orders"].get(self.state["owners"].get(name))
        for unit in order["purchase_units"] if order else ():
            for one in unit.get("payments", {}).get(kind, ()):
                if one["id"] == name:
                    return order, unit, one
        raise refusal(404, "INVALID_RESOURCE_ID")

    def shown(self, part: Object) -> Object:
        """A part as it is shown by itself: it names its order."""
        return {**part, "supplementary_data": {"related_ids": {"order_id": self.state["owners"][part["id"]]}}}
