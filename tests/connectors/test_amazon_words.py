"""Amazon's words and ours: what its models hold as samples is read, to the cent."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import ConnectorError, OutcomeUnknown
from finalmarket.connectors.platforms.amazon import Amazon, calls
from finalmarket.connectors.platforms.amazon.feeds import Message, refusals
from finalmarket.connectors.platforms.amazon.listings import json_number, listing_record, stock_record
from finalmarket.connectors.platforms.amazon.orders import order_record
from finalmarket.connectors.platforms.amazon.outgoing import package_reference
from finalmarket.connectors.records import (
    Delivery,
    FulfilmentNotice,
    ListingContent,
    ListingRef,
    OrderRecord,
    PriceLevel,
    StockLevel,
)
from tests.connectors.descriptions import vendor_apis

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
MODELS = (
    "orders_2026-01-01.json", "ordersV0.json", "listingsItems_2021-08-01.json", "feeds_2021-06-30.json",
    "fbaInventory.json", "notifications.json", "sellers.json",
)  # fmt: skip
REF = ListingRef(key="GM-ZDPI-9B4E", sku="GM-ZDPI-9B4E", ids={"product_type": "LUGGAGE"})
CONTENT = ListingContent(ref=REF, key="c-1", title="Suitcase", price=Decimal("99.99"), currency="USD")
NOTICE = FulfilmentNotice(
    key="p-1", order_id="902-1106328-1059050", lines=(("79039765272157", 1),), shipped_at=AT, carrier="FedEx",
    tracking_number="112345678",
)  # fmt: skip


def operation(name: str) -> Callable[[Amazon], Any]:
    """A call of an operation that no verb makes by itself."""
    found = next(one for one in calls.OPERATIONS if one.name == name)
    return lambda c: c.seller.call(
        found, feed_id="1", document_id="1", topic="ORDER_CHANGE", order_id="1", sku="1", repeatable=True
    )


# What each operation's sample answer is read by.
READERS: dict[str, Callable[[Amazon], Any]] = {
    "searchOrders": lambda c: next(c.pull_orders("", None)),
    "getOrder": lambda c: c.pull_order("1"),
    "confirmShipment": lambda c: c.push_fulfilment(NOTICE),
    "searchListingsItems": lambda c: (next(c.pull_listings("")), c.pull_stock([REF])),
    "getListingsItem": lambda c: c.pull_stock([ListingRef(key="a,b", sku="a,b")]),
    "patchListingsItem": lambda c: (
        c.push_stock([StockLevel(ref=REF, quantity=1, key="s-1")]),
        c.push_prices([PriceLevel(ref=REF, amount=Decimal("9.99"), currency="USD", key="p-1")]),
    ),
    "putListingsItem": lambda c: c.push_listings([CONTENT]),
    "getInventorySummaries": lambda c: c.pull_stock([REF], "FBA"),
    "getMarketplaceParticipations": lambda c: c.check(),
    **{
        name: operation(name)
        for name in (
            "createFeedDocument", "createFeed", "getFeed", "cancelFeed", "getFeedDocument", "getDestinations",
            "createDestination", "getSubscription", "createSubscription",
        )
    },
}  # fmt: skip


def samples() -> Iterator[Any]:
    """The samples of all operations that are used: name, status, answer."""
    folder = Path(os.environ.get("FINALMARKET_VENDOR_APIS", "")) / "amazon"
    for file in MODELS:
        model = json.loads((folder / file).read_text(encoding="utf-8")) if (folder / file).is_file() else {"paths": {}}
        for told in (told for item in model["paths"].values() for told in item.values() if isinstance(told, dict)):
            name = told.get("operationId")
            # Of the old Orders API one operation is used; its getOrder is another than ours.
            if name not in READERS or (file == "ordersV0.json" and name != "confirmShipment"):
                continue
            for status, answer in told["responses"].items():
                pairs = answer.get("x-amzn-api-sandbox", {}).get("static", [])
                bodies = [pair["response"] for pair in pairs if "response" in pair]
                # Elsewhere the examples beside the pairs leave out the object around them.
                bodies += list(answer.get("examples", {}).values()) if file == MODELS[0] else []
                for number, body in enumerate(bodies):
                    yield pytest.param(name, int(status), body, id=f"{name}-{status}-{number}")


SAMPLES = list(samples())


def connector_on(answer: Callable[[httpx2.Request], httpx2.Response]) -> Amazon:
    """The connector on a wire that answers so."""

    def handle(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/auth/o2/token":
            return httpx2.Response(200, json={"access_token": "Atza|1", "token_type": "bearer", "expires_in": 3600})
        return answer(request)

    secrets = {"client_id": "client-1", "client_secret": "secret-1", "refresh_token": "refresh-1"}
    settings = {"region": "na", "seller_id": "AXXXXXXXXXXXXX", "marketplace_ids": "ATVPDKIKX0DER"}
    return Amazon(Account(secrets, settings), transport=httpx2.MockTransport(handle))


def test_the_models_hold_samples_of_the_operations_that_are_used() -> None:
    vendor_apis()
    assert len({sample.values[0] for sample in SAMPLES}) >= 14
    assert len(SAMPLES) >= 35


@pytest.mark.parametrize(("name", "status", "body"), SAMPLES)
def test_every_sample_of_amazons_own_sandbox_is_read(name: str, status: int, body: Any) -> None:
    connector = connector_on(lambda request: httpx2.Response(status, json=body))
    if status >= 400:
        with pytest.raises(ConnectorError) as caught:
            read = READERS[name](connector)
            # A refusal of one record of a batch is returned, not raised.
            refused = [error for part in (read if isinstance(read, tuple) else (read,)) for error in part]
            assert refused, f"{name} takes {status} for a success"
            raise refused[0]
        assert caught.value.code in (body["errors"][0]["code"], "")
        assert body["errors"][0]["message"] in caught.value.reason
        return
    read = READERS[name](connector)
    if name == "searchOrders":
        assert [record.external_id for record in read.records] == [raw["orderId"] for raw in body["orders"]]
        assert read.unreadable == ()
        assert all(record.unknown == () for record in read.records)
    if name == "getOrder":
        assert isinstance(read, OrderRecord)
        assert read.total == Decimal(body["order"]["proceeds"]["grandTotal"]["amount"])
    if name == "searchListingsItems":
        page, stock = read
        assert [record.ref.sku for record in page.records] == [item["sku"] for item in body["items"]]
        assert [record.quantity for record in stock] == [100]


def sample(name: str, number: int = 0) -> Any:
    """One sample, as the platform's own words."""
    vendor_apis()
    return [one.values[2] for one in SAMPLES if one.values[:2] == (name, 200)][number]


