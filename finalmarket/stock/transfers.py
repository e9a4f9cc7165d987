"""Transfers: goods on their way from one location to another. Units throughout.

What has left and not arrived lies nowhere and is in transit; what never arrives is written off when the transfer is
closed. So at any time: on hand everywhere + in transit + lost - more than was sent = what there was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import F, Sum
from django.db.models.functions import Greatest

from finalmarket.catalog.models import Variant
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.stock import ledger
from finalmarket.stock.models import StockItem, StockPool, Transfer, TransferLine
from finalmarket.stock.refusals import refuse_places, refuse_quantities, refuse_variants


@transaction.atomic
def draft(source_id: int, destination_id: int, lines: Sequence[tuple[int, int]], *, reference: str = "") -> Transfer:
    """Write down what is to be sent: pairs of variant id and units. Nothing moves yet.

    Raises UserError for one and the same place, an unknown place, no lines, a variant that stands twice, a quantity
    below one, or a bundle.
    """
    if source_id == destination_id:
        raise UserError("a transfer needs two different locations")
    refuse_places([source_id, destination_id])
    if not lines:
        raise UserError("a transfer needs at least one line")
    if len({variant for variant, _ in lines}) < len(lines):
        raise UserError("a variant stands twice in the transfer; put its units in one line")
    refuse_quantities(lines)
    refuse_variants([variant for variant, _ in lines])
    transfer = Transfer.objects.create(source_id=source_id, destination_id=destination_id, reference=reference)
    TransferLine.objects.bulk_create(
        [TransferLine(transfer=transfer, variant_id=variant, quantity=units) for variant, units in lines]
    )
    return transfer


@transaction.atomic
def ship(transfer_id: int, *, actor: str) -> Transfer:
    """Send the goods: they leave the source and are in transit. All lines or none.

    Only what is neither promised to customers nor fenced for a channel is taken. Raises UserError that names every
    line that cannot be sent in full, or when the transfer is no draft.
    """
    transfer, lines = _open(transfer_id, Transfer.State.DRAFT, "shipped")
    variants = sorted(line.variant_id for line in lines)
    ledger.lock(variants)
    ledger.expire(variants)
    lacking = _lacking(transfer, lines)
    if lacking:
        raise UserError(f"transfer {transfer.pk} cannot be shipped: {'; '.join(lacking)}")
    _post("transfer_out", transfer, transfer.source_id, {line.variant_id: -line.quantity for line in lines}, actor)
    transfer.state, transfer.shipped_at = Transfer.State.IN_TRANSIT, clock.now()
    transfer.save(update_fields=["state", "shipped_at"])
    return transfer


@transaction.atomic
def receive(
    transfer_id: int, arrived: Mapping[int, int], *, actor: str, seen: Mapping[int, int] | None = None
) -> Transfer:
    """Put what arrived on the shelf of the destination: units by variant id, in as many parts as it takes.

    More than was sent is taken in too and shows as a discrepancy. The transfer closes when nothing is outstanding.
    Raises UserError when it is not in transit, for a variant that is not on it, or a quantity below one; and where of
    a variant that arrived other units are received by now than whoever says so has `seen` (None: that is not asked).
    """
    transfer, lines = _open(transfer_id, Transfer.State.IN_TRANSIT, "received")
    refuse_quantities(arrived.items())
    by_variant = {line.variant_id: line for line in lines}
    for variant, units in arrived.items():
        if variant not in by_variant:
            raise UserError(f"variant {variant} is not on transfer {transfer.pk}")
        if seen is not None and by_variant[variant].received_quantity != seen.get(variant, 0):
            raise UserError(f"part of transfer {transfer.pk} was received meanwhile; look at it again")
        by_variant[variant].received_quantity += units
    ledger.lock(arrived)
    _post("transfer_in", transfer, transfer.destination_id, arrived, actor)
    ledger.backfill(sorted(arrived), actor=actor)
    TransferLine.objects.bulk_update(lines, ["received_quantity"])
    if arrived and all(line.received_quantity >= line.quantity for line in lines):
        _settle(transfer, lines, "", actor)
    return transfer


@transaction.atomic
def close(transfer_id: int, *, reason: str, actor: str) -> Transfer:
    """Close a transfer of which not all will arrive; what is outstanding is written off as lost, with the reason.

    Raises UserError when it is not in transit, or without a reason.
    """
    if not reason.strip():
        raise UserError("closing a transfer before all has arrived needs a reason")
    transfer, lines = _open(transfer_id, Transfer.State.IN_TRANSIT, "closed")
    ledger.lock(line.variant_id for line in lines)
    _settle(transfer, lines, reason, actor)
    return transfer


@transaction.atomic
def cancel(transfer_id: int, *, actor: str) -> Transfer:
    """Cancel a transfer of which nothing has arrived; goods that were on their way are back at the source.

    Raises UserError when something has arrived (close it instead), or when it is over.
    """
    transfer, lines = _open(transfer_id, None, "cancelled")
    if any(line.received_quantity for line in lines):
        raise UserError(f"part of transfer {transfer.pk} has arrived: close it with a reason instead of cancelling it")
    if transfer.state == Transfer.State.IN_TRANSIT:
        variants = sorted(line.variant_id for line in lines)
        ledger.lock(variants)
        _post("transfer_in", transfer, transfer.source_id, {line.variant_id: line.quantity for line in lines}, actor)
        ledger.backfill(variants, actor=actor)
    transfer.state, transfer.closed_at = Transfer.State.CANCELLED, clock.now()
    transfer.save(update_fields=["state", "closed_at"])
    return transfer


def in_transit(variant_ids: Iterable[int]) -> dict[int, int]:
    """Return the units of these variants that have left one location and not yet arrived at another."""
    rows = (
        TransferLine.objects.filter(variant_id__in=list(variant_ids), transfer__state=Transfer.State.IN_TRANSIT)
        .values_list("variant_id")
        .annotate(units=Sum(Greatest(F("quantity") - F("received_quantity"), 0)))
    )
    return {variant: units for variant, units in rows if units}


def _open(transfer_id: int, state: str | None, verb: str) -> tuple[Transfer, list[TransferLine]]:
    """Return the transfer, locked, and its lines; UserError unless it is in `state` (None: not over yet)."""
    transfer = Transfer.objects.select_for_update().filter(pk=transfer_id).first()
    if transfer is None:
        raise UserError(f"there is no transfer {transfer_id}")
    wanted = (Transfer.State.DRAFT, Transfer.State.IN_TRANSIT) if state is None else (state,)
    if transfer.state not in wanted:
        raise UserError(f"transfer {transfer_id} cannot be {verb}: it is {transfer.get_state_display().lower()}")
    return transfer, list(transfer.lines.order_by("variant_id"))


def _lacking(transfer: Transfer, lines: Sequence[TransferLine]) -> list[str]:
    """Return a sentence for every line that the source cannot give without taking from somebody."""
    variants = [line.variant_id for line in lines]
    items = StockItem.objects.filter(variant_id__in=variants, location_id=transfer.source_id)
    here = {item.variant_id: item.on_hand - item.reserved - item.allocated for item in items}
    pools = StockPool.objects.in_bulk(variants)
    skus = dict(Variant.objects.filter(pk__in=variants).values_list("pk", "sku"))
    said = []
    for line in lines:
        pool = pools[line.variant_id]
        unfenced = pool.on_hand - pool.reserved - pool.allocated - pool.fenced
        free = max(0, min(here.get(line.variant_id, 0), unfenced))
        if free < line.quantity:
            fenced = f", {pool.fenced} are fenced" if unfenced < here.get(line.variant_id, 0) else ""
            said.append(f"{skus[line.variant_id]}: {line.quantity} wanted, {free} free at {transfer.source}{fenced}")
    return said


def _settle(transfer: Transfer, lines: Sequence[TransferLine], reason: str, actor: str) -> None:
    """Close the transfer and write what is lost, or was more than sent, into the ledger: lines that move nothing."""
    notes = []
    for line in lines:
        line.discrepancy = line.received_quantity - line.quantity
        if line.discrepancy:
            found = f"{-line.discrepancy} lost in transit" if line.discrepancy < 0 else f"{line.discrepancy} too many"
            said = f"{found}: {reason}" if reason else found
            notes.append(_movement("transfer_in", transfer, transfer.destination_id, line.variant_id, 0, said))
    ledger.post(notes, actor=actor)
    TransferLine.objects.bulk_update(lines, ["discrepancy"])
    transfer.state, transfer.closed_at = Transfer.State.RECEIVED, clock.now()
    transfer.save(update_fields=["state", "closed_at"])


def _post(kind: str, transfer: Transfer, location_id: int, units: Mapping[int, int], actor: str) -> None:
    movements = [_movement(kind, transfer, location_id, variant, delta, "") for variant, delta in units.items()]
    ledger.post(movements, actor=actor)


def _movement(
    kind: str, transfer: Transfer, location_id: int, variant_id: int, units: int, reason: str
) -> ledger.Movement:
    return ledger.Movement(
        kind, variant_id, location_id, on_hand=units, reference=f"transfer:{transfer.pk}", reason=reason[:200]
    )
