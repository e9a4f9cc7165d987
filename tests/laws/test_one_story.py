"""One order goes through all ten integration types: sold on a marketplace, paid, booked, sent, counted, written about,
complained of, brought back at a till; and wherever the goods are shown, the number is right.

Each chapter is one thing that somebody does, here or there; then some minutes pass, in which the worker does what it
does by itself. What has become of it is read from what the platforms hold, and from the journal of what really changed
there.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from django.db.models import Q

from finalmarket.integrations.desk import labels, pages
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.orders import returns
from finalmarket.orders.models import Fulfilment, Order
from tests.laws.story_stage import ADA, EURO, IN_STORE, IN_WAREHOUSE, ORDER_FIELD, SKU, Stage, set_up
from tests.laws.town import town
from tests.orders.market import broken_laws

pytestmark = pytest.mark.committed_database
TYPES = {
    "marketplace", "social_commerce", "pos", "erp", "crm", "shipping", "payment", "analytics", "email", "chat",
}  # fmt: skip
POSTAGE = Decimal("4.90")
TOTAL = 2 * EURO + POSTAGE


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The stage, with every platform in step."""
    with town(monkeypatch) as made:
        stage = set_up(made)
        stage.town.live(3)
        yield stage


def numbers(everywhere: int, store: int) -> dict[str, int]:
    """What is to be shown where so many units can be sold in all, so many of them in the store."""
    return {"ebay": everywhere, "facebook": everywhere, "clover": store}


def test_one_order_goes_through_all_ten_types(stage: Stage) -> None:
    assert {account.integration.integration_type for account in stage.town.accounts.values()} == TYPES
    shown = stage.shown()
    assert shown == {**numbers(12, 2), "netsuite 1": IN_WAREHOUSE, "netsuite 2": IN_STORE}
    order = sold_on_a_marketplace(stage)
    paid_on_a_page(stage, order)
    booked_and_known(stage, order)
    parcel = labelled(stage, order)
    carried(stage, order, parcel)
    counted_and_written_about(stage, order, parcel)
    complained_of(stage, order)
    brought_back_to_a_store(stage, order)
    sold_at_the_till(stage)
    all_is_well_an_hour_later(stage)


def sold_on_a_marketplace(stage: Stage) -> Order:
    """Ada buys two on eBay, to be paid to the seller; at once everybody shows two less."""
    ebay = stage.there("ebay")
    with ebay.lock:
        number = ebay.order((SKU, 2), email=ADA, is_paid=False)
    stage.town.live()
    order: Order = Order.objects.get(external_id=number)
    assert (order.total, order.payment_state, order.customer_id) == (TOTAL, "unpaid", stage.ada.pk)
    assert stage.shown().items() >= numbers(10, 2).items()
    return order


def paid_on_a_page(stage: Stage, order: Order) -> None:
    """She agrees on PayPal's page. Its webhook tells us so, and she comes back: that is one authorisation."""
    paypal = stage.at("paypal")
    page = pages.start_payment(order.pk, paypal.integration, "https://shop.example/thanks", actor="olga")
    assert urlsplit(page.approve_url).query.endswith(page.external_id)
    with paypal.there.lock:
        paypal.there.approve(page.external_id, ADA)
    stage.town.bring_letters()
    back = stage.town.door.get(f"/pay/{page.token}/return", secure=True)
    assert (back.status_code, back.headers["Location"]) == (302, "https://shop.example/thanks")
    stage.town.live()
    assert [one["amount"] for one in paypal.effects("authorisation")] == [str(TOTAL)]
    assert paypal.effects("capture") == []
    payment = order.payments.get()
    assert (payment.tender, payment.state, payment.amount) == ("paypal", "authorised", TOTAL)


def booked_and_known(stage: Stage, order: Order) -> None:
    """NetSuite has the order and whose it is; HubSpot knows what she bought."""
    books = stage.there("netsuite").state
    (booked,) = books["orders"].values()
    (item,) = books["items"]
    assert [(row["item"]["id"], row["quantity"]) for row in booked["lines"] if row["item"]["id"] == item] == [(item, 2)]
    assert books["customers"][booked["entity"]["id"]]["email"] == ADA
    hubspot = stage.there("hubspot").state["objects"]
    (contact,) = hubspot["contacts"].values()
    assert contact["properties"]["email"] == ADA
    assert contact["properties"]["finalmarket_order_count"] == "1"
    assert len(hubspot["orders"]) == 1
    goods = [one["properties"] for one in hubspot["line_items"].values()]
    assert [one["quantity"] for one in goods if one.get("hs_sku") == SKU] == ["2"]


def labelled(stage: Stage, order: Order) -> Fulfilment:
    """A label is bought at EasyPost; the parcel bears its number and waits."""
    easypost = stage.at("easypost")
    parcel: Fulfilment = order.fulfilments.get(state="pending")
    assert parcel.location == stage.warehouse
    cheapest, *_ = labels.get_rates(parcel.pk, easypost.integration)
    label = labels.buy_label(parcel.pk, easypost.integration, cheapest, actor="olga")
    stage.town.live(2)
    assert [one["amount"] for one in easypost.effects("label")] == [str(cheapest.amount)]
    parcel.refresh_from_db()
    assert (parcel.state, parcel.tracking_number) == ("pending", label.tracking_number)
    return parcel


