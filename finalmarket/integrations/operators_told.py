"""What this room tells operators: accounts that are broken. Advice stands below, so it is told here."""

from __future__ import annotations

from collections.abc import Iterator

from finalmarket.advice.notices import NORMAL, URGENT, Found, source
from finalmarket.integrations.health import BEHIND, FAILING, NEEDS_ATTENTION, health_of_all
from finalmarket.integrations.models import ChannelIntegration

TOLD = {FAILING: URGENT, NEEDS_ATTENTION: URGENT, BEHIND: NORMAL}


@source("integration", title="Broken integrations", permission="integrations.view_channelintegration")
def broken_integrations() -> Iterator[Found]:
    """Accounts that fail or need a person (urgent), or are behind. What was paused on purpose is not told."""
    accounts = list(ChannelIntegration.objects.all())
    health = health_of_all(accounts)
    for account in accounts:
        how = health[account.pk]
        if how.word in TOLD:
            title, text = f"{account} is {how.word}", f"{how.reason[:1].upper()}{how.reason[1:]}."
            yield Found(str(account.pk), title, text, TOLD[how.word], f"integration:{account.pk}")
