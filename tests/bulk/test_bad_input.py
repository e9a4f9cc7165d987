"""Bad input of every kind: the message names file, line and column, and nothing is half-stored."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finalmarket import cli
from finalmarket.bulk.tables import rows
from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import ListingPrice, SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.stock.models import StockItem, StockLocation, StockMovement
from tests.bulk.conftest import WriteFile

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cup")]


def refused(path: Path) -> list[tuple[str, str, str]]:
    """Line, column and reason of every row in the report beside a file."""
    report = path.with_name(f"{path.stem}.refused.csv")
    return [(row["refused_line"], row["refused_column"], row["refused_reason"]) for row in rows(report)]


def stored_prices() -> dict[tuple[str, str], Decimal]:
    return {
        (price.variant.sku, price.currency): price.amount for price in VariantPrice.objects.select_related("variant")
    }


BEFORE = {("CUP", "EUR"): Decimal("9.50")}


def test_an_unknown_sku_is_refused_with_the_one_that_differs_by_case(
    write: WriteFile, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("prices.csv", "sku,currency,price", "MUG,EUR,4", "cup,EUR,5", "CUP,EUR,6")
    assert cli.run(["import", "prices", str(path)]) == 1
    assert refused(path) == [
        ("2", "sku", "there is no such SKU"),
        ("3", "sku", "there is no such SKU; there is CUP"),
    ]
    assert f'{path}, line 2, column "sku" (MUG): there is no such SKU' in capsys.readouterr().err
    assert stored_prices() == {("CUP", "EUR"): Decimal(6)}


def test_negative_stock_is_refused(write: WriteFile, london: StockLocation, cup: Variant) -> None:
    path = write("stock.csv", "sku,location,on_hand", "CUP,LON,-3")
    assert cli.run(["import", "stock", str(path)]) == 1
    assert refused(path) == [("2", "on_hand", "is negative; it must be a whole number of units from 0")]
    assert not StockItem.objects.exists()
    assert not StockMovement.objects.exists()


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("CUP,PARIS,3", "location", "there is no such location; make it first, or use --create-locations"),
        ("CUP,LON,1.5", "on_hand", "must be a whole number of units from 0, without fractions"),
        ("CUP,LON,many", "on_hand", "is not a whole number of units from 0"),
        ("CUP,LON,", "on_hand", "is empty; a value is required"),
        ("CUP,LON,99999999999999999999", "on_hand", "is beyond any amount"),
    ],
)
def test_stock_that_cannot_be_is_refused(
    line: str, column: str, reason: str, write: WriteFile, london: StockLocation
) -> None:
    path = write("stock.csv", "sku,location,on_hand", line)
    assert cli.run(["import", "stock", str(path)]) == 1
    ((number, name, why),) = refused(path)
    assert (number, name) == ("2", column)
    assert why.startswith(reason)
    assert not StockItem.objects.exists()


def test_a_currency_that_the_channel_does_not_have_is_refused(
    write: WriteFile, web: SalesChannel, cup: Variant
) -> None:
    web.add_product(cup.product)
    path = write("prices.csv", "sku,currency,price", "CUP,USD,4")
    assert cli.run(["import", "prices", str(path), "--channel", "web shop"]) == 1
    assert refused(path) == [("2", "currency", "Web shop sells in EUR, not in USD")]

    path = write("listings.csv", "channel,sku,price,currency", "web-shop,CUP,4,USD")
    assert cli.run(["import", "listings", str(path)]) == 1
    assert refused(path) == [("2", "currency", "Web shop sells in EUR, not in USD")]
    assert not ListingPrice.objects.exists()


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        ("NaN", "is not an amount"),
        ("Infinity", "is not an amount"),
        ("1e99", "is beyond any amount"),
        ('"9,99"', "is not an amount: digits with a point are expected, such as 12.50; write a point, not a comma"),
        ("-1", "is negative"),
        ("0.00001", "has more than four digits"),
        ("99999999999", "is beyond any price"),
        ("", "is empty"),
        ("=1+1", "is not an amount"),
    ],
)
def test_a_price_that_is_none_is_refused(price: str, reason: str, write: WriteFile) -> None:
    path = write("prices.csv", "sku,currency,price", f"CUP,EUR,{price}")
    assert cli.run(["import", "prices", str(path)]) == 1
    ((line, column, why),) = refused(path)
    assert (line, column) == ("2", "price")
    assert why.startswith(reason)
    assert stored_prices() == BEFORE


@pytest.mark.parametrize("price", [float("nan"), float("inf"), None])
def test_a_price_of_nan_in_parquet_is_refused(price: float | None, tmp_path: Path) -> None:
    path = tmp_path / "prices.parquet"
    pq.write_table(pa.table({"sku": ["CUP", "CUP"], "currency": ["USD", "EUR"], "price": [price, 7.1]}), path)
    assert cli.run(["import", "prices", str(path)]) == 1
    ((line, column, _),) = refused(path)
    assert (line, column) == ("1", "price")
    assert stored_prices() == {("CUP", "EUR"): Decimal("7.1")}


FAULTS: dict[str, tuple[bytes, str]] = {
    "half a file": (b"sku,currency,price\nCUP,EUR,5\nCUP,US", 'line 3, column "currency"'),
    "half a quote": (b'sku,currency,price\nCUP,EUR,5\n"CUP,USD,4\n', 'line 3, column "sku"'),
    "10 MB in one cell": (b"sku,currency,price\nCUP,EUR,5\n" + b"C" * 10_000_000 + b",USD,4\n", 'line 3, column "sku"'),
    "wrong encoding": (b"sku,currency,price\nCUP,EUR,5\nK\xe4se,USD,4\n", 'line 3, column "sku"'),
    "header missing": (b"CUP,EUR,5\nCUP,USD,4\n", 'line 1, column "CUP"'),
    "column missing": (b"sku,price\nCUP,5\n", "line 1: the column currency is missing"),
    "column misspelt": (b"sku,currency,prise\nCUP,EUR,5\n", 'line 1, column "prise": there is no such column; did you'),
    "column twice": (b"sku,currency,price,Price\nCUP,EUR,5,6\n", 'line 1, column "Price": two columns'),
    "nothing": (b"", "is empty"),
    "broken Parquet": (b"PAR1" + b"\xff" * 500, "not a whole Parquet file"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_cannot_be_read_stores_nothing(
    fault: str, write: WriteFile, capsys: pytest.CaptureFixture[str]
) -> None:
    raw, told = FAULTS[fault]
    path = write("prices.csv", raw=raw)
    assert cli.run(["import", "prices", str(path)]) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"finalmarket: error: {path}")
    assert told in message
    assert message.count("\n") == 1
    assert stored_prices() == BEFORE


def test_a_parquet_file_that_breaks_in_the_middle_stores_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "prices.parquet"
    count = 30_000
    currencies = ["EUR"] + ["USD"] * (count - 1)
    table = pa.table({"sku": ["CUP"] * count, "currency": currencies, "price": [float(n) for n in range(count)]})
    pq.write_table(table, path, row_group_size=5_000, use_dictionary=False, compression="none")
    raw = bytearray(path.read_bytes())
    middle = len(raw) // 2
    raw[middle : middle + 2_000] = b"\xff" * 2_000
    path.write_bytes(raw)
    assert cli.run(["import", "prices", str(path)]) in {1, 2}
    assert str(path) in capsys.readouterr().err
    assert stored_prices().keys() == BEFORE.keys()


def test_two_rows_for_one_sku_that_disagree_are_both_refused(write: WriteFile, cup: Variant) -> None:
    path = write("prices.csv", "sku,currency,price", "CUP,EUR,5", "CUP,USD,6", "CUP,EUR,7")
    assert cli.run(["import", "prices", str(path)]) == 1
    why = "line {} says something else of the same SKU and currency; neither is taken"
    assert refused(path) == [("2", "sku", why.format(4)), ("4", "sku", why.format(2))]
    assert stored_prices() == {**BEFORE, ("CUP", "USD"): Decimal(6)}

    path = write("products.csv", "sku,title", "CUP,Cup", "CUP,Mug")
    assert cli.run(["import", "products", str(path)]) == 1
    assert [line for line, _, _ in refused(path)] == ["2", "3"]


def test_two_rows_that_agree_count_once(write: WriteFile, capsys: pytest.CaptureFixture[str]) -> None:
    path = write("prices.csv", "sku,currency,price", "CUP,EUR,5", "CUP,EUR,5.00")
    assert cli.run(["import", "prices", str(path)]) == 0
    assert "0 created, 1 changed, 0 unchanged, 1 repeated in the file, 0 refused" in capsys.readouterr().out


@pytest.mark.parametrize("sku", ["☕", "👩‍👩‍👧", "Käse 1/2", "茶-01", "'=CUP"])
def test_any_printable_sku_is_fine_emoji_too(sku: str, write: WriteFile) -> None:
    path = write("products.csv", "sku,title", f"{sku},Something nice")
    assert cli.run(["import", "products", str(path)]) == 0
    assert Variant.objects.filter(sku=sku.removeprefix("'")).exists()


@pytest.mark.parametrize("sku", ['"A\nB"', "A\tB", "A\x7fB", "A\u2028B", "x" * 101])
def test_a_sku_with_control_characters_or_of_more_than_100_is_refused(sku: str, write: WriteFile) -> None:
    path = write("products.csv", "sku,title", f"{sku},Something nice")
    assert cli.run(["import", "products", str(path)]) == 1
    ((line, column, _),) = refused(path)
    assert (line, column) == ("2", "sku")
    assert Variant.objects.count() == 1


@pytest.mark.parametrize(
    ("header", "line", "column"),
    [
        ("sku,title", "NEW,", "title"),
        ("sku,title,options", "NEW,New,Size", "options"),
        ("sku,title,attributes", 'NEW,New,"[1]"', "attributes"),
        ("sku,title,attributes", r'NEW,New,"{""a"": ""\u0000""}"', "attributes"),
        ("sku,title,attributes", r'NEW,New,"{""a"": ""\ud800""}"', "attributes"),
        ("sku,title,attributes", 'NEW,New,"{""a"": NaN}"', "attributes"),
        ("sku,title,attributes", 'NEW,New,"' + '{""a"":' * 5_000 + '"', "attributes"),
        ("sku,title,images", "NEW,New,javascript:alert(1)", "images"),
        ("sku,title,images", "NEW,New,http://[x", "images"),
        ("sku,title,origin_country", "NEW,New,XX", "origin_country"),
        ("sku,title,hs_code", "NEW,New,6109.10", "hs_code"),
        ("sku,title,weight_grams", "NEW,New,-1", "weight_grams"),
        ("sku,title,is_active", "NEW,New,maybe", "is_active"),
        ("sku,title,status", "NEW,New,gone", "status"),
        ("sku,title,category", "NEW,New,Home > > Cups", "category"),
        ("sku,title,product", "NEW,New,with blanks", "product"),
        ("sku,title,components", "NEW,New,NEW*2", "components"),
        ("sku,title,components", "NEW,New,NONE*2", "components"),
        ("sku,title,components", "NEW,New,CUP*0", "components"),
        ("sku,title", "NEW,New,one cell more", "title"),
    ],
)
def test_a_product_that_cannot_be_is_refused(header: str, line: str, column: str, write: WriteFile) -> None:
    path = write("products.csv", header, line)
    assert cli.run(["import", "products", str(path)]) == 1
    assert [found[:2] for found in refused(path)] == [("2", column)]
    assert Product.objects.count() == 1


@pytest.mark.parametrize(
    ("header", "line", "column"),
    [
        ("name,email", "Ann,ann(at)example.com", "email"),
        ("name,phone", "Ann,030 123456", "phone"),
        ("name,phone,country", "Ann,12,DE", "phone"),
        ("name,email,language", "Ann,ann@example.com,deutsch!", "language"),
        ("name,email,consents", "Ann,ann@example.com,newsletter=perhaps", "consents"),
        ("name,email,preferences", 'Ann,ann@example.com,"{""nowhere"": {}}"', "preferences"),
        ("name,email", "Ann,", "email"),
        ("customer,name", "999,Ann", "customer"),
    ],
)
def test_a_customer_that_cannot_be_is_refused(header: str, line: str, column: str, write: WriteFile) -> None:
    path = write("customers.csv", header, line)
    assert cli.run(["import", "customers", str(path)]) == 1
    assert [found[:2] for found in refused(path)] == [("2", column)]
    assert not OmnichannelCustomer.objects.exists()


def test_one_refused_row_refuses_the_file_when_all_or_nothing_is_asked_for(
    write: WriteFile, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("prices.csv", "sku,currency,price", "CUP,EUR,5", "CUP,USD,x")
    assert cli.run(["import", "prices", str(path), "--all-or-nothing"]) == 1
    assert stored_prices() == BEFORE
    assert "nothing was stored" in capsys.readouterr().out
    assert [line for line, _, _ in refused(path)] == ["3"]


def test_an_unknown_channel_is_told_with_those_there_are(
    write: WriteFile, web: SalesChannel, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("prices.csv", "sku,price", "CUP,5")
    assert cli.run(["import", "prices", str(path), "--channel", "shop"]) == 2
    assert "there is no channel 'shop'; the channels are: Web shop (web-shop)" in capsys.readouterr().err


def test_rows_of_a_form_are_held_to_the_same_rules(cup: Variant) -> None:
    from finalmarket.bulk import prices

    given: list[dict[str, Any]] = [
        {"sku": "CUP", "currency": "EUR", "price": Decimal("7.25")},
        {"sku": "CUP", "currency": "USD", "price": 7.5},
        {"sku": "CUP", "currency": "GBP", "price": True},
        {"sku": "CUP", "currency": "euro", "price": "1"},
    ]
    with prices.plan(given) as plan:
        assert [(line, problem.column) for line, problem in plan.refusals()] == [(3, "price"), (4, "currency")]
        plan.apply()
    assert stored_prices() == {("CUP", "EUR"): Decimal("7.25"), ("CUP", "USD"): Decimal("7.5")}
