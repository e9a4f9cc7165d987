"""Refused rows of a file of orders are mended, in the report or in the file: no line is doubled, and none is lost."""

from __future__ import annotations

import csv
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finalmarket.bulk.orders import Outcome, Wish, import_orders
from finalmarket.catalog.models import Product, Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import Order, OrderLine, ReturnLine
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
[cancellations]
prefix = "C"
[stock_adjustments]
negative_lines = true
"""
HEADER = "Invoice,Code,What,Units,Price,When,Who"
Import = Callable[..., Outcome]


@pytest.fixture
def shop() -> SalesChannel:
    """A shop with a hundred cups, mugs and pots on its shelf."""
    shelf = StockLocation.objects.create(code="attic", name="Attic")
    for sku in ("CUP", "MUG", "POT"):
        variant = Variant.objects.create(product=Product.objects.create(title=sku, slug=sku.lower()), sku=sku)
        ledger.receive([ledger.Receipt(variant.pk, shelf.pk, 100)], actor="test")
    return SalesChannel.objects.create(name="Old shop", channel_type="web", currency="EUR")


@pytest.fixture
def bring_in(tmp_path: Path, shop: SalesChannel) -> Import:
    """Imports a file of these lines, or the file of that name where no lines are given."""

    def bring_in(
        *lines: str, name: str = "orders.csv", mapping: str = MAPPING, header: str = HEADER, **given: Any
    ) -> Any:
        (tmp_path / "mapping.toml").write_text(mapping)
        if lines:
            encoding = given.pop("encoding", "utf-8")
            (tmp_path / name).write_text("\n".join([header, *lines]) + "\n", encoding=encoding)
        return import_orders(Wish(tmp_path / name, shop.name, str(tmp_path / "mapping.toml"), **given))

    return bring_in


@pytest.fixture
def mend(tmp_path: Path) -> Callable[..., list[dict[str, str]]]:
    """Writes other cells into the rows of a report, as a person does in a spreadsheet; returns what stood there."""

    def mend(name: str = "orders.refused.csv", **cells: str) -> list[dict[str, str]]:
        path = tmp_path / name
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names, found = list(reader.fieldnames or ()), list(reader)
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, names, extrasaction="ignore")
            writer.writeheader()
            writer.writerows({**row, **cells} for row in found)
        return found

    return mend


Mend = Callable[..., list[dict[str, str]]]
LINES = (
    "7,CUP,Cup,1,2.00,2024-07-01 10:00,17",
    "7,MUG,Mug,2,3.00,2024-07-01 10:00,17",
    "7,POT,Pot,3,4.00,2024-07-01 10:00,17",
)


def lines_of(order: str) -> list[tuple[str, int]]:
    found = OrderLine.objects.filter(order__external_id=order).order_by("position")
    return [(line.sku, line.quantity) for line in found]


def on_hand() -> dict[str, int]:
    return dict(StockItem.objects.values_list("variant__sku", "on_hand"))


def is_whole() -> None:
    """The order has its three lines, once each, its total and what left the shelf."""
    assert sorted(lines_of("7")) == [("CUP", 1), ("MUG", 2), ("POT", 3)]
    order = Order.objects.get(external_id="7")
    assert (order.total, order.payments.get().amount) == (20, 20)
    assert on_hand() == {"CUP": 99, "MUG": 98, "POT": 97}
    assert StockMovement.objects.filter(kind="sale").count() == 3
    assert differences() == []


def with_wrong(turn: int, old: str, new: str) -> list[str]:
    return [line.replace(old, new) if number == turn else line for number, line in enumerate(LINES)]


@pytest.mark.parametrize("turn", [0, 1, 2])
@pytest.mark.parametrize("wrong", [("2024-07-01 10:00", "soon"), ("7,", "7,NO")], ids=["unreadable", "unknown SKU"])
def test_a_line_mended_in_the_report_joins_its_order_and_the_mended_file_adds_nothing(
    bring_in: Import, mend: Mend, turn: int, wrong: tuple[str, str]
) -> None:
    assert bring_in(*with_wrong(turn, *wrong), "8,CUP,Cup,0,2.00,2024-07-01 10:00,17").counts["refused"] == 2
    assert [one for one in lines_of("7") if one[0] == LINES[turn][2:5]] == []
    sku = LINES[turn][2:5]
    (row, other) = mend(Code=sku, When="2024-07-01 10:00")
    assert (row["refused_line"], row["refused_order"], row["refused_position"]) == (str(turn + 2), "7", str(turn))
    assert (other["refused_order"], other["refused_position"]) == ("8", "0")
    assert bring_in(name="orders.refused.csv").counts["new_lines"] == 1
    is_whole()
    assert bring_in(*LINES, name="mended.csv").counts["new_lines"] == 0
    is_whole()


MISFITS = {
    "a cell too many": ("2024-07-01", "2024,07-01"),
    "a cell too few": (",2024-07-01 10:00,17", ",2024-07-01 10:00"),
}


@pytest.mark.parametrize("batch_rows", [1, 2, 10])
@pytest.mark.parametrize("turn", [0, 1, 2])
@pytest.mark.parametrize("wrong", ["a cell too many", "a cell too few"])
def test_a_row_of_the_wrong_width_keeps_its_turn_until_the_file_is_mended(
    bring_in: Import, turn: int, wrong: str, batch_rows: int
) -> None:
    assert bring_in(*with_wrong(turn, *MISFITS[wrong]), batch_rows=batch_rows).counts["refused"] == 1
    assert len(lines_of("7")) == 2
    assert bring_in(*LINES, name="mended.csv", batch_rows=batch_rows).counts["new_lines"] == 1
    is_whole()


@pytest.mark.parametrize("turn", [0, 1, 2])
def test_a_row_of_the_wrong_width_is_mended_in_the_report(tmp_path: Path, bring_in: Import, turn: int) -> None:
    bring_in(*with_wrong(turn, *MISFITS["a cell too many"]))
    report = tmp_path / "orders.refused.csv"
    report.write_text(report.read_text("utf-8-sig").replace("2024,07-01", "2024-07-01"), "utf-8-sig")
    bring_in(name="orders.refused.csv")
    is_whole()
    assert bring_in(*LINES, name="mended.csv").counts["new_lines"] == 0


def test_a_row_whose_order_is_not_known_is_mended_in_the_report_and_says_so(bring_in: Import, mend: Mend) -> None:
    broken = with_wrong(1, "7,MUG", ",MUG")
    bring_in(*broken)
    (row,) = mend(Invoice="7")
    assert row["refused_reason"].startswith("is empty; mend this row in the report and import that, not in the file")
    assert row["refused_order"] == ""
    for _ in range(2):
        bring_in(name="orders.refused.csv")
        is_whole()
    bring_in(*broken)  # the file as it was changes nothing
    is_whole()
    assert [sku for sku, _ in lines_of("7")] == ["CUP", "POT", "MUG"]


def test_a_misfit_whose_order_was_misread_is_not_taken_for_a_line_that_is_there(bring_in: Import, mend: Mend) -> None:
    """Its title holds a comma and stands before the order's number: a part of it was taken for the number."""
    header = "What,Invoice,Code,Units,Price,When,Who"
    rows = ["Cup,7,CUP,1,2.00,2024-07-01 10:00,17", "Mug, 7,7,MUG,2,3.00,2024-07-01 10:00,17",
            "Pot,7,POT,3,4.00,2024-07-01 10:00,17", "Big, blue,7,CUP,5,2.00,2024-07-01 10:00,17"]  # fmt: skip
    bring_in(*rows, header=header)
    mended = {"Invoice": "7", "Units": "5", "Code": "CUP", "What": "Big, blue", "Price": "2.00", "Who": "17"}
    (first, second) = mend(When="2024-07-01 10:00", **mended)
    assert (first["refused_order"], second["refused_order"]) == ("7", "blue")
    bring_in(name="orders.refused.csv")
    assert lines_of("7") == [("CUP", 1), ("CUP", 5), ("POT", 3), ("CUP", 5)]
    bring_in(name="orders.refused.csv")
    assert len(lines_of("7")) == 4


