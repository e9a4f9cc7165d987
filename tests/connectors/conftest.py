"""The skeleton of a new connector, in a folder of its own: for the tests of the generator and of the suite."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.connectors.conformance", "tests.connectors.cases")

from finalmarket.connectors import platforms, registry  # noqa: E402
from finalmarket.sandbox import platforms as stand_ins  # noqa: E402
from tests.connectors import cases  # noqa: E402
from tests.connectors.conformance import statement  # noqa: E402

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "new_connector.py"


def write_skeleton(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the generator."""
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)


def files_of(root: Path, slug: str) -> list[Path]:
    """The code of a connector: itself, its stand-in, its case, its tests."""
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
    made = write_skeleton("Best Buy", "--root", str(root))
    assert made.returncode == 0, made.stderr
    connector, stand_in, case, _ = files_of(root, "best_buy")
    with pytest.MonkeyPatch.context() as patch:
        for package, path in ((platforms, connector), (stand_ins, stand_in), (cases, case)):
            patch.setattr(package, "__path__", [*package.__path__, str(path.parent)])
        patch.setattr(statement, "PAGES", root / "docs" / "connectors")
        registry.connectors.cache_clear()
        yield root
    registry.connectors.cache_clear()
    for package in (platforms, stand_ins, cases):
        sys.modules.pop(f"{package.__name__}.best_buy", None)
        vars(package).pop("best_buy", None)
