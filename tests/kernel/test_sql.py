from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection

from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import Queries, copy_rows, open_connection


def test_queries_are_found_by_the_name_above_them(tmp_path: Path) -> None:
    file = tmp_path / "queries.sql"
    file.write_text("-- what this is for\n\n-- name: one\n-- why\nSELECT 1;\n\n-- name: two\nSELECT\n  2;\n")
    queries = Queries(file)
    assert list(queries) == ["one", "two"]
    assert queries["two"] == "SELECT\n  2;"
    with pytest.raises(KeyError, match="no query named three"):
        queries["three"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("SELECT 1;", "before the first"), ("-- name: a\nSELECT 1;\n-- name: a\nSELECT 2;", "two queries")],
)
def test_a_query_without_a_name_of_its_own_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "queries.sql"
    file.write_text(text)
    with pytest.raises(ValueError, match=complaint):
        Queries(file)


@pytest.mark.django_db
@pytest.mark.parametrize("types", [None, ["int4", "text", "numeric"]])
def test_rows_are_copied_into_a_table(types: list[str] | None) -> None:
    rows = [(1, "a\tb\\N", Decimal("1.50")), (2, None, Decimal("-3"))]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE copied (n int, t text, amount numeric) ON COMMIT DROP")
        assert copy_rows(cursor, "copied", ["n", "t", "amount"], iter(rows), types) == 2
        cursor.execute("SELECT n, t, amount FROM copied ORDER BY n")
        assert cursor.fetchall() == rows


@pytest.mark.django_db
def test_a_connection_of_its_own_reaches_the_same_database_in_the_same_role() -> None:
    with connection.cursor() as cursor, open_connection() as own:
        cursor.execute("SELECT current_database(), current_user")
        assert own.execute("SELECT current_database(), current_user").fetchone() == cursor.fetchone()


def test_a_database_that_does_not_answer_is_named_in_one_line(tmp_path: Path) -> None:
    nowhere = {"NAME": "x", "USER": "y", "PASSWORD": "geheim", "HOST": str(tmp_path), "PORT": "1", "OPTIONS": {}}
    with pytest.raises(UserError) as refusal:
        open_connection(nowhere)
    assert str(tmp_path) in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "geheim" not in str(refusal.value)
