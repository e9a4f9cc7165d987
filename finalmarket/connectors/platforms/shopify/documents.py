"""The documents in queries.graphql, each with the fragments that it uses and nothing else, as GraphQL demands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

_START = re.compile(r"^(query|mutation|fragment) (\w+)", re.MULTILINE)
_SPREAD = re.compile(r"\.\.\.(\w+)")
_ROOT = re.compile(r"^  (\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Document:
    """One operation, ready to be sent."""

    name: str
    text: str
    is_mutation: bool
    roots: tuple[str, ...]  # the fields that its answer has at least


def read_documents(source: str) -> Mapping[str, Document]:
    """All operations of a GraphQL file by name. The file is indented by two blanks."""
    starts = [*_START.finditer(source)]
    ends = [start.start() for start in starts[1:]] + [len(source)]
    parts = {start[2]: _uncommented(source[start.start() : end]) for start, end in zip(starts, ends, strict=True)}
    return MappingProxyType(
        {
            start[2]: Document(
                start[2], _with_fragments(start[2], parts), start[1] == "mutation",
                tuple(_ROOT.findall(parts[start[2]])),
            )
            for start in starts
            if start[1] != "fragment"
        }
    )  # fmt: skip


def _uncommented(part: str) -> str:
    return "\n".join(line for line in part.splitlines() if not line.startswith("#")).strip()


def _with_fragments(name: str, parts: Mapping[str, str]) -> str:
    wanted, waiting = {name: None}, [name]
    while waiting:
        for spread in _SPREAD.findall(parts[waiting.pop()]):
            if spread not in wanted:
                wanted[spread] = None
                waiting.append(spread)
    return "\n\n".join(parts[part] for part in wanted)


DOCUMENTS = read_documents(Path(__file__).with_name("queries.graphql").read_text(encoding="utf-8"))
