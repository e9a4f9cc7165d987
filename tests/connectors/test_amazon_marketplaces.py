"""A seller on several marketplaces of Amazon's: each has its own money, its own offer, and its own day of a listing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

pytest.register_assert_rewrite("tests.connectors.conformance", "tests.connectors.amazon_stage")

from finalmarket.connectors.errors import Unintelligible  # noqa: E402
from finalmarket.connectors.platforms.amazon import incoming  # noqa: E402
from finalmarket.connectors.records import ListingContent, ListingRef  # noqa: E402
from finalmarket.sandbox.platforms.amazon import Amazon as AmazonStandIn  # noqa: E402
from finalmarket.sandbox.platforms.amazon.account import MAIN_SHOP  # noqa: E402
from tests.connectors.amazon_stage import amazon, sent_to, stock  # noqa: E402
from tests.connectors.cases.amazon import new_listings, ref_of, seed_listings  # noqa: E402
from tests.connectors.conformance.stage import Stage  # noqa: E402

FRANCE, BRITAIN = "A13V1IB3VIYZZH", "A1F83G8C2ARO7P"


@contextmanager
def abroad(*places: str) -> Iterator[Stage]:
    """A seller of the main shop and of these marketplaces."""
    with amazon(marketplace_ids=",".join((MAIN_SHOP, *places))) as stage:
        yield stage


def offered_in_britain_too(stage: Stage) -> ListingRef:
    """A listing at 10.00 euros in Germany and at 8.50 pounds in Britain."""
    (ref,) = seed_listings(stage.stand_in, 1)
    stage.stand_in.extend(ref.sku, BRITAIN, Decimal("8.50"))
    return ref_of(stage.stand_in, ref.sku)


def shown_prices(stage: Stage, sku: str) -> tuple[Decimal | None, Decimal | None]:
    """What a listing costs in Germany and in Britain."""
    return stage.stand_in.shown_price(sku), stage.stand_in.shown_price(sku, BRITAIN)


# Words and offers.


def test_new_words_go_to_every_marketplace_and_the_price_only_where_it_is_money() -> None:
    with abroad(BRITAIN) as stage:
        ref = offered_in_britain_too(stage)
        content = ListingContent(ref=ref, key="c-1", title="Shirt, new", price=Decimal("11.50"), currency="EUR")
        (named,) = stage.connector.push_listings([content])
        assert isinstance(named, ListingRef)
        assert shown_prices(stage, ref.sku) == (Decimal("11.50"), Decimal("8.50"))
        titles = stage.stand_in.state["listings"][ref.sku]["attributes"]["item_name"]
        assert {one["marketplace_id"]: one["value"] for one in titles} == {
            MAIN_SHOP: "Shirt, new", BRITAIN: "Shirt, new",
        }  # fmt: skip


def test_a_listing_that_is_taken_off_loses_its_offer_on_marketplaces_with_other_money_too() -> None:
    with abroad(BRITAIN) as stage:
        ref = offered_in_britain_too(stage)
        off = ListingContent(ref=ref, key="c-1", title="Shirt", is_available=False, currency="EUR")
        (named,) = stage.connector.push_listings([off])
        assert isinstance(named, ListingRef)
        assert shown_prices(stage, ref.sku) == (None, None)


def test_a_new_listing_is_made_where_its_price_is_money() -> None:
    with abroad(FRANCE, BRITAIN) as stage:
        (content,) = new_listings(stage.stand_in, 1)
        (made,) = stage.connector.push_listings([content])
        assert isinstance(made, ListingRef)
        assert made.ids["marketplaces"] == f"{MAIN_SHOP},{FRANCE}"
        assert shown_prices(stage, made.sku) == (Decimal("24.90"), None)
        assert stage.stand_in.shown_price(made.sku, FRANCE) == Decimal("24.90")


def test_a_new_listing_whose_price_is_money_nowhere_is_refused() -> None:
    with amazon(marketplace_ids=BRITAIN) as stage:
        (content,) = new_listings(stage.stand_in, 1)
        (refused,) = stage.connector.push_listings([content])
        assert (refused.key, "EUR" in refused.reason) == (content.ref.key, True)
        assert sent_to(stage, "PUT", "/listings/") == []


# SKUs that are new to us, and stand at Amazon.


def as_new(stage: Stage, sku: str) -> ListingContent:
    """What a listing of this SKU is to say, which was never linked."""
    (content,) = new_listings(stage.stand_in, 1)
    return replace(content, ref=ListingRef(key=sku, sku=sku))


def test_a_new_listing_of_a_sku_that_amazon_fulfils_leaves_it_in_amazons_hands() -> None:
    with abroad(FRANCE) as stage:
        stage.stand_in.add_listing("FBA-1", "Kettle", Decimal("49.00"), 30, is_fba=True, material="steel")
        (named,) = stage.connector.push_listings([as_new(stage, "FBA-1")])
        assert isinstance(named, ListingRef)
        listing = stage.stand_in.state["listings"]["FBA-1"]
        assert (listing["title"], listing["channel"], stage.stand_in.units(listing)) == ("Kettle 1", "AMAZON_EU", 30)
        assert [one["value"] for one in listing["attributes"]["material"]] == ["steel"]
        assert [one.key for one in stage.connector.push_stock(stock([named]))] == ["FBA-1"]


def test_a_new_listing_of_a_sku_that_stands_on_one_marketplace_is_made_on_the_others_and_keeps_its_stock() -> None:
    with abroad(FRANCE) as stage:
        (ref,) = seed_listings(stage.stand_in, 1)
        (named,) = stage.connector.push_listings([as_new(stage, ref.sku)])
        assert named == replace(ref, ids={**ref.ids, "marketplaces": f"{MAIN_SHOP},{FRANCE}"})
        prices = [stage.stand_in.shown_price(ref.sku, place) for place in (MAIN_SHOP, FRANCE)]
        assert (prices, stage.stand_in.shown_stock()) == ([Decimal("24.90"), Decimal("24.90")], {ref.sku: 5})
        assert len(sent_to(stage, "PUT", "/listings/")) == 1


# Days of listings.


def narrow(monkeypatch: pytest.MonkeyPatch) -> type[AmazonStandIn]:
    """Amazon, with searches that page through sixty listings only."""

    class Narrow(AmazonStandIn):
        most_searched = 60

    monkeypatch.setattr(incoming, "MOST_LISTINGS_PAGED", 60)
    return Narrow


def test_a_listing_that_came_to_a_marketplace_late_hides_none_that_were_made_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with amazon(narrow(monkeypatch), marketplace_ids=f"{MAIN_SHOP},{BRITAIN}") as stage:
        for _ in range(170):
            stage.world.clock.advance(timedelta(seconds=1))
            seed_listings(stage.stand_in, 1)
        for sku in (stage.stand_in.listings()[place] for place in (50, 110)):
            stage.stand_in.extend(sku, BRITAIN, Decimal("8.50"))
        came = [record.ref.sku for page in stage.connector.pull_listings("") for record in page.records]
        assert set(came) == set(stage.stand_in.listings())


def test_listings_that_do_not_say_when_they_were_made_end_the_pull_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = narrow(monkeypatch)
    monkeypatch.setattr(incoming, "LISTING_DATA", ("attributes",))
    with amazon(kind) as stage:
        seed_listings(stage.stand_in, 70)
        with pytest.raises(Unintelligible, match="moment"):
            list(stage.connector.pull_listings(""))
