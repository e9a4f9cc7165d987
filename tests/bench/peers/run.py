"""Measures the peers one after the other and keeps what was found."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table

from finalmarket.bench.report import machine
from finalmarket.kernel.database import database_ready
from finalmarket.kernel.embedded import EmbeddedServer, installed_server
from finalmarket.kernel.errors import UserError
from tests.bench.peers.measure import CALLERS, Beside, Pace, System
from tests.bench.peers.ours import Ours
from tests.bench.peers.peer_medusa import Medusa
from tests.bench.peers.peer_oscar import Oscar
from tests.bench.peers.peer_vendure import Vendure
from tests.bench.peers.processes import BUILD, NotThere
from tests.bench.peers.tally import Result, report

QUICK = Pace(runs=1, seconds=1.0, race_seconds=30.0, races=10)


class Peer(System, Protocol):
    """A system of others."""

    settings: str

    def install(self) -> str:
        """Install it where it is not; return its version. Raises NotThere."""
        ...

    def open(self) -> None:
        """Start it, filled. Raises NotThere."""
        ...

    def close(self) -> None:
        """Stop it."""
        ...


PEERS: dict[str, Callable[[EmbeddedServer], Peer]] = {"oscar": Oscar, "vendure": Vendure, "medusa": Medusa}


def measure_all(names: Sequence[str], *, is_quick: bool, say: Callable[[str], None]) -> None:
    """Measure these peers and keep what was found of each in build/peers. Raises UserError where our own database is
    not the embedded one, which peers need for databases of their own."""
    database_ready()
    server = installed_server()
    if server.keeper_pid() is None:
        raise UserError("peers are measured on the embedded database; unset DATABASE_URL, set FINALMARKET_DATA")
    for name in names:
        ours = Ours(CALLERS)  # a house of its own beside each: its last units are sold once
        try:
            say(f"{name}: installing, starting, filling both")
            ours.open()
            result = _measure(PEERS[name](server), ours, QUICK if is_quick else Pace(), say)
            ours.check()
        finally:
            ours.close()
        if result.problem:
            say(f"{name}: {result.problem}")
        where = {**machine(), "date": datetime.now(UTC).date().isoformat()}
        BUILD.mkdir(parents=True, exist_ok=True)
        kept = report(where, [result], CALLERS)
        (BUILD / f"{name}.json").write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def _measure(peer: Peer, ours: Ours, pace: Pace, say: Callable[[str], None]) -> Result:
    result = Result(peer.name, settings=peer.settings)
    began = time.monotonic()
    try:
        result.version = peer.install()
        peer.open()
        beside = Beside(peer, ours, pace, say)
        result.figures = beside.speeds()
        result.races, result.our_races = beside.races()
        result.answers = dict(sorted(beside.answers.items()))
    except (NotThere, OSError) as error:
        result.problem = str(error) or repr(error)
    finally:
        peer.close()
    result.seconds = round(time.monotonic() - began, 1)
    return result


def read_results() -> dict[str, Any]:
    """What was found of all peers so far, as one object, which is written beside; machines are those of each peer."""
    found: dict[str, Any] = {"bench": "peers", "machine": {}, "seed": 1, "callers": CALLERS, "figures": [], "peers": {}}
    for name in PEERS:
        path = BUILD / f"{name}.json"
        if path.exists():
            one = json.loads(path.read_text("utf-8"))
            found["machine"] = one["machine"]
            found["figures"] += one["figures"]
            found["peers"][name] = {**one["peers"][name], "machine": one["machine"]}
    (BUILD / "peers.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return found


def print_report(found: dict[str, Any]) -> None:
    """Print what was found for a reader."""
    console = Console(width=None if Console().is_terminal else 160)
    table = Table(
        title=f"peers: orders/s by {found['callers']} callers, and races for last units", title_justify="left"
    )
    for heading in ("figure", "value", "unit", "min to max", "ratio", "of", "baseline"):
        table.add_column(heading, justify="left" if heading in ("figure", "unit", "baseline") else "right")
    for one in found["figures"]:
        ratio = "" if one["ratio"] is None else f"{one['ratio']:.2f}"
        numbers = f"{one['value']:,}", one["unit"], f"{one['min']:,} to {one['max']:,}", ratio, f"{one['baseline']:,}"
        table.add_row(one["name"], *numbers, one["baseline_name"])
    console.print(table)
    for name, peer in found["peers"].items():
        said = peer["problem"] or f"races {peer['races']}, ours {peer['our_races']}, answers {peer['answers']}"
        console.print(f"{name} {peer['version']} ({peer['settings']}): {said}", highlight=False)
    console.print(", ".join(f"{key} {value}" for key, value in found["machine"].items()), highlight=False)
