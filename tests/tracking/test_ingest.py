"""Events of many requests at once are stored once each, whoever fails, dies or comes again meanwhile."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction

from finalmarket.customers.models import CustomerIdentity, OmnichannelCustomer
from finalmarket.journeys import ingest, set_aside, whose, write_keys
from finalmarket.journeys.dialects.heard import Who
from finalmarket.journeys.models import (
    ChannelInteraction,
    EventName,
    JourneyMark,
    SetAsideEvent,
    WriteKey,
)
from finalmarket.kernel import clock, failpoints, gate
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.failpoints import FailpointHit
from tests.orders.market import together
from tests.tracking.teller import Shop, forget_all, keys, known_by, open_shop

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def view(number: int | str, user: str = "u1", **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Product Viewed", "userId": user, "messageId": f"m-{number}", **more}


# Whose events are.


def test_an_event_lands_on_the_profile_of_the_strongest_thing_it_names(shop: Shop) -> None:
    space = f"channel-{shop.channel.pk}"
    shop.batch({"type": "page", "anonymousId": "d1", "messageId": "m-1"})
    shop.batch({"type": "identify", "anonymousId": "d1", "userId": "u1", "traits": {"email": "Ann@Example.com"}})
    shop.batch(view(2, anonymousId="d1"))
    visitor, ann = known_by("device", f"{space}:d1")[0], known_by("email", "ann@example.com")[0]
    account = CustomerIdentity.objects.get(kind="account", value=f"{space}:u1", is_anchor=True).customer_id
    owners = dict(ChannelInteraction.objects.values_list("message_id", "customer_id"))
    assert owners == {"m-1": visitor, "m-2": account}
    assert len({visitor, ann, account}) == 3
    assert set(known_by("device", f"{space}:d1")) == {visitor, ann, account}


def test_traits_that_come_along_with_an_event_count_too(shop: Shop) -> None:
    shop.batch(view(1, context={"traits": {"email": "ann@example.com", "phone": "030 901820", "name": "Ann"}}))
    seen = ChannelInteraction.objects.get()
    assert known_by("email", "ann@example.com") == known_by("phone", "+4930901820") == [seen.customer_id]
    assert OmnichannelCustomer.objects.get(pk=seen.customer_id).name == "Ann"


def test_one_user_id_on_two_channels_is_two_people_unless_they_share_accounts(shop: Shop) -> None:
    app = open_shop("App", "WK-app")
    shop.batch(view(1))
    app.batch(view(1))
    owners = set(ChannelInteraction.objects.values_list("customer_id", flat=True))
    assert len(owners) == 2
    for one in (shop, app):
        write_keys.share_accounts(one.channel, "Our Shop")
    shop.batch(view(2))
    app.batch(view(2))
    later = ChannelInteraction.objects.filter(message_id="m-2")
    assert len(set(later.values_list("customer_id", flat=True))) == 1
    assert known_by("account", "our-shop:u1") == [later[0].customer_id]


@pytest.mark.parametrize("nobody", ["undefined", "NULL", "[object Object]", "0", "", " ", 0, None, {"id": 1}])
def test_what_stands_for_nobody_is_never_a_person(shop: Shop, nobody: Any) -> None:
    shop.batch(view(1, user=nobody), view(2, user=nobody, anonymousId="d1"))
    seen = ChannelInteraction.objects.get()
    assert known_by("device", f"channel-{shop.channel.pk}:d1") == [seen.customer_id]
    assert not CustomerIdentity.objects.filter(kind="account").exists()


def test_someone_erased_meanwhile_is_a_stranger_when_they_come_again(shop: Shop) -> None:
    shop.batch(view(1))
    before = ChannelInteraction.objects.get().customer_id
    whose.remember({(write_keys.door(shop.key).place, Who("u1")): before})  # type: ignore[union-attr]
    CustomerIdentity.objects.filter(customer=before).delete()
    shop.batch(view(2))
    after = ChannelInteraction.objects.get(message_id="m-2").customer_id
    assert after != before


def test_journeys_are_marked_from_the_earliest_new_event_on(shop: Shop) -> None:
    shop.batch(view(1, timestamp=NOON.isoformat()), view(2, timestamp=(NOON - timedelta(days=40)).isoformat()))
    (mark,) = JourneyMark.objects.all()
    assert mark.since == NOON - timedelta(days=40)
    JourneyMark.objects.all().delete()
    shop.batch(view(1, timestamp=NOON.isoformat()))
    assert not JourneyMark.objects.exists()  # it was told before


# Names that are none of the sixteen.


def test_an_unknown_name_is_counted_and_becomes_what_is_decided(shop: Shop) -> None:
    played = {"type": "track", "event": "Video Played", "userId": "u1"}
    for _ in range(2):
        assert shop.batch({**played, "messageId": "m-1"}, {**played, "messageId": "m-2"}).status_code == 200
    assert shop.kinds() == []
    assert list(EventName.objects.values_list("name", "count", "becomes")) == [("Video Played", 2, "")]
    write_keys.decide(shop.channel, "Video Played", "product_view")
    shop.batch({**played, "event": "video_played", "messageId": "m-3"}, {**played, "messageId": "m-1"})
    assert shop.kinds() == ["product_view"]
    write_keys.decide(shop.channel, "Video Played", EventName.NOTHING)
    shop.batch({**played, "messageId": "m-4"})
    assert shop.kinds() == ["product_view"]
    assert EventName.objects.get().count == 2


def test_a_decision_is_one_of_the_sixteen_about_a_name_that_came(shop: Shop) -> None:
    with pytest.raises(UserError, match="no event of that name"):
        write_keys.decide(shop.channel, "Video Played", "search")
    with pytest.raises(ValidationError, match="no interaction"):
        write_keys.decide(shop.channel, "Video Played", "dance")


def test_nobody_fills_the_table_with_names(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "MOST_NAMES_OF_A_CHANNEL", 2)
    for number in range(4):
        shop.batch({"type": "track", "event": f"Name {number}", "userId": "u1", "messageId": f"m-{number}"})
    shop.batch({"type": "track", "event": "Name 0", "userId": "u1", "messageId": "m-9"})
    assert sorted(EventName.objects.values_list("name", "count")) == [("Name 0", 2), ("Name 1", 1)]


# Write keys.


def test_a_key_works_until_it_ends_and_a_rotated_one_for_thirty_days(shop: Shop) -> None:
    with clock.steered(NOON) as steered:
        new = write_keys.rotate(shop.channel, actor="olga")
        assert new.key != shop.key
        assert WriteKey.objects.get(key=shop.key).ends_at == NOON + timedelta(days=30)
        write_keys.forget()
        assert shop.batch(view(1)).status_code == 200
        steered.advance(timedelta(days=30, seconds=1))
        assert shop.batch(view(2)).status_code == 401
        write_keys.end(shop.channel, new.pk)
        assert Shop(shop.channel, new.key).batch(view(3)).status_code == 401


def test_what_was_looked_up_is_looked_up_again_after_ten_seconds(shop: Shop) -> None:
    with clock.steered(NOON) as steered:
        write_keys.forget()
        assert write_keys.door("later") is None
        WriteKey.objects.create(sales_channel=shop.channel, key="later")
        assert write_keys.door("later") is None
        steered.advance(timedelta(seconds=write_keys.KEPT_SECONDS))
        assert write_keys.door("later") is not None


# Storing, together and in spite of everything.


def test_what_the_database_cannot_keep_is_found_by_halves_and_set_aside_alone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = orjson.dumps

    def spoiled(told: Any) -> bytes:
        return b"{" if "spoil" in told.get("properties", {}) else kept(told)

    monkeypatch.setattr(orjson, "dumps", spoiled)
    events = [view(number) for number in range(9)]
    events[5]["properties"] = {"spoil": True}
    assert shop.batch(*events).status_code == 200
    assert keys() == ChannelInteraction.objects.count() == 8
    assert shop.set_aside() == ["the database cannot keep it (InvalidTextRepresentation)"]


def test_a_month_that_is_not_there_yet_is_made(shop: Shop) -> None:
    moments = [datetime(2004, month, 2, tzinfo=UTC).isoformat() for month in range(1, 13)]
    shop.batch(*(view(number, timestamp=at) for number, at in enumerate(moments)))
    assert [one.occurred_at.month for one in ChannelInteraction.objects.order_by("occurred_at")] == list(range(1, 13))


def test_what_was_set_aside_long_ago_is_removed(shop: Shop) -> None:
    with clock.steered(NOON) as steered:
        shop.batch({"type": "dance"})
        steered.advance(timedelta(days=set_aside.KEPT_DAYS, seconds=1))
        shop.batch({"type": "sing"})
        assert set_aside.tidy() == 1
    assert SetAsideEvent.objects.get().payload == {"type": "sing"}


@pytest.mark.committed_database
def test_sixteen_who_tell_the_same_and_more_are_each_answered_after_it_is_stored() -> None:
    shop = open_shop()

    def tell(number: int) -> int:
        mine = [view(f"{number}-{n}", user=f"u{n % 5}", anonymousId=f"d{number % 3}") for n in range(40)]
        shared = [view(f"shared-{n}", user=f"u{n % 5}") for n in range(40)]
        order = [*shared, *mine] if number % 2 else [*reversed(shared), *mine]
        assert shop.batch(*order).status_code == 200
        return ChannelInteraction.objects.filter(message_id__startswith=f"m-{number}-").count()

    assert together(tell, 16) == [40] * 16
    assert ChannelInteraction.objects.count() == keys() == 16 * 40 + 40
    accounts = CustomerIdentity.objects.filter(kind="account", is_anchor=True)
    assert accounts.count() == 5
    forget_all()


@pytest.mark.committed_database
@pytest.mark.parametrize(
    "point",
    ["ingest.before_resolve", "ingest.after_resolve", "ingest.before_commit", "ingest.after_copy",
     "ingest.after_commit", "ingest.before_answer"],
)  # fmt: skip
def test_what_is_cut_off_anywhere_is_stored_once_when_it_is_told_again(point: str) -> None:
    shop = open_shop()
    events = [view(number, user=f"u{number % 3}") for number in range(10)]
    with failpoints.armed(f"{point}:raise"), pytest.raises(FailpointHit):
        shop.batch(*events)
    assert ChannelInteraction.objects.count() in (0, 10)
    assert shop.batch(*events).status_code == 200
    assert ChannelInteraction.objects.count() == keys() == 10
    assert {mark.customer_id for mark in JourneyMark.objects.all()} == {
        one.customer_id for one in ChannelInteraction.objects.all()
    }
    forget_all()


@pytest.mark.committed_database
def test_a_connection_that_dies_on_the_way_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = open_shop()
    shop.batch(view(0))
    store, deaths = ingest._store, list[int]()

    def dying(*given: Any) -> Any:
        names = store(*given)
        if not deaths:
            deaths.append(1)
            connection.connection.pgconn.finish()
        return names

    monkeypatch.setattr(ingest, "_store", dying)
    assert shop.batch(view(1), view(2)).status_code == 200
    assert ChannelInteraction.objects.count() == 3
    assert deaths == [1]
    forget_all()


@pytest.mark.committed_database
def test_without_a_database_the_client_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = open_shop()
    shop.batch(view(0))

    def away(*given: Any) -> Any:
        connection.connection.pgconn.finish()
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(ingest, "_store", away)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    answer = shop.batch(view(1))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    forget_all()


@pytest.mark.committed_database
def test_whoever_erases_waits_for_what_is_being_written_and_then_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = open_shop()
    shop.batch(view(0))
    is_written, may_commit, seen = threading.Event(), threading.Event(), []
    store = ingest._store

    def slow(*given: Any) -> Any:
        names = store(*given)
        is_written.set()
        assert may_commit.wait(20)
        return names

    def erase() -> None:
        assert is_written.wait(20)
        with transaction.atomic():
            ingest.hold_back()
            seen.append(ChannelInteraction.objects.count())

    def let_go() -> None:
        assert is_written.wait(20)
        with connection.cursor() as cursor:
            while not may_commit.is_set():
                cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
                if cursor.fetchall()[0][0]:
                    may_commit.set()

    monkeypatch.setattr(ingest, "_store", slow)
    work: Sequence[Any] = (lambda: shop.batch(view(1)).status_code, erase, let_go)
    assert together(lambda number: work[number](), 3) == [200, None, None]
    assert seen == [2]
    forget_all()


# The gate.


def test_those_who_wait_are_written_together_and_each_hears_of_its_own() -> None:
    batches: list[list[int]] = []
    first_is_in, may_go = threading.Event(), threading.Event()

    def write(parcels: Sequence[int]) -> None:
        batches.append(list(parcels))
        if parcels == [0]:
            first_is_in.set()
            assert may_go.wait(20)
        if 13 in parcels:
            raise ValueError("thirteen")

    way: gate.Gate[int] = gate.Gate(write, lanes=1, most_together=8)
    outcomes: dict[int, str] = {}

    def bring(number: int) -> None:
        try:
            way.pass_through(number, 1)
            outcomes[number] = "written"
        except ValueError as error:
            outcomes[number] = str(error)

    threads = [threading.Thread(target=bring, args=(number,)) for number in range(20)]
    threads[0].start()
    assert first_is_in.wait(20)
    for thread in threads[1:]:
        thread.start()
    while way._waiting < 19:
        os.sched_yield()
    may_go.set()
    for thread in threads:
        thread.join(20)
    assert batches[0] == [0]
    assert sorted(number for batch in batches for number in batch) == list(range(20))
    assert all(len(batch) <= 8 for batch in batches)
    assert len(batches) <= 5
    together_with_13 = next(batch for batch in batches if 13 in batch)
    assert outcomes == {number: "thirteen" if number in together_with_13 else "written" for number in range(20)}
    way.pass_through(21, 1)
    assert batches[-1] == [21]


def test_a_crowd_is_told_to_come_again() -> None:
    first_is_in, may_go = threading.Event(), threading.Event()

    def write(parcels: Sequence[int]) -> None:
        first_is_in.set()
        assert may_go.wait(20)

    way: gate.Gate[int] = gate.Gate(write, lanes=1, most_waiting=10)
    waiting = [threading.Thread(target=way.pass_through, args=(number, 6)) for number in range(2)]
    waiting[0].start()
    assert first_is_in.wait(20)
    waiting[1].start()
    while way._waiting < 6:
        os.sched_yield()
    with pytest.raises(gate.Crowded):
        way.pass_through(3, 5)
    may_go.set()
    for thread in waiting:
        thread.join(20)
