"""A small house to import into, and files to import."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from finalmarket.analytics.models import ExchangeRate
from finalmarket.catalog.models import BundleComponent, Category, Product, ProductImage, Variant, VariantPrice
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import ChannelPreference, Consent, CustomerIdentity, OmnichannelCustomer
from finalmarket.stock import ledger, policies
from finalmarket.stock.models import StockLocation

WriteFile = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    """Writes lines of text (or bytes) into a file of the test's folder."""

    def write(name: str, *lines: str, raw: bytes | None = None, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(raw if raw is not None else ("\n".join(lines) + "\n").encode(encoding))
        return path

    return write


@pytest.fixture
def web() -> SalesChannel:
    """A web shop that sells in euros."""
    return SalesChannel.objects.create(name="Web shop", channel_type="web", currency="EUR")


@pytest.fixture
def london() -> StockLocation:
    """A warehouse."""
    return StockLocation.objects.create(code="LON", name="London")


@pytest.fixture
def cup() -> Variant:
    """A variant CUP with a price in euros."""
    product = Product.objects.create(title="Cup", slug="cup")
    cup = Variant.objects.create(product=product, sku="CUP")
    VariantPrice.objects.create(variant=cup, currency="EUR", amount=Decimal("9.50"))
    return cup


@pytest.fixture
def house(web: SalesChannel, london: StockLocation, cup: Variant) -> None:
    """Everything that an export can hold, with values that are awkward in a spreadsheet."""
    kitchen = Category.objects.create(
        name="Kitchen", slug="kitchen", parent=Category.objects.create(name="Home", slug="home")
    )
    shirt = Product.objects.create(
        title='=SUM("a") shirt, "best"',
        slug="shirt",
        description="Two\nlines; and +more",
        brand="@brand",
        category=kitchen,
        status="draft",
        options=[{"name": "Size", "values": ["M", "L"]}],
        attributes={"material": "cotton", "care": ["30", None]},
    )
    ProductImage.objects.create(product=shirt, url="https://example.com/1.jpg", alt_text="front", position=0)
    ProductImage.objects.create(product=shirt, url="https://example.com/2.jpg", position=1)
    for size in ("M", "L"):
        Variant.objects.create(
            product=shirt, sku=f"-SHIRT {size} 👕", title=size, option_values={"Size": size}, barcode="0401234567890",
            cost=Decimal("3.1250"), cost_currency="EUR", weight_grams=180, length_mm=300, width_mm=200, height_mm=20,
            origin_country="PT", hs_code="610910", tax_class="reduced", is_active=size == "M",
        )  # fmt: skip
    bundle = Variant.objects.create(product=Product.objects.create(title="Set", slug="set"), sku="SET")
    BundleComponent.objects.create(bundle=bundle, component=cup, quantity=6)
    VariantPrice.objects.create(variant=bundle, currency="JPY", amount=Decimal("5400"), compare_at=Decimal("6000.125"))
    web.add_product(cup.product, price_override=Decimal("8.75"), title="'=Cup", attributes={"badge": "new"})
    web.add_product(shirt, available=False)
    ledger.receive([ledger.Receipt(cup.pk, london.pk, 40)], actor="test")
    policies.set_safety(cup.pk, london.pk, 3)
    policies.set_low_stock_threshold(cup.pk, london.pk, 5)
    _people(web)
    for day, quote, rate in ((1, "GBP", "0.8412"), (2, "GBP", "0.84"), (2, "JPY", "161.0000000001")):
        ExchangeRate.objects.create(base="EUR", quote=quote, date=date(2026, 3, day), rate=Decimal(rate))


def _people(web: SalesChannel) -> None:
    ann = OmnichannelCustomer.objects.create(
        name="Ann O'Hara", email="ann@example.com", phone="+4930123456", country="DE", language="de",
        attributes={"shoe_size": 38},
    )  # fmt: skip
    for kind, value in (
        ("email", ann.email), ("phone", ann.phone), ("account", "web:1"), ("account", "app:9"), ("loyalty", "L-1"),
    ):  # fmt: skip
        CustomerIdentity.objects.create(customer=ann, kind=kind, value=value)
    ChannelPreference.objects.create(customer=ann, sales_channel=web, preferences={"newsletter": "weekly"})
    for granted in (True, False):
        Consent.objects.create(customer=ann, purpose="newsletter", is_granted=granted)
    Consent.objects.create(customer=ann, purpose="sms", is_granted=True)
    OmnichannelCustomer.objects.create(name="Nobody")
