"""Dead connections, poisoned batches, deadlocks and forks: each caller still gets its own answer, and once."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Iterator, Sequence
from typing import cast

import psycopg
import pytest
from django.db import connections
from psycopg import errors

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import failpoints
from finalmarket.kernel.sql import open_connection
from finalmarket.stock import clerk as clerk_module
from finalmarket.stock import desk as desk_module
from finalmarket.stock.bells import ThreadBell
from finalmarket.stock.clerk import Clerk, Connection, Errand, Ticket, carry_reservations
from finalmarket.stock.desk import Desk, DeskDown
from finalmarket.stock.models import Reservation
from finalmarket.stock.reserve import RESERVE_SQL, Request, Verdict, arguments, verdicts
from tests.patience import PATIENCE_SECONDS, until
from tests.stock import blocked, shelves

pytestmark = pytest.mark.committed_database


@pytest.fixture
def shop() -> SalesChannel:
    return shelves.new_channel()


@pytest.fixture
def shirt() -> Variant:
    variant = shelves.new_variant("SHIRT")
    shelves.put(variant, shelves.new_place(), 100)
    return variant


@pytest.fixture
def desk() -> Iterator[Desk]:
    opened = Desk()
    yield opened
    opened.close()


def wish(shop: SalesChannel, variant: Variant, units: int = 1, key: str = "cart") -> Request:
    return Request(key, shop.pk, ((variant.pk, units),))


class CutAfterCommit:
    """The verb that reserves, over a connection that dies `times` when all is committed and nothing answered."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __call__(self, connection: Connection, tickets: Sequence[Ticket], actor: str) -> list[Verdict]:
        answers = carry_reservations(connection, tickets, actor)
        if self.times:
            self.times -= 1
            connection.pgconn.finish()
            raise psycopg.OperationalError("the connection was lost")
        return answers


