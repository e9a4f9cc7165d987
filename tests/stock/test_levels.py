"""The numbers that are shown: set-based, with a status and a reason, and told why."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from finalmarket.catalog.models import Product, VariantPrice
from finalmarket.channels.models import ChannelProduct
from finalmarket.stock import atp, history, ledger, receipts
from finalmarket.stock.atp import Facts, available
from finalmarket.stock.models import ChannelSource
from finalmarket.stock.policies import set_backorder_limit, set_low_stock_threshold, set_policy, set_safety
from tests.stock.shelves import OVER, hold, new_bundle, new_channel, new_place, new_variant, promise, put

facts = st.builds(
    Facts,
    on_hand=st.integers(0, 50), reserved=st.integers(0, 20), safety=st.integers(0, 9), buffer=st.integers(0, 9),
    fenced=st.integers(0, 20), own_fence=st.integers(0, 9), lendable=st.integers(0, 9), uses_pool=st.booleans(),
    at_sources=st.integers(0, 50), cap=st.none() | st.integers(0, 30), percent=st.none() | st.integers(0, 100),
    used=st.integers(0, 20), beyond=st.integers(0, 9),
)  # fmt: skip


@given(facts)
def test_nothing_below_zero_is_ever_available(known: Facts) -> None:
    assert available(known) >= 0


@given(facts)
def test_never_more_than_what_lies_at_the_sources_and_may_be_promised_beyond(known: Facts) -> None:
    assert available(known) <= known.at_sources + known.beyond


@given(facts, st.integers(0, 30))
def test_a_cap_never_adds_anything(known: Facts, cap: int) -> None:
    without = Facts(**{name: getattr(known, name) for name in Facts.__dataclass_fields__} | {"cap": None})
    capped = Facts(**{name: getattr(known, name) for name in Facts.__dataclass_fields__} | {"cap": cap})
    assert available(capped) == min(available(without), max(0, cap - known.used))


@pytest.mark.django_db
def test_levels_of_many_variants_on_many_channels_cost_one_query(django_assert_num_queries: Any) -> None:
    channels, place = [new_channel() for _ in range(3)], new_place()
    goods = [new_variant() for _ in range(5)]
    for units, good in enumerate(goods):
        if units:
            put(good, place, units)
    bundle = new_bundle({goods[3]: 1, goods[4]: 2})
    with django_assert_num_queries(1):
        levels = atp.levels([good.pk for good in [*goods, bundle]], [channel.pk for channel in channels])
    assert len(levels) == 18
    assert [levels[good.pk, channels[0].pk].available for good in [*goods, bundle]] == [0, 1, 2, 3, 4, 2]


@pytest.mark.django_db
def test_the_status_follows_the_policys_threshold_then_the_shelfs_then_five() -> None:
    good, web, place = new_variant(), new_channel(), new_place()
    assert atp.level(good.pk, web.pk).status == "out"
    put(good, place, 6)
    assert atp.level(good.pk, web.pk).status == "in_stock"
    set_low_stock_threshold(good.pk, place.pk, 6)
    assert atp.level(good.pk, web.pk).status == "low"
    set_policy(good.pk, web.pk, low_stock_threshold=2)
    assert atp.level(good.pk, web.pk).status == "in_stock"


@pytest.mark.django_db
def test_what_can_only_be_backordered_is_out_of_stock_and_still_available() -> None:
    good, web = new_variant(), new_channel()
    set_backorder_limit(good.pk, 4)
    set_policy(good.pk, web.pk, allows_backorder=True)
    level = atp.level(good.pk, web.pk)
    assert (level.status, level.available, level.beyond) == ("out", 4, 4)


@pytest.mark.django_db
def test_a_listing_that_cannot_be_bought_says_why_as_the_listing_itself_does() -> None:
    good, web = new_variant("LAMP"), new_channel("Web")
    put(good, new_place(), 5)

    def reason() -> str:
        return atp.level(good.pk, web.pk).reason

    assert reason() == "LAMP is not listed on Web"
    listing = ChannelProduct.objects.create(sales_channel=web, variant=good)
    assert reason() == listing.reason_not_sellable() == "LAMP has no price in EUR"
    VariantPrice.objects.create(variant=good, currency="EUR", amount=Decimal("9.90"))
    assert (reason(), ChannelProduct.objects.get().reason_not_sellable()) == ("", None)
    for fields, said in (
        ({"publish_from": timezone.now() + timedelta(days=1)}, "not published yet"),
        ({"publish_from": None, "publish_until": timezone.now() - timedelta(days=1)}, "no longer published"),
        ({"publish_until": None, "is_available": False}, "the listing is switched off"),
    ):
        ChannelProduct.objects.update(**fields)
        assert reason() == ChannelProduct.objects.get().reason_not_sellable() == said
    level = atp.level(good.pk, web.pk)
    assert (level.available, level.offered) == (5, 0)
    web.pause("stock take")
    assert reason() == ChannelProduct.objects.get().reason_not_sellable() == "Web is paused: stock take"
    assert atp.level(good.pk, web.pk).available == 0


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["draft", "archived"])
def test_of_a_product_that_is_not_on_sale_nothing_is_offered(status: str) -> None:
    good, web = new_variant("LAMP"), new_channel("Web")
    put(good, new_place(), 5)
    VariantPrice.objects.create(variant=good, currency="EUR", amount=Decimal("9.90"))
    web.add_product(good.product)
    assert atp.level(good.pk, web.pk).offered == 5
    Product.objects.update(status=status)
    level = atp.level(good.pk, web.pk)
    assert level.reason == ChannelProduct.objects.get().reason_not_sellable() == f"the product is {status}"
    assert (level.available, level.offered) == (5, 0)


@pytest.mark.django_db
def test_why_is_it_47() -> None:
    good, web, app = new_variant("LAMP"), new_channel("Web"), new_channel("App")
    north, south = new_place("north"), new_place("south")
    put(good, north, 90)
    put(good, south, 5)
    ledger.adjust(good.pk, north.pk, -6, reason="broken", actor="ann")
    ChannelSource.objects.create(sales_channel=web, location=north)
    hold(app, good, 3, key="cart-9", place=north)
    hold(app, good, 2, seconds=OVER, place=north)
    promise(web, good, 8, key="order:12")
    set_safety(good.pk, north.pk, 4)
    set_policy(good.pk, app.pk, fence_quantity=10)
    set_policy(good.pk, web.pk, buffer=2, percent=80, cap=55)
    explained = atp.explain(good, web)
    assert explained.total == atp.level(good.pk, web.pk).available == 47
    assert sum(part.quantity for part in explained.parts) == 47
    by_kind = {part.kind: part for part in explained.parts}
    assert {kind: part.quantity for kind, part in by_kind.items()} == {
        "ledger_receive": 95, "ledger_adjust": -6, "reserved": -3, "allocated": -8, "safety": -4, "fences": -10,
        "buffer": -2, "cap": -15,
    }  # fmt: skip
    assert by_kind["reserved"].details[0].text.startswith("cart-9 on App at north, until ")
    assert "order:12 on Web at north" in by_kind["allocated"].details[0].text
    assert by_kind["ledger_adjust"].details[0].text.endswith("by ann (north, broken)")
    words = str(explained)
    assert words.startswith("Web may sell 47 of LAMP:\n")
    assert "-15  may have 55 open units at most and has 8" in words
    assert "It cannot be bought now: LAMP is not listed on Web." in words


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"uses_pool": False, "fence_quantity": 3}, "fence_only"),
        ({"percent": 30}, "percent"),
        ({"buffer": 100}, "floor"),
        ({"cap": 0}, "cap"),
        ({"allows_backorder": True, "incoming_horizon_days": 3}, "beyond"),
        ({"borrows": True}, "lendable"),
    ],
)
def test_every_rule_has_its_part_and_the_parts_add_up(fields: dict[str, Any], kind: str) -> None:
    good, web, app, north, south = new_variant(), new_channel(), new_channel(), new_place(), new_place()
    put(good, north, 12)
    put(good, south, 4)
    ChannelSource.objects.create(sales_channel=web, location=north)
    set_policy(good.pk, app.pk, fence_quantity=5, lends=True)
    hold(web, good, 2, seconds=OVER)
    hold(web, good, 1)
    set_backorder_limit(good.pk, 6)
    receipts.announce(good.pk, north.pk, 4, timezone.now() + timedelta(days=1), supplier="Acme")
    set_policy(good.pk, web.pk, **fields)
    explained = atp.explain(good, web)
    assert kind in {part.kind for part in explained.parts}, str(explained)
    if "fence_quantity" not in fields:  # a fence lets ended holds go before it is set
        assert "expired" in {part.kind for part in explained.parts}
    assert sum(part.quantity for part in explained.parts) == explained.total == atp.level(good.pk, web.pk).available


@pytest.mark.django_db
def test_what_lies_where_the_channel_does_not_sell_from_is_named() -> None:
    good, web, north, south = new_variant(), new_channel(), new_place("north"), new_place("south")
    put(good, north, 2)
    put(good, south, 7)
    ChannelSource.objects.create(sales_channel=web, location=north)
    (sources,) = [part for part in atp.explain(good, web).parts if part.kind == "sources"]
    assert (sources.quantity, sources.text) == (-7, "only 2 lie free where it sells from")
    assert sources.details[0].text == "7 free at south, which it does not sell from"


@pytest.mark.django_db
def test_a_bundle_is_explained_by_its_components_and_a_paused_channel_by_its_pause() -> None:
    cup, saucer, web, place = new_variant("CUP"), new_variant("SAUCER"), new_channel("Web"), new_place()
    put(cup, place, 9)
    put(saucer, place, 9)
    tea = new_bundle({cup: 2, saucer: 1}, "TEA")
    explained = atp.explain(tea, web)
    assert [part.text for part in explained.parts] == ["what its components allow: 9 of CUP make 4 at 2 each"]
    assert (explained.total, [component.total for component in explained.components]) == (4, [9, 9])
    web.pause("fair")
    paused = atp.explain(cup, web)
    assert (paused.total, paused.parts[-1].kind, paused.parts[-1].text) == (0, "closed", "Web is paused: fair")


@pytest.mark.django_db
def test_a_long_history_is_explained_by_its_latest_movements_and_a_sum_of_the_rest() -> None:
    good, web, place = new_variant(), new_channel(), new_place()
    for _ in range(23):
        put(good, place, 2)
    (received,) = atp.explain(good, web).parts
    assert (received.quantity, len(received.details)) == (46, 21)
    assert (received.details[-1].quantity, received.details[-1].text) == (6, "3 earlier ones")
    assert sum(detail.quantity for detail in received.details) == 46


@pytest.mark.django_db
def test_the_history_is_read_page_by_page_with_who_and_why() -> None:
    good, web, place, other = new_variant(), new_channel("Web"), new_place("north"), new_place("south")
    put(good, place, 5)
    put(good, other, 1)
    hold(web, good, 2, place=place)
    ledger.adjust(good.pk, place.pk, -1, reason="broken", actor="ann")
    first = history.history(good.pk, limit=3)
    assert [(entry.label, entry.on_hand, entry.reserved) for entry in first.entries] == [
        ("Adjusted", -1, 0), ("Reserved", 0, 2), ("Received", 1, 0),
    ]  # fmt: skip
    assert (first.entries[0].actor, first.entries[0].reason, first.entries[1].channel) == ("ann", "broken", "Web")
    second = history.history(good.pk, before=first.before, limit=3)
    assert ([entry.place for entry in second.entries], second.before) == (["north"], None)
    assert [entry.on_hand for entry in history.history(good.pk, location_id=other.pk).entries] == [1]
    assert [entry.kind for entry in history.history(good.pk, kinds=["adjust"]).entries] == ["adjust"]
