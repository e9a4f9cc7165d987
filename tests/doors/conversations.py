"""A chat platform of the sandbox with an account of ours, and a conversation in which a customer and agents speak."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.core import mail

from finalmarket.channels.models import SalesChannel
from finalmarket.customers import sign_in
from finalmarket.customers.models import SignInCode
from finalmarket.integrations.accounts import open_connector
from finalmarket.integrations.chat import answering
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.integrations.storing import intake
from finalmarket.integrations.talk.conversations_in import take_conversations
from finalmarket.kernel import clock
from finalmarket.orders import fulfilment
from finalmarket.orders.drafts import Address
from finalmarket.orders.intake import take
from finalmarket.sandbox.platforms.intercom import Intercom
from finalmarket.sandbox.platforms.zendesk import Zendesk
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.orders.market import Market, draft, line, open_market

PLATFORMS = (Intercom, Zendesk)
ANN = "ann@example.com"
HOME = Address(name="Ann Lee", street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE")


@dataclass
class Desk:
    """A chat platform with an account of ours, and a conversation with Ann, or with whose address it shows."""

    market: Market
    channel: SalesChannel
    there: Any
    account: ChannelIntegration
    talk: str = ""
    email: str = ANN

    def customer(self, text: str) -> list[str]:
        """Ann says something; what she sees of us since."""
        before = len(self.seen())
        if self.talk:
            self.there.go_on(self.talk, text)
        else:
            self.talk = self.there.begin_talk(text, self.email)
        self.work()
        return [one for author, one in self.seen()[before:] if author == "agent"]

    def agent(self, text: str) -> list[str]:
        """An agent says something; the notes that agents see since."""
        before = len(self.seen())
        self.there.answer_back(self.talk, text)
        self.work()
        return [one for author, one in self.seen()[before:] if author == "note"]

    def work(self) -> None:
        """What the worker does when it hears of the conversation; twice, as news comes more often than once."""
        for _ in range(2):
            self.hear()
            answering.answer(self.account.pk)

    def hear(self, *others: str) -> list[str]:
        """The conversation comes in, in one page with others; what becomes of each."""
        with closing(open_connector(self.account)) as there:
            records = [there.pull_conversation(one) for one in (self.talk, *others)]  # type: ignore[attr-defined]
        with intake(self.account, "conversations"):
            return [one.outcome for one in take_conversations(self.account, records)]

    def ask(self, *texts: str) -> None:
        """Ann says these; we have heard it, and no worker has answered yet."""
        for text in texts:
            if self.talk:
                self.there.go_on(self.talk, text)
            else:
                self.talk = self.there.begin_talk(text, self.email)
        self.hear()

    def answers(self) -> list[str]:
        """What Ann sees of us."""
        return [text for author, text in self.seen() if author == "agent"]

    def seen(self) -> list[tuple[str, str]]:
        """Who said what in the conversation."""
        if not self.talk:
            return []
        with closing(open_connector(self.account)) as there:
            record = there.pull_conversation(self.talk)  # type: ignore[attr-defined]
        return [(one.author, one.text) for one in record.messages]

    def prove(self) -> str:
        """Ann enters the code that was mailed to her."""
        for row in SignInCode.objects.exclude(encrypted=None):
            sign_in.mail_code(row.pk)  # as the worker does
        digits = re.search(r"[0-9]{6}", str(mail.outbox[-1].subject))
        assert digits is not None
        (said,) = self.customer(digits[0])
        return said


@contextmanager
def open_desk(platform: type[Intercom] | type[Zendesk]) -> Iterator[Desk]:
    """Forty coats; Ann has ordered one on the web, and it is under way."""
    market = open_market()
    channel = SalesChannel.objects.create(name="Chat", channel_type="chat", country="DE")
    market.goods("COAT-M", price="119.00", warehouse=40)
    channel.add_product(market.product)
    market.web.add_product(market.product)
    bought = draft(market.web, "w1", line("COAT-M", 1, "119.00", title="Coat"), email=ANN, shipping_address=HOME)
    order = take(replace(bought, placed_at=clock.now() - timedelta(days=3), happened=False)).order
    for parcel in order.fulfilments.all():
        fulfilment.ship(parcel.pk, carrier="DHL", tracking_number="42", actor="t")
    there = platform(World())
    with served(there) as (address,):
        account = ChannelIntegration.objects.create(
            platform_name=there.slug, integration_type="chat", sales_channel=channel, status="active",
        )  # fmt: skip
        account.connect({**there.credentials(), "base_url": address})
        ChannelIntegration.objects.filter(pk=account.pk).update(
            duties={"answers": True}, push_from=clock.now() - timedelta(hours=1)
        )
        account.refresh_from_db()
        yield Desk(market, channel, there, account)
