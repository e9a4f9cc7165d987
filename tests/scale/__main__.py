"""python -m tests.scale [PART ...]: measure what work costs as it grows, draw it, and write docs/scale.md."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import django

from tests.proof import where
from tests.scale.curve import Plot, from_json
from tests.scale.drawing import svg
from tests.scale.limits import FOLDERS
from tests.scale.page import Part, page

DATA = where.ROOT / ".data-proof"
JSON, PAGE, PICTURES = "scale.json", "scale.md", "pictures/scale"


@dataclass(frozen=True, slots=True)
class Room:
    """A part, by its module, and up to how much work it goes; the variable FINALMARKET_SCALE_<NAME> outweighs it."""

    says: str
    module: str
    dose: int


PARTS = {
    "skus": Room("The shop grows", "tests.scale.skus", 1_000_000),
    "lake": Room("History grows", "tests.scale.lake", 100_000_000),
    "connections": Room("Callers grow", "tests.scale.connections", 1_000),
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--into", type=click.Path(path_type=Path), default=where.ROOT / "docs", help="Where the page is written.")
def main(names: Sequence[str], into: Path) -> None:
    """Measure all parts, or those that are NAMED; the rest of the page stays."""
    os.environ["FINALMARKET_DATA"] = str(DATA)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finalmarket.config.settings")
    django.setup()
    from django.conf import settings

    from finalmarket.kernel.database import database_ready

    settings.ALLOWED_HOSTS = ["testserver", "127.0.0.1"]
    database_ready()
    for left in DATA.glob(f"{FOLDERS}*"):  # by a run that was killed
        shutil.rmtree(left)
    known = load(into)
    for name in names or PARTS:
        known[name] = measured(name, PARTS[name])
        save(into, known)


def measured(name: str, room: Room) -> Part:
    """Measure one part."""
    dose = int(os.environ.get(f"FINALMARKET_SCALE_{name.upper()}", room.dose))
    at, commit, load_before, began = where.now(), where.commit(), where.load(), time.monotonic()
    plots: list[Plot] = importlib.import_module(room.module).measure(dose, DATA, _say)
    seconds = round(time.monotonic() - began, 1)
    return Part(name, room.says, at, commit, load_before, seconds, dose, where.machine(), plots)


def _say(progress: str) -> None:
    click.echo(f"scale: {progress}", err=True)


def load(folder: Path) -> dict[str, Part]:
    """What earlier runs have left."""
    path = folder / JSON
    told: list[dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.exists() else []
    return {one["name"]: Part(**{**one, "plots": [from_json(plot) for plot in one["plots"]]}) for one in told}


def save(folder: Path, known: Mapping[str, Part]) -> None:
    """Write the page, the numbers and the pictures."""
    parts = [known[name] for name in PARTS if name in known]
    told = [{**asdict(part), "plots": [plot.as_json() for plot in part.plots]} for part in parts]
    (folder / PICTURES).mkdir(parents=True, exist_ok=True)
    (folder / JSON).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (folder / PAGE).write_text(page(parts), "utf-8")
    for plot in (plot for part in parts for plot in part.plots):
        (folder / PICTURES / f"{plot.name}.svg").write_text(svg(plot), "utf-8")


if __name__ == "__main__":
    main()
