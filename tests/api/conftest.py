from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from finalmarket.access import rates
from finalmarket.catalog.models import Product, Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order
from tests.orders.market import draft, line


@dataclass
class House:
    """Two channels and a customer."""

    web: SalesChannel
    till: SalesChannel
    ann: OmnichannelCustomer


def open_house() -> House:
    """Set it up."""
    ann = resolve(Contact(name="Ann Lee", email="ann@example.com"), source="test")
    assert ann is not None
    channel = SalesChannel.objects.create
    return House(
        channel(name="Web shop", channel_type="web", country="DE"),
        channel(name="Till", channel_type="store", country="DE"),
        ann,
    )


def bought(channel: SalesChannel, number: str, email: str) -> Order:
    """Somebody has ordered a tea, whatever lies in stock."""
    product, _ = Product.objects.get_or_create(slug="tea", defaults={"title": "Tea"})
    Variant.objects.get_or_create(product=product, sku="TEA")
    return take(draft(channel, number, line("TEA"), email=email, happened=True)).order


@pytest.fixture(autouse=True)
def _full_buckets() -> Iterator[None]:
    rates.forget()
    yield
    rates.forget()


@pytest.fixture
def house(db: None) -> House:
    """A house within a transaction."""
    return open_house()
