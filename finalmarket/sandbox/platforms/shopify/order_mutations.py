"""What can be changed in a shop's orders and customers, and who is told: the mutations that a hub uses."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from finalmarket.sandbox.platforms.shopify import queries, views
from finalmarket.sandbox.platforms.shopify.house import House, wrong
from finalmarket.sandbox.platforms.shopify.shop import CENT, Shop, Thing, refundable
from finalmarket.sandbox.platforms.shopify.views import View

# Orders.


def fulfil(house: House, asked: View) -> View:
    """fulfillmentCreate"""
    given = asked["fulfillment"]
    parts, errors = [], []
    found_orders = set()
    for index, part in enumerate(given["lineItemsByFulfillmentOrder"]):
        field = ("fulfillment", "lineItemsByFulfillmentOrder", index)
        known = house.state.part("fulfillment_orders", part["fulfillmentOrderId"])
        if known is None or known[1]["status"] not in ("OPEN", "IN_PROGRESS"):
            errors.append(wrong("Fulfillment order does not exist or is not open.", *field, "fulfillmentOrderId"))
            continue
        order, one = known
        found_orders.add(order["id"])
        units = {line["id"]: line["quantity"] for line in part.get("fulfillmentOrderLineItems") or ()}
        remaining = {line["id"]: line["remaining"] for line in one["lines"]}
        if any(count < 1 or count > remaining.get(line_id, 0) for line_id, count in units.items()):
            errors.append(wrong("Invalid fulfillment order line item quantity requested.", *field))
        parts.append((one, units))
    if len(found_orders) > 1 or len({one["location"] for one, _ in parts}) > 1:
        errors.append(wrong("All fulfillment orders must be of one order and one location.", "fulfillment"))
    if errors:
        return {"fulfillment": None, "userErrors": errors}
    order = house.state.orders[found_orders.pop()]
    told = given.get("trackingInfo")
    tracking = {name: told.get(name) for name in ("company", "number", "url")} if told else None
    parcel = house.state.fulfil(order, parts, house.now(), tracking)
    number = (tracking or {}).get("number") or ""
    house.effect("fulfilment", order=order["id"], id=parcel["id"], tracking_number=number, lines=list(parcel["lines"]))
    house.tell_order("orders/updated", order)
    return {"fulfillment": views.fulfilment(parcel), "userErrors": []}


def refund(house: House, asked: View) -> View:
    """refundCreate, in the buyer's currency"""
    given = asked["input"]
    order = house.state.orders.get(given["orderId"])
    if order is None:
        return {"order": None, "refund": None, "userErrors": [wrong("Order does not exist", "orderId")]}
    errors = []
    if order["presentment"] != house.state.currency and given.get("currency") != order["presentment"]:
        errors.append(wrong("The currency must be the presentment currency of the order", "currency"))
    payments = []
    for index, one in enumerate(given.get("transactions") or ()):
        payment = next((each for each in order["transactions"] if each["id"] == one["parentId"]), None)
        amount = (Decimal(one["amount"]) / order["rate"]).quantize(CENT, ROUND_HALF_UP)
        if payment is None or amount > refundable(order, payment):
            errors.append(wrong("Refund amount is more than what can be refunded", "transactions", index))
        else:
            payments.append((payment, amount))
    units = []
    for index, one in enumerate(given.get("refundLineItems") or ()):
        line = next((each for each in order["lines"] if each["id"] == one["lineItemId"]), None)
        if line is None or not 0 < one["quantity"] <= line["current"]:
            errors.append(wrong("Refund line items quantity cannot refund more items", "refundLineItems", index))
        else:
            units.append((one["lineItemId"], one["quantity"], one.get("restockType") or "NO_RESTOCK"))
    if errors:
        return {"order": None, "refund": None, "userErrors": errors}
    made = house.state.refund(order, house.now(), units, given.get("note"), payments)
    house.effect("refund", order=order["id"], id=made["id"], amount=str(made["amount"]), note=made["note"])
    house.tell_refund(order, made)
    return {
        "order": views.order(house.state, order),
        "refund": views.refund(house.state, order, made),
        "userErrors": [],
    }


def cancel(house: House, asked: View) -> View:
    """orderCancel"""
    order = house.state.orders.get(asked["orderId"])
    if order is None:
        error = wrong("Order does not exist", "orderId", code="NOT_FOUND")
        return {"job": None, "orderCancelUserErrors": [error], "userErrors": [error]}
    if order["cancelled"]:
        error = wrong("Order has already been cancelled", "orderId", code="INVALID")
        return {"job": None, "orderCancelUserErrors": [error], "userErrors": [error]}
    house.state.cancel(order, house.now(), asked["reason"], is_restocked=asked["restock"])
    house.effect("cancellation", order=order["id"], reason=asked["reason"])
    house.tell_order("orders/cancelled", order)
    job = {"__typename": "Job", "id": house.state.new_id("Job"), "done": False}
    return {"job": job, "orderCancelUserErrors": [], "userErrors": []}


# Customers and subscriptions.

CUSTOMER_FIELDS = {"firstName": "first", "lastName": "last", "email": "email", "phone": "phone", "locale": "locale"}


