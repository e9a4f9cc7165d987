"""What goes out to Square beside the catalogue: stock, fulfilments, refunds, cancellations, customers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from finalmarket.connectors.answers import if_there, part_in
from finalmarket.connectors.errors import Rejected, RetryLater
from finalmarket.connectors.moments import to_millisecond
from finalmarket.connectors.money import to_minor
from finalmarket.connectors.people import address_fields, split_name
from finalmarket.connectors.platforms.square.calls import KEY_REUSED, STALE, Located, errors_of, explain, name_of
from finalmarket.connectors.platforms.square.parcels import cancelled_parcels, parcel_told
from finalmarket.connectors.platforms.square.reading import given
from finalmarket.connectors.platforms.square.returns import NOT_GIVEN_BACK, refund_name
from finalmarket.connectors.platforms.square.words import ADDRESS, is_cancelled
from finalmarket.connectors.records import (
    CustomerContent,
    FulfilmentNotice,
    Raw,
    RefundNotice,
    StockLevel,
)
from finalmarket.connectors.refusals import keyed, refused_as, taken, tell_in_halves
from finalmarket.connectors.vocabulary import filled
from finalmarket.kernel import clock

COUNTED_WITHIN = timedelta(hours=25)  # a count may be a day old when it is told
MOST_LETTERS_OF_A_REASON = 192


class Writing(Located):
    """Pushes."""

    # Stock.

    stock_batch_limit = 100  # "Max size is 100 changes", the vendor's SDK documentation says

    def push_stock(self, levels: Sequence[StockLevel]) -> Sequence[Rejected]:
        """Set what is in stock, as physical counts of this moment. Square takes a batch whole or not at all: of one
        that it refuses each half is told for itself, down to the levels that are wrong."""
        return tell_in_halves(levels, self._count, lambda level: level.ref.key)

    def _count(self, levels: Sequence[StockLevel]) -> None:
        """Tell the counts under a key made of them. Told again at another moment the same key is refused: then those
        that Square has noted are done, and the others are told under a key of their own."""
        names = [count_name(level, self.place_of(level.location)) for level in levels]
        try:
            self._send_counts(levels, name_of(*names))
        except Rejected as refused:
            if refused.code != KEY_REUSED:
                raise
            noted = self._noted(levels)
            missing = [level for level, name in zip(levels, names, strict=True) if name not in noted]
            if missing:
                self._send_counts(missing, f"fm-{uuid.uuid4().hex}")

    def _send_counts(self, levels: Sequence[StockLevel], key: str) -> None:
        at = to_millisecond(clock.now())
        changes = [count_change(level, self.place_of(level.location), at) for level in levels]
        # Unchanged since the last count is not unchanged: something may have been sold since.
        body = {"idempotency_key": key, "changes": changes, "ignore_unchanged_counts": False}
        data = self.http.call("POST", "/v2/inventory/changes/batch-create", json=body, repeatable=True).data
        for error in errors_of(data):
            code, words = explain(error)
            raise Rejected(self.http.scrub(f"{code}: {words}"), code=code)

    def _noted(self, levels: Sequence[StockLevel]) -> set[str]:
        """The names of the counts that Square has of these variations."""
        body: dict[str, Any] = {
            "catalog_object_ids": sorted({level.ref.key for level in levels}), "types": ["PHYSICAL_COUNT"],
            "updated_after": to_millisecond(clock.now() - COUNTED_WITHIN), "limit": 1000,
        }  # fmt: skip
        changes = self.all_of("/v2/inventory/changes/batch-retrieve", body, "changes")
        return {str((change.get("physical_count") or {}).get("reference_id")) for change in changes}

    # Orders.

    def push_fulfilment(self, notice: FulfilmentNotice) -> str:
        """Tell the order's fulfilment of a parcel; it is completed when all its goods have left."""
        uid = ""

        def told(order: Raw) -> Mapping[str, Any] | None:
            nonlocal uid
            uid, parcel = parcel_told(order, notice)
            return None if parcel is None else {"fulfillments": [parcel]}

        self._change_order(notice.order_id, notice.key, told)
        return uid

    def push_cancellation(self, order_id: str, reason: str, key: str) -> None:
        """Cancel an order that was not paid; of one that was paid, its fulfilments: the money goes back by a refund."""

        def told(order: Raw) -> Mapping[str, Any] | None:
            if is_cancelled(order):
                return None
            parcels = cancelled_parcels(order, reason)
            if order.get("state") == "COMPLETED":
                raise Rejected("the order is completed there: give the money back instead", key=key)
            if not order.get("tenders"):
                return {"state": "CANCELED", **({"fulfillments": parcels} if parcels else {})}
            if not parcels:
                raise Rejected("the order is paid and has no open fulfilment: give the money back instead", key=key)
            return {"fulfillments": parcels}

        self._change_order(order_id, key, told)

    def _change_order(self, order_id: str, key: str, told: Callable[[Raw], Mapping[str, Any] | None]) -> None:
        """Change an order from the state that it has now; if what was read was outdated, once more.

        Raises Rejected, with the notice's key, for an order that Square does not have or lets nobody change.
        """
        path = f"/v2/orders/{quote(order_id, safe='')}"
        try:
            try:
                self._change_order_once(path, key, told)
            except (Rejected, RetryLater) as refused:
                if refused.code not in STALE and refused.status != 404:
                    raise
                self._change_order_once(path, key, told)
        except (Rejected, RetryLater) as refused:
            if refused.code in STALE:
                raise RetryLater(refused.reason, code=refused.code, status=refused.status) from None
            raise keyed(refused, key) if isinstance(refused, Rejected) else refused from None

    def _change_order_once(self, path: str, key: str, told: Callable[[Raw], Mapping[str, Any] | None]) -> None:
        order = part_in(self.http.call("GET", path), "order")
        change = told(order)
        if change is None:
            return
        if order.get("version") is None:
            raise Rejected("the order was made at a till: Square lets no other application change it")
        whole = {"location_id": order["location_id"], "version": order["version"], **change}
        body = {"order": whole, "idempotency_key": name_of(key, str(order["version"]))}
        self.http.call("PUT", path, json=body, repeatable=True)

    def push_refund(self, notice: RefundNotice) -> str:
        """Give money of a payment back. Square answers the same key with the same refund."""
        with refused_as(notice.key):
            if not notice.payment_id:
                raise Rejected("the refund does not say of which payment: Square gives back payments, not orders")
            minor = taken(lambda: to_minor(notice.amount, notice.currency))
            amount = {"amount": minor, "currency": notice.currency}
            body = {
                "idempotency_key": name_of(notice.key), "payment_id": notice.payment_id, "amount_money": amount,
                **given({"reason": notice.reason[:MOST_LETTERS_OF_A_REASON]}),
            }  # fmt: skip
            refund = part_in(self.http.call("POST", "/v2/refunds", json=body, repeatable=True), "refund")
        if refund.get("status") in NOT_GIVEN_BACK:
            raise Rejected(f"the refund is {refund['status']}", key=notice.key, code=str(refund["status"]))
        return refund_name(str(refund.get("id") or ""), notice.payment_id)

    # Customers.

    def push_customer(self, content: CustomerContent) -> str:
        """Make a customer, or change what is told; what is empty stays as it is there."""
        with refused_as(content.key):
            if content.external_id:
                path = f"/v2/customers/{quote(content.external_id, safe='')}"
                answer = self.http.call("PUT", path, json=customer_fields(content), repeatable=True)
            else:
                body = {"idempotency_key": name_of(content.key), **customer_fields(content)}
                answer = self.http.call("POST", "/v2/customers", json=body, repeatable=True)
        return str(part_in(answer, "customer").get("id") or "")

    def erase_customer(self, external_id: str) -> None:
        """See ErasesCustomers. Orders and payments stay as they are."""
        path = f"/v2/customers/{quote(external_id, safe='')}"
        if_there(lambda: self.http.call("DELETE", path, repeatable=True))


def count_name(level: StockLevel, location: str) -> str:
    """What one told number is called, at every try."""
    return name_of(level.key, level.ref.key, location, str(level.quantity))


def count_change(level: StockLevel, location: str, at: str) -> Raw:
    """A physical count: sales after its moment are taken off it, those before are not."""
    count = {
        "reference_id": count_name(level, location), "catalog_object_id": level.ref.key, "state": "IN_STOCK",
        "location_id": location, "quantity": str(level.quantity), "occurred_at": at,
    }  # fmt: skip
    return {"type": "PHYSICAL_COUNT", "physical_count": count}


def customer_fields(content: CustomerContent) -> dict[str, Any]:
    """A customer in Square's words: the last word of a name is the family name. Consent cannot be told."""
    first, last = split_name(content.name)
    told: dict[str, Any] = {
        "given_name": first, "family_name": last, "email_address": content.email, "phone_number": content.phone,
        "company_name": content.address.company, "address": address_fields(content.address, ADDRESS),
    }  # fmt: skip
    return filled(told)
