"""A label is bought once and given back once, and its parcel carries its number (for workers that are killed, see
test_desk_cut.py)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from finalmarket.catalog.models import Variant
from finalmarket.connectors.platforms.practice_office import PracticeOffice as Connector
from finalmarket.connectors.shipping import ParcelSize, Shipment
from finalmarket.integrations import notices
from finalmarket.integrations.desk import jobs, labels, looking
from finalmarket.integrations.desk.parcels import read_parcel, shipment_of
from finalmarket.integrations.models import ChannelIntegration, ShippingLabel
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.orders import fulfilment
from finalmarket.orders.aftersales import cancel
from finalmarket.orders.drafts import Address
from finalmarket.orders.models import Fulfilment, Order
from finalmarket.sandbox.faults import Fault
from finalmarket.stock.models import StockLocation
from tests.integrations.counter import HOME, Counter, history
from tests.orders.market import together

LOST = (Fault.ERROR_AFTER, Fault.TIME_OUT, Fault.RESET_AFTER, Fault.TRUNCATED, Fault.MALFORMED)


def standing(parcel: Fulfilment) -> list[tuple[str, str]]:
    """The labels of a parcel, oldest first, and how they stand."""
    return list(ShippingLabel.objects.filter(fulfilment=parcel).order_by("pk").values_list("state", "last_error"))


def carried(parcel: Fulfilment) -> tuple[str, str, str]:
    """What the parcel says of its way."""
    return Fulfilment.objects.values_list("state", "carrier", "tracking_number").get(pk=parcel.pk)


# What carriers are told.


def test_a_carrier_gets_the_phone_of_the_order_where_the_address_has_none(counter: Counter) -> None:
    order = counter.order(address=replace(HOME, phone=""))
    parcel = counter.parcel(order)
    assert shipment_of(read_parcel(parcel.pk), "", None).receiver.phone == ""
    Order.objects.filter(pk=order.pk).update(phone="+49401234567")
    assert shipment_of(read_parcel(parcel.pk), "", None).receiver.phone == "+49401234567"


def test_rates_come_cheapest_first_and_cost_nothing(counter: Counter) -> None:
    parcel = counter.parcel(counter.order(("TEA", 2)))
    rates = labels.get_rates(parcel.pk, counter.integration)
    assert [(one.service, one.amount, one.currency) for one in rates] == [
        ("Letter", Decimal("2.90"), "EUR"), ("Parcel", Decimal("4.90"), "EUR"), ("Overnight", Decimal("12.50"), "EUR"),
    ]  # fmt: skip
    assert counter.office.labels() == []
    assert standing(parcel) == []


def test_a_carrier_is_told_what_the_goods_weigh_are_worth_and_where_they_were_made(counter: Counter) -> None:
    order = counter.order(("TEA", 2), ("CUP", 1))
    told = shipment_of(read_parcel(counter.parcel(order).pk), "key", None)
    assert told.size == ParcelSize(weight_g=750)
    assert (told.sender.street, told.sender.city) == ("Hafen 1", "Bremen")
    assert (told.receiver.name, told.receiver.postcode) == ("Ann Example", "20095")
    assert (told.order_number, told.currency) == (order.number, "EUR")
    assert [
        (one.sku, one.quantity, one.unit_value, one.weight_g, one.origin, one.hs_code) for one in told.items
    ] == [
        ("TEA", 2, Decimal("10.00"), 250, "CN", "691110"), ("CUP", 1, Decimal("10.00"), 250, "CN", "691110"),
    ]  # fmt: skip


def test_a_single_piece_is_as_large_as_the_catalogue_says(counter: Counter) -> None:
    told = shipment_of(read_parcel(counter.parcel().pk), "key", None)
    assert told.size == ParcelSize(weight_g=250, length_mm=200, width_mm=150, height_mm=100)


def test_the_pieces_of_a_bundle_share_what_it_was_sold_for(counter: Counter) -> None:
    from finalmarket.catalog.models import BundleComponent, Product

    product = Product.objects.create(title="Tea for two", slug="set")
    bundle = Variant.objects.create(product=product, sku="SET")
    for sku, units in (("TEA", 1), ("CUP", 2)):
        BundleComponent.objects.create(bundle=bundle, component=Variant.objects.get(sku=sku), quantity=units)
    told = shipment_of(read_parcel(counter.parcel(counter.order(("SET", 1))).pk), "key", None)
    assert {one.sku: (one.quantity, one.unit_value, one.title) for one in told.items} == {
        "TEA": (1, Decimal("3.33"), "The TEA"), "CUP": (2, Decimal("3.33"), "The CUP"),
    }  # fmt: skip


@pytest.mark.parametrize(("country", "told_address"), [("DE", ""), ("CH", "ann@example.com")])
def test_the_mail_address_of_a_buyer_goes_to_a_carrier_only_where_a_border_is_crossed(
    counter: Counter, country: str, told_address: str
) -> None:
    there = Address(name="Ann", street="Weg 1", postcode="8001", city="Zürich", country=country)
    told = shipment_of(read_parcel(counter.parcel(counter.order(address=there)).pk), "key", None)
    assert told.receiver_email == told_address


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda parcel: StockLocation.objects.update(street=""), "the location Warehouse lacks its street"),
        (
            lambda parcel: Order.objects.update(shipping_address={"name": "Ann", "country": "DE"}),
            "the order's shipping address lacks its street, city",
        ),
        (lambda parcel: Variant.objects.update(weight_grams=None), "say what it weighs"),
        (lambda parcel: fulfilment.ship(parcel.pk, actor="ann"), "no label can be bought"),
        (lambda parcel: ChannelIntegration.objects.update(status="paused"), "is paused"),
    ],
)  # fmt: skip
def test_what_no_label_can_be_made_of_is_said_before_anybody_is_asked(
    counter: Counter, spoil: object, words: str
) -> None:
    parcel, rate = counter.parcel(), labels.get_rates(counter.parcel().pk, counter.integration)[0]
    asked = len(counter.office.world.journal.entries(what="request"))
    spoil(parcel)  # type: ignore[operator]
    with pytest.raises(UserError, match=words):
        labels.get_rates(parcel.pk, counter.integration)
    with pytest.raises(UserError, match=words):
        labels.buy_label(parcel.pk, counter.integration, rate, actor="ann")
    assert len(counter.office.world.journal.entries(what="request")) == asked
    assert standing(parcel) == []


# Buying.


def test_a_parcel_that_has_a_label_carries_its_number_and_still_waits(counter: Counter) -> None:
    parcel = counter.parcel()
    label = counter.label(parcel)
    (there,) = counter.office.labels()
    assert (label.label_id, label.tracking_number, label.amount, label.currency, label.label_url) == (
        there["id"], there["number"], Decimal("2.90"), "EUR", there["label_url"],
    )  # fmt: skip
    assert carried(parcel) == ("pending", "Green Post", there["number"])
    assert "label for parcel" in history(parcel.order, "updated")[0]


def test_a_parcel_leaves_by_its_label_without_anybody_typing_the_number(counter: Counter) -> None:
    parcel = counter.parcel()
    label = counter.label(parcel)
    sent = fulfilment.ship(parcel.pk, actor="ann")
    assert (sent.carrier, sent.tracking_number, sent.tracking_url) == (
        "Green Post", label.tracking_number, label.tracking_url,
    )  # fmt: skip


def test_what_a_person_types_goes_before_the_label(counter: Counter) -> None:
    parcel = counter.parcel()
    counter.label(parcel)
    sent = fulfilment.ship(parcel.pk, actor="ann", carrier="Blue", tracking_number="B1")
    assert (sent.carrier, sent.tracking_number, sent.tracking_url) == ("Blue", "B1", "")


def test_a_label_that_is_there_is_not_bought_again(counter: Counter) -> None:
    parcel = counter.parcel()
    first = counter.label(parcel)
    dear = labels.get_rates(parcel.pk, counter.integration)[2]
    assert labels.buy_label(parcel.pk, counter.integration, dear, actor="bob").pk == first.pk
    assert len(counter.effects("label")) == 1


def test_two_people_who_press_at_once_buy_one_label(counter: Counter) -> None:
    parcel = counter.parcel()
    rate = counter.cheapest(parcel)
    ended = together(lambda _: labels.buy_label(parcel.pk, counter.integration, rate, actor="ann"), 6)
    assert {type(one) for one in ended} <= {ShippingLabel, UserError}
    assert any(isinstance(one, ShippingLabel) for one in ended)
    assert len(counter.effects("label")) == 1
    assert standing(parcel) == [("bought", "")]


def test_buying_refuses_to_be_part_of_something_that_may_yet_be_undone(counter: Counter) -> None:
    parcel = counter.parcel()
    rate = counter.cheapest(parcel)
    with transaction.atomic(), pytest.raises(RuntimeError, match="outside of a transaction"):
        labels.buy_label(parcel.pk, counter.integration, rate, actor="ann")


def test_what_no_service_takes_is_said_and_can_be_bought_otherwise(counter: Counter) -> None:
    parcel = counter.parcel()
    letter = counter.cheapest(parcel)
    heavy = ParcelSize(weight_g=5_000)
    with pytest.raises(UserError, match="green-letter does not take this parcel"):
        labels.buy_label(parcel.pk, counter.integration, letter, heavy, actor="ann")
    assert standing(parcel)[0][0] == "failed"
    rate = labels.get_rates(parcel.pk, counter.integration, heavy)[0]
    assert labels.buy_label(parcel.pk, counter.integration, rate, heavy, actor="ann").service == "Parcel"
    assert len(standing(parcel)) == 1


@pytest.mark.parametrize("fault", LOST)
def test_after_an_answer_that_got_lost_a_worker_asks_and_the_label_comes(counter: Counter, fault: Fault) -> None:
    parcel = counter.parcel()
    rate = counter.cheapest(parcel)
    counter.office.faults.then(fault)
    with pytest.raises(UserError, match="answer got lost"):
        labels.buy_label(parcel.pk, counter.integration, rate, actor="ann")
    assert standing(parcel)[0][0] == "buying"
    counter.look(minutes=2)
    assert standing(parcel) == [("bought", "")]
    assert len(counter.effects("label")) == 1
    assert carried(parcel)[2] == counter.office.labels()[0]["number"]


@pytest.mark.parametrize("fault", LOST)
def test_after_an_answer_that_got_lost_a_person_may_press_again(counter: Counter, fault: Fault) -> None:
    parcel = counter.parcel()
    rate = counter.cheapest(parcel)
    counter.office.faults.then(fault)
    with pytest.raises(UserError, match="answer got lost"):
        labels.buy_label(parcel.pk, counter.integration, rate, actor="ann")
    labels.buy_label(parcel.pk, counter.integration, rate, actor="ann")
    assert standing(parcel) == [("bought", "")]
    assert len(counter.effects("label")) == 1


def test_what_was_not_bought_after_all_is_said_and_can_be_bought(counter: Counter) -> None:
    parcel = counter.parcel()
    rate = counter.cheapest(parcel)
    counter.office.faults.then(Fault.RESET_BEFORE)
    with pytest.raises(UserError, match="answer got lost"):
        labels.buy_label(parcel.pk, counter.integration, rate, actor="ann")
    counter.look(minutes=2)
    assert [state for state, _ in standing(parcel)] == ["failed"]
    labels.buy_label(parcel.pk, counter.integration, rate, actor="ann")
    assert len(counter.effects("label")) == 1


def test_a_label_that_shows_up_late_is_found_all_the_same(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    parcel = counter.parcel()
    rate = counter.cheapest(parcel)
    counter.office.faults.then(Fault.ERROR_AFTER)
    with pytest.raises(UserError, match="answer got lost"):
        labels.buy_label(parcel.pk, counter.integration, rate, actor="ann")
    with monkeypatch.context() as patch:
        patch.setattr(Connector, "find_label", lambda self, key: None)
        counter.look(minutes=2)
    assert [state for state, _ in standing(parcel)] == ["failed"]
    counter.look(minutes=40)
    assert standing(parcel) == [("bought", "")]


def test_a_label_of_a_parcel_that_was_called_off_meanwhile_is_put_before_a_person(counter: Counter) -> None:
    parcel = counter.parcel()
    rate = counter.cheapest(parcel)
    counter.office.faults.then(Fault.ERROR_AFTER)
    with pytest.raises(UserError, match="answer got lost"):
        labels.buy_label(parcel.pk, counter.integration, rate, actor="ann")
    cancel(parcel.order_id, reason="changed their mind", actor="ann")
    counter.look(minutes=2)
    assert f"parcel {parcel.pk} is cancelled, but a label was bought" in Order.objects.get(pk=parcel.order_id).problem
    label = ShippingLabel.objects.get()
    assert labels.void_label(label.pk, actor="ann").state == "voided"


@pytest.mark.parametrize(
    "place", ["labels.before_find", "labels.after_find", "labels.within_bought", "labels.after_claim"]
)
def test_a_worker_that_breaks_off_while_it_asks_leaves_the_doubt_to_the_next(counter: Counter, place: str) -> None:
    parcel = counter.parcel()
    rate = counter.cheapest(parcel)
    counter.office.faults.then(Fault.ERROR_AFTER)
    with pytest.raises(UserError, match="answer got lost"):
        labels.buy_label(parcel.pk, counter.integration, rate, actor="ann")
    with failpoints.armed(f"{place}:raise"), pytest.raises(failpoints.FailpointHit):
        counter.look(minutes=2)
    counter.look(minutes=10)
    assert standing(parcel) == [("bought", "")]
    assert len(counter.effects("label")) == 1


def test_a_platform_that_fails_does_not_cost_the_label(counter: Counter) -> None:
    parcel = counter.parcel()
    rate = counter.cheapest(parcel)
    counter.office.faults.then(Fault.ERROR_AFTER, Fault.ERROR_BEFORE)
    with pytest.raises(UserError, match="answer got lost"):
        labels.buy_label(parcel.pk, counter.integration, rate, actor="ann")
    counter.look(minutes=2)
    assert standing(parcel)[0][0] == "buying"
    counter.look(minutes=10)
    assert standing(parcel) == [("bought", "")]


def test_every_minute_accounts_with_something_to_ask_are_found(counter: Counter) -> None:
    counter.label(counter.parcel())
    assert looking.accounts_to_look_at() == []
    with clock.steered(clock.now() + timedelta(hours=2)):
        assert looking.accounts_to_look_at() == [counter.integration.pk]
        jobs.look(counter.integration.pk)
        assert looking.accounts_to_look_at() == []


# Giving back.


def test_a_label_that_is_given_back_is_off_the_parcel_and_another_can_be_bought(counter: Counter) -> None:
    parcel = counter.parcel()
    first = counter.label(parcel)
    assert labels.void_label(first.pk, actor="ann").state == "voided"
    assert carried(parcel) == ("pending", "", "")
    second = counter.label(parcel)
    assert second.pk != first.pk
    assert carried(parcel)[2] == second.tracking_number != first.tracking_number
    assert len(counter.effects("label")) == 2
    assert len(counter.effects("label_voided")) == 1


def test_giving_back_twice_happens_once(counter: Counter) -> None:
    label = counter.label(counter.parcel())
    assert [labels.void_label(label.pk, actor="ann").state for _ in range(2)] == ["voided", "voided"]
    assert len(counter.effects("label_voided")) == 1


def test_the_label_of_a_parcel_that_has_left_is_not_given_back(counter: Counter) -> None:
    parcel = counter.parcel()
    label = counter.label(parcel)
    fulfilment.ship(parcel.pk, actor="ann")
    with pytest.raises(UserError, match="has left"):
        labels.void_label(label.pk, actor="ann")
    assert counter.effects("label_voided") == []


def test_what_the_carrier_does_not_take_back_stays_on_the_parcel(counter: Counter) -> None:
    parcel = counter.parcel()
    label = counter.label(parcel)
    counter.office.move_parcel(label.tracking_number)
    with pytest.raises(UserError, match="on its way already"):
        labels.void_label(label.pk, actor="ann")
    assert standing(parcel)[0][0] == "bought"
    assert carried(parcel)[2] == label.tracking_number


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.TIME_OUT, Fault.RESET_BEFORE, Fault.ERROR_BEFORE])
def test_giving_back_whose_answer_got_lost_is_asked_for_again(counter: Counter, fault: Fault) -> None:
    parcel = counter.parcel()
    label = counter.label(parcel)
    counter.office.faults.then(fault)
    with pytest.raises(UserError, match="answer got lost"):
        labels.void_label(label.pk, actor="ann")
    counter.look(minutes=10)
    assert standing(parcel) == [("voided", "")]
    assert carried(parcel) == ("pending", "", "")
    assert len(counter.effects("label_voided")) == 1


def test_a_carrier_that_says_later_that_it_keeps_the_label_is_put_before_a_person(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    parcel = counter.parcel()
    label = counter.label(parcel)
    void_label = Connector.void_label

    def by_and_by(self: Connector, label_id: str) -> object:
        return replace(void_label(self, label_id), state="voiding")

    with monkeypatch.context() as patch:
        patch.setattr(Connector, "void_label", by_and_by)
        assert labels.void_label(label.pk, actor="ann").state == "voided"
    assert carried(parcel) == ("pending", "", "")
    counter.office.state["labels"][label.label_id]["state"] = "paid"
    counter.office.state["parcels"][label.tracking_number]["state"] = "moving"
    counter.look(days=2)
    assert f"does not take the label {label.tracking_number}" in Order.objects.get(pk=parcel.order_id).problem
    counter.look(days=9)
    assert len(history(parcel.order, "problem")) == 1


def test_the_label_of_a_parcel_that_a_location_does_not_send_is_put_before_a_person_once(counter: Counter) -> None:
    parcel = counter.parcel()
    counter.label(parcel)
    cancel(parcel.order_id, reason="changed their mind", actor="ann")
    counter.look(hours=2)
    counter.look(hours=20)
    (said,) = history(parcel.order, "problem")
    assert "can be given back" in said


def test_a_label_tells_nobody_that_the_parcel_left(counter: Counter) -> None:
    counter.label(counter.parcel())
    notices.find(timedelta(hours=1))
    assert counter.integration.notices.count() == 0


def test_the_key_of_a_label_is_the_same_for_rates_and_for_every_try(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    for name in ("get_rates", "buy_label"):
        original = getattr(Connector, name)

        def noting(self: Connector, shipment: Shipment, *rest: object, original: object = original) -> object:
            seen.append(shipment.key)
            return original(self, shipment, *rest)  # type: ignore[operator]

        monkeypatch.setattr(Connector, name, noting)
    parcel = counter.parcel()
    first = counter.label(parcel)
    assert set(seen) == {first.key}
    labels.void_label(first.pk, actor="ann")
    counter.label(parcel)
    assert len(set(seen)) == 2
