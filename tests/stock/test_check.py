"""The check finds every number that was tampered with, and says which, where and by how much."""

from unittest import mock

import pytest
from click.testing import CliRunner
from django.db import connection

from finalmarket.catalog.models import Variant
from finalmarket.cli.check import command
from finalmarket.stock import check
from finalmarket.stock.policies import set_backorder_limit, set_policy, set_safety
from tests.stock.shelves import (
    OVER,
    assert_books_agree,
    hold,
    new_bundle,
    new_channel,
    new_place,
    new_variant,
    promise,
    put,
    sell,
)


@pytest.fixture
def good(owner: None) -> Variant:
    """A variant with something of everything; the test may do what only the owner of the tables may."""
    variant, web, app, place = new_variant("LAMP"), new_channel("Web"), new_channel("App"), new_place("north")
    put(variant, place, 20)
    set_safety(variant.pk, place.pk, 2)
    set_backorder_limit(variant.pk, 9)
    set_policy(variant.pk, web.pk, fence_quantity=5, allows_backorder=True, lends=True)
    set_policy(variant.pk, app.pk, borrows=True)
    hold(web, variant, 3)
    hold(web, variant, 1, seconds=OVER)
    promise(app, variant, 14)
    promise(web, variant, 4)
    sell(app, variant, 4)
    assert_books_agree()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return variant


def tamper(*statements: str) -> list[str]:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    return [str(difference) for difference in check.differences()]


def test_an_ended_hold_that_is_still_on_the_books_is_no_difference(good: Variant) -> None:
    assert check.differences() == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            "UPDATE stock_pool SET on_hand = on_hand + 1",
            "LAMP (pool): on hand, against the ledger: expected 20, found 21",
        ),
        ("UPDATE stock_pool SET reserved = reserved - 1", "LAMP (pool): reserved, against the locations together"),
        ("UPDATE stock_pool SET allocated = allocated - 1", "LAMP (pool): allocated, against the ledger"),
        (
            "UPDATE stock_pool SET safety = 7",
            "LAMP (pool): safety, against the locations together: expected 2, found 7",
        ),
        (
            "UPDATE stock_pool SET backordered = backordered + 1",
            "LAMP (pool): backordered, against the open backorders",
        ),
        ("UPDATE stock_item SET on_hand = on_hand + 1", "LAMP (north): on hand, against the ledger"),
        (
            "UPDATE stock_item SET reserved = reserved - 1",
            "LAMP (north): reserved, against the open holds and promises",
        ),
        ("UPDATE stock_item SET allocated = allocated - 1", "LAMP (north): allocated, against the ledger"),
        ("UPDATE channel_inventories SET used = used + 1", "LAMP (web): used, against the open holds and promises"),
        (
            "UPDATE channel_inventories SET used = 0 WHERE used > 10",
            "LAMP (app): used, against the ledger: expected 16, found 0",
        ),
        ("UPDATE channel_inventories SET fence_left = 3", "LAMP (web): fence left, against the ledger"),
        (
            "UPDATE stock_pool SET fenced = 1",
            "LAMP (pool): fenced, against the ring fences together: expected 0, found 1",
        ),
        ("DELETE FROM reservation_line WHERE state = 'held'", "LAMP (north): reserved, against the open holds"),
        ("DELETE FROM reservation_line WHERE is_backorder", "LAMP (pool): backordered, against the open backorders"),
        ("UPDATE reservation_line SET quantity = quantity + 1", "no more open than promised"),
        ("UPDATE reservation SET state = 'closed' WHERE state = 'held'", "open in both or in none"),
        ("DELETE FROM reservation WHERE state = 'held'", "(gone), position 0 (held), against open in both or in none"),
        ("UPDATE reservation_line SET expires_at = NULL WHERE state = 'held'", "only a hold ends by itself"),
        ("DELETE FROM stock_item", "LAMP (north): on hand, against the ledger: expected 20, found 0"),
    ],
)
def test_a_number_that_was_tampered_with_is_found(good: Variant, change: str, says: str) -> None:
    found = tamper(change)
    assert any(says in line for line in found), found


def test_a_ledger_line_that_was_changed_behind_the_guard_is_found(good: Variant) -> None:
    found = tamper(
        "ALTER TABLE stock_movement DISABLE TRIGGER USER",
        "UPDATE stock_movement SET on_hand_delta = 19 WHERE kind = 'receive'",
    )
    assert "LAMP (north): on hand, against the ledger: expected 19, found 20" in found
    assert "LAMP (pool): on hand, against the ledger: expected 19, found 20" in found


def test_a_ledger_line_that_vanished_is_found(good: Variant) -> None:
    found = tamper(
        "ALTER TABLE stock_movement DISABLE TRIGGER USER", "DELETE FROM stock_movement WHERE fence_delta > 0"
    )
    assert any("LAMP (web): fence left, against the ledger" in line for line in found)


def test_promises_beyond_what_is_there_are_found(good: Variant) -> None:
    found = tamper(
        "ALTER TABLE stock_pool DROP CONSTRAINT stock_pool_promises_are_covered",
        "ALTER TABLE stock_item DROP CONSTRAINT stock_item_promises_are_covered",
        "UPDATE stock_pool SET on_hand = 1",
        "UPDATE stock_item SET on_hand = 1",
    )
    assert any("LAMP (pool): reserved + allocated, against at most what is on hand" in line for line in found)
    assert any("LAMP (north): reserved + allocated, against at most what is on hand" in line for line in found)


def test_fences_around_what_is_not_free_are_found(good: Variant) -> None:
    found = tamper("UPDATE stock_pool SET fenced = 9")
    assert "LAMP (pool): fenced, against at most what is free: expected 0, found 9" in found


def test_a_bundle_with_stock_of_its_own_is_found(good: Variant) -> None:
    bundle = new_bundle({good: 2}, "PAIR")
    found = tamper(f"UPDATE stock_pool SET on_hand = 1 WHERE variant_id = {bundle.pk}")
    assert any(line.startswith("PAIR (pool): stock of a bundle") for line in found)


def test_the_check_of_some_variants_sees_only_those(good: Variant) -> None:
    other = new_variant("OTHER")
    put(other, new_place(), 3)
    tamper("UPDATE stock_pool SET on_hand = 99")
    assert {difference.sku for difference in check.differences()} == {"LAMP", "OTHER"}
    assert {difference.sku for difference in check.differences([other.pk])} == {"OTHER"}


def test_the_command_says_what_was_proved_and_leaves_with_zero(good: Variant) -> None:
    with mock.patch("finalmarket.cli.check.database_ready"):
        result = CliRunner().invoke(command, ["stock"])
    assert result.exit_code == 0
    assert "The stock agrees: 1 balances of 1 variants" in result.output


def test_the_command_prints_what_differs_and_leaves_with_one(good: Variant) -> None:
    tamper("UPDATE stock_pool SET on_hand = 21")
    with mock.patch("finalmarket.cli.check.database_ready"):
        result = CliRunner().invoke(command, ["stock"])
    assert result.exit_code == 1
    assert "LAMP (pool): on hand, against the ledger: expected 20, found 21" in result.output
    assert "The stock does not agree: 2 differences." in result.output
