"""Nobody comes in without a key that works, is for it, and is not too fast: every call, by its description."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from finalmarket.access import keys
from finalmarket.access.models import AuditEntry, IdempotentCall
from finalmarket.api.door import ANY_SCOPE
from finalmarket.api.rest import api
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.kernel import clock
from tests.api.calling import Program, problem, told
from tests.api.conftest import House


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
