"""Shopify: what goes out: parcels, refunds and cancellations. Each looks first whether it was told already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.money import minor_units
from finalmarket.connectors.platforms.shopify.entrance import refuse
from finalmarket.connectors.platforms.shopify.incoming import Incoming
from finalmarket.connectors.platforms.shopify.orders import AUTHORISATIONS, PARCELS, parcel_record
from finalmarket.connectors.platforms.shopify.words import KEY_TRIES, failed_before, gid, key_of, written
from finalmarket.connectors.records import FulfilmentNotice, FulfilmentRecord, Raw, RefundNotice

READY = frozenset({"OPEN", "IN_PROGRESS"})  # fulfilment orders that can be fulfilled
# A word within our reason, and what stands for it in Shopify's list.
CANCEL_REASONS: Mapping[str, str] = {
    "customer": "CUSTOMER", "stock": "INVENTORY", "fraud": "FRAUD", "payment": "DECLINED", "declined": "DECLINED",
}  # fmt: skip
MOST_NOTE_LETTERS = 255
MARK_LETTERS = 13


class Shipping(Incoming):
    """Pushes of what happened to orders."""

    # Parcels.

    def push_fulfilment(self, notice: FulfilmentNotice) -> str:
        """See PushesFulfilments. A parcel leaves from one of Shopify's locations."""
        order = self.ask("ToFulfil", {"id": gid("Order", notice.order_id)})["order"]
        if order is None:
            raise Rejected(f"Shopify has no order {notice.order_id}", key=notice.key, code="NOT_FOUND")
        told = find_parcel((self.whole_parcel(raw) for raw in order["fulfillments"]), notice)
        if told:
            return told
        asked: dict[str, Any] = {
            "lineItemsByFulfillmentOrder": parts_to_fulfil(self._ready(order), notice),
            "notifyCustomer": self.account.settings.get("notify_customers", "yes") != "no",
        }
        tracking = {"company": notice.carrier, "number": notice.tracking_number, "url": notice.tracking_url}
        if any(tracking.values()):
            asked["trackingInfo"] = {name: value for name, value in tracking.items() if value}
        payload = refuse(self.change("Fulfil", {"fulfillment": asked}), notice.key)
        return str((payload["fulfillment"] or {}).get("id") or "")

    def _ready(self, order: Raw) -> Iterator[Raw]:
        """The fulfilment orders that can be fulfilled, with all their lines."""
        empty: Raw = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": None}}
        everything = self.whole_list(
            {"id": order["id"], "fulfillmentOrders": empty}, "fulfillmentOrders", "FulfillmentOrders", "order"
        )
        for one in everything["nodes"]:
            if one["status"] in READY:
                lines = self.whole_list(one, "lineItems", "FulfillmentOrderLines", "fulfillmentOrder")
                yield {**one, "lineItems": lines}

    # Refunds.

    def push_refund(self, notice: RefundNotice) -> str:
        """See PushesRefunds. The note of the refund carries a mark of the notice's key, so that it is found again also
        when Shopify has forgotten the idempotency key (after a day). Nothing is restocked: stock is told apart."""
        order = self.ask("ToRefund", {"id": gid("Order", notice.order_id)})["order"]
        if order is None:
            raise Rejected(f"Shopify has no order {notice.order_id}", key=notice.key, code="NOT_FOUND")
        mark = key_of("refund", notice.key)[:MARK_LETTERS]
        told = next((refund["id"] for refund in order["refunds"] if mark in (refund.get("note") or "")), None)
        if told is not None:
            return str(told)
        asked = {
            "orderId": order["id"],
            "note": f"{notice.reason[: MOST_NOTE_LETTERS - MARK_LETTERS - 3]} ({mark})".strip(),
            "refundLineItems": [
                {"lineItemId": line_id, "quantity": units, "restockType": "NO_RESTOCK"}
                for line_id, units in notice.lines
            ],
            "transactions": refund_transactions(order, notice),
        }
        if order["presentmentCurrencyCode"] != order["currencyCode"]:
            asked["currency"] = order["presentmentCurrencyCode"]
        payload: Raw = {}
        for attempt in range(KEY_TRIES):
            key = key_of("refund", notice.key, attempt)
            payload = self.change("Refund", {"input": asked, "key": key}, repeatable=True)
            if not failed_before(payload):
                break
        return str((refuse(payload, notice.key)["refund"] or {}).get("id") or "")

    # Cancellations.

    def push_cancellation(self, order_id: str, reason: str, key: str) -> None:
        """See PushesCancellations. Money is given back by refunds of its own; what was only authorised Shopify lets
        go. Shopify cancels in the background: its webhook tells when it is done."""
        order = self.ask("Cancelled", {"id": gid("Order", order_id)})["order"]
        if order is None:
            raise Rejected(f"Shopify has no order {order_id}", key=key, code="NOT_FOUND")
        if order["cancelledAt"] is not None:
            return
        words = reason.lower()
        named = next((theirs for ours, theirs in CANCEL_REASONS.items() if ours in words), "OTHER")
        asked = {"id": order["id"], "reason": named, "note": reason[:MOST_NOTE_LETTERS] or None}
        refuse(self.change("Cancel", asked, repeatable=True), key, "orderCancelUserErrors")


