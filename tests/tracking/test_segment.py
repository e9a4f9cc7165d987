"""Segment's tracking API, as its clients use it."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from finalmarket.journeys.dialects.names import ECOMMERCE, kind_of
from finalmarket.journeys.models import ChannelInteraction, SetAsideEvent
from finalmarket.journeys.record import VALUE_SCORES
from finalmarket.kernel import clock
from tests.tracking.teller import Shop, basic, keys, known_by, send, zipped

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def track(event: str, number: int = 1, **more: Any) -> dict[str, Any]:
    return {"type": "track", "userId": "u1", "event": event, "messageId": f"m-{number}", **more}


@pytest.mark.parametrize("what", ["track", "t"])
def test_one_call_is_one_interaction(shop: Shop, what: str) -> None:
    answer = shop.tell(
        f"/v1/{what}",
        {
            "userId": "u1", "event": "Product Added", "messageId": "m-1", "timestamp": "2026-11-20T10:00:00.123Z",
            "properties": {"sku": "A-1", "price": 19.9, "quantity": 2, "url": "https://shop.example/a"},
            "context": {"userAgent": "Mozilla/5.0 (iPhone; CPU)", "ip": "203.0.113.7",
                        "page": {"referrer": "https://search.example/"}, "campaign": {"source": "mail"}},
        },
    )  # fmt: skip
    assert (answer.status_code, json.loads(answer.content)) == (200, {"success": True})
    seen = ChannelInteraction.objects.get()
    assert (seen.interaction_type, seen.value_score, seen.message_id) == ("add_to_cart", 5, "m-1")
    assert seen.occurred_at == datetime(2026, 11, 20, 10, 0, 0, 123000, tzinfo=UTC)
    assert seen.context == {
        "event": "Product Added", "sku": "A-1", "url": "https://shop.example/a", "device": "mobile",
        "referrer": "https://search.example/", "campaign": {"source": "mail"},
        "properties": {"sku": "A-1", "price": 19.9, "quantity": 2, "url": "https://shop.example/a"},
    }  # fmt: skip
    assert known_by("account", f"channel-{shop.channel.pk}:u1") == [seen.customer_id]


@pytest.mark.parametrize(
    ("what", "told", "kinds"),
    [
        ("page", {"name": "Home", "anonymousId": "d1"}, ["page_view"]),
        ("p", {"anonymousId": "d1"}, ["page_view"]),
        ("screen", {"name": "Start", "anonymousId": "d1"}, ["page_view"]),
        ("s", {"anonymousId": "d1"}, ["page_view"]),
        ("identify", {"userId": "u1", "traits": {"email": "ann@example.com"}}, []),
        ("i", {"userId": "u1"}, []),
        ("group", {"userId": "u1", "groupId": "g"}, []),
        ("g", {"userId": "u1", "groupId": "g"}, []),
        ("alias", {"userId": "u1", "previousId": "d1"}, []),
        ("a", {"userId": "u1", "previousId": "d1"}, []),
        ("batch", {"batch": []}, []),
        ("b", {"batch": [track("Order Completed")]}, ["checkout_complete"]),
        ("import", {"batch": [track("Product Viewed")]}, ["product_view"]),
    ],
)
def test_every_call_has_its_door(shop: Shop, what: str, told: dict[str, Any], kinds: list[str]) -> None:
    assert shop.tell(f"/v1/{what}", told).status_code == 200
    assert shop.kinds() == kinds
    assert shop.set_aside() == []


def test_every_event_of_the_specification_is_mapped_and_to_one_of_the_sixteen() -> None:
    folder = os.environ.get("FINALMARKET_VENDOR_APIS")
    if not folder or not (Path(folder) / "segment").is_dir():
        pytest.skip("no published descriptions: set FINALMARKET_VENDOR_APIS to their folder")
    told = json.loads((Path(folder) / "segment" / "segment-spec.tables.json").read_text(encoding="utf-8"))
    assert set(ECOMMERCE) == set(told["ecommerce_v2_events"])
    assert set(ECOMMERCE.values()) <= {*VALUE_SCORES, ""}


@pytest.mark.parametrize(
    "name", ["Product Viewed", "product_viewed", "productViewed", "PRODUCT VIEWED", "product-viewed"]
)
def test_a_name_is_known_however_it_is_written(name: str) -> None:
    assert kind_of(name) == "product_view"


def test_the_key_comes_in_the_head_or_in_the_body(shop: Shop) -> None:
    event = track("Product Viewed")
    assert send("/v1/track", json.dumps({**event, "writeKey": shop.key}).encode(), {}).status_code == 200
    told = json.dumps({**event, "messageId": "m-2"}).encode()
    assert send("/v1/track", told, {"Authorization": basic(shop.key)}).status_code == 200
    told = json.dumps({**event, "messageId": "m-3"}).encode()
    assert send("/v1/track", told, {"X-Write-Key": shop.key}).status_code == 200
    assert len(shop.kinds()) == 3


@pytest.mark.parametrize("head", [{}, {"Authorization": basic("nobody")}, {"Authorization": "Basic ???"}])
def test_a_key_of_nobody_is_refused(shop: Shop, head: dict[str, str]) -> None:
    answer = send("/v1/track", json.dumps(track("Product Viewed")).encode(), head)
    assert answer.status_code == 401
    assert shop.kinds() == []


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", "text/plain"])
def test_a_zipped_body_is_opened_whatever_the_head_calls_it(shop: Shop, content_type: str) -> None:
    head = {"Authorization": basic(shop.key), "Content-Type": content_type, "Content-Encoding": "gzip"}
    assert send("/v1/batch", zipped({"batch": [track("Product Viewed")]}), head).status_code == 200
    assert shop.kinds() == ["product_view"]


def test_one_bad_event_never_spoils_a_batch(shop: Shop) -> None:
    answer = shop.batch(
        track("Product Viewed", 1),
        {"type": "track", "event": "Product Viewed", "messageId": "nobody"},
        {"type": "track", "userId": "u1", "messageId": "nameless"},
        {"type": "dance", "userId": "u1"},
        "no object",  # type: ignore[arg-type]
        track("Product Viewed", 2, timestamp="the day before yesterday"),
        track("Product Viewed", 3, timestamp="1999-12-31T00:00:00Z"),
        track("Product Viewed", 4, properties={"text": "x" * 33_000}),
        track("Product Viewed", 5, properties={"text": "a\x00b"}),
        track("Product Viewed", 6, userId="null"),
        track("Product Added", 7),
    )
    assert answer.status_code == 200
    assert shop.kinds() == ["product_view", "add_to_cart"]
    assert shop.set_aside() == [
        "it names nobody: neither userId nor anonymousId is an id",
        "a track call needs the name of its event",
        "its type is none of identify, track, page, screen, group, alias",
        "an event has to be an object",
        "its timestamp is no moment",
        "it is said to have happened before the year 2000",
        "it names nobody: neither userId nor anonymousId is an id",
        "its details take more than 32768 bytes",
        "its details hold a NUL character",
    ]


def test_half_a_character_spoils_its_own_event_alone(shop: Shop) -> None:
    told = b"""{"batch": [
        {"type": "page", "userId": "u1", "messageId": "m-1", "properties": {"name": "\\ud800"}},
        {"type": "page", "userId": "\\udc00", "messageId": "m-2"},
        {"type": "track", "userId": "u1", "event": "Product Added", "messageId": "m-3", "properties": {"price": NaN}}
    ]}"""
    assert shop.tell("/v1/batch", told).status_code == 200
    assert shop.kinds() == ["add_to_cart"]
    assert len(shop.set_aside()) == 2


def test_what_is_set_aside_says_nothing_of_people(shop: Shop) -> None:
    shop.batch(
        {
            "type": "track", "event": "Order Completed", "messageId": "m-1", "writeKey": "a secret",
            "context": {"ip": "203.0.113.7", "library": {"name": "analytics-python", "version": "2.4.0"},
                        "traits": {"email": "canary@example.com", "canary@example.com": 1}},
            "properties": {"name": "Canary", "phones": ["+4930901820"], "total": 42.5, "gift": True, "note": None},
        }
    )  # fmt: skip
    (aside,) = SetAsideEvent.objects.all()
    assert aside.message_id == "m-1"
    assert aside.payload == {
        "type": "track", "event": "Order Completed", "messageId": "text of 3", "writeKey": "text of 8",
        "context": {"ip": "text of 11", "library": {"name": "analytics-python", "version": "2.4.0"},
                    "traits": {"email": "text of 18", "(a name with @)": "number"}},
        "properties": {"name": "text of 6", "phones": ["text of 11"], "total": "number", "gift": True, "note": None},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/batch", b"no json", 400),
        ("/v1/batch", b"[]", 400),
        ("/v1/batch", b'{"batch": {}}', 400),
        ("/v1/batch", b"\x1f\x8b no gzip", 400),
        ("/v1/batch", b'{"batch": [' + b" " * 512_000 + b"]}", 400),
        ("/v1/batch", zipped({"batch": [], "padding": "x" * 512_000}), 400),
        ("/v1/batch", zipped({"batch": [{}] * 2_501}), 400),
        ("/v1/track", json.dumps(track("Product Viewed", properties={"x": "x" * 33_000})).encode(), 400),
    ],
)
def test_what_is_no_request_is_refused_as_segment_does(shop: Shop, path: str, body: bytes, status: int) -> None:
    assert shop.tell(path, body).status_code == status
    assert shop.kinds() == []


def test_a_message_told_again_is_one_whatever_it_says_now(shop: Shop) -> None:
    for _ in range(2):
        shop.batch(track("Product Viewed", 1), track("Product Added", 2), track("Product Added", 2))
    shop.batch(track("Order Completed", 1, timestamp="2020-01-01T00:00:00Z"), track("Cart Shared", 3))
    assert sorted(shop.kinds()) == ["add_to_cart", "product_view", "social_engagement"]
    assert keys() == 3


def test_events_of_one_moment_are_numbered_as_they_were_told(shop: Shop) -> None:
    shop.batch(*(track("Product Viewed", number, properties={"n": number}) for number in range(50)))
    told = ChannelInteraction.objects.order_by("id").values_list("context__properties__n", flat=True)
    assert list(told) == list(range(50))
    assert len(set(ChannelInteraction.objects.values_list("occurred_at", flat=True))) == 1


def test_messages_with_long_and_odd_ids_are_told_apart(shop: Shop) -> None:
    odd = ['quote"', "back\\slash", "tab\tnew\nline", "ü – 漢字", "{}", "NULL", "\\N", "\\."]
    for _ in range(2):
        shop.batch(*(track("Product Viewed", messageId=one) for one in [*odd, "x" * 101, "x" * 102]))
    assert set(ChannelInteraction.objects.values_list("message_id", flat=True)) >= set(odd)
    assert ChannelInteraction.objects.count() == len(odd) + 2


def test_details_survive_byte_for_byte(shop: Shop) -> None:
    properties = {
        "text": 'a "quote", a \\ backslash, a \n line, a \t tab, \\n and \\u0000 as words, 漢字 😀',
        "n": 10**15,
    }
    shop.batch(track("Product Viewed", properties=properties))
    assert ChannelInteraction.objects.get().context["properties"] == properties


@pytest.mark.parametrize(
    ("timestamp", "sent_at", "occurred_at"),
    [
        (NOON - timedelta(minutes=5), NOON, NOON - timedelta(minutes=5)),
        # It was tried again for hours: the client's word counts.
        (NOON - timedelta(hours=9), NOON - timedelta(hours=8), NOON - timedelta(hours=9)),
        # A clock an hour ahead, and one that was never set.
        (NOON + timedelta(minutes=55), NOON + timedelta(hours=1), NOON - timedelta(minutes=5)),
        (datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 1, 1, 0, 5, tzinfo=UTC), NOON - timedelta(minutes=5)),
        # Nothing happened after it was told.
        (NOON + timedelta(days=3), None, NOON),
        (None, NOON, NOON),
    ],
)
def test_a_clock_that_is_evidently_wrong_is_set_right(
    shop: Shop, timestamp: datetime | None, sent_at: datetime | None, occurred_at: datetime
) -> None:
    def said(at: datetime | None) -> str | None:
        return at.isoformat() if at else None

    with clock.steered(NOON):
        shop.batch(track("Product Viewed", timestamp=said(timestamp)), sentAt=said(sent_at))
    assert ChannelInteraction.objects.get().occurred_at == occurred_at


def test_an_import_is_taken_at_its_word(shop: Shop) -> None:
    told = {"batch": [track("Order Completed", timestamp="2011-11-11T11:11:11")], "sentAt": "2012-01-01T00:00:00Z"}
    shop.tell("/v1/import", told)
    assert ChannelInteraction.objects.get().occurred_at == datetime(2011, 11, 11, 11, 11, 11, tzinfo=UTC)


def test_a_page_of_any_origin_may_tell(shop: Shop) -> None:
    head = {"Origin": "https://shop.example", "Access-Control-Request-Headers": "authorization,anonymousid"}
    asked = send("/v1/track", b"", head, method="OPTIONS")
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    assert asked.headers["Access-Control-Allow-Headers"] == "authorization,anonymousid"
    told = shop.tell("/v1/track", track("Product Viewed"), Origin="https://shop.example")
    assert told.headers["Access-Control-Allow-Origin"] == "*"
    assert "Set-Cookie" not in told.headers
    assert send("/v1/track", b"", {}, method="DELETE").status_code == 405
