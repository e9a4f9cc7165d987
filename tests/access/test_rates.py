"""Who calls too fast has to wait, whatever others do."""

from __future__ import annotations

from uuid import uuid4

import pytest

from finalmarket.access import rates

CALLS_PER_MINUTE = 2


def test_calls_from_everywhere_free_nobody_who_called_just_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST_BUCKETS", 2)
    rates.forget()
    hasty = uuid4()
    waits = []
    for _ in range(4):
        waits.append(rates.take(hasty, CALLS_PER_MINUTE).wait_seconds > 0)
        rates.take(uuid4(), CALLS_PER_MINUTE)
    assert waits == [False, False, True, True]
    rates.forget()
