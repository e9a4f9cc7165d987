"""What is planted: one small change of the product, told in the domain's words, and the test that has to see it."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
TEST = re.compile(r"^(?:async )?def (test_\w+)\(", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Defect:
    """`before` stands exactly once in `file` and becomes `after`; then `test`, a node of pytest, fails.

    It fails by an assertion, unless `error` names the exception that comes instead. `room` is the file in which the
    defect is described.
    """

    id: str
    room: str
    says: str
    file: str
    before: str
    after: str
    test: str
    error: str = ""

    @property
    def test_file(self) -> str:
        """The file of the test, seen from the root."""
        return self.test.partition("::")[0]

    @property
    def test_name(self) -> str:
        """The function of the test, without its parameters."""
        return self.test.partition("::")[2].partition("[")[0]

    @property
    def is_in_the_database(self) -> bool:
        """Whether the test database has to be made anew for it: the defect is in what migrations write."""
        return self.file.endswith(".sql") or "/migrations/" in self.file


def read_all(folder: Path = FOLDER) -> list[Defect]:
    """All defects, in the order of the files' names and of the entries. Raises ValueError for an entry that is not
    whole, or that says more than it may."""
    found = []
    for page in sorted(folder.glob("*.toml")):
        for entry in tomllib.loads(page.read_text("utf-8"))["defect"]:
            try:
                found.append(Defect(room=page.stem, **entry))
            except TypeError as error:
                raise ValueError(f"{page.name}, {entry.get('id', 'an entry without id')}: {error}") from error
    return found


def chosen(defects: Sequence[Defect], ids: Sequence[str]) -> list[Defect]:
    """Those of these ids; all where none is named. Raises ValueError for an id that there is not."""
    known = {defect.id: defect for defect in defects}
    unknown = [one for one in ids if one not in known]
    if unknown:
        raise ValueError(f"there is no defect {unknown[0]}; there are {', '.join(known)}")
    return [known[one] for one in ids] if ids else list(defects)


def mistakes(defects: Iterable[Defect], root: Path = ROOT) -> list[str]:
    """What is wrong with entries, each with what to do: a place that is not there once, a test that is not there."""
    defects = list(defects)
    counted = Counter(defect.id for defect in defects)
    said = [f"{name}: stands {n} times; every defect has an id of its own" for name, n in counted.items() if n > 1]
    tests: dict[str, set[str]] = {}
    for defect in defects:
        said += _wrong_place(defect, root)
        if defect.test_file not in tests:
            tests[defect.test_file] = _tests_in(root / defect.test_file)
        if defect.test_name not in tests[defect.test_file]:
            said.append(f"{defect.id}: there is no test {defect.test}; name the one that has to see the defect")
    return said


def _wrong_place(defect: Defect, root: Path) -> list[str]:
    path = root / defect.file
    if not path.is_file():
        return [f"{defect.id}: {defect.file} is gone; name the file where the rule stands now"]
    times = path.read_text("utf-8").count(defect.before) if defect.before else 0
    if times != 1:
        what = "stands there no more" if not times else f"stands there {times} times"
        said = (
            f"{defect.id}: in {defect.file}, the text of `before` {what}; write it anew from there, long enough to be"
        )
        return [f"{said} found once, and see its test go red with `make proof-defects ONLY={defect.id}`"]
    if defect.before == defect.after:
        return [f"{defect.id}: `after` is what was there before; say what becomes wrong"]
    return []


def _tests_in(path: Path) -> set[str]:
    """The names of the test functions of a file, as its text says; it is not imported."""
    if not path.is_file():
        return set()
    return set(TEST.findall(path.read_text("utf-8")))
