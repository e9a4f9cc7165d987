"""The wake-up calls of items, counts and figures."""

from __future__ import annotations

import structlog
from django.db.models import QuerySet

from finalmarket.connectors.contract import PullsListings, PullsStock
from finalmarket.connectors.errors import NotSupported
from finalmarket.integrations import breaker
from finalmarket.integrations.accounts import connector_class
from finalmarket.integrations.duties import does
from finalmarket.integrations.master import counting, figures, items
from finalmarket.integrations.models import ChannelIntegration, PlaceMapping
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.jobs import enqueue, job


@job("integrations.count_due", cron="*/5 * * * *")
def count_due() -> None:
    """Every five minutes: put off a count of each account that is the master of a location."""
    masters = PlaceMapping.objects.filter(is_master=True, integration__status=ChannelIntegration.Status.ACTIVE)
    for integration_id in masters.order_by().values_list("integration_id", flat=True).distinct():
        count_later(integration_id)


def count_later(integration_id: int) -> None:
    """Put off a count, unless one waits already."""
    enqueue("integrations.counts", queueing_lock=f"integrations.counts:{integration_id}", integration=integration_id)


@job("integrations.counts")
def count(integration: int) -> None:
    """Take over what one account counts."""
    try:
        counting.count(integration)
    except Exception as error:
        breaker.note_fault(integration, error)
        raise


@job("integrations.items_due", cron="17 2 * * *")
def items_due() -> None:
    """Every night: look through the items of each account that sells nothing itself; new ones are linked or listed."""
    for integration in _active().filter(sales_channel=None):
        if _can(integration, PullsListings) and _can(integration, PullsStock):
            enqueue("integrations.items", queueing_lock=f"integrations.items:{integration.pk}",
                    integration=integration.pk)  # fmt: skip


@job("integrations.items")
def look_through_items(integration: int) -> None:
    """Look through the items of one account."""
    try:
        items.look_through(ChannelIntegration.objects.get(pk=integration))
    except UserError as error:
        structlog.get_logger(__name__).warning("items not looked through", integration=integration, reason=str(error))


@job("integrations.figures_due", cron="11 * * * *")
def figures_due() -> None:
    """Every hour: put off fetching the figures of each account that counts visits."""
    for integration in _active():
        if does(integration, "figures"):
            enqueue("integrations.figures", queueing_lock=f"integrations.figures:{integration.pk}",
                    integration=integration.pk)  # fmt: skip


@job("integrations.figures")
def fetch_figures(integration: int) -> None:
    """Fetch the figures of one account."""
    try:
        figures.fetch(integration)
    except Exception as error:
        breaker.note_fault(integration, error)
        raise


def _active() -> QuerySet[ChannelIntegration]:
    return ChannelIntegration.objects.filter(status=ChannelIntegration.Status.ACTIVE)


def _can(integration: ChannelIntegration, capability: type) -> bool:
    try:
        return issubclass(connector_class(integration), capability)
    except NotSupported:
        return False  # its health says so
