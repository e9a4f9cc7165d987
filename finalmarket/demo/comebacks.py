"""What comes back of the year's orders, why, and what becomes of it. Pure until it is written."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from finalmarket.demo.baskets import Basket
from finalmarket.demo.merchant import House
from finalmarket.demo.sources import pick_weighted
from finalmarket.orders.past_records import HistoricReturns, PastReturn, PastReturnLine
from finalmarket.orders.past_returns import write_returns

# Of a hundred orders.
RATES = {
    "web": 9, "app": 10, "amazon": 8, "instagram": 12, "berlin": 2, "london": 2, "phone": 5, "kiosk": 1, "usa": 7,
}  # fmt: skip
NEVER = {"food", "plants"}
REASONS = (
    ("Does not fit", 22),
    ("Looks different from the picture", 18),
    ("Changed my mind", 30),
    ("Arrived damaged", 14),
    ("Wrong item", 6),
    ("Came too late", 10),
)
FINE = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Comeback:
    """A planned return: for each line of the basket that comes back, its index, the units and their disposition."""

    basket: Basket
    at: datetime
    key: str
    reason: str
    lines: tuple[tuple[int, int, str], ...]

    def restocked(self) -> Iterator[tuple[int, str, int]]:
        """Yield what goes back on the shelf: variant id, location code, units."""
        for index, units, disposition in self.lines:
            if disposition == "restock":
                for part, each in self.basket.lines[index].item.contents():
                    yield part.variant_id, self.basket.location, units * each


def plan(baskets: Sequence[Basket], now: datetime, dice: random.Random) -> list[Comeback]:
    """Choose what comes back, five days to four weeks after it was ordered; what would come after `now` has not yet."""
    found = []
    for basket in baskets:
        at = basket.at + timedelta(days=dice.randrange(5, 28), minutes=dice.randrange(600))
        fit = [index for index, line in enumerate(basket.lines) if line.item.tax_class not in NEVER]
        if dice.random() * 100 >= RATES[basket.key] or not fit or at >= now:
            continue
        reason = pick_weighted(dice, REASONS)
        chosen = dice.sample(fit, dice.randint(1, len(fit)) if dice.random() < 0.3 else 1)
        lines = tuple((index, _units(basket, index, dice), _disposition(reason, dice)) for index in sorted(chosen))
        found.append(Comeback(basket, at, f"return-{basket.external_id}", reason, lines))
    return sorted(found, key=lambda comeback: comeback.at)


def without_restock(comebacks: Sequence[Comeback], variant_ids: set[int]) -> list[Comeback]:
    """Return the returns with everything that consists of these variants damaged, so that none of it is on a shelf."""
    return [
        replace(
            comeback,
            lines=tuple(
                (index, units, "damaged" if _has(comeback.basket, index, variant_ids) else disposition)
                for index, units, disposition in comeback.lines
            ),
        )
        for comeback in comebacks
    ]


def _has(basket: Basket, index: int, variant_ids: set[int]) -> bool:
    return any(part.variant_id in variant_ids for part, _ in basket.lines[index].item.contents())


def write(house: House, comebacks: Sequence[Comeback]) -> int:
    """Write the returns of orders that are written already; return how many."""
    returns, lines = [], []
    for number, comeback in enumerate(comebacks):
        basket = comeback.basket
        returns.append(
            PastReturn(
                house.id_of(basket.key), comeback.key, comeback.at, order_id=basket.order_id,
                customer_id=basket.person.customer_id if basket.person else None, reason=comeback.reason,
            )
        )  # fmt: skip
        for position, (index, units, disposition) in enumerate(comeback.lines, start=1):
            line = basket.lines[index]
            paid = line.worth if basket.tax_included else line.worth + line.tax
            lines.append(
                PastReturnLine(
                    number, position, units, (paid * units / line.quantity).quantize(FINE),
                    order_line_id=basket.line_ids[index], variant_id=line.item.variant_id, sku=line.item.sku,
                    disposition=disposition, location_id=house.locations[basket.location],
                )
            )  # fmt: skip
    return write_returns(HistoricReturns(returns, lines), actor="demo").returns


def _units(basket: Basket, index: int, dice: random.Random) -> int:
    ordered = basket.lines[index].quantity
    return ordered if dice.random() < 0.6 else dice.randint(1, ordered)


def _disposition(reason: str, dice: random.Random) -> str:
    if reason == "Arrived damaged":
        return dice.choice(["damaged", "scrap"])
    return "restock" if dice.random() < 0.9 else "damaged"
