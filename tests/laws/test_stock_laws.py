"""The laws of stock, whatever is done in whatever order.

A refusal is right only if the referee would refuse, a grant only if it would grant; nothing is held in part; balances,
ledger and holds agree after every step; ring fences lose only what was sold, lost, or cut because it is not there.

FINALMARKET_LAWS=2000 plays so many games with fresh dice; by default a few, the same ones each time. A lost game is
printed move by move; FINALMARKET_LAWS_SHRINK=1 looks for a shorter one first, which takes minutes.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from finalmarket.kernel.errors import UserError
from finalmarket.stock import counts, ledger, policies, receipts, transfers
from finalmarket.stock.models import Reservation
from finalmarket.stock.reserve import Mode, reserve
from tests.laws.stock_game import RefereedGame, World
from tests.laws.stock_referee import Moment, Policy

GAMES = int(os.environ.get("FINALMARKET_LAWS", "0"))
SHRINKS = "FINALMARKET_LAWS_SHRINK" in os.environ
STEPS = 40

units = st.integers(1, 12)
a_variant = st.integers(0, 1)
anything = st.integers(0, 2)
"""Two plain variants, and a bundle of two of the first and one of the second."""
a_place = st.integers(0, 2)
a_channel = st.integers(0, 2)
a_key = st.integers(0, 5)
wishes = st.lists(st.tuples(anything, st.integers(1, 5)), min_size=1, max_size=3)
decisions = st.fixed_dictionaries({}, optional={
    "uses_pool": st.sampled_from([True, True, True, False]), "lends": st.booleans(), "borrows": st.booleans(),
    "allows_backorder": st.booleans(), "buffer": st.sampled_from([0, 0, 0, 2]),
    "incoming_horizon_days": st.sampled_from([0, 0, 3, 9]), "cap": st.sampled_from([None, None, None, 6, 12, 0]),
    "percent": st.sampled_from([None, None, None, 50, 99, 10]),
})  # fmt: skip
fences = st.sampled_from([0, 0, 3, 6])
HOUSES: tuple[tuple[dict[str, Any], ...], ...] = (
    ({"borrows": True}, {"fence_quantity": 6, "lends": True}, {"fence_quantity": 3, "lends": True}),
    ({"uses_pool": False, "fence_quantity": 3, "borrows": True}, {"fence_quantity": 6, "lends": True},
     {"allows_backorder": True}),
    ({"cap": 6, "allows_backorder": True}, {"percent": 50}, {"fence_quantity": 6}),
    ({"allows_backorder": True, "incoming_horizon_days": 9}, {"buffer": 2, "borrows": True},
     {"fence_quantity": 6, "lends": True, "borrows": True}),
    ({"allows_backorder": True, "fence_quantity": 3}, {}, {"lends": True, "fence_quantity": 9, "uses_pool": False}),
)  # fmt: skip
a_house = st.sampled_from(HOUSES)
"""What is decided for the three channels before the first move."""


class StockGame(RefereedGame):
    """One game: any verbs in any order, the referee watching."""

    played: Counter[str]

    @initialize(houses=st.tuples(a_house, a_house), limit=st.sampled_from([4, 8, 0]))
    def begin(self, houses: tuple[tuple[dict[str, Any], ...], ...], limit: int) -> None:
        """Everything of one game happens in a transaction that is rolled back."""
        self.played["games"] += 1
        self.books = self.world.books()
        self.keys, self.named = {}, {}
        self.lines = self.open_lines()
        self.fences = self.fence_left()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        for n, variant in enumerate(self.world.plain):
            for place in self.world.places[n:]:
                self.put(variant.pk, place.pk, 7)
            self.limit_backorders(n, limit)
        self.lines, self.fences = self.open_lines(), self.fence_left()
        for good, house in enumerate(houses):
            for channel, fields in enumerate(house):
                self.decide(good, channel, {name: value for name, value in fields.items() if name != "fence_quantity"})
                self.fence(good, channel, fields.get("fence_quantity", 0))
                self.fences = self.fence_left()

    def teardown(self) -> None:
        """Check what is checked at the end of a transaction, and drop it."""
        if hasattr(self, "transaction"):
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            finally:
                transaction.set_rollback(True)
                self.transaction.__exit__(None, None, None)

    # ---- asking for stock

    @rule(wants=wishes, channel=a_channel, key=a_key, mode=st.sampled_from([Mode.HOLD, Mode.HOLD, Mode.ALLOCATE]),
          has_ended=st.booleans(), place=st.one_of(st.none(), st.none(), a_place))  # fmt: skip
    def ask(
        self, wants: list[tuple[int, int]], channel: int, key: int, mode: Mode, has_ended: bool, place: int | None
    ) -> None:
        """One request, refereed."""
        self.settle([self.request(wants, channel, key, mode, has_ended, place)])

    @rule(buyers=st.lists(
        st.tuples(anything, a_channel, st.sampled_from([1, 2, 5, 9]), st.sampled_from([Mode.HOLD, Mode.ALLOCATE]),
                  st.sampled_from([False, False, True])), min_size=1, max_size=4))  # fmt: skip
    def buy(self, buyers: list[tuple[int, int, int, Mode, bool]]) -> None:
        """Buyers one after the other, each for one thing, some for enough to reach into fences and backorders."""
        for what, channel, wanted, mode, has_ended in buyers:
            self.settle([self.request([(what, wanted)], channel, None, mode, has_ended)])
            self.the_laws_hold()

    @rule(several=st.lists(st.tuples(wishes, a_channel, a_key, st.booleans()), min_size=2, max_size=5))
    def ask_many(self, several: list[tuple[list[tuple[int, int]], int, int, bool]]) -> None:
        """Many requests in one call, refereed in their order."""
        requests = [self.request(wants, channel, key, Mode.HOLD, over) for wants, channel, key, over in several]
        self.settle(requests)

    @rule(wants=wishes, channel=a_channel, place=st.one_of(st.none(), a_place))
    def sale(self, wants: list[tuple[int, int]], channel: int, place: int | None) -> None:
        """A sale that already happened is never refused; it is short only of what does not lie there at all."""
        request = self.request(wants, channel, None, Mode.SALE, False, place)
        (verdict,) = reserve([request])
        note(f"sale {request} -> {verdict}")
        assert verdict.outcome == "granted"
        assert verdict.reservation_id is not None
        self.name(verdict.reservation_id, request.location_id)
        mine = [line for line in self.open_lines() if line.reservation == verdict.reservation_id]
        for number, variant, wanted in self.books.expand(request.lines):
            got = [line for line in mine if (line.line, line.variant) == (number, variant)]
            assert sum(line.quantity + line.short for line in got) == wanted
        after = Moment(self.books, self.open_lines(), {})
        sources = self.books.sources[request.channel_id] if request.location_id is None else (request.location_id,)
        for line in mine:
            if line.short:
                assert all(after.free(line.variant, source, guard=False) == 0 for source in sources)
        self.may_cut()

    # ---- what becomes of it

    @precondition(lambda self: self.lines)
    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        """A live hold is confirmed, an ended one that nobody released too; a lost one only if its units are free."""
        number = self.some_reservation(data)
        hold = Reservation.objects.get(pk=number)
        kept = [line for line in self.lines if line.reservation != number]
        wants: dict[tuple[int, int], int] = {}
        for line in hold.lines.all():
            wanted = line.promised + line.short
            wants[line.line, line.variant_id] = wants.get((line.line, line.variant_id), 0) + wanted
        lost = hold.state == "held" and any(line.state == "expired" for line in hold.lines.all())
        anew = [(line, variant, wanted) for (line, variant), wanted in sorted(wants.items()) if wanted]
        refused = Moment(self.books, kept, self.after_giving_back(number)).settle(hold.sales_channel_id, anew, None)
        outcome = ledger.confirm([number], actor="test")[number]
        note(f"confirm {number}: {outcome}")
        assert (outcome == "confirmed") == (not lost or refused is None)
        if outcome == "confirmed":
            assert Reservation.objects.get(pk=number).state in ("confirmed", "closed")

    @precondition(lambda self: self.lines)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        """Give a hold back; a promise is not touched by it."""
        number = self.some_reservation(data)
        held = sum(line.quantity for line in self.lines if line.reservation == number and line.state == "held")
        assert ledger.release([number], actor="test") == held

    @precondition(lambda self: self.lines)
    @rule(data=st.data(), kind=st.sampled_from(["fulfil", "deallocate", "release"]), quantity=units)
    def close(self, data: st.DataObject, kind: str, quantity: int) -> None:
        """Ship, take back or release a part of a line."""
        line = data.draw(st.sampled_from(self.lines), label="line")
        may = line.state == ("held" if kind == "release" else "confirmed") and not (
            kind == "fulfil" and line.is_backorder
        )
        ended = ledger.close(kind, [(line.reservation, line.position, quantity)], actor="test")
        assert ended == [min(quantity, line.quantity) if may else 0]
        if kind == "fulfil" and line.location is not None:
            self.books.on_hand[line.variant, line.location] -= ended[0]
            self.loses_fences()

    @rule(most=st.integers(1, 3))
    def expire(self, most: int) -> None:
        """Let a few ended holds go, so that some reservations lose only a part."""
        ended = sum(line.has_ended for line in self.lines)
        assert ledger.expire_holds(most=most) == min(most, ended)

    @precondition(lambda self: self.lines)
    @rule(data=st.data(), place=a_place, quantity=units)
    def move(self, data: st.DataObject, place: int, quantity: int) -> None:
        """Re-route a promise; it gets what is free at the other place."""
        line = data.draw(st.sampled_from(self.lines), label="line")
        target = self.world.places[place].pk
        moved = ledger.move_promise(line.reservation, line.position, target, quantity, actor="test", reason="nearer")
        free = Moment(self.books, self.lines, {}).free(line.variant, target, guard=False)
        may = line.location is not None and line.location != target and not line.has_ended
        assert moved == (min(quantity, line.quantity, free) if may else 0)
        self.name(line.reservation, target)

    # ---- goods come and go

    @rule(variant=a_variant, place=a_place, quantity=units)
    def receive(self, variant: int, place: int, quantity: int) -> None:
        """Goods arrive."""
        self.put(self.world.plain[variant].pk, self.world.places[place].pk, quantity)

    @rule(variant=a_variant, place=a_place, channel=a_channel, quantity=st.integers(1, 4))
    def take_back(self, variant: int, place: int, channel: int, quantity: int) -> None:
        """A return goes back on the shelf."""
        good, shelf = self.world.plain[variant].pk, self.world.places[place].pk
        ledger.take_back([ledger.TakeBack(good, shelf, quantity, self.world.channels[channel].pk)], actor="test")
        self.books.on_hand[good, shelf] += quantity
        self.may_cut()

    @rule(variant=a_variant, place=a_place, delta=st.integers(-6, 4))
    def adjust(self, variant: int, place: int, delta: int) -> None:
        """A loss, also of what is promised; never of what is not there."""
        good, shelf = self.world.plain[variant].pk, self.world.places[place].pk
        here = self.books.on_hand[good, shelf]
        if here + delta < 0:
            with pytest.raises(UserError, match="are on hand"):
                ledger.adjust(good, shelf, delta, reason="broken", actor="test")
            return
        assert ledger.adjust(good, shelf, delta, reason="broken", actor="test") == here + delta
        self.books.on_hand[good, shelf] = here + delta
        self.loses_fences()
        self.may_cut()

    @rule(variant=a_variant, place=a_place, counted=st.integers(3, 15))
    def count(self, variant: int, place: int, counted: int) -> None:
        """A stock take."""
        good, shelf = self.world.plain[variant].pk, self.world.places[place].pk
        stock_take = counts.start(shelf)
        counts.record(stock_take.pk, good, counted)
        (found,) = counts.apply(stock_take.pk, actor="test")
        assert found.booked == self.books.on_hand[good, shelf]
        self.books.on_hand[good, shelf] = counted
        self.loses_fences()
        self.may_cut()

    @rule(variant=a_variant, place=a_place, channel=a_channel, quantity=st.integers(1, 4))
    def sell(self, variant: int, place: int, channel: int, quantity: int) -> None:
        """Goods that left at once: only what nobody has."""
        good, shelf = self.world.plain[variant].pk, self.world.places[place].pk
        sale = ledger.Sale(good, shelf, quantity, self.world.channels[channel].pk)
        if Moment(self.books, self.lines, {}).free(good, shelf, guard=False) < quantity:
            with pytest.raises(UserError, match="are free there"), transaction.atomic():
                ledger.sell([sale], actor="test")
            return
        ledger.sell([sale], actor="test")
        self.books.on_hand[good, shelf] -= quantity
        self.may_cut()

    @rule(variant=a_variant, way=st.permutations([0, 1, 2]), quantity=st.integers(1, 5), arrived=st.integers(0, 7))
    def transfer(self, variant: int, way: list[int], quantity: int, arrived: int) -> None:
        """Goods go from place to place; some are lost, some are more than were sent."""
        good, source, target = self.world.plain[variant].pk, self.world.places[way[0]].pk, self.world.places[way[1]].pk
        paper = transfers.draft(source, target, [(good, quantity)])
        now = Moment(self.books, self.lines, self.fences)
        unfenced = now.physical(good) - sum(left for (v, _), left in now.fence.items() if v == good)
        if min(now.free(good, source, guard=False), unfenced) < quantity:
            with pytest.raises(UserError, match="cannot be shipped"), transaction.atomic():
                transfers.ship(paper.pk, actor="test")
            return
        transfers.ship(paper.pk, actor="test")
        self.books.on_hand[good, source] -= quantity
        assert transfers.in_transit([good]) == {good: quantity}
        if arrived:
            transfers.receive(paper.pk, {good: arrived}, actor="test")
            self.books.on_hand[good, target] += arrived
        if arrived < quantity:
            transfers.close(paper.pk, reason="lost", actor="test")
        assert transfers.in_transit([good]) == {}
        self.may_cut()

    @rule(variant=a_variant, place=a_place, quantity=st.integers(1, 6), days=st.integers(1, 9), arrives=st.booleans())
    def expect(self, variant: int, place: int, quantity: int, days: int, arrives: bool) -> None:
        """A delivery is announced; sometimes it arrives at once."""
        good, shelf = self.world.plain[variant].pk, self.world.places[place].pk
        when = timezone.now() + timedelta(days=days - 1, hours=12)
        expected = receipts.announce(good, shelf, quantity, when)
        if not arrives:
            self.books.incoming.setdefault(good, []).append((quantity, days))
            return
        receipts.receive(expected.pk, quantity, actor="test")
        self.books.on_hand[good, shelf] += quantity
        self.may_cut()

    # ---- what people decide

    @rule(variant=a_variant, channel=a_channel, fields=decisions)
    def decide(self, variant: int, channel: int, fields: dict[str, Any]) -> None:
        """A policy changes."""
        good, shop = self.world.plain[variant].pk, self.world.channels[channel].pk
        policies.set_policy(good, shop, **fields)
        policy = self.books.policies.setdefault((good, shop), Policy())
        for name, value in fields.items():
            setattr(policy, name, value)

    @rule(variant=a_variant, channel=a_channel, allotment=fences)
    def fence(self, variant: int, channel: int, allotment: int) -> None:
        """An allotment: what is held out of it counts, and it fences nothing that is not free."""
        good, shop = self.world.plain[variant].pk, self.world.channels[channel].pk
        now = Moment(self.books, self.lines, self.fences)
        held = sum(self.out_of_fence(line, shop) for line in self.lines if line.variant == good and not line.has_ended)
        fenced = sum(left for (v, _), left in now.fence.items() if v == good)
        safety = sum(kept for (v, _), kept in self.books.safety.items() if v == good)
        delta = max(0, allotment - held) - now.fence[good, shop]
        if delta > max(0, now.physical(good) - safety - fenced):
            with pytest.raises(UserError, match="cannot fence"), transaction.atomic():
                policies.set_policy(good, shop, fence_quantity=allotment)
            return
        policies.set_policy(good, shop, fence_quantity=allotment)
        self.fences |= {key: left for key, left in now.fence.items() if key[0] == good}  # ended holds were let go
        self.fences[good, shop] = max(0, allotment - held)
        self.lines = [line for line in self.lines if not (line.has_ended and line.variant == good)]

    @rule(variant=a_variant, place=a_place, kept=st.integers(0, 4))
    def keep(self, variant: int, place: int, kept: int) -> None:
        """Safety stock."""
        good, shelf = self.world.plain[variant].pk, self.world.places[place].pk
        policies.set_safety(good, shelf, kept)
        self.books.safety[good, shelf] = kept

    @rule(variant=a_variant, limit=st.integers(0, 8))
    def limit_backorders(self, variant: int, limit: int) -> None:
        """The cap of backorders."""
        good = self.world.plain[variant].pk
        policies.set_backorder_limit(good, limit)
        self.books.backorder_limit[good] = limit


@pytest.mark.slow
@pytest.mark.django_db
def test_the_laws_of_stock_hold_in_every_order_of_events(tried: Counter[str]) -> None:
    StockGame.world, StockGame.played = World(), tried
    run_state_machine_as_test(
        StockGame,
        settings=settings(
            max_examples=GAMES or 10,
            stateful_step_count=STEPS,
            derandomize=not GAMES,
            database=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, *([Phase.shrink] if SHRINKS else [])],
        ),
    )
