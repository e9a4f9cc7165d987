"""What the house promises about itself: who may import whom, how long things are, and what stands nowhere."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "finalmarket"
MADE_CALLS = PACKAGE / "client" / "made"
PLAN = PACKAGE / "cli" / "schema.sql"  # written by a machine, from the migrations
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "services", "service", "base", "manager", "managers"}
MONEY_ROOMS = ("catalog", "stock", "orders", "channels", "customers")
# Coordinates and statistics are measured, not counted: floats are right there.
FLOATS_ALLOWED = {"orders/routing.py", "orders/distance.py"}
COORDINATES = {"latitude", "longitude"}
LINES_OF_A_FILE, MOST_LINES_OF_A_FILE = 400, 500
LINES_OF_A_FUNCTION, MOST_LINES_OF_A_FUNCTION = 30, 70


def tracked_files() -> list[Path]:
    """The files that git knows; in a copy without git, all but what .gitignore leaves out at the top."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    folders = ("finalmarket", "tests", "docs", "scripts")
    return [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]


def sources() -> list[Path]:
    """Our Python files, without migrations and the calls of the client, which are written by a machine."""
    found = [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts and path.parent != MADE_CALLS]


def functions() -> Iterator[tuple[str, int]]:
    """Every function of the package with its length in lines, docstring not counted."""
    for path in PACKAGE.rglob("*.py"):
        if "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", _length(node)


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    length = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


def test_rooms_import_downward_only() -> None:
    linted = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_no_function_is_longer_than_a_screen_and_nine_in_ten_are_short() -> None:
    lengths = dict(functions())
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES_OF_A_FUNCTION} == {}
    long = [name for name, lines in lengths.items() if lines > LINES_OF_A_FUNCTION]
    assert len(long) <= len(lengths) / 10, long


def test_no_file_is_longer_than_one_can_hold_in_mind() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in {*sources(), *PACKAGE.rglob("*.sql")} - {PLAN}
    }
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES_OF_A_FILE} == {}
    long = [name for name, lines in lengths.items() if lines > LINES_OF_A_FILE]
    assert len(long) <= len(lengths) / 20, long


def test_no_file_hides_behind_a_name_that_says_nothing() -> None:
    assert [path.relative_to(ROOT) for path in sources() if path.stem in FORBIDDEN_NAMES] == []


def _floats(path: Path) -> Iterator[int]:
    """Lines that turn something into a float, or keep one."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if called in ("float", "FloatField"):
                yield node.lineno


def _coordinate_lines(path: Path) -> set[int]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {number for number, line in enumerate(lines, start=1) if any(name in line for name in COORDINATES)}


@pytest.mark.parametrize("room", MONEY_ROOMS)
def test_no_money_is_a_float(room: str) -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in (PACKAGE / room).rglob("*.py")
        if str(path.relative_to(PACKAGE)) not in FLOATS_ALLOWED
        for line in set(_floats(path)) - _coordinate_lines(path)
    ]
    assert found == []


def test_no_platform_is_asked_for_by_name_outside_its_own_file() -> None:
    asked = re.compile(r"\bif\s+(\w+\.)?(platform|platform_name|slug)\s*==")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in PACKAGE.rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if asked.search(line)
    ]
    assert found == []


def test_the_project_names_no_machine_and_no_package_server() -> None:
    # Put together here, so that this file does not name them either.
    machine_paths = ["/" + "work/", "/" + "farm/", "/" + "root/"]
    servers = ["pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "deb." + "debian.org"]
    found = []
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {word}" for word in machine_paths + servers if word in text]
    assert found == []


def test_locked_packages_are_pinned_with_hashes_and_name_no_server() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
        starts = [line for line in lines if line and not line.startswith((" ", "#"))]
        assert starts
        assert all("==" in line for line in starts), lock
        assert not [line for line in lines if "://" in line or "--index" in line or "--find-links" in line], lock


def test_every_change_of_a_model_has_its_migration() -> None:
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "django", "makemigrations", "--check", "--dry-run"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "finalmarket.config.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