@pytest.mark.parametrize("times", [1, 2])
def test_what_was_granted_just_before_the_connection_died_comes_back_as_granted(
    desk: Desk, shop: SalesChannel, shirt: Variant, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    cut = CutAfterCommit(times)
    monkeypatch.setattr(desk_module, "carry_reservations", cut)
    verdicts = desk.reserve_many([wish(shop, shirt, 1, key) for key in ("a", "b", "b", "c")])
    assert cut.times == 0
    assert [verdict.outcome for verdict in verdicts] == ["granted", "granted", "duplicate", "granted"]
    assert shelves.pool(shirt).reserved == 3
    assert desk.reserve(wish(shop, shirt, 1, "a")).outcome == "duplicate"


def test_a_server_process_that_is_killed_costs_nobody_a_unit(desk: Desk, shop: SalesChannel, shirt: Variant) -> None:
    buyers = blocked.Buyers(desk)
    with blocked.pool_of(shirt):
        buyers.send(wish(shop, shirt, 1, "first"))
        until(blocked.a_desk_waits_for_a_lock, "the first call stands before the lock")
        buyers.send(*[wish(shop, shirt, 1, f"buyer {n}") for n in range(10)])
        until(lambda: desk.waiting == 10, "the others queue")
        (backend,) = blocked.desk_backends()
        with blocked.onlooker() as keeper:
            keeper.execute("SELECT pg_terminate_backend(%s)", [backend])
        until(lambda: backend not in blocked.desk_backends(), "the server process is gone")
    buyers.wait()
    assert {verdict.outcome for verdict in buyers.verdicts.values()} == {"granted"}
    assert shelves.pool(shirt).reserved == 11


def test_a_database_that_stays_away_is_told_to_every_caller(
    shop: SalesChannel, shirt: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk()
    pauses: list[float] = []
    desk._clerk = Clerk(pause=pauses.append)
    away = psycopg.OperationalError("no route to host")

    def nobody_answers() -> Connection:
        raise away

    monkeypatch.setattr(clerk_module, "_open", nobody_answers)
    with pytest.raises(DeskDown, match="no route to host"):
        desk.reserve_many([wish(shop, shirt, 1, f"{n}") for n in range(5)])
    assert clerk_module.PATIENCE_SECONDS <= sum(pauses) < clerk_module.PATIENCE_SECONDS + 2
    monkeypatch.undo()
    assert desk.reserve(wish(shop, shirt)).outcome == "granted"
    desk.close()


def test_requests_that_the_database_cannot_read_harm_nobody_else(
    desk: Desk, shop: SalesChannel, shirt: Variant
) -> None:
    poisoned: dict[str, object] = {
        "x" * 201: ((shirt.pk, 1),),
        "nul \x00": ((shirt.pk, 1),),
        "huge": ((shirt.pk, 2**40),),
        "not whole": ((shirt.pk, 1.5),),
        "two in one": ((f"{shirt.pk},{shirt.pk}", 1),),
        "no lines": None,
    }
    bad = [Request(key, shop.pk, cast("tuple[tuple[int, int], ...]", lines)) for key, lines in poisoned.items()]
    buyers = blocked.Buyers(desk)
    with blocked.pool_of(shirt):
        buyers.send(wish(shop, shirt, 1, "first"))
        until(blocked.a_desk_waits_for_a_lock, "the first call stands before the lock")
        for n, request in enumerate(bad):
            buyers.send(*[wish(shop, shirt, 1, f"{n}, {place}") for place in range(5)], request)
        until(lambda: desk.waiting == 33, "all queue that can be spelled")
    buyers.wait()
    assert set(buyers.errors) == set(poisoned)
    assert not any(isinstance(error, TimeoutError) for error in buyers.errors.values())
    assert [verdict.outcome for verdict in buyers.verdicts.values()] == ["granted"] * 31
    assert shelves.pool(shirt).reserved == 31


def test_a_deadlock_with_a_writer_that_locks_out_of_order_is_tried_again(
    desk: Desk, shop: SalesChannel, shirt: Variant
) -> None:
    hat = shelves.new_variant("HAT")
    shelves.put(hat, shelves.new_place(), 5)
    buyers = blocked.Buyers(desk)
    with open_connection(autocommit=False) as unruly:
        unruly.execute("SELECT FROM stock_pool WHERE variant_id = %s FOR UPDATE", [hat.pk])
        buyers.send(Request("both", shop.pk, ((hat.pk, 1), (shirt.pk, 1))))
        until(blocked.a_desk_waits_for_a_lock, "the desk holds the shirt and waits for the hat")
        with contextlib.suppress(errors.DeadlockDetected):  # mostly the desk is sent back: it has waited longer
            unruly.execute("SELECT FROM stock_pool WHERE variant_id = %s FOR UPDATE", [shirt.pk])
        unruly.rollback()
    buyers.wait()
    assert buyers.verdicts["both"].outcome == "granted"


def test_a_key_that_another_transaction_takes_meanwhile_costs_nobody_a_unit(desk: Desk, shop: SalesChannel) -> None:
    shirt, hat = shelves.new_variant("SHIRT"), shelves.new_variant("HAT")
    for variant in (shirt, hat):
        shelves.put(variant, shelves.new_place(variant.sku), 1)
    buyers = blocked.Buyers(desk)
    with open_connection(autocommit=False) as other:
        other.execute(RESERVE_SQL, arguments([wish(shop, hat, 1, "taken")], "other"))
        buyers.send(wish(shop, shirt, 1, "taken"))
        until(blocked.a_desk_waits_for_a_lock, "our call waits to hear what becomes of the key")
        buyers.send(wish(shop, shirt, 1, "free"))
        until(lambda: desk.waiting == 1, "another wants the same unit")
        other.commit()
    buyers.wait()
    assert {key: verdict.outcome for key, verdict in buyers.verdicts.items()} == {
        "taken": "key_reused",
        "free": "granted",
    }
    assert shelves.pool(shirt).reserved == 1


def test_whoever_was_crowded_out_by_a_request_that_lost_its_key_comes_again(shop: SalesChannel) -> None:
    shirt, hat = shelves.new_variant("SHIRT"), shelves.new_variant("HAT")
    for variant in (shirt, hat):
        shelves.put(variant, shelves.new_place(variant.sku), 1)
    answers: list[Verdict] = []

    def ask() -> None:
        wishes = [wish(shop, shirt, 1, key) for key in ("taken", "crowded out", "taken")]
        with open_connection() as ours:
            answers.extend(verdicts(ours.execute(RESERVE_SQL, arguments(wishes, "test")).fetchone() or ()))

    with open_connection(autocommit=False) as other:
        other.execute(RESERVE_SQL, arguments([wish(shop, hat, 1, "taken")], "other"))
        asking = threading.Thread(target=ask)
        asking.start()
        until(blocked.somebody_waits_for_a_transaction, "our call waits for the key")
        other.commit()
    asking.join(PATIENCE_SECONDS)
    assert [(answer.outcome, answer.reservation_id) for answer in answers] == [("again", None)] * 3
    assert shelves.pool(shirt).reserved == 0


def test_others_are_told_of_once_an_errand_is_under_way() -> None:
    events: list[str] = []

    def ask(connection: Connection, tickets: Sequence[Ticket], actor: str) -> list[str]:
        events.append("asks")
        connection.execute("SELECT pg_sleep(0.01)")
        events.append("hears")
        return ["heard"]

    clerk = Clerk()
    for _ in ("opens a connection", "has one"):
        clerk.settle(Errand(ask, "test"), [Ticket("", ThreadBell(1))], once_sent=lambda: events.append("tells"))
    clerk.close()
    assert events == ["tells", "asks", "hears", "asks", "tells", "hears"]


def test_others_are_told_of_though_nothing_could_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    clerk = Clerk(pause=lambda seconds: events.append("pauses"))

    def nobody_answers() -> Connection:
        raise psycopg.OperationalError("no route to host")

    monkeypatch.setattr(clerk_module, "_open", nobody_answers)
    clerk.settle(Errand(carry_reservations, "test"), [Ticket("", ThreadBell(1))], lambda: events.append("tells"))
    assert events[:2] == ["tells", "pauses"]
    assert events.count("tells") == 1


def test_deadlocks_without_end_are_told_at_last(shop: SalesChannel, shirt: Variant) -> None:
    tries = 0

    def always(connection: Connection, tickets: Sequence[Ticket], actor: str) -> list[Verdict]:
        nonlocal tries
        tries += 1
        raise errors.DeadlockDetected("deadlock detected")

    clerk = Clerk(pause=lambda seconds: None)
    ticket = Ticket(wish(shop, shirt), ThreadBell(1))
    clerk.settle(Errand(always, "test"), [ticket])
    clerk.close()
    assert isinstance(ticket.error, errors.DeadlockDetected)
    assert tries == clerk_module.MOST_RETRIES + 1


def test_a_process_that_is_killed_after_its_commit_finds_its_hold_when_it_asks_again(
    desk: Desk, shop: SalesChannel, shirt: Variant
) -> None:
    connections.close_all()

    def child() -> None:
        with failpoints.armed("desk.before_answer:kill"):
            Desk().reserve(wish(shop, shirt))

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(PATIENCE_SECONDS)
    assert process.exitcode == -signal.SIGKILL
    assert desk.reserve(wish(shop, shirt)).outcome == "duplicate"
    assert shelves.pool(shirt).reserved == 1


def test_a_forked_child_has_a_desk_of_its_own_and_leaves_its_parents_alone(
    shop: SalesChannel, shirt: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk()
    monkeypatch.setattr(desk_module, "_desk", desk)
    buyers = blocked.Buyers(desk)
    fork = multiprocessing.get_context("fork")
    answers = fork.SimpleQueue()

    def child() -> None:
        with blocked.pool_of(shelves.new_variant("OTHER")):
            answers.put((desk_module.desk().waiting, desk_module.desk().reserve(wish(shop, shirt, 1, "child")).outcome))
        desk_module.desk().close()

    assert desk.reserve(wish(shop, shirt, 1, "before")).outcome == "granted"
    backends = blocked.desk_backends()
    with blocked.pool_of(shirt):
        buyers.send(wish(shop, shirt, 1, "first"))
        until(blocked.a_desk_waits_for_a_lock, "the parent's call stands before the lock")
        buyers.send(wish(shop, shirt, 1, "second"))
        until(lambda: desk.waiting == 1, "another waits in the parent")
        connections.close_all()
        process = fork.Process(target=child)
        process.start()
        until(lambda: len(blocked.desk_backends()) == 2, "the child's desk has a connection of its own")
    process.join(PATIENCE_SECONDS)
    assert process.exitcode == 0
    assert answers.get() == (0, "granted")
    buyers.wait()
    assert desk.reserve(wish(shop, shirt, 1, "after")).outcome == "granted"
    assert blocked.desk_backends() == backends, "the parent still talks over the connection it had"
    desk.close()
    assert set(Reservation.objects.values_list("key", flat=True)) == {"before", "first", "second", "child", "after"}
