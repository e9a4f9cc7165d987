"""Many adjustments at once, each answered by itself, by a number of statements that does not grow with them: whoever
holds the locks of a thousand pools for seconds keeps the desk from all that they hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import transaction

from finalmarket.kernel.errors import UserError
from finalmarket.stock import ledger
from finalmarket.stock.models import StockPool
from finalmarket.stock.refusals import NotAsExpected, refuse_places, refuse_variants


@dataclass(frozen=True, slots=True)
class Change:
    """What is on hand at a location, changed by `delta` units or, where that is None, made `quantity`; nothing is done
    unless `expected` units (None: any) are on hand."""

    variant_id: int
    location_id: int
    reason: str
    delta: int | None = None
    quantity: int = 0
    expected: int | None = None
    reference: str = ""
    kind: str = "adjust"


@dataclass(frozen=True, slots=True)
class Changed:
    """What is on hand afterwards, and by how many units it changed."""

    on_hand: int
    delta: int


@transaction.atomic
def adjust_each(changes: Sequence[Change], *, actor: str) -> list[Changed | UserError]:
    """Carry the changes out in their order, each as `ledger.adjust` would, and return what became of each; one that is
    refused spoils nothing else. Raises UserError for an unknown location."""
    refuse_places({change.location_id for change in changes})
    refused = _refused({change.variant_id for change in changes})
    variants = sorted({change.variant_id for change in changes} - refused.keys())
    ledger.lock_with_listings(variants)
    book = _Book(actor, ledger.balances(variants))
    found = [refused.get(change.variant_id) or book.change(change) for change in changes]
    book.write()
    return found


class _Book:
    """What is on hand by variant and location, and the movements that are yet to be written."""

    def __init__(self, actor: str, balances: dict[tuple[int, int], tuple[int, int]]) -> None:
        self._actor = actor
        self._balances = balances
        self._waiting: dict[int, ledger.Movement] = {}

    def change(self, change: Change) -> Changed | UserError:
        """Carry one change out, or say why not. A variant that waits to be written is written first: goods that come
        may meet promises, and so change what is promised."""
        if change.variant_id in self._waiting:
            self.write()
        place = change.variant_id, change.location_id
        on_hand, promised = self._balances.get(place, (0, 0))
        delta = change.quantity - on_hand if change.delta is None else change.delta
        if change.expected is not None and on_hand != change.expected:
            return NotAsExpected(on_hand, change.expected)
        if on_hand + delta < 0:
            return UserError(f"cannot take {-delta} units away: {on_hand} are on hand")
        if delta and promised > on_hand + delta:
            return self._reach_into_promises(change, delta)
        if delta:
            self._waiting[change.variant_id] = ledger.Movement(
                change.kind, *place, on_hand=delta, reference=change.reference, reason=change.reason
            )
            self._balances[place] = on_hand + delta, promised
        return Changed(on_hand + delta, delta)

    def _reach_into_promises(self, change: Change, delta: int) -> Changed:
        """Some promises give way: the ledger knows which."""
        on_hand = ledger.adjust(
            change.variant_id, change.location_id, delta, reason=change.reason, actor=self._actor,
            reference=change.reference, kind=change.kind,
        )  # fmt: skip
        self._balances.update(ledger.balances([change.variant_id]))
        return Changed(on_hand, delta)

    def write(self) -> None:
        """Write what waits: one movement of a variant each."""
        waiting, self._waiting = self._waiting, {}
        if not waiting:
            return
        ledger.post(list(waiting.values()), actor=self._actor)
        fewer = {variant: one for variant, one in waiting.items() if one.on_hand < 0}
        cut = {variant: fewer[variant].reason for variant in _with_fences(fewer)}
        for reason in sorted(set(cut.values())):
            ledger.trim_fences(sorted(v for v in cut if cut[v] == reason), actor=self._actor, reason=reason)
        ledger.backfill(sorted(waiting.keys() - fewer.keys()), actor=self._actor)
        self._balances.update(ledger.balances(list(waiting)))


def _with_fences(variant_ids: Collection[int]) -> list[int]:
    """Return those of the variants that have units in ring fences. Each may have lost some for a reason of its own."""
    fenced = StockPool.objects.filter(variant__in=variant_ids, fenced__gt=0)
    return list(fenced.values_list("variant_id", flat=True))


def _refused(variant_ids: set[int]) -> dict[int, UserError]:
    """Return why some of these variants cannot be adjusted, by variant."""
    try:
        refuse_variants(variant_ids)
    except UserError:
        return {number: error for number in sorted(variant_ids) if (error := _refusal(number)) is not None}
    return {}


def _refusal(variant_id: int) -> UserError | None:
    try:
        refuse_variants([variant_id])
    except UserError as error:
        return error
    return None
