"""Carriers: what sending costs, labels that are paid for once, where parcels are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.shipping import Label, Shipment, ShippingRate, Ships
from tests.connectors.cases import Case
from tests.connectors.conformance.pages import walk_through
from tests.connectors.conformance.stage import Stage, another_name, check, needed, staged
from tests.connectors.conformance.verbs import Act, Verb, effects_from_here, may_repeat, register, register_shapes

PARCEL_STATES = {
    "label_made", "under_way", "out_for_delivery", "delivered", "waiting_for_pickup", "returned", "failed", "unknown",
}  # fmt: skip


def _shipment(stage: Stage) -> Shipment:
    shipment: Shipment = needed(stage.case.shipment, "shipment")(stage.stand_in)
    return shipment


def _cheapest(stage: Stage, shipment: Shipment) -> ShippingRate:
    rate: ShippingRate = next(iter(stage.connector.get_rates(shipment)))
    return rate


def _bought(stage: Stage) -> tuple[Shipment, Label]:
    shipment = _shipment(stage)
    return shipment, stage.connector.buy_label(shipment, _cheapest(stage, shipment))


def _label(stage: Stage) -> Act:
    shipment = _shipment(stage)
    rate = _cheapest(stage, shipment)
    return Act(
        lambda: stage.connector.buy_label(shipment, rate),
        effects_from_here(stage),
        lambda: stage.connector.find_label(shipment.key),
    )


def _void(stage: Stage) -> Act:
    _, label = _bought(stage)
    return Act(lambda: stage.connector.void_label(label.label_id), effects_from_here(stage), may_repeat)


CARRIER_VERBS = (
    Verb("buy_label", Ships, _label, is_named=True, is_asked=True),
    Verb("void_label", Ships, _void, is_named=True),
)
register(*CARRIER_VERBS)
register_shapes(*CARRIER_VERBS)


@check(Ships)
def asking_what_it_costs_buys_nothing(case: Case) -> None:
    with staged(case) as stage:
        shipment, before = _shipment(stage), stage.effects()
        rates = list(stage.connector.get_rates(shipment))
        asked = stage.effects() - before  # a draft, perhaps, that a platform keeps of the question
        assert rates, "nobody takes the shipment of the case"
        assert stage.connector.find_label(shipment.key) is None
        stage.connector.buy_label(shipment, rates[0])
        bought = stage.effects() - before - asked
        assert bought, "buying a label changes nothing that the stand-in writes down"
        assert not set(asked) & set(bought), "asking did what buying does"


@check(Ships)
def rates_are_whole_and_the_cheapest_comes_first(case: Case) -> None:
    with staged(case) as stage:
        rates = list(stage.connector.get_rates(_shipment(stage)))
        for rate in rates:
            walk_through(rate, "ShippingRate")
            assert rate.rate_id
            assert rate.carrier
            assert rate.service
            assert rate.amount > 0
            assert rate.currency == rate.currency.upper() != ""
        assert len({rate.rate_id for rate in rates}) == len(rates), "two services bear one name"
        amounts = [rate.amount for rate in rates]
        assert amounts == sorted(amounts), "the cheapest comes first"


@check(Ships)
def a_label_is_bought_once_under_its_key_and_found_by_it(case: Case) -> None:
    with staged(case) as stage:
        shipment = _shipment(stage)
        rate = _cheapest(stage, shipment)
        label = stage.connector.buy_label(shipment, rate)
        assert isinstance(label, Label)
        walk_through(label, "Label")
        assert label.label_id
        assert label.tracking_number
        assert label.label_url
        assert (label.state, label.amount, label.currency) == ("bought", rate.amount, rate.currency)
        again = stage.connector.buy_label(shipment, rate)
        found = stage.connector.find_label(shipment.key)
        assert (again.label_id, again.tracking_number) == (label.label_id, label.tracking_number)
        assert (found.label_id, found.tracking_number) == (label.label_id, label.tracking_number)
        assert stage.connector.find_label(f"{shipment.key}-other") is None


@check(Ships)
def two_labels_are_two(case: Case) -> None:
    with staged(case) as stage:
        (_, one), (_, two) = _bought(stage), _bought(stage)
        assert one.label_id != two.label_id
        assert one.tracking_number != two.tracking_number


@check(Ships)
def a_label_that_is_given_back_stays_so(case: Case) -> None:
    with staged(case) as stage:
        shipment, label = _bought(stage)
        nothing = effects_from_here(stage)
        voided = stage.connector.void_label(label.label_id)
        assert voided.label_id == label.label_id
        assert voided.state in ("voiding", "voided")
        once = nothing()
        stage.time.advance(timedelta(minutes=1))
        again = stage.connector.void_label(label.label_id)
        assert again.state in ("voiding", "voided")
        assert nothing() == once
        found = stage.connector.find_label(shipment.key)
        assert found is None or found.state != "bought"


@check(Ships)
def a_label_that_is_not_there_cannot_be_given_back(case: Case) -> None:
    with staged(case) as stage:
        _, label = _bought(stage)
        nothing = effects_from_here(stage)
        with pytest.raises(Rejected):
            stage.connector.void_label(another_name(label.label_id))
        assert nothing() == ()


@check(Ships)
def a_parcel_is_followed_by_its_label_and_its_number(case: Case) -> None:
    with staged(case) as stage:
        _, label = _bought(stage)
        record = stage.connector.track(label.label_id, label.tracking_number, label.carrier)
        assert record is not None
        walk_through(record, "TrackingRecord")
        assert record.tracking_number == label.tracking_number
        assert record.version
        assert record.state in PARCEL_STATES - {"unknown"}
        assert record.unknown == ()


@check(Ships)
def a_parcel_that_nobody_knows_is_none(case: Case) -> None:
    with staged(case) as stage:
        _, label = _bought(stage)
        assert stage.connector.track("", another_name(label.tracking_number), label.carrier) is None


@check(Ships)
def a_word_that_no_documentation_knows_survives_in_where_a_parcel_is(case: Case) -> None:
    if "parcels" in case.wordless:
        return
    unjudged = replace(case, describe=None)  # the word is against the description, and meant to be
    with staged(unjudged) as stage:
        seed = needed(case.seed_unknown_parcel, "seed_unknown_parcel")
        label_id, number, carrier, word = seed(stage.stand_in)
        record = stage.connector.track(label_id, number, carrier)
        assert record.state == "unknown"
        assert any(word in told for told in record.unknown), f"{word!r} is not among {record.unknown}"


@check(Ships)
def what_a_label_costs_is_exact(case: Case) -> None:
    with staged(case) as stage:
        shipment = _shipment(stage)
        for rate in stage.connector.get_rates(shipment):
            assert isinstance(rate.amount, Decimal)
            assert rate.amount == rate.amount.quantize(Decimal("0.0001")), "a price in binary fractions"
