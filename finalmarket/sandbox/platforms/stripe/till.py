"""What shoppers, the merchant and banks do with money; every step moves the objects and tells of it in events."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from finalmarket.sandbox.platforms.stripe.account import Account
from finalmarket.sandbox.platforms.stripe.forms import Object, missing, refusal
from finalmarket.sandbox.platforms.stripe.objects import (
    new_charge,
    new_customer,
    new_dispute,
    new_intent,
    new_refund,
    one_page,
)

THREE_DECIMALS = ("bhd", "jod", "kwd", "omr", "tnd")
WHOLE_ONLY = ("isk", "ugx")
MINIMUM = {"eur": 50, "usd": 50, "gbp": 30, "jpy": 50}
CANCELLABLE = (
    "requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing",
)  # fmt: skip
OPEN_DISPUTES = ("warning_needs_response", "warning_under_review", "needs_response", "under_review")
RETURNED = ("pending", "succeeded", "requires_action")


class Till(Account):
    """The first floor of the stand-in. Amounts are in the currency's smallest unit."""

    # Shoppers.

    def begin(
        self, amount: int, currency: str = "eur", *, capture: bool = True, order_id: str = "", customer: str = "",
        email: str = "", metadata: Mapping[str, str] | None = None, at: datetime | None = None,
    ) -> str:  # fmt: skip
        """Somebody comes to the till; nothing is paid yet. Returns the payment's id."""
        check_amount(amount, currency)
        intent = new_intent(self.new_id("payment_intents"), self.seconds(at), amount, currency, live=self.is_live)
        intent |= {
            "capture_method": "automatic" if capture else "manual", "customer": customer or None,
            "receipt_email": email or None,
            "metadata": {**({"order_id": order_id} if order_id else {}), **(metadata or {})},
        }  # fmt: skip
        self.state["payment_intents"][intent["id"]] = intent
        self.tell("payment_intent.created", intent, at=at)
        return str(intent["id"])

    def pay(
        self, amount: int, currency: str = "eur", *, capture: bool = True, order_id: str = "", customer: str = "",
        email: str = "", at: datetime | None = None,
    ) -> str:  # fmt: skip
        """A shopper pays, or has the amount held (`capture=False`). Returns the payment's id."""
        name = self.begin(
            amount, currency, capture=capture, order_id=order_id, customer=customer, email=email, at=at
        )  # fmt: skip
        self.confirm(name, at=at)
        return name

    def confirm(self, name: str, *, at: datetime | None = None) -> None:
        """The shopper's bank agrees to a payment that was begun."""
        intent = self.one("payment_intents", name)
        charge = self._charge(intent["amount"], intent["currency"], at)
        charge |= {"payment_intent": name, "customer": intent["customer"], "metadata": dict(intent["metadata"])}
        charge["billing_details"]["email"] = intent["receipt_email"]
        intent |= {
            "latest_charge": charge["id"],
            "last_payment_error": None,
            "payment_method": charge["payment_method"],
        }
        if intent["capture_method"] == "manual":
            intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
            self.effect("authorisation", payment=name, amount=intent["amount"], currency=intent["currency"])
            self.tell("charge.succeeded", charge, at=at)
            self.tell("payment_intent.amount_capturable_updated", intent, at=at)
        else:
            self._take(charge, intent["amount"])
            intent |= {"status": "succeeded", "amount_received": intent["amount"]}
            self.effect("payment", payment=name, amount=intent["amount"], currency=intent["currency"])
            self.tell("charge.succeeded", charge, at=at)
            self.tell("payment_intent.succeeded", intent, at=at)

    def decline(self, name: str, code: str = "insufficient_funds") -> None:
        """The shopper's bank refuses a payment that was begun; the shopper may try again."""
        intent = self.one("payment_intents", name)
        charge = self._charge(intent["amount"], intent["currency"])
        charge |= {
            "payment_intent": name, "paid": False, "status": "failed", "failure_code": "card_declined",
            "failure_message": "Your card was declined.", "metadata": dict(intent["metadata"]),
        }  # fmt: skip
        error = {
            "type": "card_error", "code": "card_declined", "decline_code": code, "charge": charge["id"],
            "message": "Your card was declined.",
        }  # fmt: skip
        intent |= {"status": "requires_payment_method", "latest_charge": charge["id"], "last_payment_error": error}
        self.tell("charge.failed", charge)
        self.tell("payment_intent.payment_failed", intent)

    def charge_without_intent(self, amount: int, currency: str = "eur", *, capture: bool = True) -> str:
        """A payment as the API took them before there were intents. Returns the charge's id."""
        check_amount(amount, currency)
        charge = self._charge(amount, currency)
        if capture:
            self._take(charge, amount)
        self.effect("payment" if capture else "authorisation", payment=charge["id"], amount=amount, currency=currency)
        self.tell("charge.succeeded", charge)
        return str(charge["id"])

    def _charge(self, amount: int, currency: str, at: datetime | None = None) -> Object:
        charge = new_charge(self.new_id("charges"), self.seconds(at), amount, currency, live=self.is_live)
        self.state["count"] += 1
        charge["payment_method"] = f"pm_practice{self.state['count']:012d}"
        self.state["charges"][charge["id"]] = charge
        return charge

    def sign_up(self, fields: Mapping[str, Any], *, at: datetime | None = None) -> Object:
        """Somebody becomes a customer."""
        customer = new_customer(self.new_id("customers"), self.seconds(at), live=self.is_live) | dict(fields)
        self.state["customers"][customer["id"]] = customer
        self.effect("customer", id=customer["id"], email=customer["email"])
        self.tell("customer.created", customer, at=at)
        return customer

    def change_customer(self, name: str, fields: Mapping[str, Any]) -> Object:
        """Something else becomes known of a customer."""
        customer = self.one("customers", name, "customer")
        before = {key: customer[key] for key in fields if customer[key] != fields[key]}
        customer |= fields
        if before:
            self.effect("customer changed", id=name, fields=sorted(before))
            self.tell("customer.updated", customer, before=before)
        return customer

    def delete_customer(self, name: str) -> Object:
        """A customer is deleted; only its name stays."""
        customer = self.one("customers", name, "customer")
        del self.state["customers"][name]
        gone = {"id": name, "object": "customer", "deleted": True}
        self.state["deleted"][name] = gone
        self.effect("customer deleted", id=name)
        self.tell("customer.deleted", customer)
        return gone

    # Agents.

    def grant(self, most: int, currency: str = "eur", *, is_declined: bool = False) -> str:
        """An assistant grants us a token that is good for one payment of so much; of a card whose bank says no, if
        `is_declined`. Returns the token."""
        self.state["count"] += 1
        token = f"spt_practice{self.state['count']:012d}"
        self.state["granted"][token] = {"most": most, "currency": currency, "is_declined": is_declined, "used": False}
        return token

    def use_token(self, token: str, amount: int, currency: str) -> None:
        """Somebody pays by a token. Raises Refused for one that is not there or used up, for more than it is good for,
        and where the bank says no."""
        granted = self.state["granted"].get(token)
        param = "payment_method_data[shared_payment_granted_token]"
        if granted is None:
            raise missing("shared_payment_granted_token", token, param, 400)
        if granted["used"] or amount > granted["most"] or currency.lower() != granted["currency"]:
            raise refusal(400, "The token cannot be used for this payment.", code="payment_method_invalid", param=param)
        if granted["is_declined"]:
            raise refusal(402, "Your card was declined.", kind="card_error", code="card_declined",
                          decline_code="generic_decline")  # fmt: skip
        granted["used"] = True

    # The merchant.

    def capture(self, name: str, amount: int | None = None) -> Object:
        """Take a held amount, or a part of it; the rest is let go, without a refund object."""
        intent = self.one("payment_intents", name, "intent")
        if intent["status"] != "requires_capture":
            raise _unexpected(intent, "captured", "requires_capture")
        taken = intent["amount_capturable"] if amount is None else amount
        check_amount(taken, intent["currency"], "amount_to_capture")
        if taken > intent["amount_capturable"]:
            raise refusal(
                400, "You cannot capture more than is capturable.", code="amount_too_large", param="amount_to_capture"
            )
        charge = self.one("charges", intent["latest_charge"])
        self._take(charge, taken)
        intent |= {"status": "succeeded", "amount_received": taken, "amount_capturable": 0}
        self.effect("capture", payment=name, amount=taken, currency=intent["currency"])
        self.tell("charge.captured", charge)
        self.tell("payment_intent.succeeded", intent)
        return intent

    def capture_charge(self, name: str, amount: int | None = None) -> Object:
        """Take the held amount of a charge without an intent."""
        charge = self.one("charges", name, "charge")
        if charge["captured"]:
            raise refusal(400, f"Charge {name} has already been captured.", code="charge_already_captured")
        taken = charge["amount"] if amount is None else amount
        check_amount(taken, charge["currency"])
        if taken > charge["amount"]:
            raise refusal(400, "You cannot capture more than was charged.", code="amount_too_large", param="amount")
        self._take(charge, taken)
        self.effect("capture", payment=name, amount=taken, currency=charge["currency"])
        self.tell("charge.captured", charge)
        return charge

    def cancel(self, name: str, reason: str | None = None) -> Object:
        """Let a held amount go, or end a payment that was only begun."""
        intent = self.one("payment_intents", name, "intent")
        if intent["status"] not in CANCELLABLE:
            raise _unexpected(intent, "canceled", ", ".join(CANCELLABLE))
        intent |= {
            "status": "canceled", "canceled_at": self.seconds(), "cancellation_reason": reason, "amount_capturable": 0,
        }  # fmt: skip
        self.effect("cancellation", payment=name)
        self.tell("payment_intent.canceled", intent)
        return intent

    def give_back(
        self, name: str, amount: int | None = None, *, reason: str | None = None, metadata: Mapping[str, str] = {}
    ) -> Object:
        """Give money back of a payment or a charge: all that is left, or so much."""
        param = "charge" if name in self.state["charges"] else "payment_intent"
        charge = self._charge_to_refund(name, param)
        left = charge["amount_captured"] - charge["amount_refunded"]
        if charge["disputed"] and any(
            not dispute["is_charge_refundable"] for dispute in self.disputes_of(charge["id"])
        ):
            raise refusal(400, f"Charge {charge['id']} has been charged back; no refund.", code="charge_disputed")
        if not left:
            words = f"Charge {charge['id']} has already been refunded."
            raise refusal(400, words, code="charge_already_refunded")
        returned = left if amount is None else amount
        check_amount(returned, charge["currency"])
        if returned > left:
            raise refusal(400, f"Refund amount ({returned}) is greater than what is left ({left}).", param="amount")
        refund = new_refund(self.new_id("refunds"), self.seconds(), charge, returned)
        refund |= {"reason": reason, "metadata": dict(metadata), "balance_transaction": self._transaction()}
        self.state["refunds"][refund["id"]] = refund
        self._sum_up(charge)
        self.effect("refund", payment=name, refund=refund["id"], amount=returned, currency=charge["currency"])
        self.tell("refund.created", refund)
        self.tell("charge.refunded", charge)
        return refund

    def fail_refund(self, name: str) -> None:
        """The bank sends a refund back: the money returns to the merchant."""
        refund = self.one("refunds", name)
        refund |= {"status": "failed", "failure_reason": "lost_or_stolen_card"}
        self._sum_up(self.one("charges", refund["charge"]))
        self.effect("refund failed", refund=name)
        self.tell("refund.failed", refund)

    def _charge_to_refund(self, name: str, param: str) -> Object:
        if param == "payment_intent":
            intent = self.one("payment_intents", name, param)
            if intent["status"] != "succeeded":
                raise refusal(400, f"PaymentIntent {name} has no successful charge to refund.", param=param)
            name = intent["latest_charge"]
        charge = self.one("charges", name, param)
        if not charge["captured"]:
            raise refusal(400, f"Charge {name} is not captured.", param=param)
        return charge

    def _take(self, charge: Object, amount: int) -> None:
        charge |= {"captured": True, "amount_captured": amount, "balance_transaction": self._transaction()}

    def _transaction(self) -> str:
        self.state["count"] += 1
        return f"txn_practice{self.state['count']:012d}"

    def _sum_up(self, charge: Object) -> None:
        returned = [refund["amount"] for refund in self.refunds_of(charge["id"]) if refund["status"] in RETURNED]
        charge["amount_refunded"] = sum(returned)
        charge["refunded"] = bool(returned) and charge["amount_refunded"] == charge["amount_captured"]

    # Banks.

    def dispute(self, name: str, *, status: str = "needs_response") -> str:
        """A cardholder disputes a payment. Returns the dispute's id."""
        charge = self._charge_to_refund(name, "charge" if name in self.state["charges"] else "payment_intent")
        dispute = new_dispute(self.new_id("disputes"), self.seconds(), charge, charge["amount_captured"], status)
        self.state["disputes"][dispute["id"]] = dispute
        charge["disputed"] = True
        self.effect("dispute", payment=name, dispute=dispute["id"], amount=dispute["amount"])
        self.tell("charge.dispute.created", dispute)
        return str(dispute["id"])

    def settle_dispute(self, name: str, status: str) -> None:
        """The bank decides: `won` gives the money back to the merchant, `lost` does not."""
        dispute = self.one("disputes", name, "dispute")
        dispute["status"] = status
        self.effect("dispute settled", dispute=name, status=status)
        self.tell("charge.dispute.closed", dispute)

    def expire(self, name: str) -> None:
        """A held amount was not captured for too long: the bank lets it go."""
        self.cancel(name, "expired")
        self.tell("charge.expired", self.one("charges", self.one("payment_intents", name)["latest_charge"]))

    # To look into.

    def refunds_of(self, charge: str) -> list[Object]:
        """The refunds of a charge, newest first."""
        return [refund for refund in reversed(self.state["refunds"].values()) if refund["charge"] == charge]

    def disputes_of(self, charge: str) -> list[Object]:
        """The disputes of a charge."""
        return [dispute for dispute in self.state["disputes"].values() if dispute["charge"] == charge]

    def show_charge(self, charge: Object, expand: set[str]) -> Object:
        """A charge with its refunds, the ten newest, if they are wanted."""
        if "refunds" not in expand:
            return charge
        refunds = self.refunds_of(charge["id"])
        url = f"/v1/charges/{charge['id']}/refunds"
        return {**charge, "refunds": one_page(refunds[:10], url, has_more=len(refunds) > 10)}

    def show_intent(self, intent: Object, expand: set[str]) -> Object:
        """A payment intent with what is wanted of its charge."""
        if "latest_charge" not in expand or intent["latest_charge"] is None:
            return intent
        inner = {path.removeprefix("latest_charge.") for path in expand}
        return {**intent, "latest_charge": self.show_charge(self.one("charges", intent["latest_charge"]), inner)}

    def paid(self) -> dict[str, dict[str, Any]]:
        """What stands of each payment, by its id: of intents, and of charges without one."""
        found = {}
        for charge in self.state["charges"].values():
            intent = self.state["payment_intents"].get(charge["payment_intent"] or "")
            found[charge["payment_intent"] or charge["id"]] = {
                "amount": charge["amount"], "currency": charge["currency"], "captured": charge["amount_captured"],
                "refunded": charge["amount_refunded"], "status": intent["status"] if intent else charge["status"],
                "disputes": {dispute["id"]: dispute["status"] for dispute in self.disputes_of(charge["id"])},
                "order_id": charge["metadata"].get("order_id", ""), "customer": charge["customer"] or "",
            }  # fmt: skip
        return found

    def shop(self, chance: random.Random) -> None:
        """One thing happens: mostly somebody pays; now and then an amount is only held, given back or disputed."""
        settled = [name for name, facts in self.paid().items() if facts["captured"] > facts["refunded"]]
        undisputed = [name for name in settled if not self.paid()[name]["disputes"]]
        what = chance.random()
        if what < 0.1 and undisputed:
            self.give_back(chance.choice(undisputed))
        elif what < 0.13 and undisputed:
            self.dispute(chance.choice(undisputed))
        else:
            self.state["count"] += 1
            number = f"practice-{self.state['count']}"
            self.pay(chance.randrange(500, 20_000), capture=what < 0.8, order_id=number, email=f"{number}@example.com")


def check_amount(amount: int, currency: str, param: str = "amount") -> None:
    """Refuse an amount that Stripe does not take: nothing, a part of a króna, a thousandth that is not 0."""
    if amount < 1:
        raise refusal(400, "This value must be greater than or equal to 1.", code="amount_too_small", param=param)
    if currency in WHOLE_ONLY and amount % 100:
        code = "invalid_charge_amount_no_decimal_compatible"
        raise refusal(400, f"{currency.upper()} amounts must be evenly divisible by 100.", code=code, param=param)
    if currency in THREE_DECIMALS and amount % 10:
        raise refusal(400, f"The last digit of {currency.upper()} amounts must be 0.", param=param)


def _unexpected(intent: Object, done: str, wanted: str) -> Exception:
    words = (
        f"This PaymentIntent could not be {done} because it has a status of {intent['status']}. "
        f"Only a PaymentIntent with one of the following statuses may be {done}: {wanted}."
    )
    return refusal(400, words, code="payment_intent_unexpected_state", payment_intent=intent)
