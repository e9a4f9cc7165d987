"""What fourteen real clients send is replayed, byte for byte, and each is answered in its own words."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse

from finalmarket.customers import persons
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys.models import ChannelInteraction, SetAsideEvent
from tests.tracking.teller import Shop, known_by, open_shop, send

KEYS = ("WK123", "phc_WK123", "k:WK123", "shop", "ns", "1")
"""What the recorded clients were given in place of a key: the application's, the tracker's or the site's name too."""


@pytest.fixture
def captures(test_data: Path) -> list[dict[str, Any]]:
    lines = (test_data / "sdk-captures" / "captures.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
def shops(db: None) -> list[Shop]:
    return [open_shop(f"Shop {key}", key) for key in KEYS]


def replay(capture: dict[str, Any]) -> HttpResponse:
    body = capture["body"]
    told = body.encode() if isinstance(body, str) else b"" if body is None else json.dumps(body).encode()
    if capture["body_was_gzip"]:
        told = gzip.compress(told)
    return send(capture["path"], told, capture["headers"], capture["method"])


def said(answer: HttpResponse) -> Any:
    return json.loads(answer.content)


EXPECTED: dict[str, Callable[[HttpResponse], bool]] = {
    "segment-analytics-python": lambda answer: said(answer) == {"success": True},
    "rudder-sdk-python": lambda answer: said(answer) == {"success": True},
    "@segment/analytics-node": lambda answer: said(answer) == {"success": True},
    "@rudderstack/rudder-sdk-node": lambda answer: said(answer) == {"success": True},
    "posthog": lambda answer: said(answer)["status"] == 1,
    "posthog-node": lambda answer: said(answer)["status"] == 1,
    "@jitsu/js": lambda answer: said(answer) == {"ok": True},
    "snowplow-tracker": lambda answer: answer.content == b"ok",
    "@snowplow/node-tracker": lambda answer: answer.content == b"ok",
    "mixpanel": lambda answer: said(answer) == {"status": 1, "error": ""},
    "mixpanel-node": lambda answer: answer.content == b"1",
    "amplitude": lambda answer: said(answer)["code"] == 200 and said(answer)["events_ingested"] == 1,
    "@amplitude/analytics-node": lambda answer: said(answer)["code"] == 200,
    "matomo-tracker": lambda answer: (
        answer.headers["Content-Type"] == "image/gif"
        or said(answer) == {"status": "success", "tracked": 2, "invalid": 0}
    ),
}


def test_every_capture_is_taken_and_answered_as_its_client_expects(
    captures: list[dict[str, Any]], shops: list[Shop]
) -> None:
    assert {capture["client"] for capture in captures} == set(EXPECTED)
    for capture in captures:
        answer = replay(capture)
        assert answer.status_code == 200, (capture["client"], answer.content)
        assert EXPECTED[capture["client"]](answer), (capture["client"], answer.content)
    # One recorded event of Snowplow's names nobody: an interaction has to be somebody's.
    aside = list(SetAsideEvent.objects.values_list("dialect", "reason"))
    assert aside == [("snowplow", "it names nobody: neither uid nor duid is an id")]


def test_what_they_did_is_there_once_however_often_it_is_replayed(
    captures: list[dict[str, Any]], shops: list[Shop]
) -> None:
    named = [one for one in captures if one["client"] not in ("matomo-tracker", "mixpanel-node")]  # these give no ids
    for capture in [*named, *reversed(named)]:
        replay(capture)
    orders = ChannelInteraction.objects.filter(interaction_type="checkout_complete")
    assert orders.count() == 10
    assert {one.context["order_id"] for one in orders} == {"o1"}
    assert ChannelInteraction.objects.filter(interaction_type="page_view").count() == 4


def test_clients_without_ids_tell_something_new_each_time(captures: list[dict[str, Any]], shops: list[Shop]) -> None:
    for capture in captures:
        if capture["client"] in ("matomo-tracker", "mixpanel-node"):
            replay(capture)
    kinds = ChannelInteraction.objects.order_by("interaction_type").values_list("interaction_type", flat=True)
    assert list(kinds) == ["checkout_complete", "checkout_complete", "page_view", "page_view"]
    bought = ChannelInteraction.objects.get(context__properties__total="42.5")
    assert bought.context["properties"]["products"] == [{"sku": "A", "name": "name", "price": 20, "quantity": 2}]


@pytest.mark.parametrize("client", [*sorted(EXPECTED)])
def test_whoever_it_was_is_one_person(client: str, captures: list[dict[str, Any]], shops: list[Shop]) -> None:
    mine = [capture for capture in captures if capture["client"] == client]
    for capture in mine:
        replay(capture)
    persons.settle()
    everybody = {one.merged_into_id or one.pk for one in OmnichannelCustomer.objects.all()}
    assert len(everybody) == 1, [str(one) for one in OmnichannelCustomer.objects.all()]


@pytest.mark.parametrize("client", ["posthog", "posthog-node", "segment-analytics-python", "@segment/analytics-node"])
def test_an_alias_joins_whichever_way_its_ids_are_written(
    client: str, captures: list[dict[str, Any]], shops: list[Shop]
) -> None:
    for capture in captures:
        if capture["client"] == client:
            replay(capture)
    (spaces,) = [[f"channel-{shop.channel.pk}" for shop in shops]]
    anonymous = {one for space in spaces for one in known_by("account", f"{space}:anon1")}
    known = {one for space in spaces for one in known_by("account", f"{space}:u1")}
    assert anonymous & known