def test_an_order_of_the_models_is_read_to_the_cent() -> None:
    record = order_record(sample("getOrder", 3)["order"])
    goods, shipping = record.lines
    assert (goods.sku, goods.quantity, goods.unit_price, goods.tax) == (
        "ECHO-DOT-4-UK-CHARCOAL-3PACK", 3, Decimal("29.99"), Decimal("3.00"),
    )  # fmt: skip
    assert (shipping.kind, shipping.unit_price, shipping.tax) == ("shipping", Decimal("10.00"), Decimal("1.00"))
    assert (record.total, record.tax, record.tax_included, record.currency) == (
        Decimal("103.97"), Decimal("4.00"), False, "GBP",
    )  # fmt: skip
    assert record.version == "2024-12-25T16:30:00.000000+00:00"
    (parcel,) = record.fulfilments
    assert (parcel.carrier, parcel.tracking_number) == ("Royal Mail", "RR123456789GB")
    assert parcel.lines == (("20212345678901", 3),)
    assert (record.email, record.place) == ("buyer-email@marketplace.amazon.co.uk", "A1F83G8C2ARO7P")


def test_a_finished_tip_is_a_tip_and_no_line() -> None:
    record = order_record(sample("searchOrders", 3)["orders"][0])
    assert record.tip == Decimal("5.00")
    assert {line.kind for line in record.lines} == {"goods"}
    assert record.total == sum((line.unit_price * line.quantity for line in record.lines), record.tip) + Decimal("0.02")


