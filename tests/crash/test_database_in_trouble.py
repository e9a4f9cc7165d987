"""A database that has no connection to spare, or takes no writes: callers wait no longer than was stated, hear a clean
no that names it, nothing is half done, and all goes on by itself when the trouble is over."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from finalmarket.kernel.embedded import DATABASE_NAME, RUNTIME_ROLE
from finalmarket.kernel.trouble import READ_ONLY, TAKEN
from tests.crash.dose import IS_PROOF, in_the_proof
from tests.crash.house import Answer, CrashHouse, opened, until

WAIT_SECONDS = 1
SLACK_SECONDS = 5.0
"""What a busy machine may add to a wait."""
RECOVERED_SECONDS = 10.0 if IS_PROOF else 60.0
MOST_CONNECTIONS = 20
CALLS_AT_ONCE = 8
Write = Callable[[CrashHouse, str], Answer]
WRITES: Sequence[Write] = (CrashHouse.reserve, CrashHouse.order, CrashHouse.tell, CrashHouse.bring)
READS = ("/api/v1/orders", "/api/v1/stock/levels", "/api/v1/variants", "/health", "/admin/login/")


@pytest.fixture(scope="module")
def house(test_database: object) -> Iterator[CrashHouse]:
    """A house with few connections, in which nobody waits long."""
    with tempfile.TemporaryDirectory(prefix="fm-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        local = f"max_connections = {MOST_CONNECTIONS}\n"
        with opened(folder, local, FINALMARKET_WAIT_SECONDS=str(WAIT_SECONDS)) as house:
            yield house


@contextmanager
def all_connections_taken(house: CrashHouse) -> Iterator[None]:
    """Within it others have all connections of the server that the house does not have."""
    with ExitStack() as theirs:
        while True:
            try:
                theirs.enter_context(house.server.connect(DATABASE_NAME, RUNTIME_ROLE))
            except psycopg.OperationalError:
                break
        yield


def write_all(house: CrashHouse, word: str) -> list[Answer]:
    """One write of every kind."""
    return [write(house, word) for write in WRITES]


def stands(house: CrashHouse, word: str) -> list[int]:
    """How often the books have it: as a hold, an order, an event, a webhook."""
    return [
        house.ask(f"SELECT count(*) FROM {table} WHERE {column} = %s", word)[0][0]
        for table, column in (
            ("reservation", "split_part(key, ':', 2)"), ("orders", "external_id"),
            ("channel_interactions", "message_id"), ("webhook_deliveries", "event_id"),
        )
    ]  # fmt: skip


@pytest.mark.slow
@in_the_proof
def test_when_all_connections_are_taken_callers_hear_so_in_time_and_the_house_recovers_by_itself(
    house: CrashHouse, record_property: Callable[[str, object], None]
) -> None:
    assert all(answer.is_yes for answer in write_all(house, "before"))
    words = [f"crowded-{number}" for number in range(CALLS_AT_ONCE)]
    with all_connections_taken(house), house.server.connect(DATABASE_NAME) as other, ThreadPoolExecutor(16) as callers:
        with other.transaction():  # somebody's long work: those who have a connection wait for it
            other.execute("LOCK TABLE orders")
            answers = list(callers.map(house.order, words))
        assert house.reserve("meanwhile").is_yes, "what is not in the way goes on over the connections that are left"
    recovered = until(lambda: house.order("after").is_yes, "orders are taken again", most_seconds=RECOVERED_SECONDS)
    longest = max(answer.seconds for answer in answers)
    record_property("longest_wait_s", round(longest, 2))
    record_property("recovered_s", round(recovered, 2))
    assert [answer for answer in answers if not answer.is_clean_no()] == []
    assert TAKEN.sentence in {answer.told["detail"] for answer in answers}
    assert longest < 2 * WAIT_SECONDS + SLACK_SECONDS, "once for a connection, once for a lock"
    assert [stands(house, word)[1] for word in words] == [0] * CALLS_AT_ONCE, "nothing was half done"
    assert all(house.order(word).is_yes for word in words)
    assert [stands(house, word)[1] for word in words] == [1] * CALLS_AT_ONCE
    assert house.differences() == []


@pytest.mark.slow
def test_a_read_only_database_refuses_writes_by_name_and_answers_questions(
    house: CrashHouse, record_property: Callable[[str, object], None]
) -> None:
    assert all(answer.is_yes for answer in write_all(house, "writable-still"))
    house.ask("UPDATE api_keys SET last_used_at = NULL RETURNING id")  # its use would be noted with the next call
    house.set("default_transaction_read_only", "on")
    until(lambda: house.reserve("probe").status == 503, "writes are refused")
    refused = write_all(house, "read-only")
    read = [house.get(path) for path in READS]
    page = house.call("POST", f"/hooks/{house.facts.hook}/", b"{}", headers={"Accept": "text/html"})
    house.set("default_transaction_read_only", None)
    recovered = until(lambda: house.order("writable").is_yes, "writes are taken again", most_seconds=RECOVERED_SECONDS)
    record_property("recovered_s", round(recovered, 2))
    assert [answer for answer in refused if not answer.is_clean_no()] == []
    assert all(READ_ONLY.sentence.encode() in answer.body for answer in refused), refused
    assert [answer.status for answer in read] == [200] * len(READS)
    assert (page.status, READ_ONLY.sentence.encode() in page.body) == (503, True)
    assert stands(house, "read-only") == [0] * 4, "nothing was half done"
    assert all(answer.is_yes for answer in write_all(house, "read-only"))
    assert stands(house, "read-only") == [1] * 4
    assert house.differences() == []
