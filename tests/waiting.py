"""Jobs that wait, as tests carry them out themselves."""

from __future__ import annotations

import json
from typing import Any

from finalmarket.kernel.trail import CARRIED


def arguments_of(row: Any) -> dict[str, Any]:
    """What a job that waits is to be called with, from its row: all but where it comes from."""
    told = json.loads(row) if isinstance(row, str) else dict(row)
    return {name: value for name, value in told.items() if name != CARRIED}
