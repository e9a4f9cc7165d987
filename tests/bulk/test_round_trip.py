"""What is exported and imported again changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from finalmarket.bulk.export import export
from finalmarket.bulk.plan import Counts, make_plan
from finalmarket.bulk.registry import SUBJECTS

ROWS = {"products": 4, "prices": 2, "stock": 1, "customers": 2, "listings": 3, "rates": 3}


@pytest.mark.django_db
@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_an_export_that_is_imported_again_changes_nothing(subject: object, ending: str, tmp_path: Path) -> None:
    name, importer = subject.name, subject.importer  # type: ignore[attr-defined]
    path = tmp_path / f"{name}.{ending}"
    assert export(importer(), path) == ROWS[name]

    with make_plan(importer(), path) as plan:
        assert list(plan.refusals()) == []
        assert plan.changes() == []
        assert plan.counts == Counts(unchanged=ROWS[name])
