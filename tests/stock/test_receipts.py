"""Expected receipts: what is to come, in parts, late, or not at all."""

from datetime import timedelta

import pytest
from django.utils import timezone

from finalmarket.channels.models import ChannelProduct, DueChange
from finalmarket.kernel.errors import UserError
from finalmarket.stock import receipts, sweep
from finalmarket.stock.models import StockMovement
from finalmarket.stock.policies import set_policy
from tests.stock.shelves import assert_books_agree, new_bundle, new_channel, new_place, new_variant, shelf

pytestmark = pytest.mark.django_db


def test_a_delivery_arrives_in_parts_and_is_over_when_all_is_there() -> None:
    good, place = new_variant(), new_place()
    due = timezone.now() + timedelta(days=2)
    expected = receipts.announce(good.pk, place.pk, 10, due, supplier="Acme", reference="PO-7")
    assert receipts.receive(expected.pk, 4, actor="ann").state == "expected"
    assert receipts.receive(expected.pk, 7, actor="ann").state == "received", "one more than announced is taken in"
    assert shelf(good, place).on_hand == 11
    line = StockMovement.objects.filter(variant=good).order_by("id").first()
    assert line is not None
    assert (line.reference, line.reason, line.actor) == (f"receipt:{expected.pk}", "Acme PO-7", "ann")
    with pytest.raises(UserError, match="is over: it is received"):
        receipts.receive(expected.pk, 1, actor="ann")
    assert_books_agree()


def test_what_is_overdue_is_listed_the_longest_first() -> None:
    good, place, present = new_variant(), new_place(), timezone.now()
    late = receipts.announce(good.pk, place.pk, 1, present - timedelta(days=1))
    later = receipts.announce(good.pk, place.pk, 1, present - timedelta(days=3))
    receipts.announce(good.pk, place.pk, 1, present + timedelta(days=1))
    receipts.cancel(receipts.announce(good.pk, place.pk, 1, present - timedelta(days=9)).pk)
    assert list(receipts.overdue()) == [later, late]
    receipts.postpone(later.pk, present + timedelta(days=1))
    assert list(receipts.overdue()) == [late]


def test_a_quantity_below_one_is_not_received() -> None:
    good, place = new_variant(), new_place()
    expected = receipts.announce(good.pk, place.pk, 1, timezone.now())
    with pytest.raises(UserError, match="a quantity must be above zero"):
        receipts.receive(expected.pk, 0, actor="ann")
    expected.refresh_from_db()
    assert expected.received_quantity == 0


def test_an_announcement_that_makes_no_sense_is_refused_in_words() -> None:
    good, place = new_variant(), new_place()
    with pytest.raises(UserError, match="PAIR is a bundle"):
        receipts.announce(new_bundle({good: 1}, "PAIR").pk, place.pk, 1, timezone.now())
    with pytest.raises(UserError, match="there is no stock location"):
        receipts.announce(good.pk, place.pk + 1, 1, timezone.now())
    with pytest.raises(UserError, match="there is no expected receipt"):
        receipts.cancel(10**9)


def test_platforms_are_told_when_a_delivery_changes_what_may_be_sold() -> None:
    good, web, place = new_variant(), new_channel(), new_place()
    listing = ChannelProduct.objects.create(sales_channel=web, variant=good)
    set_policy(good.pk, web.pk, incoming_horizon_days=7)

    def settle() -> None:
        for change in DueChange.objects.filter(listing=listing, what="stock"):
            DueChange.objects.filter(pk=change.pk).update(settled_version=change.version)

    def is_due() -> bool:
        return any(c.version > c.settled_version for c in DueChange.objects.filter(listing=listing, what="stock"))

    settle()
    expected = receipts.announce(good.pk, place.pk, 5, timezone.now() + timedelta(days=9))
    assert is_due()
    settle()
    assert sweep.tell_of_coming_goods() == 1
    assert is_due()
    settle()
    receipts.cancel(expected.pk)
    assert is_due()
    settle()
    assert sweep.tell_of_coming_goods() == 0
    assert not is_due()
