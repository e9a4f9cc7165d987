"""Play seeds: `python -m tests.simulation 4711` replays one and prints its trace; `--from 0 --seeds 50` plays many."""

from __future__ import annotations

from tests import environment  # noqa: F401  before anything of the project

if __name__ == "__main__":
    import django

    django.setup()
    from tests.simulation.playing import main

    raise SystemExit(main())
