"""The stage of the story: a warehouse and a store, three channels that sell the same tea, and ten accounts, one of
every integration type."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import Consent, OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve_many
from finalmarket.integrations import adopt, duties
from finalmarket.integrations.models import PlaceMapping
from finalmarket.kernel import clock
from finalmarket.sandbox.platforms.clover import Clover
from finalmarket.sandbox.platforms.easypost import EasyPost
from finalmarket.sandbox.platforms.ebay import Ebay
from finalmarket.sandbox.platforms.google_analytics import GoogleAnalytics
from finalmarket.sandbox.platforms.hubspot import HubSpot
from finalmarket.sandbox.platforms.meta import Facebook
from finalmarket.sandbox.platforms.netsuite import NetSuite
from finalmarket.sandbox.platforms.paypal import PayPal
from finalmarket.sandbox.platforms.sendgrid import SendGrid
from finalmarket.sandbox.platforms.zendesk import Zendesk
from finalmarket.stock import ledger
from finalmarket.stock.models import ChannelSource, StockItem, StockLocation
from tests.laws.town import Account, Town

SKU = "TEA"
EURO, DOLLAR = Decimal("20.00"), Decimal("22.00")
IN_WAREHOUSE, IN_STORE = 10, 2
STALE = 7  # what the platforms showed before they were told
ADA = "ada@example.org"
ORDER_FIELD = 360001  # of Zendesk's tickets
MAILS = ("audience", "confirmations", "dispatches")


@dataclass
class Stage:
    """The town, what is sold, where it lies, and who buys."""

    town: Town
    tea: Variant
    warehouse: StockLocation
    store: StockLocation
    ada: OmnichannelCustomer

    def at(self, slug: str) -> Account:
        """The account on a platform."""
        return self.town.accounts[slug]

    def there(self, slug: str) -> Any:
        """The platform's stand-in."""
        return self.town.accounts[slug].there

    def on_hand(self) -> tuple[int, int]:
        """What lies in the warehouse and in the store."""
        units = dict(StockItem.objects.filter(variant=self.tea).values_list("location", "on_hand"))
        return units.get(self.warehouse.pk, 0), units.get(self.store.pk, 0)

    def shown(self) -> dict[str, int]:
        """What the selling platforms show, and what the books say of each place."""
        (item,) = self.there("netsuite").state["items"].values()
        books = {f"netsuite {place}": units for place, units in item["stock"].items()}
        return {slug: self.there(slug).shown_stock()[SKU] for slug in ("ebay", "facebook", "clover")} | books


def set_up(town: Town) -> Stage:
    """Ada is known and has agreed to mail and to being counted; all accounts are connected, what they sell is linked,
    and telling has begun. Then goods arrive in both places."""
    warehouse = StockLocation.objects.create(
        code="warehouse", name="Main warehouse", street="Hafen 1", postcode="28195", city="Bremen", country="DE",
        priority=1,
    )  # fmt: skip
    store = StockLocation.objects.create(code="store", name="The store", kind="store", can_hand_over=True, priority=2)
    stage = Stage(town, _tea(), warehouse, store, _ada())
    _connect_shops(stage)
    _connect_books(stage)
    for platform in (EasyPost, PayPal, GoogleAnalytics, HubSpot, SendGrid):
        town.connect(platform)
    town.connect(Zendesk, order_field=str(ORDER_FIELD))
    duties.switch(stage.at("sendgrid").integration, MAILS, actor="olga")
    for account in town.accounts.values():
        account.integration.start_pushing()
    receipts = [
        ledger.Receipt(stage.tea.pk, place.pk, units) for place, units in ((warehouse, IN_WAREHOUSE), (store, IN_STORE))
    ]
    ledger.receive(receipts, actor="olga")
    return stage


def _tea() -> Variant:
    product = Product.objects.create(title="Green tea", slug="green-tea", brand="Hills")
    tea = Variant.objects.create(product=product, sku=SKU, weight_grams=250)
    for currency, amount in (("EUR", EURO), ("USD", DOLLAR)):
        VariantPrice.objects.create(variant=tea, currency=currency, amount=amount)
    return tea


def _ada() -> OmnichannelCustomer:
    """She left her address in the web shop once."""
    (number,) = resolve_many([Contact(name="Ada Lovelace", email=ADA)], country="DE", source="web")
    ada = OmnichannelCustomer.objects.get(pk=number or 0)
    for purpose in ("newsletter", "analytics"):
        Consent.objects.create(customer=ada, purpose=purpose, is_granted=True, source="web", at=clock.now())
    return ada


def _connect_shops(stage: Stage) -> None:
    """A marketplace and a social shop sell from everywhere, the till what lies in its store."""
    channel = SalesChannel.objects.create
    euro = {"currency": "EUR", "country": "DE"}
    till = channel(name="Till", channel_type="store", currency="USD", country="US")
    ChannelSource.objects.create(sales_channel=till, location=stage.store)
    stage.town.connect(Ebay, channel(name="eBay", channel_type="marketplace", **euro))
    stage.town.connect(Facebook, channel(name="Facebook", channel_type="social", **euro))
    clover = stage.town.connect(Clover, till)
    PlaceMapping.objects.create(integration=clover.integration, stock_location=stage.store)
    for slug in ("ebay", "facebook", "clover"):
        with stage.there(slug).lock:
            stage.there(slug).add_listing(SKU, "Green tea", DOLLAR if slug == "clover" else EURO, STALE)
        assert adopt.look_through(stage.at(slug).integration).by_sku == 1


def _connect_books(stage: Stage) -> None:
    """The books know the tea and both places, under names of their own."""
    netsuite = stage.town.connect(NetSuite)
    with netsuite.there.lock:
        netsuite.there.add_listing(SKU, "Green tea", EURO, 0)
    for place, location in (("1", stage.warehouse), ("2", stage.store)):
        PlaceMapping.objects.create(integration=netsuite.integration, place=place, stock_location=location)
    assert adopt.look_through(netsuite.integration).by_sku == 1
