"""Nobody comes in without a key that works, is for it, and is not too fast: every call, by its description."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from finalmarket.access import keys
from finalmarket.access.models import AuditEntry, IdempotentCall
from finalmarket.api.door import ANY_SCOPE
from finalmarket.api.rest import api
from finalmarket.customers import merging
from finalmarket.journeys import stitching
from finalmarket.journeys.facts import RECOGNISED
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.kernel import clock
from tests.api.calling import Program, problem, told
from tests.api.conftest import House, bought


def calls() -> list[tuple[str, str, str]]:
    """Method, address and scope of every call."""
    described: dict[str, Any] = api.get_openapi_schema()
    return [
        (method.upper(), re.sub(r"\{[^}]+\}", "1", path), operation["x-scope"])
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]


CALLS = calls()
EACH = pytest.mark.parametrize(("method", "path", "scope"), CALLS, ids=[f"{one[0]} {one[1]}" for one in CALLS])


def knock(method: str, path: str, key: str | None, body: bytes = b"{}") -> Any:
    headers = {"Idempotency-Key": "knock"} | ({"Authorization": f"Bearer {key}"} if key is not None else {})
    return Client().generic(method, path, body, content_type="application/json", headers=headers)


def test_every_scope_opens_something_and_every_call_has_one() -> None:
    of_other_doors = {"agents:buy"}  # shopping agents speak a protocol of their own
    assert {scope for _, _, scope in CALLS} == {*keys.SCOPES, ANY_SCOPE} - of_other_doors


@EACH
def test_without_a_key_nobody_comes_in(house: House, method: str, path: str, scope: str) -> None:
    answer = knock(method, path, None)
    problem(answer, "not-let-in", 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@EACH
def test_whoever_does_not_come_in_is_not_told_what_is_wrong_with_what_they_say(
    house: House, method: str, path: str, scope: str
) -> None:
    for body in (b'{"name": "\\u0000"}', b"[1, {", b'{"no such field": 1}'):
        problem(knock(method, path, "fm_nothing", body), "not-let-in", 401)


@EACH
def test_a_key_with_all_other_scopes_does_not_open_it(house: House, method: str, path: str, scope: str) -> None:
    program = Program(*(keys.SCOPES.keys() - {scope}))
    if scope == ANY_SCOPE:
        assert knock(method, path, program.key).status_code == 200
        return
    said = problem(knock(method, path, program.key), "not-allowed", 403)
    assert scope in said["detail"]


@EACH
def test_a_revoked_key_opens_nothing(house: House, method: str, path: str, scope: str) -> None:
    program = Program(*([] if scope == ANY_SCOPE else [scope]))
    keys.revoke(program.row.pk)
    said = problem(knock(method, path, program.key), "not-let-in", 401)
    assert "was ended" in said["detail"]


def test_an_expired_key_opens_nothing(house: House) -> None:
    _, key = keys.create("old", ["journeys:read"], expires_at=clock.now() + timedelta(hours=1))
    with clock.steered(clock.now() + timedelta(hours=1)):
        assert "expired" in problem(knock("GET", "/api/v1/journeys", key), "not-let-in", 401)["detail"]


@pytest.mark.parametrize("shown", ["", "Basic eDp5", "Bearer", "Bearer fm_nothing", "bearer \u00e9"])
def test_what_is_no_key_of_ours_opens_nothing(house: House, shown: str) -> None:
    answer = Client().get("/api/v1/journeys", headers={"Authorization": shown})
    problem(answer, "not-let-in", 401)


def test_a_key_for_one_channel_does_nothing_on_another(house: House) -> None:
    mine = Program(
        "journeys:write", "journeys:read", "interactions:write", "interactions:read", channels=[house.till.pk]
    )
    theirs = Program()
    journey = told(theirs.post("/journeys", start(house)), 201)["id"]
    for answer in (
        mine.post("/journeys", start(house)),
        mine.post("/interactions", {"customer": house.ann.pk, "channel": house.web.pk, "type": "search"}),
        mine.get("/interactions", channel=house.web.pk),
        mine.get("/journeys", channel=house.web.pk),
    ):
        problem(answer, "not-allowed", 403)
    problem(mine.get(f"/journeys/{journey}"), "not-found", 404)
    problem(mine.post(f"/journeys/{journey}/complete", {}), "not-found", 404)
    problem(mine.get(f"/journeys/{journey}/touchpoints"), "not-found", 404)
    assert told(mine.get("/journeys"))["items"] == []
    assert CrossChannelJourney.objects.count() == 1


def test_a_journey_that_came_to_its_channel_is_seen_by_the_key_of_it(house: House) -> None:
    mine, theirs = Program("journeys:read", channels=[house.till.pk]), Program()
    journey = told(theirs.post("/journeys", start(house)), 201)["id"]
    theirs.post(f"/journeys/{journey}/touchpoints", {"channel": house.till.pk, "action": "tried on"})
    assert [one["id"] for one in told(mine.get("/journeys"))["items"]] == [journey]


def test_what_customers_did_elsewhere_is_not_shown_to_a_key_of_one_channel(house: House) -> None:
    mine = Program("interactions:read", channels=[house.till.pk])
    house.ann.track_interaction(house.web, "search")
    seen = house.ann.track_interaction(house.till, "store_visit")
    assert [one["id"] for one in told(mine.get("/interactions", customer=house.ann.pk))["items"]] == [seen.pk]


def test_a_key_of_one_channel_sees_of_a_journey_the_steps_of_that_channel_alone(house: House) -> None:
    mine, theirs = Program("journeys:read", "journeys:write", channels=[house.till.pk]), Program()
    begun = clock.now() - timedelta(minutes=30)
    house.ann.track_interaction(house.till, "store_visit", occurred_at=begun)
    body = {"customer": house.ann.pk, "channel": house.till.pk, "intent": "purchase", "started_at": begun.isoformat()}
    path = f"/journeys/{told(mine.post('/journeys', body), 201)['id']}"
    there = (house.web, "product_view"), (house.till, "product_view"), (house.web, "add_to_cart")
    for minutes, (channel, kind) in enumerate(there, 5):
        house.ann.track_interaction(channel, kind, occurred_at=begun + timedelta(minutes=minutes))
    stitching.run()

    def seen(program: Program) -> list[tuple[int, int | None]]:
        steps = told(program.get(f"{path}/touchpoints"))["items"]
        return [(step["channel"], step["switched_from"]) for step in steps]

    web, till = house.web.pk, house.till.pk
    assert seen(theirs) == [(till, None), (web, till), (till, web), (web, till)]
    assert seen(mine) == [(till, None), (till, None)]
    shown = told(mine.get(path))
    assert shown["touchpoints"] == 2
    assert datetime.fromisoformat(shown["last_touch_at"]) == begun + timedelta(minutes=6)
    assert told(mine.get("/journeys"))["items"] == [shown]
    assert told(mine.post(f"{path}/complete", If_Match=mine.get(path).headers["ETag"]))["touchpoints"] == 2


def test_a_key_of_one_channel_is_not_told_what_was_ordered_on_another(house: House) -> None:
    mine, theirs = Program("journeys:read", channels=[house.till.pk]), Program()
    rows = [
        CrossChannelJourney.objects.create(
            pk=RECOGNISED + place, is_recognised=True, customer=house.ann, start_channel=house.till, intent="purchase",
            state="completed", outcome="ordered", order=order, reason=f"order {order.number} was placed", value=10,
            currency="EUR", started_at=clock.now(),
        )
        for place, order in enumerate(bought(one, f"n-{one.pk}", "ann@example.com") for one in (house.web, house.till))
    ]  # fmt: skip
    words = ("state", "order", "value", "currency", "reason")

    def seen(program: Program, row: CrossChannelJourney) -> list[Any]:
        shown = told(program.get(f"/journeys/{row.pk}"))
        return [shown[word] for word in words]

    elsewhere, here = rows
    assert seen(mine, elsewhere) == ["completed", None, None, "", ""]
    assert seen(mine, here) == seen(theirs, here) and seen(mine, here)[1] == here.order_id
    assert seen(theirs, elsewhere)[1] == elsewhere.order_id


def test_a_key_of_one_channel_starts_no_journey_for_whom_that_channel_has_never_met(house: House) -> None:
    mine = Program("journeys:write", channels=[house.till.pk])
    body = {"channel": house.till.pk, "intent": "purchase"}
    house.ann.track_interaction(house.web, "search")
    bought(house.web, "w-1", "ann@example.com")
    strange, nobody = ({**body, "customer": number} for number in (house.ann.pk, 10**9))
    details = [problem(mine.post("/journeys", one), "not-allowed", 403)["detail"] for one in (strange, nobody)]
    assert details[0].replace(f" {house.ann.pk}.", " 1000000000.") == details[1]
    assert not CrossChannelJourney.objects.exists()
    told(mine.post("/journeys", {**body, "contact": {"email": "ann@example.com"}}), 201)
    told(mine.post("/journeys", strange), 201)


@pytest.mark.parametrize("how", ["interaction", "order", "other profile"])
def test_a_key_of_one_channel_starts_journeys_for_whom_that_channel_has_met(house: House, how: str) -> None:
    mine = Program("journeys:write", channels=[house.till.pk])
    if how == "interaction":
        house.ann.track_interaction(house.till, "store_visit")
    else:
        order = bought(house.till, "t-1", "ann@example.com" if how == "order" else "ann@work.example")
        assert order.customer is not None
        if order.customer != house.ann:
            merging.merge(house.ann.pk, order.customer.pk, actor="test")
    told(mine.post("/journeys", {**start(house), "channel": house.till.pk}), 201)


def test_a_key_of_one_channel_starts_no_journey_long_ago(house: House) -> None:
    house.ann.track_interaction(house.till, "store_visit")
    body = {**start(house), "channel": house.till.pk, "started_at": (clock.now() - timedelta(hours=2)).isoformat()}
    said = problem(Program("journeys:write", channels=[house.till.pk]).post("/journeys", body), "invalid", 422)
    assert [one["where"] for one in said["errors"]] == ["body.started_at"]
    told(Program("journeys:write").post("/journeys", body), 201)


def test_whoever_calls_too_fast_is_told_when_to_come_again(house: House) -> None:
    program = Program("journeys:read", calls=2)
    with clock.steered() as now:
        first = program.get("/journeys")
        assert first.headers["RateLimit"] == '"key";r=1;t=30'
        assert first.headers["RateLimit-Policy"] == '"key";q=2;w=60'
        told(program.get("/journeys"))
        answer = program.get("/journeys")
        problem(answer, "too-fast", 429)
        now.advance(timedelta(seconds=int(answer.headers["Retry-After"])))
        told(program.get("/journeys"))


def test_every_write_is_noted_with_who_what_and_when_and_reads_are_not(house: House) -> None:
    program = Program()
    journey = told(program.post("/journeys", start(house)), 201)["id"]
    program.get(f"/journeys/{journey}")
    program.post(f"/journeys/{journey}/complete", {"outcome": "success"})
    problem(program.post(f"/journeys/{journey}/abandon", {}), "refused", 422)
    noted = AuditEntry.objects.order_by("id").values_list("key", "operation", "subject", "status")
    assert list(noted) == [
        (program.row.pk, "start_journey", f"journey {journey}", 201),
        (program.row.pk, "complete_journey", f"journey {journey}", 200),
    ]


def test_neither_the_audit_nor_what_is_remembered_holds_a_word_of_the_customer(house: House) -> None:
    program = Program()
    contact = {"email": "canary@example.com", "name": "Canary Bird", "phone": "+4930123456"}
    one = {"contact": contact, "channel": house.web.pk}
    customer = told(program.post("/journeys", {**one, "intent": "browse"}), 201)["customer"]
    program.post("/interactions", {**one, "type": "search", "context": {"for": "Canary"}})
    program.post("/interactions/bulk", {"interactions": [{**one, "type": "search", "context": {"for": "Canary"}}]})
    program.post(f"/customers/{customer}/consents", {"purpose": "ads", "is_granted": True, "proof": {"by": "Canary"}})
    program.write("PUT", f"/customers/{customer}/preferences/nest", {"channel": house.web.pk, "value": "Canary"})
    rows = [*AuditEntry.objects.values(), *IdempotentCall.objects.values()]
    assert len(rows) == 10
    assert not [row for row in rows if "canary" in str(row).lower() or "3012345" in str(row)]


def start(house: House) -> dict[str, Any]:
    """What starts a journey on the web."""
    return {"customer": house.ann.pk, "channel": house.web.pk, "intent": "purchase"}
