"""A web process is killed at every named failpoint of every way on which programs change something over HTTP. Whoever
called asks again by the same word, and finds it done once.

Every commit on these ways has a failpoint directly before and after it: a commit without one is found, in the REST API
for each of its writes. FINALMARKET_PROOF_CUTS=all kills at every visit of every failpoint.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path as File

import pytest
from django.db import connection

from finalmarket.access import rates
from finalmarket.access.models import ApiKey
from finalmarket.kernel import failpoints
from finalmarket.orders.models import MailDoor
from finalmarket.stock import desk as desk_room
from tests.api.calling import Program
from tests.api.conftest import open_house
from tests.api.furnished import Furnished, calls
from tests.crash.kept import furnish
from tests.crash.ways_over_http import WAYS, Way, Within
from tests.laws.cut_off import cut_off
from tests.laws.test_every_step_can_be_cut import failpoints_in
from tests.laws.trail import HOUSE, ROOT, Trail, watched

EVERYWHERE = os.environ.get("FINALMARKET_PROOF_CUTS") == "all"
DESK = "stock desk"
"""The thread that carries what callers want to the database, and back."""
DOORS = (HOUSE / "api", HOUSE / "console" / "pages" / "frame.py", HOUSE / "journeys" / "ingest.py")
ON_THE_WAYS = (
    HOUSE / "api" / "door.py", HOUSE / "api" / "shop" / "door.py", *sorted((HOUSE / "api" / "v1").glob("*.py")),
    HOUSE / "journeys" / "ingest.py", HOUSE / "stock" / "clerk.py", HOUSE / "access" / "keys.py",
    HOUSE / "orders" / "mailed" / "doors.py", HOUSE / "orders" / "mailed" / "requests.py",
)  # fmt: skip
"""Where what programs ask over HTTP has its failpoints."""
_words = count(1)


@pytest.fixture
def programs(committed_database: object) -> Iterator[Within]:
    """Programs that call a house with one of everything."""
    rates.forget()
    yield Within(furnish())
    desk_room.desk().close()
    desk_room._desk = None
    rates.forget()


def as_if_never_used() -> None:
    """The use of keys and doors is noted with the next call, as once in every minute, and no job waits that would do
    for the next one too."""
    ApiKey.objects.update(last_used_at=None)
    MailDoor.objects.update(used_at=None)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")


def walked(programs: Within, way: Way) -> Trail:
    """What a web process that nobody kills leaves behind."""
    word = new_word()
    about = way.before(programs, word)
    as_if_never_used()
    with watched(DESK) as trail:
        answer = way.act(programs, word, about)
    assert answer.is_yes, answer
    assert way.stands(word, about) == 1
    return trail


def new_word() -> str:
    """A word by which nothing was asked yet."""
    return f"word-{next(_words)}"


def cuts(trail: Trail) -> list[str]:
    """Where the process is killed: once at each failpoint, as late as it comes by; at length at every visit."""
    passed = trail.points()
    if EVERYWHERE:
        return [f"{name}@{passed[: place + 1].count(name)}" for place, name in enumerate(passed)]
    return [f"{name}@{passed.count(name)}" for name in dict.fromkeys(passed)]


@pytest.mark.parametrize("way", [way for way in WAYS if way.is_short or EVERYWHERE], ids=str)
def test_a_web_process_that_is_killed_anywhere_loses_nothing_and_whoever_asks_again_finds_it_done_once(
    way: Way, programs: Within, record_property: Callable[[str, object], None]
) -> None:
    trail = walked(programs, way)
    assert trail.steps("commit")
    assert trail.bare() == []
    killed = cuts(trail)
    record_property("kills", len(killed))
    for cut in killed:
        word = new_word()
        about = way.before(programs, word)
        as_if_never_used()
        assert cut_off(partial(way.act, programs, word, about), cut) == "", cut
        assert way.stands(word, about) in (0, 1), f"killed at {cut}: something is half done"
        again, once_more = way.act(programs, word, about), way.act(programs, word, about)
        assert again.is_yes, f"killed at {cut}: {again}"
        assert once_more.is_yes
        assert way.may_differ or once_more.body == again.body
        assert way.stands(word, about) == 1, f"killed at {cut}"


def test_every_failpoint_of_what_programs_ask_over_http_is_on_a_way_that_is_cut(programs: Within) -> None:
    passed = {name for way in WAYS for name in walked(programs, way).points()}
    assert sorted({name for path in ON_THE_WAYS for name in failpoints_in(path)} - passed) == []


def test_every_write_of_the_rest_api_commits_between_failpoints(
    committed_database: object, record_property: Callable[[str, object], None]
) -> None:
    rates.forget()
    there, program = Furnished(open_house()), Program(name="caller")
    bare, writing = [], set()
    for call in calls().values():
        if call.method == "GET":
            continue
        with watched(DESK) as trail:
            program.write(call.method, there.address(call), there.real(call.example))
        if trail.steps("commit"):
            writing.add(call.name)
        bare += [f"{call.name}: {sentence}" for sentence in trail.bare() if "commit (" in sentence]
    record_property("writes seen to commit", len(writing))
    assert bare == []
    assert len(writing) > 60, "most of them were carried out"


def transactions(path: File) -> Iterator[tuple[int, str]]:
    """Where a door opens a transaction: the line, and all that stands in the same `with`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.With):
            words = " ".join(ast.unparse(item) for item in node.items)
            if "transaction.atomic()" in words:
                yield node.lineno, words


def test_no_door_opens_a_transaction_without_a_failpoint_around_it() -> None:
    sources = [path for door in DOORS for path in (door.rglob("*.py") if door.is_dir() else [door])]
    found = [(path, line, words) for path in sources for line, words in transactions(path)]
    assert len(found) >= 8
    without = [f"{path.relative_to(ROOT)}:{line}" for path, line, words in found if "failpoints.around" not in words]
    assert without == []


# The law bites.


@pytest.mark.parametrize(
    ("name", "names", "where"),
    [
        ("a cart is opened", "api.after_write", "finalmarket/api/door.py"),
        ("a reservation is taken", "desk.before_send keys.after_note_use", "finalmarket/stock/clerk.py"),
    ],
)
def test_a_commit_that_has_lost_its_failpoint_is_found(name: str, names: str, where: str, programs: Within) -> None:
    (way,) = [way for way in WAYS if way.name == name]
    word = new_word()
    about = way.before(programs, word)
    with watched(DESK) as trail, pytest.MonkeyPatch.context() as patch:
        hit = failpoints.hit
        patch.setattr(failpoints, "hit", lambda passed: None if passed in names.split() else hit(passed))
        way.act(programs, word, about)
    assert any(where in sentence for sentence in trail.bare()), trail.seen


def test_a_door_without_a_failpoint_is_found(tmp_path: File) -> None:
    source = tmp_path / "door.py"
    source.write_text("with transaction.atomic():\n    pass\n")
    assert list(transactions(source)) == [(1, "transaction.atomic()")]
