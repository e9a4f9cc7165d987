"""A key looks at itself and puts another in its place; what programs did is read by who may."""

from __future__ import annotations

from datetime import timedelta

import pytest

from finalmarket.access import keys
from finalmarket.access.models import IdempotentCall
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from tests.api.calling import Program, problem, told
from tests.api.conftest import House


def test_every_key_may_see_what_it_may_do(house: House) -> None:
    program = Program("carts:read", channels=[house.till.pk], name="kiosk 4", calls=90)
    seen = told(program.get("/key"))
    assert (seen["name"], seen["scopes"], seen["channels"]) == ("kiosk 4", ["carts:read"], [house.till.pk])
    assert (seen["calls_per_minute"], seen["state"], seen["expires_at"]) == (90, "works", None)
    assert program.key not in str(seen)


def test_a_key_puts_another_in_its_place_and_both_work_for_a_while(house: House) -> None:
    program = Program("keys:rotate", "carts:read")
    answer = program.post("/key/rotate", {"grace_days": 2}, token="rotate")
    made = told(answer, 201)
    assert made["key"] not in str(list(IdempotentCall.objects.values()))
    assert told(program.get("/key"))["state"] == "replaced"
    program.key = made["key"]
    assert told(program.get("/key"))["scopes"] == ["carts:read", "keys:rotate"]
    repeated = told(program.post("/key/rotate", {"grace_days": 2}, token="rotate"), 201)
    assert repeated["key"] == made["key"]
    program.key = keys.WRITTEN.pattern
    problem(program.get("/key"), "not-let-in", 401)


def test_the_replaced_key_opens_nothing_after_its_days_of_grace(house: House) -> None:
    program = Program("keys:rotate")
    told(program.post("/key/rotate", {"grace_days": 2}), 201)
    with clock.steered(clock.now() + timedelta(days=2)):
        problem(program.get("/key"), "not-let-in", 401)


def test_a_key_cannot_be_replaced_twice(house: House) -> None:
    program = Program("keys:rotate")
    told(program.post("/key/rotate", {}), 201)
    problem(program.post("/key/rotate", {}), "refused", 422)


@pytest.mark.parametrize("scope", ["audit:read", "privacy:export", "webhooks:write", "segments:write"])
def test_what_is_of_all_channels_is_nothing_for_a_key_of_one(house: House, scope: str) -> None:
    with pytest.raises(UserError, match="all channels"):
        Program(scope, channels=[house.web.pk])


def test_the_audit_tells_who_did_what_when_newest_first(house: House) -> None:
    till, office = Program("carts:write", name="till"), Program("audit:read", name="office")
    began = clock.now()
    for _ in range(3):
        told(till.post("/carts", {"channel": house.till.pk}), 201)
    pages = list(office.pages("/audit", limit=2, key=till.row.pk))
    lines = [line for page in pages for line in page]
    assert [line["operation"] for line in lines] == ["open_cart"] * 3
    assert {line["key_name"] for line in lines} == {"till"}
    assert [line["id"] for line in lines] == sorted((line["id"] for line in lines), reverse=True)
    assert told(office.get("/audit", until=began.isoformat()))["items"] == []
    assert told(office.get("/audit", operation="close_cart"))["items"] == []
