"""Short words for the tests of mail and talk: an account on the practice office beside a shop of our own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.integrations import duties, notices, pull
from finalmarket.integrations.accounts import keep_secrets
from finalmarket.integrations.models import ChannelIntegration, DueNotice, SyncRun
from finalmarket.kernel import clock
from finalmarket.orders import fulfilment
from finalmarket.orders.intake import take
from finalmarket.orders.models import Fulfilment, Order
from finalmarket.sandbox.platforms.practice_office import TOKEN, PracticeOffice
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.orders.market import Market, draft, line, open_market

ANN = "ann@example.com"


@dataclass
class Bureau:
    """A market of ours, and an account on the practice office that writes and talks for it."""

    market: Market
    office: PracticeOffice
    integration: ChannelIntegration
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1000)))

    def give(self, *names: str) -> None:
        """The account has these duties from now on."""
        duties.switch(self.integration, names, actor="olga")

    def buy(self, email: str = ANN, *, units: int = 1, **given: Any) -> Order:
        """Somebody buys cups in our web shop, now."""
        number, when = next(self.numbers), given.pop("at", clock.now())
        channel = given.pop("channel", self.market.web)
        bought = draft(channel, f"web-{number}", line("CUP", units, title="Cup, white"), email=email, **given)
        object.__setattr__(bought, "placed_at", when)
        return take(bought, actor="test").order

    def ship(self, order: Order, **words: Any) -> Fulfilment:
        """All of it leaves in one parcel."""
        (parcel,) = order.fulfilments.filter(state="pending")
        words = {"carrier": "DHL", "tracking_number": "JJD0001", **words}
        return fulfilment.ship(parcel.pk, actor="ann", **words)

    def tell(self, minutes: int = 0) -> None:
        """Let a worker find and tell, so many minutes from now."""
        with clock.steered(clock.now() + timedelta(minutes=minutes)):
            notices.find(timedelta(hours=5))
            notices.tell(self.integration.pk)

    def pull(self, stream: str) -> SyncRun:
        """Let a worker pull a stream."""
        run = pull.pull(self.integration.pk, stream)
        assert run is not None
        assert run.outcome in ("done", "partly"), run.error
        return run

    def mails(self, to: str = ANN) -> list[dict[str, Any]]:
        """What arrived at an address."""
        return self.office.messages(to)

    def states(self, kind: str = "") -> list[str]:
        """How the account's notices stand."""
        rows = DueNotice.objects.filter(integration=self.integration)
        return list((rows.filter(kind=kind) if kind else rows).order_by("id").values_list("state", flat=True))

    def person(self, email: str = ANN) -> OmnichannelCustomer:
        """Who has that address."""
        return OmnichannelCustomer.objects.get(identities__kind="email", identities__value=email)


@contextmanager
def opened_bureau() -> Iterator[Bureau]:
    """An account that is connected and told things, with no duty but those of its kind."""
    office = PracticeOffice(World(seed=1))
    with served(office, most_seconds_silent=0.2) as (address,):
        market = open_market()
        market.goods("CUP", warehouse=50)
        integration = ChannelIntegration.objects.create(
            platform_name=office.slug, integration_type="erp", account_label="Office", status="active",
            base_url=address, connected_at=clock.now(), push_from=clock.now(), webhook_token="bureau",
            duties={"orders": False, "customers": False, "movements": False},
        )  # fmt: skip
        keep_secrets(integration, {"token": TOKEN})
        yield Bureau(market, office, integration)
