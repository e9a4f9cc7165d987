"""The page about the client is true: its examples are run, in order, against a house over HTTP."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from finalmarket.access import keys
from finalmarket.channels.models import SalesChannel
from finalmarket.client.errors import ApiProblem
from tests.conftest import TestDatabase
from tests.tracking.wire import served

PAGE = Path(__file__).parents[2] / "docs" / "client.md"


@pytest.mark.committed_database
def test_every_example_does_what_the_page_says(
    committed_database: TestDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    committed_database.renew()  # the number of the channel in the examples is one
    SalesChannel.objects.create(name="Web shop", channel_type="web", country="DE")
    _, key = keys.create("docs", list(keys.SCOPES))
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 6
    known: dict[str, Any] = {}
    with served() as port:
        for number, block in enumerate(blocks, 1):
            text = block.replace("http://127.0.0.1:8000", f"http://127.0.0.1:{port}").replace("fm_...", key)
            exec(compile(text, f"{PAGE.name}, example {number}", "exec"), known)
        known["house"].close()
    assert "whsec_" in capsys.readouterr().out
    assert issubclass(known["errors"].NotFound, ApiProblem)
