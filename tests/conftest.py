"""Every test that touches the database works on a clone of one migrated template, as the role that production uses.

- `@pytest.mark.django_db`: within a transaction that is rolled back.
- `@pytest.mark.committed_database` (or the fixture of that name): the test commits, from as many threads and processes
  as it likes. Afterwards the stock is proved to agree with its ledger, and the database is made as it was (emptying.py)
  or replaced by a fresh clone.
"""

import asyncio
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connections
from hypothesis import settings as made_up
from whitenoise.middleware import WhiteNoiseMiddleware

from finalmarket.access import log_ins
from finalmarket.kernel.database import database_ready
from finalmarket.stock.check import differences
from finalmarket.stock.questions import QUERIES
from tests import databases, emptying

made_up.register_profile("house", deadline=None)  # a busy machine is no mistake of the house
made_up.load_profile("house")
FORGET = "RESET ALL; CLOSE ALL; UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES; SELECT pg_advisory_unlock_all()"


class QuickHasher(PBKDF2PasswordHasher):
    """The hasher that production uses, without the many rounds that make every guess cost a fifth of a second."""

    iterations = 1


def pytest_configure() -> None:
    """What is the same for all tests."""
    settings.PASSWORD_HASHERS = [f"{QuickHasher.__module__}.{QuickHasher.__qualname__}"]
    look_for_static_files_once()


def look_for_static_files_once() -> None:
    """Every test client is a house that has just been started, and would look through all static files for itself: a
    tenth of the time of the tests of pages. Those of one process share what the first has found."""
    found: dict[str, Any] = {}
    look = WhiteNoiseMiddleware.add_files_from_finders

    def look_once(middleware: Any) -> None:
        if not found:
            look(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    WhiteNoiseMiddleware.add_files_from_finders = look_once


@dataclass
class TestDatabase:
    """The database of this test process."""

    __test__ = False
    server: databases.Server
    template: str
    name: str
    _owner: emptying.Owner | None = None
    clone_when_new: emptying.Clone | None = None

    def renew(self) -> None:
        """Make it what the template is: nothing that was written stays, and nobody stays connected but the connection
        of this thread, which has planned what tests ask."""
        close_connections_of_loops()
        if not self._is_emptied():
            connections.close_all()
            self.clone()

    def clone(self) -> None:
        """Throw it away and clone the template again."""
        self.leave()
        databases.make_clone(self.server, self.template, self.name)
        self._owner = databases.open_as_owner(self.name)
        self.clone_when_new = emptying.look_at(self._owner)

    def leave(self) -> None:
        """End the owner's connection."""
        if self._owner is not None:
            self._owner.close()
        self._owner = None

    def stock_differences(self) -> list[tuple[Any, ...]]:
        """What the stock check finds, asked over a connection that has planned the question long ago; it is not asked
        where there is no stock at all."""
        question = QUERIES["differences"].replace("{of_these}", "true")
        if self.is_silent_on(question):
            return []
        if self._owner is None or self._owner.closed:  # the test has put another database in the place of its own
            return [(str(difference),) for difference in differences()]
        return self._owner.execute(question, prepare=True).fetchall()

    def is_silent_on(self, question: str) -> bool:
        """Whether no table that the question names holds a row."""
        if self._owner is None or self.clone_when_new is None:
            return False
        try:
            words = set(re.findall(r"\w+", question))
            named = [table for table in self.clone_when_new.empty if table in words]
            return bool(named) and not emptying.with_rows(self._owner, named)
        except psycopg.Error:
            return False

    def _is_emptied(self) -> bool:
        try:
            return (
                self._owner is not None
                and self.clone_when_new is not None
                and emptying.empty(self._owner, self.clone_when_new, kept=_pid_of_this_thread())
            )
        except psycopg.Error:  # the test has made away with the connection, or with a table
            return False


@pytest.fixture(scope="session")
def test_database(django_db_blocker: Any) -> Iterator[TestDatabase]:
    """This process's own clone; removed at the end."""
    with django_db_blocker.unblock():
        database_ready()
        with databases.open_server() as server:
            template = databases.ensure_template(server)
            name = databases.claim_name(server, os.environ.get("PYTEST_XDIST_WORKER", "main"))
            own = TestDatabase(server, template, name)
            own.clone()
            connections["default"].close()
            connections["default"].settings_dict["NAME"] = name
            yield own
            connections.close_all()
            own.leave()
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
            wrong = test_database.stock_differences()
        finally:
            test_database.renew()
    assert not wrong, f"after this test the stock differs from its ledger: {wrong}"


@pytest.fixture(autouse=True)
def _commit_where_marked(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("committed_database") is not None:
        request.getfixturevalue("committed_database")


def _begin_anew() -> None:
    """Begin with a connection on which nothing is left of an earlier test but plans; an earlier test's open transaction
    is its mistake."""
    open_still = [one.alias for one in connections.all(initialized_only=True) if one.in_atomic_block]
    assert not open_still, "an earlier test, or a fixture of its module, has left a transaction open"
    close_connections_of_loops()
    own = connections["default"]
    try:
        if own.connection is not None:
            own.connection.execute(FORGET)
            own.ensure_timezone()
    except psycopg.Error:
        own.close()


def _pid_of_this_thread() -> int:
    """The server's process behind this thread's connection; 0 where there is none, or where it is not to be kept."""
    own = connections["default"]
    if own.connection is not None and (own.in_atomic_block or own.connection.closed or own.errors_occurred):
        own.close()
    return 0 if own.connection is None else int(own.connection.info.backend_pid)


def close_connections_of_loops() -> None:
    """Close the connections that were opened while an event loop ran in this thread, as Playwright's does: Django keeps
    them apart, and finds them again when the next loop runs."""
    if "playwright" not in sys.modules:
        return
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(_close_those_of_loops())


async def _close_those_of_loops() -> None:
    for one in connections.all(initialized_only=True):
        if one.connection is not None:
            one.connection.close()
            one.connection = None


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that other accounts can pass through, unlike pytest's own: a server of another account works
    in it when the tests run as root."""
    with tempfile.TemporaryDirectory(prefix="fm-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@pytest.fixture
def nobody_has_failed_before() -> Iterator[None]:
    """Log-ins that failed in other tests are forgotten, and so are those of this one."""
    log_ins.forget()
    yield
    log_ins.forget()


@pytest.fixture
def tried(record_property: Callable[[str, object], None]) -> Iterator[Counter[str]]:
    """What a test has tried, counted as it goes, by short names; the page of `make proof` shows it."""
    counts: Counter[str] = Counter()
    yield counts
    for name, count in counts.items():
        record_property(name, count)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data (FINALMARKET_TEST_DATA); the test is skipped, loudly, where there is none."""
    folder = os.environ.get("FINALMARKET_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("no real data: set FINALMARKET_TEST_DATA to its folder")
    return Path(folder)
