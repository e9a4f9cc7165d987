"""Keys of messages whose ids tell their time lie in the order of that time, and every message is told once for ever."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from django.db import connection

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys.message_digest import digest, timed_since
from finalmarket.kernel import clock
from tests.tracking.teller import Shop, keys, open_shop

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TAIL = "676fc222-a561-44b9-bd47-b73ab6037f99"


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    timed_since.cache_clear()
    yield
    timed_since.cache_clear()


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000)


def of_node(at: datetime, tail: str = TAIL) -> str:
    return f"node-next-{milliseconds(at)}-{tail}"


def of_browser(at: datetime) -> str:
    return f"ajs-next-{milliseconds(at)}-{TAIL}"


def of_version_7(at: datetime) -> str:
    told = f"{milliseconds(at):012x}"
    return f"{told[:8]}-{told[8:]}-7392-940f-90a0c2f7f377"


def found(message_id: str) -> bytes:
    return digest(message_id.encode())


def timed_from(at: datetime) -> None:
    """As the migration leaves a house that had keys before."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO message_digests_timed (since) VALUES (%s)", [at])
    timed_since.cache_clear()


@pytest.fixture
def shop(db: None) -> Shop:
    return open_shop()


@pytest.mark.django_db
@pytest.mark.parametrize("written", [of_node, of_browser, of_version_7])
def test_messages_of_one_hour_lie_together_and_those_of_the_next_behind_them(written: object) -> None:
    assert callable(written)
    every = [found(written(NOON + timedelta(minutes=step))) for step in range(0, 120, 7)]
    assert every == sorted(every)
    assert len({one[:4] for one in every}) == len(every)
    assert every[0][:4] == found(of_node(NOON, "another"))[:4]
    assert len({one[4:] for one in every}) == len(every)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "message_id",
    [TAIL, "1y86opv6dwyxd4ylidqrf", "", "node-next-179537050577-short", "-1795370505774-", "019e52a1-00", "\u00e9" * 9],
)
def test_an_id_that_tells_no_time_is_known_by_its_letters_alone(message_id: str) -> None:
    assert found(message_id) == sha256(message_id.encode()).digest()[:16]


@pytest.mark.django_db
def test_two_messages_of_one_moment_are_two() -> None:
    assert found(of_node(NOON)) != found(of_node(NOON, "another"))
    assert found(of_node(NOON)) != found(of_browser(NOON))


def test_a_message_told_before_the_upgrade_is_the_same_message_after_it(shop: Shop) -> None:
    before, after = of_node(clock.now()), of_node(clock.now() + timedelta(days=2))
    timed_from(clock.now() + timedelta(days=1))
    with connection.cursor() as cursor:  # as the version before wrote it
        cursor.execute(
            "INSERT INTO interaction_keys (sales_channel_id, message_digest, interaction_id, occurred_at) "
            "VALUES (%s, encode(substring(sha256(convert_to(%s, 'UTF8')) FROM 1 FOR 16), 'hex')::uuid, 1, now())",
            [shop.channel.pk, before],
        )
    for message_id in (before, after, after):
        shop.batch({"type": "page", "name": "Home", "userId": "ann", "messageId": message_id})
    assert shop.kinds() == ["page_view"]
    assert keys() == 2
    assert found(before) == sha256(before.encode()).digest()[:16]
    assert found(after) != sha256(after.encode()).digest()[:16]


def test_a_house_that_begins_with_this_version_knows_every_message_by_its_time(shop: Shop) -> None:
    assert timed_since() == 0


def test_a_message_is_one_whether_a_client_tells_it_or_a_program_records_it(shop: Shop) -> None:
    message_id = of_version_7(clock.now())
    shop.batch({"type": "page", "name": "Home", "userId": "ann", "messageId": message_id})
    ann = OmnichannelCustomer.objects.get()
    ann.track_interaction(SalesChannel.objects.get(), "page_view", message_id=message_id)
    assert shop.kinds() == ["page_view"]
