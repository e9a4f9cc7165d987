"""Square's orders with their payments and refunds: at the till, and online for shipment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from finalmarket.sandbox.platforms.square.books import Raw, euros, read_moment, refusal, stamp, tax_in, wanted
from finalmarket.sandbox.platforms.square.shelf import Shelf
from finalmarket.sandbox.stand_in import Reply, Request, route

MOST_LOCATIONS = 10
MOST_ORDERS_A_PAGE = 1_000
ORDERS_A_PAGE = 500
MOST_ORDERS_A_LOOK_UP = 100
SORTED_BY = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "CLOSED_AT": "closed_at"}
OVER = ("COMPLETED", "CANCELED", "FAILED")
WHEN = {"RESERVED": "in_progress_at", "PREPARED": "packaged_at", "COMPLETED": "shipped_at", "CANCELED": "canceled_at"}


class Orders(Shelf):
    """Orders, payments and refunds."""

    # Reading.

    @route("POST", "/v2/orders/search", is_write=False)
    def search_orders(self, request: Request) -> Reply:
        body = self.body(request)
        places = wanted(body, "location_ids")
        if len(places) > MOST_LOCATIONS:
            raise refusal(400, "ARRAY_LENGTH_TOO_LONG", f"at most {MOST_LOCATIONS} locations", "location_ids")
        limit = body.get("limit") or ORDERS_A_PAGE
        if not 0 < limit <= MOST_ORDERS_A_PAGE:
            raise refusal(400, "VALUE_TOO_HIGH", f"at most {MOST_ORDERS_A_PAGE} orders a page", "limit")
        query = body.get("query") or {}
        moment, start, end = self._window(query)
        states = ((query.get("filter") or {}).get("state_filter") or {}).get("states")
        if (query.get("sort") or {}).get("sort_order") != "ASC":
            raise refusal(501, "NOT_IMPLEMENTED", "the sandbox sorts orders by rising moments", "query.sort.sort_order")
        found = [
            ([order[moment], order["id"]], order)
            for order in self.state.orders.values()
            if order["location_id"] in places
            and (not states or order["state"] in states)
            and start <= order.get(moment, "") <= end
        ]
        page, cursor = self.page_of(request, [places, query], found, body.get("cursor") or "", limit)
        return Reply(200, {**({"orders": page} if page else {}), **cursor})

    def _window(self, query: Raw) -> tuple[str, str, str]:
        """By which moment orders are sorted, and between which two they are wanted."""
        field = (query.get("sort") or {}).get("sort_field", "CREATED_AT")
        if field not in SORTED_BY:
            raise refusal(400, "INVALID_ENUM_VALUE", f"{field} is no moment", "query.sort.sort_field")
        moment = SORTED_BY[field]
        told = (query.get("filter") or {}).get("date_time_filter") or {}
        if set(told) - {moment}:
            raise refusal(
                400, "CONFLICTING_PARAMETERS", "sort by the moment that is filtered by", "query.sort.sort_field"
            )
        window = told.get(moment) or {}
        start = read_moment(window["start_at"], "start_at") if window.get("start_at") else ""
        return moment, start, read_moment(window["end_at"], "end_at") if window.get("end_at") else "~"

    @route("POST", "/v2/orders/batch-retrieve", is_write=False)
    def read_orders(self, request: Request) -> Reply:
        ids = wanted(self.body(request), "order_ids")
        if len(ids) > MOST_ORDERS_A_LOOK_UP:
            raise refusal(400, "ARRAY_LENGTH_TOO_LONG", f"at most {MOST_ORDERS_A_LOOK_UP} orders", "order_ids")
        found = [self.state.orders[one] for one in dict.fromkeys(ids) if one in self.state.orders]
        return Reply(200, {"orders": found} if found else {})

    @route("GET", "/v2/orders/{order_id}")
    def read_order(self, request: Request, order_id: str) -> Reply:
        return Reply(200, {"order": self._order(order_id)})

    @route("GET", "/v2/payments/{payment_id}")
    def read_payment(self, request: Request, payment_id: str) -> Reply:
        if payment_id not in self.state.payments:
            raise refusal(404, "NOT_FOUND", f"Could not find payment with id: {payment_id}")
        return Reply(200, {"payment": self.state.payments[payment_id]})

    @route("GET", "/v2/refunds/{refund_id}")
    def read_refund(self, request: Request, refund_id: str) -> Reply:
        if refund_id not in self.state.refunds:
            raise refusal(404, "NOT_FOUND", f"Could not find payment refund with id: {refund_id}")
        return Reply(200, {"refund": self.state.refunds[refund_id]})

    def _order(self, order_id: str) -> Raw:
        if order_id not in self.state.orders:
            raise refusal(404, "NOT_FOUND", f"Order not found for id {order_id}")
        return self.state.orders[order_id]

    # Changing.

    @route("PUT", "/v2/orders/{order_id}")
    def change_order(self, request: Request, order_id: str) -> Reply:
        return self.once(request, lambda body: self._change(order_id, wanted(body, "order")), most_letters=192)

    def _change(self, order_id: str, told: Raw) -> Reply:
        order = self._order(order_id)
        if "version" not in order:
            raise refusal(400, "BAD_REQUEST", "the order was not made by the API and cannot be updated", "order")
        if told.get("version") != order["version"]:
            words = f"Version mismatch: expected {order['version']}, received {told.get('version')}"
            raise refusal(409, "VERSION_MISMATCH", words, "order.version")
        if order["state"] in ("COMPLETED", "CANCELED"):
            raise refusal(400, "BAD_REQUEST", f"Orders in state {order['state']} cannot be updated", "order.state")
        if told.get("state") == "CANCELED" and order.get("tenders"):
            raise refusal(400, "BAD_REQUEST", "a paid order cannot be canceled", "order.state")
        parcels = [(self._parcel(order, one), one) for one in told.get("fulfillments") or ()]
        for parcel, change in parcels:
            self._change_parcel(order, parcel, change)
        if told.get("state") == "CANCELED":
            order["state"] = "CANCELED"
            order["closed_at"] = self.stamped()
        self._after_change(order)
        return Reply(200, {"order": order})

    def _parcel(self, order: Raw, told: Raw) -> Raw:
        parcels: list[Raw] = order.get("fulfillments") or []
        found = next((one for one in parcels if one["uid"] == told.get("uid")), None)
        if found is None:
            raise refusal(400, "INVALID_VALUE", "there is no such fulfillment", "order.fulfillments[0].uid")
        if found["state"] in OVER:
            raise refusal(400, "BAD_REQUEST", f"the fulfillment is {found['state']}", "order.fulfillments[0].state")
        return found

    def _change_parcel(self, order: Raw, parcel: Raw, told: Raw) -> None:
        details = parcel["shipment_details"]
        details |= told.get("shipment_details") or {}
        parcel["metadata"] = {**(parcel.get("metadata") or {}), **(told.get("metadata") or {})}
        if told.get("state"):
            parcel["state"] = told["state"]
            details[WHEN.get(told["state"], "placed_at")] = self.stamped()
        if told.get("state") != "CANCELED":
            self.effect(
                "fulfilment", order=order["id"], id=parcel["uid"], state=parcel["state"],
                tracking_number=details.get("tracking_number", ""),
            )  # fmt: skip

    def _after_change(self, order: Raw) -> None:
        """Put goods back of what nobody gets, complete what has left, and tell."""
        parcels = order.get("fulfillments") or ()
        if order["state"] == "CANCELED" or (parcels and all(one["state"] == "CANCELED" for one in parcels)):
            self.effect("cancellation", order=order["id"])
            for line in order["line_items"]:
                self.move(line["catalog_object_id"], order["location_id"], int(line["quantity"]))
        elif parcels and order.get("tenders") and all(one["state"] in OVER for one in parcels):
            order |= {"state": "COMPLETED", "closed_at": self.stamped()}
        order["version"] += 1
        self.touch_order(order, "order.updated")

    def touch_order(self, order: Raw, topic: str) -> None:
        """An order changed: it stands last in the search now, and those who subscribed are told."""
        order["updated_at"] = self.stamped()
        about = {
            "order_id": order["id"], "location_id": order["location_id"], "state": order["state"],
            "version": order.get("version", 0), "created_at": order["created_at"], "updated_at": order["updated_at"],
        }  # fmt: skip
        kind = topic.replace(".", "_")
        self.announce(topic, kind, order["id"], {kind: about})

    # Refunds.

    @route("POST", "/v2/refunds")
    def refund(self, request: Request) -> Reply:
        return self.once(request, self._refund, most_letters=45)

    def _refund(self, body: Raw) -> Reply:
        payment = self.state.payments.get(wanted(body, "payment_id"))
        if payment is None:
            raise refusal(404, "NOT_FOUND", f"Could not find payment with id: {body['payment_id']}", "payment_id")
        amount = wanted(body, "amount_money")
        left = payment["total_money"]["amount"] - (payment.get("refunded_money") or euros(0))["amount"]
        if amount.get("currency") != payment["total_money"]["currency"]:
            raise refusal(400, "CURRENCY_MISMATCH", "the payment has another currency", "amount_money")
        if not 0 < amount["amount"] <= left:
            words = "the amount exceeds what is left to refund"
            raise refusal(400, "REFUND_AMOUNT_INVALID", words, "amount_money", "REFUND_ERROR")
        made = self.give_back(payment, amount["amount"], body.get("reason") or "")
        return Reply(200, {"refund": {**made, "status": "PENDING"}})

    def give_back(self, payment: Raw, amount: int, reason: str, goods: list[tuple[Raw, int]] | None = None) -> Raw:
        """Give money of a payment back, for these lines and units or for none; an order of its own says so."""
        now, suffix, sale = self.stamped(), self.new_id(), self.state.orders[payment["order_id"]]
        returned = _return_order(self.new_id(), sale, amount, now, goods or [])
        returned["refunds"] = [
            {
                "id": suffix, "location_id": sale["location_id"], "transaction_id": returned["id"],
                "tender_id": payment["id"], "created_at": now, "reason": reason, "amount_money": euros(amount),
                "status": "APPROVED",
            }
        ]  # fmt: skip
        self.state.orders[returned["id"]] = returned
        made = {
            "id": f"{payment['id']}_{suffix}", "status": "COMPLETED", "location_id": sale["location_id"],
            "amount_money": euros(amount), "payment_id": payment["id"], "order_id": returned["id"], "reason": reason,
            "created_at": now, "updated_at": now, "destination_type": payment["source_type"],
        }  # fmt: skip
        self.state.refunds[made["id"]] = made
        before = (payment.get("refunded_money") or euros(0))["amount"]
        payment |= {"refunded_money": euros(before + amount), "updated_at": now}
        payment["refund_ids"] = [*(payment.get("refund_ids") or ()), made["id"]]
        self.effect("refund", order=sale["id"], id=suffix, amount=amount)
        for line, units in goods or ():
            self.move(line["catalog_object_id"], sale["location_id"], units)
        self.touch_order(returned, "order.created")
        self.announce("refund.updated", "refund", made["id"], {"refund": made})
        self.announce("payment.updated", "payment", payment["id"], {"payment": payment})
        return made

    # Buying.

    def ring_up(
        self,
        bought: list[tuple[Raw, int]],
        location: str,
        *,
        person: Raw | None = None,
        discount: int = 0,
        tender: str = "CARD",
        at: datetime | None = None,
        is_paid: bool = True,
    ) -> Raw:
        """An order of variations and units: at the till, or online for the person it is shipped to. Stock goes down."""
        now = stamp(at or self.now())
        lines = [_line(self.new_id(), self._item_of(one), one, units) for one, units in bought]
        order: Raw = {
            "id": self.new_id(), "location_id": location, "source": {"name": "Square Point of Sale"},
            "line_items": lines, "created_at": now, "updated_at": now, "state": "COMPLETED", "closed_at": now,
        }  # fmt: skip
        if discount:
            _take_off(order, discount, self.new_id())
        if person is not None:
            _ship(order, person, self.new_id(), self.new_id())
        _sum_up(order)
        if is_paid:
            self._pay(order, tender, person)
        self.state.orders[order["id"]] = order
        by_sku = [(one["item_variation_data"].get("sku", ""), units) for one, units in bought]
        self.effect("order", id=order["id"], lines=by_sku, total=order["total_money"]["amount"], location=location)
        for one, units in bought:
            self.move(one["id"], location, -units)
        self.touch_order(order, "order.created")
        if at is not None:
            order["updated_at"] = now
        return order

    def _item_of(self, variation: Raw) -> Raw:
        return self.state.items[self.state.owners[variation["id"]]]

    def _pay(self, order: Raw, tender: str, person: Raw | None) -> None:
        payment: Raw = {
            "id": self.new_id(), "created_at": order["created_at"], "updated_at": order["updated_at"],
            "amount_money": order["total_money"], "total_money": order["total_money"], "status": "COMPLETED",
            "source_type": tender, "location_id": order["location_id"], "order_id": order["id"],
            "receipt_number": self.new_id()[:4], "version_token": self.new_id(),
        }  # fmt: skip
        paid: Raw = {
            "id": payment["id"], "location_id": order["location_id"], "transaction_id": order["id"],
            "created_at": order["created_at"], "amount_money": order["total_money"], "type": tender,
            "payment_id": payment["id"],
        }  # fmt: skip
        if tender == "CARD":
            paid["card_details"] = {"status": "CAPTURED", "entry_method": "ON_FILE" if person else "EMV"}
        else:
            paid["cash_details"] = {"buyer_tendered_money": order["total_money"], "change_back_money": euros(0)}
            payment["cash_details"] = {"buyer_supplied_money": order["total_money"], "change_back_money": euros(0)}
        self.state.payments[payment["id"]] = payment
        order |= {"tenders": [paid], "net_amount_due_money": euros(0)}


def _line(uid: str, item: Raw, variation: Raw, units: int) -> Raw:
    data = variation["item_variation_data"]
    price = data["price_money"]["amount"]
    return {
        "uid": uid, "name": item["item_data"]["name"], "variation_name": data["name"], "quantity": str(units),
        "catalog_object_id": variation["id"], "catalog_version": variation["version"], "item_type": "ITEM",
        "base_price_money": euros(price), "variation_total_price_money": euros(price * units),
        "gross_sales_money": euros(price * units), "total_discount_money": euros(0),
        "total_service_charge_money": euros(0), "total_money": euros(price * units),
    }  # fmt: skip


def _take_off(order: Raw, discount: int, uid: str) -> None:
    """Take an amount off the first line, at most what it costs."""
    line = order["line_items"][0]
    taken = min(discount, line["total_money"]["amount"])
    order["discounts"] = [
        {
            "uid": uid, "name": "Staff discount", "type": "FIXED_AMOUNT", "amount_money": euros(taken),
            "applied_money": euros(taken), "scope": "LINE_ITEM",
        }
    ]  # fmt: skip
    line["applied_discounts"] = [{"uid": f"{uid}-1", "discount_uid": uid, "applied_money": euros(taken)}]
    line["total_discount_money"] = euros(taken)
    line["total_money"] = euros(line["total_money"]["amount"] - taken)


def _ship(order: Raw, person: Raw, parcel_uid: str, charge_uid: str) -> None:
    """Make it an online order: open until it is shipped, and with a charge for that."""
    order |= {"state": "OPEN", "version": 1, "source": {"name": "Square Online"}, "customer_id": person["id"]}
    del order["closed_at"]
    order["service_charges"] = [
        {
            "uid": charge_uid, "name": "Shipping", "amount_money": euros(490), "applied_money": euros(490),
            "total_money": euros(490), "total_tax_money": euros(0), "calculation_phase": "TOTAL_PHASE",
            "taxable": False, "type": "CUSTOM",
        }
    ]  # fmt: skip
    name = f"{person['given_name']} {person['family_name']}"
    whom = {
        "customer_id": person["id"], "display_name": name, "email_address": person["email_address"],
        "phone_number": person["phone_number"], "address": person["address"],
    }  # fmt: skip
    order["fulfillments"] = [
        {
            "uid": parcel_uid, "type": "SHIPMENT", "state": "PROPOSED", "line_item_application": "ALL",
            "shipment_details": {"recipient": whom, "placed_at": order["created_at"]},
        }
    ]  # fmt: skip


def _sum_up(order: Raw) -> None:
    """Taxes, which every price includes, and totals."""
    taxed = 0
    for line in order["line_items"]:
        tax = tax_in(line["total_money"]["amount"])
        taxed += tax
        line |= {
            "total_tax_money": euros(tax),
            "applied_taxes": [{"uid": f"{line['uid']}-t", "tax_uid": "vat", "applied_money": euros(tax)}],
        }
    charges = sum(charge["applied_money"]["amount"] for charge in order.get("service_charges") or ())
    goods = sum(line["total_money"]["amount"] for line in order["line_items"])
    discount = sum(line["total_discount_money"]["amount"] for line in order["line_items"])
    order |= {
        "taxes": [
            {"uid": "vat", "name": "VAT", "type": "INCLUSIVE", "percentage": "23", "scope": "ORDER",
             "applied_money": euros(taxed)}
        ],
        "total_money": euros(goods + charges), "total_tax_money": euros(taxed), "total_discount_money": euros(discount),
        "total_tip_money": euros(0), "total_service_charge_money": euros(charges),
        "net_amount_due_money": euros(goods + charges),
    }  # fmt: skip


def _return_order(name: str, sale: Raw, amount: int, now: str, goods: list[tuple[Raw, int]]) -> Raw:
    """The order that a refund is: of the lines that came back, or of a custom amount."""
    lines: list[dict[str, Any]] = [
        {
            "uid": f"{line['uid']}-r", "source_line_item_uid": line["uid"], "name": line["name"],
            "quantity": str(units), "item_type": "ITEM", "catalog_object_id": line["catalog_object_id"],
            "total_money": euros(amount),
        }
        for line, units in goods
    ]  # fmt: skip
    custom = {"uid": "custom", "name": "Custom amount", "quantity": "1", "item_type": "CUSTOM_AMOUNT",
              "total_money": euros(amount)}  # fmt: skip
    amounts = {"total_money": euros(amount), "tax_money": euros(tax_in(amount))}
    return {
        "id": name, "location_id": sale["location_id"], "source": sale["source"], "state": "COMPLETED",
        "returns": [
            {"uid": "return", "source_order_id": sale["id"], "return_line_items": lines or [custom],
             "return_amounts": amounts}
        ],
        "return_amounts": amounts, "created_at": now, "updated_at": now, "closed_at": now, "total_money": euros(0),
        "total_tax_money": euros(0), "total_discount_money": euros(0),
    }  # fmt: skip
