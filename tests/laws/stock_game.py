"""The table at which the game of stock is played: its world, what holds after every step, and the referee's eye."""

from __future__ import annotations

from django.db import connection
from django.utils import timezone
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
)

from finalmarket.stock import atp, check, ledger
from finalmarket.stock.models import ChannelInventory, ChannelSource, Reservation, StockItem
from finalmarket.stock.reserve import Mode, Request, Verdict, reserve
from tests.laws.stock_referee import Books, Line, Moment
from tests.stock.shelves import OVER, new_bundle, new_channel, new_place, new_variant

LINES = """SELECT reservation_id, position, line, variant_id, location_id, sales_channel_id, quantity, from_fence,
                  lender_id, short, is_backorder, state,
                  coalesce(state = 'held' AND expires_at <= clock_timestamp(), false)
           FROM reservation_line WHERE state IN ('held', 'confirmed') AND (quantity > 0 OR short > 0) ORDER BY 1, 2"""


class World:
    """Two goods and a bundle of them, three channels with different sources, three places."""

    def __init__(self) -> None:
        self.places = [new_place(f"place-{n}", priority=n) for n in range(3)]
        self.channels = [new_channel(f"Channel {n}") for n in range(3)]
        self.plain = [new_variant(f"GOOD-{n}") for n in range(2)]
        self.bundle = new_bundle({self.plain[0]: 2, self.plain[1]: 1}, "SET")
        self.variants = [*self.plain, self.bundle]
        ChannelSource.objects.create(sales_channel=self.channels[1], location=self.places[0], rank=1)
        ChannelSource.objects.create(sales_channel=self.channels[2], location=self.places[2], rank=1)
        ChannelSource.objects.create(sales_channel=self.channels[2], location=self.places[0], rank=2)

    def books(self) -> Books:
        """Empty books of this world."""
        place = [place.pk for place in self.places]
        one, two, three = (channel.pk for channel in self.channels)
        return Books(
            sources={one: tuple(place), two: (place[0],), three: (place[2], place[0])},
            recipes={self.bundle.pk: {self.plain[0].pk: 2, self.plain[1].pk: 1}},
        )


