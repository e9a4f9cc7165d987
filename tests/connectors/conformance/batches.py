"""Batches of what goes out: as large as the platform takes them, and never larger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from finalmarket.connectors.errors import ConnectorError
from tests.connectors.cases import Case
from tests.connectors.conformance.stage import Stage, staged
from tests.connectors.conformance.verbs import effects_from_here

MOST_RECORDS = 2_500  # larger batches take long and show nothing more
Make = Callable[[Stage, int], Sequence[Any]]


def all_are_taken(case: Case, verb: str, limit: str, make: Make) -> None:
    """A full batch is taken whole."""
    with staged(case) as stage:
        records = make(stage, min(MOST_RECORDS, getattr(stage.connector, limit)))
        truth = effects_from_here(stage)
        assert list(getattr(stage.connector, verb)(records)) == []
        assert truth(), f"{verb} changes nothing that the stand-in writes down"


def more_than_the_limit_is_never_taken_in_one_call(case: Case, verb: str, limit: str, make: Make) -> None:
    """One record more than the limit: refused as a whole, or told in several calls; a caller never asks for it."""
    most = getattr(case.connector, limit)
    if most >= MOST_RECORDS:
        return
    with staged(case) as stage:
        records = make(stage, most + 1)
        truth, asked = effects_from_here(stage), len(stage.watched.exchanges)
        try:
            refused = list(getattr(stage.connector, verb)(records))
        except ConnectorError:
            assert truth() == (), "a batch that is too large is refused, and takes effect in part"
            return
        assert len(refused) < len(records)
        writes = [each for each in stage.watched.exchanges[asked:] if each.method not in ("GET", "HEAD")]
        assert len(writes) > 1, f"the stand-in takes more than {most} records in one call"
