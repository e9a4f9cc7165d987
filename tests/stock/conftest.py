"""What several tests of stock stand on."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from finalmarket.kernel.database import as_owner


@pytest.fixture
def owner(test_database: Any, django_db_blocker: Any) -> Iterator[None]:
    """The test acts as the owner of the tables, in one transaction that is rolled back."""
    with django_db_blocker.unblock(), as_owner(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def runtime_role(db: None) -> None:
    """The test acts as the role that owns nothing; it is skipped on a server that has no such role."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableowner = current_user FROM pg_tables WHERE tablename = 'stock_movement'")
        (owns,) = cursor.fetchone()
    if owns:
        pytest.skip("this database server has no runtime role")
