"""Erasures that wait, or that cannot be carried out, keep no other from being carried out."""

from __future__ import annotations

import pytest

from finalmarket.customers import persons
from finalmarket.customers.models import OmnichannelCustomer, PrivacyRequest
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations.privacy import erase
from finalmarket.kernel import clock
from finalmarket.orders import fulfilment
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order
from tests.orders.market import Market, draft, line, open_market

pytestmark = pytest.mark.committed_database
State = PrivacyRequest.State


@pytest.fixture
def market(committed_database: object) -> Market:
    opened = open_market()
    opened.goods("CUP", warehouse=50)
    return opened


def buyer(market: Market, name: str) -> tuple[OmnichannelCustomer, Order]:
    """Somebody whose order is under way."""
    bought = draft(market.web, f"web-{name}", line("CUP"), email=f"{name}@example.com")
    object.__setattr__(bought, "placed_at", clock.now())
    order = take(bought, actor="test").order
    assert order.customer is not None
    return order.customer, order


def visitor(name: str) -> OmnichannelCustomer:
    """Somebody without an order."""
    found = resolve(Contact(email=f"{name}@example.com"))
    assert found is not None
    return found


def ship(order: Order) -> None:
    (parcel,) = order.fulfilments.all()
    fulfilment.ship(parcel.pk, carrier="DHL", tracking_number="T1", actor="ann")


def states() -> list[str]:
    return list(PrivacyRequest.objects.order_by("pk").values_list("state", flat=True))


def join(first: OmnichannelCustomer, second: OmnichannelCustomer) -> None:
    first.merge(second, actor="olga", reason="they called")
    persons.settle()


def test_erasures_that_wait_for_orders_keep_no_later_one_waiting(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erase, "MOST_AT_ONCE", 2)
    for name in ("ann", "bob", "cleo"):
        erase.ask(buyer(market, name)[0].pk, actor="olga")
    erase.ask(visitor("dora").pk, actor="olga")
    assert erase.go_on() == 1
    assert states() == [State.WAITING] * 3 + [State.DONE]


def test_an_erasure_that_is_under_way_is_carried_out_before_those_that_waited(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, order = buyer(market, "ann")
    erase.ask(ann.pk, actor="olga")
    ship(order)
    erase.ask(visitor("dora").pk, actor="olga")
    monkeypatch.setattr(erase, "MOST_AT_ONCE", 1)
    assert erase.go_on() == 1
    assert states() == [State.WAITING, State.DONE]
    assert erase.go_on() == 1
    assert states() == [State.DONE, State.DONE]


def test_an_erasure_that_fails_keeps_no_later_one_waiting_and_is_told_of(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = erase.ask(visitor("ann").pk, actor="olga")
    erase.ask(visitor("bob").pk, actor="olga")
    finish = erase.finish

    def fails_at_one(request_id: int) -> PrivacyRequest:
        if request_id == broken.pk:
            raise RuntimeError("a fault of ours")
        return finish(request_id)

    with monkeypatch.context() as patched:
        patched.setattr(erase, "finish", fails_at_one)
        with pytest.raises(RuntimeError, match="a fault of ours"):
            erase.go_on()
    assert states() == [State.UNDER_WAY, State.DONE]
    assert erase.go_on() == 1


def test_who_waits_and_becomes_one_person_with_another_is_erased_by_one_request_and_none_stays_open(
    market: Market,
) -> None:
    first = visitor("ann")
    second, order = buyer(market, "ann.lee")
    erase.ask(second.pk, actor="olga")
    join(first, second)
    assert persons.members(second.pk)[0] == first.pk
    erase.ask(first.pk, actor="nils")
    assert states() == [State.WAITING]  # it is the same person's
    ship(order)
    assert erase.go_on() == 1
    assert (states(), erase.go_on()) == ([State.DONE], 0)


def test_two_who_wait_and_become_one_person_are_erased_and_neither_request_stays_open(market: Market) -> None:
    first, early = buyer(market, "ann")
    second, late = buyer(market, "ann.lee")
    for person in (first, second):
        erase.ask(person.pk, actor="olga")
    join(first, second)
    ship(early)
    assert erase.go_on() == 0  # the other order is theirs, too
    ship(late)
    assert erase.go_on() == 1
    assert (states(), erase.go_on()) == ([State.DONE, State.DONE], 0)
    done = PrivacyRequest.objects.latest("pk")
    assert done.outcome == {"done_with": PrivacyRequest.objects.earliest("pk").pk}


def test_a_profile_that_joined_while_an_erasure_was_under_way_is_erased_by_a_request_of_its_own(
    market: Market,
) -> None:
    first, second = visitor("ann"), visitor("ann.lee")
    begun = erase.ask(first.pk, actor="olga")
    assert begun.state == State.UNDER_WAY
    OmnichannelCustomer.objects.filter(pk=second.pk).update(merged_into=first)  # as when both were decided at once
    erase.erase(second.pk, actor="olga")
    erase.go_on()
    assert states() == [State.DONE, State.DONE]
    assert not OmnichannelCustomer.objects.filter(erased_at=None).exists()
