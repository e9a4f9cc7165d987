"""EasyPost beyond the suite: parcels from rates to the door, over HTTP, judged by what its documentation shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import NeedsAttention, OutcomeUnknown, Rejected
from finalmarket.connectors.http import Answer
from finalmarket.connectors.platforms.easypost import EasyPost
from finalmarket.connectors.platforms.easypost.words import inches, ounces, reference_of
from finalmarket.connectors.records import Address, Delivery
from finalmarket.connectors.shipping import ParcelSize, ShippedItem, TrackingRecord
from finalmarket.sandbox.faults import Fault
from tests.connectors.cases.easypost import TEA, account, case, deliver, shipment
from tests.connectors.conformance.stage import START, NthCall, Stage, staged
from tests.connectors.descriptions import vendor_apis

HUB = "https://hub.example/hooks/token-1"
BERLIN = Address(name="Ada", street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE", phone="+49 30 1")


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


# Rates.


def test_rates_come_cheapest_first_with_days_and_exact_amounts(stage: Stage) -> None:
    rates = stage.connector.get_rates(shipment(stage.stand_in))
    # 1500 g are 52.92 ounces, to the hundredth up: 4.10 + 0.85 x 52.92 / 16, and so on.
    assert [(rate.carrier, rate.service, rate.amount, rate.days) for rate in rates] == [
        ("USPS", "GroundAdvantage", Decimal("6.91"), 3), ("USPS", "Priority", Decimal("11.06"), 2),
        ("UPSDAP", "Ground", Decimal("11.58"), 4), ("USPS", "Express", Decimal("36.69"), 1),
    ]  # fmt: skip
    assert {rate.currency for rate in rates} == {"USD"}
    assert len(stage.stand_in.state["shipments"]) == 1


def test_asking_for_rates_again_makes_no_other_draft(stage: Stage) -> None:
    parcel = shipment(stage.stand_in)
    first = stage.connector.get_rates(parcel)
    again = stage.connector.get_rates(parcel)
    assert len(stage.stand_in.state["shipments"]) == 1
    assert {rate.shipment_id for rate in first} == {rate.shipment_id for rate in again}


def test_a_parcel_that_turns_out_heavier_gets_rates_of_its_own_and_the_old_ones_buy_nothing(stage: Stage) -> None:
    parcel = shipment(stage.stand_in)
    light = stage.connector.get_rates(parcel)[0]
    heavier = replace(parcel, size=replace(parcel.size, weight_g=4000))
    heavy = stage.connector.get_rates(heavier)[0]
    assert heavy.amount > light.amount
    with pytest.raises(Rejected, match="ask for rates again"):
        stage.connector.buy_label(heavier, light)
    label = stage.connector.buy_label(heavier, heavy)
    assert label.amount == heavy.amount
    assert stage.connector.find_label(parcel.key) == label
    assert stage.effects()["label"] == 1


def test_a_parcel_that_no_carrier_takes_is_rejected_with_their_words(stage: Stage) -> None:
    parcel = replace(shipment(stage.stand_in), size=ParcelSize(weight_g=90_000))
    with pytest.raises(Rejected, match="70 pounds"):
        stage.connector.get_rates(parcel)


def test_a_parcel_without_a_weight_is_rejected_before_anybody_is_asked(stage: Stage) -> None:
    with pytest.raises(Rejected, match="weight"):
        stage.connector.get_rates(replace(shipment(stage.stand_in), size=ParcelSize(weight_g=0)))
    assert stage.watched.exchanges == []


def test_customs_are_told_the_whole_value_and_weight_of_each_article(stage: Stage) -> None:
    parcel = replace(shipment(stage.stand_in), receiver=BERLIN, items=(TEA, replace(TEA, sku="CUP", hs_code="691110")))
    (rate,) = stage.connector.get_rates(parcel)
    assert rate.service == "FEDEX_INTERNATIONAL_PRIORITY"
    sent = json.loads(stage.watched.exchanges[-1].request_body)["shipment"]["customs_info"]
    tea, cup = sent["customs_items"]
    assert (tea["quantity"], tea["value"], tea["weight"], tea["origin_country"]) == ("2", "21.00", "49.39", "LK")
    assert cup["hs_tariff_number"] == "691110"
    assert sent["eel_pfc"] == "NOEEI 30.37(a)"


@pytest.mark.parametrize("item", [replace(TEA, weight_g=0), replace(TEA, origin="")], ids=["weight", "origin"])
def test_an_article_that_customs_would_ask_about_stops_the_parcel_here(stage: Stage, item: ShippedItem) -> None:
    with pytest.raises(Rejected, match="customs ask"):
        stage.connector.get_rates(replace(shipment(stage.stand_in), receiver=BERLIN, items=(item,)))


@pytest.mark.parametrize(
    ("grams", "wanted"), [(1, "0.04"), (28, "0.99"), (100, "3.53"), (454, "16.02"), (1000, "35.28"), (28350, "1000.02")]
)
def test_grams_become_ounces_to_the_next_hundredth_up(grams: int, wanted: str) -> None:
    assert ounces(grams) == wanted


@pytest.mark.parametrize(("millimetres", "wanted"), [(254, "10"), (1, "0.04"), (300, "11.82"), (127, "5"), (508, "20")])
def test_millimetres_become_inches_to_the_next_hundredth_up(millimetres: int, wanted: str) -> None:
    assert inches(millimetres) == wanted


def test_an_odd_key_becomes_a_reference_that_fits_into_an_address() -> None:
    assert reference_of("order-7", 1) == "fm-order-7-1"
    odd = reference_of("a key/with ünusual signs" * 9, 2)
    assert odd.isascii()
    assert "/" not in odd
    assert odd != reference_of("another key/with ünusual signs" * 9, 2)


# Labels.


def test_a_label_is_bought_once_however_often_it_is_asked_for(stage: Stage) -> None:
    parcel = shipment(stage.stand_in)
    cheapest = stage.connector.get_rates(parcel)[0]
    label = stage.connector.buy_label(parcel, cheapest)
    assert (label.state, label.amount, label.carrier) == ("bought", Decimal("6.91"), "USPS")
    assert label.label_url.endswith(".pdf")
    assert stage.connector.buy_label(parcel, cheapest) == label
    stage.connector.get_rates(parcel)
    assert stage.connector.buy_label(parcel, stage.connector.get_rates(parcel)[-1]) == label
    assert stage.effects() == {"label": 1}
    assert len(stage.stand_in.state["shipments"]) == 1


def test_a_label_whose_news_is_lost_is_found_by_its_key(stage: Stage) -> None:
    parcel = shipment(stage.stand_in)
    assert stage.connector.find_label(parcel.key) is None
    rate = stage.connector.get_rates(parcel)[0]
    assert stage.connector.find_label(parcel.key) is None
    stage.watched.answers_may_break = True
    stage.stand_in.faults.then(Fault.SLOW_DRIP, Fault.RESET_AFTER)  # the look-up drips, the purchase breaks off
    with pytest.raises(OutcomeUnknown):
        stage.connector.buy_label(parcel, rate)
    found = stage.connector.find_label(parcel.key)
    assert found is not None
    assert stage.connector.buy_label(parcel, rate) == found
    assert stage.effects()["label"] == 1


def test_a_draft_whose_news_is_lost_is_not_made_again() -> None:
    with staged(case(), faults=NthCall(Fault.ERROR_AFTER, 1, writes=True)) as stage:
        parcel = shipment(stage.stand_in)
        with pytest.raises(Exception, match="500"):
            stage.connector.get_rates(parcel)
        assert stage.connector.get_rates(parcel)
        assert len(stage.stand_in.state["shipments"]) == 1


def test_a_label_given_back_waits_for_the_carrier_and_is_void_when_it_agrees(stage: Stage) -> None:
    parcel = shipment(stage.stand_in)
    label = stage.connector.buy_label(parcel, stage.connector.get_rates(parcel)[0])
    assert stage.connector.void_label(label.label_id).state == "voiding"
    assert stage.connector.void_label(label.label_id).state == "voiding"
    assert stage.effects()["refund"] == 1
    stage.stand_in.settle_refund(label.label_id, accepted=True)
    assert stage.connector.void_label(label.label_id).state == "voided"
    found = stage.connector.find_label(parcel.key)
    assert found is not None
    assert found.state == "voided"


def test_a_label_that_the_carrier_does_not_take_back_is_rejected(stage: Stage) -> None:
    parcel = shipment(stage.stand_in)
    label = stage.connector.buy_label(parcel, stage.connector.get_rates(parcel)[0])
    stage.connector.void_label(label.label_id)
    stage.stand_in.settle_refund(label.label_id, accepted=False)
    with pytest.raises(Rejected, match="carrier"):
        stage.connector.void_label(label.label_id)


def test_a_label_that_was_used_or_is_not_there_cannot_be_given_back(stage: Stage) -> None:
    parcel = shipment(stage.stand_in)
    label = stage.connector.buy_label(parcel, stage.connector.get_rates(parcel)[0])
    stage.stand_in.move(label.tracking_number, "in_transit", "Picked up")
    for name in (label.label_id, "shp_00000000000000000000000000000000", ""):
        with pytest.raises(Rejected):
            stage.connector.void_label(name)
    assert "refund" not in stage.effects()


# Tracking.


def test_a_parcel_is_followed_from_the_label_to_the_door(stage: Stage) -> None:
    parcel = shipment(stage.stand_in)
    label = stage.connector.buy_label(parcel, stage.connector.get_rates(parcel)[0])
    seen: list[TrackingRecord] = [stage.connector.track(label.label_id, label.tracking_number, label.carrier)]
    for status, words in (
        ("pre_transit", "Label created"), ("in_transit", "Picked up"), ("out_for_delivery", "Out for delivery"),
        ("delivered", "Delivered"),
    ):  # fmt: skip
        stage.time.advance(timedelta(hours=5))
        stage.stand_in.move(label.tracking_number, status, words, city="Redondo Beach")
        seen.append(stage.connector.track(label.label_id, label.tracking_number, label.carrier))
    assert [one.state for one in seen] == [
        "label_made", "label_made", "under_way", "out_for_delivery", "delivered",
    ]  # fmt: skip
    assert [one.version for one in seen] == sorted({one.version for one in seen})
    last = seen[-1]
    assert last.label_id == label.label_id
    assert (last.steps[1].words, last.steps[1].place) == ("Picked up", "Redondo Beach")
    assert last.shipped_at is not None
    assert last.delivered_at is not None
    assert last.delivered_at - last.shipped_at == timedelta(hours=10)


def test_a_parcel_bought_elsewhere_is_followed_by_its_number(stage: Stage) -> None:
    stage.stand_in.add_parcel("1Z999AA10123456784", "UPS")
    found = stage.connector.track("", "1Z999AA10123456784", "UPS")
    assert found is not None
    assert (found.state, found.label_id, found.carrier) == ("label_made", "", "UPS")
    assert stage.connector.track("", "1Z999AA10123456784", "UPS") == found
    assert stage.connector.track("", "a-number-of-nobody", "UPS") is None
    assert stage.connector.track("shp_nobody", "1Z999AA10123456784", "UPS") is None


def test_a_status_that_no_documentation_knows_is_kept_as_unknown(stage: Stage) -> None:
    parcel = shipment(stage.stand_in)
    label = stage.connector.buy_label(parcel, stage.connector.get_rates(parcel)[0])
    stage.stand_in.move(label.tracking_number, "teleported", "Beamed up")
    found = stage.connector.track(label.label_id, label.tracking_number, label.carrier)
    assert (found.state, found.unknown) == ("unknown", ("teleported",))


# Webhooks.


def test_the_vendors_own_example_of_a_signed_event_is_accepted_and_read() -> None:
    folder = vendor_apis() / "easypost" / "fixtures"
    expected = json.loads((folder / "client-library-fixtures.json").read_text())["webhooks"]
    # The vendor's libraries sign the file without the line end that it is kept with.
    body = (folder / "event-body.json").read_bytes().rstrip(b"\n")
    connector = EasyPost(Account({"api_key": "EZTK-none", "webhook_secret": expected["secret"]}))
    delivery = Delivery(HUB, {"X-Hmac-Signature": expected["hmac_signature"]}, body, START)
    connector.verify_webhook(delivery)
    (event,) = connector.read_webhook(delivery)
    assert isinstance(event.record, TrackingRecord)
    assert (event.kind, event.external_id, event.record.state) == ("tracking", "1", "under_way")
    assert event.record.expected_at == datetime(2024, 8, 5, tzinfo=UTC)
    assert event.record.steps[-1].place == "EDISON, NJ, US"
    assert event.record.shipped_at == datetime(2024, 7, 31, 19, 27, tzinfo=UTC)


def test_a_secret_of_our_own_is_given_to_easypost_once(stage: Stage) -> None:
    bare = Account({"api_key": stage.connector.account.secrets["api_key"]}, base_url=stage.address)
    connector = stage.with_account(bare)
    kept = connector.subscribe(HUB)
    assert len(kept["webhook_secret"]) >= 32
    assert list(stage.stand_in.state["secrets"].values()) == [kept["webhook_secret"]]
    assert stage.with_account(replace(bare, secrets={**bare.secrets, **kept})).subscribe(HUB) == kept
    assert stage.effects() == {"webhook": 1}


def test_an_address_whose_secret_we_do_not_have_gets_a_new_one(stage: Stage) -> None:
    bare = Account({"api_key": stage.connector.account.secrets["api_key"]}, base_url=stage.address)
    first = stage.with_account(bare).subscribe(HUB)
    second = stage.with_account(bare).subscribe(HUB)
    assert first != second
    assert list(stage.stand_in.state["secrets"].values()) == [second["webhook_secret"]]
    assert len(stage.stand_in.state["webhooks"]) == 1


def test_what_the_sandbox_signs_is_what_we_accept(stage: Stage) -> None:
    sent: list[Delivery] = []
    stage.stand_in.sender.send = lambda letter: sent.append(Delivery(letter.url, letter.headers, letter.body, START))
    stage.connector.subscribe(HUB)
    parcel = shipment(stage.stand_in)
    label = stage.connector.buy_label(parcel, stage.connector.get_rates(parcel)[0])
    stage.stand_in.move(label.tracking_number, "delivered", "Delivered")
    events = []
    for delivery in sent:
        stage.connector.verify_webhook(delivery)
        events += stage.connector.read_webhook(delivery)
    assert [event.topic for event in events] == ["tracker.created", "tracker.updated"]
    assert events[-1].record == stage.connector.track(label.label_id, label.tracking_number, label.carrier)


def test_an_event_of_another_kind_is_read_as_unknown() -> None:
    delivery = deliver(account(HUB), topic="batch.created", sent_at=START)
    (event,) = EasyPost(account(HUB)).read_webhook(delivery)
    assert (event.kind, event.topic, event.record) == ("unknown", "batch.created", None)


# Errors.


def test_an_error_is_told_with_what_it_says_of_single_fields() -> None:
    told = {"error": {"code": "PARAMETER.REQUIRED", "message": "Missing.", "errors": [
        {"field": "shipment", "message": "cannot be blank"}, "and more"]}}  # fmt: skip
    code, words = EasyPost(account(HUB)).error_code(Answer(422, {}, b"", told))
    assert (code, words) == ("PARAMETER.REQUIRED", "Missing.; shipment cannot be blank; and more")


def test_an_account_without_means_needs_attention() -> None:
    code, _ = EasyPost(account(HUB)).error_code(Answer(402, {}, b"", {"error": {"code": "X", "message": "pay"}}))
    assert EasyPost.consequences[code] is NeedsAttention
