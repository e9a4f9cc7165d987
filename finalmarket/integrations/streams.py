"""What can come in: for each stream the capability it needs, how it is asked for, and who takes its records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from finalmarket.connectors.contract import Connector, PullsCustomers, PullsOrders, PullsPayments
from finalmarket.connectors.records import CustomerRecord, OrderRecord, Page, PaymentRecord
from finalmarket.connectors.talk import ConversationRecord, InteractionRecord, PullsConversations, PullsInteractions
from finalmarket.integrations.accounts import open_connector
from finalmarket.integrations.customers_in import take_customers
from finalmarket.integrations.dead_letters import NotLookedAt, Replay
from finalmarket.integrations.models import ChannelIntegration, DeadLetter
from finalmarket.integrations.orders_in import take_orders
from finalmarket.integrations.payments_in import take_payments
from finalmarket.integrations.storing import FAILED, Stored, intake
from finalmarket.integrations.talk import interactions_in
from finalmarket.integrations.talk.conversations_in import take_conversations
from finalmarket.integrations.talk.interactions_in import take_interactions
from finalmarket.kernel.errors import UserError


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of records. `pull` and `pull_one` are the names of the connector's methods (`pull_one` is "" where
    nobody can be asked for a single record); it is asked anew when the last pull is `every` ago, as far as the
    account's budget of calls allows. `look_back` is how far before the moment of connecting the first pull begins
    (None: all that is there)."""

    name: str
    capability: type
    pull: str
    pull_one: str
    record: type
    take: Callable[[ChannelIntegration, Sequence[Any]], list[Stored]]
    every: timedelta
    look_back: timedelta | None

    def pages(self, connector: Connector, cursor: str, since: Any) -> Iterator[Page[Any]]:
        """The pages from the cursor on."""
        found: Iterator[Page[Any]] = getattr(connector, self.pull)(cursor, since)
        return found

    def one(self, connector: Connector, external_id: str) -> Any | None:
        """One record as it stands now; None when the platform has none of that id."""
        return getattr(connector, self.pull_one)(external_id)


STREAMS: Mapping[str, Stream] = {
    stream.name: stream
    for stream in (
        Stream("orders", PullsOrders, "pull_orders", "pull_order", OrderRecord, take_orders,
               timedelta(seconds=55), timedelta(days=30)),
        Stream("customers", PullsCustomers, "pull_customers", "pull_customer", CustomerRecord, take_customers,
               timedelta(minutes=10), None),
        Stream("payments", PullsPayments, "pull_payments", "pull_payment", PaymentRecord, take_payments,
               timedelta(minutes=10), timedelta(days=1)),
        Stream("conversations", PullsConversations, "pull_conversations", "pull_conversation", ConversationRecord,
               take_conversations, timedelta(minutes=2), timedelta(days=30)),
        Stream("interactions", PullsInteractions, "pull_interactions", "", InteractionRecord, take_interactions,
               timedelta(minutes=5), timedelta(days=1)),
    )
}  # fmt: skip


def streams_of(connector: type[Connector]) -> list[Stream]:
    """The streams that a connector declares, in the order in which they are pulled."""
    return [stream for stream in STREAMS.values() if issubclass(connector, stream.capability)]


def replays() -> Mapping[str, Replay]:
    """What can be tried again, by the stream of a dead letter."""
    from finalmarket.integrations import notices, push  # push pulls before it tells, and so knows this file
    from finalmarket.integrations.books import events, records
    from finalmarket.integrations.desk import looking

    again = dict.fromkeys(STREAMS, _ask_again) | {"interactions": interactions_in.replay}
    return {**again, **push.REPLAYS, **notices.REPLAYS, **looking.REPLAYS, **records.REPLAYS, **events.REPLAYS}


def _ask_again(integration: ChannelIntegration, letter: DeadLetter) -> None:
    """Take the record of a letter as the platform holds it now. Raises UserError when it fails again, or is gone."""
    stream = STREAMS[letter.stream]
    if integration.status in (ChannelIntegration.Status.NEW, ChannelIntegration.Status.DISCONNECTED):
        raise NotLookedAt("the account is not connected; connect it first, then try again")
    if not letter.external_id:
        raise UserError("the platform gave this record no name to ask for it again; settle it by hand")
    with closing(open_connector(integration)) as there:
        if not isinstance(there, stream.capability):
            raise UserError(f"{there.name} cannot be asked for {stream.name}")
        record = stream.one(there, letter.external_id)
    if record is None:
        raise NotLookedAt(f"the platform shows no {stream.name} record {letter.external_id!r} any more")
    with intake(integration, stream.name):
        stored = stream.take(integration, [record])
    failed = [one.reason for one in stored if one.outcome == FAILED]
    if failed:
        raise UserError(failed[0])
