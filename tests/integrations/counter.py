"""Short words for the tests of the desk: an account on the practice office, and an order of our own shop that waits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection

from finalmarket.catalog.models import Product, Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.records import Delivery
from finalmarket.integrations import inbox
from finalmarket.integrations.accounts import keep_secrets
from finalmarket.integrations.desk import jobs, labels, looking
from finalmarket.integrations.models import ChannelIntegration, ShippingLabel
from finalmarket.kernel import clock
from finalmarket.orders.drafts import Address
from finalmarket.orders.intake import take
from finalmarket.orders.models import Fulfilment, Order, OrderEvent
from finalmarket.sandbox.platforms.practice_office import TOKEN, PracticeOffice
from finalmarket.sandbox.webhooks import Letter
from finalmarket.stock import ledger
from finalmarket.stock.models import StockLocation
from tests.orders.market import draft, line
from tests.waiting import arguments_of

HOME = Address(
    name="Ann Example", street="Lindenweg 4", postcode="20095", city="Hamburg", country="DE", phone="+49 40 1"
)
SECRET = "practice-office-webhook-secret"


@dataclass
class Counter:
    """An account, the stand-in that it is connected to, and the letters that the stand-in wrote."""

    integration: ChannelIntegration
    office: PracticeOffice
    channel: SalesChannel
    place: StockLocation
    letters: list[Letter] = field(default_factory=list)
    sold: int = 0

    def order(self, *lines: tuple[str, int], address: Address = HOME, tenders: tuple[Any, ...] = ()) -> Order:
        """Somebody buys in our own shop for 10.00 apiece, one piece of TEA unless said otherwise; it waits there."""
        self.sold += 1
        drafted = [line(sku, units) for sku, units in lines or (("TEA", 1),)]
        given = draft(
            self.channel, f"own-{self.sold}", *drafted, tenders=tenders, shipping_address=address,
            email="ann@example.com",
        )  # fmt: skip
        return take(given).order

    def parcel(self, order: Order | None = None) -> Fulfilment:
        """The parcel of an order that waits."""
        found: Fulfilment = (order or self.order()).fulfilments.get(state="pending")
        return found

    def cheapest(self, parcel: Fulfilment) -> Any:
        """The cheapest rate."""
        return labels.get_rates(parcel.pk, self.integration)[0]

    def label(self, parcel: Fulfilment) -> ShippingLabel:
        """Buy the cheapest label for a parcel."""
        return labels.buy_label(parcel.pk, self.integration, self.cheapest(parcel), actor="ann")

    def look(self, **later: float) -> None:
        """Let a worker ask after labels, so much later."""
        with clock.steered(clock.now() + timedelta(**later)):
            looking.look(self.integration.pk)

    def deliver(self) -> None:
        """The letters that the platform wrote are brought to the door, twice, and worked on."""
        for letter in self.letters * 2:
            inbox.receive(self.integration.webhook_token, letter.url, dict(letter.headers), letter.body)
        self.letters.clear()
        while inbox.is_waiting(self.integration.pk):
            inbox.work(self.integration.pk)

    def finish_pages(self, **later: float) -> None:
        """Let workers carry out what was put off about payment pages, so much later."""
        with clock.steered(clock.now() + timedelta(**(later or {"seconds": 6}))), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE procrastinate_jobs SET status = 'succeeded'"
                " WHERE task_name = 'integrations.finish_page' AND status = 'todo' RETURNING args::text"
            )
            for (arguments,) in cursor.fetchall():
                jobs.finish_page(**arguments_of(arguments))

    def effects(self, name: str, **facts: Any) -> list[dict[str, Any]]:
        """What really changed there."""
        entries = self.office.world.journal.entries(platform=self.office.slug, what="effect", name=name)
        mine = [entry.facts for entry in entries if entry.facts["account"] == self.office.account]
        return [one for one in mine if all(one.get(key) == value for key, value in facts.items())]


def open_counter(office: PracticeOffice, address: str, *, skus: tuple[str, ...] = ("TEA", "CUP", "POT")) -> Counter:
    """Connect an account of the practice office; ten pieces of 250 grams of each SKU lie in a warehouse with an
    address."""
    channel, _ = SalesChannel.objects.get_or_create(name="Web shop", channel_type="web", country="DE")
    place, is_new = StockLocation.objects.get_or_create(
        code="warehouse",
        defaults={"name": "Warehouse", "street": "Hafen 1", "postcode": "28195", "city": "Bremen", "country": "DE"},
    )
    for sku in skus if is_new else ():
        product = Product.objects.create(title=f"The {sku}", slug=sku.lower())
        variant = Variant.objects.create(
            product=product, sku=sku, weight_grams=250, origin_country="CN", hs_code="691110",
            length_mm=200, width_mm=150, height_mm=100,
        )  # fmt: skip
        ledger.receive([ledger.Receipt(variant.pk, place.pk, 10)], actor="test")
    integration = ChannelIntegration.objects.create(
        platform_name=office.slug, integration_type="erp", account_label=office.account, status="active",
        base_url=address, connected_at=clock.now(), push_from=clock.now(), webhook_token=f"{office.account:t<43}",
    )  # fmt: skip
    keep_secrets(integration, {"token": TOKEN, "webhook_secret": SECRET})
    office.state["hooks"].append({"url": f"https://house.example/hooks/{office.account}/", "secret": SECRET})
    counter = Counter(integration, office, channel, place)
    office.sender.send = counter.letters.append  # type: ignore[assignment, method-assign]  # caught on their way
    return counter


def history(order: Order, kind: str = "") -> list[str]:
    """What an order's history says, of one kind if it is named."""
    events = OrderEvent.objects.filter(order=order).order_by("id")
    return list((events.filter(kind=kind) if kind else events).values_list("text", flat=True))


def read(letter: Letter) -> Delivery:
    """A letter as it comes in."""
    return Delivery(letter.url, letter.headers, letter.body, clock.now())