def test_what_amazon_sends_itself_is_served_from_amazons_stock() -> None:
    record = order_record(sample("searchOrders", 0)["orders"][0])
    assert (record.location, record.place, record.handed_over) == ("AMAZON_FE", "A1VC38T7YXB528", True)
    (sent,) = record.fulfilments
    assert sent.location == "AMAZON_FE"
    assert sent.lines == (("25012345678901", 1), ("25012345678902", 2))


def test_what_amazon_sends_for_another_shop_is_no_sale_of_a_marketplace() -> None:
    raw = raw_order([part("ITEM", "40.00")])
    raw["salesChannel"]["channelName"] = "NON_AMAZON"
    raw["fulfillment"]["fulfilledBy"] = "AMAZON"
    record = order_record(raw)
    assert (record.place, record.location) == ("NON_AMAZON", "AMAZON_EU")


def test_a_payment_that_amazon_names_is_a_tender_of_that_kind() -> None:
    record = order_record(sample("searchOrders", 2)["orders"][0])
    (tender,) = record.tenders
    assert (tender.tender, tender.amount, tender.state) == ("card", Decimal("1599.90"), "captured")


# Made-up orders.


def raw_order(breakdowns: list[dict[str, Any]], *, quantity: int = 2, state: str = "UNSHIPPED", **more: Any) -> Any:
    """An order of one item."""
    total = sum((Decimal(part["subtotal"]["amount"]) for part in breakdowns), Decimal(0))
    return {
        "orderId": "304-0000001-0000001",
        "createdTime": "2026-06-01T10:00:00Z",
        "lastUpdatedTime": "2026-06-01T10:05:00.250Z",
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": "A1PA6795UKMFR9"},
        "proceeds": {"grandTotal": euro(total)},
        "fulfillment": {"fulfillmentStatus": state, "fulfilledBy": "MERCHANT"},
        "orderItems": [
            {
                "orderItemId": "1",
                "quantityOrdered": quantity,
                "product": {"sellerSku": "SHIRT-M", "title": "Shirt"},
                "proceeds": {"proceedsTotal": euro(total), "breakdowns": breakdowns},
                "fulfillment": {"quantityFulfilled": 0, "quantityUnfulfilled": quantity},
            }
        ],
        **more,
    }


def euro(amount: Decimal | str) -> dict[str, str]:
    """An amount as Amazon writes it."""
    return {"amount": str(amount), "currencyCode": "EUR"}


def part(kind: str, amount: Decimal | str, **details: Decimal | str) -> dict[str, Any]:
    """A category of proceeds."""
    told = [{"subtype": name, "value": euro(value)} for name, value in details.items()]
    return {"type": kind, "subtotal": euro(amount), **({"detailedBreakdowns": told} if told else {})}


def test_discounts_and_taxes_go_to_the_lines_they_are_of() -> None:
    record = order_record(
        raw_order(
            [
                part("ITEM", "40.00"),
                part("SHIPPING", "5.00"),
                part("DISCOUNT", "-7.00", ITEM="-2.00", SHIPPING="-5.00"),
                part("TAX", "6.00", ITEM="6.00"),
            ]
        )
    )
    goods, shipping = record.lines
    assert (goods.unit_price, goods.discount, goods.tax) == (Decimal("20.00"), Decimal("2.00"), Decimal("6.00"))
    assert (shipping.unit_price, shipping.discount, shipping.tax) == (Decimal("5.00"), Decimal("5.00"), None)
    assert not record.tax_included


def test_tax_is_within_the_prices_where_the_total_says_so() -> None:
    raw = raw_order([part("ITEM", "40.00"), part("TAX", "6.39")])
    raw["proceeds"]["grandTotal"] = euro("40.00")
    assert order_record(raw).tax_included


AMOUNTS = st.decimals(min_value=0, max_value=9999, places=2, allow_nan=False, allow_infinity=False)


