"""Journeys by REST: started, led from channel to channel, ended; and looked at."""

from __future__ import annotations

from typing import Any

import pytest

from finalmarket.customers import merging
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.integrations.privacy import erase
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.kernel import clock
from finalmarket.orders.models import Order
from tests.api.calling import Program, problem, told
from tests.api.conftest import House, bought


@pytest.fixture
def program(house: House) -> Program:
    return Program()


def begin(program: Program, house: House, **more: Any) -> Any:
    body = {"customer": house.ann.pk, "channel": house.web.pk, "intent": "purchase", **more}
    return told(program.post("/journeys", body), 201)


def test_a_journey_leads_from_the_web_into_the_store_and_ends_with_its_order(house: House, program: Program) -> None:
    order = bought(house.till, "t-1", "ann@example.com")
    journey = begin(program, house, started_at="2026-05-04T12:00:00+02:00")
    path = f"/journeys/{journey['id']}"
    step = {"channel": house.till.pk, "action": "tried on", "data": {"sku": "TEA"}}
    assert told(program.post(f"{path}/touchpoints", step), 201)["touchpoints"] == 1
    ended = told(program.post(f"{path}/complete", {"order": order.pk, "at": "2026-05-04T12:00:00Z"}))
    assert (ended["state"], ended["outcome"], ended["order"]) == ("completed", "success", order.pk)
    assert ended["duration_seconds"] == 2 * 60 * 60
    row = CrossChannelJourney.objects.get()
    assert (row.customer_id, row.start_channel_id, row.intent) == (house.ann.pk, house.web.pk, "purchase")
    (shown,) = told(program.get(f"{path}/touchpoints"))["items"]
    assert (shown["channel"], shown["action"], shown["data"]) == (house.till.pk, "tried on", {"sku": "TEA"})
    assert told(program.get(path)) == ended


def test_whoever_was_erased_begins_a_journey_anew_and_none_from_before(house: House, program: Program) -> None:
    erase.erase(house.ann.pk, actor="olga", at_once=True)
    body = {"channel": house.web.pk, "intent": "browse", "contact": {"email": "ann@example.com"}}
    before = {**body, "started_at": clock.days_ago(3).isoformat()}
    assert "erased" in problem(program.post("/journeys", before), "invalid", 422)["errors"][0]["what"]
    assert told(program.post("/journeys", body), 201)["customer"] != house.ann.pk


def test_who_is_not_known_yet_is_met_by_starting_a_journey(house: House, program: Program) -> None:
    body = {"channel": house.web.pk, "intent": "browse", "contact": {"email": "New@Example.com", "name": "New One"}}
    number = told(program.post("/journeys", body), 201)["customer"]
    assert OmnichannelCustomer.objects.get(pk=number).email == "new@example.com"
    again = {**body, "contact": {"email": "new@example.com"}}
    assert told(program.post("/journeys", again), 201)["customer"] == number


@pytest.mark.parametrize(("change", "where"), [
    ({"intent": "steal"}, "body.intent"), ({"intent": None}, "body.intent"), ({"colour": "red"}, "body.colour"),
    ({"channel": 10**9}, "body.channel"), ({"channel": 2**70}, "body.channel"), ({"customer": 10**9}, "body.customer"),
    ({"customer": None}, "body"), ({"contact": {"email": "a@b.de"}}, "body"),
    ({"customer": None, "contact": {"email": "nobody"}}, "body.contact"),
    ({"customer": None, "contact": {"account": "4711"}}, "body.contact"),
    ({"started_at": "2026-05-04T12:00:00"}, "body.started_at"), ({"started_at": "tomorrow"}, "body.started_at"),
    ({"started_at": "0001-01-01T00:00:00Z"}, "body.started_at"),
])  # fmt: skip
def test_a_journey_that_is_said_wrongly_is_refused_and_the_place_is_named(
    house: House, program: Program, change: dict[str, Any], where: str
) -> None:
    body = {"customer": house.ann.pk, "channel": house.web.pk, "intent": "purchase", **change}
    said = problem(program.post("/journeys", body), "invalid", 422)
    assert [one["where"] for one in said["errors"]] == [where]
    assert not CrossChannelJourney.objects.exists()


def test_several_mistakes_are_named_at_once(house: House, program: Program) -> None:
    said = problem(program.post("/journeys", {"customer": house.ann.pk, "intent": "x", "a": 1}), "invalid", 422)
    assert {one["where"] for one in said["errors"]} == {"body.channel", "body.intent", "body.a"}