def set_customer(house: House, asked: View) -> View:
    """customerSet"""
    shop, given, identifier = house.state, asked["input"], asked.get("identifier") or {}
    known = next((shop.customer_by(field, value) for field, value in identifier.items()), None)
    if known is None and "id" in identifier:
        return {"customer": None, "userErrors": [wrong("Customer not found", "identifier", code="NOT_FOUND")]}
    for field in ("email", "phone"):
        other = shop.customer_by(field, given.get(field) or "")
        if other is not None and other is not known:
            return {"customer": None, "userErrors": [wrong("has already been taken", "input", field, code="TAKEN")]}
    if given.get("email") and "@" not in given["email"]:
        return {"customer": None, "userErrors": [wrong("Email is invalid", "input", "email", code="INVALID")]}
    customer = known or shop.add_customer(house.now())
    before = {**customer, "is_new": known is None}
    for theirs, ours in CUSTOMER_FIELDS.items():
        customer[ours] = given.get(theirs, customer[ours])
    if "addresses" in given:  # a list is replaced as a whole
        customer["addresses"] = [_address(shop, each) for each in given["addresses"]]
    if before != {**customer, "is_new": False}:
        customer["updated"] = house.now()
        house.effect("customer", id=customer["id"])
        house.tell_customer("customers/update" if known else "customers/create", customer)
    return {"customer": views.customer(customer), "userErrors": []}


def _address(shop: Shop, given: View) -> Thing:
    name = f"{given.get('firstName') or ''} {given.get('lastName') or ''}".strip()
    names = ("company", "address1", "address2", "city", "provinceCode", "zip", "phone")
    return {
        "id": shop.new_id("MailingAddress"), "name": name or None, "countryCodeV2": given.get("countryCode"),
        "province": given.get("provinceCode"), **{name: given.get(name) for name in names},
    }  # fmt: skip


def set_address(house: House, asked: View) -> View:
    """customerAddressCreate and customerAddressUpdate"""
    customer = house.state.customers.get(asked["customerId"])
    if customer is None:
        return {"address": None, "userErrors": [wrong("Customer does not exist", "customerId")]}
    there = [one for one in customer["addresses"] if one["id"] == asked.get("addressId")]
    if "addressId" in asked and not there:
        return {"address": None, "userErrors": [wrong("Address does not exist", "addressId")]}
    made = _address(house.state, asked["address"])
    if there:
        made["id"] = there[0]["id"]
    if there != [made]:
        customer["addresses"] = [made, *(one for one in customer["addresses"] if one["id"] != made["id"])]
        customer["updated"] = house.now()
        house.effect("address", customer=customer["id"], id=made["id"])
        house.tell_customer("customers/update", customer)
    return {"address": views.address(made), "userErrors": []}


def set_consent(house: House, asked: View) -> View:
    """customerEmailMarketingConsentUpdate"""
    customer = house.state.customers.get(asked["input"]["customerId"])
    if customer is None or not customer["email"]:
        message = "The customer must have an email address"
        return {"customer": None, "userErrors": [wrong(message, "input", "customerId", code="INVALID")]}
    state = asked["input"]["emailMarketingConsent"]["marketingState"]
    if state not in ("SUBSCRIBED", "UNSUBSCRIBED", "PENDING"):
        return {"customer": None, "userErrors": [wrong(f"Cannot specify {state}", "input", code="INVALID")]}
    if customer["consent"] != state:
        customer["consent"], customer["updated"] = state, house.now()
        house.effect("consent", customer=customer["id"], state=state)
        house.tell_customer("customers/update", customer)
    return {"customer": views.customer(customer), "userErrors": []}


def erase_customer(house: House, asked: View) -> View:
    """customerRequestDataErasure: in the end nobody can tell who it was; Shopify takes its time, and we do not."""
    customer = house.state.customers.get(asked["customerId"])
    if customer is None:
        error = wrong("Customer does not exist", "customerId", code="DOES_NOT_EXIST")
        return {"customerId": None, "userErrors": [error]}
    if not customer.get("is_erased"):
        nothing: View = {"first": "", "last": "", "email": None, "phone": None, "addresses": []}
        customer |= {**nothing, "consent": "NOT_SUBSCRIBED", "is_erased": True, "updated": house.now()}
        for order in house.state.orders.values():
            if order["customer"] == customer["id"]:
                order |= {"email": None, "phone": None, "shipping": None, "billing": None}
        house.effect("erasure", customer=customer["id"])
    return {"customerId": customer["id"], "userErrors": []}


def subscribe(house: House, asked: View) -> View:
    """webhookSubscriptionCreate"""
    given, topic = asked["webhookSubscription"], asked["topic"]
    uri = given.get("uri") or ""
    if not uri.startswith(("https://", "http://127.0.0.1")):
        return {"webhookSubscription": None, "userErrors": [wrong("Address is not allowed", "webhookSubscription")]}
    if any(one["topic"] == topic and one["uri"] == uri for one in house.state.subscriptions.values()):
        message = "Address for this topic has already been taken"
        return {"webhookSubscription": None, "userErrors": [wrong(message, "webhookSubscription", "uri")]}
    one = {"id": house.state.new_id("WebhookSubscription"), "topic": topic, "uri": uri}
    house.state.subscriptions[one["id"]] = one
    house.effect("subscription", topic=topic, uri=uri)
    return {"webhookSubscription": queries.subscription(one), "userErrors": []}
