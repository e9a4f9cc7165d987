"""Segments that users make: a rule means what it says, is refused where it is none, and its members are kept up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from finalmarket.analytics import segments, segments_made
from finalmarket.analytics.models import Segment, SegmentChange
from finalmarket.analytics.segments_rules import checked
from finalmarket.analytics.segments_words import rule_in_words
from finalmarket.catalog.models import Category, Product, Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations.books.people import contents_of
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import OrderEvent, OrderLine
from tests.analytics import book

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _first_of_june() -> Any:
    with clock.steered(NOW) as steered:
        yield steered


@pytest.fixture
def people() -> dict[str, OmnichannelCustomer]:
    """Ann buys much on the web, Bob bought a mug at the till long ago, Cem only looked, Dora wants the newsletter."""
    web, till = book.channel("Web shop", time_zone="UTC"), book.channel("Till", time_zone="UTC")
    found = {}
    for name, country in (("ann", "DE"), ("bob", "AT"), ("cem", "DE"), ("dora", "")):
        person = resolve(Contact(email=f"{name}@example.com", name=name.title(), country=country))
        assert person is not None
        found[name] = person
    for days, goods in ((200, "90"), (100, "80"), (10, "70")):
        book.order(web, NOW - timedelta(days=days), goods=goods, buyer=found["ann"])
    kitchen = Category.objects.create(name="Kitchen", slug="kitchen")
    cups = Category.objects.create(name="Cups", slug="cups", parent=kitchen)
    mug = Variant.objects.create(product=Product.objects.create(title="Mug", slug="mug", category=cups), sku="MUG-1")
    sold = book.order(till, NOW - timedelta(days=300), goods="12", buyer=found["bob"])
    OrderLine.objects.filter(order=sold).update(variant=mug)
    found["cem"].track_interaction(web, "product_view", occurred_at=NOW - timedelta(days=3))
    found["dora"].grant_consent("newsletter", source="form")
    found["bob"].grant_consent("newsletter", source="form")
    found["bob"].withdraw_consent("newsletter", source="form")
    segments.restate()
    return found


def who(rule: Any, people: dict[str, OmnichannelCustomer]) -> set[str]:
    """Who fulfils a rule, found by a segment that is taken away again; a preview counts as many."""
    segment = segments_made.make("For a moment", rule, actor="olga")
    numbers = set(segments.members(segment.key))
    assert segments_made.preview(rule) == len(numbers)
    segments_made.take_away(segment)
    return {name for name, person in people.items() if person.pk in numbers}


def channel_number(name: str) -> int:
    return SalesChannel.objects.get(name=name).pk


def test_a_rule_means_what_it_says(people: dict[str, OmnichannelCustomer]) -> None:
    web, till = channel_number("Web shop"), channel_number("Till")
    wanted: list[tuple[Any, set[str]]] = [
        ({"field": "orders", "at_least": 2}, {"ann"}),
        ({"field": "orders", "at_most": 1}, {"bob", "cem", "dora"}),
        ({"field": "value", "at_least": "12.00", "at_most": 100}, {"bob"}),
        ({"field": "value", "top": 0.5}, {"ann"}),
        ({"field": "days_since_order", "at_most": 10}, {"ann"}),
        ({"field": "days_since_order", "at_least": 11}, {"bob"}),
        ({"field": "segment", "in": ["prospect"]}, {"cem", "dora"}),
        ({"field": "country", "in": ["DE"]}, {"ann", "cem"}),
        ({"field": "channel", "in": [web]}, {"ann"}),
        ({"field": "channel", "in": [web, till], "within_days": 299}, {"ann"}),
        ({"field": "sku", "in": ["MUG-1"]}, {"bob"}),
        ({"field": "sku", "in": ["MUG-1"], "within_days": 90}, set()),
        ({"field": "category", "in": ["kitchen"]}, {"bob"}),
        ({"field": "days_since_seen", "at_most": 5}, {"cem"}),
        ({"field": "days_since_seen", "at_least": 30}, {"bob", "dora"}),
        ({"field": "consent", "purpose": "newsletter", "is": True}, {"dora"}),
        ({"field": "consent", "purpose": "newsletter", "is": False}, {"bob"}),
        ({"not": {"field": "average_order", "at_least": 1}}, {"cem", "dora"}),
        ({"field": "alive", "at_most": 1}, set()),  # unknown is no yes
        ({"all": [{"field": "country", "in": ["DE"]}, {"not": {"field": "orders", "at_least": 1}}]}, {"cem"}),
        ({"any": [{"field": "sku", "in": ["MUG-1"]}, {"field": "orders", "at_least": 3}]}, {"ann", "bob"}),
    ]
    for rule, names in wanted:
        assert who(rule, people) == names, rule


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ([], "no condition"), ("orders", "no condition"), ({}, "no field"), ({"field": "shoe size"}, "no field"),
        ({"field": "orders"}, "say at_least"), ({"field": "orders", "at_least": "many"}, "no number"),
        ({"field": "orders", "at_least": True}, "no number"), ({"field": "orders", "at_least": "NaN"}, "beyond"),
        ({"field": "orders", "at_least": 1, "or": 2}, "not 'or'"), ({"field": "value", "top": 5}, "between 0 and 1"),
        ({"field": "alive", "top": 0.1}, "knows at_least"), ({"field": "value", "top": 0.1, "at_least": 1}, "say"),
        ({"all": []}, "at least one condition"), ({"all": [], "any": []}, "stands alone"),
        ({"field": "country", "in": []}, "list of 1"), ({"field": "country", "in": ["DE", 4]}, "a text"),
        ({"field": "country", "in": "DE"}, "list of 1"), ({"field": "channel", "in": ["1"]}, "by their numbers"),
        ({"field": "segment", "in": ["gold"]}, "no built-in segment"),
        ({"field": "sku", "in": ["A"], "within_days": 1.5}, "whole number"),
        ({"field": "consent", "purpose": "newsletter"}, "true"),
        ({"not": {"not": {"not": {"not": {"not": {"field": "orders", "at_least": 1}}}}}}, "too deep"),
        ({"all": [{"field": "orders", "at_least": 1}] * 51}, "at most 50"),
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused_with_the_place(rule: Any, words: str) -> None:
    with pytest.raises(UserError, match=words):
        checked(rule)


def test_what_a_rule_says_never_becomes_sql(people: dict[str, OmnichannelCustomer]) -> None:
    assert who({"field": "country", "in": ["') OR true --"]}, people) == set()
    assert who({"field": "sku", "in": ["%(persons)s", "{whose}", "%s"]}, people) == set()
    assert who({"field": "consent", "purpose": "x' OR '1'='1", "is": True}, people) == set()


def test_members_come_and_go_by_themselves_and_it_is_said_why(people: dict[str, OmnichannelCustomer]) -> None:
    often = segments_made.make("Often here", {"field": "orders", "at_least": 2}, actor="olga")
    assert (often.key, segments.members("often_here")) == ("often_here", [people["ann"].pk])
    order = book.order(SalesChannel.objects.get(name="Till"), NOW, buyer=people["bob"])
    OrderEvent.objects.create(order=order, kind="taken", key="taken", at=clock.now())
    segments.refresh()
    assert segments.members("often_here") == [people["ann"].pk, people["bob"].pk]
    segments_made.change(often, rule={"field": "orders", "at_least": 3})
    assert segments.members("often_here") == [people["ann"].pk]
    told = SegmentChange.objects.filter(person=people["bob"]).exclude(was__in=["new", "regular", "prospect"])
    reasons = list(told.exclude(becomes__in=["new", "regular"]).order_by("pk").values_list("was", "becomes", "reason"))
    assert reasons[-2:] == [
        ("", "often_here", "an order came or changed; orders 2 (at least 2)"),
        ("often_here", "", "the rule was changed; no longer Often here: orders 2 (at least 3)"),
    ]


def test_who_moves_to_another_built_in_segment_is_in_what_asks_for_it_at_once(
    people: dict[str, OmnichannelCustomer],
) -> None:
    bought = {"field": "segment", "in": ["vip", "high_value", "new", "regular"]}
    segments_made.make("Bought ever", bought, actor="olga")
    order = book.order(SalesChannel.objects.get(name="Till"), NOW, buyer=people["cem"])
    OrderEvent.objects.create(order=order, kind="taken", key="taken", at=clock.now())
    segments.refresh()
    assert people["cem"].pk in segments.members("bought_ever")
    told = SegmentChange.objects.get(person=people["cem"], becomes="bought_ever")
    assert told.reason == "an order came or changed; segment high_value, new, regular, vip"


def test_platforms_are_told_the_segments_that_users_made(
    people: dict[str, OmnichannelCustomer], _first_of_june: Any
) -> None:
    account = ChannelIntegration.objects.create(platform_name="fake", integration_type="crm")
    ann = people["ann"].pk
    before = contents_of(account, [ann])[ann].segments
    changed = OmnichannelCustomer.objects.get(pk=ann).updated_at
    _first_of_june.set(changed + timedelta(minutes=1))
    made = segments_made.make("Summer buyers", {"field": "orders", "at_least": 2}, actor="olga")
    assert contents_of(account, [ann])[ann].segments == (*before, "summer_buyers")
    assert OmnichannelCustomer.objects.get(pk=ann).updated_at > changed
    segments_made.take_away(made)
    assert contents_of(account, [ann])[ann].segments == before


def test_built_in_rules_can_be_changed_and_stay_five(people: dict[str, OmnichannelCustomer]) -> None:
    vip = Segment.objects.get(key="vip")
    segments_made.change(vip, rule={"field": "value", "at_least": 200})
    assert segments.members("vip") == [people["ann"].pk]
    with pytest.raises(UserError, match="what decides it"):
        segments_made.change(vip, rule={"field": "segment", "in": ["vip"]})
    with pytest.raises(UserError, match="no rule to change"):
        segments_made.change(Segment.objects.get(key="prospect"), rule={"field": "orders", "at_least": 1})
    with pytest.raises(UserError, match="built in"):
        segments_made.take_away(vip)


@pytest.mark.parametrize("name", ["", " ", "x" * 81, "a\x00b", "VIP", "vip"])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(UserError):
        segments_made.make(name, {"field": "orders", "at_least": 1}, actor="olga")


def test_a_rule_reads_as_a_sentence() -> None:
    web = book.channel("Web shop")
    rule = checked({"all": [
        {"field": "lifetime_value", "top": 0.05},
        {"any": [{"field": "channel", "in": [web.pk], "within_days": 30}, {"field": "orders", "at_least": 2}]},
        {"not": {"field": "consent", "purpose": "newsletter", "is": False}},
    ]})  # fmt: skip
    assert rule_in_words(rule) == (
        "lifetime value among the highest 5 % and (bought on Web shop within 30 days or orders at least 2) "
        "and not (refused newsletter)"
    )


def test_the_unified_profile_tells_segment_and_value(people: dict[str, OmnichannelCustomer]) -> None:
    segments_made.make("Often here", {"field": "orders", "at_least": 2}, actor="olga")
    profile = people["ann"].unified_profile()
    assert profile["segments"] == ["often_here"]
    assert profile["customer_segment"] == OmnichannelCustomer.objects.get(pk=people["ann"].pk).segment
    assert (profile["value"]["so_far"], profile["value"]["model"], profile["value"]["alive"]) == (240, "historic", None)
    assert people["cem"].unified_profile()["value"] is None
