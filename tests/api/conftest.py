from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from finalmarket.access import rates
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve


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


@pytest.fixture(autouse=True)
def _full_buckets() -> Iterator[None]:
    rates.forget()
    yield
    rates.forget()


@pytest.fixture
def house(db: None) -> House:
    """A house within a transaction."""
    return open_house()
