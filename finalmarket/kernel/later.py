"""Modules that are heavy and seldom asked for: loaded when something of theirs is asked for first.

SciPy's take a second of every start, of each command and of each process that serves or works.
"""

from importlib import import_module
from typing import Any


class later:
    """Stands for the module of this name. Asking for what is in it loads it, by the import of Python, which lets one
    thread load while the others wait (`importlib.util.LazyLoader` does not before Python 3.12)."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, word: str) -> Any:
        """What the module holds under this word. Raises ImportError, and AttributeError as the module does."""
        if word.startswith("__"):
            raise AttributeError(word)
        return getattr(import_module(self._name), word)
