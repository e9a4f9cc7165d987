"""What an account is for: which of our records it is told of. Its kind says it, unless a person said otherwise.

A duty asks for a capability of the connector; what the platform cannot do is nobody's duty.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction

from finalmarket.connectors.books import PushesMovements, PushesOrders
from finalmarket.connectors.contract import Connector, ErasesCustomers, PushesCustomers
from finalmarket.connectors.errors import NotSupported
from finalmarket.connectors.talk import AnswersConversations, OpensTickets, PullsFigures, SendsEvents, SendsMessages
from finalmarket.integrations.accounts import connector_class
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError

Kind = ChannelIntegration.IntegrationType


@dataclass(frozen=True, slots=True)
class Duty:
    """One thing that an account may be for: its name in `duties`, what a person reads, the capability that it needs,
    and the kinds of accounts that have it unless a person said otherwise."""

    name: str
    label: str
    help: str
    capability: type
    kinds: tuple[str, ...] = ()


DUTIES: Mapping[str, Duty] = {
    duty.name: duty
    for duty in (
        Duty("orders", "Keeps our orders", "Every order is written there, and again when it changes.",
             PushesOrders, (Kind.ERP, Kind.CRM, Kind.SHIPPING, Kind.EMAIL, Kind.CHAT)),
        Duty("customers", "Keeps our customers", "Every customer is written there, with consents and segment.",
             PushesCustomers, (Kind.ERP, Kind.CRM, Kind.CHAT)),
        Duty("audience", "Keeps those who agreed to mail", "Customers who agreed to the newsletter are written there.",
             PushesCustomers, (Kind.EMAIL,)),
        Duty("movements", "Keeps stock movements", "What moves at mapped locations is posted there.",
             PushesMovements, (Kind.ERP,)),
        Duty("events", "Hears events", "What customers who agreed to it do, and what they buy, is sent there.",
             SendsEvents, (Kind.ANALYTICS,)),
        Duty("figures", "Counts visits", "Its daily figures are fetched and held against ours.",
             PullsFigures, (Kind.ANALYTICS,)),
        Duty("confirmations", "Mails: order confirmed", "Sent once for every order with an address.", SendsMessages),
        Duty("dispatches", "Mails: parcel left", "Sent once for every parcel, with its tracking.", SendsMessages),
        Duty("back_in_stock", "Mails: back in stock", "Sent once to whoever wished for what is there again.",
             SendsMessages),
        Duty("erasures", "Erases whom we erase", "Whoever is erased here is erased there, too.", ErasesCustomers,
             tuple(Kind)),
        Duty("answers", "Answers in conversations", "Customers and agents are answered about stock and orders.",
             AnswersConversations),
        Duty("tickets", "Opens tickets", "A ticket can be opened from an order.", OpensTickets, (Kind.CHAT, Kind.CRM)),
    )
}  # fmt: skip


def does(integration: ChannelIntegration, name: str) -> bool:
    """Whether an account has that duty. KeyError for a duty that there is none of."""
    duty = DUTIES[name]
    if not issubclass(_connector(integration), duty.capability):
        return False
    said = integration.duties.get(name)
    return integration.integration_type in duty.kinds if said is None else bool(said)


def since(integration: ChannelIntegration, name: str) -> datetime | None:
    """From which moment on what happens is of that duty: since it was switched on, and since the account is told
    anything at all; None while it is told nothing."""
    said = integration.duties.get(name)
    begun = datetime.fromisoformat(said) if isinstance(said, str) else None
    return integration.push_from and max(integration.push_from, begun or integration.push_from)


@failpoints.around("duties.switch")
@transaction.atomic
def switch(integration: ChannelIntegration, wanted: Collection[str], *, actor: str) -> list[str]:
    """Give the account these duties and no others; return the names of those that changed. One that is switched on now
    is about what happens from now on. Raises UserError for a duty that the platform is not able to do."""
    row = ChannelIntegration.objects.select_for_update().get(pk=integration.pk)
    names = [duty.name for duty in possible(row)]
    unable = sorted(set(wanted) - set(names))
    if unable:
        raise UserError(f"{row} is not able to do that: {', '.join(unable)}")
    changed = [name for name in names if (name in wanted) is not does(row, name)]
    for name in changed:
        row.duties[name] = clock.now().isoformat() if name in wanted else False
    if changed:
        row.save(update_fields=["duties", "updated_at"])
        on = [name for name in changed if name in wanted]
        structlog.get_logger(__name__).info(
            "duties changed", integration=row.pk, on=on, off=sorted(set(changed) - set(on)), actor=actor
        )
    integration.duties = row.duties
    return changed


def possible(integration: ChannelIntegration) -> list[Duty]:
    """The duties that the account's platform is able to do."""
    connector = _connector(integration)
    return [duty for duty in DUTIES.values() if issubclass(connector, duty.capability)]


def _connector(integration: ChannelIntegration) -> type:
    try:
        return connector_class(integration)
    except NotSupported:
        return object  # its health says so


def declared_by(connector: type[Connector]) -> list[str]:
    """The names of the duties that a platform is able to do."""
    return [duty.name for duty in DUTIES.values() if issubclass(connector, duty.capability)]
