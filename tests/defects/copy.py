"""A copy of the checkout, with a data folder and so a database server of its own: the working tree is never touched."""

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
from finalmarket.kernel.embedded import installed_server
server = installed_server()
server.join()
print(sys.modules["finalmarket"].__file__, flush=True)
sys.stdin.read()
server.leave()
"""


class Copy:
    """One copy. Make it with `Copy.of`, leave it with `remove`; a defect stands in it only within `planted`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._moment = int(root.stat().st_mtime)
        self._keeper: subprocess.Popen[str] | None = None

    @classmethod
    def of(cls, checkout: Path, folder: Path) -> Copy:
        """Copy what the checkout's git knows or would add, into a new folder below `folder`."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=checkout, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        root = folder / "tree"
        for name in filter(None, listed.split("\0")):
            if (checkout / name).is_file():  # one that was deleted and not committed is listed still
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(checkout / name, root / name)
        data = folder / "data"
        data.mkdir()
        folder.chmod(0o711)  # the account that runs the database, when we are root, has to pass
        return cls(root)

    @property
    def environment(self) -> dict[str, str]:
        """What a process in the copy needs to work in the copy alone."""
        kept = {name: value for name, value in os.environ.items() if name not in LED_ASTRAY}
        return {**kept, "PYTHONPATH": str(self.root), "FINALMARKET_DATA": str(self.root.parent / "data")}

    def start(self) -> None:
        """Bring up the copy's database server, which stays until `stop`. Raises RuntimeError where Python would import
        the product from elsewhere."""
        self._keeper = subprocess.Popen(
            [sys.executable, "-c", KEEPS_THE_SERVER], cwd=self.root, env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._keeper.stdout is not None
        where = self._keeper.stdout.readline().strip()
        if not Path(where).is_relative_to(self.root):
            self.stop()
            raise RuntimeError(f"the product would be imported from {where or 'nowhere'}, not from {self.root}")

    def stop(self) -> None:
        """Let the server go."""
        if self._keeper is not None:
            self._keeper.communicate()
            self._keeper = None

    def remove(self) -> None:
        """Stop the server and remove all of it."""
        self.stop()
        shutil.rmtree(self.root.parent, ignore_errors=True)

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