class RefereedGame(RuleBasedStateMachine):
    """What every game keeps and is held to; the moves are in test_stock_laws.py."""

    world: World
    books: Books
    keys: dict[str, tuple[Request, int]]
    lines: list[Line]
    fences: dict[tuple[int, int], int]
    named: dict[int, set[int]]
    """By reservation: places that somebody named for it, whatever its channel sells from."""

    # ---- what holds after every step

    @invariant()
    def the_laws_hold(self) -> None:
        """Balances, ledger and holds agree; shelves hold what was put there; fences lose nothing for no reason; the
        numbers that are shown are the referee's."""
        if not hasattr(self, "transaction"):
            return
        assert check.differences() == []
        items = StockItem.objects.values_list("variant_id", "location_id", "on_hand")
        assert {(v, p): n for v, p, n in items if n} == {key: n for key, n in self.books.on_hand.items() if n}
        lines, left = self.open_lines(), self.fence_left()
        self.units_lie_where_they_may(lines)
        self.fences_are_kept(lines, left)
        self.lines, self.fences, self.cut, self.lost = lines, left, False, False
        self.shown_is_what_would_be_granted(Moment(self.books, lines, left))

    def shown_is_what_would_be_granted(self, now: Moment) -> None:
        """Every level equals the referee's number, bundles included."""
        shops = [channel.pk for channel in self.world.channels]
        goods = [variant.pk for variant in self.world.variants]
        for (good, shop), level in atp.levels(goods, shops).items():
            recipe = self.books.recipes.get(good, {good: 1})
            expected = min(atp.available(now.facts(part, shop)) // each for part, each in recipe.items())
            assert level.available == expected, (good, shop, level, now.facts(good, shop))

    def units_lie_where_they_may(self, lines: list[Line]) -> None:
        """Units of a channel lie where it sells from, or at a place that was named for them."""
        for line in lines:
            if line.quantity and line.location is not None:
                assert line.location in {*self.books.sources[line.channel], *self.named.get(line.reservation, ())}, line

    def fences_are_kept(self, lines: list[Line], left: dict[tuple[int, int], int]) -> None:
        """What is left in a fence and what is open out of it stays the same, unless goods left or fences were cut."""
        for variant in self.world.plain:
            cut = False
            waited = any(line.short for line in self.lines if line.variant == variant.pk)  # is met out of fences
            for channel in self.world.channels:
                key = variant.pk, channel.pk
                was_open = sum(self.out_of_fence(line, channel.pk) for line in self.lines if line.variant == variant.pk)
                is_open = sum(self.out_of_fence(line, channel.pk) for line in lines if line.variant == variant.pk)
                before, after = self.fences.get(key, 0) + was_open, left.get(key, 0) + is_open
                assert after <= before, f"fence of {key} grew from {before} to {after}"
                gone = before - after - (max(0, was_open - is_open) if self.lost else 0)
                assert gone <= 0 or self.cut or waited, f"fence of {key} fell from {before} to {after}"
                cut = cut or gone > 0
            fenced = sum(units_left for (v, _), units_left in left.items() if v == variant.pk)
            free = self.physical_on_the_books(variant.pk, lines)
            assert fenced <= free
            assert not cut or fenced == free, "fences were cut further than they had to be"

    cut = False
    lost = False

    def may_cut(self) -> None:
        """After this step fences may have been cut to what is free."""
        self.cut = True

    def loses_fences(self) -> None:
        """In this step units that came out of fences left for good."""
        self.lost = True

    # ---- how it is played

    def request(
        self, wants: list[tuple[int, int]], channel: int, key: int | None, mode: Mode, has_ended: bool,
        place: int | None = None,
    ) -> Request:  # fmt: skip
        """A request in the ids of this world."""
        self.asked = getattr(self, "asked", 0) + 1
        return Request(
            f"fresh-{self.asked}" if key is None else f"key-{key}",
            self.world.channels[channel].pk,
            tuple((self.world.variants[variant].pk, wanted) for variant, wanted in wants),
            mode,
            OVER if has_ended else 900,
            None if place is None else self.world.places[place].pk,
        )

    def settle(self, requests: list[Request]) -> None:
        """Reserve, and let the referee go through the verdicts in their order."""
        now = Moment(self.books, self.lines, self.fences)
        known = self.keys_in_use()
        verdicts = reserve(requests)
        opened = self.open_lines()
        for request, verdict in zip(requests, verdicts, strict=True):
            note(f"{request} -> {verdict}")
            if request.key in known:
                same = known[request.key].body_hash == request.body_hash
                assert verdict.outcome == ("duplicate" if same else "key_reused")
                continue
            self.referee(now, request, verdict, opened)
            if verdict.outcome == "granted" and verdict.reservation_id is not None:
                known[request.key] = request
                self.keys[request.key] = (request, verdict.reservation_id)
                self.name(verdict.reservation_id, request.location_id)

    def referee(self, now: Moment, request: Request, verdict: Verdict, opened: list[Line]) -> None:
        """Grant and refuse only as the formula does, line by line; what was granted lies where it may be taken."""
        wants = self.books.expand(request.lines)
        trial = Moment(self.books, [], now.fence)
        trial.taken, trial.used, trial.beyond = now.taken.copy(), now.used.copy(), now.beyond.copy()
        left = trial.settle(request.channel_id, wants, request.location_id)
        if left is not None:
            assert (verdict.outcome, verdict.available) == ("refused", left)
            return
        assert verdict.outcome == "granted", (
            f"the referee would have granted it: {now.facts(wants[0][1], request.channel_id)}"
        )
        mine = [line for line in opened if line.reservation == verdict.reservation_id]
        for number, variant, wanted in wants:
            got = [line for line in mine if (line.line, line.variant) == (number, variant)]
            assert sum(line.quantity for line in got) == wanted
        sources = self.books.sources[request.channel_id]
        for line in mine:
            assert line.is_backorder or line.location in (
                sources if request.location_id is None else (request.location_id,)
            )
            if not line.is_backorder and line.location is not None:
                assert now.free(line.variant, line.location) >= line.quantity
            now.take([line])
            assert now.fence[line.variant, line.channel] >= 0
        assert (+now.used, +now.beyond) == (+trial.used, +trial.beyond)
        if not any(line.has_ended for line in self.lines):  # a hold that may stand keeps what it has out of a fence
            assert +now.fence == +trial.fence

    def name(self, reservation: int, place: int | None) -> None:
        """Somebody names a place for a reservation."""
        if place is not None:
            self.named.setdefault(reservation, set()).add(place)

    def keys_in_use(self) -> dict[str, Request]:
        """Keys that stand for a hold that has not ended, a promise, or what became of it."""
        states = {
            row.pk: row for row in Reservation.objects.filter(pk__in=[number for _, number in self.keys.values()])
        }
        present = timezone.now()
        return {
            key: request
            for key, (request, number) in self.keys.items()
            if states[number].state in ("confirmed", "closed")
            or (states[number].state == "held" and (states[number].expires_at or present) > present)
        }

    def after_giving_back(self, number: int) -> dict[tuple[int, int], int]:
        """The fences as they are once this reservation has given back what it has out of them."""
        fences = dict(self.fences)
        for line in self.lines:
            if line.reservation == number:
                own, lent = (line.variant, line.channel), (line.variant, line.lender or 0)
                fences[own] = fences.get(own, 0) + line.from_fence
                if line.lender is not None:
                    fences[lent] = fences.get(lent, 0) + line.quantity
        return fences

    def put(self, good: int, shelf: int, quantity: int) -> None:
        """Receive."""
        ledger.receive([ledger.Receipt(good, shelf, quantity)], actor="test")
        self.books.on_hand[good, shelf] += quantity
        self.may_cut()

    def some_reservation(self, data: st.DataObject) -> int:
        """One that is open."""
        return data.draw(st.sampled_from(sorted({line.reservation for line in self.lines})), label="reservation")

    def physical_on_the_books(self, variant: int, lines: list[Line]) -> int:
        """Units on the shelves less open ones, ended holds among them."""
        here = sum(there for (v, _), there in self.books.on_hand.items() if v == variant)
        return here - sum(line.quantity for line in lines if line.variant == variant and not line.is_backorder)

    @staticmethod
    def out_of_fence(line: Line, channel: int) -> int:
        """Units of a line that come out of the fence of a channel."""
        own = line.from_fence if line.channel == channel else 0
        return own + (line.quantity if line.lender == channel else 0)

    @staticmethod
    def open_lines() -> list[Line]:
        """What is open in the table of lines."""
        with connection.cursor() as cursor:
            cursor.execute(LINES)
            return [Line(*row) for row in cursor.fetchall()]

    @staticmethod
    def fence_left() -> dict[tuple[int, int], int]:
        """What is left in every fence."""
        rows = ChannelInventory.objects.filter(fence_left__gt=0)
        return {(v, c): left for v, c, left in rows.values_list("variant_id", "sales_channel_id", "fence_left")}
