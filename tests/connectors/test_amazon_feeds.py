"""Many changes at once are a feed, and parcels are confirmed: told twice, they count once."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jsonschema
import pytest

pytest.register_assert_rewrite("tests.connectors.conformance", "tests.connectors.amazon_stage")

from finalmarket.connectors.errors import (  # noqa: E402
    OutcomeUnknown,
    Rejected,
    RetryLater,
)
from finalmarket.connectors.platforms.amazon import outgoing  # noqa: E402
from finalmarket.connectors.records import (  # noqa: E402
    FulfilmentNotice,
    ListingRef,
)
from finalmarket.sandbox.faults import Fault, Faults  # noqa: E402
from finalmarket.sandbox.platforms.amazon import Amazon as AmazonStandIn  # noqa: E402
from finalmarket.sandbox.platforms.amazon.account import MAIN_SHOP  # noqa: E402
from tests.connectors.amazon_stage import amazon, hasty, sent_to, stock  # noqa: E402
from tests.connectors.cases.amazon import fulfilment, seed_listings  # noqa: E402
from tests.connectors.descriptions import vendor_apis  # noqa: E402

FRANCE = "A13V1IB3VIYZZH"


# Feeds.


def test_many_changes_go_out_as_one_feed_that_the_schemas_allow() -> None:
    with amazon() as stage:
        refs = seed_listings(stage.stand_in, outgoing.MOST_PATCHES + 5)
        assert stage.connector.push_stock(stock(refs)) == []
        assert set(stage.stand_in.shown_stock().values()) == {7}
        assert sent_to(stage, "PATCH", "/listings/") == []
        assert len(sent_to(stage, "POST", "/feeds/2021-06-30/feeds")) == 1
        schemas = vendor_apis() / "amazon" / "feed-schemas"
        uploaded, report = sorted(
            (one["body"] for one in stage.stand_in.state["documents"].values()),
            key=lambda body: body[:2] == b"\x1f\x8b",
        )
        _judge(json.loads(uploaded), schemas / "listings-feed-schema-v2.json")
        _judge(json.loads(gzip.decompress(report)), schemas / "listings-feed-processing-report-schema-v2.json")


def _judge(value: Any, schema: Any) -> None:
    jsonschema.Draft7Validator(json.loads(schema.read_text(encoding="utf-8"))).validate(value)


def test_changes_that_a_feed_refuses_come_back_by_their_keys_and_the_others_stand() -> None:
    with amazon() as stage:
        refs = list(seed_listings(stage.stand_in, 30))
        missing = [ListingRef(key=f"GONE-{number}", sku=f"GONE-{number}") for number in range(3)]
        refused = stage.connector.push_stock(stock([*refs[:10], *missing, *refs[10:]]))
        assert [error.key for error in refused] == ["GONE-0", "GONE-1", "GONE-2"]
        assert "is not one of yours" in refused[0].reason
        assert set(stage.stand_in.shown_stock().values()) == {7}


def test_no_token_goes_to_the_address_that_a_document_is_uploaded_to() -> None:
    with amazon() as stage:
        stage.connector.push_stock(stock(seed_listings(stage.stand_in, 30)))
        carried = [one for one in stage.watched.exchanges if one.path.startswith(("/uploads/", "/downloads/"))]
        assert [one.method for one in carried] == ["PUT", "GET"]
        assert not any("x-amz-access-token" in one.request_headers for one in carried)


def test_a_feed_is_waited_for() -> None:
    class Slow(AmazonStandIn):
        feed_waits, feed_works = timedelta(seconds=40), timedelta(minutes=5)
        zips_reports = False

    with amazon(Slow) as stage:
        began = stage.world.clock.now()
        assert stage.connector.push_stock(stock(seed_listings(stage.stand_in, 30))) == []
        assert set(stage.stand_in.shown_stock().values()) == {7}
        assert stage.world.clock.now() - began > timedelta(minutes=5)


def test_a_feed_that_does_not_begin_is_taken_back() -> None:
    class Stuck(AmazonStandIn):
        feed_waits = timedelta(days=1)

    with amazon(Stuck) as stage:
        refs = seed_listings(stage.stand_in, 30)
        with pytest.raises(RetryLater):
            stage.connector.push_stock(stock(refs))
        stage.time.advance(timedelta(days=2))
        stage.stand_in.work_on_feeds()
        assert set(stage.stand_in.shown_stock().values()) == {5}


def test_a_feed_that_does_not_end_leaves_the_outcome_unknown() -> None:
    class Endless(AmazonStandIn):
        feed_works = timedelta(days=1)

    with amazon(Endless) as stage, pytest.raises(OutcomeUnknown):
        stage.connector.push_stock(stock(seed_listings(stage.stand_in, 30)))


def test_a_feed_that_is_given_up_midway_leaves_the_outcome_unknown() -> None:
    class Fatal(AmazonStandIn):
        def work_on_feeds(self) -> None:
            for one in self.state["feeds"].values():
                one["status"] = "FATAL"

    with amazon(Fatal) as stage, pytest.raises(OutcomeUnknown):
        stage.connector.push_stock(stock(seed_listings(stage.stand_in, 30)))


def test_a_feed_is_looked_at_again_where_a_look_fails() -> None:
    for fault in (Fault.TOO_MANY, Fault.ERROR_BEFORE, Fault.MALFORMED, Fault.RESET_BEFORE):
        with amazon(faults=Faults()) as stage:
            refs = seed_listings(stage.stand_in, 30)
            stage.connector.check()
            stage.stand_in.faults.then(fault)
            stage.stand_in.faults.draw = _only_reads(stage.stand_in.faults)
            assert stage.connector.push_stock(stock(refs)) == [], fault.name
            assert set(stage.stand_in.shown_stock().values()) == {7}


def _only_reads(faults: Faults) -> Any:
    draw = faults.draw
    return lambda *, is_write: None if is_write else draw(is_write=is_write)


def test_the_sixth_feed_in_five_minutes_has_to_wait() -> None:
    with amazon() as stage:
        refs = seed_listings(stage.stand_in, 30)
        connector, _ = hasty(stage)
        with pytest.raises(RetryLater):
            for quantity in range(6):
                connector.push_stock(stock(refs, quantity))
        assert set(stage.stand_in.shown_stock().values()) == {4}
        connector.close()


# Parcels.


def test_a_parcel_told_again_is_the_same_parcel() -> None:
    with amazon() as stage:
        notice = fulfilment(stage.stand_in)
        first = stage.connector.push_fulfilment(notice)
        corrected = replace(notice, tracking_number="00340434161094042558")
        assert stage.connector.push_fulfilment(corrected) == first
        record = stage.connector.pull_order(notice.order_id)
        assert [(parcel.external_id, parcel.tracking_number) for parcel in record.fulfilments] == [
            (first, "00340434161094042558")
        ]


def test_two_parcels_of_one_order_complete_it() -> None:
    with amazon() as stage:
        notice = fulfilment(stage.stand_in)
        ((item, _),) = notice.lines
        halves = [replace(notice, key=f"parcel-{half}", lines=((item, 1),)) for half in (1, 2)]
        names = [stage.connector.push_fulfilment(half) for half in halves]
        record = stage.connector.pull_order(notice.order_id)
        assert {parcel.external_id for parcel in record.fulfilments} == set(names)
        assert stage.stand_in.sold()[notice.order_id]["state"] == "SHIPPED"
        with pytest.raises(Rejected) as caught:
            stage.connector.push_fulfilment(replace(halves[0], key="parcel-3"))
        assert caught.value.key == "parcel-3"


def test_a_carrier_that_amazon_has_no_code_for_goes_by_its_name() -> None:
    with amazon() as stage:
        stage.connector.push_fulfilment(replace(fulfilment(stage.stand_in), carrier="Bote & Söhne"))
        stage.connector.push_fulfilment(replace(fulfilment(stage.stand_in), carrier="royal mail"))
        first, second = (body["packageDetail"] for body in sent_to(stage, "POST", "/orders/v0/"))
        assert (first["carrierCode"], first["carrierName"]) == ("Other", "Bote & Söhne")
        assert (second["carrierCode"], "carrierName" in second) == ("Royal Mail", False)


def test_a_parcel_without_a_tracking_number_is_refused_before_it_is_sent() -> None:
    with amazon() as stage:
        notice: FulfilmentNotice = replace(fulfilment(stage.stand_in), tracking_number="")
        with pytest.raises(Rejected) as caught:
            stage.connector.push_fulfilment(notice)
        assert caught.value.key == notice.key
        assert stage.watched.exchanges == []


def test_a_seller_on_several_marketplaces_confirms_on_the_one_of_the_order() -> None:
    with amazon(marketplace_ids=f"{FRANCE}, {MAIN_SHOP}") as stage:
        stage.connector.push_fulfilment(fulfilment(stage.stand_in))
        (body,) = sent_to(stage, "POST", "/orders/v0/")
        assert body["marketplaceId"] == MAIN_SHOP
