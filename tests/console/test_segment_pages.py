"""The pages of segments: what each is, who moved and why, and segments that are built without knowing JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from finalmarket.analytics import segments
from finalmarket.analytics.models import Segment
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.kernel import clock
from tests.analytics import book
from tests.console.reading import read

PAGE = "console:segments"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def june(db: None) -> Any:
    with clock.steered(NOW) as steered:
        yield steered


def buyers(number: int, name: str = "Buyer") -> list[OmnichannelCustomer]:
    shop = book.channel(f"Shop of {name}s", time_zone="UTC")
    people = [book.customer(f"{name} {n}") for n in range(number)]
    for n, person in enumerate(people):
        book.order(shop, NOW - timedelta(days=80), goods=str(10 + n), buyer=person)
    return people


def row(n: int, what: str, value: str, **more: str) -> dict[str, str]:
    return {f"what-{n}": what, f"value-{n}": value, **{f"{name}-{n}": text for name, text in more.items()}}


def test_an_empty_house_is_told_what_segments_are(operator: Client, june: Any) -> None:
    text = read(operator, reverse(PAGE))
    assert "Nobody is sorted yet." in text
    assert "lifetime value among the highest 5 %" in text
    assert "Nothing was learned yet." in text


def test_segments_stand_with_their_figures_and_moves_with_their_reasons(operator: Client, june: Any) -> None:
    people = buyers(3)
    segments.restate()
    june.advance(timedelta(days=20))
    segments.resort()
    text = read(operator, reverse(PAGE))
    assert "Too few to learn from: 3 buyers" in text
    assert "New → Regular" in text
    assert "no longer New: days since the first order 100 (at most 90)" in text
    page = read(operator, reverse("console:customer", args=[people[0].pk]))
    assert "New → Regular" in page
    assert "orders 1 (at least 1)" in page


def test_a_segment_is_counted_before_it_is_made_and_then_has_its_members(operator: Client, june: Any) -> None:
    people = buyers(4)
    segments.restate()
    form = {"name": "Twelve and more", "joint": "all", **row(0, "value:at_least", "12"),
            **row(1, "orders:at_least", "2", **{"not": "not"})}  # fmt: skip
    counted = operator.post(reverse("console:preview_segment"), form).content.decode()
    assert "brought so far at least 12 and not (orders at least 2)" in counted
    assert "<strong>2</strong> persons" in counted
    assert not Segment.objects.filter(rank=None).exists()
    page = operator.post(reverse("console:make_segment"), form, follow=True).content.decode()
    assert "Twelve and more is a segment now" in page
    assert "Buyer 3" in page and "Buyer 1" not in page
    assert segments.members("twelve_and_more") == [people[2].pk, people[3].pk]
    assert "Twelve and more" in read(operator, reverse("console:customer", args=[people[2].pk]))


def test_what_cannot_be_read_is_said_and_what_was_typed_stays(operator: Client, june: Any) -> None:
    for form, words in (
        ({"name": "x"}, "Choose at least one condition"), ({"rule": "{"}, "The rule is no JSON"),
        ({"rule": '{"field": "shoe"}'}, "is no field"), (row(0, "value:top", "many"), "is no percentage"),
        (row(0, "channel:in", "Nowhere"), "There is no sales channel"),
        (row(0, "orders:at_least", ""), "needs a value"),
        ({"rule": "[" * 9000}, "The rule is no JSON"),
    ):  # fmt: skip
        answer = operator.post(reverse("console:preview_segment"), {"name": "kept name", **form})
        assert answer.status_code == 200
        assert words in answer.content.decode()


def test_a_segment_is_changed_and_taken_away_and_a_built_in_one_only_changed(operator: Client, june: Any) -> None:
    buyers(3)
    segments.restate()
    operator.post(reverse("console:make_segment"), {"name": "Some", **row(0, "orders:at_least", "1")})
    some = Segment.objects.get(key="some")
    rule = '{"field": "value", "at_least": "12"}'
    operator.post(reverse("console:change_segment", args=[some.pk]), {"name": "Few", "rule": rule})
    some.refresh_from_db()
    assert (some.name, len(segments.members("some"))) == ("Few", 1)
    operator.post(reverse("console:remove_segment", args=[some.pk]))
    assert not Segment.objects.filter(key="some").exists()
    vip = Segment.objects.get(key="vip")
    refused = operator.post(reverse("console:remove_segment", args=[vip.pk]), follow=True).content.decode()
    assert "is built in and stays" in refused


def test_who_may_only_look_sees_no_builder_and_no_names(db: None, june: Any) -> None:
    people = buyers(2, "Secret")
    segments.restate()
    clerk = User.objects.create_user("clara", password="open sesame 3", is_staff=True)
    clerk.user_permissions.add(*Permission.objects.filter(codename="view_segment"))
    client = Client()
    client.force_login(clerk)
    text = read(client, reverse(PAGE))
    page = read(client, reverse("console:segment", args=[Segment.objects.get(key="new").pk]))
    assert "Build a segment" not in text
    assert "Secret" not in text + page
    assert f"Customer {people[0].pk}" in page
    assert client.post(reverse("console:make_segment"), {"name": "x"}).status_code == 403
    assert client.get(reverse("console:make_segment")).status_code == 405


def test_the_pages_ask_as_often_for_many_as_for_few(operator: Client, june: Any) -> None:
    counts = []
    for number in (2, 3, 30):  # nobody has moved at first
        buyers(number, f"B{number}")
        segments.restate()
        with CaptureQueriesContext(connection) as captured:
            read(operator, reverse(PAGE))
            read(operator, reverse("console:segment", args=[Segment.objects.get(key="new").pk]))
        counts.append(len(captured))
    assert counts[1] == counts[2] < 40
