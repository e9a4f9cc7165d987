"""What every other test stands on."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import Group, User
from django.db import DatabaseError, connection, connections

from finalmarket.kernel.database import as_owner
from finalmarket.orders.intake import take
from tests import databases, emptying
from tests.conftest import TestDatabase
from tests.orders.market import draft, line, open_market


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


def whole(name: str) -> dict[str, object]:
    """Everything that a database holds, row by row, with its sequences and its schema."""
    with databases.open_as_owner(name) as owner:
        tables = [table for (table,) in owner.execute(emptying.TABLES)]
        rows = {one: sorted(map(str, owner.execute(f"SELECT t::text FROM {one} t"))) for one in tables}
        numbers = owner.execute("SELECT seqrelid::regclass::text, seqstart, pg_sequence_last_value(seqrelid)"
                                " FROM pg_sequence ORDER BY 1").fetchall()  # fmt: skip
        schema = owner.execute(PARTS_OF_SCHEMA).fetchall()
        return {**rows, "sequences": numbers, "schema": schema}


PARTS_OF_SCHEMA = """
    SELECT 'relation', oid::regclass::text, relkind::text || coalesce(relacl::text, '')
    FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'column', attrelid::regclass::text || '.' || attname, concat(atttypid::regtype, ' ', attnotnull)
    FROM pg_attribute WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    UNION ALL SELECT 'trigger', tgrelid::regclass::text || '.' || tgname, tgenabled::text FROM pg_trigger
    WHERE NOT tgisinternal
    UNION ALL SELECT 'constraint', conrelid::regclass::text || '.' || conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'function', oid::regprocedure::text, md5(prosrc) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
    ORDER BY 1, 2, 3"""


@pytest.fixture(scope="module")
def fresh(test_database: TestDatabase, django_db_blocker: Any) -> Iterator[dict[str, object]]:
    """What a clone of the template holds that nobody has written into."""
    name = f"{test_database.name}_fresh"
    with django_db_blocker.unblock():
        databases.make_clone(test_database.server, test_database.template, name)
        try:
            yield whole(name)
        finally:
            databases.drop(test_database.server, name)


def number_of(database: TestDatabase) -> object:
    """The number of the database, which a clone has of its own."""
    return database.server.execute("SELECT oid FROM pg_database WHERE datname = %s", [database.name]).fetchone()


def test_what_was_written_is_gone_and_numbers_begin_again_without_a_new_clone(
    committed_database: TestDatabase, fresh: dict[str, object]
) -> None:
    before = number_of(committed_database)
    market = open_market()
    market.goods("CUP", warehouse=5)
    take(draft(market.web, "web-1", line("CUP", 2), email="ann@example.com"), actor="ann")
    User.objects.create_user("ann").groups.add(Group.objects.order_by("name")[0])
    with connection.cursor() as cursor:  # a number that is used up while no row is
        cursor.execute("SELECT nextval(pg_get_serial_sequence('omnichannel_customers', 'id'))")
    connections.close_all()
    dirty = whole(committed_database.name)
    assert sum(dirty[name] != rows for name, rows in fresh.items()) > 20
    committed_database.renew()
    assert whole(committed_database.name) == fresh
    assert number_of(committed_database) == before


PARTITION = """CREATE TABLE more_interactions PARTITION OF channel_interactions
    FOR VALUES FROM ('1999-01-01') TO ('1999-02-01')"""


@pytest.mark.parametrize(
    "statement",
    [
        PARTITION,
        "CREATE TABLE made_by_a_test (id int)",
        "DROP TABLE procrastinate_events CASCADE",
        "ALTER TABLE stock_movement DISABLE TRIGGER USER",
        "ALTER TABLE auth_user ADD COLUMN nickname text",
        "ALTER TABLE auth_user ALTER COLUMN email DROP NOT NULL",
        "ALTER TABLE auth_user DROP CONSTRAINT auth_user_username_key",
        "GRANT TRUNCATE ON auth_user TO PUBLIC",
        "CREATE FUNCTION made_by_a_test() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE INDEX made_by_a_test ON auth_user (email)",
    ],
)
def test_what_is_not_taken_back_by_deleting_is_noticed(statement: str, committed_database: TestDatabase) -> None:
    clone = committed_database.clone_when_new
    assert clone is not None
    with databases.open_as_owner(committed_database.name) as owner:
        assert emptying.is_alike(owner, clone)
        with owner.transaction(force_rollback=True):
            owner.execute(statement)
            assert not emptying.is_alike(owner, clone)
        assert emptying.is_alike(owner, clone)


def test_what_is_not_taken_back_by_deleting_goes_with_the_database(
    committed_database: TestDatabase, fresh: dict[str, object]
) -> None:
    with databases.open_as_owner(committed_database.name) as owner:
        owner.execute(PARTITION)
        owner.execute("DELETE FROM django_migrations")
        owner.execute("ALTER TABLE stock_movement DISABLE TRIGGER USER")
    committed_database.renew()
    assert whole(committed_database.name) == fresh


def test_whoever_is_still_connected_is_put_out_and_holds_nothing_any_more(committed_database: TestDatabase) -> None:
    with databases.open_as_owner(committed_database.name) as left_over:
        left_over.execute("SELECT pg_advisory_lock(77)")
        left_over.execute("BEGIN; INSERT INTO django_content_type (app_label, model) VALUES ('never', 'never')")
        committed_database.renew()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(77), count(*) FROM django_content_type WHERE model = 'never'")
            assert cursor.fetchone() == (True, 0)
        with pytest.raises(psycopg.OperationalError):
            left_over.execute("SELECT 1")


def test_the_owner_steps_in_and_out_again(committed_database: TestDatabase) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE of_the_owner (id int)")
    with pytest.raises(DatabaseError, match="must be owner"), connection.cursor() as cursor:
        cursor.execute("DROP TABLE of_the_owner")


def test_rows_of_the_template_that_were_changed_are_put_back(committed_database: TestDatabase) -> None:
    clone = committed_database.clone_when_new
    assert clone is not None
    questions = (
        "SELECT array_agg(kind ORDER BY id) FROM django_content_type kind",
        "SELECT count(*), max(name) FROM auth_permission",
        "SELECT count(*), max(name) FROM django_migrations",
    )
    with databases.open_as_owner(committed_database.name) as owner:
        before = [owner.execute(question).fetchone() for question in questions]
        owner.execute("UPDATE django_content_type SET model = 'something else' WHERE id = 1")
        owner.execute("INSERT INTO auth_permission (name, content_type_id, codename) VALUES ('zz', 1, 'may')")
        owner.execute("DELETE FROM django_migrations WHERE id = 1")
        assert [owner.execute(question).fetchone() for question in questions] != before
        assert emptying.empty(owner, clone, kept=owner.info.backend_pid)
        assert [owner.execute(question).fetchone() for question in questions] == before
