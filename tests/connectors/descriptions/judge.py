"""What every description can be asked, whatever language it is written in."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

VARIABLE = "FINALMARKET_VENDOR_APIS"


def vendor_apis() -> Path:
    """The folder of the published descriptions; skips the test, saying why, where there is none."""
    given = os.environ.get(VARIABLE, "")
    folder = Path(given)
    if not given or not folder.is_dir():
        pytest.skip(
            f"NOT CHECKED against the published descriptions: {VARIABLE} names no folder ({given or 'it is not set'})"
        )
    return folder


class Description(Protocol):
    """A published description that judges. Faults are sentences; none means that all is as described."""

    def operation(self, method: str, path: str, body: bytes = b"") -> str:
        """The described operation that a request uses, by name; "" for none."""

    def request_faults(
        self, method: str, path: str, query: Sequence[tuple[str, str]], headers: Mapping[str, str], body: bytes
    ) -> list[str]:
        """What in this request the description does not allow. `path` is without query and host."""

    def answer_faults(
        self, method: str, path: str, request_body: bytes, status: int, headers: Mapping[str, str], body: bytes
    ) -> list[str]:
        """What in the answer to this request the description does not allow."""


def header(headers: Mapping[str, str], name: str) -> str | None:
    """The value of a header in any case; None when it is missing."""
    return next((value for key, value in headers.items() if key.lower() == name.lower()), None)


def shown(value: Any) -> str:
    """A value, short enough for a sentence."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
