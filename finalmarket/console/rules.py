"""Every rule of the house that can be set, with what it is now and where it is changed: for the page of rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from finalmarket.access import log_ins
from finalmarket.advice.models import NoticeWish, SupplyTerm
from finalmarket.analytics.models import ExchangeRate, Segment
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import IdentityLimit
from finalmarket.integrations.models import ChannelIntegration, MailText
from finalmarket.journeys.spans import spans
from finalmarket.orders.cart import DEFAULT_HOLD_MINUTES
from finalmarket.orders.models import TaxRate
from finalmarket.stock.atp import LOW_STOCK_THRESHOLD
from finalmarket.stock.models import ChannelInventory, ChannelSource, StockLocation, StockPool


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be set. `permission` is what changing it needs; where it is set outside the console, `outside`
    says how."""

    title: str
    now: str
    about: str
    address: str = ""
    permission: str = ""
    outside: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that belong together."""

    title: str
    rules: tuple[Rule, ...]


def groups() -> Iterator[Group]:
    """Return all rules, by what they are about."""
    yield Group(_("Stock and channels"), tuple(_stock()))
    yield Group(_("Allocation and routing"), tuple(_routing()))
    yield Group(_("Customers and segments"), tuple(_customers()))
    yield Group(_("Journeys"), tuple(_journeys()))
    yield Group(_("Platforms, mails and notices"), tuple(_platforms()))
    yield Group(_("Money"), tuple(_money()))
    yield Group(_("Log-in"), tuple(_log_in()))


def _records(model: str) -> str:
    return reverse(f"admin:{model}_changelist")


def _stock() -> Iterator[Rule]:
    policies = ChannelInventory.objects.aggregate(
        fenced=Count("pk", filter=Q(fence_left__gt=0)), capped=Count("pk", filter=Q(cap__isnull=False)),
        shared=Count("pk", filter=Q(percent__isnull=False)), buffered=Count("pk", filter=Q(buffer__gt=0)),
        own=Count("pk", filter=Q(low_stock_threshold__isnull=False)),
    )  # fmt: skip
    yield Rule(
        _("What each channel may sell"),
        _("{fenced} ring fences, {capped} caps, {shared} percentages, {buffered} buffers").format(**policies),
        _("By SKU and channel. Without one of its own, a channel sells out of the shared pool."),
        _records("stock_channelinventory"), "stock.change_channelinventory",
    )  # fmt: skip
    yield Rule(
        _("When stock is low"),
        _("{most} units or fewer").format(most=LOW_STOCK_THRESHOLD)
        + _counted(
            "; {count} SKU has a threshold of its own", "; {count} SKUs have a threshold of their own", policies["own"]
        ),
        _("An alert opens at the threshold and closes by itself."),
        _records("stock_channelinventory"), "stock.change_channelinventory",
    )  # fmt: skip
    safe = StockPool.objects.filter(safety__gt=0).count()
    back = StockPool.objects.filter(backorder_limit__gt=0).count()
    yield Rule(
        _("Safety stock and backorders"),
        _counted("{count} SKU keeps safety stock", "{count} SKUs keep safety stock", safe)
        + _(", {back} may be sold beyond what there is").format(back=back),
        _("Set on the page of a SKU."), reverse("console:stock"), "stock.add_stockmovement",
    )  # fmt: skip
    held = sum("hold_minutes" in (one or {}) for one in SalesChannel.objects.values_list("configuration", flat=True))
    yield Rule(
        _("How long a cart holds stock"),
        _("{minutes} minutes").format(minutes=DEFAULT_HOLD_MINUTES)
        + _counted("; {count} channel says otherwise", "; {count} channels say otherwise", held),
        _("The configuration of a channel, hold_minutes."), _records("channels_saleschannel"),
        "channels.change_saleschannel",
    )  # fmt: skip


def _routing() -> Iterator[Rule]:
    places = StockLocation.objects.filter(is_active=True)
    limited = places.exclude(orders_per_day=None).count()
    yield Rule(
        _("Which location ships"),
        _("one parcel from the nearest location that has it all, else as few parcels as can be, else by priority"),
        _("{count} locations; {limited} of them take only so many orders a day.").format(
            count=places.count(), limited=limited
        ),
        _records("stock_stocklocation"), "stock.change_stocklocation",
    )  # fmt: skip
    ranked = ChannelSource.objects.values("sales_channel").distinct().count()
    yield Rule(
        _("Which locations a channel sells from"),
        _counted("{count} channel has sources of its own", "{count} channels have sources of their own", ranked),
        _("Best first; without any, a channel sells from all locations that ship."),
        _records("stock_channelsource"), "stock.change_channelsource",
    )  # fmt: skip
    yield Rule(
        _("Lead times and reorder sizes"),
        _counted("{count} term of supply", "{count} terms of supply", SupplyTerm.objects.count()),
        _("What advice on stock reckons with."), _records("advice_supplyterm"), "advice.change_supplyterm",
    )  # fmt: skip


def _customers() -> Iterator[Rule]:
    own = Segment.objects.filter(rank=None).count()
    count = Segment.objects.count() - own
    yield Rule(
        _("Segments and their thresholds"),
        _("{count} that everybody is sorted into, {own} of your own").format(count=count, own=own),
        _("Rules on what people did and what they are worth; each says who is in it and why."),
        reverse("console:segments"), "analytics.change_segment",
    )  # fmt: skip
    yield Rule(
        _("What makes two profiles one person"),
        _counted(
            "{count} kind of identities has a limit of its own",
            "{count} kinds of identities have a limit of their own",
            IdentityLimit.objects.count(),
        ),
        _("A value that more people share than its limit, such as the number of a desk, connects nobody."),
        _records("customers_identitylimit"), "customers.change_identitylimit",
    )  # fmt: skip


def _journeys() -> Iterator[Rule]:
    known = spans()
    for intent, span in known.by_intent.items():
        yield Rule(
            _("A {intent} journey").format(intent=intent),
            _("over after {days} without a touch; a visit after a pause of {pause}").format(
                days=_in_words(span.time_out), pause=_in_words(span.pause)
            ),
            "", outside=f"FINALMARKET_JOURNEYS={intent}=7d,{intent}.pause=30m",
        )  # fmt: skip
    yield Rule(_("The longest journey"), _in_words(known.longest), "", outside="FINALMARKET_JOURNEYS=longest=90d")


def _platforms() -> Iterator[Rule]:
    yield Rule(
        _("What each account does"),
        _counted("{count} account", "{count} accounts", ChannelIntegration.objects.count()),
        _("Duties, places and what is told to a platform, on the page of each account."),
        reverse("console:integrations"), "integrations.change_channelintegration",
    )  # fmt: skip
    yield Rule(
        _("Words of mails"),
        _counted("{count} text of your own", "{count} texts of your own", MailText.objects.count()),
        _("What customers are written, by occasion."), _records("integrations_mailtext"),
        "integrations.change_mailtext",
    )  # fmt: skip
    yield Rule(
        _("Notices"), _counted("{count} wish", "{count} wishes", NoticeWish.objects.count()),
        _("Everybody says for themselves what they want to hear of, and by mail how often."),
        reverse("console:notices"), "stock.view_stockalert",
    )  # fmt: skip


def _money() -> Iterator[Rule]:
    yield Rule(
        _("Tax rates"), _counted("{count} rate", "{count} rates", TaxRate.objects.count()),
        _("By country and tax class, for our own doors; platforms say themselves what the tax was."),
        _records("orders_taxrate"), "orders.change_taxrate",
    )  # fmt: skip
    yield Rule(
        _("Exchange rates"), _counted("{count} rate", "{count} rates", ExchangeRate.objects.count()),
        _("Figures of all channels are told in the merchant's currency by the rate of the day."),
        _records("analytics_exchangerate"), "analytics.change_exchangerate",
    )  # fmt: skip


def _log_in() -> Iterator[Rule]:
    of_name = log_ins.OF_NAME_AND_ADDRESS
    yield Rule(
        _("Wrong passwords"),
        _("after {count} the name waits {minutes} minutes, for that address").format(
            count=of_name.failures, minutes=of_name.seconds // 60
        ),
        "",
    )


def _counted(one: str, many: str, count: int) -> str:
    return ngettext(one, many, count).format(count=count)


def _in_words(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes % 1440 == 0:
        return _("{days} days").format(days=minutes // 1440)
    return _("{hours} hours").format(hours=minutes // 60) if minutes % 60 == 0 else f"{minutes} minutes"
