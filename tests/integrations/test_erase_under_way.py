"""What a person does between the beginning and the end of their erasure is somebody new's: nothing of it is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from finalmarket.customers import erased, persons
from finalmarket.customers.models import CustomerIdentity, OmnichannelCustomer, PrivacyRequest
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations.privacy import erase
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders.drafts import Address
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order
from tests.orders.market import Market, draft, line, open_market

pytestmark = pytest.mark.committed_database
HOME = Address(name="Ann Example", street="Lindenweg 4", postcode="20095", city="Hamburg", country="DE")


@pytest.fixture
def market(committed_database: object) -> Market:
    opened = open_market()
    opened.goods("CUP", warehouse=50)
    return opened


def buy(market: Market, number: str, email: str = "ann@example.com") -> Order:
    """Ann buys now, and says where it goes."""
    bought = draft(market.web, number, line("CUP"), name="Ann Example", email=email, shipping_address=HOME)
    order = take(replace(bought, placed_at=clock.now()), actor="shop").order
    order.refresh_from_db()
    return order


def whose(order: Order) -> OmnichannelCustomer:
    assert order.customer_id is not None
    return OmnichannelCustomer.objects.get(pk=order.customer_id)


def seen(**words: str) -> OmnichannelCustomer:
    """Somebody does something now."""
    found = resolve(Contact(at=clock.now(), **words))
    assert found is not None
    persons.settle()
    found.refresh_from_db()
    return found


def test_who_buys_while_their_erasure_is_under_way_begins_anew_and_keeps_the_address(market: Market) -> None:
    old = whose(buy(market, "before"))
    request = erase.ask(old.pk, actor="olga", at_once=True)
    assert request.state == PrivacyRequest.State.UNDER_WAY
    with clock.steered(clock.now() + timedelta(seconds=1)):
        order = buy(market, "meanwhile")
        new = whose(order)
        persons.settle()
        assert persons.members(new.pk) == [new.pk] != [old.pk]
        assert erase.finish(request.pk).state == PrivacyRequest.State.DONE
        persons.settle()
    order.refresh_from_db()
    assert (order.email, order.shipping_address["street"]) == ("ann@example.com", "Lindenweg 4")
    assert (whose(order).name, persons.members(new.pk)) == ("Ann Example", [new.pk])
    before = Order.objects.get(external_id="before")
    assert (before.customer_id, before.email, before.shipping_address) == (old.pk, "", {"country": "DE"})
    assert not CustomerIdentity.objects.filter(customer=old).exists()


def test_profiles_of_one_person_stay_one_while_they_are_erased_and_nobody_joins_them(market: Market) -> None:
    first, second = seen(email="ann@example.com", account="shop:1"), seen(account="shop:1")
    assert persons.members(first.pk) == [first.pk, second.pk]
    request = erase.ask(first.pk, actor="olga")
    with clock.steered(clock.now() + timedelta(seconds=1)):
        new = seen(email="ann@example.com", account="shop:1", phone="+493023125001")
        persons.touch([first.pk, second.pk, new.pk])
        persons.settle()
        assert [persons.members(one.pk) for one in (first, second, new)] == [[first.pk, second.pk]] * 2 + [[new.pk]]
        again = erase.ask(first.pk, actor="nils")
        assert again.pk == request.pk
        erase.finish(request.pk)
        persons.settle()
        assert persons.members(second.pk) == [first.pk, second.pk]
        assert seen(phone="+493023125001", email="ann@example.com").pk == new.pk
    assert erased.among([first.pk, second.pk, new.pk]) == {first.pk, second.pk}


def test_nobody_is_merged_with_a_person_whose_erasure_is_under_way_or_done(market: Market) -> None:
    ann, bob = seen(email="ann@example.com"), seen(email="bob@example.com")
    request = erase.ask(ann.pk, actor="olga")
    for finish in (None, erase.finish):
        if finish is not None:
            finish(request.pk)
        for one, other in ((ann, bob), (bob, ann)):
            with pytest.raises(UserError, match="this person was erased"):
                one.merge(other, actor="olga")
    assert persons.members(bob.pk) == [bob.pk]
