"""The skeleton of a new connector works as it comes: it lints, it imports, and it keeps the whole contract."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

pytest.register_assert_rewrite("tests.connectors.conformance")

from finalmarket.connectors import platforms, registry  # noqa: E402
from finalmarket.connectors.contract import capabilities  # noqa: E402
from finalmarket.sandbox import platforms as stand_ins  # noqa: E402
from tests.connectors import cases  # noqa: E402
from tests.connectors.conformance import CHECKS, Check, statement  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "new_connector.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)


def file(root: Path, slug: str) -> list[Path]:
    """The files of a connector."""
    return [
        root / "finalmarket" / "connectors" / "platforms" / f"{slug}.py",
        root / "finalmarket" / "sandbox" / "platforms" / f"{slug}.py",
        root / "tests" / "connectors" / "cases" / f"{slug}.py",
        root / "tests" / "connectors" / f"test_{slug}.py",
    ]


@pytest.fixture(scope="module")
def skeleton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the skeleton as it comes, found by the registry, the sandbox and the suite."""
    root = tmp_path_factory.mktemp("checkout")
    made = run("Example", "--root", str(root))
    assert made.returncode == 0, made.stderr
    connector, stand_in, case, _ = file(root, "example")
    with pytest.MonkeyPatch.context() as patch:
        for package, path in ((platforms, connector), (stand_ins, stand_in), (cases, case)):
            patch.setattr(package, "__path__", [*package.__path__, str(path.parent)])
        patch.setattr(statement, "PAGES", root / "docs" / "connectors")
        registry.connectors.cache_clear()
        yield root
    registry.connectors.cache_clear()
    for package in (platforms, stand_ins, cases):
        sys.modules.pop(f"{package.__name__}.example", None)
        vars(package).pop("example", None)


def test_it_is_found_by_its_name_like_every_connector(skeleton: Path) -> None:
    assert registry.find("EXAMPLE").slug == "example"
    assert "PullsOrders" in capabilities(registry.find("example"))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_it_keeps_the_contract(skeleton: Path, check: Check) -> None:
    if check.applies_to(registry.find("example")):
        check.run(cases.case_of("example"))


def test_its_own_tests_pass(skeleton: Path) -> None:
    module = _loaded(file(skeleton, "example")[3])
    tests = [value for name, value in vars(module).items() if name.startswith("test_")]
    assert tests
    for test in tests:
        test()


def _loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "slug", "class_name"), [("Best Buy", "best_buy", "BestBuy"), ("eBay", "ebay", "EBay")]
)
def test_a_skeleton_lints_and_bears_the_platforms_name(tmp_path: Path, name: str, slug: str, class_name: str) -> None:
    made = run(name, "--root", str(tmp_path))
    assert made.returncode == 0, made.stderr
    connector, stand_in, *_ = files = file(tmp_path, slug)
    settings = ["--config", str(ROOT / "pyproject.toml")]
    for command in (["check", "--extend-per-file-ignores", "test_*.py:S"], ["format", "--check"]):
        linted = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *settings, *map(str, files)],
            capture_output=True, text=True, check=False, cwd=ROOT,
        )  # fmt: skip
        assert linted.returncode == 0, linted.stdout
    assert f"class {class_name}(" in connector.read_text()
    assert f'name = "{name}"' in connector.read_text()
    assert f"class {class_name}StandIn(" in stand_in.read_text()
    assert (tmp_path / "docs" / "connectors" / f"{slug}.md").read_text().startswith(f"# {name}\n")
    for path in files:
        compile(path.read_text(), str(path), "exec")


def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    there = file(tmp_path, "etsy")[1]
    there.parent.mkdir(parents=True)
    there.write_text("# somebody's work\n")
    made = run("Etsy", "--root", str(tmp_path))
    assert made.returncode == 2
    assert "etsy.py already" in made.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [there]
    assert there.read_text() == "# somebody's work\n"


@pytest.mark.parametrize("name", ["", "42", 'Et"sy', "!!"])
def test_a_name_that_will_not_do_is_refused(tmp_path: Path, name: str) -> None:
    made = run(name, "--root", str(tmp_path))
    assert made.returncode == 2
    assert "error" in made.stderr
    assert list(tmp_path.iterdir()) == []
