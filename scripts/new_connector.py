"""Write the skeleton of a new connector: a small one that works, against a stand-in of its own, to be turned into the
real one. `make connector NAME=etsy`, or `python scripts/new_connector.py "Best Buy" --slug best_buy`.

What is written: the connector, its stand-in in the sandbox, its case for the conformance suite, its tests and its page.
Nothing that is there already is written over.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SKELETON = HERE / "skeleton"
PLACES = {
    "connector.py": "finalmarket/connectors/platforms/{slug}.py",
    "stand_in.py": "finalmarket/sandbox/platforms/{slug}.py",
    "case.py": "tests/connectors/cases/{slug}.py",
    "test_connector.py": "tests/connectors/test_{slug}.py",
    "page.md": "docs/connectors/{slug}.md",
}
HOSTS = re.compile(r"example\.(com|org)")


def main(arguments: list[str] | None = None) -> int:
    """Write the files; 0 when they are written, 2 with a sentence on stderr when not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help='the platform\'s name as it writes itself, such as "Best Buy"')
    parser.add_argument("--slug", help="its name in code; from the name by default (best_buy)")
    parser.add_argument("--root", type=Path, default=HERE.parent, help="the checkout to write into")
    asked = parser.parse_args(arguments)
    slug = asked.slug or re.sub(r"[^a-z0-9]+", "_", asked.name.lower()).strip("_")
    try:
        written = write(asked.name.strip(), slug, asked.root)
    except ValueError as error:
        sys.stderr.write(f"new_connector: error: {error}\n")
        return 2
    sys.stdout.write("".join(f"  {path}\n" for path in written))
    sys.stdout.write(f"Next: docs/adding-a-connector.md, and pytest tests/connectors -k {slug}\n")
    return 0


def write(name: str, slug: str, root: Path) -> list[Path]:
    """Write the files of a new connector below `root`; their paths. Raises ValueError, before anything is written, for
    a name that will not do and where a file is there already."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", slug) or not re.fullmatch(r"[^\\\"\n]+", name):
        raise ValueError(f"{slug!r} will not do as a name in code: small letters, digits and _, a letter first")
    places = {part: root / place.format(slug=slug) for part, place in PLACES.items()}
    there = [path for path in (*places.values(), places["connector.py"].with_suffix("")) if path.exists()]
    if there:
        raise ValueError(f"there is a {there[0].relative_to(root)} already")
    for part, path in places.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(renamed((SKELETON / part).read_text(), name, slug, is_page=path.suffix == ".md"))
    code = [str(path) for path in places.values() if path.suffix == ".py"]
    # A longer name makes longer lines; where the formatter is not installed they stay as they are.
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", *code], check=False, capture_output=True)
    return [path.relative_to(root) for path in places.values()]


def renamed(text: str, name: str, slug: str, *, is_page: bool = False) -> str:
    """The skeleton's text with the platform's name in the place of "Example", as a class, as words and in lower case;
    what stands at example.com stays."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match[0])
        return f"\0{len(kept) - 1}\0"

    text = HOSTS.sub(keep, text)
    text = text.replace('name = "Example"', f'name = "{name}"')
    text = text.replace("Example", name if is_page else class_name(name, slug)).replace("example", slug)
    return re.sub(r"\0(\d+)\0", lambda match: kept[int(match[1])], text)


def class_name(name: str, slug: str) -> str:
    """What the class is called: `Best Buy` is BestBuy."""
    words = [word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name) if word]
    joined = "".join(words)
    return joined if joined[:1].isalpha() else "".join(word.capitalize() for word in slug.split("_"))


if __name__ == "__main__":
    sys.exit(main())
