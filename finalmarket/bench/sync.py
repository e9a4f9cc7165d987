"""`finalmarket bench sync`: how soon eight accounts show what changed here, and how well a budget of calls is used.

Eight accounts on the sandbox (on seven platforms that show stock and on the practice platform), one worker process,
real HTTP, published limits. A change is fresh on a platform when the stand-in itself holds the new number. The budget
is that of the practice platform, which allows 50 calls/s for stock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from finalmarket.bench.report import Figure, Pace, figure
from finalmarket.bench.workers import at_work
from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import SalesChannel
from finalmarket.connectors import registry
from finalmarket.connectors.contract import PushesStock
from finalmarket.integrations import adopt
from finalmarket.integrations.models import ChannelIntegration, PushRecord
from finalmarket.kernel import clock
from finalmarket.sandbox.faults import Fault, Faults
from finalmarket.sandbox.house import stand_ins
from finalmarket.sandbox.wire import Wire
from finalmarket.sandbox.world import World
from finalmarket.stock import ledger
from finalmarket.stock.models import StockLocation

ACCOUNTS = 8
SKUS = 12
CHANGES_A_RUN = 10
BURST = 1_000
BACKLOG = 6_000
PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.005
BETWEEN_CHANGES_SECONDS = 2.5
"""The slowest of these platforms (Facebook) answers one question every two seconds, and is asked after each telling."""
SETTLED_SECONDS = 120.0


@dataclass
class Stage:
    """The accounts with their stand-ins, the variants by SKU, and the shelf."""

    shops: list[tuple[ChannelIntegration, Any]]
    variants: dict[str, int]
    shelf: int
    wire: Wire
    world: World


def measure(database: str, pace: Pace, say: Callable[[str], None], *, work: Callable[[], None]) -> list[Figure]:
    """Run the bench in the scratch database `database`; `say` hears of its progress. Takes some minutes.

    `work` is a worker: it is called in a process of its own and carries out jobs until it is told to stop.
    """
    say(f"connecting {ACCOUNTS} accounts")
    stage = _lay_out(pace.seed)
    stage.wire.start()
    fresh: list[float] = []
    fresh_beside_dead: list[float] = []
    pushes: list[float] = []
    try:
        _connect_all(stage)
        with at_work(database, work):
            _wait_until_told(stage)
            for number in range(1, pace.runs + 1):
                say(f"run {number} of {pace.runs}")
                fresh.append(_p95(_freshness(stage, stage.shops)))
                pushes.append(_burst(stage))
                with _dead(stage.shops[-1][1]):
                    fresh_beside_dead.append(_p95(_freshness(stage, stage.shops[:-1])))
            say("a backlog on one account")
            used, refused = _backlog(stage)
    finally:
        stage.wire.close()
    return [
        figure("sync_freshness_p95_s", f"s, {ACCOUNTS} platforms", fresh),
        figure("sync_freshness_beside_dead_p95_s", "s, one of them dead", fresh_beside_dead,
               baseline_name="all alive", baselines=fresh),
        figure("pushes_of_1000_changes", "pushes, the most of any platform", pushes),
        figure("push_budget_used", "share of the calls that the platform allows", [used]),
        figure("push_429_share", "share of calls refused for their number", [refused]),
    ]  # fmt: skip


def _lay_out(seed: int) -> Stage:
    """Stand-ins of the platforms that show stock, by turns, each with the same SKUs."""
    world, wire = World(seed), Wire()
    showing = [kind for kind in stand_ins() if issubclass(registry.find(kind.slug), PushesStock)]
    shops: list[tuple[ChannelIntegration, Any]] = []
    skus = [f"BENCH-{number}" for number in range(SKUS)]
    for number in range(ACCOUNTS):
        kind: Any = showing[number % len(showing)]
        stand_in = kind(world, account=f"a{number}")
        for sku in skus:
            stand_in.add_listing(sku, f"Thing {sku}", Decimal("10.00"), 0)
        shops.append((_record(stand_in, wire.add(stand_in), number), stand_in))
    shelf = StockLocation.objects.create(code="bench", name="Bench warehouse").pk
    return Stage(shops, {sku: _variant(sku, shelf) for sku in skus}, shelf, wire, world)


def _record(stand_in: Any, address: str, number: int) -> ChannelIntegration:
    connector = registry.find(stand_in.slug)
    channel = SalesChannel.objects.create(name=f"{connector.name} {number}", channel_type="marketplace")
    return ChannelIntegration.objects.create(
        sales_channel=channel, platform_name=connector.name, integration_type=connector.kind, base_url=address,
        account_label=str(number),
    )  # fmt: skip


def _variant(sku: str, shelf: int) -> int:
    product = Product.objects.create(title=f"Thing {sku}", slug=sku.lower())
    variant = Variant.objects.create(product=product, sku=sku)
    VariantPrice.objects.create(variant=variant, currency="EUR", amount=Decimal("10.00"))
    ledger.receive([ledger.Receipt(variant.pk, shelf, 100)], actor="bench")
    return variant.pk


def _connect_all(stage: Stage) -> None:
    for integration, stand_in in stage.shops:
        integration.connect({**stand_in.credentials(), "base_url": integration.base_url}, actor="bench")
        adopt.look_through(integration)
        integration.start_pushing()


def _wait_until_told(stage: Stage) -> None:
    """Wait until every platform shows what it should for the first time."""
    end = time.monotonic() + SETTLED_SECONDS
    while any(_shown(stand_in) != dict.fromkeys(stage.variants, 100) for _, stand_in in stage.shops):
        if time.monotonic() > end:
            raise RuntimeError("the platforms were not told what they should show; does the worker run?")
        time.sleep(0.1)


def _shown(stand_in: Any) -> dict[str, int]:
    with stand_in.lock:
        return dict(stand_in.shown_stock())


def _freshness(stage: Stage, shops: list[tuple[ChannelIntegration, Any]]) -> list[float]:
    """Seconds from the commit of a change to the moment at which each platform holds the new number."""
    waits: list[float] = []
    for sku in list(stage.variants)[:CHANGES_A_RUN]:
        time.sleep(BETWEEN_CHANGES_SECONDS)
        wanted = min(_shown(stand_in)[sku] for _, stand_in in shops) - 1
        ledger.adjust(stage.variants[sku], stage.shelf, -1, reason="bench", actor="bench")
        waits += _until_shown([stand_in for _, stand_in in shops], sku, wanted)
    return waits


def _until_shown(waiting: list[Any], sku: str, wanted: int) -> list[float]:
    began, waits = time.monotonic(), []
    while waiting and time.monotonic() - began < PATIENCE_SECONDS:
        fresh = [stand_in for stand_in in waiting if _shown(stand_in)[sku] == wanted]
        waits += [time.monotonic() - began] * len(fresh)
        waiting = [stand_in for stand_in in waiting if stand_in not in fresh]
        time.sleep(LOOK_SECONDS)
    return waits + [PATIENCE_SECONDS] * len(waiting)


def _p95(waits: list[float]) -> float:
    return sorted(waits)[min(len(waits) - 1, int(len(waits) * 0.95))]


def _burst(stage: Stage) -> float:
    """A thousand changes of one SKU within a second or so: the most tellings that any platform got."""
    sku, variant = next(reversed(stage.variants.items()))
    before = clock.now()
    last = _shown(stage.shops[0][1])[sku]
    with connection.cursor() as cursor:
        for number in range(BURST):
            delta = 1 if number % 2 else -1
            cursor.execute(
                """SELECT stock_lock(ARRAY[%s::bigint]), stock_post(ARRAY['adjust'], ARRAY[%s::bigint],
                   ARRAY[%s::bigint], ARRAY[NULL::bigint], ARRAY[%s], ARRAY[0], ARRAY[0], ARRAY[0], ARRAY[0],
                   ARRAY[NULL::bigint], ARRAY[''], 'bench', ARRAY['bench'])""",
                [variant, variant, stage.shelf, delta],
            )
    ledger.adjust(variant, stage.shelf, -1, reason="bench", actor="bench")
    _until_shown([stand_in for _, stand_in in stage.shops], sku, last - 1)
    told = PushRecord.objects.filter(listing__variant_id=variant, what="stock", sent_at__gt=before)
    return float(max(told.filter(integration=integration).count() for integration, _ in stage.shops))


@contextmanager
def _dead(stand_in: Any) -> Iterator[None]:
    """Within it a platform answers nothing in time."""
    before = stand_in.faults
    stand_in.faults = Faults(seed=1, share=1.0, kinds=(Fault.TIME_OUT,))
    try:
        yield
    finally:
        stand_in.faults = before


def _backlog(stage: Stage) -> tuple[float, float]:
    """A few thousand numbers of one account are due at once: the share of its stock calls that is used until all are
    told, of what the platform allows from the first call to the last, and the share of calls that it refused."""
    integration, stand_in = next((one, shop) for one, shop in stage.shops if "stock" in shop.limits)
    per_second, at_once = stand_in.limits["stock"]
    ChannelIntegration.objects.filter(pk=integration.pk).update(push_from=None)
    skus = _many_variants(stage.shelf)
    with stand_in.lock:
        for sku in skus:
            stand_in.add_listing(sku, sku, Decimal("10.00"), 0)
    integration.refresh_from_db()
    adopt.look_through(integration)
    began = clock.now()
    ChannelIntegration.objects.filter(pk=integration.pk).update(push_from=began)
    end = time.monotonic() + SETTLED_SECONDS
    while _is_untold(stand_in, skus) and time.monotonic() < end:
        time.sleep(0.2)
    calls = [
        entry for entry in stage.world.journal.entries(platform=stand_in.slug, what="request", name="POST /v1/stock")
        if entry.at >= began and entry.facts["account"] == stand_in.account
    ]  # fmt: skip
    refused = sum(entry.facts["status"] == 429 for entry in calls)
    allowed = at_once + per_second * (calls[-1].at - calls[0].at).total_seconds()
    return (len(calls) - refused) / allowed, refused / len(calls)


def _is_untold(stand_in: Any, skus: list[str]) -> bool:
    shown = _shown(stand_in)
    return not all(shown[sku] for sku in skus)


def _many_variants(shelf: int) -> list[str]:
    product = Product.objects.create(title="Many things", slug="many-things")
    made = Variant.objects.bulk_create(Variant(product=product, sku=f"MANY-{number}") for number in range(BACKLOG))
    VariantPrice.objects.bulk_create(
        VariantPrice(variant=variant, currency="EUR", amount=Decimal("10.00")) for variant in made
    )
    ledger.receive([ledger.Receipt(variant.pk, shelf, 100) for variant in made], actor="bench")
    return [variant.sku for variant in made]
