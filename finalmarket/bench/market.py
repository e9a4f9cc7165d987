"""The market that the stock bench trades on: eight listed channels with policies, and plenty of every SKU."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Model

from finalmarket.catalog.models import Product, Variant
from finalmarket.channels.models import ChannelProduct, SalesChannel
from finalmarket.stock import ledger
from finalmarket.stock.models import StockLocation

UNITS = 10_000_000

# One channel of each kind that shops know, and what each may sell: together they exercise every policy.
CHANNELS = (
    ("web", "true, 0, NULL, NULL, 0, false, false"),
    ("mobile", "true, 0, 9000000, NULL, 0, false, false"),
    ("marketplace", "true, 0, NULL, 90, 10, false, false"),
    ("social", "true, 0, NULL, NULL, 25, false, false"),
    ("store", "true, 1000, NULL, NULL, 0, true, false"),
    ("phone", "true, 0, NULL, NULL, 0, false, true"),
    ("chat", "true, 500, NULL, NULL, 0, true, true"),
    ("kiosk", "true, 0, 8000000, 80, 5, false, false"),
)


@dataclass(frozen=True, slots=True)
class Market:
    """The keys of what was laid out."""

    channels: tuple[int, ...]
    variants: tuple[int, ...]
    location: int


@transaction.atomic
def lay_out(skus: int) -> Market:
    """Fill an empty database with `skus` variants, UNITS of each, listed on all channels under their policies."""
    channels = tuple(
        SalesChannel.objects.create(name=f"Bench {kind}", slug=f"bench-{kind}", channel_type=kind, status="active").pk
        for kind, _ in CHANNELS
    )
    location = StockLocation.objects.create(code="bench", name="Bench warehouse").pk
    variants = _variants(skus)
    _list_all(channels, variants)
    for channel, (_, policy) in zip(channels, CHANNELS, strict=True):
        _allow(channel, policy)
    ledger.receive([ledger.Receipt(variant, location, UNITS) for variant in variants], actor="bench")
    _fill_fences(variants)
    return Market(channels, variants, location)


def _variants(skus: int) -> tuple[int, ...]:
    """One variant as the house makes it, and its copies."""
    product = Product.objects.create(title="Bench product", slug="bench-product")
    first = Variant.objects.create(product=product, sku="BENCH-1")
    columns = _columns(Variant, "sku")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO variants (sku, {columns}) SELECT 'BENCH-' || n, {columns}
                FROM variants CROSS JOIN generate_series(2, %s) n WHERE id = %s ORDER BY n""",  # noqa: S608
            [skus, first.pk],
        )
    return tuple(Variant.objects.order_by("id").values_list("id", flat=True))


def _list_all(channels: tuple[int, ...], variants: tuple[int, ...]) -> None:
    """One listing as the house makes it, and its copies on all channels."""
    first = ChannelProduct.objects.create(sales_channel_id=channels[0], variant_id=variants[0])
    columns = _columns(ChannelProduct, "sales_channel_id", "variant_id")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO channel_products (sales_channel_id, variant_id, {columns})
                SELECT channel, variant, {columns} FROM channel_products
                CROSS JOIN unnest(%s::bigint[]) variant CROSS JOIN unnest(%s::bigint[]) channel
                WHERE id = %s ORDER BY variant, channel ON CONFLICT DO NOTHING""",  # noqa: S608
            [list(variants), list(channels), first.pk],
        )


def _columns(model: type[Model], *but: str) -> str:
    """The columns of a model's table, but these and its key."""
    fields = model._meta.concrete_fields
    return ", ".join(field.column for field in fields if not field.primary_key and field.column not in but)


def _allow(channel: int, policy: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO channel_inventories (variant_id, sales_channel_id, uses_pool, fence_quantity, cap, percent,
                                                 buffer, lends, borrows)
                SELECT id, %s, {policy} FROM variants ORDER BY id""",  # noqa: S608  our own constants
            [channel],
        )


def _fill_fences(variants: tuple[int, ...]) -> None:
    """Put their allotments into the ring fences, by the ledger as ever."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT variant_id, sales_channel_id, fence_quantity FROM channel_inventories
               WHERE fence_quantity > 0 ORDER BY 1, 2"""
        )
        fences = cursor.fetchall()
    ledger.lock(variants)
    ledger.post(
        [
            ledger.Movement("fence", variant, None, fence=units, channel_id=channel, reason="allotment")
            for variant, channel, units in fences
        ],
        actor="bench",
    )


def tidy_up() -> None:
    """Give the planner its statistics and the tables their visibility, as a market that has run for a while has."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
