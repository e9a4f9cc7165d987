"""Asking a platform because a person wants something of it now: it is done or refused at once, in that person's words.

Such a verb writes down what it is about to ask, and commits that, before it asks. So it stands outside of any
transaction, or a worker that is killed would leave no trace of what may have been bought.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from django.db import connection

from finalmarket.connectors.errors import ConnectorError, NotSupported, Rejected, Unintelligible
from finalmarket.connectors.matrix import WORDS
from finalmarket.integrations import breaker
from finalmarket.integrations.accounts import connector_class, open_connector
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.kernel.errors import UserError

Status = ChannelIntegration.Status


def stand_alone(verb: str) -> None:
    """Raise RuntimeError within a transaction: `verb` commits on its own, before and after it asks the platform."""
    if connection.in_atomic_block:
        raise RuntimeError(f"{verb} asks a platform and commits before it does: call it outside of a transaction")


def accounts_that(*capabilities: type) -> list[list[ChannelIntegration]]:
    """For each capability the active accounts whose platform has it; one query for all of them."""
    active = list(ChannelIntegration.objects.filter(status=Status.ACTIVE))
    return [[one for one in active if _can(one, capability)] for capability in capabilities]


def _can(integration: ChannelIntegration, capability: type) -> bool:
    try:
        return issubclass(connector_class(integration), capability)
    except NotSupported:
        return False  # its health says so


@contextmanager
def opened_for(integration: ChannelIntegration, capability: type) -> Iterator[Any]:
    """A connector of the account that has this capability, closed at the end.

    Raises UserError where the account is not active, its platform cannot do that, or is left alone for a while because
    it failed again and again.
    """
    status = ChannelIntegration.objects.values_list("status", flat=True).get(pk=integration.pk)
    if status != Status.ACTIVE:
        raise UserError(f"{integration} is {Status(status).label.lower()}: nothing can be asked of it now")
    if not _can(integration, capability):
        what = WORDS.get(capability.__name__, capability.__name__)
        raise UserError(f"{integration} does not have this: {what}")
    if not breaker.may_call(integration.pk):
        raise UserError(f"{integration} has failed again and again and is left alone for a while; try it in a minute")
    with closing(open_connector(integration)) as there:
        yield there


def said_no(integration: ChannelIntegration, error: Exception) -> UserError:
    """What a person is told of a call that failed. Failures of the platform are counted for its breaker; what it
    refused of this very thing is none."""
    if not isinstance(error, ConnectorError):
        error = Unintelligible(f"its answer cannot be read: {type(error).__name__}")
    if not is_refusal(error):
        breaker.note_failure(integration, error)
    return UserError(f"{integration}: {error}")


def is_refusal(error: Exception) -> bool:
    """Whether the platform answered, and does not take this very thing."""
    return isinstance(error, Rejected | NotSupported)


def tender_of(integration: ChannelIntegration) -> str:
    """What a payment that was made on the platform's own page is noted by: the platform's short name."""
    return connector_class(integration).slug[:30]
