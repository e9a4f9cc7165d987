"""Prices that a platform took: whether it shows them. Some say yes and do nothing; what is not shown is told once more.

Each price is looked for once after it was told: a price that somebody sets over there later is not fought.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

from django.db import transaction
from django.db.models import F

from finalmarket.channels.due import mark_due
from finalmarket.channels.models import DueChange
from finalmarket.connectors.contract import PullsListings, PushesPrices
from finalmarket.connectors.errors import ConnectorError
from finalmarket.connectors.records import ListingRecord
from finalmarket.integrations import breaker, runs
from finalmarket.integrations.accounts import connector_class, open_connector
from finalmarket.integrations.lanes import lane
from finalmarket.integrations.models import ChannelIntegration, ListingLink, PushRecord, SyncRun
from finalmarket.integrations.push import reason_not_to_push
from finalmarket.integrations.told_again import SHOWN_AFTER
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.money import quantize

LANE = STREAM = "prices"
WHOLE = ("done", "partly")


def look(integration_id: int) -> SyncRun | None:
    """Look for the prices that were told since the last look, and have those told once more that are not shown. Returns
    the run; None when there is nothing to do: no price was told, the account may not be told, its platform does not
    show its listings, or somebody else looks."""
    integration = ChannelIntegration.objects.get(pk=integration_id)
    kind = connector_class(integration)
    if reason_not_to_push(integration) or not (issubclass(kind, PullsListings) and issubclass(kind, PushesPrices)):
        return None
    told = _told_since_the_last_look(integration)
    if not told:
        return None
    with lane(integration_id, LANE) as held:
        if held is None or not breaker.may_call(integration_id):
            return None
        run = runs.begin(integration, STREAM)
        outcome, words = "failed", "our own fault"
        try:
            with closing(open_connector(integration)) as connector:
                _look(connector, run, told)
            breaker.note_success(integration.pk)
            outcome, words = "done", ""
        except ConnectorError as error:
            breaker.note_failure(integration, error)
            words = str(error)
        finally:
            runs.end(run, outcome, words)
        return run


def _told_since_the_last_look(integration: ChannelIntegration) -> dict[str, ListingLink]:
    """The links of the listings of which a price was acknowledged, by the platform's key; none that wait again."""
    last = SyncRun.objects.filter(integration=integration, stream=STREAM, outcome__in=WHOLE).order_by("-id").first()
    told = PushRecord.objects.filter(
        integration=integration, what=DueChange.What.PRICE, outcome=PushRecord.Outcome.ACKNOWLEDGED,
        answered_at__lte=clock.now() - SHOWN_AFTER,
    )  # fmt: skip
    if last is not None:
        told = told.filter(answered_at__gt=last.started_at - SHOWN_AFTER)
    settled = DueChange.objects.filter(
        listing__in=told.values("listing"), what=DueChange.What.PRICE, version=F("settled_version"), last_error=""
    )
    links = ListingLink.objects.filter(integration=integration, listing__in=settled.values("listing"))
    return {link.external_key: link for link in links.exclude(told_price=None).select_related("listing__sales_channel")}


def _look(connector: Any, run: SyncRun, told: dict[str, ListingLink]) -> None:
    """Go through what is on sale there until all of them were seen; absence says nothing."""
    left, differing = dict(told), []
    for page in connector.pull_listings(""):
        for record in page.records:
            link = left.pop(record.ref.key, None)
            if link is not None:
                run.seen_count += 1
                differing += [link.listing_id] if _differs(record, link) else []
        if not left:
            break
    if differing:
        _mend(run, differing)


def _differs(record: ListingRecord, link: ListingLink) -> bool:
    currency = link.listing.sales_channel.currency
    if record.price is None or link.told_price is None or record.currency.upper() not in ("", currency):
        return False
    return quantize(record.price, currency) != quantize(link.told_price, currency)


@failpoints.around("prices.mend")
@transaction.atomic
def _mend(run: SyncRun, listings: list[int]) -> None:
    """Have them told once more, and count them: together or not at all."""
    mark_due("listings", sorted(listings), "price")
    run.changed_count += len(listings)
    run.save()
