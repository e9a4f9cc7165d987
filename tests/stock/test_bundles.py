"""Bundles have no stock of their own: they sell what their components allow."""

import pytest

from finalmarket.kernel.errors import UserError
from finalmarket.stock import atp, ledger
from finalmarket.stock.policies import set_policy
from tests.stock.shelves import (
    OVER,
    ask,
    assert_books_agree,
    hold,
    lines_of,
    new_bundle,
    new_channel,
    new_place,
    new_variant,
    pool,
    put,
)

pytestmark = pytest.mark.django_db


def test_a_bundle_sells_what_its_scarcest_component_allows() -> None:
    cup, saucer, web, place = new_variant(), new_variant(), new_channel(), new_place()
    put(cup, place, 9)
    put(saucer, place, 4)
    tea_set = new_bundle({cup: 2, saucer: 1})
    assert atp.level(tea_set.pk, web.pk).available == 4
    put(saucer, place, 5)
    assert atp.level(tea_set.pk, web.pk).available == 4
    refused = ask(web, (tea_set, 5))
    assert (refused.outcome, refused.available) == ("refused", 9)
    taken = ask(web, (tea_set, 4))
    assert taken.outcome == "granted"
    assert (pool(cup).reserved, pool(saucer).reserved) == (8, 4)
    assert {line.line for line in lines_of(taken.reservation_id or 0)} == {0}
    assert_books_agree()


def test_bundles_that_share_a_component_never_oversell_it() -> None:
    bulb, lamp, torch, web, place = new_variant(), new_variant(), new_variant(), new_channel(), new_place()
    for part in (bulb, lamp, torch):
        put(part, place, 5)
    lamp_set, torch_set = new_bundle({bulb: 2, lamp: 1}), new_bundle({bulb: 1, torch: 1})
    refused = ask(web, (lamp_set, 2), (torch_set, 2))
    assert (refused.outcome, refused.available) == ("refused", 1)
    assert (pool(bulb).reserved, pool(lamp).reserved, pool(torch).reserved) == (0, 0, 0)
    assert ask(web, (torch_set, 1), (lamp_set, 2)).outcome == "granted"
    assert atp.level(torch_set.pk, web.pk).available == 0
    assert_books_agree()


def test_a_bundle_and_its_component_in_one_cart_share_the_shelf() -> None:
    cup, web = new_variant(), new_channel()
    pair = new_bundle({cup: 2})
    put(cup, new_place(), 5)
    assert ask(web, (cup, 2), (pair, 2)).outcome == "refused"
    assert ask(web, (cup, 1), (pair, 2)).outcome == "granted"
    assert_books_agree()


def test_a_policy_on_a_component_binds_the_bundle_too() -> None:
    cup, web = new_variant(), new_channel()
    pair = new_bundle({cup: 2})
    put(cup, new_place(), 10)
    set_policy(cup.pk, web.pk, cap=5)
    assert atp.level(pair.pk, web.pk).available == 2
    assert ask(web, (pair, 3)).outcome == "refused"


def test_an_ended_hold_on_a_component_frees_the_bundle() -> None:
    cup, web = new_variant(), new_channel()
    pair = new_bundle({cup: 2})
    put(cup, new_place(), 4)
    hold(web, cup, 3, seconds=OVER)
    assert atp.level(pair.pk, web.pk).available == 2
    assert ask(web, (pair, 2)).outcome == "granted"
    assert_books_agree()


def test_nobody_receives_adjusts_or_sells_a_bundle_itself() -> None:
    bundle, web, place = new_bundle({new_variant(): 1}, "PAIR"), new_channel(), new_place()
    for deed in (
        lambda: ledger.receive([ledger.Receipt(bundle.pk, place.pk, 1)], actor="test"),
        lambda: ledger.take_back([ledger.TakeBack(bundle.pk, place.pk, 1)], actor="test"),
        lambda: ledger.sell([ledger.Sale(bundle.pk, place.pk, 1, web.pk)], actor="test"),
        lambda: ledger.adjust(bundle.pk, place.pk, 1, reason="found", actor="test"),
        lambda: ledger.set_on_hand(bundle.pk, place.pk, 1, reason="found", actor="test"),
    ):
        with pytest.raises(UserError, match="PAIR is a bundle and has no stock of its own"):
            deed()
