"""What a person does with advice about stock: accepts it, which does what it says, or dismisses it for a while."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q, Sum

from finalmarket.advice.models import StockAdvice
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.stock import policies, receipts, transfers
from finalmarket.stock.models import ChannelInventory, ReservationLine

Kind, State = StockAdvice.Kind, StockAdvice.State
MUTED_DAYS = 30


@transaction.atomic
def accept(advice_ids: Sequence[int], *, actor: str) -> list[StockAdvice]:
    """Do what these pieces of advice say, all or none, and return them with their outcome.

    Transfers of one way become one draft; an order becomes an expected receipt; a ring fence gets its new allotment;
    of dead stock the decision is noted. Raises UserError for one that is not open any more, or what the stock refuses.
    """
    chosen = _open(advice_ids)
    for piece in chosen:
        if piece.kind == Kind.REORDER:
            piece.outcome = _order(piece)
        elif piece.kind in (Kind.RELEASE_FENCE, Kind.RAISE_FENCE):
            piece.outcome = _fence(piece, actor)
    _transfer([piece for piece in chosen if piece.kind == Kind.TRANSFER])
    return _decided(chosen, State.ACCEPTED, actor)


@transaction.atomic
def dismiss(advice_ids: Sequence[int], *, actor: str, days: int = MUTED_DAYS) -> list[StockAdvice]:
    """Say no for now: the same is not advised again for `days` days. Raises UserError for one that is not open."""
    if not 1 <= days <= 365:
        raise UserError(f"advice is put off for 1 to 365 days, not {days}")
    chosen = _open(advice_ids)
    for piece in chosen:
        piece.muted_until = clock.now() + timedelta(days=days)
    return _decided(chosen, State.DISMISSED, actor)


def _open(advice_ids: Sequence[int]) -> list[StockAdvice]:
    wanted = sorted(set(advice_ids))
    chosen = list(StockAdvice.objects.select_for_update().filter(pk__in=wanted, state=State.OPEN).order_by("pk"))
    if not wanted:
        raise UserError("choose the advice first")
    if len(chosen) < len(wanted):
        raise UserError("some of this advice is decided already, or not so any more; look again")
    return chosen


def _decided(chosen: list[StockAdvice], state: str, actor: str) -> list[StockAdvice]:
    for piece in chosen:
        piece.state, piece.decided_at, piece.decided_by = state, clock.now(), actor[:100]
    StockAdvice.objects.bulk_update(chosen, ["state", "decided_at", "decided_by", "muted_until", "outcome"])
    return chosen


def _transfer(pieces: list[StockAdvice]) -> None:
    """One draft for each way, with a line for each variant."""
    ways: dict[tuple[int, int], list[StockAdvice]] = {}
    for piece in pieces:
        if piece.source_id is not None and piece.location_id is not None:
            ways.setdefault((piece.source_id, piece.location_id), []).append(piece)
    for (source, destination), parts in ways.items():
        lines = [(piece.variant_id, piece.quantity) for piece in parts]
        draft = transfers.draft(source, destination, lines, reference="advised")
        for piece in parts:
            piece.outcome = f"transfer:{draft.pk}"


def _order(piece: StockAdvice) -> str:
    if piece.location_id is None:
        raise UserError(f"advice {piece.pk} names no place")
    arrives = clock.now() + timedelta(days=int(piece.numbers["lead_days"]))
    supplier = str(piece.numbers.get("supplier", ""))
    expected = receipts.announce(
        piece.variant_id, piece.location_id, piece.quantity, arrives, supplier=supplier, reference=f"advice {piece.pk}"
    )
    return f"receipt:{expected.pk}"


def _fence(piece: StockAdvice, actor: str) -> str:
    """Give the fence its new allotment: what is left of it, less or more the advised units, and what is held of it."""
    if piece.sales_channel_id is None:
        raise UserError(f"advice {piece.pk} names no channel")
    policy: ChannelInventory = ChannelInventory.objects.get(
        variant_id=piece.variant_id, sales_channel_id=piece.sales_channel_id
    )
    units = -piece.quantity if piece.kind == Kind.RELEASE_FENCE else piece.quantity
    allotment = max(policy.fence_left + units, 0) + _held_of(policy)
    policies.set_policy(
        piece.variant_id, piece.sales_channel_id, actor=actor, reason=f"advice {piece.pk}", fence_quantity=allotment
    )
    return f"fence:{policy.pk}"


def _held_of(policy: ChannelInventory) -> int:
    """Units of open holds and promises that came out of this fence, lent ones included."""
    held = ReservationLine.objects.filter(
        variant_id=policy.variant_id, state__in=["held", "confirmed"], quantity__gt=0
    ).aggregate(
        own=Sum("from_fence", filter=Q(sales_channel_id=policy.sales_channel_id)),
        lent=Sum(F("quantity"), filter=Q(lender_id=policy.sales_channel_id)),
    )
    return (held["own"] or 0) + (held["lent"] or 0)
