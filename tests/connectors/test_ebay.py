"""eBay, in what the conformance suite cannot know: windows of time, parcels, refunds without keys, listings."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from finalmarket.connectors.errors import NeedsAttention, OutcomeUnknown, Rejected, RetryLater, Unintelligible
from finalmarket.connectors.platforms.ebay import windows
from finalmarket.connectors.platforms.ebay.after_sale import carrier_code
from finalmarket.connectors.records import ListingRef, PriceLevel, RefundNotice, StockLevel
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.ebay.shelf import MOST_REVISIONS_A_DAY, ship_to_home
from tests.connectors.cases import ebay
from tests.connectors.conformance.stage import NthCall, Stage, always, changed, on_a_double, staged


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(ebay.case()) as made:
        yield made


def calls(stage: Stage, ending: str, method: str = "GET") -> int:
    return sum(one.method == method and one.path.endswith(ending) for one in stage.watched.exchanges)


def one_order(stage: Stage, units: int = 2, country: str = "DE") -> str:
    ebay.later(stage.stand_in)
    return str(stage.stand_in.order((ebay.plenty(stage.stand_in), units), country=country))


def taxed_refund(stage: Stage, amount: str) -> RefundNotice:
    """A refund of an order from the US: two at 10.00, delivery 4.90, and 1.65 of tax that eBay collects."""
    order = one_order(stage, country="US")
    return RefundNotice(
        key=f"refund-{order}", order_id=order, payment_id=f"PAY-{order}", amount=Decimal(amount), currency="EUR"
    )


def given_back(stage: Stage, order: str) -> list[tuple[str, str]]:
    """What our books hear of the refunds of an order: their names and amounts."""
    return [(one.external_id, str(one.amount)) for one in stage.connector.pull_order(order).refunds]


# Orders.


def test_orders_that_changed_in_the_same_instant_all_come_though_they_fill_more_than_a_page(stage: Stage) -> None:
    sown = [stage.stand_in.order((ebay.plenty(stage.stand_in), 1)) for _ in range(2 * windows.ORDERS_A_PAGE + 7)]
    came = [record.external_id for page in stage.connector.pull_orders("", None) for record in page.records]
    assert sorted(set(came)) == sorted(sown)


def test_a_backlog_of_years_takes_few_calls_more_than_pages(stage: Stage) -> None:
    begin = stage.world.clock.now() - timedelta(days=700)
    for day in range(650):
        stage.stand_in.order((ebay.plenty(stage.stand_in), 1), at=begin + timedelta(days=day))
    pages = list(stage.connector.pull_orders("", None))
    assert sum(len(page.records) for page in pages) >= 650
    assert calls(stage, "/order") <= 16


def test_a_platform_that_answers_every_window_alike_ends_the_pull() -> None:
    body = b'{"total": 900, "orders": [{"orderId": "1"}]}'
    with pytest.raises(Unintelligible):
        list(on_a_double(ebay.case(), always(200, body)).pull_orders("", None))


def test_an_order_brings_its_parcels_with_their_lines(stage: Stage) -> None:
    order = one_order(stage, units=3)
    line = ebay.line_of(stage.stand_in, order)
    notice = replace(ebay.fulfilment(stage.stand_in), order_id=order, lines=((line, 2),), tracking_number="00340-43")
    assert stage.connector.push_fulfilment(notice) == "0034043"
    record = stage.connector.pull_order(order)
    (parcel,) = record.fulfilments
    assert (parcel.external_id, parcel.carrier, parcel.tracking_number) == ("0034043", "DHL", "0034043")
    assert parcel.lines == ((line, 2),)
    assert parcel.shipped_at is not None


def test_a_parcel_without_a_number_is_told_once(stage: Stage) -> None:
    order = one_order(stage, units=3)
    line = ebay.line_of(stage.stand_in, order)
    notice = replace(ebay.fulfilment(stage.stand_in), order_id=order, lines=((line, 1),), tracking_number="")
    assert stage.connector.push_fulfilment(notice) == stage.connector.push_fulfilment(notice)
    assert len(stage.stand_in.state["parcels"][order]) == 1


def test_a_second_parcel_that_is_like_the_first_is_told_too(stage: Stage) -> None:
    order = one_order(stage, units=3)
    line = ebay.line_of(stage.stand_in, order)
    first = replace(ebay.fulfilment(stage.stand_in), order_id=order, lines=((line, 1),), tracking_number="")
    second = replace(first, key="parcel-2", alike=1)
    for notice in (first, second, second):
        stage.connector.push_fulfilment(notice)
    assert len(stage.stand_in.state["parcels"][order]) == 2


def test_carriers_are_written_as_ebay_knows_them() -> None:
    assert [carrier_code(name) for name in ("dhl", "Royal Mail", "Österreichische Post!", "")] == [
        "DHL", "RoyalMail", "sterreichische Post", "Other",
    ]  # fmt: skip


def test_a_cancelled_order_comes_in_as_cancelled(stage: Stage) -> None:
    order = one_order(stage)
    *_, last = stage.connector.pull_orders("", None)
    stage.time.advance(timedelta(minutes=30))
    stage.stand_in.cancel_order(order)
    (record,) = [one for page in stage.connector.pull_orders(last.cursor, None) for one in page.records]
    assert record.is_cancelled


# Refunds.


def test_two_equal_refunds_of_one_order_are_two_when_the_first_is_named(stage: Stage) -> None:
    notice = ebay.refund(stage.stand_in)
    first = stage.connector.push_refund(notice)
    stage.time.advance(timedelta(minutes=1))
    second = stage.connector.push_refund(replace(notice, key="another", others=(first,)))
    assert first != second
    assert stage.effects()["refund"] == 2
    record = stage.connector.pull_order(notice.order_id)
    assert [(one.external_id, one.amount) for one in record.refunds] == [
        (first, Decimal("4.00")), (second, Decimal("4.00")),
    ]  # fmt: skip


def test_a_refund_waits_while_ebay_works_on_another(stage: Stage) -> None:
    notice = ebay.refund(stage.stand_in)
    stage.connector.push_refund(notice)
    with pytest.raises(RetryLater):
        stage.connector.push_refund(replace(notice, key="another", amount=Decimal("1.00")))


def lose_the_answer(stage: Stage, notice: RefundNotice) -> Any:
    """Ask for a refund whose answer is lost; what eBay shows of it."""
    stage.connector.pull_order(notice.order_id)  # so that the next call is none for a token
    stage.stand_in.faults = NthCall(Fault.ERROR_AFTER, 1, writes=True)
    with pytest.raises(OutcomeUnknown):
        stage.connector.push_refund(notice)
    stage.time.advance(timedelta(minutes=1))
    (there,) = stage.stand_in.state["orders"][notice.order_id]["paymentSummary"]["refunds"]
    return there


@pytest.mark.parametrize(("amount", "shown"), [("10.00", "9.38"), ("3.33", "3.12")])
def test_a_refund_that_is_shown_without_the_tax_is_not_made_again_when_its_answer_was_lost(
    stage: Stage, amount: str, shown: str
) -> None:
    notice = taxed_refund(stage, amount)
    there = lose_the_answer(stage, notice)
    assert there["amount"]["value"] == shown
    again = stage.connector.push_refund(notice)
    assert (again, stage.effects()["refund"]) == (there["refundId"], 1)


def test_a_refund_of_all_that_was_paid_is_known_again_without_the_tax(stage: Stage) -> None:
    notice = taxed_refund(stage, "26.55")
    there = lose_the_answer(stage, notice)
    assert there["amount"]["value"] == "24.90"
    assert stage.connector.push_refund(notice) == there["refundId"]


@pytest.mark.parametrize("another", ["9.90", "10.20", "5.00"])  # shown as 9.28, 9.57, 4.69
def test_another_refund_of_a_taxed_order_is_not_taken_for_the_one_that_is_to_be_made(
    stage: Stage, another: str
) -> None:
    notice = taxed_refund(stage, "10.00")  # shown as 9.38
    stage.connector.push_refund(replace(notice, amount=Decimal(another)))
    stage.time.advance(timedelta(minutes=1))
    stage.connector.push_refund(notice)
    assert stage.effects()["refund"] == 2


@pytest.mark.parametrize("amount", ["10.00", "3.33", "0.01", "26.55"])
def test_a_refund_of_a_taxed_order_may_be_of_what_was_asked_for_and_of_little_more(stage: Stage, amount: str) -> None:
    notice = taxed_refund(stage, amount)
    stage.connector.push_refund(notice)
    (there,) = stage.connector.pull_order(notice.order_id).refunds
    assert there.most is not None
    assert notice.amount <= there.most <= notice.amount + Decimal("0.02")


def test_two_equal_refunds_of_a_taxed_order_are_two_when_the_first_is_named(stage: Stage) -> None:
    notice = taxed_refund(stage, "10.00")
    first = stage.connector.push_refund(notice)
    stage.time.advance(timedelta(minutes=1))
    assert stage.connector.push_refund(replace(notice, key="another", others=(first,))) != first
    assert stage.effects()["refund"] == 2


def test_a_refund_of_all_that_was_paid_is_of_the_tax_too_from_its_first_moment(stage: Stage) -> None:
    notice = taxed_refund(stage, "26.55")
    name = stage.connector.push_refund(notice)
    assert given_back(stage, notice.order_id) == [(name, "26.55")]
    stage.time.advance(timedelta(minutes=1))
    assert given_back(stage, notice.order_id) == [(name, "26.55")]
    raw = stage.connector.pull_order(notice.order_id).raw
    assert raw["orderPaymentStatus"] == "FULLY_REFUNDED"
    assert [one["amount"]["value"] for one in raw["paymentSummary"]["refunds"]] == ["24.90"]


def test_the_last_of_several_refunds_is_of_the_tax_that_ebay_does_not_tell(stage: Stage) -> None:
    notice = taxed_refund(stage, "10.00")
    first = stage.connector.push_refund(notice)
    stage.time.advance(timedelta(minutes=1))
    assert given_back(stage, notice.order_id) == [(first, "9.38")]
    rest = replace(notice, key="the rest", amount=Decimal("16.55"), others=(first,))
    last = stage.connector.push_refund(rest)
    stage.time.advance(timedelta(minutes=1))
    assert given_back(stage, notice.order_id) == [(first, "9.38"), (last, "17.17")]


def signing_key() -> tuple[str, str]:
    """A key pair: the public half as the sandbox takes it for a JWE, the private one as eBay gives it out."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return b64encode(public).decode(), private.decode()


