"""Wished goods that can be bought again: looked at every minute, so that it is known when they could not be.

A wish is mail enough to be agreed to: whoever put a variant on their wish list hears once that it is there again,
unless they said no to that very purpose. A channel that is paused or closed says nothing about its goods.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from django.db import connection, transaction

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.consents import BACK_IN_STOCK, agrees
from finalmarket.customers.persons import members
from finalmarket.integrations.models import DueNotice, WishedStock
from finalmarket.integrations.notice_words import Notice
from finalmarket.integrations.talk.mails import Letter, Mail, may_write, person_of, title_of
from finalmarket.integrations.talk.questions import QUERIES
from finalmarket.kernel import clock, failpoints
from finalmarket.orders.models import Wishlist
from finalmarket.stock.atp import level, levels

MOST_PAIRS = 20_000
PAIRS_AT_ONCE = 1_000
KEPT = timedelta(days=30)


class BackInStock(Mail):
    """Wishes that can come true."""

    duty = "back_in_stock"
    purpose = "back_in_stock"

    def letter(self, notice: Notice) -> Letter | None:
        wishes = Wishlist.objects.select_related("customer__merged_into", "variant__product", "sales_channel")
        wish = wishes.filter(pk=notice.row.local_id).first()
        person = person_of(wish.customer) if wish else None
        if wish is None or person is None or not person.email or not agrees(person.pk, BACK_IN_STOCK):
            return None
        if _is_told_for_another(notice, wish):
            return None
        channel = _where(wish)
        if channel is None:
            _forget(notice)
            return None
        values = {
            "title": title_of(wish.variant, wish.variant.sku), "sku": wish.variant.sku, "shop_url": _shop_url(channel)
        }  # fmt: skip
        return Letter(person.email, person, channel, values)


def _is_told_for_another(notice: Notice, wish: Wishlist) -> bool:
    """Whether the person hears of it already: they wished for the same on another device, before both were one."""
    others = Wishlist.objects.filter(variant=wish.variant_id, customer__in=members(wish.customer_id))
    ids = list(others.exclude(pk=wish.pk).values_list("pk", flat=True))
    earlier = DueNotice.objects.filter(
        kind=DueNotice.Kind.BACK_IN_STOCK, integration=notice.row.integration_id, pk__lt=notice.row.pk
    )
    untold = (DueNotice.State.REFUSED, DueNotice.State.WITHHELD)
    return bool(ids) and earlier.filter(local_id__in=ids).exclude(state__in=untold).exists()


def look(begun: datetime) -> int:
    """Look at what is wished for, what was looked at longest ago first; return how many pairs of variant and channel
    were. `begun` is since when it matters: what was seen before says nothing of today."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["wished"], {"most": MOST_PAIRS})
        pairs = [(int(variant), int(channel)) for variant, channel in cursor.fetchall()]
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        _look_at(pairs[start : start + PAIRS_AT_ONCE], begun)
    with failpoints.around("talk.forget_wishes"):
        WishedStock.objects.filter(looked_at__lt=clock.now() - KEPT).delete()
    return len(pairs)


def _look_at(pairs: list[tuple[int, int]], begun: datetime) -> None:
    by_channel: dict[int, list[int]] = defaultdict(list)
    for variant, channel in pairs:
        by_channel[channel].append(variant)
    seen = []
    for channel, variants in sorted(by_channel.items()):
        found = levels(variants, [channel])
        seen += [(variant, channel, one.offered <= 0) for (variant, _), one in sorted(found.items())]
    if not seen:
        return
    variants_seen, channels_seen, outs = (list(column) for column in zip(*seen, strict=True))
    with failpoints.around("talk.look"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            QUERIES["note_wished"],
            {"variants": variants_seen, "channels": channels_seen, "outs": outs, "begun": begun, "now": clock.now()},
        )


def _where(wish: Wishlist) -> SalesChannel | None:
    """A channel on which the wish can come true now; None where it was sold out again meanwhile."""
    seen = WishedStock.objects.filter(variant=wish.variant_id, out_since=None).exclude(back_at=None)
    if wish.sales_channel_id:
        seen = seen.filter(sales_channel=wish.sales_channel_id)
    for row in seen.select_related("sales_channel").order_by("sales_channel_id"):
        if may_write(row.sales_channel) and level(wish.variant_id, row.sales_channel_id).offered > 0:
            return row.sales_channel
    return None


def _forget(notice: Notice) -> None:
    """It was sold out again before anybody was written to: the wish waits for the next time."""
    with failpoints.around("talk.forget_notice"):
        DueNotice.objects.filter(pk=notice.row.pk).delete()


def _shop_url(channel: SalesChannel) -> str:
    domain = str(channel.configuration.get("domain", "")).strip().strip("/")
    return f"https://{domain}/" if domain and "://" not in domain else ""
