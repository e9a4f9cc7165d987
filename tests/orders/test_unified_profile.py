"""The unified profile of a person: all channels, all profiles, one or many in as many queries."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.db import connection
from django.test.utils import CaptureQueriesContext

from finalmarket.customers import consents
from finalmarket.customers.models import ChannelPreference, Consent, OmnichannelCustomer
from finalmarket.customers.preferences import set_preference, view
from finalmarket.customers.unified import profiles_of
from finalmarket.kernel import clock
from finalmarket.orders import cart as carts
from finalmarket.orders.aftersales import cancel
from finalmarket.orders.intake import take
from finalmarket.orders.refunds import refund
from tests.orders.market import Market, draft, line


def person(name: str) -> OmnichannelCustomer:
    return OmnichannelCustomer.objects.create(name=name)


def buy(market: Market, who: OmnichannelCustomer, name: str, units: int = 1, **given: object) -> None:
    channel = given.pop("channel", market.web)
    take(draft(channel, name, line("TEA", units), customer_id=who.pk, **given))  # type: ignore[arg-type]


def test_money_given_back_and_orders_called_off_are_not_spent(market: Market) -> None:
    market.goods("TEA", warehouse=99)
    ann = person("Ann")
    for name, units in (("1", 1), ("2", 2), ("3", 5)):
        buy(market, ann, name, units)
    second, third = (ann.orders.get(external_id=name) for name in ("2", "3"))
    refund(second.pk, Decimal("7.50"), key="r", reason="late", actor="test")
    cancel(third.pk, reason="changed", actor="test")
    profile = ann.unified_profile()
    assert (profile["total_orders"], profile["total_spent"], profile["currency"]) == (2, Decimal("22.50"), "EUR")
    assert (profile["lifetime_value"], profile["lifetime_value_basis"]) == (Decimal("22.50"), "historic")


def test_whoever_bought_nothing_has_a_profile_too(market: Market) -> None:
    profile = person("Ann").unified_profile()
    assert (profile["total_orders"], profile["total_spent"], profile["favorite_channel"]) == (0, 0, None)
    assert (profile["open_carts"]["units"], profile["open_journeys"], profile["consents"]) == (0, [], {})
    assert profile["next_best_action"].action == "no_action"


def test_the_person_is_told_of_and_not_the_profile(market: Market) -> None:
    market.goods("TEA", warehouse=99)
    ann, till = person("Ann"), person("Ann at the till")
    buy(market, ann, "1")
    buy(market, till, "2", channel=market.till)
    buy(market, till, "3", channel=market.till)
    cart = carts.open_cart(market.web, customer_id=till.pk)
    carts.add(cart.token, market.variants["TEA"].pk, 3)
    Consent.objects.create(customer=ann, purpose="newsletter", is_granted=True, at=clock.now() - timedelta(days=1))
    Consent.objects.create(customer=till, purpose="newsletter", is_granted=False, at=clock.now())
    ChannelPreference.objects.create(customer=till, sales_channel=market.till, preferences={"bag": "none"})
    ann.start_journey(market.web, "research")
    ann.merge(till, actor="olga")
    profile = till.unified_profile()
    assert profile == ann.unified_profile()
    assert (profile["total_orders"], profile["favorite_channel"]) == (3, "Till North")
    assert profile["open_carts"]["units"] == 3
    assert profile["consents"]["newsletter"]["is_granted"] is False
    assert {name: one.value for name, one in profile["channel_preferences"]["Till North"].items()} == {"bag": "none"}
    assert "bag" not in profile["preferences"]  # it does not follow a person
    assert [one["intent"] for one in profile["open_journeys"]] == ["research"]
    ann.unmerge(till, actor="olga")
    assert [who.unified_profile()["total_orders"] for who in (ann, till)] == [1, 2]


def test_many_are_asked_for_in_as_many_queries_as_one(market: Market) -> None:
    market.goods("TEA", warehouse=99)
    people = [person(f"P{number}") for number in range(8)]
    for number, who in enumerate(people):
        buy(market, who, str(number))
        cart = carts.open_cart(market.web, customer_id=who.pk)
        carts.add(cart.token, market.variants["TEA"].pk)
        who.start_journey(market.web, "browse")
    counts = []
    for some in (people[:1], people):
        with CaptureQueriesContext(connection) as asked:
            found = profiles_of([who.pk for who in some])
        counts.append(len(asked))
        assert {number: one["total_orders"] for number, one in found.items()} == {who.pk: 1 for who in some}
    assert counts[0] == counts[1] <= 22


def test_the_profile_tells_preferences_as_the_one_view_does(market: Market) -> None:
    ann, till = person("Ann"), person("Ann")
    set_preference(ann.pk, market.web.pk, "language", "de")
    set_preference(till.pk, market.till.pk, "size", "XL", source="integration:5")
    set_preference(ann.pk, market.web.pk, "layout", "dark")
    consents.say(till.pk, "newsletter", True, source="till")
    ann.merge(till, actor="olga")
    profile = till.unified_profile()
    assert profile["preferences"] == view(ann.pk) == view(till.pk)
    assert profile["preferences"]["size"].why == "shown by a platform"
    assert profile["preferences"]["newsletter"].value is True
    for channel in (market.web, market.till):
        counts = view(ann.pk, channel.pk)
        assert {key: counts[key] for key in profile["channel_preferences"][channel.name]} == profile[
            "channel_preferences"
        ][channel.name]
    assert "layout" not in profile["channel_preferences"]["Till North"]
    assert profile["channel_preferences"]["Web shop"]["layout"].value == "dark"
