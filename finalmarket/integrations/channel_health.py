"""What the accounts of a channel say of its health: told to the analytics room, which stands below."""

from __future__ import annotations

from collections.abc import Sequence

from finalmarket.analytics import health as channels_health
from finalmarket.analytics.health import Finding
from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.health import BEHIND, FAILING, NEEDS_ATTENTION, health_of_all
from finalmarket.integrations.models import ChannelIntegration, PlaceMapping

WORDS = {FAILING: channels_health.FAILING, NEEDS_ATTENTION: channels_health.FAILING, BEHIND: channels_health.BEHIND}


def of_accounts(channels: Sequence[SalesChannel]) -> dict[int, list[Finding]]:
    """Return what is wrong with the accounts that feed these channels, by channel. Eight queries."""
    wanted = {channel.pk for channel in channels}
    feeds = set(PlaceMapping.objects.filter(sales_channel__in=wanted).values_list("integration_id", "sales_channel_id"))
    accounts = {
        one.pk: one
        for one in ChannelIntegration.objects.exclude(status__in=("new", "disconnected")).filter(
            pk__in={account for account, _ in feeds}
        )
        | ChannelIntegration.objects.exclude(status__in=("new", "disconnected")).filter(sales_channel__in=wanted)
    }
    feeds |= {(one.pk, one.sales_channel_id) for one in accounts.values() if one.sales_channel_id in wanted}
    judged = health_of_all(list(accounts.values()))
    found: dict[int, list[Finding]] = {}
    for account, channel in sorted(feeds, key=lambda pair: (pair[1] or 0, pair[0])):
        health = judged.get(account)
        if health is not None and health.word in WORDS and channel is not None:
            reason = f"{accounts[account].platform_name}: {health.reason}"
            found.setdefault(channel, []).append(Finding(WORDS[health.word], reason))
    return found