@given(item=AMOUNTS, shipping=AMOUNTS, gift=AMOUNTS, discount=AMOUNTS, tax=AMOUNTS, units=st.integers(1, 9))
def test_no_cent_is_lost_between_amazons_proceeds_and_our_lines(
    item: Decimal, shipping: Decimal, gift: Decimal, discount: Decimal, tax: Decimal, units: int
) -> None:
    raw = raw_order(
        [
            part("ITEM", item * units),
            part("SHIPPING", shipping),
            part("GIFT_WRAP", gift),
            part("DISCOUNT", -discount, SHIPPING=-min(discount, shipping)),
            part("TAX", tax, SHIPPING=min(tax, shipping), GIFT_WRAP="0.00"),
        ],
        quantity=units,
    )
    record = order_record(raw)
    net = sum((line.unit_price * line.quantity - line.discount for line in record.lines), Decimal(0))
    assert net + sum((line.tax or Decimal(0) for line in record.lines), Decimal(0)) == record.total


def test_a_pending_order_holds_goods_without_amounts_in_the_money_of_its_marketplace() -> None:
    raw = raw_order([], state="PENDING")
    del raw["proceeds"]
    raw["orderItems"][0].pop("proceeds")
    record = order_record(raw)
    assert (record.currency, record.total, record.tenders) == ("EUR", None, ())
    assert [(line.quantity, line.unit_price) for line in record.lines] == [(2, Decimal(0))]


def test_units_that_will_not_be_sent_are_cancelled() -> None:
    raw = raw_order([part("ITEM", "40.00")])
    raw["orderItems"][0]["fulfillment"] = {"quantityFulfilled": 1, "quantityUnfulfilled": 0}
    (line,) = order_record(raw).lines
    assert line.cancelled_quantity == 1


def test_a_cancelled_order_is_cancelled_to_the_last_unit() -> None:
    record = order_record(raw_order([part("ITEM", "40.00")], state="CANCELLED"))
    assert record.is_cancelled
    assert [line.cancelled_quantity for line in record.lines if line.kind == "goods"] == [2]
    assert {tender.state for tender in record.tenders} == {"voided"}


def test_a_later_state_of_an_order_has_the_greater_version_whatever_its_digits() -> None:
    texts = ["2026-06-01T10:05:00Z", "2026-06-01T10:05:00.1Z", "2026-06-01T12:05:01+02:00", "2026-06-01T10:05:01.050Z"]
    versions = [order_record(raw_order([], state="CANCELLED", lastUpdatedTime=text)).version for text in texts]
    assert versions == sorted(set(versions))


def test_parcels_that_wait_have_not_left() -> None:
    packages = [
        {"packageReferenceId": "1", "packageStatus": {"status": "PENDING"}, "packageItems": []},
        {
            "packageReferenceId": "2",
            "packageStatus": {"status": "SHIPPED"},
            "packageItems": [{"orderItemId": "1", "quantity": 1}],
        },
    ]
    record = order_record(raw_order([part("ITEM", "40.00")], packages=packages))
    assert [parcel.external_id for parcel in record.fulfilments] == ["2"]


def test_words_that_are_new_to_us_are_named() -> None:
    payment = {"paymentExecutions": [{"paymentMethod": "Moonstones", "paymentAmount": euro("40.00")}]}
    record = order_record(raw_order([part("ITEM", "40.00"), part("STARLIGHT", "1.00")], payment=payment))
    assert set(record.unknown) == {"STARLIGHT", "Moonstones"}
    assert [line.kind for line in record.lines] == ["goods", "adjustment"]


def test_the_next_search_begins_where_the_first_page_of_this_one_ended() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        page = request.url.params.get("paginationToken", "1")
        told = {"orders": [raw_order([], state="CANCELLED")], "lastUpdatedBefore": f"2026-06-01T1{page}:00:00Z"}
        return httpx2.Response(200, json={**told, "pagination": {"nextToken": "2"}} if page == "1" else told)

    *_, last = connector_on(answer).pull_orders("", None)
    assert json.loads(last.cursor)["since"] < "2026-06-01T11:00:00Z"


# Listings, reports, notifications.


