"""What lies on the shelves in the end, what each channel may sell of it, and what is on its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from finalmarket.channels.models import SalesChannel
from finalmarket.demo.goods import Item
from finalmarket.demo.merchant import House
from finalmarket.demo.offers import Shelf
from finalmarket.demo.sources import chance
from finalmarket.demo.year import Plan
from finalmarket.stock import policies, receipts, transfers
from finalmarket.stock.models import ChannelInventory, StockItem

WEEKS = 52
SOLD_OUT, RUNNING_LOW = 5, 9
# Least and most units that lie at a place beyond some weeks of demand.
BASE = {"hamburg": (8, 40), "berlin": (3, 10), "london": (3, 9), "newark": (4, 16)}
WATCHED = {"web": 6, "amazon": 5, "london": 2, "usa": 3}


@dataclass(frozen=True, slots=True)
class Ending:
    """How the year ends: units by variant id and location code, and the items that are out or nearly so."""

    units: dict[tuple[int, str], int]
    sold_out: list[Item]
    running_low: list[Item]


def ending(shelves: Mapping[str, Shelf], items: Sequence[Item], planned: Plan, seed: int) -> Ending:
    """Choose what is left of each item at each place: some weeks of its demand, and of a few next to nothing."""
    dice = chance(seed, "supply")
    demand = planned.demand()
    parts = {part.sku for item in items for part, _ in item.parts}
    single = [item for item in items if not item.parts]
    ranks = shelves["web"].ranks
    on_amazon = {offer.item.sku for offer in shelves["amazon"].offers}
    middling = [item for item in single if 15 < ranks[item.sku] < 170 and item.sku not in parts]
    # A marketplace shows what it means to be sold out, so the first of them are sold there.
    scarce = sorted(dice.sample(middling, SOLD_OUT + RUNNING_LOW), key=lambda item: item.sku not in on_amazon)
    sold_out, running_low = scarce[:SOLD_OUT], scarce[SOLD_OUT:]
    units: dict[tuple[int, str], int] = {}
    for code, held in _places(shelves, single).items():
        least, most = BASE[code]
        for item in held:
            weekly = demand[item.variant_id, code] / WEEKS
            units[item.variant_id, code] = dice.randint(least, most) + round(weekly * dice.uniform(3, 8))
    for item in scarce:
        for code in BASE:
            units.pop((item.variant_id, code), None)
    for item in running_low:
        units[item.variant_id, "hamburg"] = dice.randint(3, 5)
    return Ending(units, sold_out, running_low)


def _places(shelves: Mapping[str, Shelf], items: Sequence[Item]) -> dict[str, list[Item]]:
    """Return what each location holds: the warehouse everything, the others what is sold from them."""
    held: dict[str, list[Item]] = {"hamburg": list(items)}
    for code, keys in {"berlin": ("berlin", "kiosk"), "london": ("london",), "newark": ("usa",)}.items():
        listed = {part.sku for key in keys for offer in shelves[key].offers for part, _ in offer.item.contents()}
        held[code] = [item for item in items if item.sku in listed]
    return held


def decide_before(house: House) -> None:
    """Set what holds for whole channels; nothing was sold yet, so that no decision takes anything away."""
    for key, threshold in WATCHED.items():
        _of(house.channels[key]).update(low_stock_threshold=threshold)
    _of(house.channels["amazon"]).update(percent=60, buffer=1)
    _of(house.channels["kiosk"]).update(cap=12)


def decide_after(house: House, shelves: Mapping[str, Shelf], end: Ending, seed: int) -> None:
    """Take the decisions on single items: ring fences, loans, caps, safety stock, backorders; each is in the ledger."""
    dice = chance(seed, "policies")
    scarce = {item.sku for item in [*end.sold_out, *end.running_low]}
    plenty = {
        key: [o.item for o in shelf.offers if not o.item.parts and o.item.sku not in scarce]
        for key, shelf in shelves.items()
    }
    chosen: list[tuple[str, int, str, dict[str, Any]]] = [
        ("instagram", 6, "the autumn drop", {"fence_quantity": 6, "uses_pool": False}),
        ("instagram", 4, "lent out while the drop is quiet", {"fence_quantity": 5, "lends": True}),
        ("phone", 8, "company customers come first", {"fence_quantity": 4, "borrows": True}),
        ("amazon", 10, "best-sellers stay in our own shops", {"cap": 8, "percent": None}),
        ("app", 6, "app exclusives", {"fence_quantity": 3}),
        ("web", 8, "sells ahead of deliveries", {"incoming_horizon_days": 21}),
    ]
    for key, count, reason, fields in chosen:
        for item in dice.sample(plenty[key], count):
            policies.set_policy(item.variant_id, house.id_of(key), actor="demo", reason=reason, **fields)
    hamburg = house.locations["hamburg"]
    best = sorted(plenty["web"], key=lambda item: shelves["web"].ranks[item.sku])[:12]
    for item in best:
        policies.set_safety(item.variant_id, hamburg, 3, actor="demo", reason="never sell the last ones")
    for item in end.sold_out[-2:]:
        policies.set_policy(item.variant_id, house.id_of("web"), actor="demo", allows_backorder=True)
        policies.set_backorder_limit(item.variant_id, 15, actor="demo", reason="a delivery is announced")
    held = set(StockItem.objects.filter(location_id=house.locations["berlin"]).values_list("variant_id", flat=True))
    for item in dice.sample([item for item in plenty["berlin"] if item.variant_id in held], 20):
        policies.set_low_stock_threshold(item.variant_id, house.locations["berlin"], 4)


def on_the_way(house: House, shelves: Mapping[str, Shelf], end: Ending, now: datetime, seed: int) -> None:
    """Announce deliveries of what is scarce and of some more, and send one transfer to Berlin that has not arrived."""
    dice = chance(seed, "deliveries")
    hamburg, berlin = house.locations["hamburg"], house.locations["berlin"]
    waited_for = [*end.sold_out[1:], *end.running_low[:5]]
    others = [offer.item for offer in shelves["web"].offers if not offer.item.parts]
    for number, item in enumerate([*waited_for, *dice.sample(others, 9)]):
        receipts.announce(
            item.variant_id, hamburg, 12 * dice.randint(2, 8), now + timedelta(days=dice.randrange(2, 35)),
            supplier=dice.choice(["Hansa Import", "Weberei Nord", "Keramik West", "Atlas Trading"]),
            reference=f"PO-{2_400 + number}",
        )  # fmt: skip
    scarce = {item.sku for item in [*end.sold_out, *end.running_low]}
    wanted = [o.item for o in shelves["berlin"].offers if not o.item.parts and o.item.sku not in scarce]
    full = sorted(wanted, key=lambda item: -end.units.get((item.variant_id, "hamburg"), 0))[:8]
    lines = [(item.variant_id, 4) for item in sorted(full, key=lambda item: item.variant_id)]
    transfer = transfers.draft(hamburg, berlin, lines, reference="Weekend refill")
    transfers.ship(transfer.pk, actor="demo")


def _of(channel: SalesChannel) -> Any:
    return ChannelInventory.objects.filter(sales_channel=channel)
