"""What an import stores, and what its preview says beforehand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finalmarket import cli
from finalmarket.bulk import listings, prices, products, stock
from finalmarket.bulk.plan import Change, Counts
from finalmarket.catalog.models import BundleComponent, Category, Product, Variant, VariantPrice
from finalmarket.channels.models import ChannelProduct, DueChange, ListingPrice, SalesChannel
from finalmarket.kernel.errors import UserError
from finalmarket.stock import check, ledger
from finalmarket.stock.models import (
    ChannelInventory,
    ReservationLine,
    StockItem,
    StockLocation,
    StockMovement,
    StockPool,
)
from finalmarket.stock.reserve import Mode, Request, reserve
from tests.bulk.conftest import WriteFile

pytestmark = pytest.mark.django_db


def take(module: Any, *given: dict[str, Any], **options: Any) -> Counts:
    """Plan rows of one import and store them."""
    with module.plan(given, **options) as plan:
        assert list(plan.refusals()) == []
        counts: Counts = plan.apply()
    return counts


def refusals(module: Any, *given: dict[str, Any], **options: Any) -> list[tuple[int, str, str]]:
    with module.plan(given, **options) as plan:
        return [(line, problem.column, problem.reason) for line, problem in plan.refusals()]


def due(variant: Variant) -> set[str]:
    """What platforms have to be told of the listings of a variant."""
    return set(DueChange.objects.filter(listing__variant=variant).values_list("what", flat=True))


# Preview


def test_a_preview_tells_old_and_new_values_and_stores_nothing(cup: Variant) -> None:
    rows = [
        {"sku": "CUP", "currency": "EUR", "price": "10"},
        {"sku": "CUP", "currency": "USD", "price": "11.5"},
        {"sku": "MUG", "currency": "USD", "price": "1"},
    ]
    with prices.plan(rows) as plan:
        assert plan.counts == Counts(created=1, changed=1, refused=1)
        assert plan.changes() == [
            Change(1, ("CUP", "EUR"), False, (("price", "9.50", "10.00"),)),
            Change(2, ("CUP", "USD"), True, (("price", "", "11.50"),)),
        ]
    assert VariantPrice.objects.get().amount == Decimal("9.5")


def test_a_dry_run_prints_the_changes_and_stores_nothing(
    cup: Variant, write: WriteFile, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("prices.csv", "sku;currency;price", "CUP;EUR;10", "CUP;USD;11")
    assert cli.run(["import", "prices", str(path), "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "line 2: change CUP EUR: price: 9.50 -> 10.00" in told
    assert "line 3: create CUP USD: price: 11.00" in told
    assert "1 would be created, 1 would be changed, 0 unchanged, 0 refused; nothing was stored" in told
    assert VariantPrice.objects.get().amount == Decimal("9.5")


def test_a_plan_that_has_waited_is_compared_anew_before_it_is_stored(cup: Variant) -> None:
    with prices.plan([{"sku": "CUP", "currency": "EUR", "price": "10"}]) as plan:
        plan._transaction = None  # as when the plan was made in an earlier transaction
        VariantPrice.objects.update(amount=Decimal(10))
        assert plan.counts == Counts(changed=1)
        assert plan.apply() == Counts(unchanged=1)


def test_the_columns_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["import", "products", "--columns"]) == 0
    told = capsys.readouterr().out
    for column in products.Products.columns:
        assert column.name in told
        assert column.help.split()[0] in told


def test_unknown_columns_are_passed_over_only_when_asked_for(cup: Variant, write: WriteFile) -> None:
    path = write("prices.csv", "SKU,Currency,Price,Remark", "CUP,EUR,10,nice")
    assert cli.run(["import", "prices", str(path)]) == 2
    assert cli.run(["import", "prices", str(path), "--ignore-unknown"]) == 0
    assert VariantPrice.objects.get().amount == Decimal(10)


def test_a_mended_report_can_be_imported(cup: Variant, write: WriteFile) -> None:
    path = write("prices.csv", "sku,currency,price", "CUP,EUR,ten")
    assert cli.run(["import", "prices", str(path)]) == 1
    report = path.with_name("prices.refused.csv")
    report.write_text(report.read_text(encoding="utf-8-sig").replace("EUR,ten", "EUR,10"))
    assert cli.run(["import", "prices", str(report)]) == 0
    assert VariantPrice.objects.get().amount == Decimal(10)


def test_an_export_is_written_whole_or_not_at_all(
    cup: Variant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "prices.csv"
    assert cli.run(["export", "prices", str(path)]) == 0
    before = path.read_bytes()
    monkeypatch.setattr("finalmarket.bulk.export.safe", None)
    assert cli.run(["export", "prices", str(path)]) == 1
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["prices.csv"]
    assert cli.run(["export", "prices", str(tmp_path / "prices.xlsx")]) == 2
    assert cli.run(["export", "prices", str(tmp_path / "nowhere" / "prices.csv")]) == 2


# Products


def test_rows_with_one_product_name_become_variants_of_one_product() -> None:
    shared = {"product": "shirt", "title": "Shirt", "category": "Clothes > Shirts", "images": "https://a.example/1.jpg"}
    counts = take(
        products,
        {"sku": "S-M", **shared, "options": "Size=M", "weight_grams": "180", "cost": "3.10", "cost_currency": "eur"},
        {"sku": "S-L", **shared, "options": "Size=L", "weight_grams": "190"},
    )
    assert counts == Counts(created=2)
    shirt = Product.objects.get()
    assert (shirt.title, shirt.slug, str(shirt.category)) == ("Shirt", "shirt", "Shirts")
    assert shirt.options == [{"name": "Size", "values": ["M", "L"]}]
    assert [image.url for image in shirt.images.all()] == ["https://a.example/1.jpg"]
    assert list(shirt.variants.values_list("sku", "weight_grams", "cost", "cost_currency", "tax_class")) == [
        ("S-M", 180, Decimal("3.1"), "EUR", "standard"),
        ("S-L", 190, None, "", "standard"),
    ]
    assert list(Category.objects.values_list("name", "parent__name").order_by("id")) == [
        ("Clothes", None),
        ("Shirts", "Clothes"),
    ]
    assert StockPool.objects.count() == 2


def test_an_absent_column_leaves_alone_and_an_empty_cell_empties(cup: Variant) -> None:
    Product.objects.update(brand="Potter", description="Round")
    assert take(products, {"sku": "CUP", "brand": ""}) == Counts(changed=1)
    product = Product.objects.get()
    assert (product.title, product.brand, product.description) == ("Cup", "", "Round")


def test_rows_of_one_product_that_disagree_about_it_are_refused(cup: Variant) -> None:
    assert [line for line, _, _ in refusals(
        products,
        {"sku": "A", "product": "shirt", "title": "Shirt"},
        {"sku": "B", "product": "shirt", "title": "Blouse"},
        {"sku": "C", "product": "coat", "title": "Coat"},
    )] == [1, 2]  # fmt: skip


def test_a_new_sku_without_a_product_never_joins_a_product_that_happens_to_have_its_name(cup: Variant) -> None:
    Product.objects.create(title="Tray", slug="tray")
    assert [column for _, column, _ in refusals(products, {"sku": "tray", "title": "Another"})] == ["sku"]
    take(products, {"sku": "TRAY", "title": "Big tray"}, {"sku": "Tray", "title": "Small tray"})
    assert Product.objects.count() == 4


def test_a_picture_that_stays_keeps_its_description(house: None) -> None:
    sku = "-SHIRT M 👕"
    take(products, {"sku": sku, "images": "https://example.com/3.jpg https://example.com/1.jpg"})
    images = Product.objects.get(slug="shirt").images.order_by("position")
    assert [(image.url, image.alt_text) for image in images] == [
        ("https://example.com/3.jpg", ""),
        ("https://example.com/1.jpg", "front"),
    ]


def test_a_bundle_may_be_made_of_skus_of_the_same_file(cup: Variant) -> None:
    take(
        products,
        {"sku": "SET", "title": "Set", "components": "CUP*6; TRAY"},
        {"sku": "TRAY", "title": "Tray", "components": ""},
    )
    parts = BundleComponent.objects.filter(bundle__sku="SET").order_by("component__sku")
    assert [(part.component.sku, part.quantity) for part in parts] == [("CUP", 6), ("TRAY", 1)]
    take(products, {"sku": "SET", "components": "CUP*4"})
    assert [(part.component.sku, part.quantity) for part in parts.all()] == [("CUP", 4)]


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([{"sku": "A", "title": "A", "components": "B"}, {"sku": "B", "title": "B", "components": "A"}], [1, 2]),
        ([{"sku": "A", "title": "A", "components": "B"}, {"sku": "B", "title": "", "components": ""}], [1, 2]),
        ([{"sku": "A", "title": "A", "components": "SET"}], [1]),
        ([{"sku": "CUP", "title": "Cup", "components": "-SHIRT M 👕"}], [1]),
    ],
    ids=["in a circle", "of a refused row", "of a bundle", "of a component with stock"],
)
def test_a_bundle_that_cannot_be_is_refused(rows: list[dict[str, str]], lines: list[int], house: None) -> None:
    before = list(BundleComponent.objects.values_list("bundle", "component", "quantity"))
    with products.plan(rows) as plan:
        assert [line for line, _ in plan.refusals()] == lines
        plan.apply()
    assert list(BundleComponent.objects.values_list("bundle", "component", "quantity")) == before


def test_what_platforms_show_of_a_changed_product_is_due(cup: Variant, web: SalesChannel) -> None:
    web.add_product(cup.product)
    DueChange.objects.all().delete()
    take(products, {"sku": "CUP", "title": "Cup"})
    assert due(cup) == set()
    take(products, {"sku": "CUP", "title": "Big cup"})
    assert due(cup) == {"content"}


# Prices and listings


def test_a_changed_price_is_due_where_the_listing_shows_it(cup: Variant, web: SalesChannel) -> None:
    web.add_product(cup.product)
    till = SalesChannel.objects.create(name="Till", channel_type="store", currency="EUR")
    till.add_product(cup.product, price_override=Decimal(8))
    dollars = SalesChannel.objects.create(name="US", channel_type="web", currency="USD")
    dollars.add_product(cup.product)
    DueChange.objects.all().delete()
    take(prices, {"sku": "CUP", "currency": "EUR", "price": "10"})
    (row,) = DueChange.objects.all()
    assert (row.listing.sales_channel, row.what) == (web, "price")


def test_a_price_for_one_channel_goes_before_the_variants_and_an_empty_one_takes_it_away(
    cup: Variant, web: SalesChannel
) -> None:
    (listing,) = web.add_product(cup.product)
    assert take(prices, {"sku": "CUP", "price": "7"}, channel="Web shop") == Counts(changed=1)
    assert listing.price() == Decimal(7)
    assert take(prices, {"sku": "CUP", "price": ""}, channel="web-shop") == Counts(changed=1)
    assert ChannelProduct.objects.get().price() == Decimal("9.5")
    assert not ListingPrice.objects.exists()


def test_a_sku_that_is_not_listed_has_no_price_on_that_channel(cup: Variant, web: SalesChannel) -> None:
    assert refusals(prices, {"sku": "CUP", "price": "7"}, channel=web) == [
        (1, "sku", "is not listed on Web shop; list it there first")
    ]


def test_listings_are_made_with_their_price_and_inventory_and_are_due(cup: Variant, web: SalesChannel) -> None:
    row = {
        "channel": "web shop", "sku": "CUP", "price": "8", "title": "Sale cup", "publish_from": "2026-12-01",
        "publish_until": "2026-12-24T18:00+01:00",
    }  # fmt: skip
    assert take(listings, row) == Counts(created=1)
    listing = ChannelProduct.objects.get()
    assert (listing.is_available, listing.title, listing.price()) == (True, "Sale cup", Decimal(8))
    assert str(listing.publish_until) == "2026-12-24 17:00:00+00:00"
    assert ChannelInventory.objects.filter(variant=cup, sales_channel=web).exists()
    assert due(cup) == {"stock", "content", "price"}
    assert take(listings, row) == Counts(unchanged=1)


def test_bulk_edit_of_listings_changes_only_what_the_form_holds(house: None, web: SalesChannel) -> None:
    listing = ChannelProduct.objects.get(variant__sku="CUP")
    DueChange.objects.all().delete()
    rows = [{"sku": "CUP", "available": False}, {"sku": "SET", "available": True}]
    with listings.plan(rows, channel=web) as plan:
        assert [(change.key, change.is_new, change.fields) for change in plan.changes()] == [
            (("web-shop", "CUP"), False, (("available", "yes", "no"),)),
            (("web-shop", "SET"), True, (("available", "", "yes"),)),
        ]
        plan.apply()
    changed = ChannelProduct.objects.get(pk=listing.pk)
    assert (changed.is_available, changed.title, changed.price()) == (False, "'=Cup", Decimal("8.75"))
    assert due(changed.variant) == {"content"}


def test_a_window_that_would_end_before_it_begins_is_refused(cup: Variant, web: SalesChannel) -> None:
    take(listings, {"channel": "web-shop", "sku": "CUP", "publish_from": "2026-12-01"})
    assert refusals(listings, {"channel": "web-shop", "sku": "CUP", "publish_until": "2026-11-30"}) == [
        (1, "publish_until", "the listing would end before it begins")
    ]
    assert refusals(listings, {"channel": "nowhere", "sku": "CUP"}) == [(1, "channel", "there is no such channel")]


# Stock


def test_stock_goes_through_the_ledger_by_the_difference(cup: Variant, london: StockLocation) -> None:
    ledger.receive([ledger.Receipt(cup.pk, london.pk, 10)], actor="test")
    row = {"sku": "CUP", "location": "LON", "on_hand": 7, "safety": 2, "low_stock_threshold": 1}
    assert take(stock, row) == Counts(changed=1)
    item = StockItem.objects.get()
    assert (item.on_hand, item.safety, item.low_stock_threshold) == (7, 2, 1)
    moved = StockMovement.objects.exclude(on_hand_delta=0).order_by("-id").first()
    assert moved is not None
    assert (moved.kind, moved.on_hand_delta, moved.actor, moved.reason) == (
        "adjust",
        -3,
        "import",
        "stock import, safety stock 0 -> 2",
    )
    assert check.differences() == []
    assert take(stock, row) == Counts(unchanged=1)


def test_locations_are_made_only_when_asked_for(cup: Variant) -> None:
    row = {"sku": "CUP", "location": "NEW-1", "on_hand": "4"}
    assert [column for _, column, _ in refusals(stock, row)] == ["location"]
    with stock.plan([row], create_locations=True) as plan:
        assert plan.counts == Counts(created=1)
        assert not StockLocation.objects.exists()
        plan.apply()
    assert StockLocation.objects.get().code == "NEW-1"
    assert StockPool.objects.get().on_hand == 4
    assert check.differences() == []


def test_stock_below_what_is_promised_becomes_short_and_never_negative(
    cup: Variant, london: StockLocation, web: SalesChannel
) -> None:
    ledger.receive([ledger.Receipt(cup.pk, london.pk, 10)], actor="test")
    reserve([Request("a", web.pk, ((cup.pk, 8),), Mode.ALLOCATE)])
    take(stock, {"sku": "CUP", "location": "LON", "on_hand": 5})
    line = ReservationLine.objects.get()
    assert (StockPool.objects.get().on_hand, line.quantity, line.short) == (5, 5, 3)
    take(stock, {"sku": "CUP", "location": "LON", "on_hand": 9})
    assert sum(ReservationLine.objects.values_list("quantity", flat=True)) == 8
    assert sum(ReservationLine.objects.values_list("short", flat=True)) == 0
    assert check.differences() == []


def test_a_bundle_has_no_stock_to_import(house: None) -> None:
    assert [column for _, column, _ in refusals(stock, {"sku": "SET", "location": "LON", "on_hand": 1})] == ["sku"]


def test_all_or_nothing_stores_nothing_when_a_row_is_refused(cup: Variant) -> None:
    rows = [{"sku": "CUP", "currency": "EUR", "price": "1"}, {"sku": "CUP", "currency": "USD", "price": "x"}]
    with prices.plan(rows) as plan, pytest.raises(UserError, match="nothing was stored"):
        plan.apply(all_or_nothing=True)
    assert VariantPrice.objects.get().amount == Decimal("9.5")
