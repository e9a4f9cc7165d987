"""docs/proof.json and docs/proof.md: what is known of each step, those of earlier runs included."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.proof.page import ELSEWHERE, MORE, PAGES, page
from tests.proof.result import Result, from_json
from tests.proof.step import Step

JSON, PAGE = "proof.json", "proof.md"


def load(folder: Path) -> dict[str, Result]:
    """What earlier runs have left; nothing where there was none."""
    path = folder / JSON
    if not path.exists():
        return {}
    return {one["name"]: from_json(one) for one in json.loads(path.read_text(encoding="utf-8"))["steps"]}


def save(folder: Path, results: Mapping[str, Result], steps: Sequence[Step]) -> None:
    """Write both, in the order of the steps. A step that is declared no more is forgotten."""
    known = [results[step.name].as_json() for step in steps if step.name in results]
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"steps": known}, indent=1, ensure_ascii=False)
    (folder / JSON).write_text(f"{text}\n", encoding="utf-8")
    (folder / PAGE).write_text(page(results, steps, _elsewhere(folder)), encoding="utf-8")


def _elsewhere(folder: Path) -> str:
    """Commands of their own, those that the Makefile knows; each with its page, where it has one."""
    makefile = folder.parent / "Makefile"
    known = makefile.read_text(encoding="utf-8") if makefile.exists() else ""
    more = [words.format(link=_link(folder, PAGES[name])) for name, words in MORE.items() if f"\n{name}:" in known]
    return ELSEWHERE + "".join(more)


def _link(folder: Path, place: str) -> str:
    file = place.partition("#")[0]
    return f" ([{file}]({place}))" if (folder / file).exists() else ""
