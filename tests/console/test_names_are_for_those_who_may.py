"""Analysts and merchandisers work with orders, journeys and figures, and meet nobody by name on any page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from finalmarket.analytics import segments
from finalmarket.analytics.models import Segment
from finalmarket.analytics.rollup import restate_all
from finalmarket.console import urls
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, ShippingLabel, Ticket
from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney, JourneyTouchpoint
from finalmarket.kernel import clock
from finalmarket.orders import refunds
from finalmarket.orders.drafts import Address
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order, OrderImport, OrderImportRefusal, Pickup, Return, ReturnLine
from tests.console.roles import logged_in, person
from tests.journeys.walks import walk
from tests.orders.market import Market, draft, line

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)
CANARIES = ("Quetzalia", "quetzalia@example.com", "Plumeweg", "2071234567", "QZ4711DE")
"""Name, address for mail, street and number of the one customer of this house, and the number of their parcel."""


@pytest.fixture
def house(market: Market) -> Iterator[Market]:
    """An order and two journeys of somebody with all that is known of a person."""
    with clock.steered(NOON):
        market.goods("TEA", price="4.50", warehouse=90)
        street = Address(name="Quetzalia Plume", street="Plumeweg 7", city="Bonn", country="DE", phone="+442071234567")
        wanted = draft(market.web, "1", line("TEA", 1, "4.80"), email="quetzalia@example.com")
        take(replace(wanted, placed_at=NOON - timedelta(hours=1), phone="+442071234567", shipping_address=street))
        buyer = OmnichannelCustomer.objects.get()
        OmnichannelCustomer.objects.update(name="Quetzalia Plume", phone="+442071234567")
        for action in ("checkout_start", "product_view"):
            walk(buyer, [(market.web, "product_view", 0), (market.bazaar, action, 9)], began=NOON - timedelta(days=1))
        told_in_words(buyer, market)
        told_of_an_order(Order.objects.get(), market)
        restate_all(2)
        segments.restate()
        yield market


def told_in_words(buyer: OmnichannelCustomer, market: Market) -> None:
    """What platforms and files say of the person, kept where it is no field of a person's."""
    account = ChannelIntegration.objects.create(platform_name="amazon", integration_type="marketplace")
    raw = {"buyer": {"email": "quetzalia@example.com", "name": "Quetzalia Plume"}}
    DeadLetter.objects.create(
        integration=account, stream="customers", external_id="quetzalia@example.com", payload={"raw": raw},
        reason="'quetzalia@example.com' is no address of Quetzalia Plume",
    )  # fmt: skip
    ChannelInteraction.objects.create(
        customer=buyer, sales_channel=market.web, interaction_type="email_open", occurred_at=NOON,
        context={"subject": "Only for you, Quetzalia"},
    )  # fmt: skip
    file = OrderImport.objects.create(sales_channel=market.web, file_name="orders.csv")
    OrderImportRefusal.objects.create(
        order_import=file, row=2, column="email", value="quetzalia@example.com,", reason="is no e-mail address"
    )
    JourneyTouchpoint.objects.update(data={"query": "a gift for Quetzalia"})


def told_of_an_order(order: Order, market: Market) -> None:
    """What the counter, the carrier, the agents and the buyer say of an order."""
    account = ChannelIntegration.objects.get()
    market.north.can_hand_over = True
    market.north.save()
    Pickup.objects.create(order=order, location=market.north, code="918273", name="Quetzalia Plume")
    back = Return.objects.create(
        order=order, sales_channel=market.web, key="1", state="requested", reason="Quetzalia is ill"
    )
    ReturnLine.objects.create(return_record=back, position=0, sku="TEA", quantity=1, location=market.north)
    refunds.refund(order.pk, Decimal(1), key="1", reason="asked by quetzalia@example.com", actor="test")
    order.fulfilments.update(tracking_number="QZ4711DE", tracking_url="https://carrier.example/QZ4711DE")
    ShippingLabel.objects.create(
        integration=account, fulfilment=order.fulfilments.get(), key="1", state="bought", currency="EUR",
        tracking_number="QZ4711DE", tracking_url="https://carrier.example/QZ4711DE", last_error="Plumeweg 7 is unknown",
        label_url="https://carrier.example/QZ4711DE.pdf",
        tracking_steps=[{"words": "taken in by Quetzalia", "place": "Plumeweg", "at": "2026-05-05T11:00:00Z"}],
    )  # fmt: skip
    Ticket.objects.create(integration=account, order=order, key="1", subject="Quetzalia complains", text="Plumeweg")


def pages(market: Market) -> Iterator[str]:
    """Pages of the console and lists of records, and those about one thing that is there."""
    for pattern in urls.urlpatterns:
        if not pattern.pattern.converters and getattr(pattern.callback, "is_looked_at", False):
            yield reverse(f"console:{pattern.name}")
    for name, key in (
        ("store", market.north.code), ("pick_list", market.north.code),
        ("order", Order.objects.get().pk), ("journey", CrossChannelJourney.objects.earliest("pk").pk),
        ("channel", market.web.pk), ("sku", market.variants["TEA"].pk), ("segment", Segment.objects.earliest("pk").pk),
        ("customer", OmnichannelCustomer.objects.get().pk), ("customer_advice", OmnichannelCustomer.objects.get().pk),
        ("integration", ChannelIntegration.objects.get().pk),
    ):  # fmt: skip
        yield reverse(f"console:{name}", args=[key])
    for model in admin.site._registry:
        yield reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        if (one := model._default_manager.first()) is not None:
            yield reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[one.pk])