def test_a_cancellation_and_a_correction_mended_in_the_report_are_booked_once(bring_in: Import, mend: Mend) -> None:
    back = ["C9,CUP,Cup,-1,2.00,2024-07-02 10:00,17", "C9,MUG,Mug,-1,3.00,soon,17",
            "8,POT,lost,-1,0,2024-07-03 10:00,", "8,POT,broken,-2,0,soon,"]  # fmt: skip
    bring_in(*LINES, *back)
    mend(When="2024-07-03 10:00")
    for _ in range(2):
        bring_in(name="orders.refused.csv")
        assert list(ReturnLine.objects.order_by("position").values_list("sku", flat=True)) == ["CUP", "MUG"]
        assert on_hand() == {"CUP": 100, "MUG": 99, "POT": 94}
    mended = [line.replace("soon", "2024-07-03 10:00") for line in back]
    assert bring_in(*LINES, *mended, name="mended.csv").counts["booked_before"] == 4
    assert on_hand() == {"CUP": 100, "MUG": 99, "POT": 94}
    assert differences() == []


def test_what_is_refused_again_keeps_its_place(bring_in: Import, mend: Mend) -> None:
    bring_in(*with_wrong(1, "2024-07-01 10:00", "soon"))
    mend(When="later")
    bring_in(name="orders.refused.csv")
    (row,) = mend("orders.refused.refused.csv", When="2024-07-01 10:00")
    assert [row[name] for name in ("refused_line", "refused_order", "refused_position")] == ["3", "7", "1"]
    bring_in(name="orders.refused.refused.csv")
    is_whole()


