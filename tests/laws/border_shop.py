"""A web shop of our own, as the world around a platform that sells nothing itself: people buy here, parcels leave,
orders are cancelled, goods come back. What a platform is to hear of it, the parts know that ask for the shop.

Its goods lie at a place of their own. Where a platform keeps items, they are these goods.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.contract import PullsListings, PullsOrders, PushesStock
from finalmarket.customers.models import Consent, OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve_many
from finalmarket.integrations import adopt
from finalmarket.kernel import clock
from finalmarket.orders import aftersales, fulfilment, returns
from finalmarket.orders.drafts import Address, LineDraft, OrderDraft, TenderDraft
from finalmarket.orders.intake import take
from finalmarket.orders.models import Fulfilment, Order, OrderLine
from finalmarket.sandbox import abilities
from finalmarket.stock import ledger
from finalmarket.stock.models import StockLocation

if TYPE_CHECKING:
    from tests.laws.border_game import Game

ACTOR = "game"
GOODS, UNITS, PEOPLE = 3, 400, 9
PURPOSES = ("analytics", "ads")
NAMED = "SHOP-"
ORDERS_IN_A_RUSH = 12


class Shop:
    """The shop, its goods and its customers."""

    def __init__(self, game: Game) -> None:
        self.game = game
        self.there: Any = game.stand_in
        self.count = 0
        self.has_labels = False  # then parcels leave when a carrier has them
        self.place = StockLocation.objects.create(
            code="shop", name="The shop", street="Lindenweg 4", postcode="20095", city="Hamburg", country="DE",
            phone="+49401234567",
        )  # fmt: skip
        self.channel = game.channel if game.integration.sales_channel is None else SalesChannel.objects.create(
            name="Own shop", channel_type="web", currency=game.channel.currency
        )  # fmt: skip
        self.places = [self.place]  # where goods lie: from the first one they are sold
        self.goods: list[Variant] = []
        self.opening: dict[str, int] = {}  # units that the platform knew of, before we told it anything
        self.faithful: set[str] = set()  # those who agreed to the newsletter from the first, by their addresses

    def open(self) -> None:
        """Put goods on the shelf, and say who comes."""
        for sku in self._skus():
            variant = Variant.objects.create(product=self._product(sku), sku=sku, weight_grams=400)
            VariantPrice.objects.create(variant=variant, currency=self.channel.currency, amount=Decimal("10.00"))
            self.goods.append(variant)
            if isinstance(self.there, abilities.PricesGoods):
                with self.game.stand_in.lock:
                    self.there.put_in_catalogue(sku, f"Thing {sku}", Decimal("10.00"))
        if self._has_items():
            adopt.look_through(self.game.integration)
        for number in range(PEOPLE):
            self._agree(self.person(number), number)
        self.receive()

    def _skus(self) -> list[str]:
        if not self._has_items():
            return [f"SHOP-{number}" for number in range(GOODS)]
        assert self.game.case.seed_listings is not None
        with self.game.stand_in.lock:
            refs = self.game.case.seed_listings(self.there, GOODS)
            self.opening = dict(self.there.shown_stock())
        return [ref.sku for ref in refs]

    def _has_items(self) -> bool:
        sells = issubclass(self.game.case.connector, (PullsOrders, PushesStock))
        return issubclass(self.game.case.connector, PullsListings) and not sells

    def _product(self, sku: str) -> Product:
        return Product.objects.create(title=f"Thing {sku}", slug=f"shop-{sku.lower()}")

    def person(self, number: int) -> OmnichannelCustomer:
        """One of those who come."""
        contact = Contact(name=name_of(number), email=email_of(number))
        (found,) = resolve_many([contact], source="shop")
        return OmnichannelCustomer.objects.get(pk=found or 0)

    def _agree(self, person: OmnichannelCustomer, number: int) -> None:
        """Two of three agree to being counted, and to advertising."""
        for purpose in PURPOSES if number % 3 else ():
            Consent.objects.create(customer=person, purpose=purpose, is_granted=True, source="form")

    def receive(self) -> None:
        """Goods arrive, everywhere."""
        receipts = [ledger.Receipt(one.pk, place.pk, UNITS) for place in self.places for one in self.goods]
        ledger.receive(receipts, actor=ACTOR)

    # What happens.

    def trade(self) -> None:
        """Something happens."""
        dice = self.game.dice
        if dice.random() < 0.5:
            self.sell()
        if dice.random() < 0.4 and not self.has_labels:
            self._ship()
        if dice.random() < 0.1:
            self._cancel()
        if dice.random() < 0.15:
            self._take_back()

    def rush(self) -> None:
        """So much happens at once."""
        for _ in range(ORDERS_IN_A_RUSH):
            self.sell()

    def sell(self) -> Order:
        """Somebody buys one or two things, paid in full."""
        self.count += 1
        dice, buyer = self.game.dice, self.game.dice.randrange(PEOPLE)
        lines = tuple(
            LineDraft(
                sku=one.sku, title=f"Thing {one.sku}", quantity=dice.randint(1, 3), unit_price=Decimal("10.00"),
                external_id=str(position),
            )
            for position, one in enumerate(dice.sample(self.goods, dice.randint(1, 2)), start=1)
        )  # fmt: skip
        amount = sum((line.quantity * line.unit_price for line in lines), Decimal(0))
        home = Address(
            name=name_of(buyer), street=f"Hauptstr. {buyer + 1}", postcode="10115", city="Berlin", country="DE",
            phone="+4930123456",
        )  # fmt: skip
        draft = OrderDraft(
            channel_id=self.channel.pk, external_id=f"{NAMED}{self.count}", currency=self.channel.currency,
            placed_at=clock.now(), lines=lines, tenders=(TenderDraft("card", amount, f"paid-{self.count}"),),
            location_id=self.place.pk, name=name_of(buyer), email=email_of(buyer), shipping_address=home,
        )  # fmt: skip
        return take(draft, actor=ACTOR).order

    def orders(self) -> Any:
        """All orders that were placed here, the oldest first."""
        return Order.objects.filter(source="channel", external_id__startswith=NAMED).order_by("pk")

    def parcels(self) -> Any:
        """The parcels that wait to leave, the oldest first."""
        waiting = Fulfilment.objects.filter(state="pending", order__source="channel", location=self.place)
        return waiting.order_by("pk")

    def _ship(self) -> None:
        parcel = self.parcels().first()
        if parcel is not None:
            fulfilment.ship(parcel.pk, actor=ACTOR, carrier="DHL", tracking_number=f"SHOP{parcel.pk}")

    def _cancel(self) -> None:
        unlabelled = self.parcels().filter(order__state="open", tracking_number="").exclude(labels__state__in=BUSY)
        parcel = unlabelled.last()
        if parcel is not None:
            aftersales.cancel(parcel.order_id, reason="changed their mind", actor=ACTOR)

    def _take_back(self) -> None:
        lines = OrderLine.objects.filter(
            order__in=self.orders().filter(state="fulfilled"), kind="goods", returned_quantity=0
        )
        line = lines.order_by("pk").last()
        if line is not None:
            back = [returns.Back(line.pk, 1)]
            returns.take_return(line.order_id, back, key=f"back-{line.pk}", reason="too small", actor=ACTOR)


BUSY = ("buying", "bought", "voiding", "failed")
"""States of a label of which a parcel may yet have use."""


def name_of(number: int) -> str:
    """Who comes."""
    return f"Robin Example{chr(ord('a') + number)}"


def email_of(number: int) -> str:
    """Their address."""
    return f"buyer-{number}@example.com"