def test_a_refund_of_a_seller_in_the_eu_is_signed(stage: Stage) -> None:
    stage.stand_in.state["is_signed"] = True
    notice = ebay.refund(stage.stand_in)
    with pytest.raises(Rejected, match="Signature"):
        stage.connector.push_refund(notice)
    jwe, private_key = signing_key()
    account = changed(stage.connector.account, signing_key_jwe=jwe, signing_private_key=private_key)
    signed = stage.with_account(account)
    assert signed.push_refund(notice).startswith("RF-")
    other = stage.with_account(changed(account, signing_key_jwe=signing_key()[0]))
    with pytest.raises(Rejected, match="Signature"):
        other.push_refund(replace(notice, key="another", amount=Decimal("1.00")))


def test_a_signing_key_that_is_none_needs_a_person(stage: Stage) -> None:
    account = changed(stage.connector.account, signing_key_jwe="a-public-half", signing_private_key="bm8ga2V5")
    with pytest.raises(NeedsAttention):
        stage.with_account(account).push_refund(ebay.refund(stage.stand_in))
    assert stage.effects()["refund"] == 0


# Stock and prices.


def test_what_is_sold_is_the_number_that_was_told(stage: Stage) -> None:
    (ref,) = ebay.seed_listings(stage.stand_in, 1)
    stage.connector.push_stock([StockLevel(ref=ref, quantity=3, key="k")])
    assert stage.stand_in.shown_stock() == {ref.sku: 3}
    unoffered = ListingRef(key=ref.key, sku=ref.sku)
    stage.connector.push_stock([StockLevel(ref=unoffered, quantity=2, key="k")])
    assert stage.stand_in.shown_stock() == {ref.sku: 2}


