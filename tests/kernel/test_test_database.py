"""What every other test stands on."""

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection

from finalmarket.kernel.database import as_owner
from tests.conftest import TestDatabase


@pytest.mark.django_db
def test_tests_come_in_as_the_role_that_owns_no_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, count(*) FROM pg_tables WHERE tableowner = current_user GROUP BY 1")
        assert cursor.fetchall() == []
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("finalmarket_runtime",)


@pytest.mark.django_db
def test_the_runtime_role_can_make_no_table_and_switch_no_trigger_off() -> None:
    with pytest.raises(DatabaseError, match="must be owner"), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE stock_movement DISABLE TRIGGER ALL")


@pytest.mark.parametrize("statement", ["UPDATE stock_movement SET actor = 'x'", "DELETE FROM stock_movement"])
@pytest.mark.django_db
def test_the_runtime_role_can_add_to_the_ledger_and_never_change_it(statement: str) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
def test_a_row_of_an_ordinary_test_is_gone_in_the_next_one_first_half() -> None:
    assert not User.objects.filter(username="left over").exists()
    User.objects.create_user("left over")


@pytest.mark.django_db
def test_a_row_of_an_ordinary_test_is_gone_in_the_next_one_second_half() -> None:
    assert not User.objects.filter(username="left over").exists()
    User.objects.create_user("left over")


def test_a_committed_row_is_gone_when_the_database_is_renewed(committed_database: TestDatabase) -> None:
    User.objects.create_user("committed")
    committed_database.renew()
    assert not User.objects.filter(username="committed").exists()


def test_the_owner_steps_in_and_out_again(committed_database: TestDatabase) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE of_the_owner (id int)")
    with pytest.raises(DatabaseError, match="must be owner"), connection.cursor() as cursor:
        cursor.execute("DROP TABLE of_the_owner")
