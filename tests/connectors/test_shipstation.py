"""ShipStation beyond the suite: parcels from rates to the door, and orders on the parcel desk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import OutcomeUnknown, Rejected, Unintelligible, WebhookRefused
from finalmarket.connectors.http import Answer
from finalmarket.connectors.platforms.shipstation import ShipStation
from finalmarket.connectors.platforms.shipstation.words import STATES, name_of, tracking_record
from finalmarket.connectors.records import Address, Delivery
from finalmarket.connectors.shipping import ParcelSize, Shipment, ShippedItem, TrackingRecord
from finalmarket.sandbox.faults import Fault
from tests.connectors.cases.shipstation import (
    TEA,
    account,
    case,
    deliver,
    description,
    order_content,
    shipment,
    tracking,
)
from tests.connectors.conformance.stage import START, NthCall, Stage, staged

HUB = "https://hub.example/hooks/token-1"
BERLIN = Address(name="Ada", street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE")


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def sent(stage: Stage, path: str) -> Any:
    """The body of the last request to a path."""
    return json.loads(next(one.request_body for one in reversed(stage.watched.exchanges) if one.path == path))


def bought(stage: Stage, parcel: Shipment) -> Any:
    """The label of a parcel, by its cheapest rate."""
    return stage.connector.buy_label(parcel, stage.connector.get_rates(parcel)[0])


# Rates.


def test_rates_come_cheapest_first_with_days_and_exact_amounts(stage: Stage) -> None:
    rates = stage.connector.get_rates(shipment(stage.stand_in))
    # 1.5 kg: 4.10 + 1.5 x 1.85, 7.42 + 1.5 x 2.40, 9.60 + 1.5 x 1.30
    assert [(rate.carrier, rate.service, rate.amount, rate.days) for rate in rates] == [
        ("stamps_com", "usps_ground_advantage", Decimal("6.88"), 4),
        ("stamps_com", "usps_priority_mail", Decimal("11.02"), 2), ("ups", "ups_ground", Decimal("11.55"), 3),
    ]  # fmt: skip
    assert {rate.currency for rate in rates} == {"USD"}


def test_weights_and_lengths_go_out_as_they_are(stage: Stage) -> None:
    stage.connector.get_rates(shipment(stage.stand_in))
    (package,) = sent(stage, "/v2/shipments")["shipments"][0]["packages"]
    assert package["weight"] == {"value": 1500, "unit": "gram"}
    assert package["dimensions"] == {"unit": "centimeter", "length": 30.5, "width": 20.0, "height": 10.0}


def test_only_the_chosen_carriers_are_asked(stage: Stage) -> None:
    chosen = replace(stage.connector.account, settings={"carrier_ids": "se-102"})
    rates = stage.with_account(chosen).get_rates(shipment(stage.stand_in))
    assert {rate.carrier for rate in rates} == {"ups"}


def test_a_parcel_that_turns_out_heavier_gets_rates_of_its_own_and_the_old_ones_buy_nothing(stage: Stage) -> None:
    parcel = shipment(stage.stand_in)
    light = stage.connector.get_rates(parcel)[0]
    assert stage.connector.get_rates(parcel)[0].amount == light.amount
    assert len(stage.stand_in.state["shipments"]) == 1
    heavier = replace(parcel, size=replace(parcel.size, weight_g=4000))
    heavy = stage.connector.get_rates(heavier)[0]
    with pytest.raises(Rejected, match="ask for rates again"):
        stage.connector.buy_label(heavier, light)
    label = stage.connector.buy_label(heavier, heavy)
    assert label.amount == heavy.amount > light.amount
    assert stage.effects() == {"label": 1}
    assert len(stage.stand_in.state["shipments"]) == 2


def test_a_parcel_that_no_carrier_takes_is_rejected_with_their_words(stage: Stage) -> None:
    with pytest.raises(Rejected, match="70 pounds"):
        stage.connector.get_rates(replace(shipment(stage.stand_in), size=ParcelSize(weight_g=40_000)))


def test_a_parcel_without_a_weight_is_rejected_before_anybody_is_asked(stage: Stage) -> None:
    with pytest.raises(Rejected, match="weight"):
        stage.connector.get_rates(replace(shipment(stage.stand_in), size=ParcelSize(weight_g=0)))
    assert stage.watched.exchanges == []


def test_a_receiver_without_telephone_and_region_is_reached_through_the_shop(stage: Stage) -> None:
    (rate,) = stage.connector.get_rates(replace(shipment(stage.stand_in), receiver=BERLIN))
    assert rate.service == "ups_worldwide_express"
    receiver = sent(stage, "/v2/shipments")["shipments"][0]["ship_to"]
    assert (receiver["phone"], receiver["state_province"]) == ("415 333 4445", "Berlin")


def test_an_address_without_a_street_is_rejected_here(stage: Stage) -> None:
    with pytest.raises(Rejected, match="address_line1"):
        stage.connector.get_rates(replace(shipment(stage.stand_in), receiver=replace(BERLIN, street="")))


def test_customs_are_told_the_value_and_weight_of_each_piece(stage: Stage) -> None:
    stage.connector.get_rates(replace(shipment(stage.stand_in), receiver=BERLIN, items=(replace(TEA, hs_code="0902"),)))
    (product,) = sent(stage, "/v2/shipments")["shipments"][0]["packages"][0]["products"]
    assert product == {
        "description": "Tea", "quantity": 2, "value": {"currency": "usd", "amount": 10.5},
        "weight": {"value": 700, "unit": "gram"}, "country_of_origin": "LK", "sku": "TEA",
        "harmonized_tariff_code": "0902",
    }  # fmt: skip


@pytest.mark.parametrize("item", [replace(TEA, weight_g=0), replace(TEA, origin="")], ids=["weight", "origin"])
def test_an_article_that_customs_would_ask_about_stops_the_parcel_here(stage: Stage, item: ShippedItem) -> None:
    with pytest.raises(Rejected, match="customs ask"):
        stage.connector.get_rates(replace(shipment(stage.stand_in), receiver=BERLIN, items=(item,)))


def test_a_long_or_odd_key_becomes_a_name_of_fifty_letters_at_most() -> None:
    assert name_of("fm-", "parcel-7", 2) == "fm-parcel-7-2"
    for key in ("x" * 60, "a/b", "ü"):
        assert len(name_of("order-", key, 30)) <= 50
        assert name_of("order-", key, 1).replace("-", "").isalnum()


# Labels.


def test_a_label_is_bought_once_however_often_it_is_asked_for(stage: Stage) -> None:
    parcel = shipment(stage.stand_in)
    label = bought(stage, parcel)
    assert (label.state, label.amount, label.currency) == ("bought", Decimal("6.88"), "USD")
    assert label.carrier == "stamps_com"
    assert label.label_url.endswith(".pdf")
    assert bought(stage, parcel) == label
    assert stage.connector.find_label(parcel.key) == label
    assert stage.effects() == {"label": 1}
    assert len(stage.stand_in.state["shipments"]) == 1


def test_a_label_costs_its_insurance_too_but_not_the_duties_on_the_goods(stage: Stage) -> None:
    stage.stand_in.state["insurance"] = Decimal("1.25")
    parcel = replace(shipment(stage.stand_in), receiver=BERLIN)
    (rate,) = stage.connector.get_rates(parcel)
    label = stage.connector.buy_label(parcel, rate)
    assert rate.amount == label.amount == Decimal("65.25")  # 52.00 + 1.5 x 8.00, and the insurance


def test_a_label_whose_news_is_lost_is_found_by_its_key(stage: Stage) -> None:
    parcel = shipment(stage.stand_in)
    rate = stage.connector.get_rates(parcel)[0]
    assert stage.connector.find_label(parcel.key) is None
    stage.watched.answers_may_break = True
    stage.stand_in.faults.then(Fault.ERROR_AFTER)
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


def test_a_label_is_given_back_once_and_is_void_at_once(stage: Stage) -> None:
    parcel = shipment(stage.stand_in)
    label = bought(stage, parcel)
    assert stage.connector.void_label(label.label_id).state == "voided"
    assert stage.connector.void_label(label.label_id).state == "voided"
    assert stage.effects()["void"] == 1
    found = stage.connector.find_label(parcel.key)
    assert found is not None
    assert found.state == "voided"


def test_a_label_that_was_used_or_is_not_there_cannot_be_given_back(stage: Stage) -> None:
    label = bought(stage, shipment(stage.stand_in))
    stage.stand_in.move(label.tracking_number, "IN_TRANSIT", "Picked up")
    with pytest.raises(Rejected, match="carrier has the parcel") as caught:
        stage.connector.void_label(label.label_id)
    assert caught.value.code == "label_already_used"
    for name in ("se-999999", ""):
        with pytest.raises(Rejected, match="no label"):
            stage.connector.void_label(name)


# Tracking.


def test_a_parcel_is_followed_from_the_label_to_the_door(stage: Stage) -> None:
    label = bought(stage, shipment(stage.stand_in))
    seen: list[TrackingRecord] = [stage.connector.track(label.label_id, label.tracking_number, label.carrier)]
    for code in ("COLLECTION_MADE", "HELD_BY_CARRIER", "OUT_FOR_DELIVERY", "DELIVERED"):
        stage.time.advance(timedelta(hours=5))
        stage.stand_in.move(label.tracking_number, code, code.title())
        seen.append(stage.connector.track(label.label_id, label.tracking_number, label.carrier))
    assert [one.state for one in seen] == [
        "label_made", "under_way", "under_way", "out_for_delivery", "delivered",
    ]  # fmt: skip
    assert [one.version for one in seen] == sorted({one.version for one in seen})
    assert seen[-1].delivered_at == seen[-1].steps[-1].at
    assert seen[-1].steps[0].place == "Kenly, NC, US"
    assert stage.connector.track("", label.tracking_number, label.carrier) == seen[-1]


def test_a_parcel_whose_label_was_bought_elsewhere_is_not_known(stage: Stage) -> None:
    assert stage.connector.track("", "1Z999AA10123456784", "ups") is None
    assert stage.connector.track("se-999999", "", "") is None


def test_every_status_of_the_published_list_has_a_word_of_ours() -> None:
    codes = (
        description().operations[0].document.contents["components"]["schemas"]["tracking_status_detail_code"]["enum"]
    )
    assert [code for code in codes if code not in STATES] == []


@pytest.mark.parametrize(
    ("codes", "state", "unknown"),
    [
        (("IT", "OUT_FOR_DELIVERY"), "out_for_delivery", ()), (("DE", ""), "delivered", ()),
        (("IT", "INFORMATION"), "under_way", ()), (("EX", "RETURN_TO_SENDER"), "returned", ()),
        (("XX", "BEAMED"), "unknown", ("BEAMED", "XX")),
        (("SP", "CARRIER_STATUS_NOT_MAPPED"), "waiting_for_pickup", ()),
    ],
)  # fmt: skip
def test_the_finer_code_is_read_unless_it_says_nothing(codes: tuple[str, str], state: str, unknown: tuple[str]) -> None:
    told = tracking(START) | dict(zip(("status_code", "status_detail_code"), codes, strict=True))
    record = tracking_record(told)
    assert (record.state, record.unknown) == (state, unknown)


# The parcel desk.


def test_the_desk_sees_an_order_with_what_is_left_to_pack(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    tea, cup, shipping = content.lines
    names = stage.connector.push_order(replace(content, lines=(tea, replace(cup, cancelled_quantity=1), shipping)))
    made = sent(stage, "/v2/shipments")["shipments"][0]
    assert made["create_sales_order"] is True
    assert [(item["sku"], item["quantity"], item["unit_price"]) for item in made["items"]] == [("TEA", 2, 10.5)]
    assert made["shipping_paid"] == {"currency": "usd", "amount": 4.9}
    assert made["ship_from"]["city_locality"] == "San Francisco"
    assert set(names.lines) == {"1"}
    assert stage.connector.find_order(content.number) == names


def test_another_address_takes_the_order_off_the_desk_and_lays_it_there_anew(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    first = stage.connector.push_order(content)
    moved = replace(content, shipping_address=replace(content.shipping_address, street="1 Other Street"))
    second = stage.connector.push_order(moved)
    assert first.external_id != second.external_id
    assert stage.connector.push_order(moved) == second
    states = {one["shipment_id"]: one["shipment_status"] for one in stage.stand_in.state["shipments"].values()}
    assert states == {first.external_id: "cancelled", second.external_id: "pending"}


def test_an_order_whose_change_was_refused_lies_on_the_desk_again_once_it_is_changed_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = order_content(stage.stand_in)
    first = stage.connector.push_order(content)
    with monkeypatch.context() as refusing:
        made = stage.stand_in._new_shipment
        refusing.setattr(stage.stand_in, "_made", lambda told: {**made(told), "errors": ["nobody delivers there"]})
        nowhere = replace(content.shipping_address, street="Nowhere")
        with pytest.raises(Rejected, match="nobody delivers there"):
            stage.connector.push_order(replace(content, shipping_address=nowhere))
    again = stage.connector.push_order(content)
    assert stage.connector.push_order(content) == again
    states = {one["shipment_id"]: one["shipment_status"] for one in stage.stand_in.state["shipments"].values()}
    assert states == {first.external_id: "cancelled", again.external_id: "pending"}


def test_an_order_that_is_packed_at_the_desk_cannot_be_changed_there(stage: Stage) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    stage.stand_in.pack(name_of("order-", content.number, 1))
    assert stage.connector.push_order(content) == names
    with pytest.raises(Rejected, match="bought a label"):
        stage.connector.push_order(replace(content, lines=content.lines[:1]))
    stage.connector.push_order(replace(content, state="cancelled"))
    assert "cancellation" not in stage.effects()


@pytest.mark.parametrize("state", ["cancelled", "fulfilled"])
def test_an_order_that_needs_no_packing_any_more_leaves_the_desk(stage: Stage, state: str) -> None:
    content = order_content(stage.stand_in)
    names = stage.connector.push_order(content)
    done = replace(content, state=state)
    assert stage.connector.push_order(done).external_id == names.external_id
    assert stage.connector.push_order(done).external_id == names.external_id
    assert stage.effects() == {"sales order": 1, "cancellation": 1}


def test_an_order_that_never_lay_on_the_desk_is_not_put_there_to_be_taken_off(stage: Stage) -> None:
    content = replace(order_content(stage.stand_in), state="fulfilled")
    assert stage.connector.push_order(content).external_id == ""
    assert stage.effects() == {}


def test_a_warehouse_that_is_not_there_is_named_as_the_reason(stage: Stage) -> None:
    elsewhere = replace(stage.connector.account, settings={"warehouse_id": "se-9"})
    with pytest.raises(Rejected, match="warehouse"):
        stage.with_account(elsewhere).push_order(order_content(stage.stand_in))


# Webhooks.


def test_what_the_sandbox_signs_is_what_we_accept_after_subscribing(stage: Stage) -> None:
    deliveries: list[Delivery] = []
    stage.stand_in.sender.send = lambda letter: deliveries.append(
        Delivery(letter.url, letter.headers, letter.body, stage.world.clock.now())
    )
    bare = Account({"api_key": stage.connector.account.secrets["api_key"]}, base_url=stage.address)
    kept = stage.with_account(bare).subscribe(HUB)
    assert stage.with_account(bare).subscribe(HUB) == kept
    assert stage.effects() == {"webhook": 1}
    assert not any("api-key" in one.request_headers for one in stage.watched.exchanges if one.path == "/jwks")
    connector = stage.with_account(replace(bare, secrets={**bare.secrets, **kept}))
    label = bought(stage, shipment(stage.stand_in))
    stage.stand_in.move(label.tracking_number, "DELIVERED", "Delivered")
    (delivery,) = deliveries
    connector.verify_webhook(delivery)
    (event,) = connector.read_webhook(delivery)
    assert isinstance(event.record, TrackingRecord)
    assert event.record.label_id == label.label_id
    assert event.record == replace(
        stage.connector.track(label.label_id, label.tracking_number, label.carrier), raw=event.record.raw
    )


def test_a_key_that_is_not_in_the_set_is_refused() -> None:
    delivery = deliver(account(HUB), topic="API_TRACK", sent_at=START)
    other = replace(delivery, headers={**delivery.headers, "x-shipengine-rsa-sha256-key-id": "another-key"})
    with pytest.raises(WebhookRefused, match="subscribe again"):
        ShipStation(account(HUB)).verify_webhook(other)


@pytest.mark.parametrize(
    "keys", ['{"keys": []}', '{"keys": [{"kid": "key-of-the-case", "kty": "RSA", "n": "AQAB"}]}', "x"]
)
def test_keys_that_are_of_no_use_let_nothing_in(keys: str) -> None:
    made = account(HUB)
    delivery = deliver(made, topic="API_TRACK", sent_at=START)
    with pytest.raises(WebhookRefused):
        ShipStation(replace(made, secrets={**made.secrets, "webhook_keys": keys})).verify_webhook(delivery)


def test_keys_that_cannot_be_read_are_not_kept(stage: Stage) -> None:
    stage.stand_in._signing_key = lambda: None
    stage.stand_in._routes = [pair for pair in stage.stand_in._routes if "jwks" not in pair[0].pattern.pattern]
    with pytest.raises((Unintelligible, Rejected)):
        stage.connector.subscribe(HUB)
    assert stage.effects() == {}


# Errors.


def test_an_error_tells_its_code_and_whose_it_is() -> None:
    told = {"errors": [{"error_source": "carrier", "error_code": "insufficient_funds", "message": "no money left"}]}
    assert ShipStation(account(HUB)).error_code(Answer(400, {}, b"", told)) == (
        "insufficient_funds", "carrier no money left",
    )  # fmt: skip


def test_a_carrier_that_fails_beside_others_that_answer_is_no_error() -> None:
    told = {"carriers": [], "errors": [{"error_code": "carrier_conflict", "message": "later"}]}
    assert ShipStation(account(HUB)).error_code(Answer(207, {}, b"", told)) == ("", "")
