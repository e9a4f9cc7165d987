"""Somebody is erased while their journeys are being told."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection, connections

from finalmarket.customers.models import PrivacyRequest
from finalmarket.integrations.privacy import erase
from finalmarket.journeys import stitching
from finalmarket.journeys.models import CrossChannelJourney, JourneyTouchpoint
from finalmarket.journeys.stitch import stitch
from tests.journeys.tales import at, channels, people

pytestmark = pytest.mark.committed_database


@pytest.fixture
def impatient() -> Iterator[None]:
    """Locks that are not free are not waited for long."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
        yield
        cursor.execute("RESET lock_timeout")


def test_an_erasure_waits_until_nobody_tells_the_journeys(impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    (ann,) = people("Ann")
    ann.track_interaction(channels()[0], "product_view", occurred_at=at(), sku="CUP")
    is_told, goes_on = threading.Event(), threading.Event()

    def slowly(*facts: object) -> object:
        is_told.set()
        assert goes_on.wait(timeout=30)
        return stitch(*facts)  # type: ignore[arg-type]

    def tell() -> None:
        stitching.run(now=at(minutes=1))
        connections.close_all()

    monkeypatch.setattr(stitching, "stitch", slowly)
    worker = threading.Thread(target=tell)
    worker.start()
    try:
        assert is_told.wait(timeout=30)
        request = erase.ask(ann.pk, actor="olga", at_once=True)
        with pytest.raises(OperationalError, match="lock timeout"):
            erase.finish(request.pk)
    finally:
        goes_on.set()
        worker.join()
    assert erase.finish(request.pk).state == PrivacyRequest.State.DONE
    assert (CrossChannelJourney.objects.get().reason, JourneyTouchpoint.objects.get().data) == ("", {})
