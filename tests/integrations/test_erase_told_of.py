"""Accounts that were told of somebody and have no customer that could be named stand in the request; and who is erased
while an account is being told of them is erased there, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from finalmarket.connectors.platforms.practice_office import PracticeOffice
from finalmarket.connectors.records import CustomerContent
from finalmarket.customers.models import CustomerIdentity, OmnichannelCustomer
from finalmarket.integrations.models import ExternalId, NameElsewhere, ShippingLabel, Ticket
from finalmarket.integrations.privacy import erase
from finalmarket.orders.models import Order
from finalmarket.sandbox.faults import Fault
from tests.integrations.bureau import opened_bureau
from tests.integrations.office import Office, opened_office

pytestmark = pytest.mark.committed_database
SLUG = PracticeOffice.slug


@pytest.fixture
def books(committed_database: object) -> Iterator[Office]:
    """An account that has yet to be given its duties."""
    with opened_office() as office:
        yield office


def known_at(person: int | None) -> list[str]:
    """Erase somebody; who is to be told by hand."""
    assert person is not None
    outcome = erase.erase(person, actor="olga", at_once=True).outcome
    assert outcome["told"] == []
    return list(outcome["known_at"])


def test_an_account_that_may_have_made_a_customer_of_somebody_stands_in_the_request(books: Office) -> None:
    books.keep("customers")
    person = books.person()
    books.office.faults.then(Fault.ERROR_AFTER)
    books.tell()
    assert len(books.customers()) == 1
    assert known_at(person.pk) == [SLUG]


def test_an_account_that_was_told_an_order_stands_in_the_request(books: Office) -> None:
    books.keep("orders")
    order = books.buy()
    books.tell()
    assert books.there(order)["number"] == order.number
    assert known_at(order.customer_id) == [SLUG]


def buy_label(books: Office, order: Order) -> None:
    ShippingLabel.objects.create(
        integration=books.integration, fulfilment=order.fulfilments.get(), key="L1", state=ShippingLabel.State.BOUGHT
    )


def open_ticket(books: Office, order: Order) -> None:
    Ticket.objects.create(
        integration=books.integration, order=order, key="K1", external_id="T1", subject="Late", text="Where is it?"
    )


@pytest.mark.parametrize("happens", [buy_label, open_ticket])
def test_an_account_that_got_the_address_with_a_parcel_or_a_ticket_stands_in_the_request(
    books: Office, happens: Callable[[Office, Order], None]
) -> None:
    order = books.buy()
    happens(books, order)
    assert known_at(order.customer_id) == [SLUG]


def test_an_account_that_wrote_to_somebody_stands_in_the_request(committed_database: object) -> None:
    with opened_bureau() as bureau:
        bureau.give("confirmations")
        order = bureau.buy()
        bureau.tell()
        assert len(bureau.mails()) == 1
        assert known_at(order.customer_id) == [SLUG]


def test_an_account_that_was_told_nothing_of_somebody_does_not_stand_in_the_request(books: Office) -> None:
    books.keep("orders")
    other = books.buy(email="bob@example.com")
    books.tell()
    books.keep()
    order = books.buy()
    assert known_at(order.customer_id) == []
    assert known_at(other.customer_id) == [SLUG]


def test_who_is_erased_while_an_account_is_told_of_them_leaves_no_name_and_is_erased_there(
    books: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    books.keep("customers")
    person = books.person()
    push = PracticeOffice.push_customer

    def erased_meanwhile(self: PracticeOffice, content: CustomerContent) -> str:
        name = push(self, content)
        assert known_at(person.pk) == [SLUG]
        return name

    monkeypatch.setattr(PracticeOffice, "push_customer", erased_meanwhile)
    books.tell()
    assert len(books.customers()) == 1
    record = books.record("customer", person.pk)
    assert (record.external_id, record.digest, record.echoes) == ("", "", {})
    assert not ExternalId.objects.filter(kind="customer").exists()
    assert not CustomerIdentity.objects.filter(customer=person).exists()
    books.tell_parcels()
    assert (books.customers(), NameElsewhere.objects.count()) == ([], 0)
    assert OmnichannelCustomer.objects.get().erased_at is not None


def test_an_order_whose_buyer_is_erased_while_it_is_told_keeps_no_digest_of_what_it_said(
    books: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    books.keep("orders")
    order = books.buy()
    push = PracticeOffice.push_order

    def erased_meanwhile(self: PracticeOffice, *told: object) -> object:
        names = push(self, *told)  # type: ignore[arg-type]
        assert known_at(order.customer_id) == [SLUG]
        return names

    with monkeypatch.context() as patched:
        patched.setattr(PracticeOffice, "push_order", erased_meanwhile)
        books.tell()
    record = books.record("order", order.pk)
    assert (record.digest, record.external_id) == ("", books.there(order)["id"])
