"""A worker sorts while users change segments and others write customers: nobody waits crosswise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction

from finalmarket.analytics import segments, segments_made
from finalmarket.analytics.models import Segment
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.kernel import clock
from tests.analytics import book
from tests.api.calling import Program, told
from tests.patience import PATIENCE_SECONDS, until
from tests.stock.blocked import waiting

pytestmark = pytest.mark.committed_database
OFTEN, OFTENER = {"field": "orders", "at_least": 2}, {"field": "orders", "at_least": 3}


@pytest.fixture
def other() -> Iterator[Callable[[Callable[[], Any]], Future[Any]]]:
    """Lets another worker begin something; back as soon as it waits for somebody's lock."""
    with ThreadPoolExecutor(1) as pool:

        def begin(run: Callable[[], Any]) -> Future[Any]:
            def alone() -> Any:
                try:
                    return run()
                finally:
                    connections.close_all()

            begun = pool.submit(alone)
            until(waiting, "the other one waits")
            return begun

        yield begin


@pytest.fixture
def shop() -> SalesChannel:
    return book.channel("Web shop", time_zone="UTC")


def by_a_user() -> None:
    segments_made.change(Segment.objects.get(key="often_here"), rule=OFTENER)


def by_a_program(program: Program) -> None:
    told(program.write("PATCH", "/segments/often_here", {"rule": OFTENER}))


def taken_away_by_a_program(program: Program) -> None:
    assert program.write("DELETE", "/segments/often_here").status_code == 204


@pytest.mark.parametrize("way", ["changed by a user", "changed by a program", "taken away by a program"])
def test_a_segment_is_changed_while_a_worker_sorts(
    shop: SalesChannel, other: Callable[[Callable[[], Any]], Future[Any]], way: str
) -> None:
    ann = book.customer("Ann")
    for days in (40, 20):
        book.order(shop, clock.days_ago(days), buyer=ann)
    segments.restate()
    segments_made.make("Often here", OFTEN, actor="olga")
    program = Program("customers:read", "segments:write")
    deeds: dict[str, Callable[[], None]] = {
        "changed by a user": by_a_user, "changed by a program": lambda: by_a_program(program),
        "taken away by a program": lambda: taken_away_by_a_program(program),
    }  # fmt: skip
    with segments.hold():
        changing = other(deeds[way])
        segments.resort()
    changing.result(PATIENCE_SECONDS)
    found = Segment.objects.filter(key="often_here").first()
    assert (found.rule if found else None) == (None if "taken" in way else {**OFTENER, "at_least": "3"})


def test_others_may_write_the_customers_that_a_worker_sorts(
    shop: SalesChannel, other: Callable[[Callable[[], Any]], Future[Any]]
) -> None:
    ann, bob = book.customer("Ann"), book.customer("Bob")
    with clock.steered() as steered:
        book.order(shop, clock.days_ago(85), buyer=bob)
        book.order(shop, clock.days_ago(85), goods="500", buyer=book.customer("Cem"))  # the highest of the two
        segments.restate()
        segments_made.make("Germans", {"field": "country", "in": ["DE"]}, actor="olga")
        OmnichannelCustomer.objects.filter(pk=ann.pk).update(country="DE")
        steered.advance(timedelta(days=10))  # Bob is no new customer any more, and Ann is a German
        customers = OmnichannelCustomer.objects.select_for_update(no_key=True)
        with transaction.atomic():
            customers.get(pk=ann.pk)
            sorting = other(segments.resort)
            customers.get(pk=bob.pk)
        sorting.result(PATIENCE_SECONDS)
    bob.refresh_from_db()
    assert (bob.segment, segments.members("germans")) == ("regular", [ann.pk])
