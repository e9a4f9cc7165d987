"""SAP S/4HANA under the conformance suite: five services judged by SAP's OpenAPI files and three by its $metadata."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from finalmarket.connectors.books import MovementNotice, OrderContent, OrderContentLine
from finalmarket.connectors.contract import Account
from finalmarket.connectors.platforms.sap import PAGE, Sap
from finalmarket.connectors.records import Address, FulfilmentNotice, ListingRef
from finalmarket.sandbox.platforms.sap import Sap as StandIn
from finalmarket.sandbox.platforms.sap.gateway import PASSWORD, USER
from tests.connectors.cases import Case
from tests.connectors.descriptions import Description, openapi
from tests.connectors.descriptions.metadata import service

_count = itertools.count(1)
FILES = ("API_SALES_ORDER_SRV", "API_MATERIAL_DOCUMENT_SRV", "API_OUTBOUND_DELIVERY_SRV_0002", "API_MATERIAL_STOCK_SRV")
METADATA = ("API_BUSINESS_PARTNER", "API_PRODUCT_SRV", "API_SLSPRICINGCONDITIONRECORD_SRV")
# The files ask for keys in what is created, also where SAP alone gives the number: its guides leave them out ("Create
# Sales Order": the number is assigned by the system).
NUMBERED_BY_SAP: dict[str, Any] = {
    f"#/components/schemas/Create{name}/required": []
    for name in (
        "A_SalesOrder", "A_SalesOrderItem", "A_SalesOrderItemPrElement", "A_SalesOrderHeaderPrElement",
        "A_SalesOrderPartnerAddress", "A_MaterialDocumentHeader", "A_MaterialDocumentItem", "A_OutbDeliveryItem",
    )
}  # fmt: skip


@cache
def describe() -> Description:
    """SAP's own files."""
    return openapi(
        "sap", *(f"openapi/{name}.json" for name in FILES), overrides=NUMBERED_BY_SAP,
        beside=[service("sap", f"edmx/{name}.edmx") for name in METADATA],
    )  # fmt: skip


def account(address: str) -> Account:
    """An account that the stand-in lets in."""
    settings = {
        "host": "my300000-api.s4hana.cloud.sap", "sales_organization": "1010", "customer": "1000",
        "shipping_condition": "HD00", "other_condition": "HB00", "cost_center": "10101101", "country": "DE",
    }  # fmt: skip
    return Account({"user": USER, "password": PASSWORD}, settings, base_url=address)


def ref_of(product: str) -> ListingRef:
    """What SAP calls a product."""
    return ListingRef(key=product, sku=product, ids={"product": product})


def seed_listings(company: Any, count: int) -> Sequence[ListingRef]:
    """Products at 10.00, five of each in the main storage location."""
    first = len(company.listings())
    skus = [f"SKU-{number:05d}" for number in range(first, first + count)]
    return [ref_of(company.add_listing(sku, f"Shirt {sku}", Decimal("10.00"), 5)) for sku in skus]


def seed_customers(company: Any, count: int) -> Sequence[str]:
    """Customers, each entered a second after the other."""
    return [
        company.sign_up(
            {
                "FirstName": "Ada", "LastName": f"Buyer {number}",
                "to_BusinessPartnerAddress": {"results": [{
                    "Country": "DE", "CityName": "Berlin", "StreetName": "Hauptstr.", "HouseNumber": "1",
                    "to_EmailAddress": {"results": [{"EmailAddress": f"buyer{next(_count)}@example.com"}]},
                }]},
            },
            at=company.now() - timedelta(seconds=count - number),
        )["BusinessPartner"]
        for number in range(count)
    ]  # fmt: skip


def order_content(company: Any) -> OrderContent:
    """An order of two lines by a customer whom SAP knows; the second line was cancelled in part."""
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
    """An order of so many of one product that stands in the stand-in; its number and that of its item."""
    (product,) = seed_listings(company, 1)
    number = str(company._next())
    order: dict[str, Any] = {"SalesOrder": number, "PurchaseOrderByCustomer": f"FM-{number}", "to_Item": []}
    row = {"Material": product.key, "RequestedQuantity": str(units), "PurchaseOrderByShipToParty": f"{number}-a"}
    order["to_Item"].append(company._item(order, row))
    company.state["orders"][number] = order
    return number, "10"


def fulfilment(company: Any) -> FulfilmentNotice:
    """A parcel with a part of an order."""
    order, item = told_order(company)
    return FulfilmentNotice(
        key=f"parcel-{order}", order_id=order, lines=((item, 1),), shipped_at=company.now(), carrier="DHL",
        tracking_number=f"TRACK-{order}", location="1010/101A",
    )  # fmt: skip


def movements(company: Any, count: int) -> Sequence[MovementNotice]:
    """Movements of every kind, in turn."""
    kinds = (("receive", 4), ("loss", -1), ("transfer", 2), ("adjust", -2), ("sale", -1), ("return", 1))
    return [
        MovementNotice(
            key=f"movement-{next(_count)}", kind=kind, sku=ref.sku, quantity=units, at=company.now(),
            location="1010/101A", item_id=ref.key if kind != "loss" else "",
            to_location="1010/101B" if kind == "transfer" else "",
        )
        for (kind, units), ref in zip(itertools.cycle(kinds), seed_listings(company, count), strict=False)
    ]  # fmt: skip


def case() -> Case:
    """See cases."""
    return Case(
        connector=Sap,
        stand_in=StandIn,
        account=account,
        describe=describe,
        # The service documents, of which CSRF tokens are asked for, and the token of OAuth stand in no description.
        ignore=(r"/sap/opu/odata/sap/[^/]+/?$", "/oauth/token"),
        page_sizes={"customers": PAGE, "listings": PAGE},
        seed_customers=seed_customers,
        seed_listings=seed_listings,
        location="1010/101A",
        another_location=lambda _: "1010/101B",
        missing_ref=ref_of("NO-SUCH-SKU"),
        stock_of=lambda company, ref: int(company.state["stock"][ref.key]["101A", "01"]),
        fulfilment=fulfilment,
        order_content=order_content,
        movements=movements,
    )
