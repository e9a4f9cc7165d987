"""Short words for the tests that every platform of a kind goes through: which ones there are, a shop of ours, somebody
who buys in it. Which platforms are meant follows from what the class statement declares."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.connectors.contract import Connector
from finalmarket.connectors.registry import connectors
from finalmarket.customers.models import Consent, OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve_many
from finalmarket.integrations import duties
from finalmarket.kernel import clock
from finalmarket.orders import fulfilment
from finalmarket.orders.drafts import Address
from finalmarket.orders.intake import take
from finalmarket.orders.models import Fulfilment, Order
from finalmarket.sandbox.abilities import PricesGoods
from finalmarket.sandbox.house import stand_ins
from finalmarket.sandbox.stand_in import StandIn
from tests.laws.town import BEHIND, Account, Town, town
from tests.orders.market import Market, draft, line, open_market

ANN, BEN = "ann@example.com", "ben@example.com"
HOME = Address(name="Ann Example", street="Lindenweg 4", postcode="20095", city="Hamburg", country="DE")
PHONE = "+49401234567"
WAREHOUSE = {"street": "Hafen 1", "postcode": "28195", "city": "Bremen", "phone": "+494219876543"}
SKU, PRICE, UNITS = "CUP", Decimal("10.00"), 50
# Where something is done that platforms hear of, or that they bring in; the others count what was done.
AT_THE_BORDER = frozenset({"customers", "integrations", "journeys", "orders", "outgoing", "stock"})


def platforms(*capabilities: type, duty: str = "") -> list[Any]:
    """The platforms that declare these capabilities, and have that duty by their kind, as parameters of a test."""
    known = connectors()
    found = [one for one in stand_ins() if one.slug in known and _fits(known[one.slug], capabilities, duty)]
    return [pytest.param(one, id=one.slug) for one in found]


def _fits(connector: type[Connector], capabilities: tuple[type, ...], duty: str) -> bool:
    is_of_kind = not duty or connector.kind in duties.DUTIES[duty].kinds
    return is_of_kind and all(issubclass(connector, one) for one in capabilities)


@dataclass
class Shop:
    """A web shop of ours with cups in its warehouse, in a town where platforms are."""

    town: Town
    market: Market
    bought: list[Order] = field(default_factory=list)

    def connect(self, platform: type[StandIn], *names: str, units: int = UNITS) -> Account:
        """Connect an account, have it know the cup (so many of it) where goods are known, give it those of these duties
        that it can do and no others, and begin to tell it."""
        account = self.town.connect(platform)
        there, able = account.there, duties.declared_by(connectors()[platform.slug])
        with there.lock:
            if hasattr(there, "add_listing"):
                there.add_listing(SKU, "The cup", PRICE, units)
            elif isinstance(there, PricesGoods):
                there.put_in_catalogue(SKU, "The cup", PRICE)
        duties.switch(account.integration, [name for name in names if name in able], actor="olga")
        account.integration.start_pushing()
        return account

    def agree(self, email: str, *purposes: str) -> OmnichannelCustomer:
        """Somebody is known to us by an address, and has agreed to that."""
        name = email.partition("@")[0].title()
        (number,) = resolve_many([Contact(name=f"{name} Example", email=email)], country="DE", source="web")
        person = OmnichannelCustomer.objects.get(pk=number or 0)
        for purpose in purposes:
            Consent.objects.create(customer=person, purpose=purpose, is_granted=True, source="web", at=clock.now())
        return person

    def buy(self, email: str = ANN, units: int = 2) -> Order:
        """Somebody buys cups in the web shop."""
        bought = draft(
            self.market.web, f"web-{len(self.bought) + 1}", line(SKU, units, title="The cup"), email=email,
            shipping_address=HOME, phone=PHONE,
        )  # fmt: skip
        self.bought.append(take(replace(bought, placed_at=clock.now()), actor="test").order)
        return self.bought[-1]

    def ship(self, order: Order, number: str = "JJD0001") -> Fulfilment:
        """All of it leaves in one parcel."""
        (parcel,) = order.fulfilments.filter(state="pending")
        return fulfilment.ship(parcel.pk, actor="olga", carrier="DHL", tracking_number=number)


@contextmanager
def opened_shop(patch: pytest.MonkeyPatch, *, behind: timedelta = BEHIND) -> Iterator[Shop]:
    """A town with the shop in it, and no account yet; see `town` for `behind`."""
    with town(patch, behind=behind, rooms=AT_THE_BORDER) as made:
        market = open_market()
        for name, value in WAREHOUSE.items():
            setattr(market.warehouse, name, value)
        market.warehouse.save()
        cup = market.goods(SKU, price=str(PRICE), warehouse=UNITS)
        cup.weight_grams = 300
        cup.save()
        yield Shop(made, market)
