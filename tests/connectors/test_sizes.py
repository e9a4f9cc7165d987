"""How large a connector is, and that the guide says so."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
PLATFORMS = ROOT / "finalmarket" / "connectors" / "platforms"
NOTHING = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING,
    tokenize.ENDMARKER,
}  # fmt: skip


def lines_of_code(text: str) -> int:
    """Lines that hold code: neither blank, nor comment, nor docstring."""
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NOTHING:
            found |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(found)


def files_by_platform() -> dict[str, list[Path]]:
    """The files of each platform; those of the sandbox alone are none."""
    found: dict[str, list[Path]] = {}
    for path in sorted(PLATFORMS.rglob("*.py")):
        name = path.relative_to(PLATFORMS).parts[0].removesuffix(".py")
        if name not in ("__init__", "fake", "practice_office"):
            found.setdefault(name, []).append(path)
    return found


def test_lines_of_code_are_counted_without_words_about_it() -> None:
    text = '"""Words.\n\nMore.\n"""\n\nimport re\nfrom a import (\n    b,\n)\n\n# Why.\nX = [\n    1,\n]\n\n\n'
    text += 'def f() -> str:\n    """Words."""\n    return """a\nb"""\n'
    assert lines_of_code(text) == 1 + 3 + 3 + 3


def test_the_guide_says_how_large_a_connector_is_and_none_grows_unnoticed() -> None:
    guide = (ROOT / "docs" / "adding-a-connector.md").read_text()
    told = re.search(
        r"half of them have no more than (\d+) lines of code \(the largest, (\w+), has (\d+)\), half of their files no "
        r"more than (\d+)", " ".join(guide.split()),
    )  # fmt: skip
    assert told, "docs/adding-a-connector.md does not say how large connectors are"
    sizes = {name: [lines_of_code(path.read_text()) for path in paths] for name, paths in files_by_platform().items()}
    whole = {name: sum(lines) for name, lines in sizes.items()}
    largest = max(whole, key=lambda name: whole[name])
    files = [lines for each in sizes.values() for lines in each]
    is_held = (
        median(whole.values()) <= int(told[1]), largest == told[2], whole[largest] <= int(told[3]),
        median(files) <= int(told[4]),
    )  # fmt: skip
    assert all(is_held), f"median {median(whole.values())}, {largest} {whole[largest]}, files {median(files)}"
