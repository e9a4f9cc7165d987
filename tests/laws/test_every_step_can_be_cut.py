"""Every commit and every call to the outside on the sync paths has a named failpoint before and after it, and at every
failpoint a worker is killed (test_killed_anywhere.py).

The paths are walked on a real database and against stand-ins over real HTTP, while each commit that wrote something and
each request that left is watched. So that no way is forgotten, every place in the room that writes has to be passed.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

import pytest

from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.contract import PullsListings, PullsOrders
from finalmarket.connectors.registry import connectors
from finalmarket.integrations import adopt
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.kernel import failpoints
from finalmarket.sandbox.stand_in import StandIn
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.integrations.test_every_platform import PLATFORMS, SHOPPERS, catalogue
from tests.laws.border_house import house
from tests.laws.sync_paths import PATHS
from tests.laws.test_killed_anywhere import places_to_cut, walked
from tests.laws.trail import HOUSE, ROOT, watched

ROOM = HOUSE / "integrations"
BORDER_POST = ("outgoing", "models")
"""Its rooms within the room. The others are for accounts of other kinds (those who keep books, carriers, desks): what
is done for those is on none of the paths here."""
SYNC_ROOMS = (ROOM, HOUSE / "connectors", HOUSE / "kernel" / "jobs.py")
WRITES = frozenset(
    {
        "save", "create", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create",
        "execute", "mark_due", "rows",
    }
)  # fmt: skip
CLIENTS = frozenset({"Client", "AsyncClient", "HTTPTransport", "AsyncHTTPTransport", "urlopen", "create_connection"})
DOORS = {
    "finalmarket/connectors/http.py", "finalmarket/integrations/outgoing/deliver.py",
    "finalmarket/integrations/wire.py",
}  # fmt: skip
OFF_THE_PATHS = {
    "forgets what is a month old, and nothing is synced by it": (
        "inbox.tidy", "jobs.tidy", "push.forget", "outgoing.jobs.tidy",
    ),
    "is a setting of a person: one step each, and nothing is told by it": (
        "outgoing.endpoints.open_endpoint", "outgoing.endpoints.rotate_secret", "outgoing.endpoints.switch_on",
        "outgoing.endpoints.send_again", "outgoing.endpoints.change_endpoint", "outgoing.endpoints.switch_off",
        "connect.open_account",
    ),
    "moves secrets to the newest key, each by one step that changes nothing of what is said": ("rekey.move",),
    "only reads": ("health._due", "sent_mails.selling_mails", "telling_stock._free", "timeline._rows"),
    "stands within the one step in which a page is stored (storing.intake)": (
        "customers_in._note_consent", "orders_in._keep_raw", "orders_in._tell_again",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A call in our source: where it stands, from line to line."""

    path: str
    function: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.path}:{self.first} in {self.function}"


@pytest.mark.committed_database
def test_every_commit_and_every_call_on_the_sync_paths_can_be_cut_and_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    with house(monkeypatch) as home:
        trails = [(path, walked(home, path)) for path in PATHS]
    complaints = {sentence for _, trail in trails for sentence in trail.bare()}
    cut = {one.partition("@")[0] for path, trail in trails for one in places_to_cut(path, trail)}
    complaints |= {f"no worker is killed at {name}" for name in named_failpoints(*SYNC_ROOMS) if name not in cut}
    lines: set[tuple[str, int]] = set().union(*(trail.lines for _, trail in trails))
    stated = {name for names in OFF_THE_PATHS.values() for name in names}
    forgotten = [place for place in places(ROOM) if place.function not in stated and not is_passed(place, lines)]
    complaints |= {f"{place} is on no path" for place in forgotten}
    assert not complaints, "\n".join(sorted(complaints))


def test_nothing_leaves_the_house_by_another_door() -> None:
    found = set()
    for path in sources(ROOM, HOUSE / "connectors"):
        for call in calls(path):
            if name_of(call) in CLIENTS:
                found.add(str(path.relative_to(ROOT)))
    assert found == DOORS


@pytest.mark.committed_database
@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.slug)
def test_no_platform_has_a_step_of_its_own_that_cannot_be_cut(platform: type[StandIn]) -> None:
    connector = connectors()[platform.slug]
    there: Any = platform(World(seed=1))
    catalogue()
    with served(there) as (address,):
        integration = ChannelIntegration.objects.create(
            sales_channel=SalesChannel.objects.create(name="There", channel_type="marketplace"),
            platform_name=connector.name, integration_type=connector.kind,
        )  # fmt: skip
        with watched() as connecting:
            integration.connect({**there.credentials(), "base_url": address})
        if issubclass(connector, PullsListings):
            with there.lock:
                for sku in ("TEA", "CUP"):
                    there.add_listing(sku, f"The {sku}", 5, 100)
            adopt.look_through(integration)
        if issubclass(connector, PullsOrders):
            with there.lock:
                for _ in range(SHOPPERS):
                    there.shop(random.Random(5))
        integration.start_pushing()
        with watched() as syncing:
            integration.sync()
    assert connecting.steps("call")
    assert not [*connecting.bare(), *syncing.bare()]


