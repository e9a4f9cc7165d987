"""Short words for the tests of stock: goods, places and channels to try things with."""

from __future__ import annotations

from itertools import count
from typing import Any

from finalmarket.catalog.models import BundleComponent, Product, Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.stock import ledger
from finalmarket.stock.check import differences
from finalmarket.stock.models import ReservationLine, StockAlert, StockItem, StockLocation, StockPool
from finalmarket.stock.reserve import Mode, Request, Verdict, reserve

_numbers = count(1)
OVER = -1
"""Seconds of a hold that has ended when it is taken: no test waits for an end."""


def new_variant(sku: str = "") -> Variant:
    """A variant of a product of its own."""
    sku = sku or f"SKU-{next(_numbers)}"
    product = Product.objects.create(title=sku, slug=sku.lower())
    return Variant.objects.create(product=product, sku=sku)


def new_bundle(components: dict[Variant, int], sku: str = "") -> Variant:
    """A variant that consists of others."""
    bundle = new_variant(sku or f"SET-{next(_numbers)}")
    for component, quantity in components.items():
        BundleComponent.objects.create(bundle=bundle, component=component, quantity=quantity)
    return bundle


def new_channel(name: str = "", **fields: Any) -> SalesChannel:
    """An active channel."""
    return SalesChannel.objects.create(name=name or f"Shop {next(_numbers)}", channel_type="web", **fields)


def new_place(code: str = "", **fields: Any) -> StockLocation:
    """An active location."""
    code = code or f"place-{next(_numbers)}"
    return StockLocation.objects.create(code=code, name=code.title(), **fields)


def put(variant: Variant, place: StockLocation, units: int) -> None:
    """Receive units."""
    ledger.receive([ledger.Receipt(variant.pk, place.pk, units)], actor="test")


def ask(
    channel: SalesChannel, *lines: tuple[Variant, int], mode: Mode = Mode.HOLD, seconds: int = 900, key: str = "",
    place: StockLocation | None = None,
) -> Verdict:  # fmt: skip
    """Ask for one reservation and return its verdict."""
    request = Request(
        key or f"key-{next(_numbers)}",
        channel.pk,
        tuple((variant.pk, units) for variant, units in lines),
        mode,
        seconds,
        None if place is None else place.pk,
    )
    return reserve([request], actor="test")[0]


def hold(channel: SalesChannel, variant: Variant, units: int, **more: Any) -> int:
    """Take a hold that must be granted; return the reservation's id."""
    verdict = ask(channel, (variant, units), **more)
    assert verdict.outcome == "granted", verdict
    assert verdict.reservation_id is not None
    return verdict.reservation_id


def promise(channel: SalesChannel, variant: Variant, units: int, **more: Any) -> int:
    """Take a hard promise that must be granted; return the reservation's id."""
    return hold(channel, variant, units, mode=Mode.ALLOCATE, **more)


def sell(channel: SalesChannel, variant: Variant, units: int, **more: Any) -> int:
    """Book a sale that already happened; return the reservation's id."""
    return hold(channel, variant, units, mode=Mode.SALE, **more)


def lines_of(reservation_id: int) -> list[ReservationLine]:
    """The lines of a reservation in their order."""
    return list(ReservationLine.objects.filter(reservation_id=reservation_id).order_by("position"))


def pool(variant: Variant) -> StockPool:
    """The pool as it stands."""
    return StockPool.objects.get(variant=variant)


def shelf(variant: Variant, place: StockLocation) -> StockItem:
    """The item as it stands."""
    return StockItem.objects.get(variant=variant, location=place)


def open_alert(variant: Variant) -> StockAlert | None:
    """The only open alert of the variant, if there is one."""
    return StockAlert.objects.filter(variant=variant, closed_at=None).first()


def assert_books_agree() -> None:
    """Balances, ledger and holds say the same."""
    assert differences() == []
