"""Oracle Fusion under the conformance suite; its judge is derived from prose (tests/connectors/oracle_description)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from finalmarket.connectors.books import MovementNotice, OrderContent, OrderContentLine
from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.oracle import PAGE, Oracle
from finalmarket.connectors.records import Address, FulfilmentNotice, ListingRef
from finalmarket.sandbox.platforms.oracle import Oracle as StandIn
from finalmarket.sandbox.platforms.oracle.gate import PASSWORD, USER
from tests.connectors.cases import Case
from tests.connectors.descriptions import Description, openapi
from tests.connectors.oracle_description import ORACLE

_count = itertools.count(1)


@cache
def describe() -> Description:
    """What the prose of Oracle's guides says."""
    return openapi("oracle", beside=[ORACLE])


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    settings = {
        "host": "abcd.fa.ocs.oraclecloud.com", "business_unit": "Vision Operations", "organization": "M1",
        "customer": "1000", "shipping_product": "FREIGHT", "other_product": "OTHER", "scope": "urn:everything",
    }  # fmt: skip
    return Account({"user": USER, "password": PASSWORD}, settings, base_url=address)


def ref_of(item: str) -> ListingRef:
    """What Oracle calls an item."""
    return ListingRef(key=item, sku=item, ids={"item": item})


def seed_listings(company: Any, count: int) -> Sequence[ListingRef]:
    """Items, five of each in the stores of M1."""
    first = len(company.listings())
    skus = [f"SKU-{number:05d}" for number in range(first, first + count)]
    return [ref_of(company.add_listing(sku, f"Shirt {sku}", Decimal("10.00"), 5)) for sku in skus]


def seed_customers(company: Any, count: int) -> Sequence[str]:
    """People, each entered a second after the other."""
    return [
        company.sign_up(
            {"FirstName": "Ada", "LastName": f"Buyer {number}", "EmailAddress": f"buyer{next(_count)}@example.com"},
            at=company.now() - timedelta(seconds=count - number),
        )["PartyNumber"]
        for number in range(count)
    ]


def order_content(company: Any) -> OrderContent:
    """An order of two lines by somebody whom Oracle knows; the second line was cancelled in part."""
    number = next(_count)
    tea, cup = seed_listings(company, 2)
    (customer,) = seed_customers(company, 1)
    return OrderContent(
        key=f"order-key-{number}", number=f"FM-{number:04d}", placed_at=datetime(2026, 6, 1, 9, 30, tzinfo=UTC),
        updated_at=datetime(2026, 6, 1, 9, 30, tzinfo=UTC), currency="EUR", total=Decimal("37.85"),
        tax=Decimal("5.97"), customer_id=customer, channel="shop", email="buyer@example.com",
        shipping_address=Address(
            name="Ada Lovelace", street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE"
        ),
        lines=(
            OrderContentLine(
                line_id=f"{number}-a", sku=tea.sku, item_id=tea.key, title="Tea", quantity=2,
                unit_price=Decimal("9.95"), tax=Decimal("3.18"),
            ),
            OrderContentLine(
                line_id=f"{number}-b", sku=cup.sku, title="Cup", quantity=3, cancelled_quantity=1,
                unit_price=Decimal("5.00"), discount=Decimal("1.55"), tax=Decimal("2.15"),
            ),
            OrderContentLine(
                line_id=f"{number}-c", title="Shipping", kind="shipping", unit_price=Decimal("4.50"),
                tax=Decimal("0.64"),
            ),
        ),
    )  # fmt: skip


def told_order(company: Any, units: int = 2) -> tuple[str, str]:
    """An order of so many of one item that stands in the stand-in and waits to be shipped; its id and its line."""
    (item,) = seed_listings(company, 1)
    number = f"TOLD-{next(_count)}"
    order: dict[str, Any] = {
        "HeaderId": company._next(), "OrderNumber": number, "StatusCode": "OPEN", "FreezePriceFlag": False, "lines": [],
    }  # fmt: skip
    line = {"SourceTransactionLineId": "1", "ProductNumber": item.key, "OrderedQuantity": units}
    company._add(order, company._line(order, line))
    company.state["orders"][f"OPS:{number}"] = order
    return str(order["HeaderId"]), "1"


def fulfilment(company: Any) -> FulfilmentNotice:
    """A parcel with a part of an order."""
    order, line = told_order(company)
    return FulfilmentNotice(
        key=f"parcel-{order}", order_id=order, lines=((line, 1),), shipped_at=company.now(), carrier="DHL",
        tracking_number=f"TRACK-{order}", location="M1/Stores",
    )  # fmt: skip


def movements(company: Any, count: int) -> Sequence[MovementNotice]:
    """Movements of every kind, in turn."""
    kinds = (("receive", 4), ("loss", -1), ("transfer", 2), ("adjust", -2), ("sale", -1), ("return", 1))
    return [
        MovementNotice(
            key=f"movement-{next(_count)}", kind=kind, sku=ref.sku, quantity=units, at=company.now(),
            location="M1/Stores", item_id=ref.key if kind != "loss" else "",
            to_location="M2/Stores" if kind == "transfer" else "",
        )
        for (kind, units), ref in zip(itertools.cycle(kinds), seed_listings(company, count), strict=False)
    ]  # fmt: skip


def case() -> Case:
    """See cases."""
    return Case(
        connector=Oracle,
        stand_in=StandIn,
        account=account,
        describe=describe,
        ignore=("/oauth2/v1/token",),
        page_sizes={"customers": PAGE, "listings": PAGE},
        seed_customers=seed_customers,
        seed_listings=seed_listings,
        location="M1/Stores",
        another_location=lambda _: "M2/Stores",
        missing_ref=ref_of("NO-SUCH-SKU"),
        stock_of=lambda company, ref: int(company.state["stock"][ref.key, "M1", "Stores"]),
        fulfilment=fulfilment,
        order_content=order_content,
        movements=movements,
    )
