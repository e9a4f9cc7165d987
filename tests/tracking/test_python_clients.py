"""The Python clients of three vendors, unchanged, tell thousands of events over a wire that loses requests and answers:
what they were told is taken is there, once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from finalmarket.journeys.models import ChannelInteraction
from tests.tracking.teller import Shop, forget_all, keys, known_by, open_shop
from tests.tracking.wire import FATES, bad_wire, served

posthog = pytest.importorskip("posthog", reason="PostHog's client is not installed")
rudder = pytest.importorskip("rudderstack.analytics.client", reason="RudderStack's client is not installed")
segment = pytest.importorskip("segment.analytics.client", reason="Segment's client is not installed")

pytestmark = pytest.mark.committed_database
EVENTS = 1_000
PEOPLE = 40


@pytest.fixture
def shop() -> Iterator[Shop]:
    yield open_shop()
    forget_all()
    connections.close_all()


def assert_told_once(shop: Shop, failures: list[Any]) -> None:
    """Every event is there, once; the client gave none up."""
    assert failures == []
    rows = ChannelInteraction.objects.filter(sales_channel=shop.channel)
    numbers = sorted(int(one.context["properties"]["number"]) for one in rows)
    assert numbers == list(range(EVENTS))
    assert keys() == rows.count()
    assert len(set(rows.values_list("customer_id", flat=True))) == PEOPLE
    space = f"channel-{shop.channel.pk}"
    for number in range(PEOPLE):
        assert known_by("account", f"{space}:u{number}")
        assert known_by("email", f"u{number}@example.com")


def test_segments_client(shop: Shop) -> None:
    failures: list[Any] = []
    with served() as port, bad_wire(port) as (address, did):
        client = segment.Client(
            shop.key, host=address, on_error=lambda *what: failures.append(what), gzip=True, thread=4,
            upload_size=40, upload_interval=0.05,
        )  # fmt: skip
        for number in range(PEOPLE):
            client.identify(f"u{number}", {"email": f"u{number}@example.com"})
        for number in range(EVENTS):
            client.track(f"u{number % PEOPLE}", "Product Viewed", {"number": number, "sku": f"SKU-{number % 7}"})
        client.flush()
        client.join()
    assert_told_once(shop, failures)
    assert min(did[fate] for fate in FATES) > 0, did


def test_rudderstacks_client(shop: Shop) -> None:
    failures: list[Any] = []
    with served() as port, bad_wire(port) as (address, did):
        client = rudder.Client(
            shop.key, host=address, on_error=lambda *what: failures.append(what), thread=4, upload_size=40,
            upload_interval=0.05,
        )  # fmt: skip
        for number in range(PEOPLE):
            client.identify(f"u{number}", {"email": f"u{number}@example.com"})
        for number in range(EVENTS):
            client.track(f"u{number % PEOPLE}", "Product Viewed", {"number": number})
        client.flush()
        client.join()
    assert_told_once(shop, failures)
    assert min(did[fate] for fate in FATES) > 0, did


def test_posthogs_client(shop: Shop) -> None:
    failures: list[Any] = []
    with served() as port, bad_wire(port, every=6) as (address, did):
        client = posthog.Posthog(
            shop.key, host=address, on_error=lambda *what: failures.append(what), gzip=True, thread=4, flush_at=40,
            flush_interval=0.05, max_retries=10,
        )  # fmt: skip
        for number in range(PEOPLE):
            client.set(distinct_id=f"u{number}", properties={"email": f"u{number}@example.com"})
        for number in range(EVENTS):
            client.capture("Product Viewed", distinct_id=f"u{number % PEOPLE}", properties={"number": number})
        client.flush()
        client.shutdown()
    assert_told_once(shop, failures)
    assert min(did[fate] for fate in FATES) > 0, did