def find_parcel(raws: Iterable[Raw], notice: FulfilmentNotice) -> str:
    """The id of the parcel that the notice tells of, "" where Shopify has none yet.

    It has the same units and tracking number, and is none of those `alike` that were told before. Without a number it
    is one without, told since the notice's parcel left.
    """
    wanted = _units(notice.lines)
    same = [
        parcel for raw in raws if PARCELS.get(raw["status"], False)
        and (parcel := parcel_record(raw)).tracking_number == notice.tracking_number
        and (not wanted or _units(parcel.lines) == wanted)
    ]  # fmt: skip
    if len(same) <= notice.alike:
        return ""
    return next((one.external_id for one in reversed(same) if notice.tracking_number or _is_since(one, notice)), "")


def _is_since(parcel: FulfilmentRecord, notice: FulfilmentNotice) -> bool:
    return parcel.shipped_at is not None and parcel.shipped_at >= notice.shipped_at.replace(microsecond=0)


def _units(lines: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for line_id, units in lines:
        found[line_id] = found.get(line_id, 0) + units
    return found


def parts_to_fulfil(ready: Iterable[Raw], notice: FulfilmentNotice) -> list[dict[str, Any]]:
    """Which units of which fulfilment orders the parcel holds: all of one location, the notice's own before others; all
    that waits there where the notice names no lines. Raises Rejected where no location has them all."""
    by_location: dict[str, list[Raw]] = {}
    for one in ready:
        location = ((one.get("assignedLocation") or {}).get("location") or {}).get("id") or ""
        by_location.setdefault(location, []).append(one)
    for location in sorted(by_location, key=lambda location: location != notice.location):
        parts = _parts(by_location[location], _units(notice.lines))
        if parts:
            return parts
    raise Rejected(
        "these units are not waiting to be fulfilled at one of Shopify's locations: they were told already, are on "
        "hold, or lie at several locations", key=notice.key, code="NOTHING_TO_FULFIL",
    )  # fmt: skip


def _parts(orders: Sequence[Raw], wanted: dict[str, int]) -> list[dict[str, Any]]:
    """The input for these units; [] where they are not all there."""
    is_all = not wanted
    parts = []
    for one in orders:
        taken = []
        for line in one["lineItems"]["nodes"]:
            left = line["remainingQuantity"]
            units = left if is_all else min(left, wanted.get(line["lineItem"]["id"], 0))
            if units > 0:
                taken.append({"id": line["id"], "quantity": units})
                wanted[line["lineItem"]["id"]] = wanted.get(line["lineItem"]["id"], 0) - units
        if taken:
            parts.append({"fulfillmentOrderId": one["id"], "fulfillmentOrderLineItems": taken})
    return parts if is_all or not any(units > 0 for units in wanted.values()) else []


def refund_transactions(order: Raw, notice: RefundNotice) -> list[dict[str, str]]:
    """From which transactions the money goes back, in the buyer's currency as Shopify demands it. Raises Rejected
    where the payment does not have so much left."""
    if notice.currency != order["currencyCode"]:
        reason = f"the order is booked in {order['currencyCode']}, not in {notice.currency}"
        raise Rejected(reason, key=notice.key, code="CURRENCY")
    wanted, found = notice.amount, []
    for payment, left in _refundable(order["transactions"], notice.payment_id):
        amount = min(wanted, left)
        if amount > 0:
            wanted -= amount
            found.append(
                {
                    "orderId": order["id"], "parentId": payment["id"], "gateway": payment["gateway"] or "",
                    "kind": "REFUND", "amount": written(_presented(amount, payment["amountSet"])),
                }
            )  # fmt: skip
    if wanted > 0:
        raise Rejected(
            f"of the payment {notice.payment_id} there are {wanted} {notice.currency} less left than are to go back",
            key=notice.key, code="TOO_MUCH",
        )  # fmt: skip
    return found


def _refundable(transactions: Sequence[Raw], payment_id: str) -> Iterator[tuple[Raw, Decimal]]:
    """The sale, or the captures of the authorisation, with what is left of each."""
    good = [one for one in transactions if one["status"] == "SUCCESS"]
    named = next((one for one in good if one["id"] == payment_id), None)
    for one in good:
        is_child = (one.get("parentTransaction") or {}).get("id") == payment_id
        is_authorised = named is not None and named["kind"] in AUTHORISATIONS
        is_capture = is_authorised and is_child and one["kind"] == "CAPTURE"
        if (one is named and one["kind"] in ("SALE", "CAPTURE")) or is_capture:
            back = sum((_shop_amount(other) for other in good if _takes_back(other, one)), Decimal(0))
            yield one, _shop_amount(one) - back


def _takes_back(transaction: Raw, payment: Raw) -> bool:
    parent = (transaction.get("parentTransaction") or {}).get("id")
    return parent == payment["id"] and transaction["kind"] in ("REFUND", "CHANGE")


def _shop_amount(transaction: Raw) -> Decimal:
    return Decimal(str(transaction["amountSet"]["shopMoney"]["amount"]))


def _presented(amount: Decimal, bag: Raw) -> Decimal:
    """An amount of the shop's currency in the buyer's, at the rate of that payment."""
    shop, buyer = Decimal(str(bag["shopMoney"]["amount"])), Decimal(str(bag["presentmentMoney"]["amount"]))
    if amount == shop or not shop:
        return buyer if shop else amount
    digits = Decimal(1).scaleb(-minor_units(bag["presentmentMoney"]["currencyCode"]))
    return (amount * buyer / shop).quantize(digits, ROUND_HALF_UP)
