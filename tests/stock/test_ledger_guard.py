"""The ledger is append-only, whoever asks; and the database refuses balances that cannot be."""

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError, IntegrityError, ProgrammingError

from finalmarket.catalog.models import Variant
from finalmarket.stock.models import StockMovement, StockPool
from tests.stock.shelves import new_place, new_variant, pool, put

CHANGES = (
    "UPDATE stock_movement SET reason = 'another story'",
    "DELETE FROM stock_movement",
    "TRUNCATE stock_movement",
)


def stocked() -> Variant:
    variant = new_variant()
    put(variant, new_place(), 5)
    return variant


@pytest.mark.parametrize("change", CHANGES)
def test_nobody_at_runtime_changes_what_is_written(runtime_role: None, change: str) -> None:
    stocked()
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        run(change)


@pytest.mark.parametrize("change", CHANGES)
def test_not_even_the_owner_of_the_tables_changes_what_is_written(owner: None, change: str) -> None:
    good = stocked()
    with pytest.raises(DatabaseError, match="The stock ledger is append-only"), transaction.atomic():
        run(change)
    assert StockMovement.objects.filter(variant=good).count() == 1


def test_nobody_at_runtime_switches_the_guard_off(runtime_role: None) -> None:
    with pytest.raises(ProgrammingError, match="must be owner"), transaction.atomic():
        run("ALTER TABLE stock_movement DISABLE TRIGGER USER")


@pytest.mark.django_db
@pytest.mark.parametrize("balance", ["on_hand = -1", "reserved = 6", "allocated = -1", "fenced = -1", "safety = -1"])
def test_a_balance_that_cannot_be_is_refused_by_the_database(balance: str) -> None:
    good = stocked()
    with pytest.raises(IntegrityError), transaction.atomic():
        run(f"UPDATE stock_pool SET {balance} WHERE variant_id = {good.pk}")
    assert pool(good).on_hand == 5


@pytest.mark.django_db
def test_a_variant_has_its_pool_from_the_moment_it_exists() -> None:
    good = new_variant()
    assert StockPool.objects.get(variant=good).on_hand == 0


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
