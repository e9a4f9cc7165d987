"""Numbers are drawn in order and transactions end in any: what is committed late comes into the lake all the same."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction

from finalmarket.analytics.lake.export import export
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from tests.analytics import book
from tests.lake import story

pytestmark = pytest.mark.committed_database
PATIENCE_SECONDS = 60


class Slow(threading.Thread):
    """Somebody who has written down an interaction, and commits it only when told to."""

    def __init__(self, shop: SalesChannel, person: OmnichannelCustomer) -> None:
        super().__init__()
        self._shop, self._person = shop, person
        self.has_written, self.may_commit = threading.Event(), threading.Event()

    def run(self) -> None:
        try:
            with transaction.atomic():
                story.interaction(self._shop, self._person.pk, "search", story.FIRST)
                self.has_written.set()
                assert self.may_commit.wait(PATIENCE_SECONDS)
        finally:
            connection.close()


def test_an_interaction_that_is_committed_late_comes_into_the_lake(tmp_path: Path) -> None:
    shop, ann, ben = book.channel("Berlin"), book.customer("Ann"), book.customer("Ben")
    story.interaction(shop, ben.pk, "product_view", story.FIRST + timedelta(days=1))
    export(tmp_path)
    slow = Slow(shop, ann)
    slow.start()
    try:
        assert slow.has_written.wait(PATIENCE_SECONDS)
        story.interaction(shop, ben.pk, "product_view", story.FIRST + timedelta(days=3))
        export(tmp_path)
        assert len(story.in_lake(tmp_path)["interactions"]) == 2
    finally:
        slow.may_commit.set()
        slow.join()
    assert len(story.in_books()["interactions"]) == 3
    export(tmp_path)
    assert story.in_lake(tmp_path)["interactions"] == story.in_books()["interactions"]
