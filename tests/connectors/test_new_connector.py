"""The skeleton of a new connector works as it comes: it lints, it imports, and it keeps the whole contract."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from finalmarket.connectors import registry
from finalmarket.connectors.contract import (
    PullsListings,
    PullsOrders,
    PullsStock,
    PushesFulfilments,
    PushesStock,
    ReceivesWebhooks,
    capabilities,
)
from tests.connectors import cases
from tests.connectors.conformance import CHECKS, Check
from tests.connectors.conftest import files_of, write_skeleton

ROOT = Path(__file__).resolve().parents[2]
DECLARED = (PullsOrders, PullsListings, PullsStock, PushesStock, PushesFulfilments, ReceivesWebhooks)


def test_it_is_found_by_its_name_like_every_connector(skeleton: Path) -> None:
    assert registry.find("BEST BUY").slug == "best_buy"
    assert capabilities(registry.find("best_buy")) == tuple(capability.__name__ for capability in DECLARED)


KEPT = [check for check in CHECKS if set(check.needs) <= set(DECLARED) and check.name != "says_who_it_is"]


@pytest.mark.parametrize("check", KEPT, ids=lambda check: check.name)
def test_it_keeps_the_contract(skeleton: Path, check: Check) -> None:
    check.run(cases.case_of("best_buy"))


def test_until_it_has_addresses_of_its_own_one_check_says_so(skeleton: Path) -> None:
    (check,) = [check for check in CHECKS if check.name == "says_who_it_is"]
    with pytest.raises(AssertionError, match="still the skeleton's addresses"):
        check.run(cases.case_of("best_buy"))


def test_its_own_tests_pass(skeleton: Path) -> None:
    module = _loaded(files_of(skeleton, "best_buy")[3])
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
    ("name", "slug", "class_name"), [("Best Buy", "best_buy", "BestBuy"), ("eBargain", "ebargain", "EBargain")]
)
def test_a_skeleton_lints_and_bears_the_platforms_name(tmp_path: Path, name: str, slug: str, class_name: str) -> None:
    made = write_skeleton(name, "--root", str(tmp_path))
    assert made.returncode == 0, made.stderr
    connector, stand_in, *_ = files = files_of(tmp_path, slug)
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
    there = files_of(tmp_path, "etsy")[1]
    there.parent.mkdir(parents=True)
    there.write_text("# somebody's work\n")
    made = write_skeleton("Etsy", "--root", str(tmp_path))
    assert made.returncode == 2
    assert "etsy.py already" in made.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [there]
    assert there.read_text() == "# somebody's work\n"


@pytest.mark.parametrize("name", ["", "42", 'Et"sy', "!!"])
def test_a_name_that_will_not_do_is_refused(tmp_path: Path, name: str) -> None:
    made = write_skeleton(name, "--root", str(tmp_path))
    assert made.returncode == 2
    assert "error" in made.stderr
    assert list(tmp_path.iterdir()) == []
