"""One demo for all tests of it, within a transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from finalmarket.demo.fill import Filled, fill
from finalmarket.kernel import clock
from tests.conftest import TestDatabase

NOW = datetime(2025, 12, 10, 15, 30, tzinfo=UTC)
SCALE = 0.25


@pytest.fixture(scope="module")
def filled(test_database: TestDatabase, django_db_blocker: Any) -> Iterator[Filled]:
    """The demo at a quarter of its size, on a Wednesday afternoon in December."""
    with django_db_blocker.unblock(), clock.steered(NOW), transaction.atomic():
        yield fill(seed=7, scale=SCALE, now=NOW)
        transaction.set_rollback(True)