def carried(stage: Stage, order: Order, parcel: Fulfilment) -> None:
    """The carrier takes it along: it has left here, eBay and the books hear of it, and the money is taken. Then it
    arrives."""
    carrier = stage.there("easypost")
    for status, words in (("in_transit", "Picked up"), ("delivered", "Left with a neighbour")):
        with carrier.lock:
            carrier.move(parcel.tracking_number, status, words)
        stage.town.live()
    parcel.refresh_from_db()
    order.refresh_from_db()
    assert (parcel.state, order.state, order.payment_state) == ("delivered", "fulfilled", "paid")
    (told,) = stage.there("ebay").state["parcels"][order.external_id]
    assert told["shipmentTrackingNumber"] == parcel.tracking_number
    assert len(stage.at("ebay").effects("fulfilment")) == 1
    assert [one["amount"] for one in stage.at("paypal").effects("capture")] == [str(TOTAL)]
    assert len(stage.at("netsuite").effects("fulfilment")) == 1
    assert stage.on_hand() == (8, 2)
    assert stage.shown() == {**numbers(10, 2), "netsuite 1": 8, "netsuite 2": 2}


def counted_and_written_about(stage: Stage, order: Order, parcel: Fulfilment) -> None:
    """GA4 counted one purchase; Ada got two mails: what she bought, and how her parcel travels."""
    events = stage.there("google_analytics").state["events"]
    (purchase,) = [one for one in events if one["name"] == "purchase"]
    assert (purchase["sale"], purchase["value"]) == (order.number, TOTAL)
    assert ADA not in str(events)
    confirmed, dispatched = stage.there("sendgrid").messages(ADA)
    assert order.number in confirmed["subject"] + str(confirmed["content"])
    assert parcel.tracking_number in str(dispatched["content"])
    stage.there("sendgrid").open_mail(dispatched["id"])
    stage.town.live(1)
    assert stage.ada.interactions.filter(interaction_type="email_open").count() == 1


def complained_of(stage: Stage, order: Order) -> None:
    """She writes to the help desk: that opens a support journey of hers, about this order; it ends when an agent has
    solved it."""
    desk = stage.there("zendesk")
    with desk.lock:
        field = [{"id": ORDER_FIELD, "value": order.number}]
        ticket = desk.write_in(ADA, "One of the two is the wrong sort.", custom_fields=field)
    stage.town.live()
    journeys = CrossChannelJourney.objects.filter(Q(customer=stage.ada) | Q(customer__merged_into=stage.ada))
    journey = journeys.get(intent="support")
    assert (journey.state, journey.order_id) == ("open", order.pk)
    said = journey.interactions.get(interaction_type="customer_service")
    assert said.context["text"] == "One of the two is the wrong sort."
    with desk.lock:
        desk.reply(ticket, "Bring it back to our store, please.")
        desk.set_status(ticket, "solved")
    stage.town.live()
    journey.refresh_from_db()
    assert (journey.state, journey.outcome) == ("completed", "solved")


def brought_back_to_a_store(stage: Stage, order: Order) -> None:
    """She brings one back to the store: it lies there, the till shows it, and PayPal gives its price back, once."""
    line = order.lines.get(kind="goods")
    back = returns.Back(line.pk, 1, location_id=stage.store.pk)
    returns.take_return(order.pk, [back], key="counter-1", reason="the wrong sort", actor="till")
    stage.town.live()
    assert [one["amount"] for one in stage.at("paypal").effects("refund")] == [str(EURO)]
    assert stage.at("ebay").effects("refund") == []
    order.refresh_from_db()
    assert (order.refunded, order.payment_state) == (EURO, "partly_refunded")
    (refund,) = [one for one in stage.there("google_analytics").state["events"] if one["name"] == "refund"]
    assert Decimal(str(refund["params"]["value"])) == EURO
    assert stage.on_hand() == (8, 3)
    assert stage.shown() == {**numbers(11, 3), "netsuite 1": 8, "netsuite 2": 3}


def sold_at_the_till(stage: Stage) -> None:
    """Somebody buys it there, and takes it along."""
    till = stage.there("clover")
    with till.lock:
        number = till.order((SKU, 1))
    stage.town.live()
    sale = Order.objects.get(external_id=number)
    assert (sale.state, sale.payment_state, sale.currency) == ("fulfilled", "paid", "USD")
    assert stage.on_hand() == (8, 2)
    assert stage.shown() == {**numbers(10, 2), "netsuite 1": 8, "netsuite 2": 2}


def all_is_well_an_hour_later(stage: Stage) -> None:
    """What looks again every hour finds nothing: everybody holds what they were told, and nothing happened twice."""
    before = [(one.platform, one.name) for one in stage.town.world.journal.entries(what="effect")]
    shown = stage.shown()
    stage.town.pass_time(3600)
    stage.town.live(5)
    assert [(one.platform, one.name) for one in stage.town.world.journal.entries(what="effect")] == before
    assert stage.shown() == shown
    assert stage.town.complaints() == []
    assert broken_laws() == []
