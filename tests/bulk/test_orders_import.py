"""Files of orders come in by the rules of their mapping; what cannot come in is told with line, column and reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from finalmarket import cli
from finalmarket.analytics import segments
from finalmarket.analytics.models import CustomerValue
from finalmarket.bulk.orders import OrderFile, Outcome, Wish, import_orders
from finalmarket.bulk.tables import rows
from finalmarket.catalog.models import Product, Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.jobs import declared
from finalmarket.orders.models import Order, OrderImport, OrderLine, Refund, Return, ReturnLine
from finalmarket.stock import ledger
from finalmarket.stock.check import differences
from finalmarket.stock.models import StockItem, StockLocation, StockMovement

pytestmark = pytest.mark.django_db

MAPPING = """
[columns]
order = "Invoice"
sku = "Code"
title = "What"
quantity = "Units"
unit_price = "Price"
placed_at = "When"
customer = "Who"
country = "Where"
[values]
currency = "EUR"
source = "old-shop"
[dates]
formats = ["%Y-%m-%d %H:%M"]
time_zone = "Europe/Berlin"
[skus]
fold_case = true
[lines]
shipping = ["POST"]
fee = ["GIFT_*"]
discount = ["D"]
[cancellations]
prefix = "C"
[adjustments]
prefix = "A"
[stock_adjustments]
negative_lines = true
[customers]
namespace = "old"
[products]
create = true
[stock]
location = "attic"
create = true
[channels]
by = "country"
create = true
[[channels.rules]]
channel = "Abroad"
values = ["France"]
type = "marketplace"
"""
HEADER = "Invoice,Code,What,Units,Price,When,Who,Where"
Import = Callable[..., Outcome]


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING)
    return path


@pytest.fixture
def shop() -> SalesChannel:
    return SalesChannel.objects.create(name="Old shop", channel_type="web", currency="EUR")


@pytest.fixture
def bring_in(tmp_path: Path, mapping: Path, shop: SalesChannel) -> Import:
    """Imports lines of CSV with opening stock."""

    def bring_in(*lines: str, name: str = "orders.csv", **given: Any) -> Outcome:
        path = tmp_path / name
        path.write_text("\n".join([HEADER, *lines]) + "\n")
        wish: dict[str, Any] = {"mapping": str(mapping), "opening_stock": True, **given}
        return import_orders(Wish(path, "Old shop", **wish))

    return bring_in


def refused(path: Path) -> list[tuple[str, str, str]]:
    report = path.with_name(f"{path.stem}.refused.csv")
    return [(row["refused_line"], row["refused_column"], row["refused_reason"]) for row in rows(report)]


def on_hand(sku: str) -> int:
    return StockItem.objects.get(variant__sku=sku).on_hand


def test_an_order_comes_in_with_its_goods_postage_and_customer(bring_in: Import) -> None:
    bring_in(
        "100,cup,Cup,2,3.50,2024-07-01 10:00,17,Germany", "100,POST,Postage,1,4.90,2024-07-01 10:00,17,Germany"
    )  # fmt: skip
    order = Order.objects.get()
    assert (order.external_id, order.source, order.sales_channel.name) == ("100", "old-shop", "Old shop")
    assert (order.goods, order.shipping, order.total, order.currency) == (7, Decimal("4.90"), Decimal("11.90"), "EUR")
    assert (order.state, order.payment_state) == ("fulfilled", "paid")
    assert order.placed_at == datetime(2024, 7, 1, 8, 0, tzinfo=UTC)
    assert order.shipping_address == {"country": "DE"}
    assert order.customer is not None
    assert order.customer.identities.get().value == "old:17"
    assert order.customer.first_seen_at == order.placed_at


def test_products_that_the_catalogue_lacks_are_made_with_title_and_price(bring_in: Import) -> None:
    bring_in("100,cup,Cup,2,3.50,2024-07-01 10:00,,", "101,CUP,Mug,1,4.00,2024-07-02 10:00,,")
    variant = Variant.objects.get()
    assert (variant.sku, variant.product.title, variant.price_in("EUR")) == ("CUP", "Cup", Decimal(4))


def test_products_without_any_price_in_the_file_come_in_unpriced(bring_in: Import) -> None:
    bring_in("9001,GIFT BAG,A sample,1,0,2010-01-04 10:00,,Germany")
    sample = Variant.objects.get(sku="GIFT BAG")
    assert not sample.prices.exists()


def test_codes_that_differ_by_case_are_one_sku_when_the_mapping_says_so(bring_in: Import, shop: SalesChannel) -> None:
    product_line = "100,85123A,Heart,1,2.00,2024-07-01 10:00,,"
    bring_in(product_line, "101,85123a,Heart,1,2.00,2024-07-01 10:01,,")
    assert Variant.objects.count() == 1
    assert OrderLine.objects.values("variant").distinct().count() == 1


def test_the_opening_stock_is_what_the_file_takes_off_the_shelf(bring_in: Import) -> None:
    outcome = bring_in(
        "100,CUP,Cup,2,3.50,2024-07-01 10:00,,", "101,CUP,Cup,5,3.50,2024-07-02 10:00,,",
        "102,CUP,damaged,-3,0,2024-07-03 10:00,,",
    )  # fmt: skip
    assert outcome.counts["opening_units"] == 10
    assert on_hand("CUP") == 0
    kinds = StockMovement.objects.order_by("id").values_list("kind", "on_hand_delta", "reason")
    assert list(kinds) == [
        ("receive", 10, "opening stock before 2024-07-01"),
        ("sale", -2, ""),
        ("sale", -5, ""),
        ("adjust", -3, "damaged"),
    ]
    assert differences() == []


def test_orders_go_to_the_channel_of_their_country(bring_in: Import) -> None:
    bring_in("100,CUP,Cup,1,2.00,2024-07-01 10:00,,France", "101,CUP,Cup,1,2.00,2024-07-01 10:00,,Germany")
    assert dict(Order.objects.values_list("external_id", "sales_channel__name")) == {"100": "Abroad", "101": "Old shop"}
    assert SalesChannel.objects.get(name="Abroad").channel_type == "marketplace"


def test_a_line_far_below_joins_its_order(bring_in: Import) -> None:
    others = [f"{number},CUP,Cup,1,1.00,2024-07-01 11:00,," for number in range(200, 230)]
    bring_in(
        "100,CUP,Cup,1,2.00,2024-07-01 10:00,,", *others, "100,CUP,Cup,1,2.00,2024-07-01 10:00,,", batch_rows=10
    )  # fmt: skip
    order = Order.objects.get(external_id="100")
    assert list(order.lines.values_list("position", flat=True)) == [0, 1]
    assert (order.total, order.payments.get().amount) == (4, 4)
    assert Order.objects.count() == 31


def test_identical_lines_are_lines_of_their_own(bring_in: Import) -> None:
    bring_in(*["100,CUP,Cup,1,2.00,2024-07-01 10:00,,"] * 3)
    assert OrderLine.objects.count() == 3
    assert Order.objects.get().total == 6


SALES = (
    "100,CUP,Cup,4,2.00,2024-07-01 10:00,17,Germany",
    "101,CUP,Cup,2,2.00,2024-07-05 10:00,17,Germany",
    "102,CUP,Cup,9,2.00,2024-07-06 10:00,18,Germany",
    "103,CUP,Cup,9,2.00,2024-07-20 10:00,17,Germany",
)


def cancelled_by(key: str) -> list[tuple[str, int]]:
    found = ReturnLine.objects.filter(return_record__key__startswith=key).order_by("position")
    return [(line.order_line.order.external_id if line.order_line else "-", line.quantity) for line in found]


def test_a_cancellation_takes_back_the_latest_earlier_sale_of_the_customer(bring_in: Import) -> None:
    outcome = bring_in(*SALES, "C104,CUP,Cup,-2,2.00,2024-07-10 10:00,17,Germany")
    assert cancelled_by("C104") == [("101", 2)]
    assert (outcome.counts["matched"], outcome.counts["unlinked"]) == (1, 0)
    order = Order.objects.get(external_id="101")
    assert (order.refunded, order.payment_state) == (4, "refunded")
    assert on_hand("CUP") == 2
    assert differences() == []


def test_a_larger_cancellation_goes_on_to_the_sale_before_and_leaves_a_credit(bring_in: Import) -> None:
    outcome = bring_in(*SALES, "C104,CUP,Cup,-7,2.00,2024-07-10 10:00,17,Germany")
    assert cancelled_by("C104") == [("101", 2), ("100", 4), ("-", 1)]
    counts = outcome.counts
    assert (counts["matched"], counts["matched_in_part"], counts["matched_over_several"]) == (1, 1, 1)


def test_no_unit_is_taken_back_twice_whatever_batch_it_comes_in(bring_in: Import) -> None:
    twice = ["C104,CUP,Cup,-2,2.00,2024-07-10 10:00,17,Germany", "C105,CUP,Cup,-2,2.00,2024-07-11 10:00,17,Germany"]
    bring_in(*SALES, *twice, batch_rows=5)
    assert cancelled_by("C104") + cancelled_by("C105") == [("101", 2), ("100", 2)]


@pytest.mark.parametrize(
    "line",
    [
        "C104,CUP,Cup,-1,2.00,2024-07-10 10:00,,Germany",
        "C104,CUP,Cup,-1,2.00,2024-07-10 10:00,99,Germany",
        "C104,MUG,Mug,-1,2.00,2024-07-10 10:00,17,Germany",
        "C104,CUP,Cup,-1,2.00,2024-07-01 09:00,17,Germany",
    ],
    ids=["nobody's", "another customer's", "another SKU's", "before any sale"],
)
def test_a_cancellation_without_a_sale_is_an_unlinked_credit(bring_in: Import, line: str) -> None:
    outcome = bring_in(*SALES, line)
    record = Return.objects.get()
    assert (record.key, record.is_linked, record.order_id) == ("C104", False, None)
    assert record.lines.get().refund == 2
    assert (outcome.counts["matched"], outcome.counts["unlinked"]) == (0, 1)
    assert not Refund.objects.exists()


def test_a_cancellation_with_a_line_number_that_no_return_can_hold_is_refused_and_its_sale_is_not(
    tmp_path: Path, shop: SalesChannel
) -> None:
    path, mapping = tmp_path / "numbers.csv", tmp_path / "numbers.toml"
    names = ("order", "sku", "quantity", "unit_price", "placed_at", "customer", "position")
    columns = "".join(f'{name} = "{name}"\n' for name in names)
    mapping.write_text(f'[columns]\n{columns}[cancellations]\nprefix = "C"\n[products]\ncreate = true\n[stock]\n'
                       'location = "attic"\ncreate = true\n')  # fmt: skip
    path.write_text(
        f"{','.join(names)}\n"
        "7,CUP,3,2.50,2024-07-01,17,31000007\n"
        "C8,CUP,-1,2.50,2024-07-02,17,31000008\n"
        "C9,CUP,-1,2.50,2024-07-03,17,21474835\n"
    )
    wish = Wish(path, shop.name, str(mapping), opening_stock=True)
    [(row, problem)] = OrderFile(wish).preview().first_refused
    assert (row, problem.column, problem.value) == (3, "position", "31000008")
    assert problem.reason.startswith("is beyond any line of a cancellation: at most 21,474,835;")
    counts = import_orders(wish).counts
    assert (counts["new_lines"], counts["refused"], counts["matched"]) == (1, 1, 1)
    assert OrderLine.objects.get().position == 31_000_007


def test_a_charge_within_a_cancellation_stays_a_charge(bring_in: Import) -> None:
    bring_in("C104,GIFT_1,Manual,1,3.00,2024-07-01 10:00,17,Germany")
    assert (Order.objects.get(external_id="C104").fees, Return.objects.count()) == (3, 0)


def test_a_financial_adjustment_is_an_order_without_goods(bring_in: Import) -> None:
    bring_in("A1,B,Bad debt,1,-50.25,2024-07-01 10:00,,")
    order = Order.objects.get()
    assert (order.goods, order.total, order.lines.get().kind) == (0, Decimal("-50.25"), "adjustment")
    assert not Variant.objects.exists()


def test_totals_are_rounded_and_lines_are_not(bring_in: Import) -> None:
    bring_in(*["100,PADS,Pads,1,0.001,2024-07-01 10:00,,"] * 6)
    order = Order.objects.get()
    assert order.total == Decimal("0.01")
    assert sum(line.total for line in order.lines.all()) == Decimal("0.006")


def test_an_import_done_again_changes_nothing(bring_in: Import) -> None:
    lines = [*SALES, "C104,CUP,Cup,-2,2.00,2024-07-10 10:00,17,Germany", "105,CUP,lost,-1,0,2024-07-11 10:00,,"]
    bring_in(*lines)

    def everything() -> list[Any]:
        models: list[Any] = [Order, OrderLine, Return, ReturnLine, Refund, StockMovement, OmnichannelCustomer]
        return [model.objects.count() for model in models] + [on_hand("CUP")]

    before = everything()
    again = bring_in(*lines, name="under another name.csv")
    assert everything() == before
    assert (again.counts["new_orders"], again.counts["new_lines"], again.counts["booked_before"]) == (0, 0, 2)


def test_without_opening_stock_what_is_not_there_is_short_and_told(tmp_path: Path, bring_in: Import) -> None:
    outcome = bring_in(
        "100,CUP,Cup,3,2.00,2024-07-01 10:00,,", "101,CUP,lost,-1,0,2024-07-02 10:00,,", opening_stock=False
    )  # fmt: skip
    assert OrderLine.objects.get().short_quantity == 3
    assert outcome.counts["corrections_cut"] == 1
    assert refused(tmp_path / "orders.csv") == [("3", "Units", "takes 1 away, and 0 were there; 0 were taken")]
    assert differences() == []


def test_a_preview_stores_nothing(tmp_path: Path, mapping: Path, shop: SalesChannel) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(f"{HEADER}\n100,CUP,Cup,2,3.50,2024-07-01 10:00,17,France\n")
    assert cli.run(["import", "orders", str(path), "--channel", shop.name, "--mapping", str(mapping), "--dry-run"]) == 0
    outcome = OrderFile(Wish(path, shop.name, str(mapping))).preview()
    assert (outcome.missing_channels, outcome.missing_skus) == (["Abroad"], ["CUP"])
    assert not Order.objects.exists()
    assert not Variant.objects.exists()
    assert not OrderImport.objects.exists()
    assert not StockLocation.objects.exists()


def test_without_a_mapping_the_columns_bear_the_names_of_the_fields(tmp_path: Path, shop: SalesChannel) -> None:
    attic = StockLocation.objects.create(code="attic", name="Attic")
    path = tmp_path / "plain.csv"
    path.write_text(
        "order,sku,quantity,unit_price,placed_at,email,position\n"
        "7,CUP,1,2.50,2024-07-01T10:00:00+02:00,ann@example.com,1\n"
        "7,TEA,1,1.50,2024-07-01T10:00:00+02:00,ann@example.com,2\n"
    )
    cup = Variant.objects.create(product=Product.objects.create(title="Cup", slug="cup"), sku="CUP")
    ledger.receive([ledger.Receipt(cup.pk, attic.pk, 3)], actor="test")
    outcome = import_orders(Wish(path, shop.name))
    line = OrderLine.objects.get()
    assert (line.position, line.order.email) == (1, "ann@example.com")
    assert line.order.customer is not None
    assert line.order.customer.email == "ann@example.com"
    assert outcome.counts["refused"] == 1
    assert refused(path) == [("3", "sku", "there is no such SKU")]


GOOD = "100,CUP,Cup,1,2.00,2024-07-01 10:00,,"
BAD_LINES = {
    "a price of NaN": ("101,CUP,Cup,1,NaN,2024-07-01 10:00,,", "Price", '"NaN" is not an amount'),
    "a comma in a price": ('101,CUP,Cup,1,"2,50",2024-07-01 10:00,,', "Price", "decimal_comma = true"),
    "a price too fine": ("101,CUP,Cup,1,2.00001,2024-07-01 10:00,,", "Price", "four digits"),
    "a negative price of goods": ("101,CUP,Cup,1,-2,2024-07-01 10:00,,", "Price", "goods cost 0 or more"),
    "a wrong date": ("101,CUP,Cup,1,2.00,1 July,,", "When", "is no date of the form %Y-%m-%d %H:%M"),
    "no date": ("101,CUP,Cup,1,2.00,,,", "When", "is empty"),
    "half a unit": ("101,CUP,Cup,0.5,2.00,2024-07-01 10:00,,", "Units", "no whole number of units"),
    "no units": ("101,CUP,Cup,0,2.00,2024-07-01 10:00,,", "Units", "a line has units"),
    "a negative line with a price": ("101,CUP,Cup,-1,2.00,2024-07-01 10:00,,", "Units", "no cancellation"),
    "no SKU": ("101,,Cup,1,2.00,2024-07-01 10:00,,", "Code", "is empty"),
    "no order": (",CUP,Cup,1,2.00,2024-07-01 10:00,,", "Invoice", "is empty"),
    "too many cells": ("101,CUP,Cup,1,2.00,2024-07-01 10:00,,,surplus", "", ""),
    "a SKU too long": (f"101,{'X' * 101},Cup,1,2.00,2024-07-01 10:00,,", "Code", "longer than 100"),
}


@pytest.mark.parametrize(("line", "column", "reason"), BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_is_refused_and_the_others_come_in(
    tmp_path: Path, bring_in: Import, line: str, column: str, reason: str
) -> None:
    outcome = bring_in(GOOD, line, "102,CUP,Cup,1,2.00,2024-07-01 10:00,,")
    assert set(Order.objects.values_list("external_id", flat=True)) == {"100", "102"}
    [(number, at, why)] = refused(tmp_path / "orders.csv")
    assert number == "3"
    assert column in at
    assert reason in why
    assert outcome.report == tmp_path / "orders.refused.csv"


def test_a_price_of_nan_in_parquet_is_refused_with_its_row(tmp_path: Path, mapping: Path, shop: SalesChannel) -> None:
    path = tmp_path / "orders.parquet"
    rows_of_file = [
        {"Invoice": "1", "Code": "CUP", "What": None, "Units": 1, "Price": price, "When": datetime(2024, 7, 1, 10, 0),  # noqa: DTZ001
         "Who": 17.0, "Where": None} for price in (2.0, float("nan"))
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows_of_file), path)
    import_orders(Wish(path, shop.name, str(mapping)))
    assert refused(path) == [("2", "Price", '"nan" is not an amount')]
    customer = Order.objects.get().customer
    assert customer is not None
    assert customer.identities.get().value == "old:17"


def test_a_currency_that_the_channel_does_not_have_is_refused(
    tmp_path: Path, mapping: Path, shop: SalesChannel
) -> None:
    mapping.write_text(MAPPING.replace('country = "Where"', 'country = "Where"\ncurrency = "Coin"'))
    path = tmp_path / "orders.csv"
    path.write_text(
        f"{HEADER},Coin\n1,CUP,Cup,1,2,2024-07-01 10:00,,,EUR\n2,CUP,Cup,1,2,2024-07-01 10:00,,,USD\n"
        "3,CUP,Cup,1,2,2024-07-01 10:00,,,XXQ\n"
    )
    import_orders(Wish(path, shop.name, str(mapping)))
    (first, second) = refused(path)
    assert first == ("3", "Coin", "is not the currency of the channel Old shop, which is EUR")
    assert second[:2] == ("4", "Coin")
    assert 'unknown currency "XXQ"' in second[2]


def test_a_line_of_an_unknown_channel_is_refused(tmp_path: Path, shop: SalesChannel) -> None:
    StockLocation.objects.create(code="attic", name="Attic")
    Variant.objects.create(product=Product.objects.create(title="Cup", slug="cup"), sku="CUP")
    path = tmp_path / "orders.csv"
    path.write_text(
        "order,sku,quantity,unit_price,placed_at,channel\n1,CUP,1,2,2024-07-01 10:00,\n"
        "2,CUP,1,2,2024-07-01 10:00,old-shop\n3,CUP,1,2,2024-07-01 10:00,Bazaar\n"
    )
    import_orders(Wish(path, shop.name))
    assert set(Order.objects.values_list("external_id", flat=True)) == {"1", "2"}
    assert refused(path) == [("4", "channel", "there is no such channel")]


def test_the_command_tells_the_first_refused_lines_with_file_line_and_column(
    tmp_path: Path, mapping: Path, shop: SalesChannel, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(f"{HEADER}\n100,CUP,Cup,1,NaN,2024-07-01 10:00,,\n")
    assert cli.run(["import", "orders", str(path), "--channel", shop.name, "--mapping", str(mapping)]) == 1
    said = capsys.readouterr().err
    assert f'{path}, line 2, column "Price" (NaN): "NaN" is not an amount' in said
    assert f"1 row is in the report, with the reason: {tmp_path / 'orders.refused.csv'}" in said


def test_a_broken_parquet_file_stores_nothing(tmp_path: Path, mapping: Path, shop: SalesChannel) -> None:
    path = tmp_path / "orders.parquet"
    many: dict[str, list[Any]] = {"Invoice": [str(n) for n in range(50_000)], "Code": [f"S{n}" for n in range(50_000)]}
    many |= {"Units": [1] * 50_000, "Price": [1.0] * 50_000, "When": ["2024-07-01 10:00"] * 50_000}
    many |= {"What": ["x"] * 50_000, "Who": ["1"] * 50_000, "Where": [""] * 50_000}
    pq.write_table(pa.table(many), path)
    whole = path.read_bytes()
    path.write_bytes(whole[:2000] + b"\x00" * 3000 + whole[5000:])
    with pytest.raises(UserError, match=r"orders\.parquet is not a whole Parquet file"):
        import_orders(Wish(path, shop.name, str(mapping), batch_rows=1_000))
    assert not Order.objects.exists()
    assert not Variant.objects.exists()


def test_a_mistake_ends_in_one_line(
    tmp_path: Path, mapping: Path, shop: SalesChannel, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("Invoice,Code\n1,CUP\n")
    assert cli.run(["import", "orders", str(path), "--channel", shop.name, "--mapping", str(mapping)]) == 2
    said = capsys.readouterr().err.strip()
    assert said.count("\n") == 0
    assert "orders.csv, line 1: there is no column 'Units' for the field quantity" in said


def test_an_unknown_channel_or_location_is_told_before_anything_is_read(
    tmp_path: Path, shop: SalesChannel, bring_in: Import
) -> None:
    with pytest.raises(UserError, match="there is no stock location 'moon'; the locations are: none yet"):
        bring_in(GOOD, location="moon")
    path = tmp_path / "orders.csv"
    with pytest.raises(UserError, match=r"there is no channel 'Nowhere'; the channels are: Old shop \(old-shop\)"):
        import_orders(Wish(path, "Nowhere"))


def test_who_bought_long_ago_is_valued_and_sorted_when_the_import_ends(bring_in: Import) -> None:
    segments.restate()
    line = "100,cup,Cup,2,3.50,2024-07-01 10:00,17,Germany"
    bring_in(line, name="once.csv")
    bring_in(line, "101,cup,Cup,1,3.50,2024-08-01 10:00,17,Germany", name="twice.csv")
    assert segments.refresh() == 0  # what happened long ago is no news
    (waiting,) = ProcrastinateJob.objects.filter(status="todo", task_name__startswith="analytics.")
    declared()[waiting.task_name].run()
    buyer = OmnichannelCustomer.objects.get()
    assert (buyer.segment, CustomerValue.objects.get(person=buyer).orders) == ("regular", 2)
