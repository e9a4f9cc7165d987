"""A write is carried out once, however often and by however many it is sent."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from finalmarket.access import idempotency, keys
from finalmarket.access.models import AuditEntry, IdempotentCall
from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney
from finalmarket.kernel import clock
from tests.api.calling import Program, problem, told
from tests.api.conftest import House, open_house

CALLERS = 16


def start(house: House, intent: str = "purchase") -> dict[str, Any]:
    return {"customer": house.ann.pk, "channel": house.web.pk, "intent": intent}


@pytest.mark.committed_database
def test_sixteen_equal_calls_at_once_start_one_journey_and_hear_the_same() -> None:
    house, program = open_house(), Program()
    together = threading.Barrier(CALLERS)

    def call(_: int) -> tuple[int, bytes, str]:
        try:
            together.wait()
            answer = program.post("/journeys", start(house), token="once")
            return answer.status_code, answer.content, answer.headers["ETag"]
        finally:
            connection.close()

    with ThreadPoolExecutor(CALLERS) as callers:
        answers = set(callers.map(call, range(CALLERS)))
    assert len(answers) == 1
    assert {status for status, _, _ in answers} == {201}
    assert CrossChannelJourney.objects.count() == 1
    assert AuditEntry.objects.count() == 1


@pytest.mark.committed_database
def test_who_comes_while_the_first_is_under_way_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    house, program = open_house(), Program()
    monkeypatch.setattr(idempotency, "WAITS_MS", 50)
    answers = []

    def second() -> None:
        answers.append(program.post("/journeys", start(house), token="slow"))
        connection.close()

    with transaction.atomic():
        idempotency.claim(program.row.family, "slow", "0" * 64)
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
        transaction.set_rollback(True)
    problem(answers[0], "under-way", 409)
    assert answers[0].headers["Retry-After"] == "1"
    told(program.post("/journeys", start(house), token="slow"), 201)
    assert CrossChannelJourney.objects.count() == 1


def test_a_repeated_call_is_answered_as_it_was_though_things_have_moved_on(house: House) -> None:
    program = Program()
    first = program.post("/journeys", start(house), token="a")
    journey = told(first, 201)["id"]
    program.post(f"/journeys/{journey}/complete", {})
    again = program.post("/journeys", start(house), token="a")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Location"] == first.headers["Location"] == f"/api/v1/journeys/{journey}"


def test_an_answer_without_a_body_is_repeated_without_one(house: House) -> None:
    program = Program()
    path, body = f"/customers/{house.ann.pk}/preferences/size", {"channel": house.web.pk, "value": "M"}
    for _ in range(2):
        answer = program.write("PUT", path, body, token="p")
        assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("change", [{"intent": "browse"}, {"started_at": "2026-01-01T00:00:00Z"}])
def test_the_same_key_for_another_body_is_refused(house: House, change: dict[str, str]) -> None:
    program = Program()
    told(program.post("/journeys", start(house), token="a"), 201)
    problem(program.post("/journeys", {**start(house), **change}, token="a"), "other-call", 422)
    assert CrossChannelJourney.objects.count() == 1


def test_the_same_key_at_another_address_is_refused(house: House) -> None:
    program = Program()
    journey = told(program.post("/journeys", start(house)), 201)["id"]
    told(program.post(f"/journeys/{journey}/complete", {}, token="a"))
    problem(program.post(f"/journeys/{journey}/abandon", {}, token="a"), "other-call", 422)


def test_what_was_refused_may_be_tried_again_under_its_key(house: House) -> None:
    program = Program()
    body = start(house)
    problem(program.post("/journeys", {**body, "customer": house.ann.pk + 99}, token="a"), "invalid", 422)
    assert not IdempotentCall.objects.exists()
    told(program.post("/journeys", body, token="a"), 201)


def test_two_programs_may_use_the_same_key_and_a_rotated_one_remembers(house: House) -> None:
    one, other = Program(), Program()
    told(one.post("/journeys", start(house), token="a"), 201)
    told(other.post("/journeys", start(house), token="a"), 201)
    _, one.key = keys.rotate(one.row.pk)
    told(one.post("/journeys", start(house), token="a"), 201)
    assert CrossChannelJourney.objects.count() == 2


@pytest.mark.parametrize("token", ["", " ", "two words", "k\u00e4", "x" * 256])
def test_a_write_without_a_key_of_its_own_is_not_carried_out(house: House, token: str) -> None:
    program = Program()
    headers = {"Authorization": f"Bearer {program.key}"} | ({"Idempotency-Key": token} if token else {})
    answer = program.client.post("/api/v1/journeys", start(house), content_type="application/json", headers=headers)
    problem(answer, "no-idempotency-key", 400)
    assert not CrossChannelJourney.objects.exists()


def test_a_batch_that_is_repeated_stores_nothing_twice_though_it_names_no_messages(house: House) -> None:
    program = Program()
    batch = {"interactions": [{"customer": house.ann.pk, "channel": house.web.pk, "type": "search"}] * 3}
    first = program.post("/interactions/bulk", batch, token="b")
    again = program.post("/interactions/bulk", batch, token="b")
    assert again.content == first.content
    assert ChannelInteraction.objects.count() == 3


def test_what_broke_in_the_middle_leaves_neither_effect_nor_memory(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Program()

    def power_cut(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(idempotency, "keep", power_cut)
        said = problem(program.post("/journeys", start(house), token="a"), "broken", 500)
    assert "power cut" not in str(said)
    assert not CrossChannelJourney.objects.exists()
    assert not IdempotentCall.objects.exists()
    assert not AuditEntry.objects.exists()
    told(program.post("/journeys", start(house), token="a"), 201)


def test_answers_are_remembered_for_two_days(house: House) -> None:
    program = Program()
    told(program.post("/journeys", start(house), token="a"), 201)
    with clock.steered(clock.now() + timedelta(hours=47)):
        assert idempotency.tidy() == 0
    with clock.steered(clock.now() + timedelta(hours=49)):
        assert idempotency.tidy() == 1
