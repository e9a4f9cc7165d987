"""A judge asked about JSON in one line, the faults as one text: for tests."""

from __future__ import annotations

import json
from typing import Any

from tests.connectors.descriptions.judge import Description

JSON = {"Content-Type": "application/json"}


def sent(description: Description, method: str, path: str, body: Any = None, **query: str) -> str:
    """The faults of a JSON request, as one text."""
    content = b"" if body is None else json.dumps(body).encode()
    return "; ".join(description.request_faults(method, path, list(query.items()), JSON if content else {}, content))


def answered(description: Description, method: str, path: str, body: Any, *, status: int = 200) -> str:
    """The faults of a JSON answer, as one text."""
    return "; ".join(description.answer_faults(method, path, b"", status, JSON, json.dumps(body).encode()))