def met(client: Client, market: Market) -> dict[str, list[str]]:
    """What is told of the person, by the page that tells it."""
    found: dict[str, list[str]] = {}
    for page in pages(market):
        answer = client.get(page)
        if answer.status_code == 200 and not answer.streaming:
            told = answer.content.decode(errors="replace")
            if names := [canary for canary in CANARIES if canary.lower() in told.lower()]:
                found[page] = names
    return found


@pytest.mark.parametrize("role", ["analyst", "merchandiser"])
def test_who_has_no_business_with_people_meets_nobody_by_name(house: Market, role: str) -> None:
    assert met(logged_in(person(role)), house) == {}


def test_letters_are_for_those_who_may_see_them_and_their_words_for_those_who_may_see_people(house: Market) -> None:
    letter, home = DeadLetter.objects.get(), reverse("console:integration", args=[ChannelIntegration.objects.get().pk])
    told = {role: logged_in(person(role)).get(home).content.decode() for role in ("owner", "merchandiser", "analyst")}
    assert letter.external_id in told["owner"] and "is no address of Quetzalia" in told["owner"]
    assert f"customers (letter {letter.pk})" in told["merchandiser"]
    assert 'id="letters"' not in told["analyst"]


def test_who_tries_a_letter_again_reads_no_name_in_what_comes_of_it(house: Market) -> None:
    client, letter = logged_in(person("merchandiser")), DeadLetter.objects.get()
    for verb, words in (("replay", "failed again; who may see people is told why"), ("drop", "is closed")):
        answer = client.post(reverse("console:letter", args=[letter.pk, verb]), follow=True)
        assert f"Letter {letter.pk} {words}" in answer.content.decode()
        assert "quetzalia" not in answer.content.decode().lower()


def test_to_find_an_order_by_its_buyer_is_to_see_them(house: Market) -> None:
    number = Order.objects.get().number
    for role, finds in (("analyst", 0), ("support", 1)):
        client, listed = logged_in(person(role)), reverse("console:orders")
        assert len(client.get(listed, {"q": "quetzalia@example.com"}).context["slice"].rows) == finds
        assert len(client.get(listed, {"q": number}).context["slice"].rows) == 1
        counter = reverse("console:store", args=[house.north.code])
        assert len(client.get(counter, {"q": "quetzalia@example.com"}).context["found"]) == finds
        assert len(client.get(counter, {"q": number}).context["found"]) == 1


def found(client: Client, asked_for: str, lists: Iterable[str] | None = None) -> dict[str, int]:
    """How many records of each of these lists, or of each that opens, are found by it."""
    counts = {}
    for model in admin.site._registry:
        listed = f"{model._meta.app_label}_{model._meta.model_name}"
        if lists is None or listed in lists:
            answer = client.get(reverse(f"admin:{listed}_changelist"), {"q": asked_for})
            if answer.status_code == 200:
                counts[listed] = answer.context["cl"].result_count
    return counts


@pytest.mark.parametrize("role", ["analyst", "merchandiser"])
def test_who_has_no_business_with_people_finds_no_record_by_them(house: Market, role: str) -> None:
    client = logged_in(person(role))
    by_nobody = found(client, "nobody@example.com")
    for known in ("quetzalia@example.com", "Quetzalia"):
        assert found(client, known, by_nobody) == by_nobody


@pytest.mark.parametrize("role", ["analyst", "merchandiser"])
@pytest.mark.parametrize(
    "narrowed",
    ["email__startswith=q", "email=quetzalia@example.com", "phone__startswith=%2B", "raw__icontains=q",
     "shipping_address__street__startswith=P", "customer__name__startswith=Q", "customer__isnull=0"],
)  # fmt: skip
def test_who_has_no_business_with_people_cannot_ask_a_list_for_them(house: Market, role: str, narrowed: str) -> None:
    orders = reverse("admin:orders_order_changelist")
    answer = logged_in(person(role)).get(f"{orders}?{narrowed}")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{orders}?e=1")


def test_who_serves_people_sees_what_platforms_and_files_say_of_them(house: Market) -> None:
    client = logged_in(person("owner"))
    for kept in (DeadLetter, ChannelInteraction, OrderImport, OrderImportRefusal):
        room, name = kept._meta.app_label, kept._meta.model_name
        page = client.get(reverse(f"admin:{room}_{name}_change", args=[kept._default_manager.get().pk]))
        assert "quetzalia" in page.content.decode().lower()


def test_who_serves_people_finds_their_records(house: Market) -> None:
    assert found(logged_in(person("support")), "quetzalia@example.com").items() >= {
        ("orders_order", 1), ("customers_omnichannelcustomer", 1), ("journeys_crosschanneljourney", 2)
    }  # fmt: skip


def test_who_serves_people_reads_what_was_said_of_them(house: Market) -> None:
    client, order = logged_in(person("support")), Order.objects.get()
    told = client.get(reverse("console:order", args=[order.pk])).content.decode()
    journey = client.get(reverse("console:journey", args=[CrossChannelJourney.objects.earliest("pk").pk]))
    for said in (
        "Quetzalia is ill", "asked by quetzalia@example.com", "Plumeweg 7 is unknown", "taken in by Quetzalia",
        "https://carrier.example/QZ4711DE.pdf", "Quetzalia complains",
    ):  # fmt: skip
        assert said in told
    assert "a gift for Quetzalia" in journey.content.decode()
    assert "Quetzalia Plume" in client.get(reverse("console:store", args=[house.north.code])).content.decode()


def test_who_serves_people_meets_them_by_name(house: Market) -> None:
    told = logged_in(person("support")).get(reverse("console:order", args=[Order.objects.get().pk])).content.decode()
    assert [canary for canary in CANARIES if canary not in told] == []
