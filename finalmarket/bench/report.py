"""What a bench says: figures with their baselines, as one JSON object or as a table."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
from django.db import connection
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a bench takes: `runs` of everything, `seconds` for each measurement of a run."""

    runs: int = 5
    seconds: float = 3.0
    seed: int = 1


QUICK = Pace(runs=1, seconds=1.0)


@dataclass(frozen=True, slots=True)
class Figure:
    """One result. Value, baseline and ratio are medians of the runs; min and max are those of the value.

    The ratio is that of each run to its own baseline, measured beside it.
    """

    name: str
    value: float
    unit: str
    baseline_name: str | None
    baseline: float | None
    ratio: float | None
    runs: int
    min: float
    max: float


def figure(
    name: str,
    unit: str,
    values: Sequence[float],
    *,
    baseline_name: str | None = None,
    baselines: Sequence[float] | None = None,
) -> Figure:
    """Sum up the runs of one measurement; `baselines` run in parallel to `values`."""
    ratios = None if baselines is None else [value / base for value, base in zip(values, baselines, strict=True)]
    return Figure(
        name,
        _rounded(statistics.median(values)),
        unit,
        baseline_name,
        None if baselines is None else _rounded(statistics.median(baselines)),
        None if ratios is None else round(statistics.median(ratios), 3),
        len(values),
        _rounded(min(values)),
        _rounded(max(values)),
    )


def _rounded(value: float) -> float:
    return round(value, 1 if abs(value) >= 10 else 3)


def machine() -> dict[str, Any]:
    """What the figures were measured on: processor, memory, versions, and how busy it was (load, one minute)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('fsync')")
        server, fsync = cursor.fetchone()
    return {**hardware(), "postgresql": server, "fsync": fsync, "load": round(os.getloadavg()[0], 2)}


def hardware() -> dict[str, Any]:
    """Processor, cores that we may use, memory, system and Python; no database is asked."""
    return {
        "processor": _processor(),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_mb": psutil.virtual_memory().total // 2**20,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def as_json(bench: str, where: dict[str, Any], seed: int, figures: Sequence[Figure]) -> str:
    """The one object that every bench prints with --json."""
    return json.dumps(
        {"bench": bench, "machine": where, "seed": seed, "figures": [asdict(f) for f in figures]}, indent=2
    )


def print_table(bench: str, where: dict[str, Any], figures: Sequence[Figure]) -> None:
    """Print the figures for a reader."""
    table = Table(title=f"{bench}: medians of {max((f.runs for f in figures), default=0)}", title_justify="left")
    for heading in ("figure", "value", "unit", "min to max", "ratio", "of", "baseline"):
        table.add_column(heading, justify="left" if heading in ("figure", "unit", "baseline") else "right")
    for one in figures:
        table.add_row(
            one.name,
            f"{one.value:,}",
            one.unit,
            f"{one.min:,} to {one.max:,}",
            "" if one.ratio is None else f"{one.ratio:.2f}",
            "" if one.baseline is None else f"{one.baseline:,}",
            one.baseline_name or "",
        )
    console = Console(width=None if Console().is_terminal else 160)
    console.print(table)
    console.print(", ".join(f"{key} {value}" for key, value in where.items()), highlight=False)
