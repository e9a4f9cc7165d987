"""Programs over real HTTP: many at once, and over a wire that loses and doubles what it carries."""

from __future__ import annotations

import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from finalmarket.access.models import AuditEntry
from finalmarket.journeys.models import CrossChannelJourney
from tests.api.calling import Program
from tests.api.conftest import House, open_house
from tests.tracking.wire import bad_wire, served

CALLERS, JOURNEYS, MOST_TRIES = 16, 40, 12


def send(address: str, key: str, token: str, body: dict[str, Any]) -> tuple[int, bytes]:
    """One POST to start a journey. Raises OSError or HTTPException where the wire gives way."""
    where = urlsplit(address)
    wire = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": token, "Content-Type": "application/json"}
    try:
        wire.request("POST", "/api/v1/journeys", json.dumps(body).encode(), headers)
        answer = wire.getresponse()
        return answer.status, answer.read()
    finally:
        wire.close()


def start(house: House) -> dict[str, Any]:
    return {"customer": house.ann.pk, "channel": house.web.pk, "intent": "purchase"}


@pytest.mark.committed_database
def test_sixteen_programs_that_send_the_same_call_at_once_start_one_journey() -> None:
    house, program = open_house(), Program()
    together = threading.Barrier(CALLERS)
    with served() as port, ThreadPoolExecutor(CALLERS) as callers:

        def call(_: int) -> tuple[int, bytes]:
            together.wait()
            return send(f"http://127.0.0.1:{port}", program.key, "once", start(house))

        answers = set(callers.map(call, range(CALLERS)))
    assert [status for status, _ in answers] == [201]
    assert CrossChannelJourney.objects.count() == AuditEntry.objects.count() == 1


@pytest.mark.committed_database
def test_over_a_wire_that_loses_and_doubles_every_journey_is_started_once() -> None:
    house, program = open_house(), Program()

    def until_answered(address: str, number: int) -> int:
        for _ in range(MOST_TRIES):
            try:
                status, said = send(address, program.key, f"journey-{number}", start(house))
            except (OSError, http.client.HTTPException):
                continue
            if status == 201:
                return int(json.loads(said)["id"])
        raise AssertionError(f"journey {number} was never answered")

    with served() as port, bad_wire(port) as (address, did), ThreadPoolExecutor(4) as callers:
        ids = list(callers.map(lambda number: until_answered(address, number), range(JOURNEYS)))
    assert did["lose_answer"]
    assert did["twice"]
    assert len(set(ids)) == JOURNEYS
    assert set(ids) == set(CrossChannelJourney.objects.values_list("pk", flat=True))
