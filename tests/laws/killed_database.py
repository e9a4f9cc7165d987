"""A program of its own, with a database server of its own that it kills: `python -m tests.laws.killed_database KILLS`.

Trades at the border, and each time while pulling, telling or noticing is under way the database is ended as by a power
cut and comes back. Prints what the platform and our books disagree on in the end, as a JSON list of sentences.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import django
import psutil
import pytest

if TYPE_CHECKING:
    from tests.laws.border_game import Game

ROUNDS_BETWEEN = 40


def main(kills: int) -> list[str]:
    """Kill the database that often under trade; return what is wrong afterwards."""
    django.setup()
    from finalmarket.cli.migrate import apply_migrations
    from finalmarket.kernel.database import database_ready
    from finalmarket.stock.check import differences
    from tests.laws.border_game import game

    database_ready()
    apply_migrations(verbosity=0)
    with pytest.MonkeyPatch.context() as patch, game("fake", 1, patch) as played:
        dice = random.Random(1)
        for _ in range(kills):
            _trade_until_it_dies(played, dice)
        played.calm_down()
        wrong = played.faults_of_the_books()
    return [*wrong, *(f"the stock differs from its ledger: {one}" for one in differences())]


def _trade_until_it_dies(played: Game, dice: random.Random) -> None:
    """Trade while another thread kills the server; then bring it back."""
    from django.db import Error, connections

    from finalmarket.kernel.embedded import installed_server
    from finalmarket.kernel.errors import UserError

    killer = threading.Timer(dice.uniform(0.02, 0.6), _kill)
    killer.start()
    for _ in range(ROUNDS_BETWEEN):
        try:
            played.trade()
            played.sync()
            played.pass_time(5)
        except (Error, UserError, OSError):
            break
        except Exception as error:  # psycopg's own, from connections outside Django's
            if type(error).__module__.partition(".")[0] != "psycopg":
                raise
            break
    killer.join()
    connections.close_all()
    installed_server().revive()


def _kill() -> None:
    """End the server as a power cut does: no good-bye, nothing flushed that was not."""
    number = (Path(os.environ["FINALMARKET_DATA"]) / "database/cluster/postmaster.pid").read_text().split()[0]
    server = psutil.Process(int(number))
    family = [server, *server.children(recursive=True)]
    for process in family:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=10)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(int(sys.argv[1]))))
