"""Orders of people who were erased, in files that come later: what they bought before stays without them, what they buy
afterwards is theirs again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from finalmarket.bulk.orders import Outcome, Wish, import_orders
from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations.privacy import erase
from finalmarket.kernel import clock
from finalmarket.orders.models import Order
from finalmarket.stock.models import StockLocation

pytestmark = pytest.mark.django_db

HEADER = "order,sku,quantity,unit_price,placed_at,name,email,phone,country,postcode,city"
WHO = "Ann Lee,ann@example.com,+49 30 123456,DE,10115,Berlin"
BEFORE, AFTER = f"100,CUP,1,2.50,2024-02-01T10:00:00Z,{WHO}", f"200,CUP,1,2.50,2024-07-10T10:00:00Z,{WHO}"
JUNE = datetime(2024, 6, 1, tzinfo=UTC)
Import = Callable[..., Outcome]


@pytest.fixture
def bring_in(tmp_path: Path, web: SalesChannel, london: StockLocation, cup: Variant) -> Import:
    """Imports lines of CSV."""

    def bring_in(*lines: str, name: str = "orders.csv", batch_rows: int = 100) -> Outcome:
        path = tmp_path / name
        path.write_text("\n".join([HEADER, *lines]) + "\n")
        return import_orders(Wish(path, web.name, batch_rows=batch_rows))

    return bring_in


@pytest.fixture
def erased() -> OmnichannelCustomer:
    """The number that Ann left behind when she was erased on the first of June."""
    ann = resolve(Contact(name="Ann Lee", email="ann@example.com", phone="+4930123456"))
    assert ann is not None
    with clock.steered(JUNE):
        erase.erase(ann.pk, actor="olga", at_once=True)
    ann.refresh_from_db()
    return ann


def told(order: Order) -> tuple[str, str, dict[str, str]]:
    return order.email, order.phone, order.shipping_address


HERS = ("ann@example.com", "+49 30 123456", {"country": "DE", "postcode": "10115", "city": "Berlin"})
NOBODYS = ("", "", {"country": "DE"})


def test_what_somebody_buys_after_being_erased_is_theirs_and_can_be_erased_again(
    bring_in: Import, erased: OmnichannelCustomer
) -> None:
    bring_in(AFTER)
    order = Order.objects.get()
    assert order.customer_id not in (None, erased.pk)
    assert told(order) == HERS
    erase.erase(order.customer_id or 0, actor="olga", at_once=True)
    order.refresh_from_db()
    assert told(order) == NOBODYS


def test_old_orders_of_somebody_who_is_back_stay_with_the_number_they_left_behind(
    bring_in: Import, erased: OmnichannelCustomer
) -> None:
    bring_in(AFTER)
    bring_in(BEFORE, name="old.csv")
    old, new = Order.objects.order_by("placed_at")
    assert (old.customer_id, told(old)) == (erased.pk, NOBODYS)
    assert (new.customer_id == erased.pk, told(new)) == (False, HERS)


@pytest.mark.parametrize("batch_rows", [1, 100])
def test_a_file_with_orders_from_before_and_after_an_erasure_parts_them(
    bring_in: Import, erased: OmnichannelCustomer, batch_rows: int
) -> None:
    bring_in(AFTER, BEFORE, AFTER.replace("200", "201"), batch_rows=batch_rows)
    found = dict(Order.objects.values_list("external_id", "customer_id"))
    assert found["100"] == erased.pk
    assert found["200"] == found["201"] != erased.pk
    assert OmnichannelCustomer.objects.count() == 2
