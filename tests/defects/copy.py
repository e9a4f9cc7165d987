"""Copies of the checkout, with a database server of their own: the working tree is never touched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.defects.defect import Defect

# Whatever directs a run elsewhere than into its own copy.
LED_ASTRAY = ("DATABASE_URL", "DATABASE_MIGRATE_URL", "FINALMARKET_TEST_DATABASE_URL", "FINALMARKET_FAILPOINT")
KEEPS_THE_SERVER = """
import sys
import tests.environment
import django
django.setup()
import finalmarket
from finalmarket.kernel.database import database_ready
from tests import databases
database_ready()
with databases.open_server() as server:
    template = databases.ensure_template(server)
print(finalmarket.__file__)
print(template, flush=True)
sys.stdin.read()
"""


class Copy:
    """One copy. Make it with `Copy.of`; a defect stands in it only within `planted`. `data` is where its database
    server works, which several copies may share."""

    def __init__(self, root: Path, data: Path) -> None:
        self.root, self.data = root, data
        self._moment = int(root.stat().st_mtime)

    @classmethod
    def of(cls, checkout: Path, root: Path, data: Path) -> Copy:
        """Copy what the checkout's git knows or would add, into the new folder `root`."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=checkout, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        for name in filter(None, listed.split("\0")):
            if (checkout / name).is_file():  # one that was deleted and not committed is listed still
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(checkout / name, root / name)
        return cls(root, data)

    @property
    def environment(self) -> dict[str, str]:
        """What a process in the copy needs to work in the copy alone."""
        kept = {name: value for name, value in os.environ.items() if name not in LED_ASTRAY}
        return {**kept, "PYTHONPATH": str(self.root), "FINALMARKET_DATA": str(self.data)}

    @contextmanager
    def served(self) -> Iterator[str]:
        """Within it the copy's database server runs; yields the name of its migrated template. Raises RuntimeError
        where Python would import the product from elsewhere."""
        keeper = subprocess.Popen(
            [sys.executable, "-c", KEEPS_THE_SERVER], cwd=self.root, env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert keeper.stdout is not None
        try:
            where, template = keeper.stdout.readline().strip(), keeper.stdout.readline().strip()
            if not template or not Path(where).is_relative_to(self.root):
                raise RuntimeError(f"the product would be imported from {where or 'nowhere'}, not from {self.root}")
            yield template
        finally:
            keeper.communicate()

    @contextmanager
    def planted(self, defect: Defect) -> Iterator[None]:
        """The copy with this defect in it, as before afterwards. Raises ValueError where its place is gone."""
        path = self.root / defect.file
        text = path.read_text("utf-8")
        if text.count(defect.before) != 1:
            raise ValueError(f"{defect.id}: the text of `before` does not stand once in {defect.file}")
        self._write(path, text.replace(defect.before, defect.after))
        try:
            yield
        finally:
            self._write(path, text)

    def _write(self, path: Path, text: str) -> None:
        """Write with a time that no earlier writing had: Python knows compiled files by it, in whole seconds."""
        path.write_text(text, "utf-8")
        self._moment += 2
        os.utime(path, (self._moment, self._moment))


def shared(items: Sequence[Defect], hands: int) -> list[list[Defect]]:
    """The defects dealt out to so many hands; in each hand those of the database last, of which every one needs a
    database made anew."""
    dealt: list[list[Defect]] = [[] for _ in range(hands)]
    for number, defect in enumerate(sorted(items, key=lambda one: one.is_in_the_database)):
        dealt[number % hands].append(defect)
    return dealt
