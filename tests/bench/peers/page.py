"""The figures of docs/peers.md, written from what the last runs found. Pure, but for `write`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[3] / "docs" / "peers.md"
BEGIN, END = "<!-- figures: written by `make peers` -->", "<!-- end of the figures -->"
TITLES = {"oscar": "django-oscar", "vendure": "Vendure", "medusa": "Medusa"}


def write(found: dict[str, Any], page: Path = PAGE) -> None:
    """Put the figures into the page, between its two marks."""
    page.write_text(put(page.read_text("utf-8"), figures(found)), encoding="utf-8")


def put(page: str, told: str) -> str:
    """Return the page with `told` between its marks. Raises ValueError where it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page needs the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{told}\n{END}{after}"


def figures(found: dict[str, Any]) -> str:
    """Both tables in Markdown, and the machine."""
    return "\n".join([*_speeds(found), "", *_races(found), "", *_machines(found), ""])


def _speeds(found: dict[str, Any]) -> list[str]:
    known = {one["name"]: one for one in found["figures"]}
    lines = [
        f"Orders/s by {found['callers']} callers; median of the runs (min to max). Ours is of the same minutes.",
        "",
        "| peer | SKUs | theirs | ours | theirs / ours | our hold alone, reservations/s |",
        "|---|---|---|---|---|---|",
    ]
    for name, peer in found["peers"].items():
        if peer["problem"]:
            lines.append(f"| {_title(name, peer)} | | not measured: {_cell(peer['problem'])} | | | |")
            continue
        for kind, words in (("hot", "one hot"), ("spread", "1,000")):
            theirs, ours = known[f"{name}_{kind}"], known[f"ours_{kind}_beside_{name}"]
            ratio = f"{theirs['ratio']:.2f}"
            cells = _title(name, peer), words, _spread(theirs), _spread(ours), ratio, f"{ours['baseline']:,}"
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def _races(found: dict[str, Any]) -> list[str]:
    lines = [
        "Races for a last unit: each buyer has it in the cart, all press at the same moment. Counted from order rows.",
        "",
        "| peer | races x buyers | units oversold | races with an oversell | most in one | races that nobody won |"
        " ours beside it, oversold |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, peer in found["peers"].items():
        theirs, ours = peer["races"], peer["our_races"]
        if theirs is None or ours is None:
            continue
        cells = (
            _title(name, peer), f"{theirs['rounds']} x {theirs['buyers']}", f"**{theirs['oversold_units']:,}**",
            str(theirs["oversold_rounds"]), str(theirs["worst_round"]), str(theirs["unsold_rounds"]),
            f"**{ours['oversold_units']}**, {ours['unsold_rounds']} unsold",
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _machines(found: dict[str, Any]) -> list[str]:
    told = []
    for name, peer in found["peers"].items():
        where = peer["machine"]
        words = f"{where['date']}, {where['processor']}, {where['cpus']} cpus, {where['memory_mb'] // 1024} GB"
        software = f"PostgreSQL {where['postgresql']} (fsync {where['fsync']}), Python {where['python']}"
        told.append(f"- {_title(name, peer)}, {peer['settings']}: {words}, load {where['load']}, {software}.")
    return told


def _title(name: str, peer: dict[str, Any]) -> str:
    return f"{TITLES.get(name, name)} {peer['version']}".strip()


def _spread(one: dict[str, Any]) -> str:
    return f"{one['value']:,} ({one['min']:,} to {one['max']:,})"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "/").split())[:300]
