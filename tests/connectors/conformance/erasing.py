"""Who is erased is erased there: nothing tells any more who they were, and whom nobody knows is erased already."""

from __future__ import annotations

from finalmarket.connectors.contract import ErasesCustomers, PullsCustomers
from tests.connectors.cases import Case
from tests.connectors.conformance.stage import another_name, check, staged
from tests.connectors.conformance.verbs import ADA, somebody


@check(ErasesCustomers)
def whom_the_platform_does_not_know_is_erased_already(case: Case) -> None:
    with staged(case) as stage:
        before = stage.effects()
        stage.connector.erase_customer(another_name(somebody(stage)))
        told = stage.effects() - before
        assert not any("erase" in name or "delete" in name or "forgotten" in name for name in told)


@check(ErasesCustomers, PullsCustomers)
def of_an_erased_customer_nothing_comes_in_any_more(case: Case) -> None:
    with staged(case) as stage:
        content = stage.case.customer(stage.stand_in) if stage.case.customer else ADA
        name = str(stage.connector.push_customer(content))
        stage.time.advance(stage.case.shown_after)
        assert _told_of(stage.connector, content.email)
        stage.connector.erase_customer(name)
        stage.time.advance(stage.case.shown_after)
        assert not _told_of(stage.connector, content.email)
        there = stage.connector.pull_customer(name)
        assert there is None or there.is_deleted or (there.email, there.name, there.phone) == ("", "", "")


def _told_of(connector: PullsCustomers, email: str) -> list[str]:
    """The customers with that address whom the platform tells of, deleted ones left out."""
    pages = connector.pull_customers("", None)
    records = [record for page in pages for record in page.records]
    return [record.external_id for record in records if record.email == email and not record.is_deleted]
