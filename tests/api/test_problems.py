"""Whatever goes wrong is told in one shape that says what, where, and what to do; never a look inside the house."""

from __future__ import annotations

import re

import pytest
from django.db import OperationalError
from django.test import Client
from structlog.testing import capture_logs

from finalmarket.api import door
from finalmarket.channels.models import SalesChannel
from finalmarket.journeys.models import CrossChannelJourney
from tests.api.calling import Program, problem
from tests.api.conftest import House
from tests.api.furnished import absent, calls


@pytest.fixture
def program(house: House) -> Program:
    return Program()


def test_there_is_nothing_at_other_addresses_and_it_is_said_as_a_problem(house: House, program: Program) -> None:
    for path in ("/", "/nothing", "/journeys/", "/journeys/1/2/3", "/journeys/x/complete/y"):
        problem(program.get(path), "not-found", 404)


def test_a_method_that_is_none_here_is_told_which_are(house: House, program: Program) -> None:
    answer = program.write("DELETE", "/journeys")
    problem(answer, "method", 405)
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) == {"GET", "POST"}


@pytest.mark.parametrize("number", ["x", "0", "-1", str(2**63), "1.5", "%00"])
def test_what_is_no_number_names_no_journey(house: House, program: Program, number: str) -> None:
    assert program.get(f"/journeys/{number}").status_code in (404, 422)
    assert program.get(f"/journeys/{number}").headers["Content-Type"] == "application/problem+json"


def test_what_is_there_has_one_address(house: House, program: Program) -> None:
    number = SalesChannel.objects.earliest("pk").pk
    assert program.get(f"/channels/{number}").status_code == 200
    for written in (f"{number}.0", f"+{number}", f"0{number}", f"%20{number}", f"1_{number}"):
        assert program.get(f"/channels/{written}").status_code in (404, 422), written


@pytest.mark.parametrize("number", [True, "1", 1.5, "one", None, [1]])
def test_what_only_looks_like_a_whole_number_is_refused(house: House, program: Program, number: object) -> None:
    wish = {"channel": number, "lines": [{"variant": 1, "quantity": 1}]}
    said = problem(program.post("/stock/reservations", wish), "invalid", 422)
    assert [one["where"] for one in said["errors"]] == ["body.channel"]
    many = {"items": [{"key": "cart-1", "channel": 1, "lines": [{"variant": 1, "quantity": 1, "sku": ""}]}]}
    many["items"][0]["location"] = number if number is not None else "1"
    said = problem(program.post("/stock/reservations/bulk", many), "invalid", 422)
    assert {one["where"] for one in said["errors"]} == {"body.items.0.location"}


@pytest.mark.parametrize("path", ["/stock/counts", "/stock/expected", "/stock/levels"])
def test_a_filter_that_names_no_place_is_told_apart_from_an_address_that_leads_nowhere(
    house: House, program: Program, path: str
) -> None:
    said = problem(program.get(path, location=987_654_321), "invalid", 422)
    assert [one["where"] for one in said["errors"]] == ["query.location"]


def test_unknown_and_doubled_filters_are_refused_not_passed_over(house: House, program: Program) -> None:
    said = problem(program.get("/journeys", colour="red"), "invalid", 422)
    assert said["errors"][0]["where"] == "query.colour"
    assert "customer" in said["errors"][0]["what_to_do"]
    said = problem(program.get("/journeys?state=open&state=completed"), "invalid", 422)
    assert said["errors"][0]["where"] == "query.state"
    problem(program.post("/journeys?dry_run=1"), "invalid", 422)


def test_a_word_that_is_not_known_is_answered_with_those_that_are(house: House, program: Program) -> None:
    said = problem(program.get("/journeys", state="lost"), "invalid", 422)
    assert said["errors"][0]["where"] == "query.state"
    assert all(word in said["errors"][0]["what_to_do"] for word in ("open", "completed", "abandoned"))


@pytest.mark.parametrize("body", [b"{", b"no json", b"\xff", b'{"a": 1e999999}'])
def test_what_is_no_json_cannot_be_read(house: House, program: Program, body: bytes) -> None:
    problem(program.write("POST", "/journeys", body), "unreadable", 400)


def test_a_list_where_an_object_is_wanted_is_refused(house: House, program: Program) -> None:
    problem(program.write("POST", "/journeys", b"[1]"), "invalid", 422)


def test_what_is_said_to_a_call_that_takes_no_body_is_refused_not_passed_over(house: House, program: Program) -> None:
    silent = [call for call in calls().values() if call.method != "GET" and call.example is None]
    assert {"hold_cart", "delete_webhook"} <= {call.name for call in silent}
    for call in silent:
        address = re.sub(r"\{(\w+)\}", lambda found: str(absent(found[1])), call.path)
        said = problem(program.write(call.method, address, b"{"), "unreadable", 400)
        assert said["errors"][0]["where"] == "body", call.name
        problem(program.write(call.method, address, b'{"channel": 1}'), "invalid", 422)
        assert program.write(call.method, address, b"{}").status_code == 404, call.name


def test_a_form_is_no_json(house: House, program: Program) -> None:
    headers = {"Authorization": f"Bearer {program.key}", "Idempotency-Key": "a"}
    answer = Client().post("/api/v1/journeys", {"channel": 1}, headers=headers)
    problem(answer, "media-type", 415)


def test_what_is_too_large_is_not_read(house: House, program: Program) -> None:
    problem(program.write("POST", "/interactions", b" " * (door.MOST_BYTES + 1)), "too-large", 413)


def test_an_error_of_ours_shows_a_reference_and_nothing_else(
    house: House, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(CrossChannelJourney.objects, "all", broken)
    with capture_logs() as logged:
        answer = program.get("/journeys")
    said = problem(answer, "broken", 500)
    assert b"secret" not in answer.content
    assert b"Traceback" not in answer.content
    assert logged[0]["reference"] in said["detail"]


def test_a_database_that_is_away_is_worth_another_try(
    house: House, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("server closed the connection at 10.0.0.1")

    monkeypatch.setattr(CrossChannelJourney.objects, "all", away)
    answer = program.get("/journeys")
    problem(answer, "away", 503)
    assert answer.headers["Retry-After"]
    assert b"10.0.0.1" not in answer.content
