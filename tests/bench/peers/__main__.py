"""Measure other shop systems beside ours: `make peers`, `make peers PEER=oscar`.

    python -m tests.bench.peers [--peer NAME ...] [--quick] [--json]

Each peer is installed where it is not, started on a database of its own in the server that ours uses, measured beside
ours, and stopped. What was found of each is kept in build/peers, so that peers can be measured one by one; the last
words are of all that were found, and without --quick they are written into docs/peers.md. A peer that cannot be
installed or started is reported with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

import django


def main() -> None:
    """Measure, write, print."""
    asked = _arguments()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finalmarket.config.settings")
    django.setup()
    from tests.bench.peers import page
    from tests.bench.peers.run import PEERS, measure_all, print_report, read_results

    measure_all(asked.peer or list(PEERS), is_quick=asked.quick, say=_say)
    found = read_results()
    if not asked.quick:
        page.write(found)
    if asked.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        print_report(found)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers", description="Peers beside ours.")
    parser.add_argument("--peer", action="append", choices=["oscar", "vendure", "medusa"], help="one; again for more")
    parser.add_argument("--quick", action="store_true", help="one short run and ten races: a first impression")
    parser.add_argument("--json", action="store_true", help="print the JSON object instead of tables")
    return parser.parse_args()


def _say(progress: str) -> None:
    sys.stderr.write(f"peers: {progress}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
