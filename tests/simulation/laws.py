"""What holds after every move, every day, and at the end of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from django.db import connection
from django.db.models import F

from finalmarket.channels.models import ChannelProduct, DueChange
from finalmarket.integrations.models import DueNotice, WebhookDelivery
from finalmarket.orders.models import Order
from finalmarket.stock import atp, check
from finalmarket.stock.models import Reservation
from tests.simulation.play import Play

# No pool promises more than is there, and none differs from its ledger or from the open holds and promises.
POOLS = """
    SELECT variant_id FROM stock_pool pool
    LEFT JOIN (SELECT variant_id, sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved,
                      sum(allocated_delta) AS allocated FROM stock_movement GROUP BY 1) ledger USING (variant_id)
    LEFT JOIN (SELECT variant_id, sum(quantity) FILTER (WHERE state = 'held') AS held,
                      sum(quantity) FILTER (WHERE state = 'confirmed') AS promised
               FROM reservation_line WHERE NOT is_backorder GROUP BY 1) line USING (variant_id)
    WHERE pool.reserved + pool.allocated > pool.on_hand OR pool.reserved < 0 OR pool.allocated < 0
       OR (pool.on_hand, pool.reserved, pool.allocated)
          IS DISTINCT FROM (coalesce(ledger.on_hand, 0), coalesce(ledger.reserved, 0), coalesce(ledger.allocated, 0))
       OR (pool.reserved, pool.allocated) IS DISTINCT FROM (coalesce(line.held, 0), coalesce(line.promised, 0))
    ORDER BY 1"""

# Units that were received on somebody's word, by variant.
RECEIVED = """
    SELECT variant_id, sum(on_hand_delta)::int FROM stock_movement
    WHERE kind = 'receive' AND actor = 'simulation' GROUP BY 1 ORDER BY 1"""

HELD = """
    SELECT hold.id, hold.state, coalesce(sum(line.quantity + line.short), 0)::int
    FROM reservation hold LEFT JOIN reservation_line line ON line.reservation_id = hold.id
    WHERE hold.id = ANY (%s) GROUP BY 1, 2 ORDER BY 1"""


def after_a_move() -> Iterator[str]:
    """Nothing is oversold, and balances are what the ledger says."""
    with connection.cursor() as cursor:
        cursor.execute(POOLS)
        for (variant,) in cursor.fetchall():
            yield f"variant {variant} promises more than is there, or differs from its ledger"


def after_some_days(play: Play) -> Iterator[str]:
    """Ledger, balances and promises agree to the last number, and whoever was granted a hold has it."""
    yield from (str(one) for one in check.differences())
    now = play.machine.now()
    due = {hold.number: hold for hold in play.told.holds if hold.until > now}
    with connection.cursor() as cursor:
        cursor.execute(HELD, [list(due)])
        found = {number: (state, units) for number, state, units in cursor.fetchall()}
    for number, hold in due.items():
        state, units = found.get(number, ("gone", 0))
        if state != Reservation.State.HELD or units != hold.units:
            yield f"hold {number} of {hold.units} until {hold.until} is {state} with {units}"


def at_the_end(play: Play) -> Iterator[str]:
    """What was acknowledged is in the books once; every platform shows the last value."""
    yield from after_a_move()
    yield from after_some_days(play)
    yield from _received(play)
    yield from _orders(play)
    yield from _shown(play)
    waiting = WebhookDelivery.objects.filter(handled_at=None).count()
    if waiting or WebhookDelivery.objects.count() > play.told.letters:
        yield f"{waiting} letters that were taken in are not worked on"


def _received(play: Play) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(RECEIVED)
        booked = dict(cursor.fetchall())
    for variant, at_first in play.town.opening.items():
        told = at_first + play.told.received.get(variant, 0)
        if booked.get(variant, 0) != told:
            yield f"{told} units of variant {variant} arrived, and {booked.get(variant, 0)} are booked"


def _orders(play: Play) -> Iterator[str]:
    ours = Counter(Order.objects.filter(source="channel").values_list("external_id", flat=True))
    yield from _exactly(Counter(play.told.orders), ours, "our own door")
    for account in play.town.accounts:
        taken = Order.objects.filter(source=f"integration:{account.number}")
        sold = Counter(dict.fromkeys(play.there[account.name].sold(), 1))
        yield from _exactly(sold, Counter(taken.values_list("external_id", flat=True)), account.name)
        called_off = {number for name, number in play.told.cancelled if name == account.name}
        for order in taken.filter(external_id__in=called_off).exclude(state="cancelled").filter(problem=""):
            yield f"order {order.external_id} was called off on {account.name}, and here it is {order.state}"


def _exactly(told: Counter[str], taken: Counter[str], where: str) -> Iterator[str]:
    for number in sorted(told.keys() | taken.keys()):
        if told[number] != taken[number]:
            yield f"order {number} of {where} was acknowledged {told[number]} times, and booked {taken[number]} times"


def _shown(play: Play) -> Iterator[str]:
    for account in play.town.accounts:
        there = play.there[account.name]
        levels = atp.levels(list(account.listings), [account.channel])
        shown = there.shown_stock()
        for variant in account.listings:
            sku, should = play.town.goods[variant], levels[variant, account.channel].offered
            seen = shown[there.state["listings"][account.keys[account.listings[variant]]]["sku"]]
            if seen != should:
                yield f"{account.name} shows {seen} of {sku}, it should show {should}"
        for listing in ChannelProduct.objects.filter(pk__in=account.keys):
            seen = there.state["listings"][account.keys[listing.pk]]["price"]
            if listing.price() != Decimal(seen):
                yield f"{account.name} sells {listing} for {seen}, it should be {listing.price()}"


def waits(play: Play) -> Iterator[tuple[str, str]]:
    """What is on its way, as (account, job)."""
    numbers = {account.number: account.name for account in play.town.accounts}
    rows = DueChange.objects.filter(version__gt=F("settled_version"), integration_id__isnull=False)
    for number in sorted({number or 0 for number in rows.values_list("integration_id", flat=True)}):
        yield numbers[number], "integrations.push"
    notices = DueNotice.objects.filter(state__in=["due", "doubtful"])
    for number in sorted(set(notices.values_list("integration_id", flat=True))):
        yield numbers[number], "integrations.notices"
    letters = WebhookDelivery.objects.filter(handled_at=None)
    for number in sorted(set(letters.values_list("integration_id", flat=True))):
        yield numbers[number], "integrations.inbox"
