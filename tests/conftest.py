"""Every test that touches the database works on a clone of one migrated template, as the role that production uses.

- `@pytest.mark.django_db`: within a transaction that is rolled back.
- `@pytest.mark.committed_database` (or the fixture of that name): the test commits, from as many threads and processes
  as it likes. Afterwards the stock is proved to agree with its ledger, and the database is replaced by a fresh clone.
"""

import importlib
import importlib.util
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connections

from finalmarket.kernel.database import database_ready
from tests import databases


class QuickHasher(PBKDF2PasswordHasher):
    """The hasher that production uses, without the many rounds that make every guess cost a fifth of a second."""

    iterations = 1


def pytest_configure() -> None:
    """What is the same for all tests."""
    settings.PASSWORD_HASHERS = [f"{QuickHasher.__module__}.{QuickHasher.__qualname__}"]


@dataclass
class TestDatabase:
    """The database of this test process."""

    __test__ = False
    server: databases.Server
    template: str
    name: str

    def renew(self) -> None:
        """Throw it away and clone the template again."""
        connections.close_all()
        databases.make_clone(self.server, self.template, self.name)


@pytest.fixture(scope="session")
def test_database(django_db_blocker: Any) -> Iterator[TestDatabase]:
    """This process's own clone; removed at the end."""
    with django_db_blocker.unblock():
        database_ready()
        with databases.open_server() as server:
            template = databases.ensure_template(server)
            name = databases.claim_name(server, os.environ.get("PYTEST_XDIST_WORKER", "main"))
            databases.make_clone(server, template, name)
            connections["default"].close()
            connections["default"].settings_dict["NAME"] = name
            yield TestDatabase(server, template, name)
            connections.close_all()
            databases.drop(server, name)


@pytest.fixture(scope="session")
def django_db_setup(test_database: TestDatabase) -> None:
    """What pytest-django asks for before the first test that uses the database."""


@pytest.fixture
def committed_database(
    request: pytest.FixtureRequest, test_database: TestDatabase, django_db_blocker: Any
) -> Iterator[TestDatabase]:
    """The database with nothing around it: what the test writes, it commits."""
    if request.node.get_closest_marker("django_db") is not None:
        pytest.fail("django_db rolls back and committed_database commits: a test can ask for one of them")
    with django_db_blocker.unblock():
        _begin_anew()
        try:
            yield test_database
            differences = _stock_differences()
        finally:
            test_database.renew()
    assert not differences, f"after this test the stock differs from its ledger: {differences}"


@pytest.fixture(autouse=True)
def _commit_where_marked(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("committed_database") is not None:
        request.getfixturevalue("committed_database")


def _begin_anew() -> None:
    """Begin with a connection that no earlier test has used; an earlier test's open transaction is its mistake."""
    open_still = [one.alias for one in connections.all(initialized_only=True) if one.in_atomic_block]
    assert not open_still, "an earlier test, or a fixture of its module, has left a transaction open"
    connections.close_all()


def _stock_differences() -> list[object]:
    """What the stock check finds; nothing while there is no such check."""
    if importlib.util.find_spec("finalmarket.stock.check") is None:
        return []
    connections.close_all()
    check: Callable[[], list[object]] = importlib.import_module("finalmarket.stock.check").differences
    return list(check())


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that other accounts can pass through, unlike pytest's own: a server of another account works
    in it when the tests run as root."""
    with tempfile.TemporaryDirectory(prefix="fm-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data (FINALMARKET_TEST_DATA); the test is skipped, loudly, where there is none."""
    folder = os.environ.get("FINALMARKET_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("no real data: set FINALMARKET_TEST_DATA to its folder")
    return Path(folder)