def test_the_report_on_a_file_of_another_kind_is_read_as_it_was_written(bring_in: Import, mend: Mend) -> None:
    mapping = MAPPING.replace('customer = "Who"', 'customer = "Who"\ndiscount = "Off"')
    mapping += '[file]\nencoding = "cp1252"\ndelimiter = ";"\ndecimal_comma = true\n'
    header = f"{HEADER},Off".replace(",", ";")
    rows = ["7;CUP;=Täßchen;1;2,00;2024-07-01 10:00;17;0", "7;CUP;=Täßchen;1;2,00;soon;17;-1,50"]
    bring_in(*rows, mapping=mapping, header=header, encoding="cp1252")
    mend(When="2024-07-01 10:00")
    bring_in(name="orders.refused.csv", mapping=mapping)
    assert lines_of("7") == [("CUP", 1), ("CUP", 1)]
    assert set(OrderLine.objects.values_list("title", flat=True)) == {"=Täßchen"}
    assert Order.objects.get().total == Decimal("5.50")


def test_a_position_of_the_files_own_goes_before_what_the_report_says(bring_in: Import, mend: Mend) -> None:
    mapping = MAPPING.replace('customer = "Who"', 'position = "Who"')
    lines = [line.removesuffix("17") + str(number) for number, line in enumerate(LINES, start=1)]
    bring_in(lines[0], lines[2], lines[1].replace("10:00", "noon"), mapping=mapping)
    mend(When="2024-07-01 10:00")
    bring_in(name="orders.refused.csv", mapping=mapping)
    is_whole()
    assert list(OrderLine.objects.order_by("position").values_list("position", flat=True)) == [1, 2, 3]


def test_a_report_that_lost_the_places_of_its_lines_is_refused_whole(tmp_path: Path, bring_in: Import) -> None:
    bring_in(*with_wrong(1, "2024-07-01 10:00", "soon"))
    report = tmp_path / "orders.refused.csv"
    report.write_text(report.read_text("utf-8-sig").replace("refused_position", "x"), "utf-8-sig")
    with pytest.raises(UserError, match=r"this report of refused rows lacks refused_position, which say where"):
        bring_in(name="orders.refused.csv")
    assert len(lines_of("7")) == 2
