"""Description files, read: JSON with the standard library, YAML with PyYAML where it is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def read_description(path: Path) -> dict[str, Any]:
    """The contents of a description file, as JSON would hold them; skips the test, saying why, where a YAML file cannot
    be read."""
    if path.suffix not in (".yaml", ".yml"):
        contents: dict[str, Any] = json.loads(path.read_text())
        return contents
    yaml = pytest.importorskip(
        "yaml", reason=f"NOT CHECKED against the published description {path.name}: PyYAML is not installed"
    )
    plain: dict[str, Any] = _plain(yaml.load(path.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    return plain


def _plain(value: Any) -> Any:
    """What YAML reads more into than JSON: names that are numbers (statuses), dates and moments, as texts."""
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
