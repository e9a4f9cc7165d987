"""Short words for the tests of platforms that keep books: an account on the practice office, and a shop of our own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from finalmarket.customers.models import Consent, OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve_many
from finalmarket.integrations import notices
from finalmarket.integrations.accounts import keep_secrets
from finalmarket.integrations.books import events, finding, records
from finalmarket.integrations.models import ChannelIntegration, DueEvent, DueRecord, PlaceMapping
from finalmarket.integrations.push import Pushed
from finalmarket.kernel import clock
from finalmarket.orders import fulfilment
from finalmarket.orders.drafts import Address
from finalmarket.orders.intake import take
from finalmarket.orders.models import Fulfilment, Order
from finalmarket.sandbox.platforms.practice_office import TOKEN, PracticeOffice
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from finalmarket.stock.models import StockLocation
from tests.orders.market import Market, draft, line, open_market

ANN = "ann@example.com"
HOME = Address(name="Ann Example", street="Lindenweg 4", postcode="20095", city="Hamburg", country="DE")
ALL_DUTIES = ("orders", "customers", "audience", "movements", "events")


@dataclass
class Office:
    """A market of ours, and an account on the practice office that keeps books for it."""

    market: Market
    office: PracticeOffice
    integration: ChannelIntegration
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 100_000)))

    def keep(self, *names: str, since: datetime | None = None) -> None:
        """The account has these duties and no others, since it was connected or since a moment."""
        on: Any = since.isoformat() if since else True
        self.integration.duties = {name: on if name in names else False for name in ALL_DUTIES}
        self.integration.save(update_fields=["duties"])

    def buy(
        self, sku: str = "CUP", units: int = 1, *, email: str = ANN, at: datetime | None = None, **given: Any
    ) -> Order:
        """Somebody buys in our web shop, now."""
        channel = given.pop("channel", self.market.web)
        given = {"shipping_address": HOME, **given}
        bought = draft(channel, f"web-{next(self.numbers)}", line(sku, units, title=f"The {sku}"), email=email, **given)
        return take(replace(bought, placed_at=at or clock.now()), actor="test").order

    def ship(self, order: Order, number: str = "JJD0001") -> Fulfilment:
        """All of it leaves in one parcel."""
        (parcel,) = order.fulfilments.filter(state="pending")
        return fulfilment.ship(parcel.pk, actor="ann", carrier="DHL", tracking_number=number)

    def person(self, email: str = ANN) -> OmnichannelCustomer:
        """Who has that address; made where nobody has."""
        (number,) = resolve_many([Contact(name="Ann Example", email=email)], source="test")
        return OmnichannelCustomer.objects.get(pk=number or 0)

    def agrees(self, purpose: str, *, to: bool = True, email: str = ANN) -> None:
        """Somebody says yes (or no) to a purpose."""
        Consent.objects.create(customer=self.person(email), purpose=purpose, is_granted=to, source="form")

    def map_place(self, place: StockLocation, name: str) -> None:
        """One of our locations is one of theirs."""
        with self.office.lock:
            self.office.add_location(name)
        PlaceMapping.objects.create(integration=self.integration, place=name, stock_location=place)

    def tell(self, minutes: float = 0, *, within: timedelta = timedelta(hours=5)) -> Pushed:
        """Let a worker find and tell orders and people, so many minutes from now."""
        with clock.steered(clock.now() + timedelta(minutes=minutes)):
            finding.find(within)
            return records.tell(self.integration.pk)

    def tell_parcels(self, minutes: float = 0) -> None:
        """Let a worker find and tell what left, so many minutes from now."""
        with clock.steered(clock.now() + timedelta(minutes=minutes)):
            notices.find(timedelta(hours=5))
            notices.tell(self.integration.pk)

    def tell_events(self, minutes: float = 0) -> Pushed:
        """Let a worker find and tell what happened, so many minutes from now."""
        with clock.steered(clock.now() + timedelta(minutes=minutes)):
            finding.find(timedelta(hours=5))
            return events.tell(self.integration.pk)

    def there(self, order: Order) -> dict[str, Any]:
        """An order as the office has it."""
        return self.office.orders()[order.number]

    def customers(self) -> list[dict[str, Any]]:
        """The customers that the office has."""
        return list(self.office.state["customers"].values())

    def told_events(self, name: str = "") -> list[dict[str, Any]]:
        """The events that the office took."""
        return [one for one in self.office.state["events"].values() if name in ("", one["name"])]

    def moved(self) -> list[tuple[str, int, str, str]]:
        """The movements that the office took: kind, units, place, place it went to."""
        rows = self.office.state["movements"].values()
        return [(one["kind"], one["quantity"], one["location"], one["to_location"]) for one in rows]

    def effects(self, name: str) -> list[dict[str, Any]]:
        """What really changed there."""
        entries = self.office.world.journal.entries(platform=self.office.slug, what="effect", name=name)
        return [entry.facts for entry in entries]

    def requests(self, words: str = "") -> int:
        """How often the office was asked something."""
        entries = self.office.world.journal.entries(platform=self.office.slug, what="request")
        return sum(words in entry.name for entry in entries)

    def record(self, what: str, local_id: int) -> DueRecord:
        """A due record as it stands in the database."""
        return DueRecord.objects.get(integration=self.integration, what=what, local_id=local_id)

    def states(self) -> list[tuple[str, str]]:
        """The events and how they stand."""
        rows = DueEvent.objects.filter(integration=self.integration).order_by("id")
        return list(rows.values_list("kind", "state"))


@contextmanager
def opened_office() -> Iterator[Office]:
    """An account that is connected and told things, with no duty yet."""
    stand_in = PracticeOffice(World(seed=1))
    with served(stand_in, most_seconds_silent=0.2) as (address,):
        market = open_market()
        market.goods("CUP", warehouse=500)
        market.goods("POT", price="25.00", warehouse=50)
        for sku in ("CUP", "POT"):
            with stand_in.lock:
                stand_in.add_listing(sku, f"The {sku}", market.variants[sku].prices.get().amount, 0)
        begun = clock.now() - timedelta(minutes=1)
        integration = ChannelIntegration.objects.create(
            platform_name=stand_in.slug, integration_type="erp", account_label="Office", status="active",
            base_url=address, connected_at=begun, push_from=begun,
        )  # fmt: skip
        keep_secrets(integration, {"token": TOKEN})
        made = Office(market, stand_in, integration)
        made.keep()
        yield made