def test_a_listing_is_read_as_it_stands_on_the_main_marketplace() -> None:
    raw = sample("getListingsItem")
    record = listing_record(raw, ("A2EUQ1WTGCTBG2", "ATVPDKIKX0DER"))
    assert (record.price, record.currency) == (Decimal("130.00"), "CAD")
    assert record.ref.ids["marketplaces"] == "A2EUQ1WTGCTBG2,ATVPDKIKX0DER"
    assert record.ref.ids["product_type"] == "LUGGAGE"
    stock = stock_record(raw, "")
    assert stock is not None
    assert stock.quantity == 100


def test_a_processing_report_of_the_models_names_the_refused_by_their_numbers() -> None:
    file = vendor_apis() / "amazon" / "feed-schemas" / "listings-feed-processing-report-schema-v2.example.json"
    report = json.loads(file.read_text(encoding="utf-8"))
    messages = [Message(f"key-{number}", f"sku-{number}", "LUGGAGE", [], ()) for number in range(1, 6)]
    refused = refusals(report, messages)
    assert [(error.key, error.code) for error in refused] == [("key-4", "90220"), ("key-5", "99022")]
    assert "batteries_required" in refused[0].reason
    assert "supplier_declared_dg_hz_regulation" in refused[0].reason


def test_a_report_that_hides_a_refusal_leaves_the_outcome_unknown() -> None:
    report = {"issues": [], "summary": {"messagesInvalid": 1, "messagesAccepted": 1}}
    with pytest.raises(OutcomeUnknown):
        refusals(report, [Message("key-1", "sku-1", "LUGGAGE", [], ())])


def notification_samples() -> Iterator[Any]:
    """Samples and defaults of the published notification schemas."""
    folder = Path(os.environ.get("FINALMARKET_VENDOR_APIS", "")) / "amazon" / "notification-schemas"
    for file in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        for number, told in enumerate(json.loads(file.read_text(encoding="utf-8")).get("examples", [])):
            yield pytest.param(told, id=f"{file.stem}-{number}")


@pytest.mark.parametrize("told", list(notification_samples()))
def test_every_sample_of_a_notification_is_read(told: dict[str, Any]) -> None:
    connector = connector_on(lambda request: httpx2.Response(500))
    for body in (
        told,
        {"detail-type": "X", "id": "e-1", "detail": told},
        [{"messageId": "m", "body": json.dumps(told)}],
    ):
        (event,) = connector.read_webhook(Delivery("https://hub.example", {}, json.dumps(body).encode(), AT))
        assert event.event_id
        assert event.occurred_at is not None


def test_an_order_change_names_the_order_to_ask_for() -> None:
    sample_file = vendor_apis() / "amazon" / "notification-schemas" / "OrderChangeNotification.json"
    (told,) = json.loads(sample_file.read_text(encoding="utf-8"))["examples"]
    connector = connector_on(lambda request: httpx2.Response(500))
    delivery = Delivery("https://hub.example", {}, json.dumps(told).encode(), AT)
    told["Payload"]["OrderChangeNotification"]["SellerId"] = "AXXXXXXXXXXXXX"
    ours = Delivery("https://hub.example", {}, json.dumps(told).encode(), AT)
    (event,) = connector.read_webhook(ours)
    assert (event.kind, event.external_id, event.record) == ("orders", "903-8868176-2219830", None)
    assert event.event_id == "d0e9e693-c3ad-4373-979f-ed4ec98dd746"
    assert [event.kind for event in connector.read_webhook(delivery)] == ["unknown"], "of another seller"


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_a_price_keeps_its_digits_on_the_way_to_amazon(amount: Decimal) -> None:
    assert Decimal(json.dumps(json_number(amount))) == amount


def test_a_price_that_json_cannot_carry_is_refused() -> None:
    with pytest.raises(ValueError, match="digits"):
        json_number(Decimal("12345678901234.567"))


@given(st.text(max_size=80), st.text(max_size=80))
def test_a_parcels_number_is_positive_and_its_own(one: str, other: str) -> None:
    assert int(package_reference(one)) > 0
    assert package_reference(one) == package_reference(one)
    assert one == other or package_reference(one) != package_reference(other)