# The law bites.


@pytest.mark.committed_database
@pytest.mark.parametrize(
    ("path", "name", "where"),
    [
        ("orders are pulled", "runs.after_end", "finalmarket/integrations/runs.py"),
        ("a webhook comes in", "inbox.after_commit", "finalmarket/integrations/inbox.py"),
        ("webhooks are worked on", "inbox.before_claim", "finalmarket/integrations/inbox.py"),
        ("everything is pushed", "push.after_claim push.before_begin", "finalmarket/integrations/push.py"),
        ("everything is pushed", "http.before_send budget.after_ask", "finalmarket/connectors/http.py"),
        ("a parcel is told", "notices.after_claim notices.before_send budget.before_ask", "notices.py"),
        ("news is told", "outgoing.after_claim outgoing.before_send", "finalmarket/integrations/outgoing/deliver.py"),
    ],
)
def test_a_step_between_which_and_the_next_no_failpoint_is_left_is_found(
    path: str, name: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (chosen,) = [one for one in PATHS if str(one) == path]
    with house(monkeypatch) as home:
        chosen.happen(home)
        home.pass_time(minutes=1)
        with watched() as trail, pytest.MonkeyPatch.context() as patch:
            hit = failpoints.hit
            patch.setattr(failpoints, "hit", lambda passed: None if passed in name.split() else hit(passed))
            chosen.act(home)
    assert any(where in sentence for sentence in trail.bare()), trail.bare()


def test_a_failpoint_and_a_place_that_nobody_passes_are_found(tmp_path: File) -> None:
    source = tmp_path / "room.py"
    source.write_text(
        'def act(row):\n    failpoints.hit("room.after_act")\n'
        '    with failpoints.around("room.end"):\n        row.save()\n'
    )
    assert named_failpoints(tmp_path) == ["room.after_act", "room.before_end", "room.after_end"]
    (place,) = places(tmp_path)
    assert (place.function, place.first) == ("room.act", 4)
    assert not is_passed(place, {(place.path, 3)})
    assert is_passed(place, {(place.path, 4)})


# What stands in the source.


def sources(*roots: File) -> Iterator[File]:
    """The Python files there, without migrations; of the border post only what is its own."""
    for root in roots:
        for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            within = path.relative_to(ROOM).parts[:-1] if path.is_relative_to(ROOM) else ()
            if "migrations" not in path.parts and set(within) <= set(BORDER_POST):
                yield path


def calls(path: File) -> Iterator[ast.Call]:
    """The calls in a file, in its order."""
    found = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    yield from sorted(found, key=lambda call: (call.lineno, call.col_offset))


def name_of(call: ast.Call) -> str:
    """What is called, by its last name."""
    called = call.func
    return called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""


def named_failpoints(*roots: File) -> list[str]:
    """The names of all failpoints there. Raises AssertionError for one whose name is not written out."""
    return list(dict.fromkeys(name for path in sources(*roots) for name in failpoints_in(path)))


def failpoints_in(path: File) -> list[str]:
    """The names of all failpoints in a file. Raises AssertionError for one whose name is not written out."""
    found: list[str] = []
    for call in calls(path):
        if name_of(call) not in ("hit", "around") or not ast.unparse(call.func).startswith("failpoints."):
            continue
        (name,) = call.args
        assert isinstance(name, ast.Constant) and isinstance(name.value, str), f"{path}:{call.lineno}"
        room, _, step = name.value.partition(".")
        is_around = name_of(call) == "around"
        found += [f"{room}.before_{step}", f"{room}.after_{step}"] if is_around else [name.value]
    return found


def places(root: File) -> Iterator[Place]:
    """The places that write, or speak to the database in words of their own."""
    for path in sources(root):
        room = path.relative_to(root).with_suffix("").as_posix().replace("/", ".")
        here = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Call) and name_of(node) in WRITES:
                        yield Place(str(here), f"{room}.{function.name}", node.lineno, node.end_lineno or node.lineno)


def is_passed(place: Place, lines: set[tuple[str, int]]) -> bool:
    """Whether the database was spoken to from there."""
    return any((place.path, line) in lines for line in range(place.first, place.last + 1))