def test_a_price_finds_its_offer(stage: Stage) -> None:
    (ref,) = ebay.seed_listings(stage.stand_in, 1)
    level = PriceLevel(ref=ListingRef(key=ref.key, sku=ref.sku), amount=Decimal("8.50"), currency="EUR", key="k")
    assert stage.connector.push_prices([level]) == []
    assert stage.stand_in.offer_of(ref.sku)["pricingSummary"]["price"] == {"value": "8.50", "currency": "EUR"}
    (refused,) = stage.connector.push_prices([replace(level, ref=ListingRef(key="NOBODY", sku="NOBODY"))])
    assert refused.key == "NOBODY"


def test_a_listing_that_was_revised_too_often_today_is_refused_until_tomorrow(stage: Stage) -> None:
    (ref,) = ebay.seed_listings(stage.stand_in, 1)
    day = f"{ref.ids['offer']} {stage.world.clock.now().date()}"
    stage.stand_in.state["revisions"][day] = MOST_REVISIONS_A_DAY
    level = StockLevel(ref=ref, quantity=1, key="k")
    assert [refused.key for refused in stage.connector.push_stock([level])] == [ref.key]
    stage.time.advance(timedelta(days=1))
    assert list(stage.connector.push_stock([level])) == []


def test_a_failure_of_ebays_within_a_batch_refuses_no_record() -> None:
    body = b'{"responses": [{"sku": "A", "statusCode": 500, "errors": [{"errorId": 25001, "message": "oops"}]}]}'
    level = StockLevel(ref=ListingRef(key="A", sku="A"), quantity=1, key="k")
    with pytest.raises(RetryLater, match="oops"):
        on_a_double(ebay.case(), always(207, body)).push_stock([level])


