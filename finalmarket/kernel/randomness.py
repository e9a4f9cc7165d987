"""The one source of chance that decides anything (jitter, samples). Secrets do not come from here.

A seed makes a run repeatable; without one it comes from the operating system.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager

_source = random.Random()  # noqa: S311  chance, not secrecy


def source() -> random.Random:
    """The generator in force."""
    return _source


@contextmanager
def seeded(seed: int) -> Iterator[random.Random]:
    """Within it the whole process draws from a generator with this seed."""
    global _source
    before, _source = _source, random.Random(seed)  # noqa: S311
    try:
        yield _source
    finally:
        _source = before
