"""What customers did, told by REST: one thing or 500, each once, each with its own outcome."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finalmarket.api.v1.interactions import MOST_AT_ONCE, Type
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations.privacy import erase
from finalmarket.journeys.models import ChannelInteraction, JourneyMark
from finalmarket.journeys.record import VALUE_SCORES
from finalmarket.kernel import clock
from tests.api.calling import Program, problem, told
from tests.api.conftest import House


@pytest.fixture
def program(house: House) -> Program:
    return Program()


def seen(house: House, **more: Any) -> dict[str, Any]:
    return {"customer": house.ann.pk, "channel": house.web.pk, "type": "product_view", **more}


def test_the_sixteen_types_of_the_description_are_those_of_the_house() -> None:
    assert set(get_args(Type)) == set(VALUE_SCORES)


def test_what_a_customer_did_is_stored_as_by_the_verb_itself(house: House, program: Program) -> None:
    body = seen(house, occurred_at="2026-05-04T12:00:00Z", message_id="m-1", context={"sku": "TEA", "price": "9.50"})
    number = told(program.post("/interactions", body), 201)["interaction"]
    by_verb = house.ann.track_interaction(house.web, "product_view", sku="TEA", price="9.50")
    row = ChannelInteraction.objects.get(pk=number)
    for word in ("customer_id", "sales_channel_id", "interaction_type", "value_score", "context"):
        assert getattr(row, word) == getattr(by_verb, word)
    assert JourneyMark.objects.filter(customer=house.ann).exists()
    (newest, oldest) = told(program.get("/interactions", customer=house.ann.pk))["items"]
    assert (newest["id"], oldest["id"], oldest["message_id"]) == (by_verb.pk, number, "m-1")


def test_a_message_that_came_before_is_answered_with_what_it_made_then(house: House, program: Program) -> None:
    first = told(program.post("/interactions", seen(house, message_id="m-1")), 201)
    again = told(program.post("/interactions", seen(house, message_id="m-1", type="search")), 200)
    assert (again["state"], again["interaction"]) == ("seen_before", first["interaction"])
    assert ChannelInteraction.objects.get().interaction_type == "product_view"


def test_in_a_batch_each_has_its_own_outcome_and_the_bad_ones_spoil_nothing(house: House, program: Program) -> None:
    told(program.post("/interactions", seen(house, message_id="old")), 201)
    contact = {"email": "bob@example.com"}
    batch = [
        seen(house, message_id="new"),
        seen(house, type="teleport"),
        seen(house, message_id="new"),
        "nonsense",
        seen(house, message_id="old"),
        seen(house, channel=10**9),
        {**seen(house), "customer": 10**9},
        {"channel": house.till.pk, "type": "store_visit", "contact": contact},
        {"channel": house.till.pk, "type": "store_visit", "contact": {"email": "nobody"}},
        seen(house, context={"text": "x" * 40_000}),
    ]
    answer = told(program.post("/interactions/bulk", {"interactions": batch}))
    states = [one["state"] for one in answer["items"]]
    assert states == ["stored", "refused", "seen_before", "refused", "seen_before", "refused", "refused", "stored",
                      "refused", "refused"]  # fmt: skip
    assert (answer["stored"], answer["seen_before"], answer["refused"]) == (2, 2, 6)
    assert answer["items"][2]["interaction"] == answer["items"][0]["interaction"]
    assert answer["items"][1]["errors"][0]["where"] == "body.interactions.1.type"
    assert answer["items"][5]["errors"][0]["where"] == "body.interactions.5.channel"
    assert all(one["errors"] for one in answer["items"] if one["state"] == "refused")
    assert ChannelInteraction.objects.count() == 3


def test_whoever_does_something_after_being_erased_begins_anew_and_nothing_old_is_kept(
    house: House, program: Program
) -> None:
    erase.erase(house.ann.pk, actor="olga", at_once=True)
    now = {"channel": house.web.pk, "type": "page_view", "contact": {"email": "ann@example.com"}}
    old = {**now, "occurred_at": clock.days_ago(3).isoformat(), "context": {"url": "/ann"}}
    (late, new) = told(program.post("/interactions/bulk", {"interactions": [old, now]}))["items"]
    assert (late["state"], new["state"]) == ("refused", "stored")
    assert "erased" in late["errors"][0]["what"]
    assert ChannelInteraction.objects.get().customer_id != house.ann.pk


def test_five_hundred_are_taken_in_as_many_statements_as_five(house: House, program: Program) -> None:
    def statements(number: int, name: str) -> int:
        batch = [
            {"channel": house.web.pk, "type": "search", "message_id": f"{name}-{place}",
             "contact": {"email": f"{name}{place}@example.com"}}
            for place in range(number)
        ]  # fmt: skip
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert told(program.post("/interactions/bulk", {"interactions": batch}))["stored"] == number
        return len(asked)

    few = statements(5, "few")
    assert statements(MOST_AT_ONCE, "many") <= few + 2


@pytest.mark.parametrize("number", [0, MOST_AT_ONCE + 1])
def test_a_batch_has_one_to_five_hundred(house: House, program: Program, number: int) -> None:
    said = problem(program.post("/interactions/bulk", {"interactions": [seen(house)] * number}), "invalid", 422)
    assert said["errors"][0]["where"] == "body.interactions"


def test_a_batch_of_a_bound_key_tells_of_its_channels_only(house: House) -> None:
    program = Program("interactions:write", channels=[house.till.pk])
    house.ann.track_interaction(house.till, "store_visit")
    batch = {"interactions": [seen(house), seen(house, channel=house.till.pk)]}
    assert [one["state"] for one in told(program.post("/interactions/bulk", batch))["items"]] == ["refused", "stored"]


def test_a_bound_key_makes_itself_known_to_nobody_by_counting_numbers(house: House) -> None:
    program = Program("interactions:write", "journeys:write", channels=[house.till.pk])
    strange, nobody = ({**seen(house, channel=house.till.pk), "customer": one} for one in (house.ann.pk, 10**9))
    for one in (strange, nobody):
        said = problem(program.post("/interactions", one), "not-allowed", 403)
        assert "have not met customer" in said["detail"]
    known = {"channel": house.till.pk, "type": "store_visit", "contact": {"email": "bob@example.com"}}
    told_now = told(program.post("/interactions/bulk", {"interactions": [strange, known, nobody]}))["items"]
    assert [one["state"] for one in told_now] == ["refused", "stored", "refused"]
    assert told_now[0]["errors"][0]["where"] == "body.interactions.0.customer"
    start = {"customer": house.ann.pk, "channel": house.till.pk, "intent": "purchase"}
    problem(program.post("/journeys", start), "not-allowed", 403)
    # Whom it knows by a contact it has met, and may name by number from then on.
    told(program.post("/interactions", {**known, "contact": {"email": "ann@example.com"}}), 201)
    told(program.post("/interactions", strange), 201)


def test_whom_a_bound_key_has_met_is_looked_up_once_for_a_batch(house: House) -> None:
    program = Program("interactions:write", channels=[house.till.pk])
    people = [resolve(Contact(email=f"n{number}@example.com"), source="test") for number in range(20)]
    batch = [{**seen(house, channel=house.till.pk), "customer": one.pk} for one in people if one is not None]

    def statements(number: int) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert told(program.post("/interactions/bulk", {"interactions": batch[:number]}))["refused"] == number
        return len(asked)

    few = statements(2)
    assert statements(20) <= few


def test_a_list_is_narrowed_by_person_channel_type_and_time(house: House, program: Program) -> None:
    said = problem(program.get("/interactions"), "invalid", 422)
    assert "a customer, a channel" in said["detail"]
    for day, kind in ((1, "search"), (2, "search"), (3, "page_view")):
        program.post("/interactions", seen(house, type=kind, occurred_at=f"2026-05-0{day}T00:00:00Z"))

    def days(**asked: Any) -> list[str]:
        return [one["occurred_at"][8:10] for one in told(program.get("/interactions", **asked))["items"]]

    assert days(channel=house.web.pk) == ["03", "02", "01"]
    assert days(channel=house.web.pk, type="search") == ["02", "01"]
    assert days(customer=house.ann.pk, since="2026-05-02T00:00:00Z", until="2026-05-03T00:00:00Z") == ["02"]
    assert days(channel=house.till.pk) == []


@pytest.mark.parametrize("body", [b'{"channel": 1, "context": {"a": "\\u0000"}}', b'{"x": "\\ud800"}', b'{"x": NaN}',
                                  b"\xff\xfe", b"[" * 100_000, b""])  # fmt: skip
def test_a_body_that_no_table_could_hold_goes_no_further(house: House, program: Program, body: bytes) -> None:
    answer = program.write("POST", "/interactions", body)
    assert told(answer, answer.status_code)["type"].rpartition(":")[2] in ("invalid", "unreadable")
    assert answer.status_code in (400, 422)