def test_a_journey_that_has_ended_takes_no_step_and_no_other_end(house: House, program: Program) -> None:
    path = f"/journeys/{begin(program, house)['id']}"
    told(program.post(f"{path}/abandon", {"outcome": "too dear"}))
    step = {"channel": house.web.pk, "action": "came back"}
    assert "has ended" in problem(program.post(f"{path}/touchpoints", step), "refused", 422)["detail"]
    problem(program.post(f"{path}/complete", {}), "refused", 422)
    assert told(program.post(f"{path}/abandon", {"outcome": "too dear"}))["outcome"] == "too dear"


def test_a_journey_that_was_recognised_is_not_ended_by_a_program(house: House, program: Program) -> None:
    row = CrossChannelJourney.objects.create(
        pk=10**12 + 5, is_recognised=True, customer=house.ann, start_channel=house.web, intent="browse",
        started_at="2026-05-04T12:00:00Z",
    )  # fmt: skip
    said = problem(program.post(f"/journeys/{row.pk}/complete", {}), "refused", 422)
    assert "was recognised" in said["detail"]


def test_the_order_of_somebody_else_ends_no_journey(house: House, program: Program) -> None:
    order = bought(house.till, "w-1", "bob@example.com")
    path = f"/journeys/{begin(program, house)['id']}"
    said = problem(program.post(f"{path}/complete", {"order": order.pk}), "invalid", 422)
    assert said["errors"][0]["where"] == "body.order"
    assert not Order.objects.filter(journeys__state="completed").exists()


def test_what_somebody_else_did_is_no_step_of_a_journey(house: House, program: Program) -> None:
    bob = resolve(Contact(email="bob@example.com"))
    assert bob is not None
    theirs, hers = (one.track_interaction(house.web, "product_view") for one in (bob, house.ann))
    path = f"/journeys/{begin(program, house)['id']}/touchpoints"
    step = {"channel": house.web.pk, "action": "looked"}
    said = problem(program.post(path, {**step, "interaction": theirs.pk}), "invalid", 422)
    assert said["errors"][0]["where"] == "body.interaction"
    told(program.post(path, {**step, "interaction": hers.pk}), 201)
    assert told(program.get(path))["items"][0]["interaction"] == hers.pk


@pytest.mark.parametrize("name", ["channel", "action", "self", "occurred_at", "interaction"])
def test_details_of_a_step_cannot_pass_for_words_of_the_call(house: House, program: Program, name: str) -> None:
    path = f"/journeys/{begin(program, house)['id']}/touchpoints"
    step = {"channel": house.web.pk, "action": "looked", "data": {name: 1}}
    problem(program.post(path, step), "invalid", 422)


def test_who_has_seen_an_older_state_changes_nothing(house: House, program: Program) -> None:
    path = f"/journeys/{begin(program, house)['id']}"
    seen = program.get(path).headers["ETag"]
    step = {"channel": house.till.pk, "action": "tried on"}
    fresh = program.post(f"{path}/touchpoints", step, If_Match=seen)
    told(fresh, 201)
    problem(program.post(f"{path}/complete", {}, If_Match=seen), "changed", 412)
    assert CrossChannelJourney.objects.get().state == "open"
    told(program.post(f"{path}/complete", {}, If_Match=fresh.headers["ETag"]))


def test_what_a_program_has_already_is_not_sent_again(house: House, program: Program) -> None:
    path = f"/journeys/{begin(program, house)['id']}"
    first = program.get(path)
    again = program.get(path, headers={"If-None-Match": f'W/"x", {first.headers["ETag"]}'})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    program.post(f"{path}/complete", {})
    assert told(program.get(path, headers={"If-None-Match": first.headers["ETag"]}))["state"] == "completed"


def test_journeys_are_listed_by_person_state_intent_and_channel(house: House, program: Program) -> None:
    other = resolve(Contact(email="ann.lee@work.example"))
    assert other is not None
    merging.merge(house.ann.pk, other.pk, actor="test")
    hers = begin(program, house)["id"]
    merged = begin(program, house, customer=other.pk, channel=house.till.pk, intent="support")["id"]
    theirs = begin(program, house, customer=None, contact={"email": "bob@example.com"})["id"]
    program.post(f"/journeys/{hers}/complete", {})

    def listed(**asked: Any) -> set[int]:
        return {one["id"] for one in told(program.get("/journeys", **asked))["items"]}

    assert listed() == {hers, merged, theirs}
    assert listed(customer=house.ann.pk) == listed(customer=other.pk) == {hers, merged}
    assert listed(state="completed") == {hers}
    assert listed(intent="support") == listed(channel=house.till.pk) == {merged}
    assert listed(customer=10**9) == set()
