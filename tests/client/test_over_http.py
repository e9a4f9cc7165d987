"""The client and the house, over real HTTP, and over a wire that loses things."""

from __future__ import annotations

import pytest

from finalmarket.access.models import AuditEntry
from finalmarket.client import Client, each, errors
from finalmarket.journeys.models import CrossChannelJourney
from tests.api.calling import Program
from tests.api.conftest import open_house
from tests.tracking.wire import bad_wire, served

pytestmark = pytest.mark.committed_database
JOURNEYS = 16


def test_over_a_wire_that_loses_things_every_journey_is_started_once(committed_database: object) -> None:
    house, program = open_house(), Program()
    with (
        served() as port, bad_wire(port) as (address, did),
        Client(address, key=program.key, sleep=lambda seconds: None) as client,
    ):  # fmt: skip
        started = [
            client.journeys.start_journey(channel=house.web.pk, customer=house.ann.pk, intent="browse").id
            for _ in range(JOURNEYS)
        ]
    assert did["lose_answer"]
    assert did["twice"]
    assert sorted(started) == sorted(CrossChannelJourney.objects.values_list("pk", flat=True))
    assert len(set(started)) == JOURNEYS == AuditEntry.objects.count()


def test_lists_are_walked_to_their_end_and_problems_have_names(committed_database: object) -> None:
    house, program = open_house(), Program(name="office")
    with served() as port, Client(f"http://127.0.0.1:{port}", key=program.key) as client:
        for _ in range(5):
            client.carts.open_cart(channel=house.web.pk)
        lines = list(each(client.audit.list_audit, limit=2, operation="open_cart"))
        assert len({line.id for line in lines}) == 5
        assert client.keys.get_key().name == "office"
        with pytest.raises(errors.NotFound, match="no journey 99"):
            client.journeys.get_journey(99)
        with pytest.raises(errors.Invalid) as caught:
            client.journeys.start_journey(channel=house.web.pk, customer=house.ann.pk, intent="dream")  # type: ignore[arg-type]
        assert caught.value.errors[0].where == "body.intent"
        webhook = client.webhooks.open_webhook(url="https://erp.example/hooks", topics=["order.*"])
        seen = client.webhooks.get_webhook(webhook.id)
        client.webhooks.change_webhook(webhook.id, topics=["*"], if_match=seen.etag)
        with pytest.raises(errors.Changed):
            client.webhooks.change_webhook(webhook.id, topics=["stock.*"], if_match=seen.etag)
        assert client.webhooks.delete_webhook(webhook.id) is None  # type: ignore[func-returns-value]
