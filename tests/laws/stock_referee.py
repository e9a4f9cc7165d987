"""The referee of the stock laws: plain books of its own, and the pure formula `atp.available`.

It knows what was put on the shelves and what people decided, reads which lines are open, and never looks at a counter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from finalmarket.stock.atp import Facts, available


@dataclass
class Policy:
    """What a channel may sell, as it was decided."""

    uses_pool: bool = True
    cap: int | None = None
    percent: int | None = None
    buffer: int = 0
    lends: bool = False
    borrows: bool = False
    allows_backorder: bool = False
    incoming_horizon_days: int = 0
    fence_quantity: int = 0


@dataclass(frozen=True)
class Line:
    """One open line: units held or promised, where, for whom, and out of whose fence."""

    reservation: int
    position: int
    line: int
    variant: int
    location: int | None
    channel: int
    quantity: int
    from_fence: int
    lender: int | None
    short: int
    is_backorder: bool
    state: str
    has_ended: bool


@dataclass
class Books:
    """Everything the referee needs, per variant (v), location (l) and channel (c)."""

    on_hand: Counter[tuple[int, int]] = field(default_factory=Counter)
    safety: dict[tuple[int, int], int] = field(default_factory=dict)
    policies: dict[tuple[int, int], Policy] = field(default_factory=dict)
    sources: dict[int, tuple[int, ...]] = field(default_factory=dict)
    recipes: dict[int, dict[int, int]] = field(default_factory=dict)
    backorder_limit: dict[int, int] = field(default_factory=dict)
    incoming: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    """By variant: units that are expected, and in how many days."""

    def expand(self, lines: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
        """Lines as (line, variant, units), bundles by their components."""
        parts = []
        for number, (variant, units) in enumerate(lines):
            for component, each in sorted(self.recipes.get(variant, {variant: 1}).items()):
                parts.append((number, component, units * each))
        return parts


class Moment:
    """The books with what is open at one moment; holds that have ended are given back in it."""

    def __init__(self, books: Books, lines: Iterable[Line], fence_left: Mapping[tuple[int, int], int]) -> None:
        self.books = books
        self.taken: Counter[tuple[int, int]] = Counter()
        self.used: Counter[tuple[int, int]] = Counter()
        self.beyond: Counter[int] = Counter()
        self.fence: Counter[tuple[int, int]] = Counter(fence_left)
        for line in lines:
            if not line.has_ended:
                self._open(line)
                continue
            self.fence[line.variant, line.channel] += line.from_fence
            if line.lender is not None:
                self.fence[line.variant, line.lender] += line.quantity

    def take(self, lines: Iterable[Line]) -> None:
        """Open these lines: what a granted request took."""
        for line in lines:
            self._open(line)
            self.fence[line.variant, line.channel] -= line.from_fence
            if line.lender is not None:
                self.fence[line.variant, line.lender] -= line.quantity

    def facts(self, variant: int, channel: int, location: int | None = None) -> Facts:
        """The facts of one channel and one variant that is no bundle."""
        books, policy = self.books, self.books.policies.get((variant, channel), Policy())
        here = [place for (v, place) in books.on_hand if v == variant]
        sources = books.sources[channel] if location is None else (location,)
        lenders = [
            units
            for (v, c), units in self.fence.items()
            if v == variant and c != channel and books.policies.get((v, c), Policy()).lends
        ]
        return Facts(
            on_hand=sum(books.on_hand[variant, place] for place in here),
            reserved=sum(units for (v, _), units in self.taken.items() if v == variant),
            safety=sum(units for (v, _), units in books.safety.items() if v == variant),
            buffer=policy.buffer,
            fenced=sum(units for (v, _), units in self.fence.items() if v == variant),
            own_fence=self.fence[variant, channel],
            lendable=sum(lenders) if policy.borrows else 0,
            uses_pool=policy.uses_pool,
            at_sources=sum(self.free(variant, place) for place in here if place in sources),
            cap=policy.cap,
            percent=policy.percent,
            used=self.used[variant, channel],
            beyond=self._room_beyond(variant, policy),
        )

    def free(self, variant: int, location: int, *, guard: bool = True) -> int:
        """Units at a place that nobody has, without its safety stock if it is guarded."""
        safety = self.books.safety.get((variant, location), 0) if guard else 0
        here = self.books.on_hand[variant, location]
        return max(0, here - self.taken[variant, location] - safety)

    def physical(self, variant: int) -> int:
        """Units of a variant that nobody has, everywhere."""
        return sum(units for (v, _), units in self.books.on_hand.items() if v == variant) - sum(
            units for (v, _), units in self.taken.items() if v == variant
        )

    def settle(self, channel: int, wants: Sequence[tuple[int, int, int]], location: int | None) -> int | None:
        """Take all these (line, variant, units) one after the other; None when all fit, else what is left for the one
        that does not. The places do not matter to the channel itself, so units are taken where they are first found."""
        for _, variant, units in wants:
            left = available(self.facts(variant, channel, location))
            if units > left:
                return left
            self._take_anywhere(channel, variant, units, location)
        return None

    def _take_anywhere(self, channel: int, variant: int, units: int, location: int | None) -> None:
        facts = self.facts(variant, channel, location)
        policy = self.books.policies.get((variant, channel), Policy())
        free = facts.on_hand - facts.reserved
        shelf = free - facts.safety - facts.buffer - facts.foreign_fences
        if not facts.uses_pool:
            shelf = min(shelf, facts.own_fence + facts.lendable)
        here = min(units, max(0, min(shelf, facts.at_sources)))
        own = min(here, facts.own_fence)
        from_pool = 0
        if policy.uses_pool:
            from_pool = max(0, min(here - own, free - facts.safety - facts.fenced - facts.buffer))
        self.fence[variant, channel] -= own
        rest = here - own - from_pool
        for v, lender in sorted(self.fence):
            if v == variant and lender != channel and self.books.policies.get((v, lender), Policy()).lends:
                lent = min(rest, self.fence[v, lender])
                self.fence[v, lender] -= lent
                rest -= lent
        assert rest == 0, "the referee lent more than there was"
        self.used[variant, channel] += here
        self.beyond[variant] += units - here
        for place in self.books.sources[channel] if location is None else (location,):
            piece = min(here, self.free(variant, place))
            self.taken[variant, place] += piece
            here -= piece

    def _room_beyond(self, variant: int, policy: Policy) -> int:
        if not policy.allows_backorder and not policy.incoming_horizon_days:
            return 0
        limit = self.books.backorder_limit.get(variant, 0) if policy.allows_backorder else 0
        coming = sum(
            units for units, days in self.books.incoming.get(variant, []) if days <= policy.incoming_horizon_days
        )
        return max(0, limit + (coming if policy.incoming_horizon_days else 0) - self.beyond[variant])

    def _open(self, line: Line) -> None:
        if line.is_backorder:
            self.beyond[line.variant] += line.quantity
        elif line.quantity and line.location is not None:
            self.taken[line.variant, line.location] += line.quantity
            self.used[line.variant, line.channel] += line.quantity
