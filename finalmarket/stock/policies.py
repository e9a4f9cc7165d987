"""What people decide about stock: what a channel may sell of a variant, safety stock, the backorder limit.

Every decision is taken under the lock of the pool and stands in the ledger with who took it and why. Units throughout.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q, Sum

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.errors import UserError
from finalmarket.stock import ledger
from finalmarket.stock.models import ChannelInventory, ReservationLine, StockItem, StockPool
from finalmarket.stock.refusals import MOST_UNITS, refuse_places, refuse_variants

SWITCHES = ("uses_pool", "lends", "borrows", "allows_backorder")
UNITS = ("fence_quantity", "buffer", "incoming_horizon_days")
LIMITS = ("cap", "percent", "low_stock_threshold")


@transaction.atomic
def set_policy(
    variant_id: int, channel_id: int, *, actor: str = "system", reason: str = "", **fields: Any
) -> ChannelInventory:
    """Change what a channel may sell of a variant, and return its policy.

    `fields`: uses_pool, fence_quantity (allotment of the ring fence), cap, percent, buffer, lends, borrows,
    allows_backorder, incoming_horizon_days, low_stock_threshold; None takes a cap, percentage or threshold away. A new
    allotment counts from now: what is still held out of the fence is part of it. Raises UserError for an unknown field,
    a value out of range, a bundle's fence, or a fence larger than what is free.
    """
    _refuse_unfit(fields)
    sku, channel = _names(variant_id, channel_id)
    ledger.lock([variant_id])
    ChannelInventory.objects.bulk_create(
        [ChannelInventory(variant_id=variant_id, sales_channel_id=channel_id)], ignore_conflicts=True
    )
    policy: ChannelInventory = ChannelInventory.objects.get(variant_id=variant_id, sales_channel_id=channel_id)
    changes = {name: value for name, value in fields.items() if getattr(policy, name) != value}
    fence_delta = 0
    if "fence_quantity" in fields:
        fence_delta = _fence_delta(policy, fields["fence_quantity"], sku, channel)
    if not changes and not fence_delta:
        return policy
    said = ", ".join(f"{name} {getattr(policy, name)} -> {value}" for name, value in changes.items())
    ChannelInventory.objects.filter(pk=policy.pk).update(**changes)
    said = f"{said or 'fence refilled'}{_because(reason)}"
    ledger.post(
        [ledger.Movement("fence", variant_id, None, fence=fence_delta, channel_id=channel_id, reason=said[:200])],
        actor=actor,
    )
    policy.refresh_from_db()
    return policy


def set_safety(variant_id: int, location_id: int, units: int, *, actor: str = "system", reason: str = "") -> None:
    """Keep so many units of a variant at a location out of every promise; the pool's safety stock is their sum.

    Raises UserError for a negative number, a bundle, or an unknown variant or location.
    """
    _refuse_range("safety stock", units)
    refuse_variants([variant_id])
    refuse_places([location_id])
    _decide("stock_set_safety(%s, %s, %s, %s, %s)", variant_id, location_id, units, actor, _because(reason))


def set_backorder_limit(variant_id: int, units: int, *, actor: str = "system", reason: str = "") -> None:
    """Let at most so many units of a variant be promised beyond stock, on the channels that allow it, all together.

    What is promised already stays promised. Raises UserError for a negative number, a bundle, or an unknown variant.
    """
    _refuse_range("the backorder limit", units)
    refuse_variants([variant_id])
    _decide("stock_set_backorder_limit(%s, %s, %s, %s)", variant_id, units, actor, _because(reason))


@transaction.atomic
def set_low_stock_threshold(variant_id: int, location_id: int, units: int | None) -> None:
    """Raise an alert when so many units or fewer are free at a location; None: no alert for this place.

    Raises UserError for a negative number, a bundle, or an unknown variant or location.
    """
    if units is not None:
        _refuse_range("the threshold", units)
    refuse_variants([variant_id])
    refuse_places([location_id])
    ledger.lock([variant_id])
    StockItem.objects.bulk_create([StockItem(variant_id=variant_id, location_id=location_id)], ignore_conflicts=True)
    StockItem.objects.filter(variant_id=variant_id, location_id=location_id).update(low_stock_threshold=units)
    touch([variant_id])


def touch(variant_ids: list[int]) -> None:
    """Mark the listings of these variants as due and their alerts as to be looked at."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT stock_touch(%s::bigint[])", [sorted(set(variant_ids))])


def _fence_delta(policy: ChannelInventory, allotment: int, sku: str, channel: str) -> int:
    """Return the units by which the fence changes: to the new allotment less what is still held out of it."""
    if allotment:
        refuse_variants([policy.variant_id])
    ledger.expire([policy.variant_id])
    policy.refresh_from_db()
    delta = max(0, allotment - _held_from_fence(policy)) - policy.fence_left
    pool = StockPool.objects.get(pk=policy.variant_id)
    free = pool.on_hand - pool.reserved - pool.allocated - pool.safety - pool.fenced
    if delta > max(0, free):
        raise UserError(
            f"cannot fence {allotment} units of {sku} for {channel}: that takes {delta} more, and {max(0, free)} are "
            "neither promised, nor safety stock, nor fenced for others"
        )
    return delta


def _held_from_fence(policy: ChannelInventory) -> int:
    """Return the units of open holds and promises that come from this fence, lent ones included."""
    held = ReservationLine.objects.filter(
        variant_id=policy.variant_id, state__in=["held", "confirmed"], quantity__gt=0
    ).aggregate(
        own=Sum("from_fence", filter=Q(sales_channel_id=policy.sales_channel_id)),
        lent=Sum(F("quantity"), filter=Q(lender_id=policy.sales_channel_id)),
    )
    return (held["own"] or 0) + (held["lent"] or 0)


def _decide(function: str, *arguments: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}", arguments)


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _names(variant_id: int, channel_id: int) -> tuple[str, str]:
    sku = Variant.objects.filter(pk=variant_id).values_list("sku", flat=True).first()
    if sku is None:
        raise UserError(f"there is no variant {variant_id}")
    channel = SalesChannel.objects.filter(pk=channel_id).values_list("name", flat=True).first()
    if channel is None:
        raise UserError(f"there is no sales channel {channel_id}")
    return sku, channel


def _refuse_unfit(fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        if name not in SWITCHES + UNITS + LIMITS:
            raise UserError(f"a policy has no {name}; it has {', '.join(SWITCHES + UNITS + LIMITS)}")
        if name in SWITCHES:
            if not isinstance(value, bool):
                raise UserError(f"{name} is on or off, not {value!r}")
        elif not (value is None and name in LIMITS):
            _refuse_range(name, value, 100 if name == "percent" else MOST_UNITS)


def _refuse_range(what: str, value: Any, most: int = MOST_UNITS) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise UserError(f"{what} must be a whole number from 0 to {most}, not {value!r}")
