"""Mutants, what became of them, and those that are no other than the original."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
EQUIVALENT = FOLDER / "equivalent.toml"
LEAST_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one function: the lines that were there and those that stand there instead. `outcome` is killed,
    timeout (a test waited for its end in vain, which counts), survived, or what else mutmut says."""

    name: str
    module: str
    function: str
    was: str
    becomes: str
    outcome: str

    @property
    def is_killed(self) -> bool:
        """Whether a test noticed."""
        return self.outcome in ("killed", "timeout")


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A mutant that does what the original does, and why."""

    module: str
    function: str
    was: str
    becomes: str
    why: str

    def is_of(self, mutant: Mutant) -> bool:
        """Whether this is the mutant that is meant."""
        mine = (self.module, self.function, _squeezed(self.was), _squeezed(self.becomes))
        return mine == (mutant.module, mutant.function, _squeezed(mutant.was), _squeezed(mutant.becomes))


@dataclass(frozen=True, slots=True)
class Count:
    """How a module fared."""

    module: str
    killed: int
    survived: int
    equivalent: int

    @property
    def share(self) -> float:
        """Of the mutants that differ from the original, the share that was noticed."""
        all_of_them = self.killed + self.survived
        return self.killed / all_of_them if all_of_them else 1.0


def read_equivalent(path: Path = EQUIVALENT) -> list[Equivalent]:
    """The mutants that are said to be equivalent. Raises ValueError for an entry that is not whole or has no reason."""
    found = []
    for entry in tomllib.loads(path.read_text("utf-8")).get("equivalent", []):
        try:
            found.append(Equivalent(**entry))
        except TypeError as error:
            raise ValueError(f"{path.name}, {entry.get('function', 'an entry')}: {error}") from error
        if not found[-1].why.strip():
            raise ValueError(f"{path.name}, {found[-1].function}: say why it is equivalent")
    return found


def stale(equivalent: Iterable[Equivalent], mutants: Sequence[Mutant]) -> list[str]:
    """What is wrong with the entries, in the light of a run: a mutant that is not made any more, or was noticed."""
    said = []
    for one in equivalent:
        meant = [mutant for mutant in mutants if one.is_of(mutant)]
        where = f"{one.module}, {one.function}: {one.becomes.strip()!r}"
        if not meant:
            said.append(f"{where} is not made any more; take the entry out of {EQUIVALENT.name}")
        elif all(mutant.is_killed for mutant in meant):
            said.append(f"{where} was noticed by a test, so it is not equivalent; take the entry out")
    return said


def counts(mutants: Sequence[Mutant], equivalent: Sequence[Equivalent]) -> list[Count]:
    """How each module fared, in the order of their names."""
    found = []
    for module in sorted({mutant.module for mutant in mutants}):
        mine = [mutant for mutant in mutants if mutant.module == module]
        open_still = [mutant for mutant in mine if not mutant.is_killed]
        same = sum(any(one.is_of(mutant) for one in equivalent) for mutant in open_still)
        found.append(Count(module, len(mine) - len(open_still), len(open_still) - same, same))
    return found


def survivors(mutants: Sequence[Mutant], equivalent: Sequence[Equivalent]) -> list[Mutant]:
    """Those that nobody noticed, and that are not said to be equivalent."""
    return [one for one in mutants if not one.is_killed and not any(same.is_of(one) for same in equivalent)]


def changed(diff: str) -> tuple[str, str]:
    """The lines that a diff takes away, and those that it puts there."""
    lines = diff.splitlines()
    was = [line[1:] for line in lines if line.startswith("-") and not line.startswith("---")]
    becomes = [line[1:] for line in lines if line.startswith("+") and not line.startswith("+++")]
    return "\n".join(was), "\n".join(becomes)


def _squeezed(text: str) -> str:
    return " ".join(text.split())
