"""The till of the practice office: a payment page for buyers, and what becomes of the payments."""

from __future__ import annotations

from decimal import Decimal

from finalmarket.sandbox.platforms.practice_office.desk import Desk, Fields, outside, refusal
from finalmarket.sandbox.stand_in import Reply, Request, route

HELD = ("reserved", "taken", "given_back", "disputed")


class Till(Desk):
    """Payments. A payment is waiting, approved, reserved, taken, released, failed, given_back or disputed."""

    @route("GET", "/v1/payments")
    def list_payments(self, request: Request) -> Reply:
        return self._list(request, "payments")

    @route("GET", "/v1/payments/{number}")
    def read_payment(self, request: Request, number: str) -> Reply:
        return Reply(200, self._one("payments", number))

    @route("POST", "/v1/payments")
    def start_payment(self, request: Request) -> Reply:
        return self._once(request, lambda: self._start(request.json(), request.headers.get("host", "")))

    def _start(self, told: Fields, host: str) -> Reply:
        if Decimal(told["amount"]) <= 0:
            raise refusal(422, "no_amount", "there is nothing to pay")
        number = f"P{self._next()}"
        payment = {
            **told, "id": number, "state": "waiting", "taken": "0", "refunds": [],
            "approve_url": f"http://{host}/{self.slug}/{self.account}/pay/{number}",
        }  # fmt: skip
        self.state["payments"][number] = payment
        self.effect("payment", id=number, state="waiting", amount=told["amount"])
        self._changed("payment.changed", payment)
        return Reply(201, payment)

    @route("GET", "/pay/{number}", is_open=True)
    def payment_page(self, request: Request, number: str) -> Reply:
        """The page where the buyer says yes (or, with `?answer=no`, gives up) and is sent back."""
        payment = self._one("payments", number)
        says_no = request.query.get("answer") == "no"
        if not says_no and payment["state"] == "waiting":
            self.approve(number)
        return Reply(303, None, {"Location": payment["cancel_url" if says_no else "return_url"]})

    @route("POST", "/v1/payments/{number}/finish")
    def finish_payment(self, request: Request, number: str) -> Reply:
        return self._once(request, lambda: self._finish(number))

    def _finish(self, number: str) -> Reply:
        payment = self._one("payments", number)
        if payment["state"] in HELD:
            return Reply(200, payment)
        if payment["state"] != "approved":
            raise refusal(422, "not_approved", f"the payment is {payment['state']}")
        if payment["reserve_only"]:
            return self._settle(payment, "reserved")
        return self._settle(payment, "taken", payment["amount"])

    @route("POST", "/v1/payments/{number}/capture")
    def capture(self, request: Request, number: str) -> Reply:
        return self._once(request, lambda: self._capture(number, request.json()["amount"]))

    def _capture(self, number: str, amount: str) -> Reply:
        payment = self._one("payments", number)
        if payment["state"] != "reserved" or Decimal(amount) > Decimal(payment["amount"]):
            raise refusal(422, "not_open", f"the payment is {payment['state']}, of {payment['amount']}")
        return self._settle(payment, "taken", amount)

    @route("POST", "/v1/payments/{number}/release")
    def release(self, request: Request, number: str) -> Reply:
        return self._once(request, lambda: self._release(number))

    def _release(self, number: str) -> Reply:
        payment = self._one("payments", number)
        if payment["state"] in ("taken", "given_back", "disputed", "failed"):
            raise refusal(422, "not_open", f"the payment is {payment['state']}")
        return Reply(200, payment) if payment["state"] == "released" else self._settle(payment, "released")

    @route("POST", "/v1/payments/{number}/refunds")
    def refund(self, request: Request, number: str) -> Reply:
        return self._once(request, lambda: self._refund(number, request.json()))

    def _refund(self, number: str, told: Fields) -> Reply:
        payment = self._one("payments", number)
        given = sum((Decimal(refund["amount"]) for refund in payment["refunds"]), Decimal(0)) + Decimal(told["amount"])
        if payment["state"] != "taken" or told["currency"] != payment["currency"] or given > Decimal(payment["taken"]):
            raise refusal(422, "too_much", f"{payment['taken']} were taken, the payment is {payment['state']}")
        refund = {"id": f"R{self._next()}", "amount": told["amount"], "reason": told.get("reason", "")}
        payment["refunds"].append(refund)
        payment["state"] = "given_back" if given == Decimal(payment["taken"]) else "taken"
        self.effect("refund", payment=number, id=refund["id"], amount=refund["amount"])
        self._changed("payment.changed", payment)
        return Reply(201, refund)

    def _settle(self, payment: Fields, state: str, taken: str = "") -> Reply:
        payment["state"], payment["taken"] = state, taken or payment["taken"]
        self.effect("payment", id=payment["id"], state=state, amount=taken or payment["amount"])
        self._changed("payment.changed", payment)
        return Reply(200, payment)

    # The outside world.

    @outside
    def add_payment(self, amount: Decimal, *, state: str = "reserved", order: str = "", currency: str = "EUR") -> str:
        """A payment that came about elsewhere; returns its id."""
        told = {
            "order": order, "amount": str(amount), "currency": currency, "return_url": "", "cancel_url": "",
            "reserve_only": True, "description": "", "email": "",
        }  # fmt: skip
        number = f"P{self._next()}"
        taken = str(amount) if state == "taken" else "0"
        payment = {**told, "id": number, "state": state, "taken": taken, "refunds": [], "approve_url": ""}
        self.state["payments"][number] = payment
        self._changed("payment.changed", payment)
        return number

    def approve(self, payment: str) -> None:
        """The buyer says yes on the payment page."""
        self._becomes(payment, "approved", only_from=("waiting",))

    def fail(self, payment: str) -> None:
        """The buyer's bank says no."""
        self._becomes(payment, "failed", only_from=("waiting", "approved", "reserved"))

    def dispute(self, payment: str) -> None:
        """The buyer wants the money back from their bank."""
        self._becomes(payment, "disputed", only_from=("taken",))

    def win_dispute(self, payment: str) -> None:
        """The bank finds for the merchant: the money stays."""
        self._becomes(payment, "taken", only_from=("disputed",))

    def lose_dispute(self, payment: str) -> None:
        """The bank finds for the buyer: the money is gone."""
        self._becomes(payment, "given_back", only_from=("disputed",))

    def refund_by_hand(self, payment: str, amount: Decimal) -> str:
        """Somebody gives money back in the office itself; returns the refund's id."""
        told = {"amount": str(amount), "currency": self._one("payments", payment)["currency"], "reason": "by hand"}
        with self.lock:
            return str(self._refund(payment, told).body["id"])

    @outside
    def _becomes(self, number: str, state: str, *, only_from: tuple[str, ...]) -> None:
        payment = self._one("payments", number)
        if payment["state"] not in only_from:
            raise ValueError(f"payment {number} is {payment['state']}, not {' or '.join(only_from)}")
        payment["state"] = state
        self._changed("payment.changed", payment)
