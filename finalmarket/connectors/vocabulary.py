"""From one vocabulary to the other: words looked up in a table, and the fields that hold something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

Part = TypeVar("Part")


def look_up(table: Mapping[str, str], word: Any, unknown: list[str], otherwise: str = "unknown") -> str:
    """Our word for one of theirs; one that is not in the table becomes `otherwise`, and is noted as unknown. Raises
    ValueError for what is no word at all."""
    if word_of(word) not in table:
        unknown.append(word)
    return table.get(word, otherwise)


def word_of(value: Any) -> str:
    """A text that has to be there. Raises ValueError for nothing, and for anything else."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{type(value).__name__} instead of a word")
    return value


def text_of(value: Any) -> str:
    """A text that may be missing, "" then. Raises ValueError for anything else."""
    return word_of(value) if value else ""


def filled(fields: Mapping[str, Part]) -> dict[str, Part]:
    """The fields that hold something: what is empty, zero or None is left out, and so left as it is there."""
    return {name: part for name, part in fields.items() if part}


def cut(fields: Mapping[str, str], most: int) -> dict[str, str]:
    """The texts that hold something, each cut to so many letters."""
    return {name: text[:most] for name, text in fields.items() if text}