def test_a_batch_that_is_refused_as_a_whole_is_told_one_by_one() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if b'"BAD"' in request.content:
            return httpx2.Response(400, json={"errors": [{"errorId": 25709, "message": "Invalid value"}]})
        return httpx2.Response(200, json={"responses": [{"sku": "GOOD", "statusCode": 200}]})

    levels = [StockLevel(ref=ListingRef(key=key, sku=key), quantity=1, key=key) for key in ("GOOD", "BAD")]
    (refused,) = on_a_double(ebay.case(), answer).push_stock(levels)
    assert (refused.key, refused.code) == ("BAD", "25709")


# Listings.


def made(stage: Stage, **more: Any) -> tuple[Any, ListingRef]:
    (content,) = ebay.new_listings(stage.stand_in, 1)
    content = replace(content, **more)
    (ref,) = stage.connector.push_listings([content])
    assert isinstance(ref, ListingRef), ref
    return content, ref


def test_a_new_listing_is_on_sale_without_stock(stage: Stage) -> None:
    content, ref = made(stage)
    (record,) = [record for page in stage.connector.pull_listings("") for record in page.records]
    assert (record.title, record.barcode, record.price) == (content.title, content.barcode, Decimal("10.00"))
    assert record.is_available
    assert record.attributes == {"Color": "red", "brand": "Woolly"}
    assert stage.stand_in.shown_stock() == {ref.sku: 0}


def test_another_title_leaves_stock_and_all_that_is_not_said_as_they_are(stage: Stage) -> None:
    content, ref = made(stage)
    stage.connector.push_stock([StockLevel(ref=ref, quantity=9, key="k")])
    item = stage.stand_in.state["items"][ref.sku]
    item["packageWeightAndSize"] = {"weight": {"unit": "KILOGRAM", "value": 2}}
    stage.stand_in.offer_of(ref.sku)["quantityLimitPerBuyer"] = 3
    stage.connector.push_listings([replace(content, ref=ref, title="Another", attributes={})])
    item = stage.stand_in.state["items"][ref.sku]
    assert item["product"]["title"] == "Another"
    assert item["product"]["aspects"] == {"Color": ["red"]}
    assert item["packageWeightAndSize"] == {"weight": {"unit": "KILOGRAM", "value": 2}}
    assert ship_to_home(item)["quantity"] == 9
    offer = stage.stand_in.offer_of(ref.sku)
    assert (offer["quantityLimitPerBuyer"], offer["status"], offer["availableQuantity"]) == (3, "PUBLISHED", 9)


def test_what_is_taken_off_sale_is_withdrawn_and_comes_back(stage: Stage) -> None:
    content, ref = made(stage)
    for is_available in (False, False, True):
        (again,) = stage.connector.push_listings([replace(content, ref=ref, is_available=is_available)])
        assert again == ref
        assert (ref.sku in stage.stand_in.listings()) is is_available
    assert stage.effects()["withdrawal"] == 1


def test_stock_that_came_while_a_listing_was_off_sale_is_sold_when_it_is_back(stage: Stage) -> None:
    content, ref = made(stage)
    stage.connector.push_stock([StockLevel(ref=ref, quantity=2, key="k")])
    stage.connector.push_listings([replace(content, ref=ref, is_available=False)])
    assert list(stage.connector.push_stock([StockLevel(ref=ref, quantity=8, key="k")])) == []
    stage.connector.push_listings([replace(content, ref=ref)])
    assert stage.stand_in.shown_stock() == {ref.sku: 8}


def test_a_listing_says_what_the_settings_lack(stage: Stage) -> None:
    account = replace(
        stage.connector.account,
        settings={**stage.connector.account.settings, "return_policy_id": "", "category_id": ""},
    )
    (content,) = ebay.new_listings(stage.stand_in, 1)
    (refused,) = stage.with_account(account).push_listings([content])
    assert isinstance(refused, Rejected)
    assert "category id, return policy id" in refused.reason
    assert stage.stand_in.listings() == []
