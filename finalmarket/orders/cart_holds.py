"""What is held for carts while their customers make up their minds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from finalmarket.orders.models import Cart
from finalmarket.orders.one_cart import CHECKED_OUT
from finalmarket.orders.promises import serving_lines
from finalmarket.orders.standing import consists_of
from finalmarket.stock import ledger
from finalmarket.stock.models import Reservation


def holds_of(carts: Iterable[Cart]) -> list[Reservation]:
    """Return the holds that stand for these carts."""
    keys = [cart.reservation_key for cart in carts if cart.reservation_key not in ("", CHECKED_OUT)]
    return list(Reservation.objects.filter(key__in=keys, state=Reservation.State.HELD).order_by("pk")) if keys else []


def variants_of(holds: Iterable[Reservation]) -> list[int]:
    """Return the variants of which these holds hold units."""
    return [line.variant_id for one in holds for line in one.lines.all()]


def release(holds: Sequence[Reservation], also: Iterable[int], *, actor: str, reason: str) -> None:
    """Give back what is held; the pools of it, and of the variants that are taken next, are locked in one go, and with
    them what tells their listings."""
    if holds or also:
        ledger.lock_with_listings([*also, *variants_of(holds)])
    if holds:
        ledger.release([one.pk for one in holds], actor=actor, reason=reason)


def let_go_of_unwanted(holds: Iterable[Reservation], variant_ids: Sequence[int], *, actor: str) -> None:
    """Give back what is held beside goods of these variants, which are ordered now; the order takes over the rest. The
    caller holds the pools."""
    for hold in holds:
        parts = consists_of(variant_ids)
        serving = serving_lines(hold, [parts[variant_id] for variant_id in variant_ids])
        unwanted = [(hold.pk, one.position, None) for one in hold.lines.all() if one.line not in serving]
        ledger.close("release", unwanted, actor=actor, reason="the cart changed")


def next_key(cart: Cart) -> str:
    """Return the key of the next hold for this cart: each of its holds has its own."""
    prefix = f"cart:{cart.token}:"
    last = int(cart.reservation_key.removeprefix(prefix)) if cart.reservation_key.startswith(prefix) else 0
    return f"{prefix}{last + 1}"
